# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers owe net of the credits and payments that lie on their accounts."""

from collections import defaultdict

from ...arithmetic.matching import OpenItem, match
from ...arithmetic.proration import to_units


def _get_account(document):
    """Return company and customer that have an account with each other."""
    return document.company_id, document.partner_id.commercial_partner_id


def _as_open_item(item):
    """Return an open journal item: whatever ledger account it is on, it is money."""
    currency = item.currency_id
    units = to_units(abs(item.amount_residual_currency), currency.rounding)
    return OpenItem(None, currency, units, item)


class CustomerBalances:
    """The accounts of some customers: credits pay the oldest overdue item first.

    In thought only, and each in its own currency: which rate would apply is for an
    accountant to say.
    """

    def __init__(self, overdue, open_credits):
        """Net what is overdue.

        :param overdue: ``account.move.line``, in the order in which they were due
        :param open_credits: ``account.move.line``, the oldest first
        """
        self._none = open_credits.browse()
        self._credits = open_credits.grouped(_get_account)
        self._overdue = overdue.grouped("move_id")
        self._net_units = defaultdict(int)
        for account, items in overdue.grouped(_get_account).items():
            debits = [_as_open_item(item) for item in items]
            for debit in debits:
                self._net_units[debit.document] += debit.units
            payers = [_as_open_item(item) for item in self._get_credits(account)]
            for matched in match(payers, debits):
                self._net_units[matched.debit.document] -= matched.units

    def _get_credits(self, account):
        return self._credits.get(account, self._none)

    def get_overdue_date(self, invoice, tolerance):
        """Return since when too much of an invoice is overdue, ``None``: it is not.

        :param int tolerance: what may be left once credits have paid what they can,
            in units of the currency
        """
        net = 0
        for item in self._overdue.get(invoice, self._none):
            net += self._net_units[item]
            if net > tolerance:
                return item.date_maturity
        return None

    def get_open_credits(self, invoice):
        """Return the open credits of whoever owes an invoice: journal items."""
        return self._get_credits(_get_account(invoice))
