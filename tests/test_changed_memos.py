# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An automation rule changes the credit memo: what is told is what was posted (C4, D4).

31.00 for July, ended on the 10th: 21.00 are to be credited.
"""

from odoo.tests import tagged
from odoo.tools import html2plaintext

from .common import CANCELLATION_USER, SALESPERSON, CancellationCase

POSTED = "[('state', '=', 'posted'), ('move_type', '=', 'out_refund')]"
#: What rules do: a price of 10.00 less, or more, than the credit. What is posted has
#: to be a draft for that.
CHANGE = (
    "line = record.invoice_line_ids[%s]\n"
    "line.write({'price_unit': line.price_unit + (%s)})"
)
REPOST = f"record.button_draft()\n{CHANGE}\nrecord.action_post()"
LOWER, HIGHER = REPOST % (0, -10.0), REPOST % (0, 10.0)
NO_BREAK = "\N{NO-BREAK SPACE}"


def get_text(record):
    """Return the words of an activity, or of a message."""
    html = record.note if record._name == "mail.activity" else record.body
    return html2plaintext(html).replace(NO_BREAK, " ")


@tagged("post_install", "-at_install")
class TestChangedMemos(CancellationCase):
    # The checker sees that the days are worth something else, see below.
    books_fit = False

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription()
        self.invoice = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.user = self.create_user(SALESPERSON, CANCELLATION_USER)
        self.subscription.user_id = self.user

    def create_rule(self, code, domain=POSTED, **values):
        """Return an automation rule on credit memos, as an administrator makes it."""
        rule = {
            "trigger": "on_create_or_write",
            "filter_pre_domain": "[('state', '=', 'draft')]",
            "filter_domain": domain,
            **values,
        }
        return self.create_automation("account.move", code, **rule)

    def deactivate(self, **options):
        result = self.cancel(self.subscription.with_user(self.user), **options)
        return result, self.subscription.cancellation_ids

    def check_told(self, cancellation, found, planned="$ 21.00"):
        """Assert that somebody is asked to look at it, and the history tells."""
        [activity] = cancellation.activity_ids
        self.assertEqual(activity.user_id, self.user)
        self.assertEqual(activity.summary, "Credit memo is not as planned")
        self.assertIn(f"it is about {found}, where {planned} were", get_text(activity))
        told = " ".join(map(get_text, self.subscription.message_ids))
        self.assertIn(f"({found}).", told)
        rules = {finding.rule for finding in self.check_books().findings}
        self.assertIn("rows", rules)
        self.assertNotIn("memos", rules)

    def get_amounts(self, cancellation):
        """Return the amounts of the settlement, by kind."""
        steps = cancellation.sudo().step_ids.filtered("amount")
        return {step.kind: step.amount for step in steps}

    def test_lower_on_an_unpaid_invoice(self):
        """C4: 11.00 was posted; answer, steps, row and history say so."""
        self.create_rule(LOWER)
        result, cancellation = self.deactivate()
        memo = self.credit_memos(self.subscription)
        self.assertEqual((memo.state, memo.amount_total), ("posted", 11.0))
        self.assertEqual(result["credit_total"], 11.0)
        self.assertEqual(result["reduces_invoices"], 11.0)
        self.assertEqual([line["credit_untaxed"] for line in result["lines"]], [11.0])
        self.assertEqual(self.get_amounts(cancellation), {"reduce": 11.0, "keep": 20.0})
        self.assertEqual(self.invoice.amount_residual, 20.0)
        self.run_steps(self.subscription)
        self.check_told(cancellation, "$ 11.00")

    def test_lower_on_a_paid_invoice(self):
        """C4, C8: 11.00 go back, not 21.00."""
        self.get_provider()
        self.pay_online(self.invoice)
        self.create_rule(LOWER)
        result, cancellation = self.deactivate(credit_settlement="refund")
        self.assertEqual(result["refundable"], 11.0)
        self.run_steps(self.subscription)
        [step] = self.steps(self.subscription, "refund")
        self.assertEqual((step.state, step.amount), ("done", 11.0))
        self.assertEqual(step.transaction_id.amount, -11.0)
        self.check_told(cancellation, "$ 11.00")

    def test_higher_on_a_paid_invoice(self):
        """C4, C8: 10.00 more than planned are kept: nobody asked to send them."""
        self.get_provider()
        self.pay_online(self.invoice)
        self.create_rule(HIGHER)
        result, cancellation = self.deactivate(credit_settlement="refund")
        self.assertEqual(result["credit_total"], 31.0)
        self.assertEqual(self.get_amounts(cancellation), {"refund": 21.0, "keep": 10.0})
        self.run_steps(self.subscription)
        self.check_told(cancellation, "$ 31.00")

    def test_when_it_is_made(self):
        """C4: a rule on new documents, before they are posted."""
        self.create_rule(
            CHANGE % (0, -10.0),
            domain="[('move_type', '=', 'out_refund')]",
            filter_pre_domain="[]",
            trigger="on_create",
        )
        result, cancellation = self.deactivate()
        self.assertEqual(result["credit_total"], 11.0)
        self.assertEqual(self.get_amounts(cancellation), {"reduce": 11.0, "keep": 20.0})
        self.check_told(cancellation, "$ 11.00")

    def test_at_the_scheduled_end(self):
        """C4, B8: in the night, with nobody there."""
        self.create_rule(LOWER)
        _result, cancellation = self.deactivate(
            timing="specific_date", requested_date="2026-07-10"
        )
        self.assertEqual(cancellation.credit_total, 11.0)
        self.check_told(cancellation, "$ 11.00")

    def test_reset_to_draft(self):
        """C4: it is not posted; its steps wait, and somebody is told."""
        self.create_rule("record.button_draft()")
        _result, cancellation = self.deactivate()
        self.assertEqual(self.credit_memos(self.subscription).state, "draft")
        [step] = self.steps(self.subscription, "reduce")
        self.assertEqual(step.state, "pending")
        [activity] = cancellation.activity_ids
        self.assertIn("was to be posted", get_text(activity))

    def test_a_draft_to_review(self):
        """C4: changed when it is made; once it is posted, 11.00 are taken off."""
        self.get_default_policy().post_credit_memos = False
        self.create_rule(
            CHANGE % (0, -10.0),
            domain="[('move_type', '=', 'out_refund')]",
            filter_pre_domain="[]",
            trigger="on_create",
        )
        result, cancellation = self.deactivate()
        self.assertEqual(result["reduces_invoices"], 11.0)
        self.assertEqual(self.get_amounts(cancellation), {"reduce": 11.0, "keep": 20.0})
        self.credit_memos(self.subscription).action_post()
        self.run_steps(self.subscription)
        self.check_told(cancellation, "$ 11.00")

    def test_what_changes_no_amount(self):
        """C4: a reference is nobody's business."""
        self.create_rule("record.write({'narration': 'Goodbye'})")
        result, cancellation = self.deactivate()
        self.assertEqual(result["credit_total"], 21.0)
        self.assertIn("Goodbye", self.credit_memos(self.subscription).narration)
        self.assertFalse(cancellation.activity_ids)
        self.assert_books_fit()

    def test_several_lines_with_tax(self):
        """C4: each row tells of its own line."""
        tax = self.create_tax(10.0)
        subscription = self.create_subscription(
            [
                {"name": "Base", "taxes": tax},
                {"name": "Other", "price_unit": 62.0, "taxes": tax},
            ],
            user_id=self.user.id,
        )
        self.bill(subscription, "2026-07-01")
        self.create_rule(REPOST % (1, -10.0))
        self.subscription = subscription
        self.travel_to("2026-07-10")
        result, cancellation = self.deactivate()
        amounts = [
            (line["credit_untaxed"], line["credit_tax"]) for line in result["lines"]
        ]
        self.assertEqual(amounts, [(21.0, 2.1), (32.0, 3.2)])
        self.assertEqual(result["credit_total"], 58.3)
        self.check_told(cancellation, "$ 58.30", "$ 69.30")

    def test_a_pause(self):
        """B9, C4: the credit of paused days is told as it was posted."""
        self.create_rule(LOWER)
        self.subscription.action_pause("2026-08-01")
        memo = self.subscription.pause_ids.credit_note_ids
        self.assertEqual(memo.amount_total, 12.0)
        [activity] = self.subscription.activity_ids
        self.assertIn("it is about $ 12.00, where $ 22.00 were", get_text(activity))
        told = " ".join(map(get_text, self.subscription.message_ids))
        self.assertIn("$ 12.00 of what is invoiced", told)

    def test_an_advance_invoice(self):
        """C3, C4: 21.00 when it is scheduled; the other 10.00 are left to its end."""
        self.get_default_policy().advance_credit = "at_scheduling"
        self.bill(self.subscription, "2026-07-02")
        self.travel_to("2026-07-10")
        self.create_rule(LOWER)
        result, cancellation = self.deactivate(timing="end_of_period")
        self.assertEqual(sum(cancellation.line_ids.mapped("credit_untaxed")), 21.0)
        self.assertEqual(result["credit_total"], 31.0)
        [activity] = cancellation.activity_ids
        self.assertIn("it is about $ 21.00, where $ 31.00 were", get_text(activity))
