# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whoever approves or refuses sees what it is about, in one dialog (D1)."""

from lxml import html

from odoo.fields import Command
from odoo.tests import Form, tagged

from .browser import BrowserCase
from .common import (
    CANCELLATION_MANAGER,
    CANCELLATION_USER,
    SALESPERSON,
    CancellationCase,
)

LAPTOP = {"width": 1280, "height": 720}


def as_text(markup):
    return " ".join(html.fromstring(str(markup)).text_content().split())


@tagged("post_install", "-at_install")
class TestDecision(CancellationCase):
    def setUp(self):
        super().setUp()
        self.policy = self.get_default_policy()
        self.manager = self.create_user(
            SALESPERSON, CANCELLATION_MANAGER, login="manager"
        )
        self.agent = self.create_user(SALESPERSON, CANCELLATION_USER, login="agent")
        self.subscription = self.create_subscription()
        self.subscription.user_id = self.agent
        self.pay(self.bill(self.subscription, "2026-07-01"))
        self.travel_to("2026-07-10")

    def request(self, **options):
        """Let the agent request; return the cancellation as the manager sees it."""
        self.subscription.with_user(self.agent).request_cancellation(
            timing="immediate", **options
        )
        cancellation = self.subscription.cancellation_ids.sorted("id")[-1]
        self.env.invalidate_all()
        return cancellation.with_user(self.manager)

    def open_dialog(self, cancellation):
        action = cancellation.action_decide()
        self.assertIn(cancellation.name, action["name"])
        self.assertIn(self.subscription.partner_id.name, action["name"])
        dialogs = self.env[action["res_model"]].with_user(self.manager)
        return Form(dialogs.with_context(**action["context"]))

    def test_it_says_what_it_is_about(self):
        """D1: customer, reason, comment, what differs, credit and settlement."""
        self.policy.approval_on_override = True
        dialog = self.open_dialog(
            self.request(
                refund_mode="full",
                send_confirmation=False,
                reason_code="other",
                comment="Moves house",
            )
        )
        self.assertEqual(dialog.partner_id, self.subscription.partner_id)
        self.assertEqual(dialog.requested_by_id, self.agent)
        self.assertEqual(dialog.reason_name, "Other")
        self.assertEqual(dialog.customer_comment, "Moves house")
        self.assertEqual(
            dialog.overrides.split("\n"),
            [
                "Refund Mode: Full credit of the latest period "
                "(policy: Issue Credit Memo (prorated))",
                "Send Confirmation: no (policy: yes)",
            ],
        )
        self.assertIn("Credit $ 31.00", as_text(dialog.figures))
        self.assertIn("if it is approved", as_text(dialog.figures))
        self.assertIn("Stays on account $ 31.00", as_text(dialog.figures))
        self.assertIn("Kept as credit", as_text(dialog.preview))

    def test_nothing_that_differs(self):
        """D1: and what has not started differs in nothing, either."""
        self.policy.approval_always = True
        self.assertFalse(self.request().overrides)
        self.policy.timing = "end_of_period"
        later = self.create_subscription(start="2026-09-01")
        later.request_cancellation()
        self.assertFalse(later.cancellation_ids.overrides)

    def test_the_amount_is_told_while_it_waits(self):
        """D1: in list and form, what is expected; then what was credited."""
        self.policy.approval_always = True
        cancellation = self.request()
        self.assertEqual(cancellation.state, "to_approve")
        self.assertEqual(cancellation.credit_total, 0.0)
        self.assertEqual(cancellation.told_credit, 21.0)
        cancellation._approve("Yes")
        self.assertEqual(cancellation.told_credit, cancellation.credit_total)
        self.assertEqual(cancellation.credit_total, 21.0)

    def test_the_amount_of_a_later_end(self):
        """D1, D5: the preview's, with the credit of an invoice to come."""
        self.policy.approval_always = True
        options = {"timing": "specific_date", "requested_date": "2026-08-10"}
        wanted = self.subscription.preview_cancellation(**options)["credit_total"]
        self.subscription.with_user(self.agent).request_cancellation(**options)
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.told_credit, wanted)
        self.assertTrue(wanted)

    def test_one_that_is_held_later_tells_the_new_amount(self):
        """D1: the limit is passed by an invoice that came in between."""
        self.policy.approval_above = 30.0
        self.subscription.with_user(self.agent).request_cancellation(
            timing="specific_date", requested_date="2026-07-20", refund_mode="full"
        )
        cancellation = self.subscription.cancellation_ids
        if cancellation.state == "scheduled":
            cancellation._hold_above_limit()
        self.assertEqual(cancellation.state, "to_approve")
        self.assertEqual(cancellation.told_credit, 31.0)

    def test_refusing_asks_for_its_reason_in_place(self):
        """D1: not in an error afterwards."""
        self.policy.approval_always = True
        dialog = self.open_dialog(self.request())
        dialog.decision = "refuse"
        with self.assertRaisesRegex(AssertionError, "comment"):
            dialog.save()
        dialog.comment = "Paid until May"
        dialog.save().action_refuse()
        self.assertEqual(self.subscription.cancellation_ids.state, "refused")

    def test_approving_asks_for_nothing(self):
        """D1."""
        self.policy.approval_always = True
        self.open_dialog(self.request()).save().action_approve()
        self.assertEqual(self.subscription.cancellation_ids.state, "done")


@tagged("post_install", "-at_install")
class TestDecisionInABrowser(BrowserCase):
    def setUp(self):
        super().setUp()
        groups = (SALESPERSON, CANCELLATION_MANAGER)
        self.env["res.users"].create(
            {
                "name": "Boss",
                "login": "boss",
                "password": "boss",
                "group_ids": [
                    Command.set([self.env.ref(group).id for group in groups])
                ],
            }
        )
        policies = self.env["subscription.cancellation.policy"]
        policy = policies._for_subscription(self.subscription, "backend")
        policy.approval_always = True
        self.subscription._request_cancellation({"timing": "immediate"}, "backend")
        self.cancellation = self.subscription.cancellation_ids

    def test_a_manager_refuses(self):
        """D1, E1: the amount in the form, and the reason in the dialog."""
        with self.open_browser(LAPTOP, "boss") as page:
            page.goto(
                "/odoo/action-subscription_cancellation."
                f"subscription_cancellation_action/{self.cancellation.id}"
            )
            page.wait_for_selector("[name=expected_credit]")
            self.assertRegex(page.inner_text("[name=expected_credit]"), r"[1-9]")
            page.click("button[name=action_decide]")
            page.wait_for_selector(".modal .o_subscription_cancellation_preview")
            self.assertIn("Axe Inc", page.inner_text(".modal [name=partner_id]"))
            self.assert_dialog_accessible(page)
            page.check(".modal input[data-value=refuse]")
            page.click(".modal-footer button[name=action_refuse]")
            page.wait_for_selector(".modal [name=comment].o_field_invalid")
            page.fill(".modal [name=comment] textarea", "Paid until May")
            page.click(".modal-footer button[name=action_refuse]")
            page.wait_for_selector(".modal", state="detached")
        self.env.invalidate_all()
        self.assertEqual(self.cancellation.state, "refused")
        self.assertEqual(self.cancellation.decision_comment, "Paid until May")
