# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds money that moved twice, not at all, or by another amount."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import (
    payments,
    rebates,
    refunds,
    take_backs,
    uses,
)

from .books import BooksCase, finds


@tagged("post_install", "-at_install")
class TestRefunds(BooksCase):
    """C6: $34.10 were paid online, $23.10 are refunded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription(
            [{"price_unit": 31.0, "taxes": cls.tax}]
        )
        cls.paid = cls.pay_online(cls.bill(cls.subscription))
        cls.cancel(cls.subscription, "2026-07-10", credit_settlement="refund")
        cls.run_steps(cls.subscription)
        cls.step = cls.steps(cls.subscription, "refund")
        cls.transaction = cls.step.transaction_id

    @finds(refunds.TWICE)
    def test_a_second_refund(self):
        """C6."""
        yield
        self.refund_again()

    @finds(refunds.BEYOND_SOURCE)
    def test_more_than_was_paid(self):
        """C6."""
        yield
        self.refund_again()

    def refund_again(self):
        self.double(self.transaction, reference="R-again", payment_id=None)

    @finds(refunds.NOT_CONFIRMED)
    def test_a_refund_that_the_provider_never_confirmed(self):
        """C6."""
        yield
        self.tamper(self.transaction, state="pending")

    @finds(refunds.NOT_CONFIRMED)
    def test_a_refund_of_another_transaction(self):
        """C6."""
        yield
        self.tamper(self.transaction, source_transaction_id=self.transaction.id)

    @finds(refunds.NOT_CONFIRMED)
    def test_a_refund_without_transaction(self):
        """C6."""
        yield
        self.tamper(self.step, transaction_id=None, payment_id=None)

    @finds(refunds.NOT_CONFIRMED)
    def test_a_refund_of_which_the_payment_is_cancelled(self):
        """C6."""
        yield
        self.tamper(self.transaction.payment_id, state="canceled")

    @finds(refunds.WRONG_AMOUNT)
    def test_another_amount_than_planned(self):
        """C6."""
        yield
        self.add_to(self.transaction, "amount", -0.01)

    @finds(refunds.WRONG_PAYMENT)
    def test_another_amount_is_booked(self):
        """C6."""
        yield
        self.add_to(self.transaction.payment_id, "amount", 0.01)

    @finds(refunds.BEYOND_MEMO)
    def test_more_than_was_credited(self):
        """C6."""
        yield
        self.double(self.step, transaction_id=None)


@tagged("post_install", "-at_install")
class TestPayments(BooksCase):
    """C7, C8, C9: other ways in which an amount is settled."""

    def prepare(self, **values):
        """Return a subscription of a customer, who has a saved payment method."""
        subscription, self.invoice = self.subscribe(**values)
        return subscription

    @finds(payments.NOT_PAID)
    def test_an_invoice_that_credits_did_not_pay(self):
        """C7."""
        subscription = self.prepare()
        self.pay(self.invoice)
        customer = subscription.partner_id
        _other, open_invoice = self.subscribe(partner_id=customer.id)
        self.settle(subscription, apply_credits=True)
        yield
        self.remove(open_invoice.line_ids.matched_credit_ids)

    @finds(payments.OF_SOMEBODY_ELSE)
    def test_an_invoice_of_somebody_else_that_credits_paid(self):
        """C7."""
        subscription = self.prepare()
        self.pay(self.invoice)
        customer = subscription.partner_id
        _other, open_invoice = self.subscribe(partner_id=customer.id)
        self.settle(subscription, apply_credits=True)
        yield
        somebody = self.create_customer(name="Somebody else")
        self.tamper(open_invoice.line_ids, partner_id=somebody.id)

    @finds(payments.NOT_BOOKED)
    def test_a_write_off_without_entry(self):
        """C8."""
        subscription = self.prepare()
        self.settle(subscription, unpaid_invoices="write_off")
        yield
        entry = self.steps(subscription, "write_off").move_id
        self.tamper(entry, state="draft")

    @finds(payments.WRONG_WRITE_OFF)
    def test_a_write_off_of_another_amount(self):
        """C8."""
        subscription = self.prepare()
        self.settle(subscription, unpaid_invoices="write_off")
        yield
        self.add_to(self.steps(subscription, "write_off"), "amount", 0.01)

    @finds(refunds.WRONG_AMOUNT)
    def test_a_collection_of_another_amount(self):
        """C8."""
        subscription = self.prepare()
        self.create_token(subscription.partner_id)
        self.settle(subscription, unpaid_invoices="collect")
        yield
        self.add_to(self.steps(subscription, "collect"), "amount", 0.01)

    @finds(payments.WRONG_INVOICE)
    def test_an_invoice_of_other_unbilled_charges(self):
        """C9."""
        subscription = self.create_subscription()
        self.settle(subscription, "2026-07-10", unbilled_charges="invoice")
        yield
        self.add_to(self.steps(subscription, "unbilled"), "amount", 0.01)


@tagged("post_install", "-at_install")
class TestUses(BooksCase):
    """C5, C12: $23.10 are taken off the invoice that is credited."""

    def prepare(self, **values):
        """Return the match of a credit memo, and another open invoice's due date."""
        subscription, _invoice = self.subscribe(**values)
        memo = self.settle(subscription)
        _other, other_invoice = self.subscribe(**values)
        due = other_invoice.line_ids.filtered("date_maturity")
        return memo.line_ids.matched_debit_ids, due

    @finds(uses.OTHER_CUSTOMER)
    def test_a_credit_memo_pays_an_invoice_of_somebody_else(self):
        """C12."""
        match, due = self.prepare()
        yield
        self.tamper(match, debit_move_id=due.id)

    @finds(uses.OTHER_INVOICE)
    def test_a_credit_memo_pays_another_invoice_of_its_customer(self):
        """C5."""
        match, due = self.prepare(partner_id=self.create_customer().id)
        yield
        self.tamper(match, debit_move_id=due.id)

    def test_what_may_have_been_paid_is_not_complained_about(self):
        """C5: used for another invoice, then a payment was taken off its own."""
        customer = self.create_customer()
        subscription, invoice = self.subscribe(partner_id=customer.id)
        payment = self.pay(invoice)
        self.subscribe(partner_id=customer.id)
        self.settle(subscription, apply_credits=True)
        payment.move_id.line_ids.remove_move_reconcile()
        self.assertTrue(invoice.amount_residual)
        self.assert_books_fit()

    def test_nor_what_was_paid_by_the_bank_then(self):
        """C5: which leaves no trace; the rest reduces its own invoice since."""
        self.take_bank_payment_off(other_price=3.0)

    def test_nor_where_all_of_it_has_paid_something_else(self):
        """C5: the chatter tells that the invoice was paid then."""
        self.track_changes()
        self.take_bank_payment_off(other_price=300.0)

    def take_bank_payment_off(self, other_price):
        """Let a memo pay another invoice before its own is due again."""
        customer = self.create_customer()
        subscription, invoice = self.subscribe(partner_id=customer.id)
        transfer = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "payment_ref": "Transfer",
                "partner_id": customer.id,
                "amount": invoice.amount_total,
            }
        )
        due = invoice.line_ids.filtered("date_maturity")
        _liquidity, suspense, _other = transfer._seek_for_lines()
        suspense.account_id = due.account_id
        (suspense | due).reconcile()
        _other, other = self.subscribe(price=other_price, partner_id=customer.id)
        self.end_transaction()
        memo = self.settle(subscription, apply_credits=True)
        self.assertLess(other.amount_residual, other.amount_total)
        self.end_transaction()
        self.travel_to("2026-07-20")
        transfer.move_id.line_ids.remove_move_reconcile()
        self.run_steps(subscription)
        self.end_transaction()
        self.assertEqual(memo.amount_residual, 0.0)
        self.assert_books_fit()


@tagged("post_install", "-at_install")
class TestTakeBacks(BooksCase):
    """B13, B15: a change of mind that leaves something behind."""

    def prepare_resumed(self):
        """Return the credit memo and the invoice that takes it back."""
        subscription, _invoice = self.subscribe()
        memo = self.settle(subscription)
        subscription.reactivate_subscription()
        return memo, memo.reversal_move_ids

    @finds(take_backs.TWICE)
    def test_taken_back_twice(self):
        """B15."""
        _memo, invoice = self.prepare_resumed()
        yield
        self.double(invoice, name="INV/2026/09999")

    @finds(take_backs.WRONG_AMOUNT)
    def test_a_cent_less_is_taken_back(self):
        """B15."""
        _memo, invoice = self.prepare_resumed()
        yield
        self.add_to(invoice, "amount_total", -0.01)

    @finds(take_backs.WITHOUT_ROWS)
    def test_a_credit_of_a_revoked_cancellation_that_still_stands(self):
        """C3, B12."""
        policy = self.get_default_policy()
        policy.advance_credit = "at_scheduling"
        subscription, _july = self.subscribe()
        self.bill(subscription)
        self.cancel(
            subscription,
            "2026-07-02",
            timing="specific_date",
            requested_date="2026-07-31",
        )
        memo = self.credit_memos(subscription)
        subscription.revoke_cancellation()
        self.assertTrue(memo)
        yield
        self.tamper(memo.reversal_move_ids, reversed_entry_id=None)

    @finds(take_backs.NOT_CREDITED)
    def test_extra_days_that_stay_charged(self):
        """B13."""
        subscription, _july = self.subscribe()
        self.cancel(subscription, "2026-07-02", timing="end_of_period")
        subscription.postpone_cancellation(
            requested_date="2026-08-10", charge_extension=True
        )
        charged = subscription.cancellation_ids.charge_invoice_ids
        subscription.revoke_cancellation()
        self.assertTrue(charged.is_taken_back)
        yield
        self.tamper(charged.refund_invoice_ids, reversed_entry_id=None)


@tagged("post_install", "-at_install")
class TestRebates(BooksCase):
    """C1: $100.00 less $20.00, and $50.00, of which 21 of 31 days are credited."""

    @finds(rebates.BEYOND)
    def test_more_of_a_rebate_than_its_line_is_credited_with(self):
        """C1: as if 60.00 of the 67.74 had been credited before."""
        subscription = self.create_subscription(
            [
                {"name": "Hosting", "price_unit": 100.0},
                {"name": "Rebate", "price_unit": -20.0, "addon_of": "Hosting"},
                {"name": "Support", "price_unit": 50.0},
            ]
        )
        self.bill(subscription)
        self.settle(subscription)
        yield
        row = subscription.cancellation_ids.line_ids.filtered(
            lambda row: row.subscription_line_id.name == "Hosting"
        )
        self.add_to(row, "credit_untaxed", -60.0)
