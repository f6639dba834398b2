# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers read is in their language, to the last word (D7, E2)."""

import io
import re
from pathlib import Path

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.convert import convert_file
from odoo.tools.translate import trans_export

from odoo.addons import subscription_cancellation

from .portal import PortalCase
from .test_confirmations import get_text
from .test_dates import WRONG

#: What a customer may have to read, by language.
SCHEDULED_MAIL = {
    "de_DE": [
        "Ihre Kündigung ist vorgemerkt",
        "Guten Tag Azure",
        "endet am 20. Juli 2026.",
        "schreiben wir Ihnen $ 11,00 für die nicht mehr genutzten Tage gut.",
        "Bleibt als Guthaben auf Ihrem Konto",
        "Ihr Abonnement ansehen",
        "in der beigefügten Zusammenfassung",
    ],
    "fr_FR": [
        "votre résiliation est planifiée",
        "Bonjour Azure",
        "prend fin le 20 juillet 2026.",
        "nous vous créditerons $ 11,00 pour les jours que vous n'utiliserez plus.",
        "Sera conservé comme avoir sur votre compte",
        "Voir votre abonnement",
        "dans le récapitulatif ci-joint",
    ],
    "es_ES": [
        "su cancelación está programada",
        "Estimado/a Azure",
        "finaliza el 20 de julio de 2026.",
        "le abonaremos $ 11,00 por los días que ya no utilice.",
        "Se mantendrá como saldo a favor en su cuenta",
        "Ver su suscripción",
        "en el resumen adjunto",
    ],
    "it_IT": [
        "la Sua disdetta è pianificata",
        "Gentile Azure",
        "termina il 20 luglio 2026.",
        "Le accrediteremo $ 11,00 per i giorni non più utilizzati.",
        "Sarà mantenuto come credito sul Suo conto",
        "Visualizza l'abbonamento",
        "nel riepilogo allegato",
    ],
    "nl_NL": [
        "uw opzegging is gepland",
        "Beste Azure",
        "eindigt op 20 juli 2026.",
        "crediteren wij $ 11,00 voor de dagen die u niet meer gebruikt.",
        "Blijft als tegoed op uw klantrekening staan",
        "Uw abonnement bekijken",
        "in het bijgevoegde overzicht",
    ],
}
DONE_MAIL = {
    "de_DE": [
        ": Ihre Kündigung (",
        "endet am 10. Juli 2026.",
        "Wir schreiben Ihnen $ 21,00 für die nicht mehr genutzten Tage gut.",
        "Bleibt als Guthaben auf Ihrem Konto",
    ],
    "fr_FR": [
        " : votre résiliation (",
        "prend fin le 10 juillet 2026.",
        "Nous vous créditons $ 21,00 pour les jours que vous n'utilisez plus.",
        "Conservé comme avoir sur votre compte",
    ],
    "es_ES": [
        ": su cancelación (",
        "finaliza el 10 de julio de 2026.",
        "Le abonamos $ 21,00 por los días que ya no utiliza.",
        "Se mantiene como saldo a favor en su cuenta",
    ],
    "it_IT": [
        ": la Sua disdetta (",
        "termina il 10 luglio 2026.",
        "Le accreditiamo $ 21,00 per i giorni non più utilizzati.",
        "Mantenuto come credito sul Suo conto",
    ],
    "nl_NL": [
        ": uw opzegging (",
        "eindigt op 10 juli 2026.",
        "Wij crediteren $ 21,00 voor de dagen die u niet meer gebruikt.",
        "Blijft als tegoed op uw klantrekening staan",
    ],
}
SCHEDULED_SUMMARY = {
    "de_DE": [
        "Die Leistung endet am 20. Juli 2026",
        "Die Leistung läuft weiter bis zum 20. Juli 2026.",
        "Das ganze Abonnement",
        "Zu einem bestimmten Tag",
        "Anteilige Gutschrift",
        "Voraussichtlich, Stand 10. Juli 2026",
        "Voraussichtliche Abrechnung",
    ],
    "fr_FR": [
        "Le service prend fin le 20 juillet 2026",
        "Le service continue jusqu'au 20 juillet 2026.",
        "L'abonnement entier",
        "À une date précise",
        "Avoir au prorata",
        "Prévision au 10 juillet 2026",
        "Règlement prévu",
    ],
    "es_ES": [
        "El servicio finaliza el 20 de julio de 2026",
        "El servicio continúa hasta el 20 de julio de 2026.",
        "Toda la suscripción",
        "En una fecha concreta",
        "Emitir factura rectificativa (prorrateada)",
        "Previsión a fecha de 10 de julio de 2026",
        "Liquidación prevista",
    ],
    "it_IT": [
        "Il servizio termina il 20 luglio 2026",
        "Il servizio prosegue fino al 20 luglio 2026.",
        "L'intero abbonamento",
        "In una data specifica",
        "Emissione nota di credito (pro rata)",
        "Previsione al 10 luglio 2026",
        "Regolamento previsto",
    ],
    "nl_NL": [
        "Dienst eindigt op 20 juli 2026",
        "De dienst loopt door tot en met 20 juli 2026.",
        "Het hele abonnement",
        "Op een bepaalde datum",
        "Creditfactuur opstellen (naar rato)",
        "Verwacht, stand per 10 juli 2026",
        "Verwachte afrekening",
    ],
}
DONE_SUMMARY = {
    "de_DE": [
        "Ausgeführt",
        "Die Leistung ist beendet. Gutschrift: $ 21,00.",
        "Berechneter Zeitraum Nicht genutzte Tage Gutschrift Steuer Gesamt",
        "21 von 31",
        "Beleg Für Datum Status Betrag",
        "Abrechnung",
    ],
    "fr_FR": [
        "Effectuée",
        "Le service a pris fin. Avoir : $ 21,00.",
        "Période facturée Jours non utilisés Avoir Taxe Total",
        "21 sur 31",
        "Document Pour Date État Montant",
        "Règlement",
    ],
    "es_ES": [
        "Realizada",
        "Servicio finalizado. Abono: $ 21,00.",
        "Periodo facturado Días no utilizados Abono Impuestos Total",
        "21 de 31",
        "Documento Concepto Fecha Estado Importe",
        "Liquidación",
    ],
    "it_IT": [
        "Eseguita",
        "Il servizio è terminato. Credito: $ 21,00.",
        "Periodo fatturato Giorni non utilizzati Credito Imposta Totale",
        "21 su 31",
        "Documento Relativo a Data Stato Importo",
        "Regolamento",
    ],
    "nl_NL": [
        "Uitgevoerd",
        "De dienst is geëindigd. Creditbedrag: $ 21,00.",
        "Gefactureerde periode Ongebruikte dagen Creditbedrag Btw Totaal",
        "21 van 31",
        "Document Voor Datum Status Bedrag",
        "Afrekening",
    ],
}
DETAIL_PAGE = {
    "de_DE": [
        "Aktiv",
        "Nächste Rechnung 1. August 2026",
        "Ihre Leistungen",
        "Kündigen",
        "Abonnement kündigen",
        "Rechnungen und Gutschriften",
        "Nachrichten",
    ],
    "fr_FR": [
        "Actif",
        "Prochaine facture 1er août 2026",
        "Vos services",
        "Résilier",
        "Résilier l'abonnement",
        "Factures et avoirs",
        "Messages",
    ],
    "es_ES": [
        "Activa",
        "Próxima factura 1 de agosto de 2026",
        "Lo que tiene contratado",
        "Cancelar suscripción",
        "Facturas y facturas rectificativas",
        "Mensajes",
    ],
    "it_IT": [
        "Attivo",
        "Prossima fattura 1 agosto 2026",
        "I Suoi servizi",
        "Disdici abbonamento",
        "Fatture e note di credito",
        "Messaggi",
    ],
    "nl_NL": [
        "Actief",
        "Volgende factuur 1 augustus 2026",
        "Wat u afneemt",
        "Abonnement opzeggen",
        "Facturen en creditfacturen",
        "Berichten",
    ],
}
PREVIEW_PAGE = {
    "de_DE": [
        "Bitte prüfen und dann bestätigen",
        "Die Leistung endet am 10. Juli 2026.",
        "Es wird eine Gutschrift über $ 21,00 ausgestellt (Zeitraum: 11. Juli 2026",
        "Gutschrift für nicht genutzte Tage",
        "Abrechnung",
        "Jetzt kündigen",
    ],
    "fr_FR": [
        "Veuillez vérifier, puis confirmer",
        "Le service prend fin le 10 juillet 2026.",
        "Un avoir de $ 21,00 sera émis (période : 11 juillet 2026 – 31",
        "Avoir pour les jours que vous n'utilisez pas",
        "Règlement",
        "Résilier maintenant",
    ],
    "es_ES": [
        "Revise y confirme",
        "El servicio finaliza el 10 de julio de 2026.",
        "Se emitirá una factura rectificativa de $ 21,00 (periodo: 11 de julio",
        "Abono por los días que no utiliza",
        "Liquidación",
        "Cancelar ahora",
    ],
    "it_IT": [
        "Verifica e conferma",
        "Il servizio termina il 10 luglio 2026.",
        "Sarà emessa una nota di credito di $ 21,00 (periodo: 11 luglio 2026",
        "Credito per i giorni non utilizzati",
        "Regolamento",
        "Disdici ora",
    ],
    "nl_NL": [
        "Controleer en bevestig",
        "De dienst eindigt op 10 juli 2026.",
        "Er wordt een creditfactuur van $ 21,00 opgesteld (periode: 11 juli 2026",
        "Creditering voor dagen die u niet gebruikt",
        "Afrekening",
        "Nu opzeggen",
    ],
}
RESULT_PAGE = {
    "de_DE": [
        "Wir haben Ihre Kündigung erhalten.",
        "Die Leistung endet am 10. Juli 2026",
        "Das ganze Abonnement",
        "Als PDF speichern",
        "Zurück zum Abonnement",
    ],
    "fr_FR": [
        "Nous avons reçu votre résiliation.",
        "Le service prend fin le 10 juillet 2026",
        "L'abonnement entier",
        "Enregistrer en PDF",
        "Retour à l'abonnement",
    ],
    "es_ES": [
        "Hemos recibido su cancelación.",
        "El servicio finaliza el 10 de julio de 2026",
        "Toda la suscripción",
        "Guardar como PDF",
        "Volver a la suscripción",
    ],
    "it_IT": [
        "Abbiamo ricevuto la Sua disdetta.",
        "Il servizio termina il 10 luglio 2026",
        "L'intero abbonamento",
        "Salva come PDF",
        "Torna all'abbonamento",
    ],
    "nl_NL": [
        "Wij hebben uw opzegging ontvangen.",
        "Dienst eindigt op 10 juli 2026",
        "Het hele abonnement",
        "Opslaan als PDF",
        "Terug naar het abonnement",
    ],
}
#: English that stands on these mails, documents and pages otherwise.
ENGLISH = [
    "Add-on",
    "Cancel ",
    "Cancellation",
    "ancelled",
    "Billed",
    "Credit ",
    "Credits",
    "Dear",
    "Ends",
    "Expected",
    "Immediately",
    "Invoice",
    "Kept",
    "Next",
    "Nothing",
    "Please",
    "Price",
    "Refund",
    "Requested",
    "Scheduled",
    "Service ended",
    "Service ends",
    "Ends on",
    "Since",
    "Subscription",
    "summary",
    "The ",
    "Unused",
    "We ",
    "What",
    "You ",
    "Your",
]

I18N = Path(subscription_cancellation.__file__).parent / "i18n"
LANGUAGES = ["de", "es", "fr", "it", "nl"]
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|\{\{.*?\}\}")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    """The files with the translations are complete, and about this very addon."""

    def read(self, name):
        return polib.pofile(str(I18N / name))

    def test_the_template_has_every_term(self):
        """What there is to translate is in the .pot file (`make i18n`)."""
        buffer = io.BytesIO()
        trans_export(False, ["subscription_cancellation"], buffer, "po", self.env)
        exported = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        template = {entry.msgid for entry in self.read("subscription_cancellation.pot")}
        self.assertEqual(exported - template, set())
        self.assertEqual(template - exported, set())

    def test_every_term_is_translated(self):
        """Nothing is left in English, and every placeholder is kept."""
        self.assertEqual(sorted(path.stem for path in I18N.glob("*.po")), LANGUAGES)
        template = {entry.msgid for entry in self.read("subscription_cancellation.pot")}
        for language in LANGUAGES:
            with self.subTest(language=language):
                entries = self.read(f"{language}.po")
                self.assertEqual({entry.msgid for entry in entries}, template)
                for entry in entries:
                    self.assertTrue(entry.msgstr, entry.msgid)
                    self.assertCountEqual(
                        PLACEHOLDER.findall(entry.msgid),
                        PLACEHOLDER.findall(entry.msgstr),
                        entry.msgid,
                    )


@tagged("post_install", "-at_install")
class TestReasonsInEveryLanguage(TransactionCase):
    """Why people leave, in the words of those who are asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for lang in RESULT_PAGE:
            cls.env["res.lang"]._activate_lang(lang)
        cls.reasons = cls.env["sale.subscription.close.reason"]

    def load_terms(self):
        self.env["ir.module.module"]._load_module_terms(
            ["subscription_oca", "subscription_cancellation"], list(RESULT_PAGE)
        )
        self.env.invalidate_all()

    def test_customers_read_every_reason_in_their_language(self):
        """D3, issue 6: upstream's reasons, too, which upstream does not translate."""
        self.load_terms()
        delivered = self.reasons.search([("portal_visible", "=", True)])
        self.assertGreaterEqual(len(delivered), 9)
        for reason in self.reasons.search([]):
            for lang in RESULT_PAGE:
                with self.subTest(reason=reason.name, lang=lang):
                    name = reason.with_context(lang=lang).name
                    self.assertNotEqual(name, reason.with_context(lang="en_US").name)

    def test_names_that_somebody_has_given_stay(self):
        """D3: also when the addon is upgraded."""
        reason = self.reasons._from_code("other")
        reason.with_context(lang="de_DE").name = "Ganz anders"
        self.load_terms()
        self.assertEqual(reason.with_context(lang="de_DE").name, "Ganz anders")
        self.assertEqual(reason.with_context(lang="nl_NL").name, "Anders")

    def test_reasons_of_upstream_are_adopted_once(self):
        """D3: an older version had given them a code, and no name of ours."""
        reason = self.env.ref("subscription_oca.close_reason_expensive")
        before = self.reasons.with_context(active_test=False).search([])
        own = self.env["ir.model.data"].search(
            [
                ("module", "=", "subscription_cancellation"),
                ("model", "=", reason._name),
                ("res_id", "=", reason.id),
            ]
        )
        self.assertEqual(own.name, "close_reason_too_expensive")
        own.unlink()
        for _time in range(2):
            self.convert()
            self.assertEqual(
                self.env.ref("subscription_cancellation.close_reason_too_expensive"),
                reason,
            )
        after = self.reasons.with_context(active_test=False).search([])
        self.assertEqual(after, before)

    def test_a_reason_of_upstream_that_was_deleted_comes_from_here(self):
        """D3: it is there once, with its code."""
        reason = self.env.ref("subscription_oca.close_reason_use")
        count = self.reasons.search_count([])
        reason.unlink()
        self.convert()
        self.assertEqual(self.reasons.search_count([]), count)

    def convert(self):
        """Load the data file as an upgrade does."""
        convert_file(
            self.env,
            "subscription_cancellation",
            "data/sale_subscription_close_reason.xml",
            {},
            mode="update",
        )
        self.env.flush_all()

    def test_upgrades_of_upstream_leave_the_names_alone(self):
        """D3: what it delivers says “The subscription is too expensive”."""
        reason = self.env.ref("subscription_oca.close_reason_expensive")
        convert_file(
            self.env,
            "subscription_oca",
            "data/sale_subscription_data.xml",
            {},
            mode="update",
        )
        self.assertEqual(reason.name, "Too expensive")


@tagged("post_install", "-at_install")
class TestDefaultPolicyInEveryLanguage(TransactionCase):
    """It is made per company, so no file can translate it as a record."""

    NAME = "Default cancellation policy"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.modules = cls.env["ir.module.module"]

    def load_language(self, lang):
        self.env["res.lang"]._activate_lang(lang)
        self.modules._load_module_terms(["subscription_cancellation"], [lang])

    def found(self, name="Later Inc", lang="en_US"):
        """Return the policy of a new company, founded in a language."""
        companies = self.env["res.company"].with_context(lang=lang)
        company = companies.create({"name": name})
        policies = self.env["subscription.cancellation.policy"]
        return policies.search([("company_id", "=", company.id)])

    def assert_named(self, policy, **expected):
        for lang, name in expected.items():
            self.assertEqual(policy.with_context(lang=lang).name, name)

    def test_a_language_that_comes_later(self):
        """Issue 6: and with an upgrade, which loads the terms again."""
        policy = self.found()
        for lang in RESULT_PAGE:
            self.load_language(lang)
            with self.subTest(lang=lang):
                self.assertNotEqual(policy.with_context(lang=lang).name, self.NAME)
        self.assert_named(
            policy, en_US=self.NAME, nl_NL="Standaardregeling voor opzeggingen"
        )

    def test_a_company_that_comes_later(self):
        """Issue 6: English stays English, whoever founds it."""
        self.load_language("de_DE")
        for lang in ("en_US", "de_DE"):
            with self.subTest(lang=lang):
                self.assert_named(
                    self.found(f"Founded {lang}", lang),
                    en_US=self.NAME,
                    de_DE="Standardrichtlinie für Kündigungen",
                )

    def test_a_name_that_somebody_gave_stays(self):
        """Issue 6: in the language it was given in, or in all of them."""
        policy, other = self.found(), self.found("Other Inc")
        policy.name = "House rules"
        self.load_language("de_DE")
        other.with_context(lang="de_DE").name = "Unsere Regeln"
        self.load_language("de_DE")
        self.assert_named(policy, en_US="House rules", de_DE="House rules")
        self.assert_named(other, en_US=self.NAME, de_DE="Unsere Regeln")


@tagged("post_install", "-at_install")
class TestLanguages(PortalCase):
    """Customers of five languages, from the first page to the last mail."""

    def setUp(self):
        super().setUp()
        for lang in RESULT_PAGE:
            self.env["res.lang"]._activate_lang(lang)
        # Odoo's mail has the frame around each message.
        self.env["ir.module.module"]._load_module_terms(
            ["mail", "subscription_cancellation"], list(RESULT_PAGE)
        )
        # Names are the company's own words, in whatever language.
        self.subscription.template_id.name = "Basis"

    def check_words(self, text, lang, expected):
        """Check that a text says what it has to, and nothing in English."""
        for phrase in expected[lang]:
            self.assertIn(phrase, " ".join(text.split()))
        for phrase in ENGLISH:
            self.assertNotIn(phrase, text)

    def speak(self, lang):
        """Have the customer read, and browse, in a language."""
        self.customer.lang = self.user.lang = lang
        self.opener.cookies.clear()
        self.authenticate("azure", "azure")

    def see_own(self, page):
        """Return the words of a page, without those of Odoo's own frame."""
        [element] = page.tree.xpath("//main//*[@id='wrap']")
        for form in element.xpath(".//select"):
            form.drop_tree()
        return " ".join(element.text_content().split())

    def get_mail(self):
        """Return the one mail about the cancellation."""
        messages = self.get_cancellation().message_ids
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("mail_message_id", "in", messages.ids)])
        )

    def check_told(self, lang, mail_words, summary_words):
        """Check the mail about the cancellation and the summary attached to it."""
        mail = self.get_mail()
        self.assertEqual(len(mail), 1)
        text = f"{mail.subject} {get_text(mail.body_html)}"
        self.check_words(text, lang, mail_words)
        document = get_text(mail.attachment_ids.raw.decode())
        self.check_words(document, lang, summary_words)

    def renew(self):
        """Have another subscription like the first one."""
        self.travel_to("2026-07-01")
        self.subscription = self.create_subscription(
            [{"name": "Base", "price_unit": 31.0}],
            partner_id=self.customer.id,
            template_id=self.subscription.template_id.id,
        )
        self.pay(self.bill(self.subscription))
        self.travel_to("2026-07-10")

    def test_mails_and_summaries(self):
        """D7: what is scheduled, and what is done."""
        for lang in RESULT_PAGE:
            with self.subTest(lang=lang):
                self.speak(lang)
                self.renew()
                self.cancel(
                    self.subscription,
                    timing="specific_date",
                    requested_date="2026-07-20",
                )
                self.check_told(lang, SCHEDULED_MAIL, SCHEDULED_SUMMARY)
                self.renew()
                self.cancel(self.subscription)
                self.run_steps(self.subscription)
                self.check_told(lang, DONE_MAIL, DONE_SUMMARY)

    def test_pages(self):
        """E2: the subscription, the last look before, and the proof after."""
        for lang in RESULT_PAGE:
            with self.subTest(lang=lang):
                self.speak(lang)
                self.renew()
                shown = self.see_own(self.see())
                self.check_words(shown, lang, DETAIL_PAGE)
                self.assertNotRegex(shown, WRONG)
                page = self.check_out(timing="immediate")
                self.check_words(self.see_own(page), lang, PREVIEW_PAGE)
                page = self.send(page, "confirm")
                self.check_words(self.see_own(page), lang, RESULT_PAGE)
