# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What else happens to a subscription that has a scheduled cancellation (B7, B16)."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestScheduledLife(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0, 62.0])
        self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-10"
        )
        self.cancellation = self.subscription.cancellation_ids
        self.reason = self.env.ref("subscription_oca.close_reason_expensive")

    def run_nights(self, *days):
        """Run both scheduled actions on these days, upstream's first."""
        for day in days:
            self.travel_to(day)
            self.env["sale.subscription"].cron_subscription_management()
            drafts = self.subscription._get_invoices().filtered(
                lambda move: move.state == "draft"
            )
            drafts.action_post()
            self.subscription.cancellation_ids._execute_if_due()

    def assert_ended(self, credit):
        """Check that it has ended for good, once, with this credit."""
        self.assertEqual(self.cancellation.state, "done")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        memos = self.credit_memos(self.subscription)
        self.assertEqual(sum(memos.mapped("amount_total")), credit)
        count = len(self.subscription._get_invoices())
        self.run_nights("2026-09-01", "2026-10-01")
        self.assertEqual(len(self.subscription._get_invoices()), count)
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_nothing_happens_to_it(self):
        """B7: the rest of this file is compared with this."""
        self.run_nights("2026-08-01", "2026-08-11")
        self.assert_ended(63.0)

    def test_closed_earlier_by_upstream_s_dialog(self):
        """B16: the reason is recorded, the credit is for the earlier date."""
        dialog = self.env["close.reason.wizard"].with_context(
            active_id=self.subscription.id
        )
        with self.assertRaisesRegex(UserError, "Revoke that cancellation first"):
            dialog.create({"close_reason_id": self.reason.id}).button_confirm()
        self.subscription.revoke_cancellation()
        dialog.create({"close_reason_id": self.reason.id}).button_confirm()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(self.subscription.close_reason_id, self.reason)
        done = self.subscription.cancellation_ids - self.cancellation
        self.assertEqual((done.reason_id, done.credit_total), (self.reason, 63.0))

    def test_paused(self):
        """B7: it ends on its date all the same; nothing is billed while paused."""
        self.subscription.action_pause()
        self.run_nights("2026-08-01", "2026-08-11")
        self.assert_ended(0.0)

    def test_paused_and_resumed_after_the_date(self):
        """B7: resuming a pause revives nothing."""
        self.subscription.action_pause("2026-08-20")
        self.run_nights("2026-08-11", "2026-08-20", "2026-08-21")
        self.assert_ended(0.0)

    def test_started_again(self):
        """B7: neither the button nor a stage makes it begin anew."""
        self.subscription.action_start_subscription()
        self.assertEqual(str(self.subscription.date_start), "2026-07-01")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.run_nights("2026-08-01", "2026-08-11")
        self.assert_ended(63.0)

    def test_moved_to_an_earlier_stage(self):
        """B7: refused, as it would stop billing without an end."""
        draft = self.env.ref("subscription_oca.subscription_stage_draft")
        with self.assertRaisesRegex(UserError, "cannot be moved back"):
            self.subscription.stage_id = draft

    def test_another_template_of_the_same_term(self):
        """B7: the cancellation stays."""
        self.subscription.template_id = self.create_template("1 months")
        self.run_nights("2026-08-01", "2026-08-11")
        self.assert_ended(63.0)

    def test_price_and_quantity_changed(self):
        """B7, C1: August is billed at the new price, and credited at it."""
        line = self.get_line(self.subscription, "Line 1")
        line.write({"price_unit": 62.0, "product_uom_qty": 3.0})
        self.run_nights("2026-08-01", "2026-08-11")
        self.assert_ended(42.0 + 126.0)

    def test_a_line_added(self):
        """B7: it ends with the rest and is credited."""
        self.add_line(self.subscription, {"name": "New", "price_unit": 3.1})
        self.run_nights("2026-08-01", "2026-08-11")
        self.assert_ended(63.0 + 2.1)

    def test_a_line_taken_off(self):
        """B7: a billed line is deactivated, not deleted; that is refused now."""
        line = self.get_line(self.subscription, "Line 1")
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            line.unlink()
        with self.assertRaisesRegex(UserError, "Revoke that cancellation first"):
            line.action_deactivate()

    def test_deleted(self):
        """B7: refused, the history is kept."""
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            self.subscription.unlink()

    def test_archived(self):
        """B7, A2: refused until then; what an older version hid ends on its date."""
        with self.assertRaisesRegex(UserError, "Archive it once it is cancelled"):
            self.subscription.active = False
        self.env.cr.execute(
            "UPDATE sale_subscription SET active = FALSE WHERE id = %s",
            [self.subscription.id],
        )
        self.subscription.invalidate_recordset()
        self.run_nights("2026-08-11")
        self.assertEqual(self.cancellation.state, "done")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_copied(self):
        """B7: the copy is a new draft without end, policy or history."""
        copy = self.subscription.copy()
        self.assertEqual(copy.cancellation_state, "active")
        self.assertFalse(copy.cancellation_date)
        self.assertFalse(copy.cancellation_ids)
        self.assertFalse(copy.in_progress)
        self.assertEqual(copy.stage_id.type, "draft")

    def test_the_contract_end_comes_first(self):
        """B16, B7: the term is over before the date; nothing is orphaned."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=3
        )
        limited = self.create_subscription(template=template, start="2026-07-10")
        self.bill(limited, "2026-07-10")
        self.cancel(limited, timing="end_of_term")
        limited.date = "2026-08-20"
        self.travel_to("2026-08-20")
        self.env["sale.subscription"].cron_subscription_management()
        self.assertEqual(limited.cancellation_state, "cancelled")
        self.assertFalse(limited.cancellation_ids.filtered("is_open"))
        self.assertIn("end_of_term", limited.cancellation_ids.reason_id.mapped("code"))

    def test_another_customer(self):
        """B7: the credit memo goes to whom the invoice went."""
        invoice = self.subscription._get_invoices()
        self.subscription.partner_id = self.create_customer(name="Deco Addict")
        self.run_nights("2026-08-11")
        self.assertEqual(self.cancellation.state, "done")
        for memo in self.credit_memos(self.subscription):
            self.assertEqual(memo.partner_id, memo.reversed_entry_id.partner_id)
        self.assertEqual(invoice.partner_id.name, "Azure Interior")

    def test_a_cancelled_one_is_not_revived_by_accident(self):
        """B7: neither by a stage, the button, a pause, a template nor a line."""
        self.cancellation._revoke()
        self.cancel(self.subscription)
        running = self.env.ref("subscription_oca.subscription_stage_in_progress")
        with self.assertRaisesRegex(UserError, "Reactivate"):
            self.subscription.stage_id = running
        with self.assertRaisesRegex(UserError, "Reactivate"):
            self.subscription.action_start_subscription()
        with self.assertRaises(UserError):
            self.subscription.action_pause()
        self.subscription.template_id = self.create_template("1 years")
        self.add_line(self.subscription, {"name": "New"})
        self.run_nights("2026-08-01", "2026-09-01")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(len(self.subscription._get_invoices()), 1)
