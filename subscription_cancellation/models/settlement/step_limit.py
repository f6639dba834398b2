# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Before money leaves it is read again, under lock, how much may.

Between the plan and the last attempt, days later, a payment may have been charged back
by the bank, or refunded by hand.
"""

from odoo import api, models

from .settlement_part import SettlementPart
from .shared_plan import SharedPlan


class SubscriptionCancellation(models.Model):
    """Plan what was refunded by hand, and what is due again."""

    _inherit = "subscription.cancellation"

    def _plan_refunded_by_hand(self, invoice, amount):
        """Return the part about what somebody has refunded without a credit memo."""
        refunds = invoice._get_refunds_by_hand()
        text = self.env._(
            "Was refunded by hand already (%s)",
            ", ".join(one.payment_id.name or one.reference for one in refunds),
        )
        return SettlementPart(
            "refund",
            amount,
            invoice.currency_id,
            text,
            credited=invoice,
            payment=refunds.payment_id[:1],
        )

    def _get_unmatched_back_warnings(self):
        """Return that a refund will wait for what somebody has matched with nothing."""
        if self.credit_settlement != "refund" or not self.refundable > 0:
            return []
        # sudo: who cancels need not be allowed to read invoices and journal items.
        invoices = self.env["account.move"].union(
            *self.sudo().line_ids._get_lines_to_credit()
        )
        items = invoices._get_unmatched_back()
        if not items:
            return []
        return [
            self.env._(
                "%(customer)s got money that is matched with nothing: %(payments)s. "
                "Until somebody has matched it with the credit memo, or with what it "
                "belongs to, nothing is refunded.",
                customer=items._get_customer()[:1].display_name,
                payments=items._describe_open(),
            )
        ]

    def _create_reduction(self, memo):
        """Make the step that reduces an invoice, which is due again, if none will."""
        if any(
            step.kind == "reduce" and step.source_move_id == memo and step._is_open()
            for step in self.step_ids
        ):
            return
        part = SettlementPart(
            "reduce",
            memo._get_open_credit(),
            memo.currency_id,
            self.env._("Will reduce invoice %s", memo.reversed_entry_id.name),
            credited=memo.reversed_entry_id,
        )
        self.env["subscription.cancellation.step"].create(self._prepare_step(part))
        self._trigger_steps()


class SubscriptionCancellationStep(models.Model):
    """Look again at the invoice before giving money back."""

    _inherit = "subscription.cancellation.step"

    def _cut_to_limit(self):
        """Cut what is planned to what may leave now, read under lock.

        What was refunded by hand is matched with the credit memo; the rest is kept.

        :return: whether nothing is to be sent now: it waits, or was given back
        """
        invoice = self.source_move_id.reversed_entry_id
        # Nobody shall cancel the payment, or refund it by hand, in the same moment.
        (invoice | self.source_move_id).lock_for_update()
        self.source_transaction_id.lock_for_update()
        if self.payment_id and not self._match_by_hand():
            self.payment_id = False
        if self._wait_for_refund_by_hand():
            return True
        cut = self._get_cut()
        if not cut:
            return False
        if self._wait_for_unclear_payment():
            return True
        self._match_by_hand()
        given_back = min(cut, self._get_paid_back_otherwise())
        if given_back > 0 and given_back >= self.amount:
            self._tell_paid_back(given_back)
            return True
        if given_back > 0:
            self._split_off(given_back)._tell_paid_back(given_back)
        self.amount = self.currency_id.round(self.amount - cut)
        self.cancellation_id._balance_credits()
        return False

    def _get_cut(self):
        """Return how much less than planned may leave of the invoice now."""
        invoice = self.source_move_id.reversed_entry_id
        planned = self._get_planned_refund()
        shared = SharedPlan(invoice, asking_step=self)
        return self.currency_id.round(planned - shared.take_limit(invoice, planned))

    def _filter_before(self, step):
        """Return those of these that come before a step, or are of others.

        What goes back through a provider comes before what somebody has to pay.
        """
        return self.filtered(
            lambda other: (
                other.cancellation_id != step.cancellation_id
                or other._get_refund_order() < step._get_refund_order()
            )
        )

    def _get_refund_order(self):
        return not self.source_transaction_id, self.id

    # === REFUNDED BY HAND === #

    def _match_by_hand(self):
        """Match the credit memo with what was refunded by hand; return how much."""
        memo = self.source_move_id
        before = memo._get_open_credit()
        memo._match_refunds_by_hand()
        return self.currency_id.round(before - memo._get_open_credit())

    def _wait_for_refund_by_hand(self):
        """Return whether a refund that somebody has made has no outcome yet."""
        invoice = self.source_move_id.reversed_entry_id
        on_way = invoice._get_refunds_by_hand().filtered(
            lambda refund: not refund.is_post_processed or refund.state != "done"
        )
        if on_way:
            self._wait(
                self.env._(
                    "Waits for the outcome of refund %s, which was made by hand.",
                    ", ".join(on_way.mapped("reference")),
                )
            )
        return bool(on_way)

    def _wait_for_unmatched_back(self):
        """Return whether somebody may have given this back already: ask what it was."""
        items = self.source_move_id._get_unmatched_back()
        if items:
            self._wait(
                self.env._(
                    "%(customer)s got money that is matched with nothing: "
                    "%(payments)s. Match it with credit memo %(memo)s if it pays that "
                    "back, else with what it belongs to. Until then nothing is "
                    "refunded.",
                    customer=items._get_customer()[:1].display_name,
                    payments=items._describe_open(),
                    memo=self.source_move_id.name,
                ),
                until_person=True,
            )
        return bool(items)

    # === GIVEN BACK IN VAIN === #

    @api.model
    def _search_given_back(self, payments):
        """Return the steps that say that the credit memos of payments are paid back."""
        own = self.search([("payment_id", "in", payments.ids)])
        memos = own.source_move_id | payments.invoice_ids
        done = self.search(
            [
                ("kind", "=", "refund"),
                ("state", "=", "done"),
                ("source_move_id", "in", memos.ids),
            ]
        )
        return done.sorted(lambda step: (step not in own, step.id))

    def _take_back_refunds(self):
        """Ask for what these have given back, as far as its payment was cancelled.

        What a provider has sent cannot be sent again: somebody has to pay it.
        """
        for memo, steps in self.grouped("source_move_id").items():
            lost = sum(steps.mapped("amount")) - memo._get_amount_given_back()
            for step in steps:
                part = memo.currency_id.round(min(lost, step.amount))
                if part > 0:
                    step._take_back_refund(part)
                    lost -= part
        self.cancellation_id._trigger_steps()

    def _take_back_refund(self, amount):
        """Ask for an amount again that this has given back in vain."""
        self._split_off(amount)
        self.amount = self.currency_id.round(self.amount - amount)
        if not self.amount:
            self._skip(
                self.env._(
                    "Payment %(payment)s was cancelled: credit memo %(memo)s is to be "
                    "paid back anew.",
                    payment=self.payment_id.display_name,
                    memo=self.source_move_id.name,
                )
            )

    # === CHARGED BACK === #

    def _wait_for_unclear_payment(self):
        """Return whether it is not clear if the invoice is paid: ask an accountant."""
        invoice = self.source_move_id.reversed_entry_id
        payments = invoice._get_unclear_payments()
        if payments:
            self._wait(
                self.env._(
                    "Payment %(payment)s of invoice %(invoice)s was reset, rejected or "
                    "unmatched: match it with the invoice again, or cancel it.",
                    payment=", ".join(
                        payment.name or payment.display_name for payment in payments
                    ),
                    invoice=invoice.name,
                ),
                until_person=True,
            )
        return bool(payments)

    def _do_reduce(self):
        """Reduce an invoice that is due again; posting does it the first time."""
        memo = self.source_move_id
        is_due = memo.state == "posted" and memo._can_reduce_invoice()
        if is_due and self._wait_for_unclear_payment():
            return None
        return super()._do_reduce()

    def _finish_without_refund(self):
        """Say that the payment is gone, where that is why nothing is left."""
        memo = self.source_move_id
        invoice = memo.reversed_entry_id
        is_reduced = memo._get_amount_matched_with(invoice)
        is_paid_back = self._get_paid_back_otherwise() > 0
        if is_paid_back or not (is_reduced and invoice._was_charged_back()):
            return super()._finish_without_refund()
        return self._skip(
            self.env._(
                "Nothing is refunded: the payment of invoice %(invoice)s was "
                "cancelled, and credit memo %(memo)s reduces what is due.",
                invoice=invoice.name,
                memo=memo.name,
            ),
            amount=0.0,
        )
