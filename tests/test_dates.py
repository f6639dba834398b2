# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Dates as they are said in each language, and documents in the customer's (D7)."""

import re
from datetime import date

from markupsafe import Markup

from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import html2plaintext
from odoo.tools.translate import code_translations, get_translation

from odoo.addons.subscription_cancellation.formatting import (
    format_days,
    refine_dates,
)

from .mails import MailServerCase
from .test_confirmations import ConfirmationCase

ITALIAN = {
    "termina il 8 luglio 2026.": "termina l'8 luglio 2026.",
    "Il 11 dicembre": "L'11 dicembre",
    "dal 1 luglio 2026 al 8 luglio 2026": "dall'1 luglio 2026 all'8 luglio 2026",
    "fino al 11 lug 2026": "fino all'11 lug 2026",
    "prima del 8 agosto, nel 1 marzo": "prima dell'8 agosto, nell'1 marzo",
    "entro il <b>\n  8 luglio</b>": "entro l'<b>8 luglio</b>",
    "<dt>Attivo dal</dt>\n<dd>1 luglio</dd>": "<dt>Attivo dall'</dt><dd>1 luglio</dd>",
    # Nothing else.
    "il 18 luglio 2026": "il 18 luglio 2026",
    "il 10 luglio 2026": "il 10 luglio 2026",
    "il 8 per cento": "il 8 per cento",
    "al 80 luglio": "al 80 luglio",
}
FRENCH = {
    "prend fin le 1 décembre 2026.": "prend fin le 1er décembre 2026.",
    "du 1 mai au 31 mai": "du 1er mai au 31 mai",
    "au 1 juil. 2026": "au 1er juil. 2026",
    "le 11 décembre, le 21 juin": "le 11 décembre, le 21 juin",
    "1 jour": "1 jour",
}
#: How days of August are said, with the word before, by language.
SAID = {
    "it_IT": {
        1: "l'1 agosto 2026",
        8: "l'8 agosto 2026",
        11: "l'11 agosto 2026",
    },
    "fr_FR": {1: "1er août 2026"},
}
ITALIAN_TEXTS = ("subscription_cancellation", "it_IT")
#: An article that has to be written otherwise before these days; a French first.
WRONG = r"(?i)\b(?:il|al|dal|del|nel|sul)\s+(?:1|8|11) [a-z]{3}|\b1 août"
#: In a translation: it may stand before such a day.
ARTICLE = r"(?i)\b(?:il|al|dal|del|nel|sul) %"


@tagged("post_install", "-at_install")
class TestWords(TransactionCase):
    def test_italian_articles(self):
        """D7: before a day that is spoken with a vowel, tags or not."""
        for text, expected in ITALIAN.items():
            self.assertEqual(refine_dates(text, "it_IT"), expected)
            # Whose language is not known here, is seen by its words.
            self.assertEqual(refine_dates(text, None), expected)

    def test_the_first_in_french(self):
        """D7: and nowhere else."""
        for text, expected in FRENCH.items():
            self.assertEqual(refine_dates(text, "fr_FR"), expected)
            self.assertEqual(refine_dates(text, "fr_CA"), expected)
        self.assertEqual(refine_dates("1 november 2026", "nl_NL"), "1 november 2026")
        self.assertEqual(refine_dates("1 mars 2026", "sv_SE"), "1 mars 2026")

    def test_html_stays_html(self):
        """D7: what was escaped is not escaped again."""
        text = refine_dates(Markup("<p>il 8 luglio &amp; dopo</p>"), "it_IT")
        self.assertEqual(text, Markup("<p>l'8 luglio &amp; dopo</p>"))
        self.assertIsInstance(text, Markup)


@tagged("post_install", "-at_install")
class TestDates(MailServerCase, ConfirmationCase):
    def load(self, lang):
        """Load a language and its translations."""
        self.env["base.language.install"].create(
            {"lang_ids": self.env["res.lang"]._activate_lang(lang).ids}
        ).lang_install()

    def read_mail(self, lang, day):
        """Return what a customer with a language reads of an end on a day."""
        self.load(lang)
        self.partner.lang = lang
        self.subscription = self.create_billed()
        cancellation = self.schedule(timing="specific_date", requested_date=day)
        mails = self.mails(cancellation)
        document = self.document(mails)
        [mail] = self.deliver(mails)
        return mail.text, document

    def test_an_italian_customer(self):
        """D7: the article before the 8th and the 11th; mail and document."""
        for day, expected in (("2026-08-08", "8"), ("2026-08-11", "11")):
            mail, document = self.read_mail("it_IT", day)
            self.assertIn(f"l'{expected} agosto 2026", mail)
            self.assertNotRegex(mail, rf"\w+l {expected} agosto")
            self.assertIn(f"fino all'{expected} agosto 2026", document)

    def test_a_french_customer(self):
        """D7: the first of a month; mail and document."""
        mail, document = self.read_mail("fr_FR", "2026-08-01")
        for text in (mail, document):
            self.assertIn("1er août 2026", text)
            self.assertNotIn(" 1 août", text)

    def test_whoever_reads_errors_and_messages(self):
        """D7: no page, mail or document: errors, history, activities, the API."""
        for lang, days in SAID.items():
            self.load(lang)
            self.env.user.lang = lang
            for day, said in days.items():
                with self.subTest(lang=lang, day=day):
                    self.subscription = self.create_billed()
                    subscription = self.subscription.with_context(lang=lang)
                    requested = {
                        "timing": "specific_date",
                        "requested_date": f"2026-08-{day:02}",
                    }
                    shown = subscription.preview_cancellation(**requested)
                    subscription.request_cancellation(**requested)
                    cancellation = subscription.cancellation_ids
                    with self.assertRaises(UserError) as caught:
                        subscription.request_cancellation(**requested)
                    history = " ".join(
                        html2plaintext(message.body)
                        for messages in (subscription, cancellation)
                        for message in messages.message_ids
                    )
                    cancellation._notify_responsible(
                        "x", cancellation._get_confirmation_text()
                    )
                    note = html2plaintext(cancellation.activity_ids.note)
                    for text in (str(caught.exception), history, note):
                        self.assertIn(said, text)
                        self.assertNotRegex(text, WRONG)
                    self.assertNotRegex(str(shown), WRONG)

    def test_every_translation_that_has_an_article_before_a_value(self):
        """D7: whoever writes the next one has nothing to remember."""
        texts = code_translations.get_python_translations(*ITALIAN_TEXTS)
        found = [source for source, text in texts.items() if re.search(ARTICLE, text)]
        self.assertGreater(len(found), 30)
        for source in found:
            with self.subTest(source):
                names = re.findall(r"%\((\w+)\)s", source)
                values = dict.fromkeys(names, "8 luglio 2026")
                args = ("8 luglio 2026",) * source.count("%s")
                said = get_translation(*ITALIAN_TEXTS, source, values or args)
                self.assertNotRegex(said, WRONG)

    def test_the_page_of_a_french_customer(self):
        """E2: dates that the page writes itself."""
        self.load("fr_FR")
        text = self.env["ir.qweb"]._render(
            "subscription_cancellation.cancellation_page",
            {"docs": [], "title": "1 juillet 2026"},
        )
        self.assertIn("1 juillet", text)
        french = self.env["ir.qweb"].with_context(lang="fr_FR")
        text = french._render(
            "subscription_cancellation.cancellation_page",
            {"docs": [], "title": "1 juillet 2026"},
        )
        self.assertIn("1er juillet", text)

    def test_a_single_day_is_written_once(self):
        """D7: in every text about days in a row."""
        day, next_day = date(2026, 7, 31), date(2026, 8, 1)
        self.assertEqual(format_days(self.env, day, day), "July 31, 2026")
        self.assertEqual(
            format_days(self.env, day, next_day), "July 31, 2026 – August 1, 2026"
        )
        self.assertEqual(format_days(self.env, day, day, None), "07/31/2026")

    def test_a_credit_for_one_day(self):
        """C1, D7: on the credit memo and in the preview."""
        self.travel_to("2026-07-30")
        preview = self.subscription.preview_cancellation(timing="immediate")
        self.assertEqual(preview["lines"][0]["unused_days"], 1)
        self.cancel(self.subscription)
        memo = self.credit_memos(self.subscription)
        self.assertIn(
            "Credit for July 31, 2026 (1 of 31 days)", memo.invoice_line_ids.name
        )
        self.assertEqual(str(memo.credited_from), "2026-07-31")
        self.assertEqual(memo.credited_until, memo.credited_from)

    def test_a_pause_of_one_day(self):
        """D7: no "from the 15th to the 15th"."""
        text = self.subscription._describe_paused_days(
            date(2026, 7, 15), date(2026, 7, 16)
        )
        self.assertEqual(text, "Paused on July 15, 2026 only.")

    # === DOCUMENTS === #

    def test_documents_are_in_the_customers_language(self):
        """C4, D7: reference and lines, whoever executes; taken back as well."""
        self.load("fr_FR")
        self.partner.lang = "fr_FR"
        self.assertEqual(self.env.lang or "en_US", "en_US")
        subscription = self.create_billed()
        invoice = subscription._get_invoices()
        self.cancel(subscription)
        memo = self.credit_memos(subscription)
        self.assertIn("juillet 2026", memo.invoice_line_ids.name)
        self.assertIn(f"Avoir sur {invoice.name}", memo.ref)
        self.policy.undo_days = 5
        subscription.reactivate_subscription()
        back = memo.reversal_move_ids
        self.assertTrue(back)
        self.assertNotIn("Takes back", back.ref)
        self.assertIn("juillet 2026", back.invoice_line_ids.name)

    def test_the_file_is_called_in_the_customers_language(self):
        """D7: whoever prints it."""
        self.load("fr_FR")
        self.partner.lang = "fr_FR"
        cancellation = self.schedule()
        name = cancellation.with_context(lang="en_US")._get_report_base_filename()
        self.assertEqual(name, f"Résiliation {cancellation._get_reference()}")
