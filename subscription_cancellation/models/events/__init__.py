from . import event
from . import recording
from . import base_automation
