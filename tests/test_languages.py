# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers read is in their language, to the last word (D7, E2)."""

from odoo.tests import tagged

from .portal import PortalCase
from .test_confirmations import get_text

#: What a customer may have to read: the German and the French of it.
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
}
SCHEDULED_SUMMARY = {
    "de_DE": [
        "Die Leistung endet am 20. Juli 2026",
        "Die Leistung läuft weiter bis zum 20. Juli 2026.",
        "Das gesamte Abonnement",
        "Zu einem bestimmten Tag",
        "Anteilige Gutschrift",
        "Voraussichtlich, Stand 10. Juli 2026",
        "Was aus dem Geld werden wird",
    ],
    "fr_FR": [
        "Le service prend fin le 20 juillet 2026",
        "Le service continue jusqu'au 20 juillet 2026.",
        "L'abonnement entier",
        "À une date précise",
        "Avoir au prorata",
        "Prévision au 10 juillet 2026",
        "Ce que deviendra l'argent",
    ],
}
DONE_SUMMARY = {
    "de_DE": [
        "Ausgeführt",
        "Die Leistung ist beendet. Gutschrift: $ 21,00.",
        "Berechneter Zeitraum Nicht genutzte Tage Gutschrift Steuer Gesamt",
        "21 von 31",
        "Beleg Für Datum Status Betrag",
        "Was aus dem Geld wurde",
    ],
    "fr_FR": [
        "Effectuée",
        "Le service a pris fin. Avoir : $ 21,00.",
        "Période facturée Jours non utilisés Avoir Taxe Total",
        "21 sur 31",
        "Document Pour Date État Montant",
        "Ce que l'argent est devenu",
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
        "Prochaine facture 1 août 2026",
        "Vos services",
        "Résilier",
        "Résilier l'abonnement",
        "Factures et avoirs",
        "Messages",
    ],
}
PREVIEW_PAGE = {
    "de_DE": [
        "Bitte prüfen und dann bestätigen",
        "Die Leistung endet am 10. Juli 2026.",
        "vom 11. Juli 2026 bis zum 31. Juli 2026 wird eine Gutschrift über $ 21,00",
        "Gutschrift für nicht genutzte Tage",
        "Was aus dem Geld wird",
        "Jetzt kündigen",
    ],
    "fr_FR": [
        "Veuillez vérifier, puis confirmer",
        "Le service prend fin le 10 juillet 2026.",
        "Un avoir de $ 21,00 sera émis pour la période du 11 juillet 2026 au 31",
        "Avoir pour les jours que vous n'utilisez pas",
        "Ce que devient l'argent",
        "Résilier maintenant",
    ],
}
RESULT_PAGE = {
    "de_DE": [
        "Wir haben Ihre Kündigung erhalten.",
        "Die Leistung endet am 10. Juli 2026",
        "Das gesamte Abonnement",
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
}
#: English that stands on these mails, documents and pages otherwise.
ENGLISH = [
    "Add-on",
    "ancel",  # Cancel, cancelled, Cancellation
    "Billed",
    "Credit",
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
    "Service until",
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


@tagged("post_install", "-at_install")
class TestLanguages(PortalCase):
    """German and French customers, from the first page to the last mail."""

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
                self.check_words(self.see_own(self.see()), lang, DETAIL_PAGE)
                page = self.check_out(timing="immediate")
                self.check_words(self.see_own(page), lang, PREVIEW_PAGE)
                page = self.send(page, "confirm")
                self.check_words(self.see_own(page), lang, RESULT_PAGE)
