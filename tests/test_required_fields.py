# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A field of somebody else's is required: said in words, not in the database's (B7)."""

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from .common import CANCELLATION_USER, SALESPERSON, CancellationCase
from .portal import PortalCase

SAYS = (
    "“Cost Center (x_cost_center)” is required on “Journal Entry” and has no value. "
    "Give it a default value, or do not require it; then try again."
)
#: What the database would say.
RAW = "null value|violates|Failing row|DETAIL|account_move"
SCHEDULE = "odoo.addons.subscription_cancellation.models.lifecycle.scheduled_action"


class RequiredCase(CancellationCase):
    def require(self):
        """Add a field to invoices and credit memos, as an administrator does.

        Those that exist have a value, and new ones get none.
        """
        self.env["ir.model.fields"].sudo().create(
            {
                "name": "x_cost_center",
                "field_description": "Cost Center",
                "model_id": self.env["ir.model"]._get_id("account.move"),
                "ttype": "char",
                "copied": False,
            }
        )
        self.addCleanup(self.registry._setup_models__, self.env.cr, ["account.move"])
        self.env.cr.execute("UPDATE account_move SET x_cost_center = 'A'")
        self.set_required(True)
        self.env.invalidate_all()

    def set_required(self, is_required):
        """Let the database refuse what has no value, or not any more."""
        verb = "SET" if is_required else "DROP"
        self.env.cr.execute(
            SQL(
                "ALTER TABLE account_move ALTER COLUMN x_cost_center %s NOT NULL",
                SQL(verb),
            )
        )

    def assert_plain(self, text):
        """Assert that a text names the field, and nothing of the database."""
        self.assertIn(SAYS, text)
        self.assertNotRegex(text, RAW)


@tagged("post_install", "-at_install")
class TestRequiredField(RequiredCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription()
        self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def run_scheduled_action(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "subscription_cancellation.ir_cron_execute_due"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def test_a_scheduled_end_says_which_field(self):
        """B7: in the failure and in the activity; once it is mended, it is retried."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-20"
        )
        cancellation = self.subscription.cancellation_ids
        self.require()
        self.travel_to("2026-07-21")
        with mute_logger(SCHEDULE, "odoo.sql_db"):
            self.run_scheduled_action()
        self.assertEqual(cancellation.state, "failed")
        self.assert_plain(cancellation.failure_message)
        self.assert_plain(str(cancellation.activity_ids.note))
        for message in cancellation.message_ids | self.subscription.message_ids:
            self.assertNotRegex(message.body or "", RAW)
        self.set_required(False)
        cancellation.action_retry()
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 11.0)

    def test_an_immediate_end_says_which_field(self):
        """B1: nothing is half done."""
        user = self.create_user(SALESPERSON, CANCELLATION_USER)
        self.require()
        with mute_logger("odoo.sql_db"), self.assertRaises(UserError) as raised:
            self.cancel(self.subscription.with_user(user))
        self.assert_plain(str(raised.exception))
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_a_pause_says_which_field(self):
        """B9: it credits days, too."""
        self.require()
        with mute_logger("odoo.sql_db"), self.assertRaises(UserError) as raised:
            self.subscription.action_pause("2026-07-20")
        self.assert_plain(str(raised.exception))

    def test_days_that_are_charged_say_which_field(self):
        """C9: the invoice of days that were served and not billed."""
        late = self.create_subscription()
        self.require()
        self.travel_to("2026-07-10")
        with mute_logger("odoo.sql_db"), self.assertRaises(UserError) as raised:
            self.cancel(late)
        self.assert_plain(str(raised.exception))

    def test_an_undo_says_which_field(self):
        """B15: the invoice that takes a credit memo back."""
        self.cancel(self.subscription)
        self.require()
        with mute_logger("odoo.sql_db"), self.assertRaises(UserError) as raised:
            self.subscription.cancellation_ids._undo()
        self.assert_plain(str(raised.exception))
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_a_rule_without_a_name(self):
        """B7: what the database forbids in other ways is not quoted either."""
        self.env.cr.execute(
            "ALTER TABLE account_move ADD CONSTRAINT no_memos"
            # Not what other tests have committed.
            " CHECK (move_type <> 'out_refund' OR name = 'secret') NOT VALID"
        )
        with mute_logger("odoo.sql_db"), self.assertRaises(UserError) as raised:
            self.cancel(self.subscription)
        self.assertIn("does not allow to save “Journal Entry”", str(raised.exception))
        self.assertNotRegex(str(raised.exception), f"{RAW}|no_memos|secret")

    def test_a_policy_s_condition(self):
        """D1: what the database says of it is not quoted either."""
        policy = self.get_default_policy()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(ValidationError) as raised,
        ):
            policy.subscription_domain = "[('sequence', '=', 'secret')]"
        self.assertNotRegex(str(raised.exception), "invalid input|integer|LINE 1")


@tagged("post_install", "-at_install")
class TestRequiredFieldInPortal(PortalCase, RequiredCase):
    def test_the_customer_gets_an_answer(self):
        """E2: a page that says it, and nothing that was cancelled."""
        page = self.check_out(timing="immediate")
        self.require()
        with mute_logger("odoo.sql_db", "odoo.http"):
            answer = self.send(page, "confirm")
        self.assertNotRegex(answer.text() or "", RAW)
        self.assertLess(answer.status, 500)
        self.assertEqual(self.subscription.cancellation_state, "active")
