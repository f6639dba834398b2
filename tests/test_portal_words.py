# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a customer who comes for the first time reads in the portal (E2)."""

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from .portal import PortalCase

MODULE = "subscription_cancellation"
WRITE = "please write to us."


class WordsCase(PortalCase):
    """Two items of $31.00 are paid for July; today is the 10th."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [{"name": "Base", "price_unit": 31.0}, {"name": "Other", "price_unit": 31}],
            partner_id=self.customer.id,
        )
        self.subscription.name = "MON/SUB00061"
        self.subscription.template_id.name = "Monthly"
        self.pay(self.bill(self.subscription))
        self.travel_to("2026-07-10")
        self.lines = self.subscription.sale_subscription_line_ids

    def offer_pause(self, **values):
        """Let the policy offer a pause before somebody confirms."""
        self.policy.retention_ids = [
            Command.create(
                {"title": "Wait", "kind": "pause", "pause_months": 2, **values}
            )
        ]


@tagged("post_install", "-at_install")
class TestPauseOffer(WordsCase):
    def setUp(self):
        super().setUp()
        self.offer_pause()
        self.one_item = {"scope": "lines", "line_ids": [str(self.lines[0].id)]}

    def test_only_where_all_of_it_would_end(self):
        """E2, F11: a pause is for the whole subscription, with its whole credit."""
        page = self.check_out(timing="immediate", **self.one_item)
        self.assertTrue(page.has("confirm"))
        self.assertFalse(page.has("retention"))
        page = self.check_out(timing="immediate", scope="whole")
        self.assertTrue(page.has("retention"))

    def test_other_offers_stay(self):
        """E2, F11: a message is read by whoever cancels an item, too."""
        for kind in ("text", "contact"):
            self.policy.retention_ids.kind = kind
            page = self.check_out(timing="immediate", **self.one_item)
            self.assertTrue(page.has("retention"), kind)

    def test_not_taken_beside_an_item(self):
        """E2: what was not offered is not accepted."""
        page = self.check_out(timing="immediate")
        answer = self.send(page, "pause", **self.one_item)
        self.assertIn("not available any more", answer.text("message"))
        # Without saying what was to be cancelled.
        answer = self.send(page, "pause", scope=None)
        self.assertIn("not available any more", answer.text("message"))
        self.env.invalidate_all()
        self.assertFalse(self.subscription.pause_ids)
        self.send(page, "pause")
        self.env.invalidate_all()
        self.assertTrue(self.subscription.pause_ids)

    def test_not_taken_with_another_reason(self):
        """E2: an offer for one reason is for that one."""
        reasons = self.subscription._get_portal_reasons().filtered(
            lambda reason: not reason.comment_required
        )
        self.policy.retention_ids.reason_id = reasons[0]
        page = self.check_out(timing="immediate", reason_id=str(reasons[0].id))
        answer = self.send(page, "pause", reason_id=str(reasons[1].id))
        self.assertIn("not available any more", answer.text("message"))
        self.assertFalse(self.subscription.pause_ids)


@tagged("post_install", "-at_install")
class TestWayBackFromAPause(WordsCase):
    def assert_leads_to_messages(self, page):
        self.assertTrue(page.tree.xpath("//*[@name='paused']//a[@href='#discussion']"))
        self.assertTrue(page.tree.xpath("//*[@id='discussion']"))

    def test_until_when_and_what_to_do(self):
        """E2: the page says until when, what is invoiced next, and how to go on."""
        self.assertFalse(self.see().has("paused"))
        self.offer_pause()
        answer = self.send(self.check_out(timing="immediate"), "pause")
        for page in (answer, self.see()):
            text = page.text("paused")
            for sentence in (
                "Paused from July 10, 2026 to September 9, 2026.",
                "The next invoice is for the period from September 10, 2026.",
                f"To resume it earlier, {WRITE}",
            ):
                self.assertIn(sentence, text)
            self.assert_leads_to_messages(page)
        # With a link from a mail.
        self.authenticate(None, None)
        token = self.subscription._portal_ensure_token()
        page = self.go(self.get_path(f"?access_token={token}"))
        self.assert_leads_to_messages(page)

    def test_the_mail_says_so(self):
        """D7, E2: what to do to go on earlier."""
        self.offer_pause()
        self.send(self.check_out(timing="immediate"), "pause")
        self.env.invalidate_all()
        body = self.subscription.message_ids.filtered("notification_ids")[:1].body
        self.assertIn("Paused from July 10, 2026 to September 9, 2026.", body)
        self.assertIn("To resume it earlier, please reply to this e-mail.", body)

    def test_a_pause_that_we_entered(self):
        """E2: open-ended, or one that has not begun."""
        self.subscription.action_pause()
        text = self.see().text("paused")
        self.assertIn("Paused from July 10, 2026 on, until it is resumed.", text)
        self.assertIn(f"To resume it, {WRITE}", text)
        self.assertNotIn("next invoice", text)

    def test_one_to_come(self):
        """E2: what is paid is used first."""
        self.policy.refund_mode = "none"
        self.subscription.action_pause("2026-10-01")
        text = self.see().text("paused")
        self.assertIn("Paused from August 1, 2026 to September 30, 2026.", text)
        self.assertIn(f"To resume it earlier, {WRITE}", text)

    def test_over(self):
        """E2: nothing is said of a pause that was ended, or ended with all of it."""
        self.subscription.action_pause("2026-10-01")
        self.subscription.action_resume()
        self.assertFalse(self.see().has("paused"))
        self.subscription.action_pause("2026-10-01")
        self.cancel_as_customer(timing="immediate")
        self.assertFalse(self.see().has("paused"))


@tagged("post_install", "-at_install")
class TestHeadings(WordsCase):
    """One term each, so that every language has its own order of words."""

    GERMAN = {
        "Cancel %s": "%s kündigen",
        "Please check: cancel %s": "Bitte prüfen: %s kündigen",
        "Pause Until %s": "Bis %s pausieren",
        "“%s”": "„%s“",
        "No subscription of yours is found for “%s”.": "Nichts gefunden: „%s“.",
        "Needed with the reason %(reasons)s, in up to %(limit)s characters.": (
            "Mit dem Grund %(reasons)s nötig, bis %(limit)s Zeichen."
        ),
    }

    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("de_DE")
        self.customer.lang = "de_DE"
        known = code_translations.get_python_translations(MODULE, "de_DE")
        code_translations.python_translations[MODULE, "de_DE"] = {
            **known,
            **self.GERMAN,
        }
        self.authenticate("azure", "azure")
        self.addCleanup(
            code_translations.python_translations.__setitem__, (MODULE, "de_DE"), known
        )

    def get_title(self, page):
        return " ".join(page.tree.xpath("//title")[0].text_content().split())

    def get_heading(self, page):
        [heading] = page.tree.xpath("//h1")
        return " ".join(heading.text_content().split())

    def test_cancel(self):
        """E2: form and summary."""
        page = self.see("/cancel")
        self.assertEqual(self.get_heading(page), "Monthly MON/SUB00061 kündigen")
        self.assertIn("Monthly kündigen", self.get_title(page))
        page = self.check_out(timing="immediate")
        self.assertIn("Bitte prüfen: Monthly kündigen", self.get_title(page))

    def test_items(self):
        """E2: what a screen reader says of the link in a row."""
        labels = self.see().tree.xpath("//table[@name='lines']//a/@aria-label")
        self.assertEqual(labels, ["Base kündigen", "Other kündigen"])

    def test_pause(self):
        """E2: the button has its day where the language wants it."""
        self.offer_pause()
        page = self.check_out(timing="immediate")
        [button] = page.tree.xpath("//form[@name='pause']//button")
        text = " ".join(button.text_content().split())
        self.assertEqual(text, "Bis 9. September 2026 pausieren")

    def test_quotation_marks(self):
        """E2: of a reason, of what was searched for."""
        other = self.env.ref(f"{MODULE}.close_reason_other").with_context(lang="de_DE")
        help_text = self.see("/cancel").tree.xpath("//*[@id='comment_help']")[0]
        text = " ".join(help_text.text_content().split())
        self.assertIn(f"„{other.name}“", text)
        self.assertIn("nötig, bis 200 Zeichen.", text)
        page = self.go("/my/subscriptions?search=zzz")
        self.assertIn("„zzz“", page.text())
        self.assertNotIn("“zzz", page.text())

    def test_a_day_that_is_too_far(self):
        """E2: is written as people write it."""
        page = self.check_out(timing="specific_date", requested_date="9999-12-31")
        self.assertIn("31. Dezember 9999", page.text("problem"))
        self.assertNotIn("9999-12-31", page.text("problem"))


@tagged("post_install", "-at_install")
class TestAfterConfirming(WordsCase):
    def test_end_it_later(self):
        """B17: the page after confirming leads to the choice, where there is one."""
        page = self.cancel_as_customer(timing="end_of_period")
        [link] = page.tree.xpath("//a[@name='end_later']/@href")
        path, _mark, anchor = link.partition("#")
        page = self.go(path)
        self.assertTrue(page.tree.xpath(f"//form[@name='extend'][@id='{anchor}']"))
        self.policy.portal_extend = False
        path = f"/cancellations/{self.get_cancellation().id}"
        self.assertFalse(self.see(path).has("end_later"))

    def test_end_an_item_later(self):
        """B17: only all of it can end later."""
        page = self.cancel_as_customer(
            timing="end_of_period", scope="lines", line_ids=[str(self.lines[0].id)]
        )
        self.assertTrue(page.has("revoke"))
        self.assertFalse(page.has("end_later"))

    def test_until_when_it_can_be_reactivated(self):
        """B15, E2: as long as its term runs, else without a limit."""
        self.policy.portal_reactivate = True
        self.cancel_as_customer(timing="immediate")
        self.travel_to("2026-07-12")
        path = f"/cancellations/{self.get_cancellation().id}"
        text = self.see(path).text("next")
        self.assertIn("You can reactivate it on the page of the subscription.", text)

    def test_until_its_term_is_over(self):
        """B15, E2: of a year that began in July; it would have ended by itself."""
        self.subscription = self.create_subscription(
            [31.0],
            partner_id=self.customer.id,
            template=self.create_template(
                recurring_rule_boundary="limited", recurring_rule_count=12
            ),
        )
        self.policy.portal_reactivate = True
        self.cancel_as_customer(timing="immediate")
        self.travel_to("2026-07-12")
        path = f"/cancellations/{self.get_cancellation().id}"
        self.assertIn(
            "You can reactivate it on the page of the subscription until June 30, "
            "2027.",
            self.see(path).text("next"),
        )
