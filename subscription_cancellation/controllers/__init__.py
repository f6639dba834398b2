from . import cancel_contract
from . import portal
from . import portal_cancellation
