# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Down payments and gift cards: who took the money gives it back (C4, C5, C15)."""

from odoo.tests import tagged

from .sales import SalesCase


@tagged("post_install", "-at_install")
class TestDownPayments(SalesCase):
    """A year of 365.00, from 1 July; ended on 31 July: 31 of 365 days are served."""

    def sell_year(self, *lines, percent=100.0, **values):
        """Return subscription, final invoice and down payment invoices, all paid."""
        order = self.sell(*(lines or (365.0,)), interval="1 years")
        percents = percent if isinstance(percent, list) else [percent]
        paid = [self.invoice(order, "percentage", part) for part in percents]
        final = self.invoice(order)
        for invoice in (*paid, final):
            if invoice.amount_residual:
                self.pay(invoice)
        return order.subscription_ids, final, paid

    def assert_credited(self, memos, *expected):
        """These invoices are credited with so much, without tax."""
        found = [(memo.reversed_entry_id, memo.amount_untaxed) for memo in memos]
        self.assertCountEqual(found, expected)

    def test_all_of_it_was_paid_before(self):
        """C15: the final invoice is about 0.00; 334.00 go back on the first one."""
        subscription, final, [paid] = self.sell_year()
        self.assertEqual(final.amount_total, 0.0)
        memo, answer = self.end(subscription, "2026-07-31")
        self.assertEqual(answer["credit_total"], 334.0)
        self.assertEqual(answer["refundable"], 334.0)
        self.assertEqual(answer["warnings"], [])
        self.assert_credited(memo, (paid, 334.0))
        service = final.invoice_line_ids.filtered("subscription_line_id")
        self.assert_lines(memo, (service, 334.0))
        self.assertEqual(memo.amount_residual, 334.0)

    def test_half_of_it_was_paid_before(self):
        """C15: 182.50 on the final invoice, 151.50 on that of the down payment."""
        subscription, final, [paid] = self.sell_year(percent=50.0)
        self.assertEqual(final.amount_total, 182.5)
        memos, answer = self.end(subscription, "2026-07-31")
        self.assertEqual(answer["credit_total"], 334.0)
        self.assert_credited(memos, (final, 182.5), (paid, 151.5))

    def test_two_down_payments(self):
        """C15: the final invoice first, then the latest."""
        subscription, final, [first, second] = self.sell_year(percent=[50.0, 30.0])
        self.assertEqual(final.amount_total, 73.0)
        memos, answer = self.end(subscription, "2026-07-31")
        self.assertEqual(answer["credit_total"], 334.0)
        self.assert_credited(memos, (final, 73.0), (second, 109.5), (first, 151.5))

    def test_with_taxes(self):
        """C11: each tax on the invoice that billed it."""
        self.company.tax_calculation_rounding_method = "round_globally"
        vat19, vat7 = self.create_reported_tax(19.0), self.create_reported_tax(7.0)
        subscription, final, [paid] = self.sell_year(
            {"price_unit": 365.0, "taxes": vat19, "name": "Hosting"},
            {"price_unit": 73.0, "taxes": vat7, "name": "Books"},
            percent=50.0,
        )
        memos, answer = self.end(subscription, "2026-07-31")
        self.assertEqual(answer["credit_untaxed"], 400.8)  # 334.00 and 66.80
        # Of the down payment of 256.23, half of 512.46, Odoo books 182.49 and 34.68,
        # 36.50 and 2.56: 34.67 and 2.55 are left on the final invoice, and 19 % of
        # 151.49 and 7 % of 30.30 come from the other one.
        self.assertEqual(answer["credit_tax"], 68.12)
        self.assert_credited(memos, (final, 219.01), (paid, 181.79))
        on_final = memos.filtered(lambda memo: memo.reversed_entry_id == final)
        self.assertEqual(on_final.amount_total, final.amount_total)

    def test_all_of_it_is_credited(self):
        """C2, C4: nothing is left, of no tax and on no invoice."""
        tax = self.create_reported_tax(19.0)
        for rounding in ("round_globally", "round_per_line"):
            self.company.tax_calculation_rounding_method = rounding
            subscription, final, [paid] = self.sell_year(
                {"price_unit": 33.33, "taxes": tax, "name": "One"},
                {"price_unit": 33.33, "taxes": tax, "name": "Two"},
                {"price_unit": 33.33, "taxes": tax, "name": "Three"},
                percent=50.0,
            )
            memos, answer = self.end(subscription, "2026-07-31", refund_mode="full")
            self.assertEqual(
                answer["credit_total"], round(final.amount_total + paid.amount_total, 2)
            )
        self.assert_report(0.0, 0.0)

    def test_a_discount_and_a_down_payment(self):
        """C15: 10 % off: 328.50, of them 164.25 before; 300.60 go back."""
        order = self.sell(365.0, interval="1 years")
        self.discount(order, 10.0)
        paid = self.invoice(order, "percentage", 50.0)
        final = self.invoice(order)
        self.pay(paid)
        self.pay(final)
        memos, answer = self.end(order.subscription_ids, "2026-07-31")
        self.assertEqual(answer["credit_total"], 300.6)
        self.assert_credited(memos, (final, 164.25), (paid, 136.35))

    def test_lines_with_and_without_tax(self):
        """C15: each has what was paid for it, on either invoice."""
        tax = self.create_reported_tax(20.0)
        subscription, final, [paid] = self.sell_year(
            {"price_unit": 365.0, "name": "Hosting"},
            {"price_unit": 73.0, "name": "Books", "taxes": tax},
            percent=60.0,
        )
        memos, answer = self.end(subscription, "2026-07-31", refund_mode="full")
        self.assertEqual(answer["credit_total"], 452.6)  # 365.00 and 87.60
        self.assert_credited(memos, (final, 175.2), (paid, 262.8))

    def test_the_last_cent_of_a_tax(self):
        """C11, C15: the final invoice is credited as a whole: so is its tax, 1.25."""
        tax = self.create_reported_tax(7.0)
        lines = [{"price_unit": price, "taxes": tax} for price in (33.33, 33.33, 0.05)]
        item = {"price_unit": 0.05, "taxes": tax, "is_service": False, "name": "Item"}
        order = self.sell(*lines, item)
        self.discount(order, 33.33)
        for _number in range(2):
            self.invoice(order, "percentage", 30.0)
        final = self.invoice(order)
        self.assertEqual((final.amount_untaxed, final.amount_tax), (17.79, 1.25))
        for line in order.subscription_ids.sale_subscription_line_ids:
            self.end(order.subscription_ids, line_ids=line.ids)
        memos = final.reversal_move_ids
        self.assertEqual(sum(memos.mapped("amount_untaxed")), 17.79)
        self.assertEqual(round(sum(memos.mapped("amount_tax")), 2), 1.25)

    def test_nothing_is_credited_twice(self):
        """C4, B15: undone and ended again."""
        subscription, final, [paid] = self.sell_year()
        self.end(subscription, "2026-07-31")
        subscription.reactivate_subscription()
        memos, answer = self.end(subscription, "2026-08-10")
        # 41 of 365 days are served.
        self.assertEqual(answer["credit_total"], 324.0)

    def test_paused_before_it_ends(self):
        """C4: what a pause credits on three documents was rounded together."""
        order = self.sell(9.07)
        for _number in range(2):
            self.pay(self.invoice(order, "percentage", 30.0))
        self.pay(self.invoice(order))
        subscription = order.subscription_ids
        self.travel_to("2026-07-04")
        pause = subscription._pause("2026-07-29")
        self.assertEqual(len(pause.credit_note_ids), 3)
        # 4 to 28 July, 25 of 31 days; then the three days that are left.
        self.assertEqual(pause.credit_total, 7.31)
        _memo, answer = self.end(subscription, "2026-07-04")
        self.assertEqual(answer["credit_total"], 0.88)
        self.assert_books_fit()

    def test_what_was_credited_by_hand_leaves_less(self):
        """C4: of the down payment 200.00 were credited by hand: 165.00 are left."""
        subscription, final, [paid] = self.sell_year()
        memo = self._reverse_invoice(paid)
        memo.invoice_line_ids.price_unit = 200.0
        memo.action_post()
        memos, answer = self.end(subscription, "2026-07-31")
        self.assertEqual(answer["credit_total"], 165.0)
        [warning] = answer["warnings"]
        self.assertIn("169.00", warning)

    def test_what_was_credited_by_hand_left_less_before_the_undo(self):
        """C4, C15: the checker knows that there was no room then."""
        subscription, final, paid = self.sell_year(percent=[50.0, 30.0])
        self._reverse_invoice(paid[0])  # left as a draft
        memos, answer = self.end(subscription, "2026-07-31")
        self.assert_credited(memos, (final, 73.0), (paid[1], 109.5))
        [warning] = answer["warnings"]
        self.assertIn("151.50", warning)
        subscription.reactivate_subscription()
        self.assertEqual(final.amount_residual, 0.0)

    def test_what_the_order_lowered_had_more_tax_than_the_invoice_left(self):
        """C15, C4: nothing gets lost between the invoice and its down payment."""
        tax = self.create_tax(19.0)
        self.order = self.sell({"price_unit": 100.0, "taxes": tax}, 200.0)
        paid = self.invoice(self.order, "percentage", 50.0)
        final = self.invoice(self.order)
        for invoice in (paid, final):
            self.pay(invoice)
        self.travel_to("2026-07-05")
        self.order.order_line[0].product_uom_qty = 0
        lowered = self.invoice(self.order)
        self.assertEqual(lowered.amount_total, 119.0)
        memos, answer = self.end(self.order.subscription_ids, "2026-07-10")
        # 21 of 31 days of $200.00; the final invoice has $40.50 left.
        self.assertEqual(answer["credit_total"], 135.48)
        self.assert_credited(memos, (final, 40.5), (paid, 94.98))

    def test_all_that_the_order_has_not_given_back_is_credited(self):
        """C15: the tax that it gave back too much of one invoice is left on the other.

        $119.00 and $200.00, half of each paid before; the order gives back $119.00.
        """
        tax = self.create_tax(19.0)
        order = self.sell({"price_unit": 100.0, "taxes": tax}, 200.0)
        paid = self.invoice(order, "percentage", 50.0)
        final = self.invoice(order)
        for invoice in (paid, final):
            self.pay(invoice)
        self.travel_to("2026-07-05")
        order.order_line[0].product_uom_qty = 0
        self.invoice(order)
        memos, answer = self.end(
            order.subscription_ids, "2026-07-10", refund_mode="full"
        )
        self.assertEqual(answer["credit_total"], 200.0)
        self.assertEqual(answer["warnings"], [])
        totals = {memo.reversed_entry_id: memo.amount_total for memo in memos}
        self.assertEqual(totals, {final: 40.5, paid: 159.5})

    def test_the_order_gave_back_what_has_no_tax(self):
        """C11, C15: the checker knows that all of a tax goes, and no more than that."""
        tax = self.create_tax(19.0)
        order = self.sell(100.0, {"price_unit": 200.0, "taxes": tax})
        paid = self.invoice(order, "percentage", 50.0)
        final = self.invoice(order)
        for invoice in (paid, final):
            self.pay(invoice)
        self.travel_to("2026-07-02")
        order.order_line[0].product_uom_qty = 0
        self.invoice(order)
        memos, _answer = self.end(order.subscription_ids, "2026-07-03")
        memo = memos.filtered(lambda memo: memo.reversed_entry_id == paid)
        self.assertGreater(memo.amount_untaxed, 100.0)
        self.assertEqual(memo.amount_tax, paid.amount_tax)
        self.assert_books_fit()

    def test_a_down_payment_that_was_not_deducted(self):
        """C15: it is said that it stays."""
        order = self.sell(365.0, interval="1 years")
        paid = self.invoice(order, "percentage", 50.0)
        self.pay(paid)
        _memos, answer = self.end(order.subscription_ids, "2026-07-31")
        self.assertTrue(
            any("182.50" in text and paid.name in text for text in answer["warnings"]),
            answer["warnings"],
        )

    def test_its_order_is_to_be_invoiced_and_somebody_is_asked_to(self):
        """C15: the order charges what was served and gives back the rest."""
        tax = self.create_tax(20.0)
        order = self.sell({"price_unit": 365.0, "taxes": tax}, interval="1 years")
        paid = self.invoice(order, "percentage", 50.0)
        self.pay(paid)
        subscription = order.subscription_ids
        self.travel_to("2026-07-31")
        plan = subscription._plan_cancellation({"timing": "immediate"}, "backend")
        shown = str(plan._render_preview())
        self.assertEqual(shown.count("To be invoiced with order"), 1)
        _memos, answer = self.end(subscription, "2026-07-31")
        self.assertTrue(any("219.00" in text for text in answer["warnings"]))
        cancellation = subscription.cancellation_ids
        [step] = cancellation.step_ids.filtered(lambda step: step.kind == "unbilled")
        said = f"Will be invoiced with your order {order.name}"
        self.assertEqual(step._get_customer_text(), said)
        self.assertIn(order.name, cancellation.activity_ids.summary)
        memo = self.invoice(order)
        self.assertEqual((memo.move_type, memo.amount_total), ("out_refund", 181.8))
        self.assertEqual(
            step._get_customer_text(), f"Invoiced with your order {order.name}"
        )


@tagged("post_install", "-at_install")
class TestLoyalty(SalesCase):
    """Coupons are discounts; gift cards and e-wallets are money."""

    def test_a_promotion_on_the_order(self):
        """C15: 21/31 of 90.00."""
        order = self.sell(100.0)
        self.promote(order, discount=10, discount_applicability="order")
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_total, 90.0)
        memo, _answer = self.end(order.subscription_ids)
        self.assertEqual(memo.amount_total, 60.97)

    def test_a_reward_for_certain_products_only(self):
        """C15: 50 % off Books leaves Hosting at its price."""
        order = self.sell(
            {"price_unit": 100.0, "name": "Hosting"},
            {"price_unit": 50.0, "name": "Books"},
        )
        books = order.order_line[1].product_id
        self.promote(
            order,
            discount=50,
            discount_applicability="specific",
            discount_product_ids=books.ids,
        )
        invoice = self.invoice(order)
        self.assertEqual(invoice.amount_total, 125.0)
        hosting, other = order.subscription_ids.sale_subscription_line_ids
        memo, _answer = self.end(order.subscription_ids, line_ids=hosting.ids)
        self.assertEqual(memo.amount_total, 67.74)
        memo, _answer = self.end(order.subscription_ids, line_ids=other.ids)
        self.assertEqual(memo.amount_total, 16.94)

    def test_a_gift_card_is_not_paid_out(self):
        """C15: 60.00 of 100.00 were money; of 67.74 no more goes back."""
        for program_type in ("gift_card", "ewallet"):
            order = self.sell(100.0)
            self.give(order, 40.0, program_type)
            invoice = self.invoice(order)
            self.assertEqual(invoice.amount_total, 60.0)
            self.pay(invoice)
            memo, answer = self.end(order.subscription_ids)
            self.assertEqual(memo.amount_total, 60.0)
            [warning] = answer["warnings"]
            self.assertIn("7.74", warning)
