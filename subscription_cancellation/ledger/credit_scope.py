# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is to be credited."""

from datetime import date
from typing import NamedTuple

from odoo import models

from ..arithmetic.proration import Period


class CreditScope(NamedTuple):
    """What to credit: the lines that end, their date, and how."""

    lines: models.BaseModel
    effective_date: object
    refund_mode: str
    #: Invoices of extra days that are taken back before anything is credited.
    taken_back: object = ()
    #: Only billed periods that begin on the date or later.
    only_advance: bool = False
    #: The day on which service goes on, where it does: a pause.
    until: object = None

    def count_unused(self, period):
        """Return how many days of a billed period are without service."""
        return period.common_days(Period(self.effective_date, self.until or date.max))
