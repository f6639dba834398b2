from . import subscription_cancellation_decision
from . import subscription_cancellation_postpone
from . import subscription_cancellation_reactivation
from . import subscription_cancellation_wizard
