# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""E3: an idempotency key is used by one request only, across the whole company."""

from .. import queries
from ..finding import Finding
from ..finding import translatable as _lt

RULE = "requests"
TWICE = _lt(
    "The same idempotency key has led to more than one cancellation: %(cancellation)s."
)


def check(reader, companies):
    """Yield a finding for each key that was used twice.

    :param Reader reader: where from
    :param list companies: ids of ``res.company``; ``None``: all
    """
    for row in reader.fetch(queries.REPEATED_KEYS, companies=companies):
        names = ", ".join(row.names)
        yield Finding(
            RULE,
            TWICE,
            {"cancellation": names},
            row.ids[-1],
            row.names[-1],
            document=names,
            expected=1,
            found=len(row.ids),
        )
