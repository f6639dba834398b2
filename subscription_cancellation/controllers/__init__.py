from . import cancel_contract
