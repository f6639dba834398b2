# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Payments that are on their way when service ends: their outcome decides (C16).

The credit memo reduces its invoice at once, so that the books are right whatever comes.
Where the payment arrives, it comes first, and the credit is what is left; where it
fails, the invoice is what is left. Either is settled as the policy wants.
"""

from odoo import models

from ...formatting import format_day
from .settlement_part import SettlementPart
from .shared_plan import SharedPlan


class SubscriptionCancellation(models.Model):
    """Plan to wait, and what to do afterwards."""

    _inherit = "subscription.cancellation"

    def _plan_awaited(self, invoices):
        """Return a part per invoice that is just being paid.

        A payment may be of several invoices: of each it pays what is due.
        """
        return [
            SettlementPart(
                "await_payment",
                min(
                    sum(invoice._get_transactions_on_way().mapped("amount")),
                    invoice.amount_residual,
                ),
                invoice.currency_id,
                self.env._(
                    "A payment of invoice %s is on its way: what it leaves is settled "
                    "when it has arrived or failed",
                    invoice.name,
                ),
                source=invoice,
            )
            for invoice in invoices
        ]

    def _plan_awaited_order(self):
        """Return the part about a payment of the order, which nobody has invoiced."""
        # sudo: the number of the order, and what is paid of it, only.
        order = self.subscription_id.sudo().sale_order_id
        payments = order._get_payments_to_invoice()
        if not payments:
            return []
        text = self.env._(
            "A payment of order %s is on its way: somebody is told when it has arrived",
            order.name,
        )
        amount = sum(payments.mapped("amount"))
        return [SettlementPart("await_payment", amount, order.currency_id, text)]

    def _settle_payments(self, invoice, is_over):
        """Make the steps about what payments of an invoice have left.

        :param bool is_over: no more payment is on its way
        """
        refundable = self._get_unplanned_credits(invoice)
        if not (refundable or is_over):
            return
        shared = SharedPlan(invoice)
        paid = self._match_credits(refundable, [], shared)
        parts = self._plan_application(paid, shared)
        if is_over:
            parts += self._plan_left_due(invoice, paid)
        parts += self._plan_refundable(refundable, shared)
        self.env["subscription.cancellation.step"].create(
            [self._prepare_step(part) for part in parts]
        )

    def _get_unplanned_credits(self, invoice):
        """Return what is left of the credit memo of an invoice and no step is about."""
        open_kinds = {step.kind for step in self.step_ids if step._is_open()}
        if open_kinds & {"reduce", "apply_credits"}:
            # They look at what they leave themselves.
            return {}
        memo = self._get_credit_note_of(invoice)
        steps = self.step_ids.filtered(lambda step: step._is_about(memo))
        left = steps._follow_promises(memo) if memo.state == "posted" else 0.0
        return {invoice: left} if left > 0 else {}

    def _plan_left_due(self, invoice, paid):
        """Return the parts about what payments have left due on an invoice.

        :param dict paid: what credits will pay, by invoice
        """
        kinds = ("collect", "write_off", "keep")
        standing = self.subscription_id.cancellation_ids.filtered(
            lambda cancellation: not cancellation.reactivated_date
        )
        steps = standing.step_ids
        if any(step.kind in kinds and step.source_move_id == invoice for step in steps):
            return []
        if not self.stage_before_id:
            # The subscription goes on, and looks after its invoices.
            return []
        memo = self._get_credit_note_of(invoice)
        reduced = memo.amount_total if memo.state == "draft" else 0.0
        return self._plan_unpaid(invoice, {invoice: reduced}, paid)

    def _tell_expected_await_payment(self, part):
        return self._get_on_way_text(part.source)

    def _get_on_way_text(self, invoice):
        """Return for the customer that an invoice, or the order, is being paid."""
        if not invoice:
            return self.env._("Your payment of the order is on its way")
        return self.env._("Invoice %s: a payment is on its way", invoice.name)


class SubscriptionCancellationStep(models.Model):
    """Wait for payments, however long they take."""

    _inherit = "subscription.cancellation.step"

    def _do_await_payment(self):
        """Settle what payments leave, each when it has arrived or failed."""
        cancellation, invoice = self.cancellation_id, self.source_move_id
        if not invoice:
            self._await_order()
            return
        # Two cancellations may wait for one invoice.
        invoice.lock_for_update()
        memo = cancellation._get_credit_note_of(invoice)
        invoice._let_payments_come_first(memo)
        if memo:
            cancellation.step_ids._filter_reductions(memo)._follow_reduction(memo)
        on_way = invoice._get_transactions_on_way()
        if cancellation.reactivated_date:
            memo._match_take_backs()
        else:
            cancellation._settle_payments(invoice, is_over=not on_way)
        if on_way:
            self._wait_for_transactions(invoice, on_way)
        else:
            self._finish_awaiting()

    def _wait_for_transactions(self, document, transactions):
        """Wait for what pays an invoice or an order."""
        self._wait(
            self.env._(
                "Waits for the payment of %(document)s by %(provider)s "
                "(%(reference)s).",
                document=document.name,
                provider=", ".join(transactions.provider_id.mapped("name")),
                reference=", ".join(transactions.mapped("reference")),
            )
        )

    def _await_order(self):
        """Wait for a payment of an order that nobody has invoiced; tell of it."""
        order = self.cancellation_id.subscription_id.sale_order_id
        on_way = order.transaction_ids.filtered(lambda one: one._is_on_way())
        if on_way:
            self._wait_for_transactions(order, on_way)
            return
        arrived = self._filter_arrived(order.transaction_ids)
        if not arrived:
            text = self.env._("The payment of order %s has failed.", order.name)
            self._skip(text, amount=0.0)
            return
        amount = sum(arrived.mapped("amount"))
        text = self.env._(
            "%(amount)s of order %(order)s were paid after service had ended on "
            "%(date)s: invoice what was served, and refund the rest.",
            amount=self.currency_id.format(amount),
            order=order.name,
            date=format_day(self.env, self.cancellation_id.last_service_date),
        )
        self._set_done(text, amount=amount, payment_id=arrived.payment_id[-1:].id)
        self._notify(text, order)

    def _filter_arrived(self, transactions):
        """Return those of these that have brought money since this step waits."""
        return transactions._filter_confirmed().filtered(
            lambda transaction: transaction.last_state_change >= self.create_date
        )

    def _finish_awaiting(self):
        """Say what came of the payments; tell of what nobody billed."""
        invoice = self.source_move_id
        arrived = self._filter_arrived(invoice.transaction_ids)
        if not arrived:
            self._skip(
                self.env._("The payment of invoice %s has failed.", invoice.name),
                amount=0.0,
            )
            return
        self._set_done(
            self.env._(
                "The payment of invoice %(invoice)s has arrived (%(reference)s).",
                invoice=invoice.name,
                reference=", ".join(arrived.mapped("reference")),
            ),
            amount=min(sum(arrived.mapped("amount")), self.amount),
            payment_id=arrived.payment_id[-1:].id,
        )
        self._tell_of_excess(arrived)

    def _tell_of_excess(self, transactions):
        """Ask somebody to look at what was paid beyond the invoice."""
        items = self.source_move_id._get_excess_items(transactions)
        memos = self.source_move_id._search_credit_memos()
        # Another cancellation has still to look at what its credit memo has reduced.
        reduced = sum(
            memo._get_amount_matched_with(self.source_move_id) for memo in memos
        )
        excess = -sum(items.mapped("amount_residual_currency")) - reduced
        if self.currency_id.compare_amounts(excess, 0.0) > 0:
            self._notify(
                self.env._(
                    "%(amount)s were paid beyond what invoice %(invoice)s bills "
                    "(%(payment)s): refund them, or match them with another invoice.",
                    amount=self.currency_id.format(excess),
                    invoice=self.source_move_id.name,
                    payment=", ".join(items.move_id.mapped("name")),
                ),
                self.source_move_id,
            )

    def _tell_await_payment(self):
        invoice = self.source_move_id
        if self.state == "pending":
            return self.cancellation_id._get_on_way_text(invoice)
        if self.state == "skipped":
            return None
        if not invoice:
            return self.env._("Your payment of the order has arrived")
        return self.env._("Invoice %s: your payment has arrived", invoice.name)
