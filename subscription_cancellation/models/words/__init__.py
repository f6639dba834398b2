from . import figures
from . import left_out
from . import fingerprint
from . import output
