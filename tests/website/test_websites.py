# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The public page of a second website is that of its company (E2).

Runs in a database with Odoo's website app (``make test`` does so).
"""

import re
from html import unescape

from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from ..common import CANCELLATION_MANAGER
from ..test_cancel_contract import CUSTOMER, MODEL, DeclarationCase

PATH = "/cancel-contract"
FIRST, SECOND = "one.example", "two.example"


@tagged("post_install", "-at_install")
class TestWebsites(DeclarationCase, HttpCase):
    """Ours is the company of the first website, the other that of the second."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_data = cls.setup_other_company(
            name="Elsewhere", email="office@elsewhere.example"
        )
        cls.other = cls.other_data["company"]
        cls.env.user.company_ids |= cls.other
        websites = cls.env["website"].sudo()
        cls.first = websites.search([], limit=1)
        cls.first.write({"domain": f"http://{FIRST}", "company_id": cls.company.id})
        cls.second = websites.create(
            {
                "name": "Second",
                "domain": f"http://{SECOND}",
                "company_id": cls.other.id,
            }
        )
        cls.manager = cls.create_user(
            CANCELLATION_MANAGER, login="theirs", company_id=cls.other.id
        )

    def setUp(self):
        super().setUp()
        self.env.ref("base.public_user").sudo().lang = "en_US"
        with_both = self.env(
            context={
                **self.env.context,
                "allowed_company_ids": (self.company | self.other).ids,
            }
        )
        product = self.create_product("Elsewhere's hosting")
        product.with_company(self.other).property_account_income_id = self.other_data[
            "default_account_revenue"
        ]
        self.theirs = (
            self.create_subscription(
                [{"product_id": product.id}],
                partner_id=self.customer.id,
                company_id=self.other.id,
                journal_id=self.other_data["default_journal_sale"].id,
            )
            .with_env(with_both)
            .with_company(self.other)
        )
        self.theirs.code = "SUBTHEIRS"
        self.bill(self.theirs, "2026-07-01")
        self.travel_to("2026-07-10 12:00:00")

    def get(self, path=PATH, host=SECOND, **values):
        """Open a page of a website; with values, send them."""
        return self.url_open(path, headers={"Host": host}, **values)

    def send(self, host=SECOND, path=PATH, **values):
        """Fill in the page of a website and click the button."""
        page = self.get(path, host)
        hidden = dict(
            re.findall(r'name="(csrf_token|nonce)" value="([^"]*)"', page.text)
        )
        entries = {
            **hidden,
            "kind": "ordinary",
            "customer_name": "Ann Azure",
            "contract_reference": "SUBTHEIRS",
            "contract_email": CUSTOMER,
            "end": "earliest",
            "confirmation_email": CUSTOMER,
            **values,
        }
        return self.get(path, host, data=entries)

    def declarations(self):
        companies = self.company | self.other
        return self.env[MODEL].sudo().search([("company_id", "in", companies.ids)])

    def get_addressee(self, page):
        """Return whom the page names under its title."""
        [name] = re.findall(r'<p class="text-muted mb-2">([^<]*)</p>', page.text)
        return unescape(name)

    def test_each_page_is_that_of_its_companys_website(self):
        """E2: the addressee, and where the footer leads to."""
        for host, company in ((FIRST, self.company), (SECOND, self.other)):
            page = self.get(host=host)
            self.assertEqual(page.status_code, 200)
            self.assertEqual(self.get_addressee(page), company.name)
            home = self.get("/", host=host)
            self.assertIn(f'href="{PATH}"', home.text)
            numbered = self.get(f"{PATH}/{self.company.id}", host=host)
            self.assertEqual(self.get_addressee(numbered), self.company.name)

    def test_what_is_declared_there_is_declared_to_its_company(self):
        """E2: the receipt says so, its contract is found, its managers see it."""
        receipt = self.send()
        self.assertIn("/receipt/", receipt.url)
        self.assertIn("Elsewhere", receipt.text)
        self.assertNotIn(self.company.name, receipt.text)
        declaration = self.declarations()
        self.assertEqual(declaration.company_id, self.other)
        self.assertIn("Elsewhere", declaration._get_receipt_text())
        mail = self.env["mail.mail"].sudo().search([], order="id desc", limit=1)
        self.assertIn("elsewhere.example", mail.email_from)
        self.process()
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
        self.assertEqual(declaration.subscription_id, self.theirs)
        own = self.env(
            user=self.manager, context={"allowed_company_ids": self.other.ids}
        )
        self.assertIn(declaration, own[MODEL].search([]))
        self.assertEqual(declaration.cancellation_id.company_id, self.other)
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_what_is_unclear_is_given_to_its_managers(self):
        """E2: the contract of another company is not found there."""
        self.theirs.user_id = False
        self.send(contract_reference="SUBTEST1")
        self.process()
        declaration = self.declarations()
        self.assertEqual(declaration.state, "to_check")
        self.assertIn(self.manager, declaration.activity_ids.user_id)

    def test_the_switch_is_its_companys(self):
        """E2: off there, the page and the link are gone there only."""
        self.other.cancellation_page_enabled = False
        self.assertEqual(self.get().status_code, 404)
        self.assertNotIn(PATH, self.get("/").text)
        self.assertEqual(self.get(host=FIRST).status_code, 200)
        self.assertIn(f'href="{PATH}"', self.get("/", host=FIRST).text)
        self.other.cancellation_page_enabled = True
        self.company.cancellation_page_enabled = False
        self.assertEqual(self.get().status_code, 200)
        self.assertEqual(self.get(host=FIRST).status_code, 404)

    def test_a_customer_who_is_logged_in_declares_to_the_website(self):
        """E2: whatever the company of their login is."""
        user = self.env["res.users"].sudo()
        user = user.with_context(no_reset_password=True).create(
            {
                "name": "Ann Azure",
                "login": CUSTOMER,
                "password": CUSTOMER,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        self.authenticate(user.login, CUSTOMER)
        self.assertEqual(self.get_addressee(self.get()), "Elsewhere")
        self.send()
        self.assertEqual(self.declarations().company_id, self.other)

    def test_the_address_in_the_settings_leads_to_its_page(self):
        """E2: on its website's domain, else by its number."""
        for company, host in ((self.company, FIRST), (self.other, SECOND)):
            self.assertEqual(company.cancellation_page_url, f"http://{host}{PATH}")
        self.second.domain = False
        self.env.invalidate_all()
        url = self.other.cancellation_page_url
        self.assertTrue(url.endswith(f"{PATH}/{self.other.id}"), url)
        page = self.get(url[url.index(PATH) :], host=FIRST)
        self.assertEqual(self.get_addressee(page), "Elsewhere")

    def test_the_login_of_a_website_has_the_link_in_its_footer(self):
        """E2: once, and the settings say where it is."""
        for host in (FIRST, SECOND):
            page = self.get("/web/login", host=host)
            self.assertEqual(page.text.count(f'href="{PATH}"'), 1, host)
        for company in (self.company, self.other):
            self.assertIn("footer of website", company.cancellation_page_links)
            self.assertNotIn("login", company.cancellation_page_links)

    def test_it_works_with_cookies_off(self):
        """E2: on a website, too."""
        page = self.get()
        hidden = dict(
            re.findall(r'name="(csrf_token|nonce)" value="([^"]*)"', page.text)
        )
        self.opener.cookies.clear()
        entries = {
            **hidden,
            "kind": "ordinary",
            "customer_name": "Ann Azure",
            "contract_reference": "SUBTHEIRS",
            "contract_email": CUSTOMER,
            "end": "earliest",
            "confirmation_email": CUSTOMER,
        }
        answer = self.get(data=entries, allow_redirects=False)
        self.assertEqual(answer.status_code, 303)
        self.opener.cookies.clear()
        receipt = self.get(answer.headers["Location"])
        self.assertIn("We have received your cancellation", receipt.text)
