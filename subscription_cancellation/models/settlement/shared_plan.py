# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What cancellations that are executed together take from the same documents."""

from collections import defaultdict

from ...arithmetic.proration import to_units


class SharedPlan:
    """One plan for several cancellations: each sees what those before it will take."""

    def __init__(self, invoices, rows=(), reduced=None, asking_step=None):
        """Read what was credited already, and what is going to be refunded.

        :param invoices: ``account.move`` that are, or were, credited
        :param rows: ``subscription.cancellation.line`` without a credit memo yet
        :param dict reduced: what credit memos will take off their own invoices
        :param asking_step: ``subscription.cancellation.step`` that is about to give
            money back; those after it have to do with what it leaves
        """
        # sudo: who cancels need not be allowed to read invoices.
        invoices = invoices.sudo()
        self.reduced = reduced or {}
        self._rows = defaultdict(list)
        for row in rows:
            self._rows[row.origin_move_id].append(row)
        self._limits = {}
        self._taken = defaultdict(int)
        #: By open invoice, what credits of invoices to come pay: of day and amount.
        self.expected = defaultdict(tuple)
        self._known_by_hand = defaultdict(float)
        self._asking_step = asking_step
        self._read(invoices._search_credit_memos() if invoices else invoices)

    def _read(self, credit_memos):
        """Take notice of credit memos, and of their refunds that are still to come."""
        self._memos = credit_memos.grouped("reversed_entry_id")
        self._taken_back = credit_memos._map_amounts_taken_back()
        steps = credit_memos.env["subscription.cancellation.step"]
        self._refunds = steps._search_open_refunds(credit_memos)
        if self._asking_step:
            self._refunds = self._refunds._filter_before(self._asking_step)
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

        What was received for it and not given back, however that is booked, less what
        stays billed. A discount or a write-off is no money that was received.
        """
        if invoice not in self._limits:
            self._limits[invoice] = self._get_limit(invoice)
        taken = max(min(amount, self._limits[invoice]), 0.0)
        self._limits[invoice] -= taken
        return invoice.currency_id.round(taken)

    def _get_limit(self, invoice):
        memos = self._memos.get(invoice, invoice.browse())
        credited = sum(memos.mapped("amount_total"))
        credited -= sum(self._taken_back.get(memo, 0.0) for memo in memos)
        credited += sum(row.credit_total for row in self._rows[invoice])
        # What was paid already is given back, not to come.
        to_come = self._refunds.filtered(
            lambda step: step.source_move_id in memos and not step.payment_id
        )
        received = invoice._get_amount_received() - memos._get_amount_given_back()
        received -= self._get_amount_by_hand(invoice)
        received -= sum(step._get_planned_refund() for step in to_come)
        stays_billed = invoice.amount_total - credited
        return invoice.currency_id.round(received - stays_billed)

    def take_by_hand(self, invoice, amount):
        """Return how much of ``amount`` was refunded without a credit memo; taken."""
        taken = min(amount, self._get_amount_by_hand(invoice))
        self._known_by_hand[invoice._get_refunds_by_hand()] += taken
        return invoice.currency_id.round(taken)

    def _get_amount_by_hand(self, invoice):
        """Return what went back of an invoice that no credit memo accounts for yet.

        A payment may have paid several invoices: its refunds count once.
        """
        known = sum(
            amount
            for refunds, amount in self._known_by_hand.items()
            if refunds & invoice._get_refunds_by_hand()
        )
        return max(invoice._get_amount_refunded_by_hand() - known, 0.0)

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
