# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models

from ..accounting.order_discount import Beside, share_discounts
from ..common.actions import show_records


class SaleOrder(models.Model):
    _inherit = "sale.order"

    order_subscription_id = fields.Many2one(index="btree_not_null")
    subscription_end_note = fields.Text(
        compute="_compute_subscription_end_note",
        help="What is still invoiced of subscriptions that have ended.",
    )

    @api.depends("order_line.subscription_end_date", "order_line.qty_to_invoice")
    def _compute_subscription_end_note(self):
        for order in self:
            # sudo: names and dates of what the order has sold.
            ended = order.sudo().order_line.filtered("subscription_end_date")
            by_end = ended.grouped(lambda line: line._get_end_of_service())
            order.subscription_end_note = "\n".join(
                lines._describe_end() for lines in by_end.values()
            )

    def action_view_subscriptions(self):
        action = super().action_view_subscriptions()
        return show_records(action, self.subscription_ids)

    def _log_end_of_subscriptions(self):
        """Say in the history of these what is still invoiced of what has ended."""
        self._message_log_batch({one.id: one.subscription_end_note for one in self})

    def create_subscription(self, lines, subscription_tmpl):
        # Upstream starts a second subscription when it confirms the order by which
        # it bills the first one (invoicing mode "Sale order & Invoice").
        if self.order_subscription_id:
            return None
        # It makes it in the company that is active, whoever signs or confirms.
        order = self.with_company(self.company_id)
        order_lines = order.order_line.browse().union(*lines)
        running = order._get_running_subscriptions().filtered(
            lambda subscription: (
                subscription.template_id == subscription_tmpl
                or subscription._get_all_lines().order_line_id & order_lines
            )
        )
        if running:
            # Cancelled and confirmed again: upstream would start a second one.
            return running[:1]._follow_order(order_lines)
        if not order.pricelist_id:
            # Upstream takes any; a new database has none.
            order.company_id._get_subscription_pricelist()
        known = order.subscription_ids
        result = super(SaleOrder, order).create_subscription(lines, subscription_tmpl)
        new = order.subscription_ids - known
        # sudo: as stored fields are computed. Else whoever reads them first decides
        # of which company they are.
        new.sudo().sale_subscription_line_ids._compute_tax_ids()
        if known and order_lines._is_invoiced_in_full():
            # The order has billed a subscription that has ended, not this one.
            for subscription in new:
                subscription.recurring_next_date = subscription._get_first_paid_day()
        else:
            new._bill_first_period_on_order()
        return result

    def _get_running_subscriptions(self):
        """Return the subscriptions of these that have not ended."""
        # sudo: whoever confirms an order need not be allowed to read them.
        return (
            self.sudo()
            .subscription_ids.filtered(
                lambda subscription: subscription.stage_id.type != "post"
            )
            .sudo(self.env.su)
        )

    def action_cancel_with_subscriptions(self):
        """Cancel this order, and ask before where a subscription of it runs (button).

        Not ``action_cancel``: programs call that and expect no dialog.
        """
        self.ensure_one()
        if not self._get_running_subscriptions():
            return self.action_cancel()
        dialog = self.env["subscription.cancellation.order"].create(
            {"order_id": self.id}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel Order"),
            "res_model": dialog._name,
            "res_id": dialog.id,
            "view_mode": "form",
            "target": "new",
        }

    def _get_payments_to_invoice(self):
        """Return the payments of these orders that are on their way to no invoice.

        Once an order is invoiced, Odoo links its payments to the invoice; charges of
        single days are paid by what has arrived.
        """
        on_way = self.transaction_ids.filtered(
            lambda transaction: transaction._is_on_way() and not transaction.invoice_ids
        )
        if not on_way:
            return on_way
        is_invoiced = any(not move._get_credit_source() for move in self.invoice_ids)
        return on_way.browse() if is_invoiced else on_way

    def _waits_for_payment(self):
        """Return whether payments are on their way, and none has arrived before."""
        on_way = self._get_payments_to_invoice()
        return bool(on_way) and not self._get_amount_paid_ahead()

    def _has_open_down_payments(self):
        """Return whether down payments of these are there that no invoice deducts.

        The invoice of the order takes them, and nothing else can; one that is
        cancelled makes none.
        """
        return bool(
            self.order_line.filtered(
                lambda line: (
                    line.is_downpayment and line.qty_invoiced and line.state == "sale"
                )
            )
        )

    # === PAID AHEAD === #

    def _get_payments_ahead(self):
        """Return the confirmed payments of these, latest first.

        Those in another currency than that of the order pay nothing by themselves.
        """
        confirmed = self.transaction_ids._filter_confirmed()
        return confirmed._filter_currency(self.currency_id[:1]).sorted(
            "id", reverse=True
        )

    def _get_amount_paid_ahead(self):
        """Return what was paid for this order and pays no invoice yet."""
        self.ensure_one()
        amounts = [one._get_unused_amount() for one in self._get_payments_ahead()]
        return max(self.currency_id.round(sum(amounts)), 0.0)

    def _get_amount_needed(self, without):
        """Return what this order has still to invoice, with tax.

        Drafts are not invoiced, and what is not delivered is needed all the same. What
        gift cards pay is not.

        :param without: ``sale.order.line`` that do not count, nor discounts of them
        """
        lines = self.order_line._get_products_of_order() - without
        return self._sum_shares(
            {
                line: line._get_share_not_posted()
                for line in lines
                if not (line._is_discount() or line._is_gift())
            }
        )

    def _get_beside(self, own):
        """Return what will be on an invoice beside some lines that sold a period.

        Discounts of them; and what is deducted, in proportion: down payments, and what
        a gift card or an e-wallet has paid.

        :param own: ``sale.order.line``
        :return: :class:`Beside`
        """
        self.ensure_one()
        none = self.env["account.move"]
        discounts = {line: line._get_discounts(none) for line in own}
        given = own.browse().union(
            *(line for taken in discounts.values() for line in taken)
        )
        whole = {line: line._as_priced().units for line in given}
        others = [
            *share_discounts(discounts, whole),
            *self._get_deducted(own, discounts),
        ]
        return Beside(self.payment_term_id, others, discounts)

    def _get_deducted(self, own, discounts):
        """Yield what an invoice deducts of some lines: lines, and values of theirs."""
        lines = self.order_line.filtered(lambda line: not line.display_type)
        gifts = lines.filtered(lambda line: line._is_gift())
        down_payments = lines.filtered(lambda line: line.is_downpayment)
        sold = lines - gifts - down_payments
        whole = sum(line._as_priced().units for line in sold)
        units = sum(
            line._as_priced().units + sum(discounts[line].values()) for line in own
        )
        share = units / whole if whole else 0.0
        for line in gifts | down_payments.filtered("qty_to_invoice"):
            values = {"price_unit": line.price_unit * share}
            if line in down_payments:
                values["quantity"] = line.qty_to_invoice
            yield line, values

    def _sum_shares(self, shares):
        """Return what shares of order lines cost with tax, less discounts of them.

        :param dict shares: from 0 to 1, by ``sale.order.line``
        """
        self.ensure_one()
        amount = sum(line.price_total * share for line, share in shares.items())
        discounts = self.order_line._get_products_of_order().filtered(
            lambda line: line._is_discount()
        )
        for discount in discounts:
            spread = discount._spread_on_order()
            part = sum(units * shares.get(line, 0.0) for line, units in spread.items())
            if part:
                amount += discount.price_total * part / sum(spread.values())
        return self.currency_id.round(max(amount, 0.0))

    def _is_paid_in_full(self):
        """Return whether payments ahead cover all that is still to be invoiced."""
        needed = self._get_amount_needed(self.order_line.browse())
        paid = self._get_amount_paid_ahead()
        return paid > 0 and self.currency_id.compare_amounts(paid, needed) >= 0

    def _pay_ahead(self, invoice):
        """Let what was paid for these pay a posted invoice, as Odoo's own are paid."""
        transactions = self._get_payments_ahead().filtered(
            lambda transaction: transaction._get_unused_amount() > 0
        )
        if not transactions or not invoice:
            return
        invoice.transaction_ids |= transactions
        payments = transactions.payment_id
        payments.filtered(lambda payment: not payment.move_id).invoice_ids |= invoice
        (invoice | payments.move_id)._reconcile_receivables()
