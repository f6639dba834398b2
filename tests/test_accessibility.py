# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The customers' pages, looked at by axe-core in a real browser (E2)."""

from odoo.tests import tagged

from .browser import DESKTOP, PHONE, BrowserCase


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
