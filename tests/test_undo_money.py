# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What was cancelled and undone leaves the books as if it had never been (B15, C4).

100.00 for July. Ended on the 20th, 11 of 31 days are credited: 35.48.
"""

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .accounting import AccountingCase
from .sales import SalesCase

#: Days of the loop: what they credit is rounded up, down, and up again.
DAYS = [f"2026-07-{day}" for day in range(10, 20)]


class UndoCase(AccountingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.get_default_policy().undo_days = 30

    def loop(self, subscription, days=DAYS, **options):
        """Cancel and undo on each of these days."""
        for day in days:
            self.cancel(subscription, day, **options)
            self.undo(subscription)

    def undo(self, subscription):
        """Undo the latest cancellation, by its button."""
        subscription.cancellation_ids.sorted("id")[-1].action_undo()

    def get_open(self, subscription):
        """Return what is open of the customer's documents."""
        moves = self.env["account.move"].search(
            [
                ("partner_id", "=", subscription.partner_id.id),
                ("state", "=", "posted"),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("amount_residual", "!=", 0),
            ]
        )
        return [(move.move_type, round(move.amount_residual, 3)) for move in moves]

    def end(self, subscription, day="2026-07-20", **options):
        """End it for good; return the credit memo."""
        known = self.credit_memos(subscription)
        self.cancel(subscription, day, **options)
        return self.credit_memos(subscription) - known

    def assert_as_without(self, *lines, days=DAYS[:3], last="2026-07-20", **values):
        """With and without the loop, the last credit is the same: net, tax, total."""
        amounts = []
        for loop in ((), days):
            subscription = self.create_subscription(lines, **values)
            self.bill(subscription)
            self.loop(subscription, loop)
            memo = self.end(subscription, last)
            amounts.append(
                [
                    memo[name]
                    for name in ("amount_untaxed", "amount_tax", "amount_total")
                ]
                + memo.invoice_line_ids.mapped("price_subtotal")
                + [
                    round(
                        -sum(memo.line_ids.filtered("tax_line_id").mapped("balance")), 3
                    )
                ]
            )
            self.assertEqual(memo.reversed_entry_id.amount_residual, self.left(memo))
        self.assertEqual(*amounts)

    def left(self, memo):
        return memo.currency_id.round(
            memo.reversed_entry_id.amount_total - memo.amount_total
        )


@tagged("post_install", "-at_install")
class TestUndoMoney(UndoCase):
    # === NOT PAID === #

    def test_ten_times_leave_one_open_invoice(self):
        """B15: due as it was; then the credit is the same to the cent."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.loop(subscription)
        self.assertEqual(self.get_open(subscription), [("out_invoice", 100.0)])
        self.assert_open(july, 100.0, "not_paid")
        memo = self.end(subscription)
        self.assertEqual(memo.amount_total, 35.48)
        self.assertEqual(memo.reversed_entry_id, july)
        self.assert_open(july, 64.52, "partial")
        self.assert_balance(64.52, subscription)

    def test_the_memo_and_what_takes_it_back_are_reconciled(self):
        """B15: with each other, and with nothing else."""
        subscription, july = self.subscribe(100.0)
        self.loop(subscription, DAYS[:1])
        memo = self.credit_memos(subscription)
        invoice = memo.reversal_move_ids
        self.assertEqual(memo.amount_total, 74.51)  # 67.74 + 6.77
        for move in (memo, invoice):
            self.assertFalse(move.amount_residual)
        partial = memo.line_ids.matched_debit_ids
        self.assertEqual(partial.debit_move_id.move_id, invoice)
        self.assertFalse(july.line_ids.matched_credit_ids)
        self.assert_report(100.0, 10.0)

    def undo_and_get_memo(self, pay=False):
        """End 100.00 without tax on the 10th and undo it; return the credit memo."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        if pay:
            self.pay(july)
        self.loop(subscription, DAYS[:1])
        return self.credit_memos(subscription), july

    def test_the_invoice_can_be_cancelled_then(self):
        """B15: a credit memo that was taken back holds nothing."""
        for pay in (False, True):
            with self.subTest(pay=pay):
                _memo, july = self.undo_and_get_memo(pay)
                july.button_draft()
                july.button_cancel()
                self.assertEqual(july.state, "cancel")

    def test_a_memo_that_was_taken_back_is_kept(self):
        """C4: else what takes it back would bill the days twice."""
        memo, _july = self.undo_and_get_memo()
        invoice = memo.reversal_move_ids
        for action in (memo.button_draft, memo.button_cancel):
            with (
                self.assertRaisesRegex(UserError, f"is taken back by {invoice.name}"),
                self.env.cr.savepoint(),
            ):
                action()
        self.assertEqual(memo.state, "posted")
        invoice.button_draft()
        invoice.button_cancel()
        memo.button_draft()
        memo.button_cancel()
        self.assertEqual(memo.state, "cancel")

    def test_what_takes_a_cancelled_memo_back_is_an_invoice_like_others(self):
        """C4: where the credit memo is gone, both bill, and both are credited."""
        memo, july = self.undo_and_get_memo()
        invoice = memo.reversal_move_ids
        memo.sudo().button_draft()
        memo.sudo().button_cancel()
        memos = self.end(july.subscription_id)
        # 11 of 31 days of 100.00, and 11 of 21 days of 67.74.
        credited = {one.reversed_entry_id: one.amount_total for one in memos}
        self.assertEqual(credited, {july: 35.48, invoice: 35.48})

    def test_with_taxes(self):
        """C4, C11: each tax, in both rounding methods, and as included ones."""
        plain = self.create_reported_tax(19.0)
        included = self.create_tax(7.0, price_include_override="tax_included")
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            self.assert_as_without(
                {"price_unit": 33.33, "taxes": plain},
                {"price_unit": 9.99, "taxes": included},
                {"price_unit": -2.22, "taxes": plain},
            )

    def test_all_of_it_credited_at_last(self):
        """C4: the last credit takes all of the invoice, tax included."""
        self.company.tax_calculation_rounding_method = "round_globally"
        tax = self.create_reported_tax(19.0)
        lines = [{"price_unit": 33.33, "taxes": tax}] * 2
        subscription = self.create_subscription(lines)
        july = self.bill(subscription)
        self.loop(subscription, DAYS[:2])
        memo = self.end(subscription, refund_mode="full")
        self.assertEqual(memo.amount_total, july.amount_total)
        self.assert_open(july, 0.0, "reversed")
        self.assert_report(0.0, 0.0)

    def test_other_currencies(self):
        """C4: no decimals, three, and one with a rate."""
        for code, price in (("JPY", 1001.0), ("KWD", 10.001), ("EUR", 33.33)):
            with self.subTest(code=code):
                line = {"price_unit": price, "taxes": self.tax}
                self.assert_as_without(line, currency=code)

    def test_a_line_and_then_the_whole(self):
        """C4: ended alone, undone, and ended with all others."""
        amounts = []
        for loop in ((), DAYS[:2]):
            subscription = self.create_subscription([100.0, 33.33])
            july = self.bill(subscription)
            line = subscription.sale_subscription_line_ids[0]
            self.loop(subscription, loop, line_ids=line.ids)
            self.assert_open(july, 133.33, "not_paid")
            amounts.append(self.end(subscription).amount_total)
        self.assertEqual(amounts, [47.31, 47.31])  # 35.48 + 11.83

    def test_a_draft_that_nobody_has_posted(self):
        """B15: it is cancelled, and nothing else has happened."""
        self.get_default_policy().post_credit_memos = False
        subscription, july = self.subscribe(100.0)
        self.loop(subscription, DAYS[:2])
        self.assertEqual(
            self.credit_memos(subscription).mapped("state"), ["cancel", "cancel"]
        )
        self.assert_open(july, 110.0, "not_paid")

    # === PAID === #

    def test_paid_it_stays_paid(self):
        """B15: online and by bank; what was credited is nobody's any more."""
        for pay in (self.pay_online, self.pay):
            subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
            pay(july)
            state = july.payment_state
            self.loop(subscription, DAYS[:3])
            self.assert_open(july, 0.0, state)
            self.assertEqual(self.get_open(subscription), [])
            memo = self.end(subscription)
            self.assertEqual(memo.amount_residual, 35.48)
            self.assertEqual(memo.reversed_entry_id, july)

    def test_half_paid_it_stays_half_paid(self):
        """B15: 50.00 of 100.00 are due, before, between and after."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.pay(july, 50.0)
        self.loop(subscription, DAYS[:3])
        self.assert_open(july, 50.0, "partial")
        self.assertEqual(self.get_open(subscription), [("out_invoice", 50.0)])
        self.end(subscription)
        self.assert_open(july, 14.52, "partial")

    def test_refunded_it_is_due_on_what_takes_it_back(self):
        """B15, C6: 67.74 went back and are due; at the end they are credited first."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.pay_online(july)
        self.settle(subscription, credit_settlement="refund")
        self.undo(subscription)
        [taken_back] = self.credit_memos(subscription).reversal_move_ids
        self.assert_open(july, 0.0, "paid")
        self.assert_open(taken_back, 67.74, "not_paid")
        memo = self.end(subscription, credit_settlement="refund")
        self.run_steps(subscription)
        self.assertEqual(memo.amount_total, 35.48)
        self.assertEqual(memo.reversed_entry_id, taken_back)
        self.assert_open(taken_back, 32.26, "partial")
        self.assert_balance(32.26, subscription)

    def test_refunded_and_paid_again(self):
        """C6: what comes back comes from both payments."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.pay_online(july)
        self.settle(subscription, credit_settlement="refund")
        self.undo(subscription)
        self.pay_online(self.credit_memos(subscription).reversal_move_ids)
        memos = self.end(subscription, credit_settlement="refund")
        self.run_steps(subscription)
        self.assertEqual(sorted(memos.mapped("amount_total")), [3.22, 32.26])
        steps = subscription.cancellation_ids[:1].step_ids
        refunds = steps.filtered(lambda step: step.kind == "refund")
        self.assertEqual(refunds.mapped("state"), ["done", "done"])
        self.assert_balance(0.0, subscription)

    def test_refunded_in_part_while_half_was_paid(self):
        """B15: 50.00 were reduced and are due again; 17.74 went back and are due."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.pay_online(july, 50.0)
        self.settle(subscription, credit_settlement="refund")
        [memo] = self.credit_memos(subscription)
        self.undo(subscription)
        self.assert_open(july, 50.0, "partial")
        self.assert_open(memo.reversal_move_ids, 17.74, "partial")
        memos = self.end(subscription)
        self.assertEqual(memos.mapped("amount_total"), [17.74, 17.74])
        self.assert_open(july, 32.26, "partial")
        self.assert_open(memo.reversal_move_ids, 0.0, "reversed")
        self.assert_balance(32.26, subscription)

    def test_used_for_another_invoice(self):
        """B15, C7: 30.00 of the credit have paid another invoice, and are due."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.pay(july)
        other = self.init_invoice(
            "out_invoice",
            partner=subscription.partner_id,
            amounts=[30.0],
            taxes=[],
            post=True,
        )
        self.settle(subscription, apply_credits=True)
        self.assert_open(other, 0.0, "reversed")
        self.undo(subscription)
        [taken_back] = self.credit_memos(subscription).reversal_move_ids
        self.assert_open(other, 0.0, "reversed")
        self.assert_open(taken_back, 30.0, "partial")
        self.loop(subscription, DAYS[1:3])
        self.assert_open(taken_back, 30.0, "partial")
        memos = self.end(subscription)
        self.assertEqual(sorted(memos.mapped("amount_total")), [5.48, 30.0])
        self.assert_balance(-5.48, subscription)

    def test_what_was_used_is_told(self):
        """B15: before it is undone."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.pay_online(july, 50.0)
        self.settle(subscription, credit_settlement="refund")
        text = subscription.cancellation_ids._describe_take_back()
        self.assertIn("$\xa017.74 of it", text)

    def test_a_pause_that_is_taken_back(self):
        """B15: on the day it began: the invoice is due as it was."""
        subscription, july = self.subscribe(100.0, taxes=self.env["account.tax"])
        self.travel_to("2026-07-10")
        wizard = self.env["sale.subscription.pause.wizard"]
        with Form(wizard.with_context(active_id=subscription.id)) as form:
            form.paused_until = "2026-08-10"
        form.record.button_confirm()
        self.assert_open(july, 29.03, "partial")  # 22 days: 70.97
        subscription.action_resume()
        self.assert_open(july, 100.0, "not_paid")
        self.assertEqual(self.get_open(subscription), [("out_invoice", 100.0)])
        self.assertEqual(self.end(subscription).amount_total, 35.48)


@tagged("post_install", "-at_install")
class TestUndoneSales(SalesCase, UndoCase):
    def test_discounts_of_an_order(self):
        """C15: 10 % off 100.00: the share of the discount comes back, too."""
        order = self.sell({"price_unit": 100.0, "taxes": self.tax})
        self.discount(order, 10)
        july = self.invoice(order)
        subscription = order.subscription_ids
        self.loop(subscription, DAYS[:2])
        self.assert_open(july, 99.0, "not_paid")
        memo = UndoCase.end(self, subscription)
        self.assertEqual(memo.amount_untaxed, 31.94)  # 90.00 × 11 / 31
        self.assertEqual(memo.reversed_entry_id, july)
