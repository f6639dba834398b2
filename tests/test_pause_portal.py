# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pausing as customers do, and in a browser (C1, E1, E2)."""

from odoo.fields import Command
from odoo.tests import tagged

from .portal import PortalCase
from .tours import TourCase


@tagged("post_install", "-at_install")
class TestPauseInThePortal(PortalCase):
    """$31.00 are paid for July; today is the 10th."""

    def setUp(self):
        super().setUp()
        self.message = self.env["subscription.cancellation.retention"].create(
            {
                "policy_id": self.policy.id,
                "title": "Wait",
                "kind": "pause",
                "pause_months": 2,
            }
        )

    def test_days_and_money_before_and_after(self):
        """C1, E2: 22 of 31 days are $22.00, and pay the next invoice."""
        page = self.check_out(timing="immediate")
        text = page.text("pause_sentences")
        for sentence in (
            "Paused from July 10, 2026 to September 9, 2026.",
            "22.00 of what is invoiced for the paused days (22 of 31 days) is "
            "credited.",
            "22.00 of it stays on account and pays the next invoice.",
            "The next invoice is for the period from September 10, 2026.",
        ):
            self.assertIn(sentence, text)
        answer = self.send(page, "pause")
        self.assertIn("is paused. Nothing was cancelled.", answer.text("message"))
        self.assertEqual(answer.text("state"), "Paused until September 9, 2026")
        self.env.invalidate_all()
        pause = self.subscription.pause_ids
        self.assertEqual((pause.paused_by_id, pause.credit_total), (self.user, 22.0))
        # A second click finds it paused.
        answer = self.send(page, "pause")
        self.assertIn("not available any more", answer.text("message"))
        self.assertEqual(len(self.subscription.pause_ids), 1)

    def test_what_was_shown_is_what_is_done(self):
        """E2: shown yesterday, clicked today: it is another day less."""
        page = self.check_out(timing="immediate")
        self.travel_to("2026-07-11")
        answer = self.send(page, "pause")
        self.assertIn("has changed since it was shown", answer.text("message"))
        answer = self.send(page, "pause", terms="x")
        self.assertIn("has changed since it was shown", answer.text("message"))
        self.env.invalidate_all()
        self.assertFalse(self.subscription.pause_ids)

    def test_no_refund(self):
        """C2, E2: the months of the offer begin when what is paid is over."""
        self.policy.refund_mode = "none"
        page = self.check_out(timing="immediate")
        self.assertIn(
            "Paused from August 1, 2026 to September 30, 2026.",
            page.text("pause_sentences"),
        )
        answer = self.send(page, "pause")
        self.assertEqual(
            answer.text("state"), "Paused from August 1, 2026 to September 30, 2026."
        )
        self.env.invalidate_all()
        self.assertFalse(self.subscription.pause_ids.move_ids)


@tagged("post_install", "-at_install")
class TestPauseTour(TourCase):
    def test_back_office(self):
        """E1: days and money in the dialog, the record behind the smart button."""
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        self.run_tour("subscription_pause", subscription)
        self.assertTrue(subscription.is_paused)
        self.assertEqual(subscription.pause_ids.credit_note_ids.state, "posted")


@tagged("post_install", "-at_install")
class TestPausePhone(TourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_portal(self):
        """E2: the offer of the portal on a phone."""
        subscription = self.create_billed_subscription(
            [self.create_product("Tour Mail")]
        )
        subscription.code = "Tour"
        user = self.env["res.users"].create(
            {
                "login": "tourphone",
                "password": "tourphone",
                "partner_id": subscription.partner_id.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        policies = self.env["subscription.cancellation.policy"]
        policy = policies._for_subscription(subscription, "portal")
        policy.retention_ids = [Command.create({"title": "Wait", "kind": "pause"})]
        self.start_tour("/my/subscriptions", "portal_pause", login=user.login)
        subscription.invalidate_recordset()
        self.assertTrue(subscription.is_paused)
