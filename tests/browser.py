# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A customer with a real browser, of any size, looked over by axe-core."""

import shutil
from contextlib import contextmanager
from datetime import date, timedelta

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from odoo.fields import Command
from odoo.tests import HttpCase
from odoo.tests.common import TEST_CURSOR_COOKIE_NAME

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
#: What keeps somebody from seeing the text of an element: a list of words.
UNSEEN = """
element => {
    element.scrollIntoView({block: "center", behavior: "instant"});
    // Nobody looks for a text beside the window.
    scrollTo({left: 0, top: scrollY, behavior: "instant"});
    const range = document.createRange();
    range.selectNodeContents(element);
    const lines = [...range.getClientRects()].filter(box => box.width && box.height);
    const reasons = lines.length ? [] : ["empty"];
    if (lines.some(box => box.left < 0 || box.right > innerWidth + 1)) {
        reasons.push("beside the window");
    }
    for (let around = element; around; around = around.parentElement) {
        const style = getComputedStyle(around);
        const box = around.getBoundingClientRect();
        const isCut = line =>
            (["hidden", "clip"].includes(style.overflowX) &&
                (line.left < box.left - 1 || line.right > box.right + 1)) ||
            (["hidden", "clip"].includes(style.overflowY) &&
                (line.top < box.top - 2 || line.bottom > box.bottom + 2));
        if (lines.some(isCut)) {
            reasons.push(`cut by ${around.cloneNode().outerHTML}`);
        }
        if (style.opacity === "0" || style.visibility === "hidden") {
            reasons.push("invisible");
        }
    }
    for (const line of lines) {
        const [x, y] = [line.left + line.width / 2, line.top + line.height / 2];
        const top = document.elementFromPoint(x, y);
        if (y > 0 && y < innerHeight && !(top && element.contains(top))) {
            reasons.push(`covered by ${top && top.cloneNode().outerHTML}`);
        }
    }
    return reasons;
}
"""


class BrowserCase(HttpCase):
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

    def create_billed_subscription(self, partner, products=None):
        products = products or self.env["product.product"].create(
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
    def open_browser(self, size, login=None, scripts=True, lang="en-US"):
        """Yield a page of a browser that is logged in.

        :param dict size: of the window
        :param str login: password alike; absent: nobody
        :param bool scripts: JavaScript is on
        :param str lang: of the browser
        """
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        session = self.authenticate(login, login)
        cookies = {"session_id": session.sid, TEST_CURSOR_COOKIE_NAME: None}
        with self.allow_requests(all_requests=True), sync_playwright() as playwright:
            cookies[TEST_CURSOR_COOKIE_NAME] = self.http_request_key
            browser = playwright.chromium.launch(
                executable_path=executable, args=["--no-sandbox"]
            )
            context = browser.new_context(
                base_url=self.base_url(),
                viewport=size,
                java_script_enabled=scripts,
                locale=lang,
            )
            context.add_cookies(
                [
                    {"name": name, "value": value, "url": self.base_url()}
                    for name, value in cookies.items()
                ]
            )
            yield context.new_page()
            browser.close()

    def see(self, page, selector, text):
        """Assert that a text can be seen: in the window, not cut, and not covered."""
        found = page.locator(f"{selector}:visible", has_text=text).first
        found.wait_for()
        self.assertEqual(found.evaluate(UNSEEN), [], f"{selector} on {page.url}")

    def assert_accessible(self, page):
        """No serious issue, and nothing that is cut off at this width."""
        page.wait_for_load_state("networkidle")
        self.assert_axe(page)
        overflow = "document.documentElement.scrollWidth - window.innerWidth"
        self.assertLessEqual(page.evaluate(overflow), 0, f"{page.url} is too wide")

    def assert_dialog_accessible(self, page):
        """No serious issue in the dialog that is open: what is behind it is Odoo's."""
        self.assert_axe(page, ".modal .o_subscription_deactivate, .modal-footer")

    def assert_axe(self, page, selector=None, without=()):
        """Let axe-core look over a page, or some of it.

        :param str selector: of what is looked at
        :param without: selectors of what is Odoo's own in there
        """
        context = {"include": [[selector]]} if selector else None
        if without:
            context["exclude"] = [[one] for one in without]
        found = Axe().run(page, context, RULES).response["violations"]
        serious = [
            (issue["id"], [node["html"] for node in issue["nodes"]][:3])
            for issue in found
            if issue["impact"] in ("serious", "critical")
        ]
        self.assertEqual(serious, [], page.url)
