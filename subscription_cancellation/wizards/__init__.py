from . import subscription_cancellation_wizard
