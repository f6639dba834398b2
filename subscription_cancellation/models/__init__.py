# Floor by floor: what is below knows nothing of what is above.
from . import common
from . import accounting
from . import subscription
from . import policy
from . import cancellation
from . import settlement
from . import words
from . import messages
from . import events
from . import lifecycle
from . import overdue
from . import portal
from . import declarations
from . import analysis
