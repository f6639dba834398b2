# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The customers' pages, looked at by axe-core in a real browser (E2)."""

import shutil
from contextlib import contextmanager
from datetime import date, timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tests.common import TEST_CURSOR_COOKIE_NAME

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


@tagged("post_install", "-at_install")
class TestAccessibility(HttpCase):
    """In real time, because the browser's clock cannot be stopped."""

    def setUp(self):
        super().setUp()
        # With a language to choose in the footer.
        self.env["res.lang"]._activate_lang("de_DE")
        partner = self.env["res.partner"].create(
            {"name": "Axe Inc", "email": "axe@example.com"}
        )
        self.env["res.users"].with_context(no_reset_password=True).create(
            {
                "login": "axe",
                "password": "axe",
                "partner_id": partner.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        self.subscription = self.create_billed_subscription(partner)
        policies = self.env["subscription.cancellation.policy"]
        policy = policies._for_subscription(self.subscription, "portal")
        policy.retention_ids = [
            Command.create({"title": "Wait a moment", "kind": "pause"})
        ]

    def create_billed_subscription(self, partner):
        products = self.env["product.product"].create(
            [
                {"name": name, "type": "service", "list_price": 31.0}
                for name in ("Base", "Other")
            ]
        )
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": partner.id,
                "pricelist_id": self.env["product.pricelist"].create({"name": "P"}).id,
                "template_id": self.env["sale.subscription.template"]
                .create({"name": "Monthly", "invoicing_mode": "draft"})
                .id,
                "sale_subscription_line_ids": [
                    Command.create({"product_id": product.id}) for product in products
                ],
            }
        )
        subscription.action_start_subscription()
        start = date.today() - timedelta(days=5)
        subscription.write({"date_start": start, "recurring_next_date": start})
        subscription.generate_invoice()
        subscription.invoice_ids.action_post()
        return subscription

    @contextmanager
    def open_browser(self, size, login=None):
        """Yield a page of a browser that is logged in."""
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        session = self.authenticate(login, login)
        cookies = {"session_id": session.sid, TEST_CURSOR_COOKIE_NAME: None}
        with self.allow_requests(all_requests=True), sync_playwright() as playwright:
            cookies[TEST_CURSOR_COOKIE_NAME] = self.http_request_key
            browser = playwright.chromium.launch(
                executable_path=executable, args=["--no-sandbox"]
            )
            context = browser.new_context(base_url=self.base_url(), viewport=size)
            context.add_cookies(
                [
                    {"name": name, "value": value, "url": self.base_url()}
                    for name, value in cookies.items()
                ]
            )
            yield context.new_page()
            browser.close()

    def assert_accessible(self, page):
        """No serious issue, and nothing that is cut off at this width."""
        page.wait_for_load_state("networkidle")
        found = Axe().run(page, options=RULES).response["violations"]
        serious = [
            (issue["id"], [node["html"] for node in issue["nodes"]][:3])
            for issue in found
            if issue["impact"] in ("serious", "critical")
        ]
        self.assertEqual(serious, [], page.url)
        overflow = "document.documentElement.scrollWidth - window.innerWidth"
        self.assertLessEqual(page.evaluate(overflow), 0, f"{page.url} is too wide")

    def walk(self, page):
        """Open every page of a cancellation, as a customer does."""
        page.goto("/my/subscriptions")
        yield page
        page.click("table a")
        yield page
        page.click("a[name=cancel]")
        yield page
        page.check("#scope_lines")
        page.check("input[name=line_ids] >> nth=0")
        page.click("form[name=cancel] button[type=submit]")
        yield page
        page.click("form[name=confirm] button[type=submit]")
        yield page

    def test_the_portal(self):
        """E2: list, detail, form, summary, result, on a desktop and a phone."""
        for size in (DESKTOP, PHONE):
            with self.open_browser(size, "axe") as page:
                for shown in self.walk(page):
                    self.assert_accessible(shown)
            self.env.invalidate_all()
            [cancellation] = (
                self.subscription.cancellation_ids.filtered("is_open")
                or (self.subscription.cancellation_ids[:1])
            )
            self.assertEqual(cancellation.channel, "portal")
            if cancellation.is_open:
                cancellation._revoke()
            else:
                cancellation._undo()

    def test_the_public_page(self):
        """E2: form, errors, receipt, and the page to object."""
        for size in (DESKTOP, PHONE):
            with self.open_browser(size) as page:
                for shown in self.walk_public(page):
                    self.assert_accessible(shown)

    def walk_public(self, page):
        """Declare a cancellation without a login."""
        page.goto("/cancel-contract")
        yield page
        page.evaluate("document.querySelector('main form').noValidate = true")
        page.click("main form button[type=submit]")
        yield page
        page.fill("[name=customer_name]", "Axe")
        page.fill("[name=contract_reference]", f"Nothing {page.viewport_size['width']}")
        page.fill("[name=contract_email]", "axe@example.com")
        page.fill("[name=confirmation_email]", "axe@example.com")
        page.click("main form button[type=submit]")
        page.wait_for_url("**/receipt/**")
        yield page
        self.env.invalidate_all()
        declarations = self.env["subscription.cancellation.declaration"]
        declaration = declarations.search([], order="id desc", limit=1)
        page.goto(f"/cancel-contract/object/{declaration.objection_token}")
        yield page

    def test_by_keyboard(self):
        """E2: from the form to the result without a mouse."""
        with self.open_browser(DESKTOP, "axe") as page:
            page.goto(f"/my/subscriptions/{self.subscription.id}/cancel")
            page.focus("#scope_whole")
            page.keyboard.press("Enter")
            page.wait_for_selector("form[name=confirm]")
            page.focus("form[name=confirm] button[type=submit]")
            page.keyboard.press("Enter")
            page.wait_for_selector("[name=message]")
        self.env.invalidate_all()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
