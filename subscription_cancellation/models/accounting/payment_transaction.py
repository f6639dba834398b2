# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Payment transactions: what is on its way, and what is left of it."""

from odoo import api, models
from odoo.fields import Domain

from ...const import LOST, STANDING


class PaymentTransaction(models.Model):
    """Know what is on its way, and what is left of it."""

    _inherit = "payment.transaction"

    @api.model
    def _get_on_way_domain(self):
        """Return the payments that were begun and have no outcome in the books yet.

        What the provider has confirmed may still have to be booked by Odoo. A promised
        bank transfer, which Odoo keeps pending for ever, is no payment.
        """
        unbooked = (
            Domain("state", "=", "done")
            & Domain("is_post_processed", "=", False)
            & Domain("payment_id", "=", False)
        )
        return (
            (Domain("state", "in", ("pending", "authorized")) | unbooked)
            & Domain("operation", "not in", ("refund", "validation"))
            & Domain("provider_code", "!=", "custom")
        )

    def _is_on_way(self):
        """Return whether this payment, or a capture of it, has no outcome yet."""
        self.ensure_one()
        return bool(self.filtered_domain(self._get_on_way_domain())) or any(
            # What was captured is booked for itself.
            child._is_on_way()
            for child in self.child_transaction_ids
        )

    def _filter_confirmed(self):
        """Return those of these, captures included, that have brought money."""
        return (self | self.child_transaction_ids).filtered(
            lambda transaction: (
                transaction.state == "done"
                and transaction.operation != "refund"
                and transaction.payment_id.state in STANDING
            )
        )

    def _get_unused_amount(self):
        """Return what this has brought that pays nothing yet, and did not go back.

        Of a payment without a journal entry nothing is known but its documents.
        """
        self.ensure_one()
        payment, refunds = self.payment_id, self._get_free_refunds()
        if not payment.move_id:
            unused = 0.0 if self.invoice_ids or payment.invoice_ids else self.amount
            return unused - abs(sum(refunds.mapped("amount")))
        booked = refunds.filtered("payment_id.move_id")
        items = (payment | booked.payment_id).move_id._get_receivable_items()
        unused = -sum(items.mapped("amount_residual_currency"))
        return unused - abs(sum((refunds - booked).mapped("amount")))

    def _get_free_refunds(self):
        """Return the refunds of these, sent or on their way, of no document."""
        return self.child_transaction_ids.filtered(
            lambda child: (
                child.operation == "refund"
                and not child.invoice_ids
                and child.state not in ("cancel", "error")
                and child.payment_id.state not in LOST
            )
        )

    def _filter_currency(self, currency):
        """Return those of these in one currency."""
        return self.filtered(lambda transaction: transaction.currency_id == currency)
