from . import history
from . import mail_texts
from . import mails
from . import reminder
from . import sale_subscription
from . import step_confirm
