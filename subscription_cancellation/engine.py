# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Some things only this addon's own code writes: one mark, and one question.

The mark says where a write comes from. Whether its user may is asked at the verbs.
"""

from .callers import forget_context

#: Context key of the mark.
KEY = "cancellation_engine"

# What is written by nobody else.
#: Records that are kept as proof, and documents that they issue.
RECORDS = "records"
#: The stage of a subscription that ends, or goes on again.
STAGES = "stages"
#: Ends of lines, and whether they are billed.
LINES = "lines"
#: What upstream writes by itself when a stage changes.
DATES = "dates"
#: Upstream's flags of a pause.
PAUSES = "pauses"


class Mark(frozenset):
    """What may be written. A class, because no context that comes over RPC has one."""


def let_write(records, kind):
    """Return records with which one more kind of things can be written.

    :param str kind: one of the above
    """
    return records.with_context(**{KEY: Mark(_get_mark(records) | {kind})})


def as_engine(records):
    """Return records that keep proof, in the hands of this addon.

    Users may only read them; their rights are checked before.
    """
    return let_write(forget_context(records).sudo(), RECORDS)


def as_caller(records):
    """Return records without the mark."""
    return records.with_context(**{KEY: None})


def is_engine(records, kind=RECORDS):
    """Return whether this addon's own code is at work with such things."""
    return kind in _get_mark(records)


def _get_mark(records):
    mark = records.env.context.get(KEY)
    return mark if isinstance(mark, Mark) else Mark()
