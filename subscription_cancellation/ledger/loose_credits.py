# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credits of subscription lines that do not say which invoice line they are of.

An order whose quantities were lowered makes such ones: a credit memo that reverses no
invoice, or a negative line beside something new. They count like any other credit, so
each is of the invoice lines that bill the same days of the same subscription line.
"""

from collections import defaultdict
from typing import Any, NamedTuple

from odoo.fields import Domain

from ..arithmetic.proration import Charge, clamp, half_up


class CreditPart(NamedTuple):
    """So much of a credit is of an invoice line."""

    credit: Any
    debit: Any
    #: What it takes off, in currency units: negative of a rebate.
    units: int

    def as_charge(self):
        """Return it for the ledger; a credit without days has those of its debit."""
        dated = self.credit if self.credit._has_period() else self.debit
        return Charge(self.units, dated._get_service_period())

    def get_balance(self):
        """Return its part of the credit in units of the company's currency."""
        units = self.credit._get_booked_units()
        return half_up(abs(self.credit._get_booked_balance()) * self.units, abs(units))

    def is_on_invoice(self):
        """Return whether it took something off another invoice, not off the debit's."""
        return self.credit.move_id.move_type == "out_invoice"


class LooseCredits:
    """Which invoice lines the credits are of, that say so themselves of none.

    The newest ones first that were there before, and never more than is left of them.
    """

    def __init__(self, debits):
        """Read the credits of what else these invoices bill, too.

        One query, and two more where there is such a credit.

        :param debits: invoice lines, as of ``_search_billed``
        """
        #: By invoice line.
        self.parts = defaultdict(list)
        #: What there is more of a credit than its line was billed, by credit.
        self.excess = {}
        credits_ = self._search(debits)
        if credits_:
            debits |= debits._search_debits(credits_.subscription_line_id).filtered(
                lambda debit: debit._has_period()
            )
            self._left = self._get_left(debits)
            by_line = debits.grouped("subscription_line_id")
            for credit in credits_:
                self._place(credit, by_line.get(credit.subscription_line_id, ()))

    def _search(self, debits):
        """Return the credits, drafts included, the first one first."""
        services = debits._search([("move_id", "in", debits.move_id.ids)])
        is_reduction = Domain("move_id.move_type", "=", "out_invoice") & Domain(
            "amount_currency", ">", 0.0
        )
        billed = services.subselect("subscription_line_id")
        items = debits.search(
            Domain("subscription_line_id", "in", billed)
            & Domain("origin_line_id", "=", False)
            & Domain("parent_state", "in", ("draft", "posted"))
            & (Domain("move_id.move_type", "=", "out_refund") | is_reduction),
            order="id",
        )
        memos = items.filtered(lambda item: item.move_id.move_type == "out_refund")
        return (memos | items._filter_reductions()).sorted("id")

    def _get_left(self, debits):
        """Return what credits that say so leave of each of these."""
        credited = debits._search_credits(debits).grouped("origin_line_id")
        return {
            debit: debit._get_booked_units()
            - sum(item._get_booked_units() for item in credited.get(debit, ()))
            for debit in debits
        }

    def _place(self, credit, debits):
        units = credit._get_credited_units()
        for debit in sorted(debits, key=lambda debit: _get_order(credit, debit)):
            taken = clamp(units, self._left[debit])
            if taken and _is_same(credit, debit):
                self.parts[debit].append(CreditPart(credit, debit, taken))
                self._left[debit] -= taken
                units -= taken
        if units > 0:
            self.excess[credit] = units

    def get_parts_of(self, invoice):
        """Return what is credited of the lines of an invoice."""
        return [
            part
            for debit, parts in self.parts.items()
            if debit.move_id == invoice
            for part in parts
        ]

    def get_reduced(self, invoice):
        """Return the invoices that negative lines of this one are credits of."""
        return (
            invoice.browse().union(
                *(
                    debit.move_id
                    for debit, parts in self.parts.items()
                    if any(part.credit.move_id == invoice for part in parts)
                )
            )
            - invoice
        )


def _get_order(credit, debit):
    """Return what invoice lines are sorted by: of which one a credit is first."""
    is_reversed = debit.move_id == credit.move_id.reversed_entry_id
    is_later = debit.id > credit.id
    return not is_reversed, is_later, -debit.id


def _is_same(credit, debit):
    """Return whether both are about the same days, in the same currency."""
    if credit.currency_id != debit.currency_id:
        return False
    if not credit._has_period():
        return True
    period = credit._get_service_period()
    return period.common_days(debit._get_service_period()) > 0
