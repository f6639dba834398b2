# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books after open invoices were written off (C8, C11)."""

from odoo.fields import Command
from odoo.tests import tagged

from .accounting import BILLED, SERVED, AccountingCase


@tagged("post_install", "-at_install")
class TestWriteOffsInTheBooks(AccountingCase):
    """The loss, with the tax of the write-off account taken out of it.

    Odoo calls an invoice reversed that credit memos and entries have closed.
    """

    def write_off(self, subscription, **options):
        """Cancel, and return the entry that writes off what stays due."""
        self.settle(subscription, unpaid_invoices="write_off", **options)
        return self.steps(subscription, "write_off").move_id

    def test_without_taxes_the_whole_amount_is_a_loss(self):
        """C8: the account has no default tax, so that the tax stays due."""
        subscription, invoice = self.subscribe()
        entry = self.write_off(subscription)
        self.assert_items(
            entry, ("receivable", 0.0, SERVED), ("Bad debts", SERVED, 0.0)
        )
        self.assert_open(invoice, 0.0, "reversed")
        self.assertFalse(self.open_items(subscription))
        self.assert_report(10.00, 1.00)
        self.assert_balance(0.0, subscription)  # 34.10 - 23.10 - 11.00

    def test_a_bank_match_that_is_removed_later_was_no_open_invoice(self):
        """C8: what was paid when service ended is not written off afterwards."""
        self.track_changes()
        subscription, invoice = self.subscribe()
        item = invoice.line_ids.filtered("date_maturity")
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": "2026-07-02",
                "payment_ref": invoice.name,
                "partner_id": subscription.partner_id.id,
                "amount": BILLED,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        suspense.account_id = item.account_id
        (suspense | item).reconcile()
        self.end_transaction()
        self.assertFalse(self.write_off(subscription))
        self.end_transaction()
        item.remove_move_reconcile()
        self.end_transaction()
        self.run_steps(subscription)
        self.assertEqual(invoice.amount_residual, SERVED)
        self.assertFalse(self.steps(subscription, "write_off"))

    def test_an_undo_takes_it_back(self):
        """B15, C8: due as it was, in the books as it was; the step tells."""
        self.get_default_policy().undo_days = 60
        self.loss.tax_ids = self.tax
        subscription, invoice = self.subscribe()
        entry = self.write_off(subscription)
        self.assert_open(invoice, 0.0, "reversed")
        subscription.cancellation_ids.action_undo()
        self.assert_open(invoice, BILLED, "not_paid")
        self.assert_report(31.00, 3.10)
        self.assert_balance(BILLED, subscription)
        reversal = entry.reversal_move_ids
        self.assertEqual(reversal.state, "posted")
        step = self.steps(subscription, "write_off")
        self.assertEqual((step.state, step.amount), ("skipped", 0.0))
        self.assertIn(f"is taken back by {reversal.name}", step.note)
        self.assertIn("11.00 are due again", subscription.message_ids[0].body)
        self.settle(subscription, unpaid_invoices="write_off")
        self.assert_balance(0.0, subscription)

    def test_it_is_taken_back_after_a_lock_date(self):
        """B15, C8: on the first open day, as all documents are."""
        self.get_default_policy().undo_days = 60
        subscription, invoice = self.subscribe()
        entry = self.write_off(subscription)
        self.company.fiscalyear_lock_date = "2026-07-31"
        subscription.cancellation_ids.action_undo()
        self.assertEqual(str(entry.reversal_move_ids.date), "2026-08-01")
        self.assert_open(invoice, BILLED, "not_paid")

    def test_a_new_term_leaves_it(self):
        """B15: what came before was settled."""
        subscription, invoice = self.subscribe()
        entry = self.write_off(subscription)
        subscription.reactivate_subscription(mode="new_term")
        self.assertFalse(entry.reversal_move_ids)
        self.assert_open(invoice, 0.0, "reversed")

    def open_items(self, subscription):
        """Return the customer's items that are not reconciled."""
        items = self.get_receivable_items(
            subscription.partner_id, subscription.company_id
        )
        return items.filtered(lambda item: not item.reconciled)

    def test_the_tax_of_the_account_is_taken_out_of_the_loss(self):
        """C8: 11.00 are 10.00 and 10 % of tax; nothing is left to report."""
        self.loss.tax_ids = self.tax
        subscription, invoice = self.subscribe()
        entry = self.write_off(subscription)
        self.assert_items(
            entry,
            ("receivable", 0.0, 11.00),
            ("Bad debts", 10.00, 0.0, "base-"),
            ("tax due", 1.00, 0.0, "tax-"),
        )
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_a_paid_part_stays_reported(self):
        """C8: 5.50 of 11.00 are paid, so 5.00 and 0.50 of tax were earned."""
        self.loss.tax_ids = self.tax
        subscription, invoice = self.subscribe()
        self.pay(invoice, 5.50)
        entry = self.write_off(subscription)
        self.assert_items(
            entry,
            ("receivable", 0.0, 5.50),
            ("Bad debts", 5.00, 0.0, "base-"),
            ("tax due", 0.50, 0.0, "tax-"),
        )
        self.assert_open(invoice, 0.0, "paid")
        self.assert_report(5.00, 0.50)
        self.assert_balance(0.0, subscription)

    def test_no_tax_is_claimed_back_that_was_not_billed(self):
        """C8, C11: sold without tax, 10.00 are a loss of 10.00."""
        self.loss.tax_ids = self.tax
        untaxed = self.env["account.tax"]
        subscription, invoice = self.subscribe(taxes=untaxed)
        entry = self.write_off(subscription)
        self.assert_items(entry, ("receivable", 0.0, 10.00), ("Bad debts", 10.00, 0.0))
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_the_fiscal_position_of_the_invoice_maps_the_tax(self):
        """C8, C11: billed abroad at 20 %: 12.00 are 10.00 and 2.00 of tax."""
        self.loss.tax_ids = self.tax
        abroad = self.env["account.fiscal.position"].create({"name": "Abroad"})
        mapped = self.create_reported_tax(
            20.0,
            fiscal_position_ids=[Command.set(abroad.ids)],
            original_tax_ids=[Command.set(self.tax.ids)],
        )
        customer = self.create_customer(property_account_position_id=abroad.id)
        subscription, invoice = self.subscribe(partner_id=customer.id, taxes=mapped)
        self.assertEqual(invoice.fiscal_position_id, abroad)
        self.assertEqual(invoice.amount_total, 37.20)
        entry = self.write_off(subscription)
        self.assert_items(
            entry,
            ("receivable", 0.0, 12.00),
            ("Bad debts", 10.00, 0.0, "base-"),
            ("tax due", 2.00, 0.0, "tax-"),
        )
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_every_due_date_is_written_off(self):
        """C8: two halves of 17.05; the credit closes the first one and part of the
        second, what is left of both is written off."""
        term = self.env["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create({"value_amount": 50.0, "nb_days": days})
                    for days in (0, 45)
                ],
            }
        )
        self.loss.tax_ids = self.tax
        customer = self.create_customer(property_payment_term_id=term.id)
        subscription, invoice = self.subscribe(partner_id=customer.id)
        entry = self.write_off(subscription, refund_mode="none")
        self.assert_items(
            entry,
            ("receivable", 0.0, 17.05),
            ("receivable", 0.0, 17.05),
            ("Bad debts", 31.00, 0.0, "base-"),
            ("tax due", 3.10, 0.0, "tax-"),
        )
        self.assert_open(invoice, 0.0, "paid")
        self.assertFalse(self.open_items(subscription))
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_rounding_never_unbalances_the_loss(self):
        """C8: 7 % and 3 % of a served 3.33: 3.33 + 0.23 + 0.10 = 3.66."""
        seven, three = self.create_reported_tax(7.0), self.create_reported_tax(3.0)
        self.loss.tax_ids = seven | three
        subscription, invoice = self.subscribe(10.32, taxes=seven | three)
        # 10.32 + 0.72 + 0.31; 21 of 31 days are 6.99 + 0.49 + 0.21
        self.assertEqual(invoice.amount_total, 11.35)
        entry = self.write_off(subscription)
        self.assert_items(
            entry,
            ("receivable", 0.0, 3.66),
            ("Bad debts", 3.33, 0.0, "base-"),
            ("tax due", 0.23, 0.0, "tax-"),
            ("tax due", 0.10, 0.0, "tax-"),
        )
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_without_accounts_nothing_is_booked(self):
        """C8: the invoice stays due."""
        self.company.sudo().cancellation_write_off_account_id = False
        subscription, invoice = self.subscribe()
        entry = self.write_off(subscription)
        self.assertFalse(entry)
        self.assertEqual(self.steps(subscription, "write_off").state, "failed")
        self.assert_open(invoice, SERVED, "partial")
        self.assert_balance(SERVED, subscription)

    def test_a_write_off_after_a_lock_date_is_booked_on_the_first_open_day(self):
        """C8: July is closed for taxes, so the loss belongs to August."""
        self.loss.tax_ids = self.tax
        subscription, invoice = self.subscribe()
        self.cancel(subscription, "2026-07-10", unpaid_invoices="write_off")
        self.company.sudo().write(
            {"tax_lock_date": "2026-07-31", "fiscalyear_lock_date": "2026-06-30"}
        )
        self.run_steps(subscription)
        entry = self.steps(subscription, "write_off").move_id
        self.assertEqual(str(entry.date), "2026-08-01")
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)
