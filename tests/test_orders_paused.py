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


@tagged("post_install", "-at_install")
class TestDraftWithDownPayment(SalesCase):
    """$310 for July and a set-up of $20, half of it paid down; the rest is a draft."""

    def setUp(self):
        super().setUp()
        item = self.create_product(name="Set-up", invoice_policy="order")
        item.product_tmpl_id.subscribable = False
        self.order = self.sell(
            {"price_unit": 310.0}, {"price_unit": 20, "product": item}
        )
        self.order.action_confirm()
        self.subscription = self.order.subscription_ids
        self.pay(self.invoice(self.order, "percentage", 50.0))
        self.draft = self.invoice(self.order, post=False)
        self.assertEqual(self.draft.amount_total, 165.0)
        self.travel_to("2026-07-11")

    def assert_given_back(self, records, total):
        """Somebody is asked to press Create Invoice; that gives the rest back."""
        [activity] = records.activity_ids
        self.assertIn("Create Invoice", activity.note)
        memo = self.invoice(self.order)
        self.assertEqual((memo.move_type, memo.amount_total), ("out_refund", total))
        self.assert_books_fit()

    def test_paused_meanwhile(self):
        """C15, B7: $165 are paid, ten days cost $100, the set-up $20."""
        pause = self.subscription._pause("2026-08-20")
        self.assertRecordValues(
            self.draft,
            [{"move_type": "out_invoice", "state": "draft", "amount_total": 20.0}],
        )
        charged = pause.move_ids.filtered(lambda move: move.move_type == "out_invoice")
        self.assertEqual(charged.amount_total, 100.0)
        self.assert_given_back(self.order, 165.0)
        self.draft.action_post()

    def test_ended_meanwhile(self):
        """C15, C9: the order takes the draft back, and invoices the served days."""
        with self.env.cr.savepoint() as savepoint:
            preview = self.subscription.preview_cancellation(timing="immediate")
            savepoint.rollback()
        self.end(self.subscription, day="2026-07-11")
        [cancellation] = self.subscription.cancellation_ids
        self.assertIn("To be invoiced with order", str(preview))
        self.assertEqual(self.draft.state, "cancel")
        [step] = cancellation.step_ids.filtered(lambda step: step.kind == "unbilled")
        self.assertEqual((step.state, step.amount), ("skipped", 110.0))
        self.assert_given_back(cancellation, 35.0)

    def test_one_line_ends_meanwhile(self):
        """C15, C9: its days are invoiced by themselves, the order gives back."""
        self.order = self.sell(310.0, 62.0)
        self.order.action_confirm()
        self.pay(self.invoice(self.order, "percentage", 50.0))
        draft = self.invoice(self.order, post=False)
        subscription = self.order.subscription_ids
        line = subscription.sale_subscription_line_ids[0]
        self.end(subscription, day="2026-07-11", line_ids=line.ids)
        self.assertRecordValues(draft, [{"state": "draft", "amount_total": 62.0}])
        cancellation = subscription.cancellation_ids
        self.assertEqual(cancellation.step_ids.move_id.mapped("amount_total"), [110.0])
        self.assert_given_back(cancellation, 186.0)
        draft.action_post()

    def test_undone(self):
        """B15: the draft of the order is there again, as it was."""
        self.end(self.subscription, day="2026-07-10")
        self.subscription.cancellation_ids.action_undo()
        self.assertRecordValues(
            self.draft,
            [{"move_type": "out_invoice", "state": "draft", "amount_total": 165.0}],
        )
        self.assert_books_fit()

    def test_enough_is_left_to_deduct_it_from(self):
        """C15: then it stays the invoice that it was."""
        self.order.order_line[1].price_unit = 400.0
        self.draft.unlink()
        draft = self.invoice(self.order, post=False)
        self.subscription._pause("2026-08-20")
        self.assertEqual((draft.move_type, draft.amount_total), ("out_invoice", 235.0))
