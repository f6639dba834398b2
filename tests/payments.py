# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Payments that are on their way, come back, or are refunded by hand."""

from unittest.mock import patch

from .common import CancellationCase


class PaymentCase(CancellationCase):
    """A subscription of $31 for July, on 10 July: 10 days are served, 21 are not."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.invoice = self.bill(self.subscription)
        self.partner = self.subscription.partner_id
        self.travel_to("2026-07-10")

    # === WHAT PEOPLE AND BANKS DO === #

    def start_payment(self, invoice=None, amount=None):
        """Let the customer pay by a method whose answer takes time."""
        token = self.create_token(self.partner, "pending")
        return self.pay_online(invoice or self.invoice, amount, token)

    def arrive(self, transaction):
        """Let a payment that was on its way go through."""
        transaction.action_demo_set_done()
        transaction._post_process()

    def break_off(self, transaction):
        """Let a payment that was on its way fail."""
        transaction.action_demo_set_canceled()
        transaction._post_process()

    def charge_back(self, transaction):
        """Let the bank take a payment back."""
        transaction.payment_id.action_draft()
        transaction.payment_id.action_cancel()

    def refund_by_hand(self, transaction, amount):
        """Use the Refund button of the payment; return the refund's transaction."""
        known = transaction.child_transaction_ids
        self.env["payment.refund.wizard"].with_context(
            active_id=transaction.payment_id.id
        ).create({"amount_to_refund": amount}).action_refund()
        refund = transaction.child_transaction_ids - known
        refund._post_process()
        return refund

    def refuse_refunds(self):
        """Return a patcher: the provider answers that it does not refund."""
        return patch.object(
            type(self.env["payment.transaction"]),
            "_send_refund_request",
            autospec=True,
            side_effect=lambda refund: refund._set_error("insufficient balance"),
        )

    def delay_refunds(self):
        """Return a patcher: the provider takes a refund, and answers later."""
        return patch.object(
            type(self.env["payment.transaction"]),
            "_send_refund_request",
            autospec=True,
            side_effect=lambda refund: refund._set_pending(),
        )

    # === CANCEL, AND SEE WHAT COMES OF IT === #

    def end(self, **options):
        """Cancel now, with refund unless told otherwise, and take the steps."""
        options = {"credit_settlement": "refund", **options}
        self.cancel(self.subscription, "2026-07-10", **options)
        return self.take_steps()

    def end_refused(self, **options):
        """Cancel as above; the provider refuses the first attempt to refund."""
        with self.refuse_refunds():
            return self.end(**options)

    def take_steps(self, moment=None):
        """Take the steps that are due; return them but the confirmation."""
        if moment:
            self.travel_to(moment)
        steps = self.run_steps(self.subscription)
        return steps.filtered(lambda step: step.kind != "confirm")

    def get_sent(self, *transactions):
        """Return what providers gave back of these payments, captures included."""
        payments = self.env["payment.transaction"].union(*transactions)
        children = payments.child_transaction_ids
        done = (children | children.child_transaction_ids).filtered(
            lambda one: one.operation == "refund" and one.state == "done"
        )
        return -sum(done.mapped("amount"))

    def assert_steps(self, *expected):
        """The steps but the confirmation are these: kind, state, amount."""
        steps = self.subscription.cancellation_ids.sudo().step_ids
        found = [
            (step.kind, step.state, step.amount)
            for step in steps
            if step.kind != "confirm"
        ]
        self.assertCountEqual(found, expected)

    def assert_owes(self, expected):
        """So much is open on the customer's account."""
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertAlmostEqual(self.partner.credit, expected, 2)
