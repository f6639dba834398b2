# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The state diagrams of the documentation are what the code does (D4, B15)."""

import re

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.models.cancellation.cancellation import (
    TRANSITIONS,
)
from odoo.addons.subscription_cancellation.models.settlement import (
    step as subscription_cancellation_step,
)

from .common import CancellationCase
from .documents import DOC

#: A cancellation and a subscription; a step.
GUIDES = (DOC / "back_office.md", DOC / "accounting.md")


def read_diagrams():
    """Return the arrows of each diagram: lists of pairs of states."""
    text = "".join(guide.read_text("utf-8") for guide in GUIDES)
    blocks = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    arrow = re.compile(r"^ *(\S+) --> (\w+|\[\*\])", re.MULTILINE)
    return [arrow.findall(block) for block in blocks]


@tagged("post_install", "-at_install")
class TestStates(CancellationCase):
    def setUp(self):
        super().setUp()
        self.policy = self.get_default_policy()

    def create_running(self, **template_values):
        """Return a subscription that is billed for July, on 10 July."""
        template = self.create_template(**template_values)
        self.company_data["default_journal_sale"].active = True
        subscription = self.create_subscription(template=template)
        if not template_values:
            self.bill(subscription, "2026-07-01")
        self.travel_to("2026-07-10")
        return subscription

    # === CANCELLATION === #

    def test_the_diagram_of_a_cancellation_is_the_code(self):
        """D4: every arrow, and no other."""
        arrows = {arrow for arrow in read_diagrams()[0] if "[*]" not in arrow}
        code = {(old, new) for old, states in TRANSITIONS.items() for new in states}
        self.assertEqual(arrows, code)
        ends = {old for old, new in read_diagrams()[0] if new == "[*]"}
        self.assertEqual(ends, {old for old, new in TRANSITIONS.items() if not new})

    def test_the_diagram_of_a_step_is_the_code(self):
        """D4, C6-C8: every arrow of what follows, and no other."""
        diagram = read_diagrams()[2]
        arrows = {arrow for arrow in diagram if "[*]" not in arrow}
        code = subscription_cancellation_step.STEP_TRANSITIONS
        self.assertEqual(arrows, {(old, new) for old in code for new in code[old]})
        ends = {old for old, new in diagram if new == "[*]"}
        self.assertEqual(ends, {old for old in code if not code[old]})

    def test_a_cancellation_walks_every_arrow(self):
        """D4: through the verbs that people use."""
        walked = {
            ("[*]", "to_approve"): self.request_with_approval,
            ("[*]", "scheduled"): self.request,
            ("to_approve", "scheduled"): self.approve,
            ("to_approve", "refused"): self.refuse,
            ("to_approve", "revoked"): self.withdraw,
            ("scheduled", "done"): self.execute,
            ("scheduled", "revoked"): self.revoke,
            ("scheduled", "failed"): self.fail_execution,
            ("scheduled", "to_approve"): self.grow_above_the_limit,
            ("failed", "scheduled"): self.try_again_in_vain,
            ("failed", "revoked"): self.revoke_failed,
        }
        arrows = {arrow for arrow in read_diagrams()[0] if arrow[1] != "[*]"}
        self.assertEqual(walked.keys(), arrows)
        for (_old, new), walk in walked.items():
            with self.subTest(walk=walk.__name__):
                self.assertEqual(walk().state, new)

    def request(self, **options):
        self.policy.write({"approval_always": False, "allow_own_approval": True})
        subscription = self.create_running()
        self.cancel(subscription, timing="end_of_period", **options)
        return subscription.cancellation_ids

    def request_with_approval(self):
        subscription = self.create_running()
        self.policy.write({"approval_always": True, "allow_own_approval": True})
        self.cancel(subscription, timing="end_of_period")
        return subscription.cancellation_ids

    def approve(self):
        cancellation = self.request_with_approval()
        cancellation._approve()
        return cancellation

    def refuse(self):
        cancellation = self.request_with_approval()
        cancellation._refuse("No")
        return cancellation

    def withdraw(self):
        cancellation = self.request_with_approval()
        cancellation.subscription_id.revoke_cancellation()
        return cancellation

    def execute(self):
        cancellation = self.request()
        self.travel_to("2026-08-01")
        cancellation._execute_batch()
        return cancellation

    def revoke(self):
        cancellation = self.request()
        cancellation.action_revoke()
        return cancellation

    def fail_execution(self):
        """Fail to credit an invoice whose journal is archived."""
        cancellation = self.request(refund_mode="full")
        self.company_data["default_journal_sale"].active = False
        self.travel_to("2026-08-01")
        cancellation._execute_batch()
        return cancellation

    def grow_above_the_limit(self):
        """August is billed before the end and may be credited, too."""
        cancellation = self.request()
        cancellation.subscription_id.postpone_cancellation(requested_date="2026-08-10")
        self.policy.approval_above = 20.0
        self.addCleanup(self.policy.write, {"approval_above": 0.0})
        self.bill(cancellation.subscription_id, "2026-08-01")
        self.travel_to("2026-08-11")
        cancellation._execute_batch()
        self.policy.approval_above = 0.0
        return cancellation

    def try_again_in_vain(self):
        """Try again: it is scheduled, and would be done; here it is looked at."""
        cancellation = self.fail_execution()
        cancellation._as_engine()._set_state("scheduled")
        return cancellation

    def revoke_failed(self):
        cancellation = self.fail_execution()
        cancellation.action_revoke()
        return cancellation

    def test_what_is_final_stays_so(self):
        """D4: no verb leads out of done, revoked and refused."""
        for walk in (self.execute, self.revoke, self.refuse):
            cancellation = walk()
            for verb in (
                cancellation.action_revoke,
                cancellation.action_decide,
                cancellation.action_postpone,
                cancellation.action_retry,
            ):
                with self.assertRaises(UserError):
                    verb()

    # === SUBSCRIPTION === #

    def test_a_subscription_walks_every_arrow(self):
        """B7, B9, B12, B14, B15: and the diagram has no other."""
        walked = {
            ("[*]", "trial"): self.start_trial,
            ("[*]", "active"): self.create_running,
            ("trial", "active"): self.end_trial,
            ("trial", "cancelled"): self.cancel_trial,
            ("active", "non_renewing"): self.cancel_for_later,
            ("non_renewing", "active"): self.go_on,
            ("non_renewing", "cancelled"): self.reach_the_date,
            ("active", "cancelled"): self.cancel_now,
            ("cancelled", "active"): self.reactivate,
            ("cancelled", "trial"): self.resume_trial,
        }
        self.assertEqual(walked.keys(), set(read_diagrams()[1]))
        for (_old, new), walk in walked.items():
            with self.subTest(walk=walk.__name__):
                self.assertEqual(walk().cancellation_state, new)

    def start_trial(self):
        return self.create_running(trial_days=14)

    def end_trial(self):
        subscription = self.start_trial()
        self.travel_to("2026-07-15")
        with self.enter_registry_test_mode():
            self.env.ref(
                "subscription_cancellation.ir_cron_end_trials"
            ).method_direct_trigger()
        return subscription

    def cancel_trial(self):
        subscription = self.start_trial()
        self.cancel(subscription)
        return subscription

    def cancel_for_later(self):
        subscription = self.create_running()
        self.cancel(subscription, timing="end_of_period")
        return subscription

    def go_on(self):
        subscription = self.cancel_for_later()
        subscription.revoke_cancellation()
        return subscription

    def reach_the_date(self):
        subscription = self.cancel_for_later()
        self.travel_to("2026-08-01")
        subscription.cancellation_ids._execute_batch()
        return subscription

    def cancel_now(self):
        subscription = self.create_running()
        self.cancel(subscription)
        return subscription

    def reactivate(self):
        subscription = self.cancel_now()
        subscription.reactivate_subscription()
        return subscription

    def resume_trial(self):
        subscription = self.cancel_trial()
        subscription.reactivate_subscription()
        return subscription
