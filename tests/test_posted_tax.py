# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What Odoo adds to a credited invoice, and whose it is, stay as well (B3, C4).

$31.00 and $62.00 for July, and 10 % tax: $102.30. Ended on 10 July, 21 of 31 days of
the first line are credited: $21.00 and $2.10 tax.
"""

from odoo.fields import Command
from odoo.tests import Form, tagged

from .test_posted_ledger import CREDITED, PROOF, PostedLedgerCase


@tagged("post_install", "-at_install")
class TestCreditedTax(PostedLedgerCase):
    def setUp(self):
        super().setUp()
        tax = self.create_tax(10.0)
        self.subscription = self.create_subscription(
            [
                {"name": "Base", "taxes": tax},
                {"name": "Other", "price_unit": 62.0, "taxes": tax},
            ]
        )
        self.invoice = self.bill(self.subscription, "2026-07-01")
        self.line, self.other_line = self.invoice.invoice_line_ids
        self.tax_item = self.invoice.line_ids.filtered("tax_line_id")
        self.travel_to("2026-07-10")

    def reset_credited(self):
        """Credit the first line, and reset the invoice to a draft."""
        ending = self.line.subscription_line_id
        self.cancel(self.subscription, line_ids=ending.ids)
        self.run_steps(self.subscription)
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 23.1)
        invoice = self.as_user(self.invoice, self.accountant)
        invoice.button_draft()
        return invoice

    def test_the_tax_is_not_typed_over(self):
        """B3: neither through the invoice, nor at the item, nor taken away."""
        invoice = self.reset_credited()
        item = self.as_user(self.tax_item, self.accountant)
        values = {"amount_currency": -60.0}
        change = {"line_ids": [Command.update(item.id, values)]}
        self.assert_refused(CREDITED, invoice.write, change)
        self.assert_refused(CREDITED, item.write, values)
        self.assert_refused(CREDITED, item.with_context(dynamic_unlink=True).unlink)
        invoice.action_post()
        self.assertEqual(self.invoice.amount_tax, 9.3)

    def test_a_context_from_outside_is_no_way_around(self):
        """B3: what Odoo says of itself cannot be said over RPC."""
        self.reset_credited()
        item = self.as_user(self.tax_item, self.accountant).with_context(
            adding=True, skip_invoice_sync=True
        )
        self.assert_refused(CREDITED, item.write, {"amount_currency": -60.0})

    def test_what_follows_from_the_other_line_is_odoo_s(self):
        """B3: $93.00 instead of $62.00: $12.40 tax; then no tax on it: $3.10."""
        invoice = self.reset_credited()
        with Form(invoice) as form:
            with form.invoice_line_ids.edit(1) as line:
                line.price_unit = 93.0
        self.assertEqual(self.invoice.amount_tax, 12.4)
        self.as_user(self.other_line, self.accountant).tax_ids = [Command.clear()]
        self.assertEqual(self.invoice.amount_tax, 3.1)
        invoice.action_post()
        self.run_steps(self.subscription)

    def test_without_a_credit_the_tax_is_free(self):
        """B3: nothing depends on it yet; a cent more is credited, too."""
        invoice = self.as_user(self.invoice, self.accountant)
        invoice.button_draft()
        change = {"amount_currency": -9.33}
        invoice.write({"line_ids": [Command.update(self.tax_item.id, change)]})
        invoice.action_post()
        self.assertEqual(self.invoice.amount_tax, 9.33)

    def test_the_customer_of_what_is_credited_stays(self):
        """C7: a credit is that customer's, in the draft and of the memo."""
        invoice = self.reset_credited()
        other = self.create_customer(name="Somebody else")
        self.assert_refused(CREDITED, invoice.write, {"partner_id": other.id})
        memo = self.as_user(self.credit_memos(self.subscription), self.accountant)
        self.assert_refused(PROOF, memo.write, {"partner_id": other.id})
        invoice.partner_id = invoice.partner_id
        invoice.action_post()
