from . import subscription_cancellation_report
from . import subscription_churn_report
