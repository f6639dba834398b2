# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tell on an order what its subscriptions make of it, and it of them."""

from odoo import api, fields, models

from ...arithmetic.proration import from_units
from ...ledger.loose_credits import LooseCredits


class SaleOrder(models.Model):
    _inherit = "sale.order"

    subscription_warning = fields.Text(
        compute="_compute_subscription_warning",
        # What is told is about this order's own lines.
        compute_sudo=True,
    )

    @api.depends(
        "order_line.product_uom_qty",
        "order_line.qty_to_invoice",
        "order_line.invoice_lines.parent_state",
        "order_line.subscription_line_id",
        "subscription_ids.stage_id",
        "state",
    )
    def _compute_subscription_warning(self):
        debits = self.env["account.move.line"]._search_debits(
            self.order_line.subscription_line_id
        )
        loose = LooseCredits(debits)
        memos = debits._search_credits(debits).filtered(
            lambda item: item.move_id._get_credit_source()
        )
        for order in self:
            warnings = [
                *order._describe_running(),
                *order._describe_excess(loose),
                *order._describe_lowered(memos),
            ]
            order.subscription_warning = "\n".join(warnings)

    def _describe_running(self):
        """Return in words what goes on although this order is cancelled."""
        running = self._get_running_subscriptions()
        return [
            self.env._(
                "The order is cancelled, but subscription %(name)s still runs and is "
                "billed. Deactivate it, or confirm the order again.",
                name=subscription.display_name,
            )
            for subscription in running
            if self.state == "cancel"
        ]

    def _describe_excess(self, loose):
        """Return in words what invoices of this order have credited too much."""
        return [
            self.env._(
                "%(document)s credits %(amount)s more of “%(line)s” than is left of "
                "it: its days were credited before. Cancel it, or correct its amount.",
                document=item.move_id.display_name,
                amount=item.currency_id.format(
                    from_units(units, item.currency_id.rounding)
                ),
                line=item.subscription_line_id.name,
            )
            for item, units in loose.excess.items()
            if item.sale_line_ids.order_id & self
        ]

    def _describe_lowered(self, memos):
        """Return in words what the next invoice of this order would credit again.

        Of what has ended it credits served days only.

        :param memos: credit memo lines of cancellations and pauses
        """
        by_line = memos.grouped("subscription_line_id")
        return [
            self.env._(
                "The quantity of “%(line)s” is lower than what is invoiced, and "
                "%(memo)s has credited days of it: invoicing the order would credit "
                "them again. Set the quantity back to %(quantity)s.",
                line=line.name,
                memo=by_line[line.subscription_line_id].move_id[:1].display_name,
                quantity=line.qty_invoiced,
            )
            for line in self.order_line
            if line.qty_to_invoice < 0
            and line.subscription_line_id in by_line
            and not line.subscription_end_date
        ]
