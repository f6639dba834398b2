# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The customers' pages, looked at by axe-core in a real browser (E2)."""

from odoo.tests import tagged

from .browser import DESKTOP, PHONE, BrowserCase

#: As wide as what is zoomed in to 400 % (WCAG 1.4.10).
NARROW = {"width": 320, "height": 640}


@tagged("post_install", "-at_install")
class TestAccessibility(BrowserCase):
    def walk(self, page):
        """Open every page of a cancellation, as a customer does."""
        page.goto("/my/subscriptions?search=nothing")
        yield page
        page.goto("/my/subscriptions")
        yield page
        page.click("table a")
        yield page
        page.click("a[name=cancel]")
        yield page
        page.evaluate("document.forms.cancel.noValidate = true")
        page.fill("[name=requested_date]", "2020-01-01")
        page.click("form[name=cancel] button[type=submit]")
        page.wait_for_selector("[name=problem]")
        yield page
        page.check("#timing_immediate")
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

    def test_what_cannot_be_cancelled_here(self):
        """E2: the other ways, on the subscription and instead of the form."""
        policies = self.env["subscription.cancellation.policy"]
        policy = policies._for_subscription(self.subscription, "portal")
        policy.portal_cancel = False
        company = self.subscription.company_id
        for values in (
            {"email": "office@example.com", "phone": "+32 1 23"},
            {"email": False, "phone": False},
        ):
            company.write(values)
            for size in (DESKTOP, NARROW):
                with self.open_browser(size, "axe") as page:
                    for suffix in ("", "/cancel"):
                        page.goto(f"/my/subscriptions/{self.subscription.id}{suffix}")
                        page.wait_for_selector("[name=other_ways]")
                        self.assert_accessible(page)

    def test_pages_that_are_none(self):
        """E2: a damaged address, a wrong one of a receipt or of an objection."""
        detail = f"/my/subscriptions/{self.subscription.id}"
        for size in (DESKTOP, NARROW):
            with self.open_browser(size) as page:
                page.context.add_cookies(
                    [
                        {
                            "name": "frontend_lang",
                            "value": "de_DE",
                            "url": self.base_url(),
                        }
                    ]
                )
                for path, status in {
                    "/cancel-contract/receipt/x": 404,
                    "/cancel-contract/receipt/x/text": 404,
                    "/cancel-contract/object/x": 404,
                    "/cancel-contract/999999": 404,
                    f"{detail}?access_token=ä": 400,
                    f"{detail}/cancel?access_token=ä": 400,
                    f"{detail}/nothing": 404,
                }.items():
                    with self.subTest(path, width=size["width"]):
                        self.assertEqual(page.goto(path).status, status)
                        self.assertTrue(page.title())
                        self.assertEqual(page.get_attribute("html", "lang"), "de-DE")
                        self.assert_accessible(page)

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
