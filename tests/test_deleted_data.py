# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An administrator has deleted scheduled actions and activity types of the addon."""

from odoo.tests import tagged

from .common import CANCELLATION_MANAGER, SALESPERSON
from .test_cancel_contract import DeclarationCase

WARNING = "odoo.addons.subscription_cancellation.models.common.ir_cron"


@tagged("post_install", "-at_install")
class TestDeletedData(DeclarationCase):
    """D4, E2: requests and the public page work on; what was to be done waits."""

    def setUp(self):
        super().setUp()
        for model in ("ir.cron", "mail.activity.type"):
            names = self.env["ir.model.data"].search(
                [("module", "=", "subscription_cancellation"), ("model", "=", model)]
            )
            self.assertTrue(names)
            self.env[model].browse(names.mapped("res_id")).unlink()

    def run_with_warnings(self, work, *names):
        """Do something; the log says which scheduled actions are missing."""
        with self.assertLogs(WARNING, "WARNING") as logs:
            result = work()
        for name in names:
            self.assertIn(f"ir_cron_{name}", "\n".join(logs.output))
        return result

    def test_a_request_that_ends_at_once(self):
        """D4, D8: it is credited, its steps and its events wait."""
        answer = self.run_with_warnings(
            lambda: self.cancel(self.subscription), "run_steps", "publish_events"
        )
        self.assertEqual(answer["state"], "done")
        cancellation = self.subscription.cancellation_ids
        self.assertTrue(cancellation.step_ids and cancellation.event_ids)
        self.run_steps(self.subscription)

    def test_a_request_for_later(self):
        """B8: it is scheduled, and executed by whoever comes by."""
        answer = self.run_with_warnings(
            lambda: self.cancel(self.subscription, timing="end_of_period"),
            "execute_due",
        )
        self.assertEqual(answer["state"], "scheduled")
        self.travel_to("2026-08-01")
        self.run_with_warnings(self.subscription.cancellation_ids._execute_if_due)
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_a_request_that_waits_for_approval(self):
        """D1: whoever approves is asked, by an activity without a type of ours."""
        self.policy.approval_always = True
        manager = self.create_user(SALESPERSON, CANCELLATION_MANAGER)
        self.policy.approver_ids = manager
        self.run_with_warnings(lambda: self.cancel(self.subscription))
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.state, "to_approve")
        self.assertTrue(cancellation.activity_ids)
        self.run_with_warnings(cancellation.with_user(manager)._approve)
        self.assertEqual(cancellation.state, "done")
        self.assertFalse(cancellation.activity_ids)

    def test_what_is_declared_on_the_public_page(self):
        """E2: it is kept, and a person is asked where it is not clear."""
        declaration = self.run_with_warnings(self.declare, "process_declarations")
        self.assertEqual(declaration.state, "received")
        unknown = self.run_with_warnings(
            lambda: self.declare(contract_reference="NOSUCH")
        )
        self.process()
        self.assertTrue(unknown.activity_ids)
