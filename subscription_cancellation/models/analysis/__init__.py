from . import totals
