# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What stays billed although it is unused is told, with the reason (C15)."""

from odoo.fields import Command
from odoo.tests import tagged

from .common import CancellationCase
from .portal import PortalCase

JULY = {"start_date": "2026-07-01", "end_date": "2026-07-31"}


def type_line(invoice, product, **values):
    """Type a line on a draft invoice, as people do."""
    values = {"product_id": product.id, "price_unit": 31.0, **values}
    values.setdefault("tax_ids", [Command.clear()])
    invoice.invoice_line_ids = [Command.create(values)]


@tagged("post_install", "-at_install")
class TestLeftOut(CancellationCase):
    """31.00 for July; ended on 10 July: 21 of 31 days are unused."""

    def preview(self, subscription, **options):
        """Return the warnings of API and dialog."""
        self.travel_to("2026-07-10")
        options = {"timing": "immediate", **options}
        warnings = subscription.preview_cancellation(**options)["warnings"]
        plan = self.env["subscription.cancellation"]._plan(
            subscription, options, "backend"
        )
        dialog = str(plan._render_preview())
        for warning in warnings:
            self.assertIn(warning[-30:], dialog)
        return warnings

    def test_a_line_with_a_period_that_is_nobodys(self):
        """C15: 21.00 of it stay billed."""
        subscription = self.create_subscription([31.0, 62.0])
        invoice = self.bill(subscription, post=False)
        type_line(invoice, self.create_product("Backup"), **JULY)
        invoice.action_post()
        [warning] = self.preview(subscription)
        for text in ("Backup", invoice.name, "21.00", "no line of the subscription"):
            self.assertIn(text, warning)
        # It may be for the line that goes on.
        first = subscription.sale_subscription_line_ids[:1]
        self.assertEqual(self.preview(subscription, line_ids=first.ids), [])
        self.assertEqual(self.preview(subscription, refund_mode="none"), [])
        self.assertEqual(len(self.cancel(subscription)["warnings"]), 1)

    def test_a_line_that_could_not_be_linked(self):
        """C15: the same product twice on an invoice may be either."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription, post=False)
        product = subscription.sale_subscription_line_ids.product_id
        type_line(invoice, product)
        invoice.action_post()
        [warning] = self.preview(subscription)
        for text in (invoice.name, "31.00", "it is not known"):
            self.assertIn(text, warning)

    def test_a_one_time_product(self):
        """C15: it has no days, so there is nothing to say."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription, post=False)
        type_line(invoice, self.create_product("Set-up", subscribable=False))
        invoice.action_post()
        self.assertEqual(self.preview(subscription), [])

    def test_a_credit_by_hand_that_leaves_no_room(self):
        """C4, C15: 25.00 were credited of nothing in particular; 6.00 are left."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        memo = self._reverse_invoice(invoice)
        links = dict.fromkeys(("origin_line_id", "subscription_line_id"), False)
        memo.invoice_line_ids.write({"price_unit": 25.0, **links})
        memo.action_post()
        [warning] = self.preview(subscription)
        for text in (invoice.name, "15.00", "leaves no more"):
            self.assertIn(text, warning)
        answer = self.cancel(subscription)
        self.assertEqual(answer["credit_total"], 6.0)
        self.assertEqual(answer["warnings"], [warning])

    def test_nothing_is_said_where_everything_is_credited(self):
        """C15: nor of days that were credited before."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        memo = self._reverse_invoice(invoice)
        memo.invoice_line_ids.price_unit = 10.0
        memo.action_post()
        self.assertEqual(self.preview(subscription), [])


@tagged("post_install", "-at_install")
class TestLeftOutInThePortal(PortalCase):
    def test_the_customer_is_told(self):
        """C15, E1: before confirming."""
        subscription = self.create_subscription(
            start="2026-07-02", partner_id=self.customer.id
        )
        invoice = self.bill(subscription, post=False)
        type_line(
            invoice,
            self.create_product("Backup"),
            start_date="2026-07-02",
            end_date="2026-08-01",
        )
        invoice.action_post()
        self.travel_to("2026-07-10")
        page = self.send(self.see("/cancel", subscription), "cancel")
        self.assertIn("22.00", page.text("left_out") or "")
