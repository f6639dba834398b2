# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""One word for each thing: on every screen, in every language, in guide and API."""

import re
from pathlib import Path

import polib

from odoo.tests import tagged

from odoo.addons import subscription_cancellation

from .common import CancellationCase

ADDON = Path(subscription_cancellation.__file__).parent
#: words that a thing had before it got its one name
OTHER_WORDS = {
    "en": [
        "What Followed",
        "Follow-up Step",
        "Follow-up step",
        "Cancellation Follow-up",
        "What becomes of the money",
        "Refundable Credit",
        "Credits Pay Open Invoices",
        "Cancellation Day Is Billed",
        "still served",
        "Service Until",
        "First Day Without Service",
        "Every cent fits",
        "Confirm Revoked",
        "Back from the end",
        "Lost per Month",
        "Customer For",
        "Full Refund",
    ],
    "de": ["Was aus dem Geld", "Folgeschritt", "Volle Erstattung", "einem Menschen"],
    "es": ["Reembolso completo", "Seguimiento de cancelaciones"],
    "fr": ["Suites", "Remboursement intégral", "Suivi des résiliations"],
    "it": ["Aperto", "Rimborso completo"],
    "nl": ["Volledige terugbetaling", "Vervolgstap"],
}
#: model: field: its one name, the same wherever the field is shown
NAMES = {
    "subscription.cancellation": {
        "timing": "When",
        "last_service_date": "Ends On",
        "settlement_state": "Settlement",
        "credit_settlement": "Remaining Credit",
        "apply_credits": "Use credits for open invoices",
        "cancel_day_billed": "Cancellation day is billed",
        "channel": "Channel",
    },
    "subscription.cancellation.policy": {
        "timing": "When",
        "credit_settlement": "Remaining Credit",
        "apply_credits": "Use credits for open invoices",
        "cancel_day_billed": "Cancellation day is billed",
        "confirm_revoked": "Tell the customer when a cancellation is revoked",
    },
    "subscription.cancellation.wizard": {
        "timing": "When",
        "credit_settlement": "Remaining Credit",
        "apply_credits": "Use credits for open invoices",
        "cancel_day_billed": "Cancellation day is billed",
    },
    "subscription.cancellation.event": {
        "timing": "When",
        "last_service_date": "Ends On",
    },
    "subscription.cancellation.report": {
        "timing": "When",
        "tenure": "Customer since (years)",
        "channel": "Channel",
    },
    "sale.subscription": {"last_service_date": "Ends On"},
    "sale.subscription.line": {"last_service_date": "Ends On"},
}


@tagged("post_install", "-at_install")
class TestWords(CancellationCase):
    """E1: who learned a word on one screen finds it on the next."""

    def test_no_text_has_another_word(self):
        """E1, E2, E4: of all texts that the addon can show, and their translations."""
        template = ADDON / "i18n" / "subscription_cancellation.pot"
        texts = {"en": [entry.msgid for entry in polib.pofile(str(template))]}
        for path in (ADDON / "i18n").glob("*.po"):
            texts[path.stem] = [entry.msgstr for entry in polib.pofile(str(path))]
        self.assertEqual(set(texts), set(OTHER_WORDS))
        for language, words in OTHER_WORDS.items():
            for word in words:
                with self.subTest(language=language, word=word):
                    self.assertEqual(
                        [one for one in texts[language] if word in one], []
                    )

    def test_guide_and_api_use_the_same_words(self):
        """E3: README, guide and reference."""
        pages = [*ADDON.glob("doc/*.md"), *ADDON.glob("readme/*.md")]
        pages = [page for page in pages if page.name != "HISTORY.md"]
        pages += [ADDON.parent / "README.rst", ADDON / "README.rst"]
        pages.append(ADDON / "static" / "description" / "index.html")
        for page in pages:
            text = " ".join(page.read_text(encoding="utf-8").split())
            for word in OTHER_WORDS["en"]:
                with self.subTest(page=page.name, word=word):
                    self.assertNotIn(word, text)

    def test_a_field_is_called_the_same_everywhere(self):
        """E1: records, dialogs, events and analysis; no view names it otherwise."""
        for model, names in NAMES.items():
            described = self.env[model].fields_get(names, ["string"])
            for field, name in names.items():
                with self.subTest(model=model, field=field):
                    self.assertEqual(described[field]["string"], name)

    def test_no_view_has_a_second_name_for_the_end(self):
        """E1: the day without service is for developers; the last day is shown."""
        for path in [*ADDON.glob("views/*.xml"), *ADDON.glob("wizards/*.xml")]:
            with self.subTest(path=path.name):
                named = r'name="last_service_date"\s+string="(?!Ends On)'
                self.assertNotRegex(path.read_text(encoding="utf-8"), named)

    def test_the_last_day_is_found_and_grouped(self):
        """E1: service to 31 July is of July, not of August."""
        subscription = self.create_subscription([{"price_unit": 31.0}])
        self.bill(subscription)
        self.cancel(subscription, timing="end_of_period")
        model = self.env["subscription.cancellation"]
        mine = [("subscription_id", "=", subscription.id)]
        [[month, count]] = model._read_group(
            mine, ["last_service_date:month"], ["__count"]
        )
        self.assertEqual((str(month), count), ("2026-07-01", 1))
        found = model.search([*mine, ("last_service_date", "=", "2026-07-31")])
        self.assertEqual(len(found), 1)

    def test_archived_lines_say_their_last_day(self):
        """E1: not the day after it, which looks like a day more."""
        subscription = self.create_subscription(
            [{"price_unit": 31.0}, {"price_unit": 10.0}]
        )
        self.bill(subscription)
        line = subscription.sale_subscription_line_ids[0]
        self.travel_to("2026-07-10")
        self.cancel(subscription, timing="immediate", line_ids=line.ids)
        self.assertEqual(str(line.cancellation_date), "2026-07-11")
        self.assertEqual(str(line.last_service_date), "2026-07-10")
        arch = self.env["sale.subscription"].get_view(view_type="form")["arch"]
        shown = re.findall(
            r'name="last_service_date"', arch.split("archived_line_ids")[-1]
        )
        self.assertTrue(shown)
