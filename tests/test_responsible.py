# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who is asked to look at it: staff, never the customer or the system (E2, D6)."""

from base64 import b64encode

from odoo.tests import HttpCase, tagged
from odoo.tools import file_open

from .common import CANCELLATION_MANAGER, SALESPERSON
from .sales import SalesCase
from .test_cancel_contract import CUSTOMER, DeclarationCase
from .test_overdue import TEMPLATE, OverdueCase


class ResponsibleCase(DeclarationCase, SalesCase, HttpCase):
    """Nobody of the staff but one cancellation manager."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.create_user(
            SALESPERSON,
            CANCELLATION_MANAGER,
            login="manager",
            email="m@company.example",
        )
        cls.policy.approver_ids = cls.manager

    def create_shopper(self):
        """Return the login of Ann Azure, with which she buys in the shop."""
        groups = self.env.ref("base.group_portal")
        return self.env["res.users"].create(
            {
                "login": "shopper",
                "partner_id": self.customer.id,
                "group_ids": [(6, 0, groups.ids)],
                "company_id": self.company.id,
                "company_ids": [(6, 0, self.company.ids)],
            }
        )

    def object_by_link(self, subscription):
        """Let somebody declare the end of it, and its customer object by the mail."""
        subscription.code = "SUBSOLD1"
        declaration = self.declare_and_process(contract_reference="SUBSOLD1")
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
        token = declaration.sudo().objection_token
        self.url_open(f"/cancel-contract/object/{token}", data={"x": "1"})
        self.env.invalidate_all()
        self.assertEqual(declaration.state, "objected")
        return declaration

    def assert_given_to_manager(self, document):
        """Assert that the manager, and nobody else, has something to do."""
        self.assertEqual(document.activity_ids.user_id, self.manager)
        assigned = (
            self.env["mail.mail"].sudo().search([("subject", "ilike", "assigned")])
        )
        self.assertNotIn(self.customer, assigned.recipient_ids)


@tagged("post_install", "-at_install")
class TestSignedByToken(ResponsibleCase):
    def sign(self, order):
        """Let whoever has the link sign the quotation; return the subscription."""
        order.write({"partner_id": self.customer.id, "require_signature": True})
        order.write({"require_payment": False, "state": "sent"})
        with file_open("base/static/img/avatar.png", "rb") as image:
            signature = b64encode(image.read()).decode()
        answer = self.make_jsonrpc_request(
            f"/my/orders/{order.id}/accept",
            {
                "access_token": order._portal_ensure_token(),
                "name": "Ann Azure",
                "signature": signature,
            },
        )
        self.assertNotIn("error", answer)
        self.env.invalidate_all()
        # Upstream's would be of the company that is active for whoever signs.
        order.sudo().subscription_ids.company_id = order.company_id
        self.env.invalidate_all()
        self.assertEqual(len(order.subscription_ids), 1)
        return order.subscription_ids

    def test_an_objection_is_given_to_the_staff(self):
        """E2: the agent is whoever signed, who is no user at all."""
        subscription = self.sign(self.sell(31.0))
        agent = subscription.user_id
        self.assertFalse(agent.active and not agent.share)
        self.travel_to("2026-07-10 12:00:00")
        self.assert_given_to_manager(self.object_by_link(subscription))


@tagged("post_install", "-at_install")
class TestOneRule(ResponsibleCase):
    """Whoever the agent is, of a subscription that was sold to Ann Azure."""

    def get_others(self):
        """Return users who cannot look after anything, by why not."""
        left = self.create_user(SALESPERSON, login="left")
        left.active = False
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        return {
            "nobody": self.env["res.users"],
            "system": self.env.ref("base.user_root"),
            "public": self.env.ref("base.public_user"),
            "customer": self.create_shopper(),
            "left": left,
            "elsewhere": self.create_user(
                SALESPERSON, login="elsewhere", company_id=elsewhere.id
            ),
        }

    def test_an_objection(self):
        """E2: to the managers, unless the agent is staff."""
        for name, agent in self.get_others().items():
            with self.subTest(name):
                self.subscription.user_id = agent
                self.assert_given_to_manager(self.object_by_link(self.subscription))

    def test_a_failure_of_the_system(self):
        """B7: an end that nobody of the staff asked for, and that fails."""
        for name, agent in self.get_others().items():
            with self.subTest(name):
                subscription = self.create_subscription(partner_id=self.customer.id)
                invoice = self.bill(subscription, "2026-07-01 12:00:00")
                subscription.user_id = agent
                # By the system, as for an unpaid invoice.
                system = subscription.with_user(self.env.ref("base.user_root"))
                system._request_cancellation(
                    {"timing": "specific_date", "requested_date": "2026-07-05"},
                    channel="system",
                )
                invoice.journal_id.active = False
                self.travel_to("2026-07-06")
                cancellation = subscription.cancellation_ids
                cancellation._execute_if_due()
                invoice.journal_id.active = True
                self.assertEqual(cancellation.state, "failed")
                self.assert_given_to_manager(cancellation)

    def test_a_refund_by_hand(self):
        """C6: an accountant gives the money back, never the customer."""
        self.pay(self.subscription._get_invoices())
        self.subscription.user_id = self.create_shopper()
        system = self.subscription.with_user(self.env.ref("base.user_root"))
        system._request_cancellation(
            {"timing": "immediate", "credit_settlement": "refund"}, channel="system"
        )
        self.run_steps(self.subscription)
        users = self.subscription.cancellation_ids.sudo().activity_ids.user_id
        self.assertTrue(users)
        self.assertTrue(all(user.active and not user.share for user in users))

    def test_staff_is_asked_first(self):
        """E2: an agent who works here looks after their own customers."""
        agent = self.create_user(SALESPERSON, login="agent")
        self.subscription.user_id = agent
        declaration = self.object_by_link(self.subscription)
        self.assertEqual(declaration.activity_ids.user_id, agent)

    def test_an_approver_who_has_left_is_not_asked(self):
        """D1: then any of the company's managers is."""
        self.subscription.user_id = False
        self.manager.active = False
        users = self.object_by_link(self.subscription).activity_ids.user_id
        self.assertTrue(users)
        self.assertNotIn(self.manager, users)


@tagged("post_install", "-at_install")
class TestUnpaid(OverdueCase):
    def setUp(self):
        super().setUp()
        self.company.email = "office@company.example"
        self.policy.overdue_warning_days = 3
        self.customer = self.create_customer(name="Ann", email=CUSTOMER)
        self.shopper = self.env["res.users"].create(
            {
                "login": "shopper",
                "partner_id": self.customer.id,
                "group_ids": [(6, 0, self.env.ref("base.group_portal").ids)],
                "company_id": self.company.id,
                "company_ids": [(6, 0, self.company.ids)],
            }
        )

    def get_sender(self, agent):
        """Return who the warning about an unpaid invoice comes from."""
        self.travel_to("2026-07-01")
        subscription = self.create_unpaid(partner_id=self.customer.id, user_id=agent.id)
        self.assertEqual(subscription._get_invoices().invoice_user_id, agent)
        self.run_cron("2026-07-08 12:00:00")
        [mail] = (
            self.env["mail.mail"]
            .sudo()
            .search(
                [
                    ("model", "=", "account.move"),
                    ("res_id", "=", subscription._get_invoices().id),
                    ("subject", "like", "Please pay"),
                ]
            )
        )
        self.assertTrue(self.env.ref(TEMPLATE))
        return mail.email_from

    def test_the_warning_is_not_sent_from_the_customer(self):
        """D6: the invoice's salesperson is whoever bought it in the shop."""
        self.assertIn("office@company.example", self.get_sender(self.shopper))

    def test_the_warning_is_sent_from_the_salesperson(self):
        """D6: as ever, where that is staff."""
        agent = self.create_user(SALESPERSON, login="agent", email="a@company.example")
        self.assertIn("a@company.example", self.get_sender(agent))

    def test_what_is_unclear_is_given_to_the_staff(self):
        """D6: a manager looks at what cannot be cancelled by itself."""
        manager = self.create_user(SALESPERSON, CANCELLATION_MANAGER, login="manager")
        self.policy.approver_ids = manager
        self.subscription.user_id = self.shopper
        self.pay_on_account(self.subscription.partner_id, 5.0)
        self.run_cron("2026-07-11 12:00:00")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.assertEqual(self.subscription.activity_ids.user_id, manager)
