# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Customers go all the ways there are: at a desk and by phone, logged in and by link.

A real browser, with JavaScript and without; what is looked for is what is visible.
"""

from itertools import product

from odoo.fields import Command
from odoo.tests import tagged

from .browser import DESKTOP, UNSEEN, BrowserCase

SMALL = {"width": 390, "height": 844}

#: What can be seen, and what cannot, with the reason.
SHOWN = {
    "<p name=it>Here</p>": None,
    "<p name=it>Two<br>lines</p>": None,
    "<p name=it><b>Bold</b></p>": None,
    "<div style='height: 3000px'></div><p name=it>Below</p>": None,
    "<div style='height: 40px; overflow: auto'><p style='height: 90px'></p>"
    "<p name=it>Scrolled to</p></div>": None,
    "<p name=it style='margin-left: -30px'>Left</p>": "beside",
    "<p name=it style='position: absolute; left: 1270px'>Right of it</p>": "beside",
    "<div style='height: 9px; overflow: hidden'><p name=it>Cut</p></div>": "cut",
    "<div style='width: 40px; overflow: clip'><p name=it style='width: 300px'>"
    "Longer than its box</p></div>": "cut",
    "<p name=it style='width: 40px; overflow: hidden; white-space: nowrap'>"
    "Longer than its box</p>": "cut",
    "<p name=it>Under</p><div style='position: fixed; inset: 0; background: red'>"
    "</div>": "covered",
    "<p name=it style='opacity: 0'>Transparent</p>": "invisible",
}


@tagged("post_install", "-at_install")
class TestSeeing(BrowserCase):
    def test_what_can_be_seen(self):
        """What the journeys below assert is what somebody sees."""
        with self.open_browser(DESKTOP) as page:
            for content, reason in SHOWN.items():
                with self.subTest(content):
                    page.set_content(f"<body>{content}</body>")
                    found = page.locator("[name=it]").evaluate(UNSEEN)
                    if reason:
                        self.assertIn(reason, " ".join(found))
                    else:
                        self.assertEqual(found, [])


@tagged("post_install", "-at_install")
class TestJourneys(BrowserCase):
    """One customer cancels, extends, pauses and waits, and each time goes on."""

    def setUp(self):
        super().setUp()
        policies = self.env["subscription.cancellation.policy"]
        self.policy = policies._for_subscription(self.subscription, "portal")
        self.policy.allow_override_timing = True
        self.policy.retention_ids = [Command.clear()]

    # === WAYS IN === #

    def get_url(self, suffix=""):
        token = self.subscription._portal_ensure_token() if self.is_by_link else ""
        query = f"?access_token={token}" if token else ""
        return f"/my/subscriptions/{self.subscription.id}{suffix}{query}"

    def walk(self, journey, ways=None, scripts=True):
        """Go one way in windows of both sizes, logged in and by link."""
        for size, login in ways or product((DESKTOP, SMALL), ("axe", None)):
            self.is_by_link = not login
            with (
                self.subTest(width=size["width"], login=login, scripts=scripts),
                self.open_browser(size, login, scripts) as page,
            ):
                journey(page)
                self.assert_accessible(page)

    def walk_without_scripts(self, journey):
        for login in ("axe", None):
            self.is_by_link = not login
            with (
                self.subTest("without JavaScript", login=login),
                self.open_browser(SMALL, login, scripts=False) as page,
            ):
                journey(page)

    # === STEPS === #

    def cancel(self, page, item=None, timing="end_of_period", button="Cancel Now"):
        """Choose, read the summary, confirm; the result is shown."""
        page.goto(self.get_url("/cancel"))
        if item:
            page.check("#scope_lines")
            page.check(f"label:has-text('{item}')")
        page.check(f"#timing_{timing}")
        page.click("form[name=cancel] button[type=submit]")
        page.click(f"form[name=confirm] button:has-text('{button}'):visible")
        self.see(page, "[name=message]", "We have received your cancellation.")

    def take_back(self, page):
        """Go back to the subscription and let it go on."""
        page.goto(self.get_url())
        page.click("form[name=revoke] button:visible")
        self.see(page, "[name=message]", "goes on")
        self.assertEqual(self.read_state(page), "active")

    def read_state(self, page):
        # What the page still asks for is read with the same cursor.
        page.wait_for_load_state("networkidle")
        self.env.invalidate_all()
        return self.subscription.cancellation_state

    # === JOURNEYS === #

    def test_cancel_it_and_take_it_back(self):
        """E2, B12: all of it, at the end of the period."""

        def journey(page):
            self.cancel(page)
            self.see(page, "[name=state]", "Service ends on")
            self.assertEqual(self.read_state(page), "non_renewing")
            self.take_back(page)

        self.walk(journey)
        self.walk_without_scripts(journey)

    def test_cancel_an_item(self):
        """E2, A5: the rest goes on."""

        def journey(page):
            self.cancel(page, item="Other")
            self.assertEqual(self.read_state(page), "active")
            [ends] = self.subscription.sale_subscription_line_ids.filtered(
                "cancellation_date"
            )
            self.assertEqual(ends.name, "Other")
            self.take_back(page)

        self.walk(journey)
        self.walk_without_scripts(journey)

    def test_let_it_end_later(self):
        """B17: with the end of a later period."""

        def journey(page):
            self.cancel(page)
            self.assertEqual(self.read_state(page), "non_renewing")
            day = self.subscription.cancellation_date
            page.goto(self.get_url())
            page.select_option("#extension_day", index=0)
            page.click("form[name=extend] button:visible")
            self.see(page, "[name=message]", "Service now ends on")
            self.assertEqual(self.read_state(page), "non_renewing")
            self.assertGreater(self.subscription.cancellation_date, day)
            self.take_back(page)

        self.walk(journey)
        self.walk_without_scripts(journey)

    def test_pause_instead(self):
        """E2, F4: nothing is cancelled; staff lets it go on."""
        self.policy.retention_ids = [Command.create({"title": "Wait", "kind": "pause"})]

        def journey(page):
            page.goto(self.get_url("/cancel"))
            page.check("#timing_end_of_period")
            page.click("form[name=cancel] button[type=submit]")
            page.click("form[name=pause] button:visible")
            self.see(page, "[name=message]", "Your subscription is paused")
            self.assertEqual(self.read_state(page), "active")
            self.assertTrue(self.subscription.is_paused)
            self.subscription.action_resume()

        self.walk(journey)
        self.walk_without_scripts(journey)

    def test_wait_for_approval(self):
        """E2, D2: received and acknowledged; nothing says that it has ended."""
        self.policy.approval_always = True

        def journey(page):
            self.cancel(page, button="Send Cancellation")
            self.see(page, "[name=next]", "service goes on")
            page.goto(self.get_url())
            self.see(page, "[name=state]", "Cancellation")
            self.assertFalse(page.locator("text=/^Ends on/").count())
            self.assertEqual(self.read_state(page), "active")
            self.take_back(page)

        self.walk(journey)
        self.walk_without_scripts(journey)


@tagged("post_install", "-at_install")
class TestPublicPageLanguages(BrowserCase):
    """Whoever cancels on the public page does so in their own language."""

    #: Per language: the button, and the heading of the receipt.
    WORDS = {
        "de_DE": ("jetzt kündigen", "Eingangsbestätigung"),
        "fr_FR": ("notifier la résiliation", "Accusé de réception"),
    }

    def setUp(self):
        super().setUp()
        self.subscription.code = "PUBLIC1"
        public = self.env.ref("base.public_user").sudo()
        public.company_id = self.subscription.company_id
        for lang in self.WORDS:
            self.env["res.lang"]._activate_lang(lang)
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_cancellation"], list(self.WORDS)
        )

    def test_in_german_and_french(self):
        """E2, F1: desk and phone, with JavaScript and without."""
        for (lang, words), size, scripts in product(
            self.WORDS.items(), (DESKTOP, SMALL), (True, False)
        ):
            with (
                self.subTest(lang=lang, width=size["width"], scripts=scripts),
                self.open_browser(size, scripts=scripts) as page,
            ):
                self.declare(page, lang, words)
                if scripts:
                    self.assert_accessible(page)

    def declare(self, page, lang, words):
        button, heading = words
        page.context.add_cookies(
            [{"name": "frontend_lang", "value": lang, "url": self.base_url()}]
        )
        page.goto("/cancel-contract")
        page.fill("input[name=customer_name]", "Axe Inc")
        page.fill("input[name=contract_reference]", "PUBLIC1")
        page.fill("input[name=contract_email]", "axe@example.com")
        page.fill("input[name=confirmation_email]", "axe@example.com")
        page.click(f"button:has-text('{button}'):visible")
        page.locator("h1:visible", has_text=heading).wait_for()
