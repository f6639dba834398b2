# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Credits that an order makes itself: its quantities were lowered after invoicing."""

import re

from odoo.tests import Form, tagged

from .sales import PLAN, SUPPORT, OrderCreditsCase


@tagged("post_install", "-at_install")
class TestOrderCreditMemo(OrderCreditsCase):
    def test_what_the_order_has_credited_is_not_credited_again(self):
        """C4: 40.00 stay billed for July; 40.00 × 21/31 = 27.10, 87.10 in all."""
        order = self.sell_and_pay()
        credit_note = self.change(order, 4)
        self.assertEqual(credit_note.move_type, "out_refund")
        self.assertEqual(credit_note.amount_total, 60.0)
        self.assertFalse(credit_note.reversed_entry_id)
        memo = self.assert_credited(order, 27.1)
        self.assertEqual(memo.reversed_entry_id, order.invoice_ids - credit_note - memo)

    def test_of_a_full_refund_the_rest_is_left(self):
        """C4: 100.00 less 60.00."""
        order = self.sell_and_pay()
        self.change(order, 4)
        self.assert_credited(order, 40.0, refund_mode="full")

    def test_nothing_is_left_of_a_quantity_of_zero(self):
        """C4: the order has credited 100.00 for all of July."""
        for refund_mode in ("full", "prorated"):
            order = self.sell_and_pay()
            self.change(order, 0)
            self.assert_credited(order, 0.0, refund_mode=refund_mode)

    def test_a_draft_of_it_counts_too(self):
        """C4: as every draft credit memo does."""
        order = self.sell_and_pay()
        self.change(order, 4, post=False)
        self.assert_credited(order, 27.1)

    def test_with_taxes_the_invoice_is_never_exceeded(self):
        """C4, C11: 110.00 with tax, 66.00 credited: 44.00 is left, 4.00 of it tax."""
        order = self.sell_and_pay({**PLAN, "taxes": self.tax})
        self.change(order, 4)
        memo = self.assert_credited(order, 44.0, refund_mode="full")
        self.assertEqual(memo.amount_tax, 4.0)
        self.assert_report(0.0, 0.0)

    def test_of_another_line_it_takes_nothing(self):
        """C4: 31.00 × 21/31 = 21.00 of the support, and 27.10 of the plan."""
        order = self.sell_and_pay(PLAN, SUPPORT)
        credit_note = self.change(order, 4)
        memo = self.assert_credited(order, 48.1)
        invoice = order.invoice_ids - credit_note - memo
        plan, support = invoice.invoice_line_ids
        self.assert_lines(memo, (plan, 27.1), (support, 21.0))

    def test_line_by_line_it_counts_once(self):
        """C4: the plan ends first, the support later."""
        order = self.sell_and_pay(PLAN, SUPPORT)
        self.change(order, 4)
        plan, support = order.subscription_ids.sale_subscription_line_ids
        for line, expected in ((support, 31.0), (plan, 40.0)):
            self.assert_credited(order, expected, line_ids=line.ids, refund_mode="full")

    def test_with_a_discount_of_the_order(self):
        """C4, C15: of 100.00 − 10.00 for July 60.00 are credited, 30.00 are left."""
        order = self.sell(PLAN)
        self.discount(order, 10.0)
        self.pay(self.invoice(order))
        self.travel_to("2026-07-05")
        order.order_line[0].product_uom_qty = 4
        self.invoice(order)
        self.assert_credited(order, 30.0, refund_mode="full")

    def test_what_the_order_gave_back_before_its_discount_is_not_charged(self):
        """C4, C15: 100.00 for a plan of 90.00, which ends alone."""
        for refund_mode in ("full", "prorated"):
            order = self.sell(PLAN, SUPPORT)
            self.discount(order, 10.0)
            self.pay(self.invoice(order))
            self.travel_to("2026-07-05")
            order.order_line[0].product_uom_qty = 0
            self.invoice(order)
            plan = order.subscription_ids.sale_subscription_line_ids[0]
            self.assert_credited(order, 0.0, line_ids=plan.ids, refund_mode=refund_mode)

    def test_lowered_twice_and_raised_between(self):
        """C4: 100.00 − 60.00 + 20.00 − 30.00 = 30.00 stay for July."""
        order = self.sell_and_pay()
        for quantity in (4, 6, 3):
            self.change(order, quantity)
        self.assert_credited(order, 30.0, refund_mode="full")

    def test_an_undone_cancellation_ends_the_same_way_again(self):
        """C4, C9: what was taken back is as if it had never been."""
        self.get_default_policy().undo_days = 30
        order = self.sell_and_pay()
        self.change(order, 4)
        self.assert_credited(order, 27.1)
        order.subscription_ids.cancellation_ids.action_undo()
        self.assert_credited(order, 27.1)

    def test_a_pause_credits_no_more_either(self):
        """C4, F: 40.00 × 10/31 = 12.90 of the days from the 11th to the 20th."""
        order = self.sell_and_pay()
        self.change(order, 4)
        self.travel_to("2026-07-11")
        subscription = order.subscription_ids
        subscription.action_pause("2026-07-21")
        memo = subscription.pause_ids.credit_note_ids
        self.assertEqual(memo.amount_total, 12.9)

    def test_of_an_order_of_two_periods_the_days_that_it_sold_are_credited(self):
        """C4: August, billed by upstream, is not the order's: 100.00 × 21/31."""
        order = self.sell_and_pay()
        subscription = order.subscription_ids
        self.change(order, 4)
        self.bill(subscription, "2026-08-01")
        self.assert_credited(order, 67.74, day="2026-08-10")

    def test_where_only_a_part_was_paid_no_more_goes_back_than_came(self):
        """C4, C6: 40.00 paid, 60.00 credited: 27.10 of July are refundable."""
        order = self.sell(PLAN)
        invoice = self.invoice(order)
        self.pay(invoice, 40.0)
        credit_note = self.change(order, 4)
        (invoice | credit_note)._get_receivable_items().reconcile()
        memos, answer = self.end(order.subscription_ids)
        self.assertEqual((answer["credit_total"], answer["refundable"]), (27.1, 27.1))
        self.assert_open(memos, 27.1, "not_paid")

    def test_an_order_warns_before_it_credits_again(self):
        """C4: days of a pause were credited; lowering it credits all of July."""
        order = self.sell_and_pay()
        self.assertFalse(order.subscription_warning)
        self.travel_to("2026-07-10")
        order.subscription_ids.action_pause("2026-07-20")
        memo = order.subscription_ids.pause_ids.credit_note_ids
        self.assertFalse(order.subscription_warning)
        with Form(order) as form:
            with form.order_line.edit(0) as line:
                line.product_uom_qty = 4
        self.assertRegex(
            order.subscription_warning,
            f"“Plan” is lower .* {re.escape(memo.name)}.* back to 10",
        )

    def test_lowered_after_the_end_it_credits_served_days_only(self):
        """C4, C9: 60.00 × 10/31 = 19.35; 12.91 stay for 4 of 10."""
        order = self.sell_and_pay()
        self.assert_credited(order, 67.74)
        order.order_line.product_uom_qty = 4
        # Nothing would be credited again.
        self.assertFalse(order.subscription_warning)
        credit_note = self.change(order, 4, day="2026-07-12")
        self.assertEqual(credit_note.amount_total, 19.35)
        self.assertFalse(order.subscription_warning)
        self.assertEqual(order.invoice_status, "invoiced")

    def test_an_order_warns_of_what_it_has_credited_too_much(self):
        """C4: 67.74 + 60.00 of 100.00; whoever cancels it has mended it."""
        order = self.sell_and_pay()
        self.assert_credited(order, 67.74)
        credit_note = self.lower_by_hand(order)
        self.assertRegex(
            order.subscription_warning,
            f"{re.escape(credit_note.name)}.* credits .*27.74 more of “Plan”",
        )
        credit_note.button_draft()
        credit_note.button_cancel()
        order.order_line.product_uom_qty = 10
        self.assertFalse(order.subscription_warning)


@tagged("post_install", "-at_install")
class TestNegativeLines(OrderCreditsCase):
    def test_a_negative_line_beside_something_new_is_a_credit(self):
        """C4: one invoice of 140.00 = 200.00 − 60.00."""
        order = self.sell_and_pay()
        self.add_setup(order)
        invoice = self.change(order, 4)
        self.assertEqual(invoice.move_type, "out_invoice")
        self.assertEqual(invoice.amount_total, 140.0)
        memo = self.assert_credited(order, 27.1)
        self.assertEqual(memo.reversed_entry_id, order.invoice_ids - invoice - memo)

    def test_in_full_what_the_line_has_left(self):
        """C4: 100.00 less 60.00."""
        order = self.sell_and_pay()
        self.add_setup(order)
        self.change(order, 4)
        self.assert_credited(order, 40.0, refund_mode="full")

    def test_each_line_is_ended_for_itself(self):
        """C4: nothing is refused because of a line that goes on."""
        order = self.sell_and_pay(PLAN, SUPPORT)
        self.add_setup(order)
        self.change(order, 4)
        plan, support = order.subscription_ids.sale_subscription_line_ids
        self.assert_credited(order, 27.1, line_ids=plan.ids)
        self.assert_credited(order, 21.0, line_ids=support.ids)

    def test_lowered_beside_a_line_that_was_raised(self):
        """C4: an invoice of 62.00 − 60.00; 40.00 and 93.00 are billed for July.

        All of it is left in a full refund: 2.00 of what was raised were paid on its own
        invoice, 60.00 on the first one.
        """
        for refund_mode, expected in (("prorated", 90.1), ("full", 133.0)):
            order = self.sell_and_pay(PLAN, SUPPORT)
            invoice = self.change(order, 4, 3)
            self.assertEqual(invoice.amount_total, 2.0)
            self.pay(invoice)
            self.assert_credited(order, expected, refund_mode=refund_mode)

    def test_the_same_with_taxes(self):
        """C4, C11: 133.00 and 13.30; the tax report is empty again."""
        order = self.sell_and_pay(
            {**PLAN, "taxes": self.tax}, {**SUPPORT, "taxes": self.tax}
        )
        self.pay(self.change(order, 4, 3))
        self.assert_credited(order, 146.3, refund_mode="full")
        self.assert_report(0.0, 0.0)

    def test_a_draft_keeps_it(self):
        """C4: ending takes no credit off a draft that goes on."""
        order = self.sell_and_pay()
        self.add_setup(order)
        invoice = self.change(order, 4, post=False)
        self.assert_credited(order, 27.1)
        self.assertEqual(invoice.amount_total, 140.0)
        invoice.action_post()
