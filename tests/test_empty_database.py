# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A database without demo data: from the first screen to the first credit (A2, E1)."""

from odoo.fields import Command
from odoo.tests import tagged

from .browser import DESKTOP, BrowserCase
from .common import CancellationCase

SUBSCRIPTIONS = "/odoo/action-subscription_oca.sale_subscription_action"


@tagged("post_install", "-at_install")
class TestFirstSteps(BrowserCase):
    """What a person does who reads nothing but the screen."""

    def setUp(self):
        # Without the subscription that other browsers look at.
        super(BrowserCase, self).setUp()
        if self.env["sale.subscription"].with_context(active_test=False).search([]):
            self.skipTest("This database has subscriptions.")
        pricelists = self.env["product.pricelist"].with_context(active_test=False)
        self.assertFalse(pricelists.search([]), "A new database has no pricelist.")

    def test_from_nothing_to_a_credit(self):
        """A2, E1: product, template, subscription, start, invoice, Deactivate."""
        with self.open_browser(DESKTOP, "admin") as page:
            page.set_default_timeout(90_000)
            page.goto(SUBSCRIPTIONS, wait_until="commit")
            self.create_product(page)
            self.create_template(page)
            self.create_subscription(page)
            self.invoice(page)
            self.deactivate(page)
        subscription = self.env["sale.subscription"].search([])
        self.assertEqual(subscription.cancellation_state, "cancelled")
        memo = subscription.cancellation_ids.credit_note_ids
        self.assertEqual(memo.state, "posted")
        self.assertEqual(memo.reversed_entry_id, subscription.invoice_ids - memo)
        self.assertEqual(
            subscription.pricelist_id.currency_id, self.env.company.currency_id
        )

    def create_product(self, page):
        page.click(".o_view_nocontent a:text-is('product')")
        self.new(page, "product that customers subscribe to")
        page.fill("[name=name] textarea, [name=name] input", "Hosting")
        page.fill("[name=list_price] input", "31")
        self.save(page)
        page.click(".o_breadcrumb a:text-is('Subscriptions')")

    def create_template(self, page):
        page.click(".o_view_nocontent a:text-is('subscription template')")
        self.new(page, "how often its subscriptions are invoiced")
        page.fill("[name=name] input", "Monthly")
        self.save(page)
        page.click(".o_breadcrumb a:text-is('Subscriptions')")

    def create_subscription(self, page):
        self.new(page, "the product as a line")
        self.choose(page, "[name=partner_id]", "Azure", "Create")
        page.wait_for_function(
            "() => document.querySelector('[name=pricelist_id] input').value"
        )
        self.choose(page, "[name=template_id]", "Monthly", "Monthly")
        page.click(".o_field_x2many_list_row_add a:text-is('Add a line')")
        self.choose(page, ".o_selected_row [name=product_id]", "Hosting", "Hosting")
        page.wait_for_function(
            "() => document.querySelector('.o_selected_row [name=price_unit] input')"
            ".value === '31.00'"
        )
        self.save(page)
        page.click("button[name=action_start_subscription]")
        page.wait_for_selector("button[name=action_deactivate]:visible")

    def invoice(self, page):
        page.click("button[name=manual_invoice]")
        page.click("button[name=action_post]:visible")
        page.wait_for_selector(".o_arrow_button_current:has-text('Posted')")
        page.click(".o_breadcrumb a:has-text('SUB0')")

    def deactivate(self, page):
        page.click("button[name=action_deactivate]:has-text('Deactivate')")
        page.wait_for_selector(".modal .o_subscription_cancellation_preview")
        page.click(".modal footer button:has-text('Deactivate'):enabled")
        page.wait_for_selector(".alert:has-text('Cancelled')")

    def new(self, page, help_text):
        """An empty list says what comes; there is a button for it."""
        page.wait_for_selector(f".o_view_nocontent:has-text('{help_text}')")
        page.click(".o_list_button_add:visible")
        page.wait_for_selector(".o_form_view")

    def save(self, page):
        page.click(".o_form_button_save")
        page.wait_for_selector(
            ".o_form_saved, .o_form_status_indicator_buttons.invisible",
            state="attached",
        )

    def choose(self, page, field, text, item):
        """Type into a field, and take what it offers."""
        page.locator(f"{field} input").press_sequentially(text)
        page.click(f".o-autocomplete--dropdown-item:has-text('{item}')")


@tagged("post_install", "-at_install")
class TestPricelist(CancellationCase):
    """Upstream requires one; nobody is asked for it."""

    def setUp(self):
        super().setUp()
        self.env["product.pricelist"].search([]).action_archive()
        self.partner = self.create_customer()
        self.values = {
            "partner_id": self.partner.id,
            "template_id": self.create_template().id,
        }

    def get_pricelists(self):
        return self.env["product.pricelist"].search([])

    def test_without_any_the_company_gets_one(self):
        """E3: also who makes a subscription over the API; once."""
        subscriptions = self.env["sale.subscription"].create([self.values] * 2)
        pricelist = subscriptions.pricelist_id
        self.assertEqual(pricelist, self.get_pricelists())
        self.assertRecordValues(
            pricelist,
            [{"company_id": self.company.id, "currency_id": self.currency.id}],
        )

    def test_one_with_rules_or_in_another_currency_is_nobody_s_default(self):
        """C11: prices and currency are what the product says."""
        euro = self.get_currency("EUR")
        others = self.env["product.pricelist"].create(
            [
                {"name": "Euro", "currency_id": euro.id},
                {
                    "name": "Half",
                    "item_ids": [
                        Command.create(
                            {
                                "compute_price": "percentage",
                                "percent_price": 50,
                                "applied_on": "3_global",
                            }
                        )
                    ],
                },
            ]
        )
        subscription = self.env["sale.subscription"].create(self.values)
        self.assertNotIn(subscription.pricelist_id, others)

    def test_the_customer_s_own_comes_first(self):
        """E1: where pricelists are switched on."""
        self.env.user.group_ids += self.env.ref("product.group_product_pricelist")
        group = self.env.ref("base.group_user")
        group._apply_group(self.env.ref("product.group_product_pricelist"))
        own = self.env["product.pricelist"].create({"name": "Own"})
        self.partner.property_product_pricelist = own
        subscription = self.env["sale.subscription"].create(self.values)
        self.assertEqual(subscription.pricelist_id, own)

    def test_an_order_is_confirmed_without_any(self):
        """E1: upstream stops with “No pricelist found to create subscription”."""
        product = self.create_product("Hosting")
        product.write(
            {
                "subscribable": True,
                "subscription_template_id": self.values["template_id"],
            }
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        self.assertFalse(order.pricelist_id)
        order.action_confirm()
        self.assertEqual(order.subscription_ids.pricelist_id, self.get_pricelists())
