# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The core: what ends, what is credited, what an add-on is (A1-A7)."""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestCore(CancellationCase):
    def test_refund_mode_comes_from_the_policy_until_it_is_changed(self):
        """A1: defaulted from the policy, changed on the subscription."""
        subscription = self.create_subscription()
        policy = self.get_default_policy()
        self.assertEqual(subscription.refund_mode, "prorated")
        policy.refund_mode = "none"
        subscription.invalidate_recordset(["refund_mode"])
        self.assertEqual(subscription.refund_mode, "none")
        subscription.refund_mode = "full"
        policy.refund_mode = "prorated"
        subscription.invalidate_recordset(["refund_mode"])
        self.assertEqual(subscription.refund_mode, "full")

    def test_refund_mode_of_the_subscription_is_the_default_of_a_request(self):
        """A1: what the subscription says is done where nothing else is asked for."""
        subscription = self.create_subscription()
        self.bill(subscription)
        subscription.refund_mode = "none"
        self.assertEqual(self.cancel(subscription, "2026-07-10")["credit_total"], 0.0)
        self.assertFalse(self.credit_memos(subscription))

    def test_policy_forced_on_the_subscription_wins(self):
        """A1: a policy of its own decides before the company's first one."""
        policy = self.env["subscription.cancellation.policy"].create(
            {"name": "Kind", "sequence": 99, "refund_mode": "full"}
        )
        subscription = self.create_subscription(cancellation_policy_id=policy.id)
        self.assertEqual(subscription.refund_mode, "full")

    def test_deactivate_opens_a_dialog_that_cancels(self):
        """A2: the button opens the dialog, the dialog's button cancels."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-10")
        action = subscription.action_deactivate()
        dialog = self.env[action["res_model"]].with_context(**action["context"])
        with Form(dialog) as form:
            self.assertIn("Service ends on July 10, 2026.", form.preview)
            self.assertIn("July 11, 2026 – July 31, 2026", form.preview)
        form.record.action_confirm()
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(subscription.cancellation_ids.channel, "backend")
        self.assertEqual(self.credit_memos(subscription).amount_total, 21.0)

    def test_dialog_says_what_is_missing_instead_of_failing(self):
        """A2: a specific date without a date is explained, not raised."""
        subscription = self.create_subscription()
        form = Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=subscription.id
            )
        )
        form.timing = "specific_date"
        self.assertFalse(form.preview)
        self.assertIn("Choose the date", form.problem)

    def test_upstream_close_button_opens_our_dialog(self):
        """A2: upstream's Close subscription is no way around it."""
        subscription = self.create_subscription()
        action = subscription.action_close_subscription()
        self.assertEqual(action["res_model"], "subscription.cancellation.wizard")

    def test_upstreams_close_method_goes_through_a_cancellation(self):
        """A2: with the policy's credit and a record of it."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-10")
        subscription.with_user(self.create_user(SALESPERSON)).close_subscription()
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(subscription.cancellation_ids.channel, "backend")
        self.assertEqual(self.credit_memos(subscription).amount_total, 21.0)

    def test_end_of_a_fixed_term_is_a_cancellation_without_credit(self):
        """A2: upstream's scheduled action closes; everything was served."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        subscription = self.create_subscription(template=template)
        subscription.refund_mode = "full"
        self.bill(subscription)
        self.travel_to("2026-08-01")
        self.env["sale.subscription"].cron_subscription_management()
        cancellation = subscription.cancellation_ids
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(cancellation.reason_id.code, "end_of_term")
        self.assertEqual(str(cancellation.last_service_date), "2026-07-31")
        self.assertFalse(cancellation.credit_note_ids)
        self.assertEqual(subscription.account_invoice_ids_count, 1)

    def test_a_copy_is_a_draft(self):
        """A2: nothing of the original's life is copied."""
        subscription = self.create_subscription()
        copy = subscription.copy()
        self.assertFalse(copy.in_progress)
        self.assertEqual(copy.cancellation_state, "active")

    def test_stage_cannot_be_closed_by_hand(self):
        """A2: neither the status bar nor the kanban board can close."""
        subscription = self.create_subscription()
        closed = self.env.ref("subscription_oca.subscription_stage_closed")
        with self.assertRaisesRegex(UserError, "use Deactivate"):
            subscription.stage_id = closed
        with self.assertRaisesRegex(UserError, "use Deactivate"):
            subscription.with_context(closing=True).stage_id = closed

    def test_stage_cannot_be_reopened_by_hand(self):
        """A2: a cancelled subscription is not revived by moving its stage."""
        subscription = self.create_subscription()
        self.cancel(subscription)
        with self.assertRaisesRegex(UserError, "cannot be moved back"):
            subscription.action_start_subscription()

    def test_no_refund_makes_no_document(self):
        """A3: the subscription ends and nothing is created."""
        subscription = self.create_subscription()
        self.bill(subscription)
        result = self.cancel(subscription, "2026-07-10", refund_mode="none")
        self.assertEqual(result["state"], "done")
        self.assertEqual(result["credit_total"], 0.0)
        self.assertFalse(self.credit_memos(subscription))
        self.assertEqual(subscription.stage_type, "post")

    def test_credit_memo_is_posted_and_linked_per_invoice(self):
        """A4: one posted credit memo per invoice, period on every line."""
        subscription = self.create_subscription([31.0, 62.0])
        july, august = self.bill(subscription), self.bill(subscription, "2026-07-02")
        self.cancel(subscription, "2026-07-10")
        memos = self.credit_memos(subscription).sorted("reversed_entry_id")
        self.assertEqual(memos.reversed_entry_id, july | august)
        self.assertRecordValues(
            memos.sorted(lambda memo: memo.reversed_entry_id.id),
            [
                {"state": "posted", "amount_total": 63.0},
                {"state": "posted", "amount_total": 93.0},
            ],
        )
        for line in memos.invoice_line_ids:
            self.assertTrue(line.start_date and line.end_date)
            self.assertEqual(
                line.origin_line_id.move_id, line.move_id.reversed_entry_id
            )
            self.assertEqual(
                line.subscription_line_id, line.origin_line_id.subscription_line_id
            )

    def test_one_line_ends_and_the_rest_is_billed_on(self):
        """A5: the line is archived; the next invoice is without it."""
        subscription = self.create_subscription([31.0, 62.0])
        self.bill(subscription)
        line = self.get_line(subscription, "Line 1")
        result = self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        self.assertEqual(result["credit_total"], 21.0)
        self.assertFalse(line.active)
        self.assertEqual(subscription.cancellation_state, "active")
        august = self.bill(subscription)
        self.assertEqual(august.amount_total, 62.0)
        self.assertEqual(subscription.recurring_total, 62.0)

    def test_line_button_opens_the_dialog_for_that_line(self):
        """A5: from the row, the dialog is about that line and its add-ons."""
        subscription = self.create_subscription(
            [
                {"name": "Base"},
                {"name": "Add-on", "addon_of": "Base"},
                {"name": "Other"},
            ]
        )
        base = self.get_line(subscription, "Base")
        action = base.action_deactivate()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        self.assertEqual(form.scope, "lines")
        form.save().action_confirm()
        self.assertEqual(
            subscription.sale_subscription_line_ids.mapped("name"), ["Other"]
        )

    def test_parent_takes_its_add_ons_along_to_any_depth(self):
        """A6: base, add-on and the add-on's add-on, each with its own credit."""
        subscription = self.create_subscription(
            [
                {"name": "Base", "price_unit": 31.0},
                {"name": "Add-on", "price_unit": 62.0, "addon_of": "Base"},
                {"name": "Extra", "price_unit": 93.0, "addon_of": "Add-on"},
                {"name": "Other", "price_unit": 31.0},
            ]
        )
        self.bill(subscription)
        base = self.get_line(subscription, "Base")
        result = self.cancel(subscription, "2026-07-10", line_ids=base.ids)
        self.assertEqual(
            {row["name"]: row["credit_untaxed"] for row in result["lines"]},
            {"Base": 21.0, "Add-on": 42.0, "Extra": 63.0},
        )
        self.assertEqual(
            {row["name"]: row["cascaded"] for row in result["lines"]},
            {"Base": False, "Add-on": True, "Extra": True},
        )
        self.assertEqual(
            subscription.sale_subscription_line_ids.mapped("name"), ["Other"]
        )

    def test_add_on_leaves_its_parent(self):
        """A6: the other way round the parent stays."""
        subscription = self.create_subscription(
            [{"name": "Base"}, {"name": "Add-on", "addon_of": "Base"}]
        )
        addon = self.get_line(subscription, "Add-on")
        self.cancel(subscription, line_ids=addon.ids)
        self.assertTrue(self.get_line(subscription, "Base").active)
        self.assertFalse(addon.active)

    def test_last_line_ends_the_subscription(self):
        """A6: without an active line the subscription itself is closed."""
        subscription = self.create_subscription(
            [{"name": "Base"}, {"name": "Add-on", "addon_of": "Base"}]
        )
        base = self.get_line(subscription, "Base")
        self.cancel(subscription, line_ids=base.ids, reason_code="no_longer_needed")
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(subscription.close_reason_id.code, "no_longer_needed")

    def test_add_ons_are_known_from_the_product(self):
        """A7: whichever line comes first."""
        base = self.create_product("Server")
        addon = self.create_product(
            "Backup", addon_of_ids=[Command.set(base.product_tmpl_id.ids)]
        )
        subscription = self.create_subscription([{"name": "Else"}])
        values = {"sale_subscription_id": subscription.id}
        Line = self.env["sale.subscription.line"]
        second = Line.create([{**values, "product_id": addon.id}])
        first = Line.create([{**values, "product_id": base.id}])
        third = Line.create([{**values, "product_id": addon.id}])
        self.assertEqual((second | third).parent_line_id, first)

    def test_a_parent_taken_away_by_hand_stays_away(self):
        """A7: what a person changed on the line is not changed back."""
        base = self.create_product("Server")
        addon = self.create_product(
            "Backup", addon_of_ids=[Command.set(base.product_tmpl_id.ids)]
        )
        subscription = self.create_subscription(
            [{"product_id": base.id}, {"name": "Add-on", "product_id": addon.id}]
        )
        line = self.get_line(subscription, "Add-on")
        self.assertTrue(line.parent_line_id)
        line.parent_line_id = False
        self.add_line(subscription, {"name": "New"})
        self.assertFalse(line.parent_line_id)

    def test_add_ons_are_known_from_linked_lines_of_the_sales_order(self):
        """A7: what was sold as belonging together ends together."""
        template = self.create_template()
        values = {"subscription_template_id": template.id}
        base = self.create_product("Server", **values)
        addon = self.create_product("Support", **values)
        order = self.env["sale.order"].create(
            {
                "partner_id": self.create_customer().id,
                "order_line": [Command.create({"product_id": base.id})],
            }
        )
        order.order_line = [
            Command.create(
                {"product_id": addon.id, "linked_line_id": order.order_line.id}
            )
        ]
        order.action_confirm()
        lines = order.subscription_ids.sale_subscription_line_ids
        by_product = {line.product_id: line for line in lines}
        self.assertEqual(by_product[addon].parent_line_id, by_product[base])

    def test_a_line_cannot_be_its_own_ancestor(self):
        """A7: directly or through its add-ons."""
        subscription = self.create_subscription(
            [{"name": "Base"}, {"name": "Add-on", "addon_of": "Base"}]
        )
        base, addon = subscription.sale_subscription_line_ids.sorted("id")
        for parent in (base, addon):
            with self.assertRaisesRegex(ValidationError, "add-on of itself"):
                base.parent_line_id = parent

    def test_a_line_cannot_hang_on_another_subscription(self):
        """A7: add-on and base belong to the same subscription."""
        first, second = self.create_subscription(), self.create_subscription()
        with self.assertRaisesRegex(ValidationError, "different subscriptions"):
            first.sale_subscription_line_ids.parent_line_id = (
                second.sale_subscription_line_ids
            )

    def test_a_salesperson_can_do_it_all(self):
        """A2, A4: no accounting right is needed to cancel and credit."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription)
        user = self.create_user(SALESPERSON)
        result = self.cancel(subscription.with_user(user), "2026-07-10")
        self.assertEqual(result["credit_total"], 21.0)
        self.assertEqual(self.credit_memos(subscription).state, "posted")
        self.assertEqual(subscription.cancellation_ids.requested_by_id, user)
