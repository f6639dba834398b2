# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The credit memo of an invoice: what is on it."""

from odoo import models

from ...formatting import in_language_of


class AccountMove(models.Model):
    """Prepare the credit memo of an invoice."""

    _inherit = "account.move"

    def _prepare_subscription_credit(self, source, lines):
        """Return the values of a credit memo for this invoice.

        :param source: ``subscription.cancellation``, or the pause that credits days
        :param lines: ``subscription.cancellation.line``, possibly virtual
        """
        self.ensure_one()
        subscription = source.subscription_id
        today = subscription._today()
        return {
            "move_type": "out_refund",
            **source._prepare_link(),
            "subscription_id": subscription.id,
            "reversed_entry_id": self.id,
            "company_id": self.company_id.id,
            "journal_id": self.journal_id.id,
            "partner_id": self.partner_id.id,
            "partner_shipping_id": self.partner_shipping_id.id,
            "fiscal_position_id": self.fiscal_position_id.id,
            "currency_id": self.currency_id.id,
            "invoice_currency_rate": self.invoice_currency_rate,
            "invoice_date": today,
            "date": self._get_first_open_day(today),
            "invoice_payment_term_id": False,
            "invoice_origin": subscription.name,
            **self._prepare_sale(),
            "ref": in_language_of(self.env, self.partner_id)._(
                "Credit for %(invoice)s (%(name)s)",
                invoice=self.name,
                name=source.name,
            ),
            "line_ids": [
                *lines._prepare_credit_memo_lines(),
                *lines._prepare_added_items(),
            ],
        }
