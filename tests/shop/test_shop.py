# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A subscription that its customer buys in the shop, with a card (E2, D6).

Runs in a database with ``website_sale`` (``make test`` does so).
"""

from odoo.tests import tagged

from ..common import SALESPERSON
from ..test_responsible import ResponsibleCase


class ShopCase(ResponsibleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].search([], limit=1)
        cls.website.company_id = cls.company
        cls.provider = cls.get_provider(is_published=True)
        cls.product = cls.create_product(
            subscription_template_id=cls.create_template().id,
            list_price=31.0,
            invoice_policy="order",
            is_published=True,
            website_id=cls.website.id,
        )

    def buy(self):
        """Go to the shop, put the product into the cart and pay; return the order."""
        self.customer.write(
            {
                "street": "215 Vine St",
                "city": "Scranton",
                "zip": "18503",
                "country_id": self.env.ref("base.us").id,
                "state_id": self.env.ref("base.state_us_39").id,
                "phone": "+1 555-555-5555",
            }
        )
        self.shopper = self.create_shopper()
        self.shopper.password = "shopper"
        self.authenticate("shopper", "shopper")
        self.make_jsonrpc_request(
            "/shop/cart/add",
            {
                "product_template_id": self.product.product_tmpl_id.id,
                "product_id": self.product.id,
                "quantity": 1,
            },
        )
        order = self.env["sale.order"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(order.amount_total, 31.0)
        self.assertEqual(self.url_open("/shop/payment").status_code, 200)
        self.pay_in_shop(order)
        self.env.invalidate_all()
        self.assertEqual(order.state, "sale")
        return order

    def pay_in_shop(self, order):
        """Pay the cart with a card of the demo provider."""
        payment = self.make_jsonrpc_request(
            f"/shop/payment/transaction/{order.id}",
            {
                "access_token": order._portal_ensure_token(),
                "provider_id": self.provider.id,
                "payment_method_id": self.provider.payment_method_ids[:1].id,
                "token_id": None,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": "/shop/payment/validate",
            },
        )
        self.make_jsonrpc_request(
            "/payment/demo/simulate_payment",
            {
                "reference": payment["reference"],
                "payment_details": "4242",
                "simulated_state": "done",
            },
        )
        self.make_jsonrpc_request("/payment/status/poll", {})


@tagged("post_install", "-at_install")
class TestBoughtInTheShop(ShopCase):
    def setUp(self):
        super().setUp()
        self.travel_to("2026-07-01 12:00:00")
        self.bought = self.buy().subscription_ids

    def test_the_shopper_is_the_agent_and_is_asked_nothing(self):
        """E2: "that was not me" reaches the staff, not the one who says it."""
        self.assertEqual(self.bought.user_id, self.shopper)
        self.travel_to("2026-07-10 12:00:00")
        self.assert_given_to_manager(self.object_by_link(self.bought))

    def test_the_warning_is_not_sent_from_the_shopper(self):
        """D6: August is not paid; its invoice has the shopper as salesperson."""
        self.policy.write({"cancel_overdue_days": 10, "overdue_warning_days": 3})
        invoice = self.bill(self.bought, "2026-08-01 12:00:00")
        self.assertEqual(invoice.invoice_user_id, self.shopper)
        self.travel_to("2026-08-08 12:00:00")
        with self.enter_registry_test_mode():
            self.env.ref(
                "subscription_cancellation.ir_cron_cancel_overdue"
            ).sudo().method_direct_trigger()
        [mail] = (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "account.move"), ("res_id", "=", invoice.id)])
        )
        self.assertIn("office@company.example", mail.email_from)

    def test_staff_that_takes_it_over_is_asked(self):
        """E2: once there is an agent who works here."""
        agent = self.create_user(SALESPERSON, login="agent")
        self.bought.user_id = agent
        self.travel_to("2026-07-10 12:00:00")
        declaration = self.object_by_link(self.bought)
        self.assertEqual(declaration.activity_ids.user_id, agent)


@tagged("post_install", "-at_install")
class TestEndedAfterTheShop(ShopCase):
    """C4, C9: bought and paid by card on 1 July, ended on 10 July, never invoiced."""

    def setUp(self):
        super().setUp()
        self.travel_to("2026-07-01 12:00:00")
        self.order = self.buy()
        self.bought = self.order.subscription_ids
        self.travel_to("2026-07-10 12:00:00")

    def end_bought(self, **options):
        options = {"timing": "immediate", "credit_settlement": "refund", **options}
        preview = self.bought.preview_cancellation(**options)
        answer = self.cancel(self.bought, **options)
        self.assertEqual(answer["refundable"], preview["refundable"])
        self.run_steps(self.bought)
        [payment] = self.order.transaction_ids
        return -sum(payment.child_transaction_ids.mapped("amount"))

    def test_the_card_gets_back_what_was_not_served(self):
        """C9: 10.00 are invoiced and paid, 21.00 go back to the card."""
        self.assertFalse(self.order.invoice_ids)
        self.assertEqual(self.end_bought(), 21.0)
        self.assertEqual(self.order.invoice_ids.amount_total, 10.0)
        self.assertIn(self.order.invoice_ids.payment_state, ("paid", "in_payment"))
        self.assertNotEqual(self.order.invoice_status, "to invoice")

    def test_in_full(self):
        """C2: all of 31.00, and nothing is invoiced."""
        self.assertEqual(self.end_bought(refund_mode="full"), 31.0)
        self.assertFalse(self.order.invoice_ids)
