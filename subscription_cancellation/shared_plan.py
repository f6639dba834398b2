# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What cancellations that are executed together take from the same documents."""

from collections import defaultdict

from .proration import to_units


class SharedPlan:
    """One plan for several cancellations: each sees what those before it will take."""

    def __init__(self, invoices, rows=(), reduced=None):
        """Read what was credited already, and what is going to be refunded.

        :param invoices: ``account.move`` that are, or were, credited
        :param rows: ``subscription.cancellation.line`` without a credit memo yet
        :param dict reduced: what credit memos will take off their own invoices
        """
        # sudo: who cancels need not be allowed to read invoices.
        invoices = invoices.sudo()
        self.reduced = reduced or {}
        self._rows = defaultdict(list)
        for row in rows:
            self._rows[row.origin_move_id].append(row)
        self._limits = {}
        self._taken = defaultdict(int)
        self._read(invoices._search_credit_memos() if invoices else invoices)

    def _read(self, credit_memos):
        """Take notice of credit memos, and of their refunds that are still to come."""
        self._memos = credit_memos.grouped("reversed_entry_id")
        steps = credit_memos.env["subscription.cancellation.step"]
        self._refunds = steps._search_open_refunds(credit_memos)
        self.reserved = defaultdict(int)
        for step in self._refunds.filtered("source_transaction_id"):
            if not step._is_on_way():
                rounding = step.currency_id.rounding
                self.reserve(
                    step.source_transaction_id, to_units(step.amount, rounding)
                )

    # === REFUNDS === #

    def take_limit(self, invoice, amount):
        """Return how much of ``amount`` may be given back of an invoice; that is taken.

        What was received for it and not given back, less what stays billed. A discount
        or a write-off is no money that was received.
        """
        if invoice not in self._limits:
            self._limits[invoice] = self._get_limit(invoice)
        taken = max(min(amount, self._limits[invoice]), 0.0)
        self._limits[invoice] -= taken
        return invoice.currency_id.round(taken)

    def _get_limit(self, invoice):
        memos = self._memos.get(invoice, invoice.browse())
        credited = sum(memos.mapped("amount_total"))
        credited += sum(row.credit_total for row in self._rows[invoice])
        to_come = self._refunds.filtered(lambda step: step.source_move_id in memos)
        received = invoice._get_amount_received() - memos._get_amount_given_back()
        received -= sum(step._get_planned_refund() for step in to_come)
        stays_billed = invoice.amount_total - credited
        return invoice.currency_id.round(received - stays_billed)

    def reserve(self, transaction, units):
        """Leave what a transaction is going to give back to that."""
        self.reserved[transaction] += units

    # === CREDITS THAT PAY === #

    def leave(self, item):
        """Return an open item without what others will take of it."""
        return item._replace(units=max(item.units - self._taken[item.document], 0))

    def take(self, matched):
        """Remember a match of open items."""
        self._taken[matched.credit.document] += matched.units
        self._taken[matched.debit.document] += matched.units
