# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books in other currencies, and with taxes that round (C5-C8, C11)."""

from odoo.tests import tagged

from .accounting import BILLED, CREDIT, SERVED, AccountingCase


class ForeignCurrencyCase(AccountingCase):
    """EUR 34.10, at 2.00 dollars on 1 July, 2.50 on 5 July and 1.25 on 20 July."""

    def setUp(self):
        super().setUp()
        self.euro = self.get_currency("EUR")
        for day, rate in (("2026-07-05", 0.4), ("2026-07-20", 0.8)):
            self.env["res.currency.rate"].create(
                {
                    "currency_id": self.euro.id,
                    "company_id": self.company.id,
                    "name": day,
                    "rate": rate,
                }
            )
        self.subscription, self.invoice = self.subscribe(currency="EUR")

    def get_exchange_difference(self):
        """Return the gain (positive) of all exchange entries, in dollars."""
        company = self.company
        accounts = (
            company.income_currency_exchange_account_id
            | company.expense_currency_exchange_account_id
        )
        items = self.env["account.move.line"].search(
            [("account_id", "in", accounts.ids), ("parent_state", "=", "posted")]
        )
        return round(-sum(items.mapped("balance")), 2)


@tagged("post_install", "-at_install")
class TestForeignCurrencyInTheBooks(ForeignCurrencyCase):
    """Credits and what follows, when the rate changes in between."""

    def test_the_credit_takes_back_what_was_booked(self):
        """C5, C11: at the rate of the invoice: no exchange difference, no rest."""
        memo = self.settle(self.subscription)
        self.assert_items(
            memo,
            ("receivable", 0.0, 46.20),
            ("revenue", 42.00, 0.0, "base-"),
            ("tax due", 4.20, 0.0, "tax-"),
        )
        self.assertEqual(memo.amount_total, CREDIT)
        self.assert_open(self.invoice, SERVED, "partial")
        self.assertEqual(self.get_exchange_difference(), 0.0)
        self.assert_report(20.00, 2.00)
        self.assert_balance(SERVED, self.subscription)

    def test_payment_credit_and_refund_at_three_rates_leave_nothing(self):
        """C6: paid at 2.50, credited as booked at 2.00, refunded at 1.25.

        Billed 68.20 and paid 85.25 is a gain of 17.05; credited 46.20 and refunded
        28.88 (23.10 x 1.25 = 28.875) is one of 17.32.
        """
        self.travel_to("2026-07-05")
        self.pay_online(self.invoice)
        self.assertEqual(self.get_exchange_difference(), 17.05)
        self.cancel(self.subscription, "2026-07-10", credit_settlement="refund")
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.amount_total_signed, -46.20)
        self.travel_to("2026-07-20")
        self.run_steps(self.subscription)
        payment = self.steps(self.subscription, "refund").payment_id
        self.assertRecordValues(
            payment, [{"amount": CREDIT, "currency_id": self.euro.id}]
        )
        self.assertEqual(sum(payment.move_id.line_ids.mapped("debit")), 28.88)
        self.assert_open(memo, 0.0, "paid")
        self.assertEqual(self.get_exchange_difference(), 34.37)
        self.assert_report(20.00, 2.00)
        self.assert_balance(0.0, self.subscription)

    def test_a_collection_at_another_rate_leaves_nothing(self):
        """C8: 11.00 booked as 22.00 dollars bring 27.50: a gain of 5.50."""
        self.create_token(self.subscription.partner_id)
        self.settle(self.subscription, unpaid_invoices="collect")
        self.assert_open(self.invoice, 0.0, "paid")
        self.assertEqual(self.get_exchange_difference(), 5.50)
        self.assert_report(20.00, 2.00)
        self.assert_balance(0.0, self.subscription)

    def test_a_write_off_takes_back_what_was_booked(self):
        """C8: 11.00 as booked at 2.00: 20.00 and 2.00 of tax; no difference."""
        self.loss.tax_ids = self.tax
        self.settle(self.subscription, unpaid_invoices="write_off")
        entry = self.steps(self.subscription, "write_off").move_id
        self.assert_items(
            entry,
            ("receivable", 0.0, 22.00),
            ("Bad debts", 20.00, 0.0, "base-"),
            ("tax due", 2.00, 0.0, "tax-"),
        )
        self.assertEqual(sum(entry.line_ids.mapped("amount_currency")), 0.0)
        self.assertEqual(self.get_exchange_difference(), 0.0)
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, self.subscription)

    def test_an_undo_bills_what_was_booked(self):
        """B15, C11: credit and invoice that takes it back are at the first rate."""
        self.settle(self.subscription)
        self.subscription.reactivate_subscription()
        invoice = self.subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual(invoice.amount_total_signed, 46.20)
        self.assertEqual(self.get_exchange_difference(), 0.0)
        self.assert_report(62.00, 6.20)
        self.assert_balance(34.10, self.subscription)

    def test_credits_pay_a_younger_invoice_of_the_same_currency(self):
        """C7: 23.10 credited at 2.00 pay an invoice at 1.25: a gain of 17.32.

        Paid on 1 July at its own rate; 34.10 of 20 July are booked as 42.63 (42.625),
        of which 23.10 are 28.88.
        """
        self.pay(self.invoice)
        customer = self.subscription.partner_id
        other, younger = self.subscribe(
            currency="EUR", start="2026-07-20", partner_id=customer.id
        )
        self.assertEqual(younger.amount_total_signed, 42.63)
        self.settle(self.subscription, "2026-07-20", apply_credits=True)
        # 11 of 31 days: 11.00 + 1.10
        self.assert_open(younger, 22.00, "partial")
        # 12.10 are 24.20 as credited, and 15.13 as billed
        self.assertEqual(self.get_exchange_difference(), 9.07)
        self.assert_balance(22.00, self.subscription)


@tagged("post_install", "-at_install")
class TestSplitRefundInTheBooks(ForeignCurrencyCase):
    """Paid by two transactions at two rates, given back at a third one."""

    def setUp(self):
        super().setUp()
        self.first = self.pay_online(self.invoice, 14.10)
        self.travel_to("2026-07-05")
        self.second = self.pay_online(self.invoice)

    def test_each_transaction_gives_back_what_it_took(self):
        """C6: of EUR 23.10 the later one gives 20.00, the other one 3.10.

        Paid 28.20 (at 2.00) and 50.00 (at 2.50) for 68.20 is a gain of 10.00; credited
        46.20 and refunded 25.00 and 3.88 (at 1.25: 3.875) is one of 17.32.
        """
        self.assertEqual(self.get_exchange_difference(), 10.00)
        self.cancel(self.subscription, "2026-07-10", credit_settlement="refund")
        self.travel_to("2026-07-20")
        self.run_steps(self.subscription)
        steps = self.steps(self.subscription, "refund").sorted("amount")
        self.assertRecordValues(
            steps,
            [
                {"state": "done", "amount": 3.10, "currency_id": self.euro.id},
                {"state": "done", "amount": 20.00, "currency_id": self.euro.id},
            ],
        )
        sources = [step.source_transaction_id for step in steps]
        self.assertEqual(sources, [self.first, self.second])
        booked = [sum(s.payment_id.move_id.line_ids.mapped("debit")) for s in steps]
        self.assertEqual(booked, [3.88, 25.00])
        for step in steps:
            refund = step.sudo().transaction_id
            self.assertEqual(refund.source_transaction_id, step.source_transaction_id)
            self.assertEqual(
                (refund.amount, refund.currency_id), (-step.amount, self.euro)
            )
            self.assertEqual(step.payment_id.currency_id, self.euro)
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.reconciled_payment_ids, steps.payment_id)
        self.assert_open(memo, 0.0, "paid")
        self.assertEqual(self.get_exchange_difference(), 27.32)
        self.assert_report(20.00, 2.00)
        self.assert_balance(0.0, self.subscription)

    def test_everything_goes_back(self):
        """C2, C6: 14.10 and 20.00; nothing is left in either currency."""
        memo = self.settle(
            self.subscription, refund_mode="full", credit_settlement="refund"
        )
        amounts = sorted(self.steps(self.subscription, "refund").mapped("amount"))
        self.assertEqual(amounts, [14.10, 20.00])
        self.assert_open(memo, 0.0, "paid")
        # 85.25 (34.10 at 2.50) go back of 68.20 credited, after a gain of 10.00
        self.assertEqual(self.get_exchange_difference(), -7.05)
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, self.subscription)

    def test_a_refused_half_is_left_to_an_accountant(self):
        """C6: what the other one gave back is booked all the same."""
        self.cancel(self.subscription, "2026-07-10", credit_settlement="refund")
        second = self.second

        def refuse(refund):
            if refund.source_transaction_id == second:
                refund._set_error("No")
            else:
                refund._set_done()

        self.patch(type(second), "_send_refund_request", refuse)
        self.run_steps(self.subscription)
        steps = self.steps(self.subscription, "refund").sorted("amount")
        self.assertEqual(steps.mapped("state"), ["done", "failed"])
        memo = self.credit_memos(self.subscription)
        self.assert_open(memo, 20.00, "partial")
        self.assert_balance(-20.00, self.subscription)
        self.assert_report(20.00, 2.00)


@tagged("post_install", "-at_install")
class TestCashBasisInAnotherCurrency(ForeignCurrencyCase):
    """The tax is due at the rate of the payment; until then it waits at 2.00."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().tax_exigibility = True
        cls.waiting = cls.create_account(
            "Tax waiting", "liability_current", reconcile=True
        )
        cls.tax = cls.create_reported_tax(
            10.0,
            tax_exigibility="on_payment",
            cash_basis_transition_account_id=cls.waiting.id,
        )

    def assert_waiting(self, amount):
        """So much tax, in euro, is billed and not due yet; none: in dollars, too."""
        items = self.env["account.move.line"].search(
            [("account_id", "=", self.waiting.id), ("parent_state", "=", "posted")]
        )
        self.assertAlmostEqual(-sum(items.mapped("amount_currency")), amount, 2)
        if not amount:
            self.assertAlmostEqual(sum(items.mapped("balance")), 0.0, 2)

    def test_what_stays_due_is_reported_at_the_rate_of_its_payment(self):
        """C5, C11: the credited part never becomes due; EUR 10.00 at 1.25 do."""
        self.travel_to("2026-07-05")
        memo = self.settle(self.subscription)
        self.assert_open(self.invoice, SERVED, "partial")
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(0.0, 0.0)
        self.assert_waiting(1.00)
        self.travel_to("2026-07-20")
        self.pay(self.invoice)
        self.assert_report(12.50, 1.25)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, self.subscription)

    def test_a_refund_takes_the_tax_back_at_its_own_rate(self):
        """C6, C11: EUR 31.00 at 2.50 became due, 21.00 at 1.25 are taken back."""
        self.travel_to("2026-07-05")
        self.pay_online(self.invoice)
        self.assert_report(77.50, 7.75)
        self.cancel(self.subscription, "2026-07-10", credit_settlement="refund")
        self.assert_report(77.50, 7.75)
        self.travel_to("2026-07-20")
        self.run_steps(self.subscription)
        self.assert_report(51.25, 5.12)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, self.subscription)

    def test_a_write_off_takes_the_waiting_tax_back(self):
        """C8, C11: EUR 1.00 that never becomes due, at the rate it was booked."""
        self.loss.tax_ids = self.tax
        self.settle(self.subscription, "2026-07-20", unpaid_invoices="write_off")
        self.assert_report(0.0, 0.0)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, self.subscription)

    def test_an_undo_after_a_refund_waits_for_the_payment_again(self):
        """B15, C11: EUR 21.00 are billed again at 2.00, and due when they are paid."""
        self.pay_online(self.invoice)
        self.settle(self.subscription, "2026-07-10", credit_settlement="refund")
        # 31.00 at 2.00, less 21.00 at 2.50
        self.assert_report(9.50, 0.95)
        self.subscription.reactivate_subscription()
        self.assert_report(9.50, 0.95)
        self.assert_waiting(2.10)
        self.travel_to("2026-07-20")
        self.pay(self.subscription.cancellation_ids.charge_invoice_ids)
        # and 21.00 at 1.25 again
        self.assert_report(35.75, 3.58)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, self.subscription)

    def test_an_undo_of_an_unpaid_invoice_reports_nothing(self):
        """B15, C11: all of it waits again, as it was billed."""
        self.settle(self.subscription, "2026-07-10")
        self.subscription.reactivate_subscription()
        self.assert_report(0.0, 0.0)
        self.assert_waiting(3.10)
        self.assert_balance(BILLED, self.subscription)


@tagged("post_install", "-at_install")
class TestDecimalsInTheBooks(AccountingCase):
    """Each currency rounds to its own decimals (C5, C6, C8)."""

    def test_without_decimals(self):
        """C6: of 1000 yen 21 of 31 days are 677, and 68 of tax (67.7)."""
        subscription, invoice = self.subscribe(1000.0, currency="JPY")
        self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (677.0, 68.0))
        self.assertEqual(self.steps(subscription, "refund").amount, 745.0)
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(646.00, 64.00)  # 323 and 32 yen at 2.00
        self.assert_balance(0.0, subscription)

    def test_with_three_decimals(self):
        """C6: of 10.000 dinar 21 of 31 days are 6.774, and 0.677 of tax."""
        subscription, invoice = self.subscribe(10.0, currency="KWD")
        self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        self.assertAlmostEqual(memo.amount_untaxed, 6.774, 4)
        self.assertAlmostEqual(memo.amount_tax, 0.677, 4)
        self.assertAlmostEqual(self.steps(subscription, "refund").amount, 7.451, 4)
        self.assert_open(memo, 0.0, "paid")
        # 20.00 - 13.55 (13.548) and 2.00 - 1.35 (1.354)
        self.assert_report(6.45, 0.65)
        self.assert_balance(0.0, subscription)

    def test_a_write_off_with_three_decimals(self):
        """C8: 3.549 dinar are 3.226 and 0.323 of tax."""
        self.loss.tax_ids = self.tax
        subscription, invoice = self.subscribe(10.0, currency="KWD")
        self.settle(subscription, unpaid_invoices="write_off")
        entry = self.steps(subscription, "write_off").move_id
        found = [round(item.amount_currency, 4) for item in entry.line_ids]
        self.assertCountEqual(found, [-3.549, 3.226, 0.323])
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_a_write_off_without_decimals(self):
        """C8: 355 yen are 323 and 32 of tax (355 / 1.1 = 322.7)."""
        self.loss.tax_ids = self.tax
        subscription, _invoice = self.subscribe(1000.0, currency="JPY")
        self.settle(subscription, unpaid_invoices="write_off")
        entry = self.steps(subscription, "write_off").move_id
        found = entry.line_ids.mapped("amount_currency")
        self.assertCountEqual(found, [-355.0, 323.0, 32.0])
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)


@tagged("post_install", "-at_install")
class TestRoundedTaxesInTheBooks(AccountingCase):
    """Invoice, credit memo and write-off net out to the cent (C8, C11)."""

    def test_a_tax_that_is_included_in_the_price(self):
        """C5, C8: 20.00 with 19 % are 16.81 and 3.19.

        21 of 31 days are 11.39 and 2.16; 5.42 and 1.03 were served.
        """
        tax = self.create_reported_tax(19.0, price_include_override="tax_included")
        self.loss.tax_ids = tax
        subscription, invoice = self.subscribe(20.0, taxes=tax)
        memo = self.settle(subscription, unpaid_invoices="write_off")
        self.assert_items(
            memo,
            ("receivable", 0.0, 13.55),
            ("revenue", 11.39, 0.0, "base-"),
            ("tax due", 2.16, 0.0, "tax-"),
        )
        self.assert_items(
            self.steps(subscription, "write_off").move_id,
            ("receivable", 0.0, 6.45),
            ("Bad debts", 5.42, 0.0, "base-"),
            ("tax due", 1.03, 0.0, "tax-"),
        )
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_two_taxes_are_refunded_to_the_cent(self):
        """C6, C11: 10.32 with 7 % and 3 %: 6.99, 0.49 and 0.21 go back."""
        taxes = self.create_reported_tax(7.0) | self.create_reported_tax(3.0)
        subscription, invoice = self.subscribe(10.32, taxes=taxes)
        self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        self.assert_items(
            memo,
            ("receivable", 0.0, 7.69),
            ("revenue", 6.99, 0.0, "base-"),
            ("tax due", 0.49, 0.0, "tax-"),
            ("tax due", 0.21, 0.0, "tax-"),
        )
        self.assertEqual(self.steps(subscription, "refund").amount, 7.69)
        self.assert_report(3.33, 0.33)
        self.assert_balance(0.0, subscription)
