from . import declaration
from . import limits
from . import matching
from . import objection
from . import search
from . import cancellation
