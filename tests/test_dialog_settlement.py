# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The dialog asks about the money only where there is something to settle (E1, D5)."""

from odoo.tests import Form, tagged

from .common import CancellationCase

SWITCHES = (
    "has_refundable_credit",
    "has_unpaid_invoices",
    "has_unbilled_charges",
    "has_credits_to_apply",
)


@tagged("post_install", "-at_install")
class TestDialogSettlement(CancellationCase):
    def create_billed(self, paid, post=True):
        """Return a subscription that is billed for July, on 10 July."""
        subscription = self.create_subscription()
        self.bill(subscription, "2026-07-01", post=post)
        self.travel_to("2026-07-10")
        if paid:
            self.pay(subscription.invoice_ids)
        return subscription

    def open_dialog(self, subscription):
        Wizard = self.env["subscription.cancellation.wizard"]
        return Form(Wizard.with_context(default_subscription_id=subscription.id))

    def get_shown(self, dialog):
        """Return which options of the settlement are asked for."""
        return {name for name in SWITCHES if dialog[name]}

    def test_a_paid_invoice_asks_what_becomes_of_the_credit(self):
        """C6: nothing is unpaid, and nothing unbilled."""
        dialog = self.open_dialog(self.create_billed(paid=True))
        self.assertEqual(self.get_shown(dialog), {"has_refundable_credit"})
        dialog.refund_mode = "none"
        self.assertEqual(self.get_shown(dialog), set())

    def test_an_unpaid_invoice_asks_what_becomes_of_it(self):
        """C5, C8: the credit reduces it, and there is none to refund."""
        dialog = self.open_dialog(self.create_billed(paid=False))
        self.assertEqual(self.get_shown(dialog), {"has_unpaid_invoices"})

    def test_a_draft_asks_whether_it_is_invoiced(self):
        """C9: nothing is credited for it."""
        dialog = self.open_dialog(self.create_billed(paid=False, post=False))
        self.assertEqual(self.get_shown(dialog), {"has_unbilled_charges"})

    def test_a_credit_and_another_open_invoice_ask_whether_it_pays_it(self):
        """C7: of the same customer."""
        subscription = self.create_billed(paid=True)
        other = self.create_subscription(partner_id=subscription.partner_id.id)
        self.bill(other, "2026-07-01")
        self.travel_to("2026-07-10")
        dialog = self.open_dialog(subscription)
        self.assertEqual(
            self.get_shown(dialog), {"has_refundable_credit", "has_credits_to_apply"}
        )
