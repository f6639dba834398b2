# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""States, proof, preview and rights (D4, D5, E1)."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from odoo.addons.subscription_cancellation.engine import RECORDS, let_write

from .common import CANCELLATION_USER, INVOICING, SALESPERSON, CancellationCase

STATES = ("to_approve", "scheduled", "done", "revoked", "refused", "failed")
ALLOWED = {
    ("to_approve", "scheduled"),
    ("to_approve", "refused"),
    ("to_approve", "revoked"),
    ("scheduled", "done"),
    ("scheduled", "revoked"),
    ("scheduled", "failed"),
    ("scheduled", "to_approve"),
    ("failed", "scheduled"),
    ("failed", "revoked"),
}


@tagged("post_install", "-at_install")
class TestControl(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def schedule(self, subscription=None):
        """Schedule a cancellation for the end of the period and return it."""
        subscription = subscription or self.subscription
        self.cancel(subscription, timing="end_of_period")
        return subscription.cancellation_ids[:1].sudo()

    def in_state(self, state):
        """Return a cancellation that reached a state on the product's own ways."""
        policy = self.get_default_policy()
        policy.approval_always = state in ("to_approve", "refused")
        cancellation = self.schedule(self.create_subscription([31.0]))
        if state == "refused":
            cancellation._refuse("No reason.")
        elif state == "done":
            cancellation._execute()
        elif state == "revoked":
            cancellation._revoke()
        elif state == "failed":
            cancellation._fail("No reason.")
        return cancellation

    # === STATES === #

    def test_every_transition_is_allowed_or_refused(self):
        """D4: one gate writes the state and knows what may follow."""
        # A state alone, without what makes it true.
        self.books_fit = False
        for state in STATES:
            for target in STATES:
                with self.subTest(state=state, target=target):
                    cancellation = self.in_state(state)
                    self.assertEqual(cancellation.state, state)
                    self.check_transition(cancellation, target)

    def check_transition(self, cancellation, target):
        engine = let_write(cancellation, RECORDS)
        if (cancellation.state, target) in ALLOWED:
            engine._set_state(target)
            self.assertEqual(cancellation.state, target)
            return
        with self.assertRaisesRegex(UserError, "cannot become"):
            engine._set_state(target)

    def test_failed_can_be_tried_again(self):
        """D4: the cause mended, Try Again ends and credits it."""
        account = self.subscription.invoice_ids.invoice_line_ids.account_id
        cancellation = self.schedule()
        account.active = False
        self.travel_to("2026-08-01")
        # All is served by then, so only a full refund needs the account.
        let_write(cancellation, RECORDS).refund_mode = "full"
        cancellation._execute_or_fail()
        self.assertEqual(cancellation.state, "failed")
        self.assertIn("is archived", cancellation.failure_message)
        self.assertEqual(cancellation.activity_ids.user_id, self.subscription.user_id)
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        account.active = True
        cancellation.action_retry()
        self.assertEqual(cancellation.state, "done")
        self.assertFalse(cancellation.activity_ids)
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 31.0)

    # === PROOF === #

    def test_record_says_who_when_how_and_why(self):
        """D4: requested, done, by whom, channel, method, reason, comment, credit."""
        user = self.create_user(SALESPERSON)
        self.cancel(
            self.subscription.with_user(user),
            reason_code="too_expensive",
            comment="Found a cheaper one",
        )
        self.assertRecordValues(
            self.subscription.cancellation_ids,
            [
                {
                    "state": "done",
                    "channel": "api",
                    "timing": "immediate",
                    "requested_by_id": user.id,
                    "comment": "Found a cheaper one",
                    "credit_total": 21.0,
                    "refund_mode": "prorated",
                    "is_whole": True,
                }
            ],
        )
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.reason_id.code, "too_expensive")
        self.assertEqual(str(cancellation.request_date), "2026-07-10 00:00:00")
        self.assertEqual(str(cancellation.executed_date), "2026-07-10 00:00:00")
        self.assertRegex(cancellation.name, r"^CAN/2026/\d{5}$")
        self.assertEqual(self.subscription.close_reason_id.code, "too_expensive")

    def test_finished_record_cannot_be_changed_or_deleted(self):
        """D4: not even by the superuser."""
        for state in ("done", "revoked"):
            cancellation = self.in_state(state)
            with self.assertRaisesRegex(UserError, "kept as proof"):
                cancellation.comment = "Else"
            with self.assertRaisesRegex(UserError, "kept as proof"):
                cancellation.line_ids.credit_untaxed = 1.0
            with self.assertRaisesRegex(UserError, "kept as proof"):
                cancellation.line_ids.unlink()
            with self.assertRaisesRegex(UserError, "kept as proof"):
                cancellation.unlink()

    def test_nobody_writes_through_the_front_door(self):
        """D4: no group may create, write or delete a cancellation."""
        cancellation = self.schedule()
        manager = self.create_user("sales_team.group_sale_manager")
        as_manager = cancellation.with_user(manager)
        self.assertEqual(as_manager.state, "scheduled")
        with self.assertRaises(AccessError):
            as_manager.comment = "Else"
        with self.assertRaises(AccessError):
            as_manager.unlink()
        with self.assertRaises(AccessError):
            as_manager.copy()

    def test_notes_and_activities_stay_possible(self):
        """D4, E1: people may talk about a finished cancellation."""
        cancellation = self.in_state("done")
        user = self.create_user(SALESPERSON)
        cancellation.with_user(user).message_post(body="Called the customer.")
        self.assertIn("Called", cancellation.message_ids[0].body)

    # === PREVIEW === #

    def test_preview_is_what_is_posted(self):
        """D5: the same figures, to the cent."""
        preview = self.subscription.preview_cancellation()
        result = self.cancel(self.subscription)
        for key in set(preview) - {"cancellation_id", "warnings"}:
            self.assertEqual(preview[key], result[key], key)
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.amount_untaxed, preview["credit_untaxed"])
        self.assertEqual(memo.amount_tax, preview["credit_tax"])

    def test_preview_writes_nothing(self):
        """D5: no record, no number of a sequence, no query but reads."""
        before = self.env["subscription.cancellation"].search_count([])
        preview = self.subscription.preview_cancellation(timing="end_of_period")
        self.env.flush_all()
        self.assertFalse(preview["cancellation_id"])
        self.assertEqual(preview["state"], "scheduled")
        after = self.env["subscription.cancellation"].search_count([])
        self.assertEqual(before, after)
        self.assertFalse(self.subscription.cancellation_date)

    def test_confirming_what_is_no_longer_true_is_refused(self):
        """D5: credited in the meantime; the new figure is told."""
        form = Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=self.subscription.id
            )
        )
        wizard = form.save()
        self.subscription.invoice_ids._reverse_moves()[0].action_post()
        with self.assertRaisesRegex(
            UserError, r"credit would be \$\s0.00 instead of \$\s21.00"
        ):
            wizard.action_confirm()
        self.assertEqual(self.subscription.cancellation_state, "active")

    # === RIGHTS === #

    def test_without_the_right_nothing_is_cancelled(self):
        """D4: refused at the verb, in Python."""
        user = self.create_user("base.group_user", INVOICING)
        subscription = self.subscription.with_user(user)
        for verb in ("preview_cancellation", "request_cancellation"):
            with self.assertRaises(AccessError):
                getattr(subscription, verb)()

    def test_who_cannot_read_a_subscription_cannot_cancel_it(self):
        """D4: a record rule of one's own counts for every verb."""
        self.env["ir.rule"].create(
            {
                "name": "Own subscriptions only",
                "model_id": self.env["ir.model"]._get_id("sale.subscription"),
                "domain_force": "[('user_id', '=', user.id)]",
                "groups": [Command.link(self.env.ref(CANCELLATION_USER).id)],
            }
        )
        user = self.create_user("base.group_user", CANCELLATION_USER)
        subscription = self.subscription.with_user(user)
        for verb in ("preview_cancellation", "request_cancellation"):
            with self.assertRaises(AccessError):
                getattr(subscription, verb)()
        self.subscription.user_id = user
        self.assertEqual(subscription.request_cancellation()["state"], "done")

    def test_the_cancellation_right_alone_changes_no_subscription(self):
        """D4: it opens subscriptions for reading, and ends them by its verbs only."""
        user = self.create_user("base.group_user", CANCELLATION_USER)
        subscription = self.subscription.with_user(user)
        line = subscription.sale_subscription_line_ids
        records = (
            subscription,
            line,
            subscription.template_id,
            subscription.stage_id,
            subscription.tag_ids,
            subscription.close_reason_id,
        )
        for record in records:
            with self.subTest(model=record._name):
                self.assertTrue(record.has_access("read"))
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(record.has_access(operation))

    def test_revoking_is_for_the_requester_and_managers(self):
        """B12: a colleague cannot, a manager can."""
        requester = self.create_user(SALESPERSON, login="requester")
        colleague = self.create_user(SALESPERSON, login="colleague")
        manager = self.create_user("sales_team.group_sale_manager", login="manager")
        for user in (requester, manager):
            self.cancel(self.subscription.with_user(requester), timing="end_of_period")
            with self.assertRaisesRegex(AccessError, "was requested by requester"):
                self.subscription.with_user(colleague).revoke_cancellation()
            self.subscription.with_user(user).revoke_cancellation()
            self.assertEqual(self.subscription.cancellation_state, "active")

    def test_another_company_is_out_of_reach(self):
        """D4: record rules by company."""
        cancellation = self.schedule()
        other = self.env["res.company"].create({"name": "Other"})
        user = self.create_user(SALESPERSON, company_id=other.id)
        found = self.env["subscription.cancellation"].with_user(user).search([])
        self.assertNotIn(cancellation, found)
        with self.assertRaises(AccessError):
            self.subscription.with_user(user).request_cancellation()

    def test_every_company_has_a_policy(self):
        """D4: also one that is created later."""
        other = self.env["res.company"].create({"name": "Other"})
        policies = self.env["subscription.cancellation.policy"].search(
            [("company_id", "=", other.id)]
        )
        self.assertEqual(policies.mapped("refund_mode"), ["prorated"])

    # === SCREENS === #

    def test_smart_buttons_lead_there_and_back(self):
        """E1: cancellations, credit memos, and from the cancellation back."""
        self.cancel(self.subscription)
        cancellation = self.subscription.cancellation_ids
        memo = cancellation.credit_note_ids
        self.assertEqual(self.subscription.cancellation_count, 1)
        self.assertEqual(self.subscription.credit_note_count, 1)
        self.assertEqual(
            self.subscription.action_view_credit_notes()["res_id"], memo.id
        )
        self.assertEqual(cancellation.action_view_credit_notes()["res_id"], memo.id)
        self.assertEqual(
            cancellation.action_view_subscription()["res_id"], self.subscription.id
        )
        domain = self.subscription.action_view_cancellations()["domain"]
        self.assertEqual(cancellation.search(domain), cancellation)

    def test_invoices_button_shows_invoices_only(self):
        """E1: credit memos have a button of their own."""
        self.cancel(self.subscription)
        self.assertEqual(self.subscription.account_invoice_ids_count, 1)
        domain = self.subscription.action_view_account_invoice_ids()["domain"]
        moves = self.env["account.move"].search(domain)
        self.assertEqual(moves.mapped("move_type"), ["out_invoice"])

    def test_deactivated_lines_stay_visible_with_when_and_why(self):
        """E1: in a tab of their own."""
        self.cancel(self.subscription, reason_code="missing_features")
        line = self.subscription.archived_line_ids
        self.assertEqual(str(line.cancellation_date), "2026-07-11")
        self.assertEqual(line.cancellation_reason_id.code, "missing_features")

    def test_history_tells_of_the_end_in_one_message(self):
        """E1: what ended and what was credited, and the change of the stage."""
        # As if it had been created before.
        self.env.cr.flush()
        before = self.subscription.message_ids
        self.cancel(self.subscription)
        [message] = self.subscription.message_ids - before
        self.assertRegex(message.body, r"July 10, 2026\. Credit memo: .*21\.00")
        self.assertIn("stage_id", message.tracking_value_ids.field_id.mapped("name"))

    def test_history_tells_of_what_is_undone_at_once(self):
        """E1, B13: in one transaction, too, with the amount that was credited."""
        self.env.cr.flush()
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription()
        self.env.cr.flush()
        bodies = " ".join(self.subscription.message_ids.mapped("body"))
        self.assertRegex(bodies, r"July 10, 2026\. Credit memo: .*21\.00")

    def test_history_of_the_subscription_tells_the_story(self):
        """E1: scheduled, revoked and done are in the chatter."""
        self.schedule()
        self.subscription.revoke_cancellation()
        self.cancel(self.subscription)
        bodies = " ".join(self.subscription.message_ids.mapped("body"))
        self.assertIn("scheduled: service ends on July 31, 2026", bodies)
        self.assertIn("revoked: billing goes on", bodies)
        self.assertRegex(
            bodies, r"service ends on July 10, 2026\. Credit memo: .*21\.00"
        )
