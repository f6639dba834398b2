# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""C9, C15: what is served of a draft is invoiced less its share of the discounts."""

from odoo.tests import tagged

from .sales import SalesCase

LAST_DAY = "2026-07-10"


@tagged("post_install", "-at_install")
class TestDraftDiscounts(SalesCase):
    """$100 for July, less 10 %, is still a draft; ended on 10 July: 10 of 31 days."""

    def draft(self, *lines, discount=10.0, kind="so_discount"):
        """Return a confirmed order and its draft invoice."""
        order = self.sell(*lines)
        self.discount(order, discount, kind)
        invoice = self.invoice(order, post=False)
        invoice.invoice_date = "2026-07-01"
        return order, invoice

    def end(self, subscription, expected, **options):
        """End it; preview and invoice come to ``expected``; return the invoice."""
        self.travel_to(LAST_DAY)
        preview = subscription.preview_cancellation(timing="immediate", **options)
        [planned] = [
            part["amount"]
            for part in preview["settlement"]
            if part["kind"] == "unbilled"
        ]
        self.assertEqual(planned, expected)
        self.settle(subscription, LAST_DAY, **options)
        [step] = self.steps(subscription, "unbilled")
        self.assertEqual(step.amount, expected)
        return step.move_id

    def assert_lines(self, invoice, *expected):
        amounts = invoice.invoice_line_ids.mapped("price_subtotal")
        self.assertCountEqual(amounts, expected)

    def test_of_the_order(self):
        """C9, C15: 10 of 31 days of $90.00 are $29.03."""
        order, draft = self.draft(100.0)
        invoice = self.end(order.subscription_ids, 29.03)
        self.assert_lines(invoice, 32.26, -3.23)
        self.assertEqual(draft.state, "cancel")

    def test_rounded_once(self):
        """C9, C15: 10 of 31 days of $97.20 are $31.35, not $32.26 less $0.90."""
        order, _draft = self.draft(100.0, discount=2.8)
        self.assert_lines(self.end(order.subscription_ids, 31.35), 32.26, -0.91)

    def test_of_a_fixed_amount(self):
        """C9, C15: $10.00 off, and two lines of $60.00 and $40.00."""
        order, _draft = self.draft(60.0, 40.0, discount=10.0, kind="amount")
        invoice = self.end(order.subscription_ids, 29.03)
        # 10 of 31 days: $19.35 less $1.93 are of $54.00, $12.90 less $1.29 of $36.00.
        self.assertEqual(len(invoice.invoice_line_ids), 3)

    def test_with_tax(self):
        """C9, C15: $29.03 and 10 % of it."""
        order, _draft = self.draft({"price_unit": 100.0, "taxes": self.tax})
        self.assert_lines(self.end(order.subscription_ids, 31.93), 32.26, -3.23)

    def test_with_tax_included(self):
        """C9, C15: $110.00 with 10 % in it are $100.00: $29.03 and the tax."""
        tax = self.create_tax(10.0, price_include_override="tax_included")
        order, _draft = self.draft({"price_unit": 110.0, "taxes": tax})
        self.end(order.subscription_ids, 31.93)

    def test_with_a_setup_fee(self):
        """C9, C15: $50.00 less 10 % are due whatever was served."""
        setup = {"name": "Setup", "price_unit": 50.0, "is_service": False}
        order, _draft = self.draft(100.0, setup)
        self.assert_lines(self.end(order.subscription_ids, 74.03), 32.26, 50.0, -8.23)

    def test_on_each_line(self):
        """C9, C15: a discount that is no line of its own."""
        order, _draft = self.draft(100.0, kind="sol_discount")
        self.assert_lines(self.end(order.subscription_ids, 29.03), 29.03)

    def test_of_an_order_with_two_plans(self):
        """C9, C15: what goes on keeps its own share of the discount in the draft."""
        yearly = self.create_template("1 years")
        order, draft = self.draft(100.0, {"price_unit": 50.0, "template": yearly})
        monthly = order.subscription_ids.filtered(
            lambda one: one.template_id.recurring_rule_type == "months"
        )
        self.assert_lines(draft, 100.0, 50.0, -15.0)
        self.assert_lines(self.end(monthly, 29.03), 32.26, -3.23)
        self.assert_lines(draft, 50.0, -5.0)

    def test_dropped(self):
        """C9: what is not invoiced was less its discount, too."""
        yearly = self.create_template("1 years")
        order, draft = self.draft(100.0, {"price_unit": 50.0, "template": yearly})
        monthly = order.subscription_ids.filtered(
            lambda one: one.template_id.recurring_rule_type == "months"
        )
        self.end(monthly, 90.0, unbilled_charges="drop")
        self.assert_lines(draft, 50.0, -5.0)

    # === PAUSED === #

    def pause(self, subscription):
        """Pause from 11 July on; return what is charged for the days before."""
        self.travel_to("2026-07-11")
        subscription.action_pause("2026-08-11")
        moves = subscription.pause_ids.move_ids
        return moves.filtered(lambda move: move.state == "posted")

    def test_paused(self):
        """C9, C15: the draft is cancelled, and 10 of 31 days of $90.00 are charged."""
        order, draft = self.draft(100.0)
        charged = self.pause(order.subscription_ids)
        self.assertEqual(draft.state, "cancel")
        self.assertEqual(charged.amount_total, 29.03)

    def test_paused_beside_a_set_up_fee(self):
        """C9, C15: what is left on the draft keeps its own share of the discount."""
        fee = {"price_unit": 50.0, "is_service": False, "name": "Set-up"}
        order, draft = self.draft(100.0, fee)
        charged = self.pause(order.subscription_ids)
        self.assertEqual(draft.state, "draft")
        self.assert_lines(draft, 50.0, -5.0)
        self.assertEqual(charged.amount_total, 29.03)
