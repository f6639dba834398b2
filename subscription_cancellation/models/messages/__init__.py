from . import history
from . import mail_texts
from . import mails
from . import reminder
from . import step_confirm
