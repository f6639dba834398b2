from . import subscription_cancellation_report
