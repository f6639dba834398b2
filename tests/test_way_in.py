# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The way to the public cancellation page: found without logging in (E2).

German law wants it directly and easily accessible, wherever there is a page.
"""

from lxml import html

from odoo.tests import HttpCase, tagged

from .portal import PortalCase
from .test_cancel_contract import PageCase

PATH = "/cancel-contract"
ENTRANCES = ("/", "/web/login", "/web/signup", "/web/reset_password")
#: The link can be seen and touched: all of it on the screen once one scrolls to it.
IS_VISIBLE = """
    const link = [...document.querySelectorAll("a[href*='/cancel-contract']")].at(-1);
    link.scrollIntoView({block: "center"});
    const box = link.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const isInside = box.left >= 0 && box.right <= document.documentElement.clientWidth
        && box.top >= 0 && box.bottom <= window.innerHeight && box.height >= 12;
    const isOnTop = link.contains(document.elementFromPoint(x, y));
    const fits = document.documentElement.scrollWidth <= window.innerWidth;
    if (isInside && isOnTop && fits) {
        console.log("test successful");
    } else {
        console.error(JSON.stringify({box, isInside, isOnTop, fits}));
    }
"""


class WayInCase(PageCase):
    """Visitors of the company, who may sign up."""

    def setUp(self):
        super().setUp()
        self.env["ir.config_parameter"].sudo().set_param(
            "auth_signup.invitation_scope", "b2c"
        )
        self.env["ir.config_parameter"].sudo().set_param(
            "auth_signup.reset_password", "True"
        )


@tagged("post_install", "-at_install")
class TestWayIn(WayInCase, HttpCase):
    """From wherever visitors come in."""

    def get_links(self, page):
        """Return the addresses of the links to the page on another one."""
        links = html.fromstring(page.text).xpath(
            "//a[contains(@href, $path)]", path=PATH
        )
        return {
            link.get("href"): " ".join(link.text_content().split()) for link in links
        }

    def test_every_entrance_has_the_link(self):
        """E2: with the words that the law wants, and it leads there."""
        for path in ENTRANCES:
            with self.subTest(path=path):
                page = self.get(path)
                self.assertEqual(page.status_code, 200)
                self.assertEqual(self.get_links(page), {PATH: "Cancel contracts here"})
        self.assertIn("Cancel now", self.get(PATH).text)

    def test_switched_off_there_is_no_link(self):
        """E2: nor one that leads nowhere."""
        self.company.cancellation_page_enabled = False
        for path in ENTRANCES:
            with self.subTest(path=path):
                self.assertNotIn(PATH, self.get(path).text)

    def test_who_is_logged_in_has_it_in_the_footer(self):
        """E2: on the pages of the portal."""
        self.create_user("base.group_portal", login="portal")
        self.authenticate("portal", "portal")
        for path in ("/my", "/my/subscriptions", "/my/invoices", "/my/security"):
            with self.subTest(path=path):
                self.assertIn(PATH, self.get_links(self.get(path)))

    def test_a_page_that_is_not_there_has_it_too(self):
        """E2: an old link is no dead end."""
        page = self.get("/no/such/page")
        self.assertEqual(page.status_code, 404)
        self.assertIn(PATH, self.get_links(page))

    # === SETTINGS === #

    def get_settings(self, company=None):
        company = company or self.company
        self.env.invalidate_all()
        return self.env["res.config.settings"].with_company(company).create({})

    def test_the_settings_say_where_it_is_linked_from(self):
        """E1, E2: and what is switched off there."""
        self.assertIn("login", self.get_settings().cancellation_page_links)
        self.assertIn("footer", self.get_settings().cancellation_page_links)
        login = self.env.ref("subscription_cancellation.cancel_contract_login_link")
        login.sudo().active = False
        self.assertNotIn("login", self.get_settings().cancellation_page_links)
        self.assertNotIn(PATH, self.get("/web/login").text)
        footer = self.env.ref("subscription_cancellation.cancel_contract_link")
        footer.sudo().active = False
        self.assertIn("No page", self.get_settings().cancellation_page_links)

    def test_the_settings_of_a_company_that_visitors_are_not_with(self):
        """E2: its page is linked only for its own customers; the settings say so."""
        self.other = self.setup_other_company()["company"]
        self.env.user.company_ids |= self.other
        text = self.get_settings(self.other).cancellation_page_links
        self.assertIn("who are logged in", text)
        self.assertIn("your own site", text)


@tagged("post_install", "-at_install")
class TestWayInOnAPhone(WayInCase, HttpCase):
    """The link is on the screen, in a real browser."""

    browser_size = "390x844"
    touch_enabled = True

    def test_it_is_visible(self):
        """E2: at every entrance."""
        for path in ENTRANCES[1:]:
            with self.subTest(path=path):
                self.browser_js(path, IS_VISIBLE)


@tagged("post_install", "-at_install")
class TestWayInOnADesktop(WayInCase, HttpCase):
    """The same on a wide screen."""

    browser_size = "1280x900"

    def test_it_is_visible(self):
        """E2: at the login, and in a footer."""
        for path in ("/web/login", "/no/such/page"):
            with self.subTest(path=path):
                self.browser_js(path, IS_VISIBLE)


@tagged("post_install", "-at_install")
class TestNotHere(PortalCase):
    """Where the portal cancels nothing, it says who does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"email": "office@company.example", "phone": "+1 555 0100"})
        cls.policy.portal_cancel = False

    def assertSaysWhere(self, page):
        text = page.text("other_ways")
        self.assertIn("office@company.example", text)
        self.assertIn("+1 555 0100", text)
        links = page.tree.xpath("//*[@name='other_ways']//a/@href")
        self.assertIn(self.company._get_cancellation_page_path(), links)
        self.assertIn("mailto:office@company.example", links)

    def test_cannot_be_cancelled_here_says_where(self):
        """E2: the page without login, and an address; by login and by link."""
        for suffix in ("", "/cancel"):
            with self.subTest(suffix=suffix):
                page = self.see(suffix)
                self.assertIn("cannot be cancelled here", page.text())
                self.assertSaysWhere(page)
        link = self.go(self.company._get_cancellation_page_path())
        self.assertEqual(link.status, 200)
        token = self.subscription._portal_ensure_token()
        self.authenticate(None, None)
        self.assertSaysWhere(
            self.go(f"{self.get_path('/cancel')}?access_token={token}")
        )

    def test_where_the_page_is_off_the_address_stays(self):
        """E2: no link that leads nowhere."""
        self.company.cancellation_page_enabled = False
        page = self.see("/cancel")
        self.assertIn("office@company.example", page.text("other_ways"))
        self.assertFalse(
            page.tree.xpath("//*[@name='other_ways']//a[contains(@href, '/cancel-')]")
        )

    def test_without_e_mail_and_telephone_there_is_the_post(self):
        """E2: there is always an address."""
        self.company.write(
            {"email": False, "phone": False, "street": "Main Street 1", "city": "Bonn"}
        )
        self.assertIn("Main Street 1", self.see("/cancel").text("other_ways"))

    def test_what_can_be_cancelled_here_says_nothing_of_it(self):
        """E2: nor what is cancelled already."""
        self.policy.portal_cancel = True
        self.assertFalse(self.see("/cancel").has("other_ways"))
        self.assertFalse(self.see().has("other_ways"))
        self.policy.portal_cancel = False
        self.cancel(self.subscription, timing="end_of_period")
        self.assertFalse(self.see("/cancel").has("other_ways"))

    def test_the_page_cancels_what_the_portal_does_not(self):
        """E2: whoever follows the link gets on."""
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        declarations._receive(
            {
                "kind": "ordinary",
                "extraordinary_reason": False,
                "customer_name": "Azure",
                "contract_reference": self.subscription.name,
                "contract_email": self.customer.email,
                "wants_earliest": True,
                "desired_date": False,
                "confirmation_email": self.customer.email,
            },
            self.company,
            nonce="x" * 20,
            client_address="192.0.2.1",
        )
        declaration = declarations.search([], limit=1)
        declaration._process_declaration()
        self.assertEqual(declaration.state, "matched", declaration.check_reason)
