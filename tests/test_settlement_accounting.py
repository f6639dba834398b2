# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books after every way to settle a credit or an open invoice (C5-C8)."""

from odoo.fields import Command
from odoo.tests import tagged

from .accounting import BILLED, CREDIT, LAST_DAY, SERVED, AccountingCase


@tagged("post_install", "-at_install")
class TestCreditsInTheBooks(AccountingCase):
    """Where the credit goes: its own invoice, the account, or back."""

    def test_a_credit_mirrors_the_items_of_its_invoice(self):
        """C5, C11: same accounts and tax report lines, the other way round."""
        subscription, invoice = self.subscribe()
        self.assert_items(
            invoice,
            ("receivable", 34.10, 0.0),
            ("revenue", 0.0, 31.00, "base"),
            ("tax due", 0.0, 3.10, "tax"),
        )
        self.assert_report(31.00, 3.10)
        memo = self.settle(subscription)
        self.assert_items(
            memo,
            ("receivable", 0.0, 23.10),
            ("revenue", 21.00, 0.0, "base-"),
            ("tax due", 2.10, 0.0, "tax-"),
        )
        self.assert_report(10.00, 1.00)
        self.assert_balance(SERVED, subscription)

    def test_an_unpaid_invoice_is_reduced_to_what_was_served(self):
        """C5: credit and invoice are reconciled; the rest stays due."""
        subscription, invoice = self.subscribe()
        memo = self.settle(subscription)
        self.assert_open(invoice, SERVED, "partial")
        self.assert_open(memo, 0.0, "paid")
        self.assertEqual(invoice._get_reconciled_invoices(), memo)
        self.assertEqual(self.steps(subscription, "reduce").amount, CREDIT)
        self.assertEqual(self.steps(subscription, "keep").amount, SERVED)
        self.assert_balance(SERVED, subscription)

    def test_the_account_of_the_customer_has_changed_since(self):
        """C5, C11: a credit is on the account of its invoice, and reduces that."""
        subscription, invoice = self.subscribe()
        customer = subscription.partner_id
        account = customer.property_account_receivable_id
        customer.property_account_receivable_id = account.copy({"code": "CHANGED"})
        memo = self.settle(subscription)
        self.assertIn(account, memo.line_ids.account_id)
        self.assert_open(invoice, SERVED, "partial")
        self.assert_open(memo, 0.0, "paid")
        subscription.reactivate_subscription()
        [again] = memo.reversal_move_ids
        self.assertIn(account, again.line_ids.account_id)

    def test_an_invoice_credited_in_full_is_reversed(self):
        """C2, C5: nothing is due, nothing is reported."""
        subscription, invoice = self.subscribe()
        memo = self.settle(subscription, refund_mode="full")
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_of_a_half_paid_invoice_the_rest_of_the_credit_is_kept(self):
        """C5, C6: 20.00 paid, 14.10 of the credit reduce, 9.00 are kept."""
        subscription, invoice = self.subscribe()
        self.pay(invoice, 20.0)
        memo = self.settle(subscription)
        self.assert_open(invoice, 0.0, "paid")
        self.assert_open(memo, 9.00, "partial")
        self.assertEqual(self.steps(subscription, "reduce").amount, 14.10)
        self.assertEqual(self.steps(subscription, "keep").amount, 9.00)
        self.assert_report(10.00, 1.00)
        self.assert_balance(-9.00, subscription)  # 34.10 - 20.00 - 23.10

    def test_of_a_paid_invoice_all_of_the_credit_is_kept(self):
        """C6: it stays open on the customer's account."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        memo = self.settle(subscription, credit_settlement="keep")
        self.assert_open(invoice, 0.0, "paid")
        self.assert_open(memo, CREDIT, "not_paid")
        self.assertFalse(memo.reconciled_payment_ids)
        self.assert_report(10.00, 1.00)
        self.assert_balance(-CREDIT, subscription)

    def test_what_was_paid_too_much_stays_the_customers(self):
        """C6: 40.00 paid; the excess 5.90 and the credit are both kept."""
        subscription, invoice = self.subscribe()
        self.pay(invoice, 40.0)
        memo = self.settle(subscription, credit_settlement="keep")
        self.assert_open(invoice, 0.0, "paid")
        self.assert_open(memo, CREDIT, "not_paid")
        self.assert_report(10.00, 1.00)
        self.assert_balance(-29.00, subscription)  # 34.10 - 40.00 - 23.10


@tagged("post_install", "-at_install")
class TestRefundsInTheBooks(AccountingCase):
    """Money that goes back is a payment that matches the credit memo."""

    def assert_refunded(self, memo, payment, amount):
        """The payment takes the amount from the bank and closes that much of it."""
        self.assertRecordValues(
            payment, [{"payment_type": "outbound", "amount": amount}]
        )
        self.assertIn(payment, memo.reconciled_payment_ids)
        receivable = payment.destination_account_id
        found = payment.move_id.line_ids.filtered(
            lambda item: item.account_id == receivable
        )
        self.assertRecordValues(
            found, [{"debit": amount, "credit": 0.0, "reconciled": True}]
        )
        others = payment.move_id.line_ids - found
        self.assertRecordValues(others, [{"debit": 0.0, "credit": amount}])
        self.assertFalse(payment.move_id.line_ids.tax_tag_ids)

    def test_what_was_paid_online_goes_back_the_same_way(self):
        """C6: the transaction gives the credit back; nothing is left open."""
        subscription, invoice = self.subscribe()
        paid = self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        step = self.steps(subscription, "refund")
        self.assertRecordValues(step, [{"state": "done", "amount": CREDIT}])
        self.assert_refunded(memo, step.payment_id, CREDIT)
        self.assertEqual(step.transaction_id.source_transaction_id, paid)
        self.assertEqual(step.payment_id.journal_id, paid.payment_id.journal_id)
        self.assert_open(invoice, 0.0, "paid")
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(10.00, 1.00)
        self.assert_balance(0.0, subscription)

    def test_two_transactions_give_back_what_each_took(self):
        """C6: 14.10 and 20.00 paid; the later one gives 20.00, the other one 3.10."""
        subscription, invoice = self.subscribe()
        first = self.pay_online(invoice, 14.10)
        second = self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        steps = self.steps(subscription, "refund")
        self.assertRecordValues(
            steps.sorted("amount"),
            [
                {"state": "done", "amount": 3.10, "source_transaction_id": first.id},
                {"state": "done", "amount": 20.00, "source_transaction_id": second.id},
            ],
        )
        for step in steps:
            self.assert_refunded(memo, step.payment_id, step.amount)
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(10.00, 1.00)
        self.assert_balance(0.0, subscription)

    def test_what_no_transaction_took_waits_for_an_accountant(self):
        """C6: 20.00 by bank, 14.10 online: 14.10 go back, 9.00 wait for a payment."""
        subscription, invoice = self.subscribe()
        self.pay(invoice, 20.0)
        self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        by_hand = self.steps(subscription, "refund").filtered("is_by_hand")
        self.assertRecordValues(by_hand, [{"state": "pending", "amount": 9.00}])
        self.assert_open(memo, 9.00, "partial")
        self.assert_balance(-9.00, subscription)
        payment = self.pay(memo)
        by_hand.action_retry()
        self.assertRecordValues(
            by_hand, [{"state": "done", "payment_id": payment.id, "amount": 9.00}]
        )
        self.assert_refunded(memo, payment, 9.00)
        self.assert_open(memo, 0.0, "paid")
        self.assert_balance(0.0, subscription)

    def test_a_bank_payment_is_refunded_by_hand(self):
        """C6: nothing leaves by itself; the registered payment closes the memo."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        [step] = self.steps(subscription, "refund")
        self.assertRecordValues(step, [{"state": "pending", "amount": CREDIT}])
        self.assert_balance(-CREDIT, subscription)
        self.pay(memo)
        step.action_retry()
        self.assertEqual(step.state, "done")
        self.assert_report(10.00, 1.00)
        self.assert_balance(0.0, subscription)

    def test_of_a_half_paid_invoice_only_the_rest_is_refunded(self):
        """C5, C6: 20.00 paid online: 14.10 reduce, 9.00 go back."""
        subscription, invoice = self.subscribe()
        self.pay_online(invoice, 20.0)
        memo = self.settle(subscription, credit_settlement="refund")
        step = self.steps(subscription, "refund")
        self.assert_refunded(memo, step.payment_id, 9.00)
        self.assert_open(invoice, 0.0, "paid")
        self.assert_open(memo, 0.0, "paid")
        self.assert_balance(0.0, subscription)

    def test_what_was_paid_too_much_is_not_refunded_as_credit(self):
        """C6: of 40.00 paid online the credit goes back, the excess 5.90 is kept."""
        subscription, invoice = self.subscribe()
        self.pay_online(invoice, 40.0)
        memo = self.settle(subscription, credit_settlement="refund")
        self.assert_refunded(
            memo, self.steps(subscription, "refund").payment_id, CREDIT
        )
        self.assert_open(memo, 0.0, "paid")
        self.assert_balance(-5.90, subscription)

    def test_money_moves_after_a_draft_was_posted(self):
        """C6, C12: the books do not change before an accountant posts the memo."""
        self.get_default_policy().post_credit_memos = False
        subscription, invoice = self.subscribe()
        self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        self.assertEqual(memo.state, "draft")
        self.assertEqual(self.steps(subscription, "refund").state, "pending")
        self.assert_report(31.00, 3.10)
        self.assert_balance(0.0, subscription)
        memo.action_post()
        self.assert_report(10.00, 1.00)
        self.assert_balance(-CREDIT, subscription)
        self.run_steps(subscription)
        self.assert_open(memo, 0.0, "paid")
        self.assert_balance(0.0, subscription)

    def test_an_unpaid_invoice_refunds_nothing(self):
        """C5, C6: the whole credit reduces what is due."""
        subscription, invoice = self.subscribe()
        memo = self.settle(subscription, credit_settlement="refund")
        self.assertFalse(self.steps(subscription, "refund"))
        self.assert_open(invoice, SERVED, "partial")
        self.assert_open(memo, 0.0, "paid")
        self.assert_balance(SERVED, subscription)

    def test_a_method_without_refunds_leaves_the_credit_to_an_accountant(self):
        """C6: no payment is booked before somebody registers one."""
        subscription, invoice = self.subscribe()
        paid = self.pay_online(invoice)
        paid.payment_method_id.sudo().support_refund = "none"
        memo = self.settle(subscription, credit_settlement="refund")
        step = self.steps(subscription, "refund")
        self.assertRecordValues(step, [{"state": "pending", "amount": CREDIT}])
        self.assertFalse(memo.reconciled_payment_ids)
        self.assert_open(memo, CREDIT, "not_paid")
        self.assert_balance(-CREDIT, subscription)

    def test_a_refused_refund_leaves_the_credit_on_the_account(self):
        """C6: no payment is booked for a transaction that failed."""
        subscription, invoice = self.subscribe()
        paid = self.pay_online(invoice)
        self.patch(
            type(paid), "_send_refund_request", lambda refund: refund._set_error("No")
        )
        memo = self.settle(subscription, credit_settlement="refund")
        step = self.steps(subscription, "refund")
        self.assertRecordValues(step, [{"state": "failed", "payment_id": False}])
        self.assertFalse(memo.reconciled_payment_ids)
        self.assert_open(memo, CREDIT, "not_paid")
        self.assert_balance(-CREDIT, subscription)


@tagged("post_install", "-at_install")
class TestAppliedCreditsInTheBooks(AccountingCase):
    """Credits pay other invoices, and only those they may (C7)."""

    def setUp(self):
        super().setUp()
        self.subscription, self.paid = self.subscribe()
        self.customer = self.subscription.partner_id
        self.pay(self.paid)

    def create_open_invoice(self, price, due, **values):
        """Return a posted invoice of the customer without tax."""
        line = {"name": "Consulting", "price_unit": price, "tax_ids": [], "quantity": 1}
        company = values.pop("company", self.company)
        invoice = (
            self.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "invoice_date": "2026-07-02",
                    "invoice_date_due": due,
                    "invoice_payment_term_id": False,
                    "invoice_line_ids": [Command.create(line)],
                    **values,
                }
            )
        )
        invoice.action_post()
        return invoice

    def test_the_oldest_due_invoice_is_paid_first(self):
        """C7: 23.10 pay all of 15.00 due in July and 8.10 of 20.00 due in August."""
        august = self.create_open_invoice(20.0, "2026-08-15")
        july = self.create_open_invoice(15.0, "2026-07-15")
        memo = self.settle(self.subscription, apply_credits=True)
        # Odoo's word for an invoice that only credit memos have paid
        self.assert_open(july, 0.0, "reversed")
        self.assert_open(august, 11.90, "partial")
        self.assert_open(memo, 0.0, "paid")
        self.assertEqual(
            self.steps(self.subscription, "apply_credits").mapped("amount"),
            [15.00, 8.10],
        )
        self.assert_report(10.00, 1.00)
        # 34.10 + 35.00 billed, 34.10 paid, 23.10 credited
        self.assert_balance(11.90, self.subscription)

    def test_what_is_left_is_refunded(self):
        """C6, C7: 15.00 are applied; of the bank payment 8.10 wait to be paid back."""
        invoice = self.create_open_invoice(15.0, "2026-07-15")
        memo = self.settle(
            self.subscription, apply_credits=True, credit_settlement="refund"
        )
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_open(memo, 8.10, "partial")
        step = self.steps(self.subscription, "refund")
        self.assertRecordValues(step, [{"state": "pending", "amount": 8.10}])
        self.assert_balance(-8.10, self.subscription)

    def test_what_was_paid_online_and_is_left_goes_back(self):
        """C6, C7: of 23.10 paid online 15.00 are applied, 8.10 are refunded."""
        subscription, invoice = self.subscribe(partner_id=self.customer.id)
        self.pay_online(invoice)
        other = self.create_open_invoice(15.0, "2026-07-15")
        memo = self.settle(subscription, apply_credits=True, credit_settlement="refund")
        self.assert_open(other, 0.0, "reversed")
        self.assert_open(memo, 0.0, "paid")
        self.assertRecordValues(
            self.steps(subscription, "refund"), [{"state": "done", "amount": 8.10}]
        )
        self.assert_balance(0.0, subscription)

    def test_other_credits_pay_what_the_credit_leaves_of_its_own_invoice(self):
        """C5, C7: 11.00 are served, 10.00 were paid too much elsewhere: 1.00 is due."""
        other = self.create_open_invoice(5.0, "2026-07-05")
        self.pay(other, 15.0)
        subscription, invoice = self.subscribe(partner_id=self.customer.id)
        self.settle(subscription, apply_credits=True)
        self.assert_open(invoice, 1.00, "partial")
        self.assert_balance(1.00, subscription)

    def test_an_excess_payment_is_applied_too(self):
        """C7: 23.10 of credit and 10.00 paid too much pay 30.00; 3.10 are left."""
        other = self.create_open_invoice(5.0, "2026-07-05")
        self.pay(other, 15.0)
        invoice = self.create_open_invoice(30.0, "2026-07-15")
        memo = self.settle(self.subscription, apply_credits=True)
        self.assert_open(invoice, 0.0, "paid")
        self.assert_open(memo, 0.0, "paid")
        items = self.get_receivable_items(self.customer, self.company)
        left = items.filtered(lambda item: not item.reconciled)
        self.assertRecordValues(left, [{"amount_residual": -3.10}])
        self.assertTrue(left.move_id.origin_payment_id)
        self.assert_balance(-3.10, self.subscription)

    def test_invoices_in_another_currency_are_left_alone(self):
        """C7: a rate would have to be chosen; the credit is kept."""
        currency = self.get_currency("EUR")
        foreign = self.create_open_invoice(15.0, "2026-07-15", currency_id=currency.id)
        memo = self.settle(self.subscription, apply_credits=True)
        self.assertFalse(self.steps(self.subscription, "apply_credits"))
        self.assert_open(foreign, 15.0, "not_paid")
        self.assert_open(memo, CREDIT, "not_paid")
        self.assert_balance(-CREDIT, self.subscription)

    def test_invoices_of_another_company_are_left_alone(self):
        """C7: the customer's account is one per company."""
        other = self.setup_other_company(currency_id=self.currency.id)["company"]
        self.env.user.company_ids |= other
        foreign = self.create_open_invoice(15.0, "2026-07-15", company=other)
        memo = self.settle(self.subscription, apply_credits=True)
        self.assertEqual(foreign.company_id, other)
        self.assert_open(foreign, 15.0, "not_paid")
        self.assert_open(memo, CREDIT, "not_paid")
        self.assert_balance(-CREDIT, self.subscription)


@tagged("post_install", "-at_install")
class TestCollectionsInTheBooks(AccountingCase):
    """What is due is charged, or stays due (C8)."""

    def collect(self, state=None):
        """Return subscription and invoice after what was served was charged."""
        subscription, invoice = self.subscribe()
        if state:
            self.create_token(subscription.partner_id, state)
        self.settle(subscription, unpaid_invoices="collect")
        return subscription, invoice

    def test_what_was_served_is_collected(self):
        """C8: only what the credit leaves; the payment closes the invoice."""
        subscription, invoice = self.collect("done")
        step = self.steps(subscription, "collect")
        self.assertRecordValues(step, [{"state": "done", "amount": SERVED}])
        self.assertRecordValues(
            step.payment_id, [{"payment_type": "inbound", "amount": SERVED}]
        )
        self.assertIn(step.payment_id, invoice.reconciled_payment_ids)
        self.assert_open(invoice, 0.0, "paid")
        self.assert_report(10.00, 1.00)
        self.assert_balance(0.0, subscription)

    def test_a_collection_without_an_answer_is_no_payment(self):
        """C8: due until the provider confirms, then paid."""
        subscription, invoice = self.collect("pending")
        step = self.steps(subscription, "collect")
        self.assertEqual(step.state, "pending")
        self.assert_open(invoice, SERVED, "partial")
        self.assert_balance(SERVED, subscription)
        step.sudo().transaction_id._set_done()
        step.sudo().transaction_id._post_process()
        self.assertEqual(step.state, "done")
        self.assert_open(invoice, 0.0, "paid")
        self.assert_balance(0.0, subscription)

    def test_a_collection_that_fails_leaves_the_invoice_due(self):
        """C8: refused, cancelled, or without a saved payment method."""
        for state, outcome in (
            ("error", "failed"),
            ("cancel", "failed"),
            (None, "skipped"),
        ):
            with self.subTest(state=state):
                subscription, invoice = self.collect(state)
                self.assertEqual(self.steps(subscription, "collect").state, outcome)
                self.assertFalse(invoice.reconciled_payment_ids)
                self.assert_open(invoice, SERVED, "partial")
                self.assert_balance(SERVED, subscription)

    def test_all_installments_are_collected(self):
        """C8: half now, half in August; the credit takes the first one first."""
        term = self.env["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create({"value_amount": 50.0, "nb_days": days})
                    for days in (0, 45)
                ],
            }
        )
        customer = self.create_customer(property_payment_term_id=term.id)
        subscription, invoice = self.subscribe(partner_id=customer.id)
        self.assertEqual(
            invoice._get_receivable_items().mapped("debit"), [17.05, 17.05]
        )
        self.create_token(customer)
        self.settle(subscription, unpaid_invoices="collect")
        self.assertEqual(self.steps(subscription, "collect").amount, SERVED)
        self.assert_open(invoice, 0.0, "paid")
        self.assert_balance(0.0, subscription)

    def test_nothing_is_booked_without_a_credit(self):
        """C8: No Refund leaves a paid invoice as it is."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        memos = self.settle(subscription, LAST_DAY, refund_mode="none")
        self.assertFalse(memos)
        self.assert_report(31.00, 3.10)
        self.assertEqual(invoice.amount_total, BILLED)
        self.assert_balance(0.0, subscription)
