# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Every mail to customers in every language: no English, nothing missing (D7)."""

import re
from pathlib import Path

import polib
from lxml import html

from odoo.tests import tagged

from odoo.addons import subscription_cancellation
from odoo.addons.subscription_cancellation.models.common.customer_mail import (
    FOR_CUSTOMER,
)

from .test_cancel_contract import DeclarationCase
from .test_confirmations import ConfirmationCase
from .test_dates import WRONG
from .test_overdue import OverdueCase

TEMPLATE = Path(subscription_cancellation.__file__).parent / (
    "i18n/subscription_cancellation.pot"
)
SUMMARY = "subscription_cancellation.cancellation_summary"
LANGUAGES = ("de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL")
#: What no customer may read: a value that is missing, or a place for one.
MISSING = r"\b(?:False|None)\b|%\(|%s|\{\{|\}\}|<t\b"
#: Words of the company's own, in whatever language, and of Odoo.
NAMES = (
    "Azure Interior",
    "Ann Azure",
    "Every 1 months, draft",
    "United States",
    "company_1_data",
)
ADDRESS = r"[\w.]+@[\w.]+"


class EveryLanguageCase:
    """Read mails in every language, and compare them with the English ones."""

    def setUp(self):
        super().setUp()
        for lang in LANGUAGES:
            self.env["res.lang"]._activate_lang(lang)
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_cancellation"], list(LANGUAGES)
        )
        #: Terms that translators have got by now.
        self.known = {entry.msgid for entry in polib.pofile(str(TEMPLATE))}

    def check(self, name, speak, with_summary=False):
        """Check a mail.

        :param str name: of the template
        :param speak: returns the record that the mail is about, for a language
        :param bool with_summary: check the document that goes with it, too
        """
        english = self.read(name, speak("en_US"), with_summary)
        for lang in LANGUAGES:
            with self.subTest(mail=name, lang=lang):
                found = self.read(name, speak(lang), with_summary)
                self.assertGreaterEqual(len(found), len(english) / 2)
                text = " | ".join(found)
                self.assertNotRegex(text, MISSING)
                self.assertNotRegex(text, WRONG)
                self.assertFalse({piece for piece in found if piece in english})

    def address(self, record):
        """Return how a record comes to be told to its customer in a language."""

        def speak(lang):
            record.partner_id.lang = lang
            return record

        return speak

    def read(self, name, record, with_summary):
        """Return the pieces of text that have words, without names."""
        template = self.env.ref(f"subscription_cancellation.mail_template_{name}")
        template = template.with_context(**FOR_CUSTOMER, lang="en_US")
        mail = template._generate_template(record.ids, ("subject", "body_html"))
        [values] = mail.values()
        pages = [values["body_html"]]
        if with_summary:
            reports = self.env["ir.actions.report"].with_context(**FOR_CUSTOMER)
            pages.append(reports._render_qweb_html(SUMMARY, record.ids)[0].decode())
        texts = [piece for page in pages for piece in read_pieces(page)]
        if template.subject in self.known:
            texts.append(values["subject"])
        return [text for text in map(normalize, texts) if has_words(text)]


def read_pieces(page):
    """Return the texts of a page, sentence by sentence."""
    tree = html.fromstring(page)
    for element in tree.xpath("//script | //style"):
        element.drop_tree()
    return [
        sentence
        for text in tree.itertext()
        for sentence in re.split(r"(?<=[.:?!])\s+", text)
    ]


def normalize(text):
    """Return a text without what is the same in each language."""
    text = re.sub(ADDRESS, "", text)
    for name in NAMES:
        text = text.replace(name, "")
    return " ".join(text.split())


def has_words(text):
    """Return whether there are two words in a text; one may be the same by chance."""
    return len(re.findall(r"\b[^\W\d_]{3,}\b", text)) > 1


@tagged("post_install", "-at_install")
class TestCancellationMails(EveryLanguageCase, ConfirmationCase):
    def check_cancellation(self, event, cancellation):
        self.check(
            f"cancellation_{event}",
            self.address(cancellation),
            # The summary of what waits goes with no mail.
            with_summary=event != "requested",
        )

    def test_scheduled_reminded_moved_and_revoked(self):
        """D7: until the 11th, then the 8th of August, each with its article."""
        cancellation = self.schedule(requested_date="2026-08-11")
        self.check_cancellation("scheduled", cancellation)
        self.check_cancellation("reminder", cancellation)
        cancellation._postpone("2026-08-08")
        self.check_cancellation("moved", cancellation)
        cancellation._revoke()
        self.check_cancellation("revoked", cancellation)

    def test_done_and_reactivated(self):
        """D7: on the 11th of July, paid before, with what became of the money."""
        self.travel_to("2026-07-11")
        self.pay(self.subscription._get_invoices())
        cancellation = self.reach_done()
        self.check_cancellation("done", cancellation)
        self.subscription._reactivate("resume")
        self.check_cancellation("reactivated", cancellation)

    def test_an_item_is_done(self):
        """D7: the rest goes on; nothing was paid."""
        self.subscription = self.create_billed([31.0, 10.0])
        line = self.subscription.sale_subscription_line_ids[0]
        cancellation = self.reach_done(line_ids=line.ids)
        self.check_cancellation("done", cancellation)

    def test_requested_and_refused(self):
        """D7, D1: received on the 8th; by right, and as a request."""
        self.policy.approval_always = True
        for channel in ("portal", "backend"):
            with self.subTest(channel=channel):
                self.subscription = self.create_billed()
                self.travel_to("2026-07-08")
                options = {"timing": "specific_date", "requested_date": "2026-08-01"}
                engine = self.subscription.sudo()
                engine._request_cancellation(options, channel=channel)
                cancellation = engine.cancellation_ids
                self.assertEqual(cancellation.state, "to_approve")
                self.check_cancellation("requested", cancellation)
                cancellation.with_user(self.manager)._refuse("x")
                self.check_cancellation("refused", cancellation)

    def test_paused(self):
        """D7, F4: from the 10th to the 11th of August; the next invoice."""
        self.subscription._pause("2026-08-12", "portal")
        self.check("subscription_paused", self.address(self.subscription))


@tagged("post_install", "-at_install")
class TestDeclarationMails(EveryLanguageCase, DeclarationCase):
    def test_received(self):
        """D7, E2: the receipt of what was declared."""
        for values in (
            {},
            {"desired_date": self.day("2026-08-11")},
            {"kind": "extraordinary", "extraordinary_reason": "XXX"},
        ):
            with self.subTest(**values):
                self.check("declaration_receipt", self.declare_in(**values))

    def test_declared_by_another_address(self):
        """D7, E2: to the customer, with the way to object, until it has ended."""
        declaration = self.declare(
            confirmation_email="other@example.com", desired_date=self.day("2026-08-11")
        ).sudo()
        self.process()
        self.assertEqual(declaration.state, "matched")

        def speak(lang):
            self.customer.lang = lang
            return declaration

        self.check("declaration_on_file", speak)
        declaration.cancellation_id._revoke()
        self.check("declaration_on_file", speak)

    def declare_in(self, **values):
        """Return how something comes to be declared in a language of the page."""

        def speak(lang):
            self.env = self.env(context={**self.env.context, "lang": lang})
            return self.declare(**values).sudo()

        return speak


@tagged("post_install", "-at_install")
class TestOverdueMail(EveryLanguageCase, OverdueCase):
    def test_the_warning(self):
        """D6, D7: what is due, since when, and how it is paid."""
        self.policy.overdue_warning_days = 5
        self.travel_to("2026-07-08")
        self.assertTrue(self.invoice.overdue_cancellation_date)
        self.check("overdue_warning", self.address(self.invoice))
