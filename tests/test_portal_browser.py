# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the portal's script spares customers, and what is visible on phones (E2)."""

from odoo.fields import Command
from odoo.tests import tagged

from .browser import DESKTOP, BrowserCase

#: Forty letters without a place to break.
LONG = "Donaudampfschifffahrtsgesellschaftskapit"
SMALL = ({"width": 320, "height": 640}, {"width": 360, "height": 740})
#: Elements of the page that are cut off, or that reach out of the window.
CUT_OFF = """() => [...document.querySelectorAll("#wrapwrap *")].filter((one) => {
    const box = one.getBoundingClientRect();
    const hidden = one.closest(".visually-hidden, .o_skip_to_content, [hidden]");
    if (hidden || !box.width || !box.height) { return false; }
    const style = getComputedStyle(one);
    const isWider = one.scrollWidth > one.clientWidth + 1;
    const isCut = style.overflowX !== "visible" && isWider;
    return box.right > innerWidth + 1 || box.left < -1 || isCut;
}).map((one) => one.outerHTML.slice(0, 200))"""


@tagged("post_install", "-at_install")
class TestLongWords(BrowserCase):
    """Nothing is cut off, and nothing has to be moved sideways."""

    def setUp(self):
        super().setUp()
        template = self.subscription.template_id
        template.name = LONG
        self.subscription.sale_subscription_line_ids.name = f"[{LONG}] {LONG}"
        reasons = self.env["sale.subscription.close.reason"]
        reasons._from_code("other").name = f"Other {LONG}"
        self.reason = reasons._from_code("other")
        policies = self.env["subscription.cancellation.policy"]
        policy = policies._for_subscription(self.subscription, "portal")
        policy.portal_reactivate = True
        policy.retention_ids = [
            Command.clear(),
            Command.create({"title": LONG, "kind": "contact"}),
        ]

    def assert_visible(self, page):
        page.wait_for_load_state("networkidle")
        self.assertEqual(page.evaluate(CUT_OFF), [], page.url)

    def test_every_page(self):
        """E2: at 320 and 360 pixels: list, detail, form, errors, summary, result."""
        for size in SMALL:
            with self.open_browser(size, "axe") as page:
                for shown in self.walk(page):
                    self.assert_visible(shown)
            self.env.invalidate_all()
            self.subscription.cancellation_ids.filtered(
                lambda one: one.state == "done" and not one.reactivated_date
            )._undo()

    def walk(self, page):
        page.goto("/my/subscriptions")
        yield page
        page.click("table a")
        yield page
        page.click("a[name=cancel]")
        yield page
        page.evaluate("document.forms.cancel.noValidate = true")
        page.select_option("#reason_id", str(self.reason.id))
        page.click("form[name=cancel] button[type=submit]")
        page.wait_for_selector("[name=problem]")
        yield page
        page.fill("#comment", LONG)
        page.check("#timing_immediate")
        page.click("form[name=cancel] button[type=submit]")
        page.wait_for_selector("form[name=confirm]")
        yield page
        page.click("form[name=confirm] button[type=submit]")
        page.wait_for_selector("[name=next]")
        yield page
        page.click("text=Back to the Subscription")
        page.wait_for_selector("form[name=reactivate]")
        yield page


@tagged("post_install", "-at_install")
class TestScript(BrowserCase):
    """With JavaScript, contradictions do not come up."""

    def open_form(self, page):
        page.goto(f"/my/subscriptions/{self.subscription.id}/cancel")
        # Filled once the script runs.
        page.wait_for_selector(".o_comment_count:not(.d-none)")

    def test_choices_follow_what_is_entered(self):
        """E2: an item its scope, a day its choice, and the other way round."""
        with self.open_browser(DESKTOP, "axe") as page:
            self.open_form(page)
            page.check("[name=line_ids] >> nth=0")
            self.assertTrue(page.is_checked("#scope_lines"))
            page.check("#scope_whole")
            self.assertFalse(page.is_checked("[name=line_ids] >> nth=0"))
            page.fill("[name=requested_date]", "2099-01-01")
            self.assertTrue(page.is_checked("#timing_specific_date"))
            page.check("#timing_immediate")
            self.assertEqual(page.input_value("[name=requested_date]"), "")

    def test_the_comment_is_counted(self):
        """D3, E2: to the length that the reason allows."""
        reason = self.env["sale.subscription.close.reason"]._from_code("other")
        with self.open_browser(DESKTOP, "axe") as page:
            self.open_form(page)
            page.fill("#comment", "Hello")
            self.assertIn("5 / 1000", page.inner_text(".o_comment_count"))
            page.select_option("#reason_id", str(reason.id))
            self.assertIn("5 / 200", page.inner_text(".o_comment_count"))
            self.assertTrue(page.evaluate("document.forms.cancel.comment.required"))
            self.assertFalse(page.is_visible(".o_comment_optional"))
            page.press("#comment", "End")
            page.type("#comment", "x" * 210)
            self.assertIn("200 / 200", page.inner_text(".o_comment_count"))

    def test_a_button_is_sent_once(self):
        """E2: disabled with the first click, usable again after going back."""
        with self.open_browser(DESKTOP, "axe") as page:
            self.open_form(page)
            button = "form[name=cancel] button[type=submit]"
            sent = []
            page.on("request", lambda one: one.method == "POST" and sent.append(one))
            page.evaluate(
                """(selector) => {
                    const button = document.querySelector(selector);
                    button.click();
                    window.setTimeout(() => button.click(), 5);
                    window.setTimeout(() => button.click(), 10);
                }""",
                button,
            )
            page.wait_for_selector("form[name=confirm]")
            forms = [one for one in sent if one.url.endswith("/cancel")]
            self.assertEqual(len(forms), 1)
            page.go_back()
            page.wait_for_selector(".o_comment_count:not(.d-none)")
            self.assertTrue(page.is_enabled(button))

    def test_change_and_cancel_are_two_buttons(self):
        """E2: with the script, too, the server knows which one it was."""
        with self.open_browser(DESKTOP, "axe") as page:
            self.open_form(page)
            page.fill("#comment", "Hello")
            page.check("#timing_immediate")
            page.click("form[name=cancel] button[type=submit]")
            page.wait_for_selector("form[name=confirm]")
            page.click("button[name=change]")
            page.wait_for_selector("form[name=cancel]")
            self.assertEqual(page.input_value("#comment"), "Hello")
        self.env.invalidate_all()
        self.assertFalse(self.subscription.cancellation_ids)
