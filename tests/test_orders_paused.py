# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Paused days of an order that is not invoiced yet are not invoiced (C15, 16.9)."""

from odoo.tests import tagged

from .sales import SalesCase


@tagged("post_install", "-at_install")
class TestOrdersPaused(SalesCase):
    """$31 for July, sold by an order; paused from 11 July on, before it is invoiced."""

    def setUp(self):
        super().setUp()
        self.order = self.sell(31.0)
        self.order.action_confirm()
        self.subscription = self.order.subscription_ids
        self.travel_to("2026-07-11")

    def pause(self, resume_on="2026-08-20"):
        plan = self.subscription._plan_pause(resume_on)
        self.said = " ".join(self.subscription._describe_pause_plan(plan))
        return self.subscription._pause(resume_on)

    def assert_offered(self, amount):
        """The order still invoices so much."""
        self.order.invalidate_recordset()
        self.assertEqual(self.order.amount_to_invoice, amount)
        line = self.order.order_line
        self.assertEqual(line.untaxed_amount_to_invoice, amount)

    def test_the_days_before_are_invoiced(self):
        """C15: ten of 31 days; a full period begins after the pause."""
        self.pause()
        self.assertIn("invoices the days before only", self.said)
        self.assert_offered(10.0)
        invoice = self.invoice(self.order)
        self.assertEqual(invoice.amount_total, 10.0)
        line = invoice.invoice_line_ids
        self.assertEqual(
            (str(line.start_date), str(line.end_date)), ("2026-07-01", "2026-07-10")
        )
        self.assert_offered(0.0)
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-20")
        self.assertIn("paused after July 10", self.order.subscription_end_note)

    def test_paused_on_the_first_day(self):
        """C15: nothing is left to invoice."""
        self.travel_to("2026-07-01")
        self.pause()
        self.assert_offered(0.0)
        self.assertEqual(self.order.invoice_status, "no")

    def test_what_was_paid_stays_on_account(self):
        """C5: $21 of it; ended in the pause, it goes back."""
        self.pay_order(self.order)
        self.pause()
        self.assertIn("$\N{NO-BREAK SPACE}21.00 of what was paid for it", self.said)
        invoice = self.invoice(self.order)
        self.assertEqual((invoice.amount_total, invoice.amount_residual), (10.0, 0.0))
        self.travel_to("2026-07-20")
        self.end(self.subscription, day="2026-07-20", credit_settlement="refund")
        steps = self.subscription.cancellation_ids.step_ids
        refund = steps.filtered(lambda step: step.kind == "refund")
        self.assertEqual(sum(refund.mapped("amount")), 21.0)

    def test_taken_back(self):
        """C15: resumed on the day it began, all is offered again."""
        self.pause()
        self.subscription.action_resume()
        self.assert_offered(31.0)
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-01")

    def test_resumed_early(self):
        """C15: upstream bills from that day on; the order the days before."""
        self.pause()
        self.travel_to("2026-07-15")
        self.subscription.action_resume()
        self.assert_offered(10.0)
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-07-15")

    def test_ended_after_the_pause(self):
        """C9: the end does not offer paused days again, and neither does its undo."""
        self.pause("2026-07-20")
        self.travel_to("2026-07-25")
        self.end(self.subscription, day="2026-07-25", unbilled_charges="drop")
        self.assert_offered(0.0)
        self.subscription.cancellation_ids.action_undo()
        self.assert_offered(10.0)

    def test_a_draft_of_the_order(self):
        """C9: it is dropped; what was served is invoiced, and the order the same."""
        self.invoice(self.order, post=False)
        self.pause()
        self.assert_offered(0.0)
        billed = self.subscription._get_invoices().filtered(
            lambda move: move.state == "posted"
        )
        self.assertEqual(sum(billed.mapped("amount_total")), 10.0)
