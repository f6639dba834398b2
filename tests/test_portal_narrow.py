# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""On a phone no word of a button, a link or a head is torn apart (E2)."""

from odoo.fields import Command
from odoo.tests import tagged

from .browser import BrowserCase
from .test_portal_browser import CUT_OFF

SIZES = ({"width": 320, "height": 640}, {"width": 390, "height": 844})
#: Words that stand on more than one line; where a hyphen or slash is, they may.
TORN = """(limit) => {
    const shown = "a, button, .btn, .badge, th, legend, label, caption, dt, h1, h2";
    const torn = [];
    for (const one of document.querySelectorAll("#wrapwrap main :is(" + shown + ")")) {
        const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const node = walker.currentNode;
            if (node.parentElement.closest(".visually-hidden")) { continue; }
            for (const match of node.data.matchAll(/[^\\s\\/–-]+/gu)) {
                const range = document.createRange();
                range.setStart(node, match.index);
                range.setEnd(node, match.index + match[0].length);
                const box = range.getBoundingClientRect();
                const line = parseFloat(getComputedStyle(node.parentElement).fontSize);
                const isTorn = box.height > 2 * line;
                if (isTorn && match[0].length < limit) {
                    torn.push(one.tagName + ": " + match[0]);
                }
            }
        }
    }
    return [...new Set(torn)];
}"""
LIMIT = 25


@tagged("post_install", "-at_install")
class TestNarrow(BrowserCase):
    """In German, whose words are long; with add-ons, taxes and thousands."""

    def setUp(self):
        super().setUp()
        languages = self.env["res.lang"]._activate_lang("de_DE")
        self.env["base.language.install"].create(
            {"lang_ids": languages.ids}
        ).lang_install()
        partner = self.subscription.partner_id
        partner.lang = "de_DE"
        policies = self.env["subscription.cancellation.policy"]
        policy = policies._for_subscription(self.subscription, "portal")
        policy.write({"portal_reactivate": True, "portal_extend": True})
        self.subscription = self.create_with_addons(partner)

    def create_with_addons(self, partner):
        """Return a subscription with an item on an item, billed with tax."""
        tax = self.env["account.tax"].create({"name": "19 %", "amount": 19.0})
        products = self.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "service",
                    "list_price": price,
                    "taxes_id": [Command.set(tax.ids)],
                }
                for name, price in (
                    ("Bürokommunikationspaket", 1172.48),
                    ("Speicherplatzerweiterung", 1057.03),
                    ("Datensicherung", 19.0),
                )
            ]
        )
        subscription = self.create_billed_subscription(partner, products)
        subscription.template_id.name = "Geschäftskundenabonnement"
        lines = subscription.sale_subscription_line_ids
        lines[1].parent_line_id = lines[0]
        lines[2].parent_line_id = lines[1]
        return subscription

    def assert_whole(self, page):
        page.wait_for_load_state("networkidle")
        with self.subTest(url=page.url, width=page.viewport_size["width"]):
            self.assertEqual(page.evaluate(TORN, LIMIT), [])
            self.assertEqual(page.evaluate(CUT_OFF), [])

    def test_every_page(self):
        """E2: list, item list, form, summary, result, and what can be done then."""
        for size in SIZES:
            with self.open_browser(size, "axe") as page:
                for shown in self.walk(page):
                    self.assert_whole(shown)
            self.env.invalidate_all()
            self.subscription.cancellation_ids.filtered(
                lambda one: one.state == "done" and not one.reactivated_date
            )._undo()

    def walk(self, page):
        address = f"/my/subscriptions/{self.subscription.id}"
        page.goto("/my/subscriptions")
        yield page
        page.goto(address)
        yield page
        for timing in ("end_of_period", "immediate"):
            page.goto(f"{address}/cancel")
            yield page
            page.check(f"#timing_{timing}")
            page.click("form[name=cancel] button[type=submit]")
            page.wait_for_selector("form[name=confirm]")
            yield page
            page.click("form[name=confirm] button.btn-danger")
            page.wait_for_selector("[name=next]")
            yield page
            page.goto(address)
            yield page
            if timing == "end_of_period":
                page.click("form[name=revoke] button")
                page.wait_for_selector("[name=message]")
                yield page
