# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which credit pays which invoice: matching of open amounts. No ORM, no clock."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class OpenItem(NamedTuple):
    """An amount that is still open, of one document."""

    #: Only items of one account, currency and partner are matched.
    account: Any
    currency: Any
    units: int  # of the currency's smallest unit; never negative
    document: Any
    partner: Any = None

    def fits(self, other: "OpenItem") -> bool:
        """Return whether one may pay the other."""
        return (self.account, self.currency, self.partner) == (
            other.account,
            other.currency,
            other.partner,
        )


class Match(NamedTuple):
    """So much of a credit pays so much of a debit."""

    credit: OpenItem
    debit: OpenItem
    units: int


def allocate(units: int, capacities: Iterable[int]) -> list[int]:
    """Return how much of ``units`` each capacity takes, the first one first."""
    taken = []
    for capacity in capacities:
        part = max(min(units, capacity), 0)
        units -= part
        taken.append(part)
    return taken


def match(credit_items: Sequence[OpenItem], debits: Sequence[OpenItem]) -> list[Match]:
    """Return which credit pays which debit, each in the order it comes in."""
    left = [credit.units for credit in credit_items]
    matches = []
    for debit in debits:
        due = debit.units
        for number, credit in enumerate(credit_items):
            units = min(left[number], due) if credit.fits(debit) else 0
            if units > 0:
                left[number] -= units
                due -= units
                matches.append(Match(credit, debit, units))
    return matches
