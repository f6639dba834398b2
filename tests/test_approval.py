# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Cancellations that somebody has to approve first (D1)."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import CANCELLATION_MANAGER, SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestApproval(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.july = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.policy = self.get_default_policy()
        self.manager = self.create_user(
            SALESPERSON, CANCELLATION_MANAGER, login="manager"
        )
        self.salesperson = self.create_user(SALESPERSON, login="sales")
        self.subscription.user_id = self.salesperson

    def request(self, **options):
        """Request as the salesperson; return the cancellation, as the manager."""
        subscription = self.subscription.with_user(self.salesperson)
        self.answer = subscription.request_cancellation(
            **{"timing": "immediate", **options}
        )
        cancellations = self.subscription.cancellation_ids.with_user(self.manager)
        return cancellations.sorted("id")[-1]

    # === WHEN === #

    def test_always(self):
        """D1: nothing ends and nothing is credited before it is approved."""
        self.policy.approval_always = True
        cancellation = self.request()
        self.assertEqual(self.answer["state"], "to_approve")
        self.assertEqual(
            self.answer["approval_reason"], "every cancellation needs approval"
        )
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertFalse(self.credit_memos(self.subscription))
        cancellation._approve("As agreed")
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 21.0)
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_above_an_amount(self):
        """D1: the credit, tax included, in the company's currency."""
        self.policy.approval_above = 21.0
        self.assertEqual(self.preview()["state"], "done")
        self.policy.approval_above = 20.99
        self.assertEqual(self.preview()["state"], "to_approve")
        self.assertIn("above $\xa020.99", self.preview()["approval_reason"])
        yen = self.create_subscription([3100.0], currency="JPY", start="2026-07-01")
        self.bill(yen, "2026-07-01")
        self.travel_to("2026-07-10")
        self.policy.approval_above = 4199.0
        self.assertEqual(yen.preview_cancellation()["state"], "to_approve")
        self.policy.approval_above = 4200.0
        self.assertEqual(yen.preview_cancellation()["state"], "done")

    def preview(self, **options):
        return self.subscription.preview_cancellation(**options)

    def test_when_something_is_overridden(self):
        """D1: the setting is named."""
        self.policy.approval_on_override = True
        self.assertEqual(self.preview(timing="immediate")["state"], "done")
        preview = self.preview(refund_mode="full")
        self.assertEqual(preview["state"], "to_approve")
        self.assertIn("“Refund Mode”", preview["approval_reason"])

    def test_when_backdated(self):
        """D1: with the switch for backdating."""
        self.policy.write({"allow_backdating": True, "approval_on_backdating": True})
        options = {"timing": "specific_date"}
        backdated = self.preview(requested_date="2026-07-05", **options)
        self.assertEqual(backdated["state"], "to_approve")
        self.assertEqual(
            self.preview(requested_date="2026-07-10", **options)["state"], "done"
        )

    def test_the_dialog_says_so(self):
        """D1: before it is requested."""
        self.policy.approval_always = True
        form = Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=self.subscription.id
            )
        )
        self.assertIn("A cancellation manager has to approve this first", form.preview)

    # === ASK AND DECIDE === #

    def test_managers_get_an_activity(self):
        """D1: those the policy names, else all of the company."""
        self.policy.approval_always = True
        self.policy.approver_ids = self.manager
        cancellation = self.request()
        self.assertEqual(cancellation.activity_ids.user_id, self.manager)
        cancellation._approve()
        self.assertFalse(cancellation.activity_ids)
        self.policy.approver_ids = False
        self.assertIn(self.manager, self.policy._get_approvers())
        self.assertNotIn(self.salesperson, self.policy._get_approvers())

    def test_both_are_on_the_record(self):
        """D4: who decided, when, and why."""
        self.policy.approval_always = True
        cancellation = self.request()
        cancellation._refuse("Paid until December")
        self.assertEqual(cancellation.state, "refused")
        self.assertEqual(cancellation.decision_user_id, self.manager)
        self.assertEqual(cancellation.decision_comment, "Paid until December")
        self.assertEqual(str(cancellation.decision_date), "2026-07-10 00:00:00")
        self.assertEqual(cancellation.requested_by_id, self.salesperson)

    def test_refused_everything_goes_on(self):
        """D1: billing, and another request."""
        self.policy.approval_always = True
        self.request(timing="end_of_period")._refuse("No")
        line = self.subscription.sale_subscription_line_ids
        self.assertFalse(line.cancellation_date)
        self.assertTrue(self.bill(self.subscription))
        self.policy.approval_always = False
        self.assertEqual(self.cancel(self.subscription)["state"], "done")

    def test_a_refusal_needs_a_reason(self):
        """D1: an empty one does not do."""
        self.policy.approval_always = True
        cancellation = self.request()
        for comment in (None, "", "  "):
            with self.assertRaisesRegex(UserError, "Say why"):
                cancellation._refuse(comment)
        self.assertEqual(cancellation.state, "to_approve")

    def test_approved_for_later_it_is_scheduled(self):
        """D1, B7: as if it had been requested then."""
        self.policy.approval_always = True
        cancellation = self.request(timing="end_of_period")
        self.assertFalse(self.subscription.cancellation_date)
        cancellation._approve()
        self.assertEqual(cancellation.state, "scheduled")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")

    def test_the_decision_does_not_cost_the_customer_days(self):
        """D1: requested on the 10th, approved on the 20th: ends on the 10th."""
        self.policy.approval_always = True
        cancellation = self.request()
        self.travel_to("2026-07-20")
        cancellation._approve()
        self.assertEqual(str(cancellation.last_service_date), "2026-07-10")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 21.0)

    def test_nothing_is_billed_beyond_a_date_that_is_not_decided(self):
        """B7, D1: until it is; a refusal lets billing catch up."""
        self.policy.approval_always = True
        cancellation = self.request(timing="end_of_period")
        self.assertFalse(self.bill(self.subscription, "2026-08-01"))
        with self.assertRaisesRegex(UserError, "waits for approval"):
            self.subscription.manual_invoice()
        self.travel_to("2026-08-03")
        cancellation._refuse("Stays")
        august = self.bill(self.subscription, "2026-08-03")
        self.assertEqual(str(august.invoice_line_ids.start_date), "2026-08-01")

    def test_not_executed_by_the_scheduled_action(self):
        """D1: it waits for a person."""
        self.policy.approval_always = True
        cancellation = self.request(timing="end_of_period")
        self.travel_to("2026-08-02")
        self.assertNotIn(
            cancellation, cancellation.search(cancellation._get_due_domain())
        )
        cancellation._approve()
        self.assertEqual(cancellation.state, "done")

    def test_withdrawn_by_who_requested_it(self):
        """B12, D1: also after the date, as it was never decided."""
        self.policy.approval_always = True
        cancellation = self.request(timing="end_of_period")
        self.travel_to("2026-08-02")
        self.subscription.with_user(self.salesperson).revoke_cancellation()
        self.assertEqual(cancellation.state, "revoked")
        self.assertFalse(cancellation.activity_ids)

    def test_a_second_request_waits_for_the_first(self):
        """B11, D1: with the way out."""
        self.policy.approval_always = True
        self.request()
        with self.assertRaisesRegex(UserError, "already waits for approval"):
            self.request()
        self.assertIn("waits for approval", self.subscription.cannot_cancel_reason)

    def test_a_line_that_waits_does_not_keep_the_whole_from_ending(self):
        """D1: the undecided request becomes obsolete."""
        self.add_line(self.subscription, {"name": "Second"})
        self.policy.approval_always = True
        line = self.get_line(self.subscription, "Line 1")
        pending = self.request(line_ids=line.ids)
        self.policy.approval_always = False
        self.cancel(self.subscription, "2026-07-12")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(pending.state, "revoked")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 19.0)

    def test_a_line_that_waits_is_ended_by_the_scheduled_end_of_the_whole(self):
        """D1: whose rows do not collide with the ones that wait."""
        self.add_line(self.subscription, {"name": "Second"})
        self.policy.approval_always = True
        line = self.get_line(self.subscription, "Line 1")
        pending = self.request(
            timing="specific_date", requested_date="2026-07-15", line_ids=line.ids
        )
        self.policy.approval_always = False
        self.cancel(self.subscription, timing="end_of_period", refund_mode="none")
        self.travel_to("2026-08-01")
        whole = self.subscription.cancellation_ids - pending
        whole._execute_batch()
        self.assertFalse(whole.failure_message)
        self.assertEqual((whole.state, pending.state), ("done", "revoked"))

    def test_what_waits_does_not_replace_what_is_scheduled(self):
        """D1: else a refusal would lose the scheduled one."""
        self.add_line(self.subscription, {"name": "Second"})
        line = self.get_line(self.subscription, "Line 1")
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.policy.approval_always = True
        with self.assertRaisesRegex(UserError, "cannot replace"):
            self.cancel(self.subscription, line_ids=line.ids)

    # === WHO === #

    def test_only_a_manager_decides(self):
        """D1: checked in Python at the verb."""
        self.policy.approval_always = True
        cancellation = self.request().with_user(self.salesperson)
        self.assertFalse(cancellation.can_decide)
        for verb in (cancellation._approve, lambda: cancellation._refuse("No")):
            with self.assertRaisesRegex(AccessError, "Only a cancellation manager"):
                verb()
        with self.assertRaises(AccessError):
            cancellation.action_decide()

    def test_nobody_decides_on_their_own_request_unless_allowed(self):
        """D1: four eyes."""
        self.policy.approval_always = True
        subscription = self.subscription.with_user(self.manager)
        subscription.request_cancellation(timing="immediate")
        cancellation = subscription.cancellation_ids
        with self.assertRaisesRegex(AccessError, "wants another manager to decide"):
            cancellation._approve()
        self.policy.allow_own_approval = True
        cancellation._approve()
        self.assertEqual(cancellation.state, "done")

    def test_decided_once(self):
        """D1: two managers, one decision."""
        self.policy.approval_always = True
        cancellation = self.request()
        cancellation._refuse("No")
        with self.assertRaisesRegex(UserError, "does not wait for approval"):
            cancellation._approve()

    def test_the_dialog(self):
        """D1: approve or refuse, with the reason."""
        self.policy.approval_always = True
        cancellation = self.request()
        action = cancellation.action_decide()
        Dialog = self.env[action["res_model"]].with_user(self.manager)
        form = Form(Dialog.with_context(**action["context"]))
        self.assertIn("because every cancellation needs approval", form.preview)
        self.assertIn("A credit memo of $\xa021.00", form.preview)
        form.comment = "Fine"
        form.save().action_approve()
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.decision_comment, "Fine")

    def test_moved_to_where_it_would_need_approval(self):
        """D1, B13: changing the date is no way around it."""
        self.policy.approval_above = 5.0
        self.cancel(self.subscription, timing="end_of_period")
        with self.assertRaisesRegex(UserError, "would need approval"):
            self.subscription.postpone_cancellation(requested_date="2026-07-15")

    def test_tried_again_where_it_would_need_approval(self):
        """B7, D1: "Retry" is no way around the limit either."""
        cancellation = self.request(timing="specific_date", requested_date="2026-07-15")
        account = self.july.invoice_line_ids.account_id.copy({"code": "RETRY"})
        self.july.invoice_line_ids.account_id = account
        account.active = False
        self.travel_to("2026-07-16")
        cancellation.sudo()._execute_batch()
        self.assertEqual(cancellation.state, "failed")
        account.active = True
        self.policy.approval_above = 15.0
        cancellation.with_user(self.salesperson).action_retry()
        self.assertEqual(cancellation.state, "to_approve")
        self.assertFalse(self.credit_memos(self.subscription))
        self.assertEqual(
            cancellation.activity_ids.user_id, self.policy._get_approvers()
        )
        cancellation._approve()
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 16.0)
