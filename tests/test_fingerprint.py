# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A confirmation that no longer fits what was shown says what changed (D5)."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestFingerprint(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.july = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.options = {"timing": "immediate"}
        self.fingerprint = self.preview()["fingerprint"]

    def preview(self):
        return self.subscription.preview_cancellation(**self.options)

    def confirm(self, fingerprint=None):
        return self.subscription.request_cancellation(
            **self.options, fingerprint=fingerprint or self.fingerprint
        )

    def assert_named(self, *texts):
        """Confirm what was seen before; the error names each of ``texts``."""
        with self.assertRaises(UserError) as caught:
            self.confirm()
        for text in texts:
            self.assertIn(text, str(caught.exception).replace("\xa0", " "))
        self.assertFalse(self.credit_memos(self.subscription))
        self.assertEqual(self.confirm(self.preview()["fingerprint"])["state"], "done")

    def test_what_fits_is_done(self):
        """D5: nothing changed."""
        self.assertEqual(self.confirm()["credit_total"], 21.0)

    def test_another_day(self):
        """D5: confirmed after midnight."""
        self.travel_to("2026-07-11")
        self.assert_named(
            "Service would now end on July 11, 2026.",
            "The credit would be $ 20.00 instead of $ 21.00.",
        )

    def test_a_payment(self):
        """D5: the credit is the same, what becomes of it is not."""
        self.pay(self.july)
        self.assert_named("It would reduce open invoices by $ 0.00 instead of $ 21.00")

    def test_another_invoice(self):
        """D5: it is credited too."""
        august = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.assert_named(
            f"Now also credited: {august.name}.",
            "The credit would be $ 52.00 instead of $ 21.00.",
        )

    def test_an_invoice_that_is_cancelled(self):
        """D5: it is credited no longer."""
        self.july.button_draft()
        self.july.button_cancel()
        self.assert_named(f"No longer credited: {self.july.name}.")

    def test_another_line(self):
        """D5: it ends too."""
        self.add_line(self.subscription, {"name": "Backup"})
        self.assert_named("Now also ends: Backup.")

    def test_a_line_that_ends_elsewhere(self):
        """D5: it ends no longer with this one."""
        line = self.add_line(self.subscription, {"name": "Backup"})
        self.fingerprint = self.preview()["fingerprint"]
        self.subscription.request_cancellation(
            timing="immediate", line_ids=line.ids, refund_mode="none"
        )
        self.assert_named("No longer ends with it: Backup.")

    def test_another_policy(self):
        """D5: refund mode and approval."""
        self.get_default_policy().write(
            {"refund_mode": "full", "approval_always": True}
        )
        with self.assertRaisesRegex(
            UserError,
            "refund mode is now “Full credit of the latest period”. "
            "It now needs approval",
        ):
            self.confirm()

    def test_a_forged_fingerprint_tells_nothing(self):
        """D5: it is refused like any that does not fit, without names of others."""
        other = self.create_subscription([{"name": "Secret", "price_unit": 1.0}])
        secret = other.sale_subscription_line_ids
        forged = (
            '{"end":"x","rows":[[%d,0,0,0]],"mode":"none","currency":"USD",'
            '"total":1,"reduces":0,"approval":false}' % secret.id
        )
        for fingerprint in ("nonsense", "{}", "[1]", '{"rows":[["a"]]}', forged):
            with self.assertRaises(UserError) as caught:
                self.confirm(fingerprint)
            self.assertIn("changed since you saw the preview", str(caught.exception))
            self.assertNotIn("Secret", str(caught.exception))
        self.assertFalse(self.subscription.cancellation_ids)
