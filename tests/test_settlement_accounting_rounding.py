# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books where totals are rounded to coins (C2, C4, C5, C6, C11)."""

from odoo.tests import tagged

from .accounting import AccountingCase


@tagged("post_install", "-at_install")
class TestCashRoundingInTheBooks(AccountingCase):
    """31.02 and 3.10 of tax are 34.12: rounded up to 34.15, or down to 34.10."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profit = cls.create_account("Rounding profit", "income_other")
        cls.lost = cls.create_account("Rounding loss", "expense")

    def create_rounding(self, strategy, method):
        """Return a rounding to 0.05."""
        return self.env["account.cash.rounding"].create(
            {
                "name": f"{method} to 0.05",
                "rounding": 0.05,
                "strategy": strategy,
                "rounding_method": method,
                "profit_account_id": self.profit.id,
                "loss_account_id": self.lost.id,
            }
        )

    def subscribe_rounded(self, strategy, method, prices=(31.02,), **values):
        """Return a subscription and its rounded invoice."""
        lines = [{"price_unit": price, "taxes": self.tax} for price in prices]
        subscription = self.create_subscription(lines, **values)
        invoice = self.bill(subscription, post=False)
        invoice.invoice_cash_rounding_id = self.create_rounding(strategy, method)
        invoice.action_post()
        return subscription, invoice

    def assert_no_rounding_left(self):
        """What was rounded is taken back."""
        items = self.env["account.move.line"].search(
            [
                ("account_id", "in", (self.profit | self.lost).ids),
                ("parent_state", "=", "posted"),
            ]
        )
        self.assertAlmostEqual(sum(items.mapped("balance")), 0.0, 2)

    def test_an_invoice_credited_in_full_leaves_nothing(self):
        """C2, C11: the rounding goes back where it was booked, with both strategies."""
        cases = [
            ("add_invoice_line", "UP", 34.15, 31.05),
            ("add_invoice_line", "DOWN", 34.10, 31.00),
            ("biggest_tax", "UP", 34.15, 31.02),
            ("biggest_tax", "DOWN", 34.10, 31.02),
        ]
        for strategy, method, total, untaxed in cases:
            with self.subTest(strategy=strategy, method=method):
                subscription, invoice = self.subscribe_rounded(strategy, method)
                self.assertEqual(invoice.amount_total, total)
                self.assertEqual(invoice.amount_untaxed, untaxed)
                memo = self.settle(subscription, refund_mode="full")
                self.assertEqual(memo.amount_total, total)
                self.assertEqual(memo.amount_untaxed, untaxed)
                self.assert_open(invoice, 0.0, "reversed")
                self.assert_open(memo, 0.0, "paid")
                self.assert_no_rounding_left()
                self.assert_report(0.0, 0.0)
                self.assert_balance(0.0, subscription)

    def test_the_items_are_the_mirror_of_those_of_the_invoice(self):
        """C11: accounts and tax report lines; of the profit, the tax, or the loss."""
        subscription, _invoice = self.subscribe_rounded("add_invoice_line", "UP")
        self.assert_items(
            self.settle(subscription, refund_mode="full"),
            ("receivable", 0.0, 34.15),
            ("revenue", 31.02, 0.0, "base-"),
            ("tax due", 3.10, 0.0, "tax-"),
            ("Rounding profit", 0.03, 0.0),
        )
        subscription, _invoice = self.subscribe_rounded("add_invoice_line", "DOWN")
        self.assert_items(
            self.settle(subscription, refund_mode="full"),
            ("receivable", 0.0, 34.10),
            ("revenue", 31.02, 0.0, "base-"),
            ("tax due", 3.10, 0.0, "tax-"),
            ("Rounding loss", 0.0, 0.02),
        )
        subscription, _invoice = self.subscribe_rounded("biggest_tax", "UP")
        self.assert_items(
            self.settle(subscription, refund_mode="full"),
            ("receivable", 0.0, 34.15),
            ("revenue", 31.02, 0.0, "base-"),
            ("tax due", 3.13, 0.0, "tax-"),
        )

    def test_unused_days_are_credited_to_the_cent(self):
        """C1, C5: 21.01 and 2.10; the rounding stays with what was served."""
        for strategy in ("add_invoice_line", "biggest_tax"):
            for method, stays in (("UP", 11.04), ("DOWN", 10.99)):
                with self.subTest(strategy=strategy, method=method):
                    subscription, invoice = self.subscribe_rounded(strategy, method)
                    memo = self.settle(subscription)
                    self.assertEqual(memo.amount_untaxed, 21.01)
                    self.assertEqual(memo.amount_tax, 2.10)
                    self.assert_open(invoice, stays, "partial")
                    self.assert_open(memo, 0.0, "paid")
                    self.assert_balance(stays, subscription)
        # 10.01 and 1.00 each; with "biggest_tax" 0.03 up and 0.02 down are tax, too
        self.assert_report(40.04, 4.01)

    def test_what_was_paid_goes_back(self):
        """C6: all that was paid online, rounded up or down."""
        for strategy in ("add_invoice_line", "biggest_tax"):
            for method, total in (("UP", 34.15), ("DOWN", 34.10)):
                with self.subTest(strategy=strategy, method=method):
                    subscription, invoice = self.subscribe_rounded(strategy, method)
                    self.pay_online(invoice)
                    memo = self.settle(
                        subscription, refund_mode="full", credit_settlement="refund"
                    )
                    step = self.steps(subscription, "refund")
                    self.assertRecordValues(step, [{"state": "done", "amount": total}])
                    self.assert_open(memo, 0.0, "paid")
                    self.assert_balance(0.0, subscription)
        self.assert_no_rounding_left()
        self.assert_report(0.0, 0.0)

    def test_the_last_of_several_credits_takes_the_rounding(self):
        """C4: line by line: 62.04 and 6.20 are 68.24, rounded to 68.25 or 68.20."""
        for strategy in ("add_invoice_line", "biggest_tax"):
            for method, rest in (("UP", 34.13), ("DOWN", 34.08)):
                with self.subTest(strategy=strategy, method=method):
                    subscription, invoice = self.subscribe_rounded(
                        strategy, method, (31.02, 31.02)
                    )
                    for line in subscription.sale_subscription_line_ids:
                        options = {"line_ids": line.ids, "refund_mode": "full"}
                        self.settle(subscription, **options)
                    memos = self.credit_memos(subscription).sorted("id")
                    self.assertEqual(memos.mapped("amount_total"), [34.12, rest])
                    self.assert_open(invoice, 0.0, "reversed")
                    self.assert_balance(0.0, subscription)
        self.assert_no_rounding_left()
        self.assert_report(0.0, 0.0)

    def test_what_is_shown_is_what_is_booked(self):
        """D5: preview, answer and rows include the rounding."""
        subscription, _invoice = self.subscribe_rounded("add_invoice_line", "UP")
        options = {"timing": "immediate", "refund_mode": "full"}
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(**options)
        for amounts in (preview, answer):
            self.assertEqual(amounts["credit_total"], 34.15)
            self.assertEqual(amounts["reduces_invoices"], 34.15)
            self.assertEqual(amounts["lines"][0]["credit_untaxed"], 31.05)
        totals = self.credit_memos(subscription).tax_totals
        self.assertEqual(totals["total_amount_currency"], 34.15)
        self.assertEqual(totals["cash_rounding_base_amount_currency"], 0.03)

    def test_an_undo_bills_the_rounding_again(self):
        """B15, C4: and another full credit takes all of it back once more."""
        for strategy in ("add_invoice_line", "biggest_tax"):
            with self.subTest(strategy=strategy):
                subscription, _invoice = self.subscribe_rounded(strategy, "UP")
                self.settle(subscription, refund_mode="full")
                subscription.reactivate_subscription()
                back = subscription.cancellation_ids.charge_invoice_ids
                self.assertEqual(back.amount_total, 34.15)
                self.assert_balance(34.15, subscription)
                self.settle(subscription, refund_mode="full")
                self.assert_open(back, 0.0, "reversed")
                self.assert_balance(0.0, subscription)
        self.assert_no_rounding_left()
        self.assert_report(0.0, 0.0)

    def test_a_draft_that_is_reviewed_keeps_the_rounding(self):
        """C12: also where the accountant changes its date before posting it."""
        self.get_default_policy().post_credit_memos = False
        subscription, invoice = self.subscribe_rounded("add_invoice_line", "UP")
        memo = self.settle(subscription, refund_mode="full")
        memo.write({"invoice_date": "2026-07-12", "ref": "Reviewed"})
        memo.action_post()
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_no_rounding_left()
        self.assert_report(0.0, 0.0)

    def test_what_was_credited_by_hand_counts(self):
        """C4: Odoo's own credit note of one line, rounded by itself to 34.15."""
        subscription, invoice = self.subscribe_rounded(
            "add_invoice_line", "UP", (31.02, 31.02)
        )
        by_hand = invoice._reverse_moves([{"invoice_date": "2026-07-05"}])
        by_hand.invoice_line_ids[1].unlink()
        by_hand.action_post()
        self.assertEqual(by_hand.amount_total, 34.15)
        memo = self.settle(subscription, refund_mode="full")
        self.assertEqual(memo.amount_total, 34.10)
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_no_rounding_left()
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_in_another_currency(self):
        """C11: EUR at 2.00 dollars; nothing is left in either currency."""
        for strategy in ("add_invoice_line", "biggest_tax"):
            with self.subTest(strategy=strategy):
                subscription, invoice = self.subscribe_rounded(
                    strategy, "UP", currency="EUR"
                )
                self.assertEqual(invoice.amount_total_signed, 68.30)
                self.travel_to("2026-07-10")
                memo = self.settle(subscription, refund_mode="full")
                self.assertEqual(memo.amount_total_signed, -68.30)
                self.assert_open(invoice, 0.0, "reversed")
                self.assert_balance(0.0, subscription)
        self.assert_no_rounding_left()
        self.assert_report(0.0, 0.0)

    def test_the_served_days_of_a_draft_are_rounded_as_shown(self):
        """C9, D5: 10.01 and 1.00 are 11.01: 11.05."""
        subscription = self.create_subscription(
            [{"price_unit": 31.02, "taxes": self.tax}]
        )
        draft = self.bill(subscription, post=False)
        draft.invoice_cash_rounding_id = self.create_rounding("add_invoice_line", "UP")
        self.travel_to("2026-07-10")
        preview = subscription.preview_cancellation(timing="immediate")
        answer = self.cancel(subscription)
        for settlement in (preview["settlement"], answer["settlement"]):
            self.assertEqual(settlement[0]["amount"], 11.05)
        self.assert_report(10.01, 1.00)
        self.assert_balance(11.05, subscription)
