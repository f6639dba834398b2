# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Orders of a second company, and subscriptions that are in the wrong one."""

import json

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .accounting import CREDIT
from .common import CANCELLATION_MANAGER, SALESPERSON
from .sales import SalesCase


class SecondCompanyCase(SalesCase):
    """A second company with accounts and a tax of its own; ours is the active one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_data = cls.setup_other_company(
            name="Elsewhere", currency_id=cls.currency.id
        )
        cls.other = cls.other_data["company"]
        cls.env.user.company_ids |= cls.other
        cls.both = cls.company | cls.other
        # Ours is the active one of both.
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.both.ids}
        )
        cls.other_tax = cls.create_reported_tax(
            10.0,
            account=cls.other_data["default_account_tax_sale"],
            company_id=cls.other.id,
        )
        cls.plan = cls.create_template()

    @classmethod
    def sell_elsewhere(cls, **values):
        """Return a quotation of the second company over $31.00 and 10 % tax."""
        cls.travel_to("2026-07-01")
        account = cls.other_data["default_account_revenue"]
        product = cls.create_product(
            "Hosting",
            subscription_template_id=cls.plan.id,
            list_price=31.0,
            invoice_policy="order",
            taxes_id=[Command.set((cls.tax | cls.other_tax).ids)],
        )
        product.with_company(cls.other).property_account_income_id = account
        order = (
            cls.env["sale.order"]
            .with_company(cls.other)
            .create(
                {
                    "partner_id": cls.create_customer(email="ann@azure.example").id,
                    "company_id": cls.other.id,
                    "pricelist_id": cls._create_pricelist(
                        currency_id=cls.currency.id, company_id=cls.other.id
                    ).id,
                    "order_line": [Command.create({"product_id": product.id})],
                    **values,
                }
            )
        )
        return order.with_env(cls.env)

    def invoice_elsewhere(self, order):
        """Press *Create Invoice* with the second company active."""
        return self.invoice(order.with_company(self.other))

    def misplace(self, order):
        """Return the subscription of the order as it was made until now: in ours."""
        order.with_company(self.other).action_confirm()
        subscription = order.subscription_ids
        subscription.company_id = self.company
        subscription.sale_subscription_line_ids.tax_ids = self.tax
        return subscription

    def assert_is_theirs(self, order):
        """The order's subscription is its company's, with a reference; it ends well."""
        subscription = order.subscription_ids
        self.assertEqual(subscription.company_id, self.other)
        self.assertRegex(subscription.code, r"^SUB\d+$")
        self.assertIn(subscription.code, subscription.name)
        line = subscription.sale_subscription_line_ids
        self.assertEqual(line.tax_ids, self.other_tax)
        invoice = self.invoice_elsewhere(order)
        self.assertEqual(invoice.company_id, self.other)
        memo, answer = self.end(subscription)
        self.assertEqual(answer["credit_total"], CREDIT)
        self.assertEqual(memo.company_id, self.other)
        self.assertEqual(memo.reversed_entry_id, invoice)
        self.assertEqual(memo.journal_id.company_id, self.other)


@tagged("post_install", "-at_install")
class TestOrdersOfTheSecondCompany(SecondCompanyCase):
    """B1: what an order sells belongs to the order's company."""

    def test_confirmed_while_another_company_is_active(self):
        """A1: a salesperson of both companies confirms with ours active."""
        order = self.sell_elsewhere()
        seller = self.create_user(
            SALESPERSON,
            "sales_team.group_sale_salesman_all_leads",
            company_ids=[Command.set(self.both.ids)],
        )
        order.with_user(seller).action_confirm()
        self.assert_is_theirs(order)

    def test_each_plan_of_one_order_is_its_companys(self):
        """A1: two templates make two subscriptions, with references of their own."""
        order = self.sell_elsewhere()
        product = order.order_line.product_id.copy(
            {"subscription_template_id": self.create_template("3 months").id}
        )
        order.order_line = [Command.create({"product_id": product.id})]
        order.action_confirm()
        subscriptions = order.subscription_ids
        self.assertEqual(len(subscriptions), 2)
        self.assertEqual(subscriptions.company_id, self.other)
        self.assertEqual(len(set(subscriptions.mapped("code"))), 2)
        self.assertTrue(all(subscriptions.mapped("code")))

    def test_a_sequence_of_the_second_company_comes_first(self):
        """A1: upstream's sequence counts only where a company has none of its own."""
        self.env["ir.sequence"].create(
            {
                "name": "Elsewhere's subscriptions",
                "code": "sale.subscription",
                "prefix": "ELSE",
                "company_id": self.other.id,
            }
        )
        order = self.sell_elsewhere()
        order.action_confirm()
        self.assertRegex(order.subscription_ids.code, r"^ELSE\d+$")

    def test_billed_by_hand_while_another_company_is_active(self):
        """C5: the invoice, and the order that makes one, are the subscription's."""
        for mode in ("draft", "sale_and_invoice"):
            self.plan = self.create_template(invoicing_mode=mode)
            order = self.sell_elsewhere()
            order.action_confirm()
            subscription = order.subscription_ids
            invoice = self.bill(subscription, "2026-08-01")
            self.assertEqual(invoice.company_id, self.other)
            self.assertEqual(invoice.amount_total, 34.10)
        manual = subscription.manual_invoice()["res_id"]
        made = self.env["account.move"].browse(manual)
        self.assertEqual(made.company_id, self.other)


@tagged("post_install", "-at_install")
class TestSignedInThePortal(SecondCompanyCase, HttpCase):
    """B1: whoever signs is in no company of ours."""

    def test_signed_by_its_customer_with_the_link_of_the_mail(self):
        """A1: the portal acts for a visitor, in the company of visitors."""
        order = self.sell_elsewhere(require_signature=True, require_payment=False)
        order.action_quotation_sent()
        token = order._portal_ensure_token()
        pixel = "R0lGODlhAQABAAD/ACwAAAAAAQABAAACADs="
        answer = self.url_open(
            f"/my/orders/{order.id}/accept?access_token={token}",
            data=json.dumps({"params": {"name": "Ann Azure", "signature": pixel}}),
            headers={"Content-Type": "application/json"},
        ).json()
        self.assertNotIn("error", answer)
        self.assertTrue(answer["result"].get("force_refresh"), answer)
        self.env.invalidate_all()
        self.assertEqual(order.state, "sale")
        self.assert_is_theirs(order)


@tagged("post_install", "-at_install")
class TestWrongAlready(SecondCompanyCase):
    """B1: what is in the wrong company is refused in words, listed and mended."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.create_user(
            CANCELLATION_MANAGER,
            "sales_team.group_sale_manager",
            login="manager",
            company_ids=[Command.set(cls.both.ids)],
        )

    def find_wrong(self):
        """Return what the filter of the list of subscriptions finds."""
        Subscription = self.env["sale.subscription"]
        return Subscription.search([("is_in_wrong_company", "=", True)])

    def move(self, subscription):
        """Press the button, as a manager of both companies."""
        subscription.with_user(self.manager).action_move_to_order_company()
        self.env.invalidate_all()

    def test_the_preview_refuses_what_the_request_refuses(self):
        """C5: and both say where the invoice is, and what to do."""
        order = self.sell_elsewhere()
        subscription = self.misplace(order)
        invoice = self.invoice_elsewhere(order)
        self.travel_to("2026-07-10")
        texts = []
        for verb in ("preview_cancellation", "request_cancellation"):
            with self.assertRaises(UserError) as caught:
                getattr(subscription, verb)(timing="immediate")
            texts.append(str(caught.exception))
        self.assertEqual(*texts)
        for text in (invoice.name, "Elsewhere", subscription.name, "Move to Company"):
            self.assertIn(text, texts[0])
        self.assertFalse(subscription.cancellation_ids)
        # Customers read nothing of our companies.
        with self.assertRaisesRegex(UserError, "Please write to us") as caught:
            subscription._plan_for_customer({"timing": "immediate"})
        self.assertNotIn("Elsewhere", str(caught.exception))

    def test_it_ends_without_a_credit(self):
        """C5: nothing of the invoice is touched, so nothing is refused."""
        order = self.sell_elsewhere()
        subscription = self.misplace(order)
        invoice = self.invoice_elsewhere(order)
        memo, answer = self.end(subscription, refund_mode="none")
        self.assertEqual((answer["state"], answer["credit_total"]), ("done", 0.0))
        self.assertFalse(memo)
        self.run_steps(subscription)
        self.assertFalse(subscription.cancellation_ids.step_ids.source_move_id)
        self.assert_open(invoice, 34.10, "not_paid")

    def test_they_are_listed(self):
        """B1: by a filter of the list of subscriptions; right ones are not."""
        right = self.sell_elsewhere()
        right.action_confirm()
        typed = self.create_subscription()
        wrong = self.misplace(self.sell_elsewhere())
        found = self.find_wrong()
        self.assertIn(wrong, found)
        self.assertFalse(found & (right.subscription_ids | typed))
        self.assertTrue(wrong.is_in_wrong_company)
        self.assertFalse(right.subscription_ids.is_in_wrong_company)
        others = self.env["sale.subscription"].search(
            [("is_in_wrong_company", "=", False)]
        )
        self.assertIn(typed, others)
        self.assertNotIn(wrong, others)

    def test_moved_before_anything_is_billed(self):
        """B1: with the taxes of its new company, and without journals of the old."""
        order = self.sell_elsewhere()
        subscription = self.misplace(order)
        subscription.journal_id = self.company_data["default_journal_sale"]
        subscription.cancellation_policy_id = self.get_default_policy()
        self.move(subscription)
        self.assertFalse(self.find_wrong() & subscription)
        self.assertFalse(subscription.journal_id)
        self.assertFalse(subscription.cancellation_policy_id)
        self.assertEqual(subscription.recurring_next_date.isoformat(), "2026-08-01")
        self.assert_is_theirs(order)

    def test_moved_after_its_order_was_invoiced(self):
        """B1: that invoice is where it belongs."""
        order = self.sell_elsewhere()
        subscription = self.misplace(order)
        self.invoice_elsewhere(order)
        self.move(subscription)
        memo, answer = self.end(subscription)
        self.assertEqual(answer["credit_total"], CREDIT)
        self.assertEqual(memo.company_id, self.other)

    def test_billed_in_the_wrong_company_it_stays_until_that_is_taken_back(self):
        """B1: the refusal names the invoice; reversed in full, the move goes on."""
        order = self.sell_elsewhere()
        subscription = self.misplace(order)
        self.invoice_elsewhere(order)
        august = self.bill(subscription, "2026-08-01")
        self.assertEqual(august.company_id, self.company)
        with self.assertRaises(UserError) as caught:
            self.move(subscription)
        self.assertIn(august.name, str(caught.exception))
        self.assertIn("credit memo", str(caught.exception))
        self.assertEqual(subscription.company_id, self.company)
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=august.ids)
            .create({"journal_id": august.journal_id.id})
        )
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        self.move(subscription)
        self.assertEqual(subscription.company_id, self.other)
        september = self.bill(subscription, "2026-09-01")
        self.assertEqual(september.company_id, self.other)

    def test_a_cancellation_comes_first(self):
        """B1: what is scheduled has its company's rules; revoke it, then move."""
        subscription = self.misplace(self.sell_elsewhere())
        self.cancel(
            subscription,
            "2026-07-05",
            timing="specific_date",
            requested_date="2026-07-20",
            refund_mode="none",
        )
        with self.assertRaises(UserError) as caught:
            self.move(subscription)
        self.assertIn(subscription.cancellation_ids.name, str(caught.exception))
        subscription.revoke_cancellation()
        self.move(subscription)
        self.assertEqual(subscription.company_id, self.other)
        self.assertEqual(subscription.cancellation_ids.company_id, self.other)

    def test_nothing_is_moved_that_is_right(self):
        """B1: the button of an old page does nothing more."""
        order = self.sell_elsewhere()
        order.action_confirm()
        with self.assertRaisesRegex(UserError, "its order's company"):
            self.move(order.subscription_ids)
