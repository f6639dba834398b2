# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Orders that were paid and are not invoiced: what is left goes back (C4, C5, C9).

There is no invoice, so there is no credit memo: the served days are invoiced as all
unbilled charges, the payment pays them, and what it leaves is given back, or kept.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

from ...arithmetic.proration import from_units, to_units
from ..accounting.invoice_lines import InvoiceLines
from .orders_ahead import OrdersAhead
from .settlement_part import SettlementPart


class SubscriptionCancellation(models.Model):
    """Plan what becomes of money that no invoice takes."""

    _inherit = "subscription.cancellation"

    paid_ahead = fields.Monetary(
        readonly=True,
        help="What was paid for sales orders and is not invoiced any more.",
    )

    @api.depends("paid_ahead")
    def _compute_amounts(self):
        result = super()._compute_amounts()
        for cancellation in self:
            cancellation.refundable += cancellation.paid_ahead
        return result

    def _plan_paid_ahead(self, unbilled, ahead, shared):
        """Return the parts about what payments of orders leave.

        :param list unbilled: the parts about unbilled charges
        :param OrdersAhead ahead: of those that are executed together
        :param SharedPlan shared: with cancellations that are executed together
        """
        parts = []
        # Without a query where there is none.
        orders = ahead.paid and ahead.get_sold(self).order_id
        if orders and not self.id and not self._is_due_on_request():
            # What they sold will be invoiced, and that is told as to come.
            orders = orders.filtered(lambda order: order.state != "sale")
        for order in orders:
            surplus = ahead.take_surplus(self, order, unbilled)
            if surplus and self._leaves_something(order, unbilled, ahead):
                parts += self._plan_surplus(order, surplus, shared)
        return parts

    def _leaves_something(self, order, unbilled, ahead):
        """Return whether not all that ends was invoiced before: else it is no surplus.

        A payment beyond what the order costs is none of ours.
        """
        return any(part.order and order in part.order for part in unbilled) or any(
            # Paused days of it are not invoiced.
            line._get_share_not_posted() > 0 or line._get_first_paused_day()
            for line in ahead.get_sold(self) & order.order_line
        )

    def _plan_surplus(self, order, amount, shared):
        """Return the parts about one order: refunds of its payments, or a credit."""
        if self.credit_settlement == "refund" and self.refund_mode != "none":
            return self._plan_order_refunds(order, amount, shared)
        text = self.env._(
            "Kept as credit on the customer's account: paid for order %s, and not "
            "invoiced",
            order.name,
        )
        return [
            SettlementPart("keep", amount, order.currency_id, text, "done", order=order)
        ]

    def _plan_order_refunds(self, order, amount, shared):
        """Return a part per payment that can give ``amount`` back, and the rest."""
        rounding = order.currency_id.rounding
        left, parts = to_units(amount, rounding), []
        for transaction in order._get_payments_ahead():
            unused = to_units(max(transaction._get_unused_amount(), 0.0), rounding)
            units = transaction._get_refundable_units(
                min(left, unused), shared.reserved[transaction]
            )
            if units > 0:
                left -= units
                shared.reserve(transaction, units)
                amount = from_units(units, rounding)
                parts.append(self._plan_order_refund(order, amount, transaction))
        if left:
            amount = from_units(left, rounding)
            parts.append(self._plan_order_refund(order, amount))
        return parts

    def _plan_order_refund(self, order, amount, transaction=None):
        """Return the part about what one payment of an order, or nobody, gives back.

        :param transaction: ``payment.transaction``; absent: somebody has to pay it
        """
        values = {"order": order.name}
        text = self.env._(
            "To be refunded by hand: paid for order %(order)s, and not invoiced",
            **values,
        )
        if transaction:
            text = self.env._(
                "Will be refunded to %(method)s: paid for order %(order)s, and not "
                "invoiced",
                method=transaction._get_method_name(),
                **values,
            )
        return SettlementPart(
            "refund",
            amount,
            order.currency_id,
            text,
            transaction=transaction,
            order=order,
        )

    def _get_paid_ahead(self, parts):
        """Return what the parts of a settlement say of payments of orders."""
        own = [part for part in parts if part.paid_order]
        return sum(
            part.currency._convert(
                part.amount, self.currency_id, self.company_id, self.effective_date
            )
            for part in own
        )

    def _settle_orders(self, parts_by_cancellation):
        """Let orders offer what was served, and remember what payments leave.

        :param dict parts_by_cancellation: lists of ``SettlementPart``
        """
        self._end_order_lines()
        for cancellation, parts in parts_by_cancellation.items():
            amount = cancellation._get_paid_ahead(parts)
            if amount:
                cancellation.paid_ahead = amount
            cancellation._ask_for_invoices(parts)

    def _is_draft_left_to_order(self, draft):
        """Return whether a draft deducts more than there is to invoice of it.

        An invoice cannot be negative; *Create Invoice* on its order can give back.

        :param UnbilledDraft draft: one of this cancellation
        """
        deducted = InvoiceLines(draft.move._get_product_lines()).down_payments
        return bool(
            deducted.sale_line_ids
            and self._is_own_draft(draft)
            and self._get_served_total(draft) < 0
        )

    def _plan_left_draft(self, draft):
        """Return the step about a draft that goes back to its order."""
        order = draft.items.sale_line_ids.order_id[:1]
        served = draft.served
        text = self.env._(
            "To be invoiced with order %(order)s, which deducts its down payment: "
            "%(days)s",
            order=order.name,
            days=self._describe_days([one.period for one in served]),
        )
        discounts = InvoiceLines(
            draft.move._get_product_lines()
        ).get_parts_of_discounts(
            {
                one.item: (one.period.days, one.item._get_service_period().days)
                for one in served
            }
        )
        total = self.subscription_id._get_invoice_total(
            [*((one.item, one.share) for one in served), *discounts.items()],
            draft.move.invoice_payment_term_id,
        )
        return SettlementPart(
            "unbilled",
            total,
            draft.move.currency_id,
            text,
            "skipped",
            draft=draft.move,
            first_day=min(draft.items.mapped("start_date")),
            order=order,
        )

    def _ask_for_invoices(self, parts):
        """Ask somebody to invoice orders that deduct a down payment.

        Nothing else gives back what it was too much.

        :param list parts: of ``SettlementPart``
        """
        for part in parts:
            order = part.kind == "unbilled" and part.order
            if order and order._has_open_down_payments():
                self._notify_responsible(
                    self.env._("Invoice order %s", order.name),
                    self.env._(
                        "%(text)s. Choose Create Invoice on order %(order)s: it "
                        "invoices what is left, and gives back what is left of the "
                        "down payment.",
                        text=part.text,
                        order=order.name,
                    ),
                )

    def _complete_plan(self):
        result = super()._complete_plan()
        if self._is_due_on_request() and OrdersAhead(self).paid:
            self.paid_ahead = self._get_paid_ahead(self._preview_settlement())
        return result

    def _get_paid_ahead_sentences(self):
        """Return how much of what was paid for orders is left."""
        if not self.paid_ahead:
            return []
        return [
            self.env._(
                "%s were paid for an order and are not invoiced any more.",
                self.currency_id.format(self.paid_ahead),
            )
        ]

    def _get_paid_ahead_warnings(self):
        """Return that an order is paid and not invoiced, where service ends later."""
        if self._is_due_on_request() or self.refund_mode == "none":
            return []
        ahead = OrdersAhead(self)
        return [
            self.env._(
                "%(amount)s were paid for order %(order)s and are not invoiced yet. "
                "What is not invoiced until service ends is settled then.",
                amount=order.currency_id.format(ahead.paid[order]),
                order=order.name,
            )
            for order in ahead.get_sold(self).order_id
        ]

    # === WHAT ORDERS STILL OFFER === #

    def _end_order_lines(self):
        """Let orders invoice what was served only, and nothing of what was dropped."""
        sold = self.env["sale.order.line"]._search_sold(
            self.line_ids.subscription_line_id
        )
        days = {}
        for cancellation in self:
            lines = cancellation.line_ids.subscription_line_id
            for order_line in sold:
                if order_line.subscription_line_id in lines:
                    days[order_line] = cancellation._get_end_of_offer(order_line)
        sold.filtered(days.get)._set_end(days)

    def _get_end_of_offer(self, order_line):
        """Return the first day that an order does not invoice any more, or ``None``.

        What is invoiced of a period that was served to its end is left alone.
        """
        is_over = order_line.subscription_period_end < self.effective_date
        if is_over and order_line.invoice_status == "invoiced":
            return None
        is_given_up = self.refund_mode == "full" and not is_over
        if self.unbilled_charges == "drop" or is_given_up:
            return order_line.subscription_period_start
        return self.effective_date


class SubscriptionCancellationStep(models.Model):
    """Give back what was paid for an order."""

    _inherit = "subscription.cancellation.step"

    sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The order whose payments are given back, or kept.",
    )

    @api.model
    def _sum_settled(self, orders):
        """Return what steps have kept of these orders, or are still to give back.

        What is on its way back is not there any more.

        :param orders: of ``sale.order``
        :return: dict of floats by order
        """
        amounts = defaultdict(float)
        if not orders:
            return amounts
        steps = self.search(
            Domain("sale_order_id", "in", [order.id for order in orders])
            & Domain("cancellation_id.reactivated_date", "=", False)
        )
        for step in steps:
            is_kept = step.kind == "keep" and step.state == "done"
            if is_kept or (step._is_open() and not step._is_on_way()):
                amounts[step.sale_order_id] += step.amount
        return amounts

    @api.model
    def _search_promised(self, orders):
        """Return the orders of which steps are still to give something back."""
        if not orders:
            return orders
        open_steps = self.search(
            Domain("sale_order_id", "in", orders.ids)
            & Domain("kind", "=", "refund")
            & Domain("state", "in", ("pending", "failed"))
        )
        return open_steps.sale_order_id

    def _get_money_left(self):
        """Return what there is to give back of the order's payments, or of one."""
        order, source = self.sale_order_id, self.source_transaction_id
        payments = source or order._get_payments_ahead()
        unused = sum(payment._get_unused_amount() for payment in payments)
        return max(self.currency_id.round(min(self.amount, unused)), 0.0)

    def _do_refund(self):
        """Give back what was paid for an order, as far as it is still there."""
        if not self.sale_order_id:
            return super()._do_refund()
        if self.transaction_id and not self._may_begin_anew():
            return self._resume()
        if self._give_up_undone():
            return None
        # Nobody shall refund, or match, the payment in the same moment.
        (self.source_transaction_id or self.sale_order_id).lock_for_update()
        left = self._get_money_left()
        if not left:
            self._finish_without_money()
        elif not self.source_transaction_id:
            self._wait_for_money_back(left)
        else:
            return self._create_refund(left)
        return None

    def _finish_without_money(self):
        """Say that somebody has given back, or used, what was to go back."""
        order = self.sale_order_id
        payments = order._get_payments_ahead().payment_id._get_paid_back_by()
        if payments:
            text = self.env._(
                "Paid back by %s.", ", ".join(payments.mapped("display_name"))
            )
            self._set_done(text, payment_id=payments[-1:].id)
            return
        text = self.env._(
            "Nothing is left of what was paid for order %s: it pays something else.",
            order.name,
        )
        self._skip(text, amount=0.0)

    def _wait_for_money_back(self, left):
        """Ask for the payment that an accountant has to make."""
        self._wait(
            self.env._(
                "%(amount)s of what was paid for order %(order)s cannot be refunded "
                "through a payment provider. Pay it back, and match that with the "
                "payment of the order.",
                amount=self.currency_id.format(left),
                order=self.sale_order_id.name,
            ),
            until_person=True,
        )

    def _take_over_outcome(self):
        result = super()._take_over_outcome()
        if self.sale_order_id and self.state == "done":
            self._match_money_back()
        return result

    def _match_money_back(self):
        """Match what went back with the payment that it is of."""
        payments = self.payment_id | self.source_transaction_id.payment_id
        payments.move_id._reconcile_receivables()

    # === GIVEN BACK IN VAIN === #

    @api.model
    def _search_given_back(self, payments):
        own = self.search(
            Domain("payment_id", "in", payments.ids)
            & Domain("sale_order_id", "!=", False)
            & Domain("kind", "=", "refund")
            & Domain("state", "=", "done")
        )
        return super()._search_given_back(payments) | own

    def _take_back_refunds(self):
        own = self.filtered("sale_order_id")
        for step in own:
            step._split_off(step.amount)
            text = self.env._(
                "Payment %(payment)s was cancelled: what was paid for order %(order)s "
                "is to be paid back anew.",
                payment=step.payment_id.display_name,
                order=step.sale_order_id.name,
            )
            step._skip(text, amount=0.0)
        own.cancellation_id._trigger_steps()
        return super(SubscriptionCancellationStep, self - own)._take_back_refunds()

    # === OUTPUT === #

    def _tell_keep(self):
        if self.sale_order_id:
            return self.env._("Kept as credit on your account")
        return super()._tell_keep()

    def _get_company_amount(self):
        rate = self.sale_order_id.currency_rate
        if not rate:
            return super()._get_company_amount()
        return self.company_id.currency_id.round(self.amount / rate)

    def _as_dict(self):
        values = super()._as_dict()
        if self.sale_order_id and not values["document"]:
            values["document"] = self.sale_order_id.name
        return values

    def action_register_payment(self):
        """Open a new payment to the customer, where an order is paid back (button)."""
        order = self.sale_order_id
        if not order:
            return super().action_register_payment()
        self._check_may_settle()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.payment",
            "view_mode": "form",
            "context": {
                "default_payment_type": "outbound",
                "default_partner_type": "customer",
                "default_partner_id": order.partner_invoice_id.id,
                "default_amount": self.amount,
                "default_currency_id": self.currency_id.id,
                "default_memo": order.name,
            },
        }
