from . import account_move
from . import sale_subscription
