# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models

from ...arithmetic.proration import to_units

#: Providers whose payment requests by token carry an idempotency key that is made of
#: the reference (``generate_idempotency_key`` in Odoo 19), so that sending one twice
#: charges once. None of them sends one with refunds.
REPEATABLE_PAYMENTS = ("adyen", "mercado_pago", "stripe", "worldline")
#: The demo provider moves no money outside of this database.
HARMLESS = ("demo",)


class PaymentTransaction(models.Model):
    """Know the cancellation step it was made for, and what can be refunded of it."""

    _inherit = "payment.transaction"

    cancellation_step_id = fields.Many2one(
        comodel_name="subscription.cancellation.step",
        string="Settlement Step",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    def _post_process(self):
        result = super()._post_process()
        # sudo: the outcome is recorded whoever triggers the post-processing.
        for step in self.sudo().cancellation_step_id:
            if step.transaction_id in self:
                step._as_engine()._take_over_outcome()
        self.sudo()._wake_waiting_steps()
        return result

    def _wake_waiting_steps(self):
        """Look again at what waits for an outcome of these, if they have one."""
        decided = self.filtered(
            lambda transaction: transaction.state in ("done", "cancel", "error")
        )
        invoices = (decided | decided.source_transaction_id).invoice_ids
        invoices._let_payments_come_before_pauses()
        invoices._wake_waiting_steps()
        decided.sale_order_ids.subscription_ids.cancellation_ids._wake_steps()

    def _get_refundable_units(self, wanted, reserved=0):
        """Return how much of ``wanted`` this can still give back, in currency units.

        Refunds that are not confirmed yet count as given back: better an accountant
        looks than the customer gets it twice.

        :param int reserved: units that others are going to give back
        """
        self.ensure_one()
        provider = self.provider_id
        method = self.payment_method_id.primary_payment_method_id
        method = method or self.payment_method_id
        support = {provider.support_refund, method.support_refund}
        if provider.state == "disabled" or "none" in support or False in support:
            return 0
        rounding = self.currency_id.rounding
        refunds = self.child_transaction_ids.filtered(
            lambda child: (
                child.operation == "refund" and child.state not in ("cancel", "error")
            )
        )
        refunded = sum(to_units(abs(child.amount), rounding) for child in refunds)
        refunded += reserved
        total = to_units(self.amount, rounding)
        if "full_only" in support:
            return total if wanted == total and not refunded else 0
        return max(min(wanted, total - refunded), 0)

    def _can_be_sent_again(self):
        """Return whether sending this a second time cannot move money twice.

        A hook for providers that recognise a request by its reference.
        """
        self.ensure_one()
        is_payment = self.operation != "refund"
        repeatable = REPEATABLE_PAYMENTS if is_payment else ()
        return self.provider_code in (*HARMLESS, *repeatable)

    def _get_method_name(self):
        """Return how the customer knows the payment method."""
        self.ensure_one()
        if self.token_id:
            return self.token_id._get_method_name()
        return self.payment_method_id.name or self.provider_id.name
