# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The guard in upstream's billing: what ends, waits or is paused is not billed."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...formatting import format_day


class SaleSubscription(models.Model):
    """Bill nothing beyond the end of service."""

    _inherit = "sale.subscription"

    has_next_invoice = fields.Boolean(
        compute="_compute_has_next_invoice",
        help="Whether there will be an invoice on the date of the next one.",
    )

    @api.depends(
        "recurring_next_date",
        "date",
        "stage_id",
        "is_paused",
        "paused_until",
        "cancellation_date",
        "cancellation_ids.state",
        "sale_subscription_line_ids.cancellation_date",
    )
    def _compute_has_next_invoice(self):
        for subscription in self:
            # sudo: whoever reads it need not be allowed to read pauses and charges.
            known = subscription.sudo()
            subscription.has_next_invoice = bool(
                known.recurring_next_date
                and known.template_id
                and not known._get_cannot_bill_reason()
            )

    def generate_invoice(self):
        """Bill the next period, unless service ends before it.

        Due cancellations come first, so that the order in which the scheduled
        actions run does not matter.

        :raise LockError: somebody else is changing this
        """
        self.ensure_one()
        # First, so that a conflict is one here and not after all the work.
        self.lock_for_update()
        self.cancellation_ids._execute_if_due()
        if self._get_cannot_bill_reason():
            return None
        return super(SaleSubscription, self._for_billing()).generate_invoice()

    def manual_invoice(self):
        self._begin_billing()
        return super(SaleSubscription, self._for_billing()).manual_invoice()

    def create_invoice(self):
        self._begin_billing()
        invoice = super(SaleSubscription, self._for_billing()).create_invoice()
        self._drop_ended_lines(invoice.invoice_line_ids)
        return invoice

    def create_sale_order(self):
        self._begin_billing()
        order = super(SaleSubscription, self._for_billing()).create_sale_order()
        self._drop_ended_lines(order.order_line)
        return order

    def _drop_ended_lines(self, document_lines):
        """Take off a new draft what ends before the period it bills."""
        start = self._get_next_billed_period().start
        document_lines.filtered(
            lambda line: (
                line.subscription_line_id
                and not line.subscription_line_id._is_billed_from(start)
            )
        ).unlink()

    def _begin_billing(self):
        """Be the only one at this, and raise where nothing more is billed.

        :raise LockError: somebody else is changing this
        :raise UserError: says why nothing more is billed
        """
        self.lock_for_update()
        reason = self._get_cannot_bill_reason()
        if reason:
            raise UserError(reason)

    def _get_cannot_bill_reason(self):
        """Return why the next period is not billed, or ``None``."""
        self.ensure_one()
        start = self._get_next_billed_period().start
        end = self.cancellation_date or self._get_contract_end()
        if self.cancellation_state == "cancelled":
            return self.env._(
                "Subscription %(name)s is cancelled; nothing more is invoiced.",
                name=self.display_name,
            )
        if end and start >= end:
            return self.env._(
                "Subscription %(name)s ends on %(date)s; there is nothing to invoice "
                "after that.",
                name=self.display_name,
                date=format_day(self.env, fields.Date.subtract(end, days=1)),
            )
        pending = self._get_pending_cancellation()
        if pending and start >= pending.effective_date:
            return self.env._(
                "Cancellation %(cancellation)s of subscription %(name)s waits for "
                "approval; nothing is invoiced from %(date)s on until it is decided.",
                cancellation=pending.name,
                name=self.display_name,
                date=format_day(self.env, pending.effective_date),
            )
        pause = self._get_running_pause()
        if pause and not (pause.date_to and start > pause.date_to):
            return self.env._(
                "Subscription %(name)s is paused; nothing is invoiced for the pause. "
                "Resume it first.",
                name=self.display_name,
            )
        lines = self.sale_subscription_line_ids
        if lines and not any(line._is_billed_from(start) for line in lines):
            return self.env._(
                "Every line of subscription %(name)s ends before %(date)s; there is "
                "nothing to invoice after that.",
                name=self.display_name,
                date=format_day(self.env, start),
            )
        return None
