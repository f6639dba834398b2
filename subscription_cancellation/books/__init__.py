# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A second opinion on the books of cancellations.

Everything is read by plain SQL and computed anew, by rules of this package's own. It
shares no code with the engine and needs no Odoo: what both get wrong in the same way
would have to be thought of twice. Nothing is written.

``ledger`` reads, ``rules`` compute (one file each), ``checker`` goes through a whole
database in chunks, ``python -m books`` is the command for it.
"""

from .checker import Summary, check_books
from .finding import Finding

__all__ = ["Finding", "Summary", "check_books"]
