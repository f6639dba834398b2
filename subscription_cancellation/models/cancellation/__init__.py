from . import cancellation
from . import cancellation_line
from . import idempotency
from . import planning
from . import timing
from . import advance
from . import extension
