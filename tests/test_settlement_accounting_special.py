# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books where Odoo's own rules are special (C5-C9, C11)."""

from odoo.tests import tagged

from .accounting import CREDIT, SERVED, AccountingCase


@tagged("post_install", "-at_install")
class TestCashBasisInTheBooks(AccountingCase):
    """The tax is due when the customer pays; until then it waits on an account."""

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
        """So much tax is billed and not due yet."""
        items = self.env["account.move.line"].search(
            [("account_id", "=", self.waiting.id), ("parent_state", "=", "posted")]
        )
        self.assertAlmostEqual(-sum(items.mapped("balance")), amount, 2)

    def test_what_stays_due_is_reported_when_it_is_paid(self):
        """C5, C11: the credited part never becomes due, the rest when it is paid."""
        subscription, invoice = self.subscribe()
        self.assert_report(0.0, 0.0)
        memo = self.settle(subscription)
        self.assert_items(
            memo,
            ("receivable", 0.0, 23.10),
            ("revenue", 21.00, 0.0),
            ("Tax waiting", 2.10, 0.0),
        )
        self.assert_report(0.0, 0.0)
        self.assert_waiting(1.00)
        self.assert_balance(SERVED, subscription)
        self.pay(invoice)
        self.assert_report(10.00, 1.00)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, subscription)

    def test_a_refund_takes_the_tax_back(self):
        """C6, C11: 3.10 became due with the payment, 2.10 go with the refund."""
        subscription, invoice = self.subscribe()
        self.pay_online(invoice)
        self.assert_report(31.00, 3.10)
        self.settle(subscription, credit_settlement="refund")
        self.assert_report(10.00, 1.00)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, subscription)

    def test_a_kept_credit_takes_the_tax_back_when_it_is_used(self):
        """C7, C11: it is used for another invoice, whose tax becomes due instead."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        customer = subscription.partner_id
        _other, younger = self.subscribe(start="2026-07-10", partner_id=customer.id)
        self.settle(subscription, apply_credits=True)
        self.assert_open(younger, 11.00, "partial")
        # 31.00 paid; the same 21.00 off one invoice and on the other one
        self.assert_report(31.00, 3.10)
        self.assert_waiting(1.00)
        self.assert_balance(11.00, subscription)

    def test_a_write_off_takes_the_waiting_tax_back(self):
        """C8, C11: the tax that never becomes due is no loss, and not reported."""
        self.loss.tax_ids = self.tax
        subscription, _invoice = self.subscribe()
        self.settle(subscription, unpaid_invoices="write_off")
        self.assert_items(
            self.steps(subscription, "write_off").move_id,
            ("receivable", 0.0, 11.00),
            ("Bad debts", 10.00, 0.0),
            ("Tax waiting", 1.00, 0.0),
        )
        self.assert_report(0.0, 0.0)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, subscription)

    def test_an_undo_after_a_refund_waits_for_the_payment_again(self):
        """B15, C11: 23.10 are billed again; their tax is due when they are paid."""
        subscription, invoice = self.subscribe()
        self.pay_online(invoice)
        self.settle(subscription, credit_settlement="refund")
        subscription.reactivate_subscription()
        self.assert_report(10.00, 1.00)
        self.assert_waiting(2.10)
        self.pay(subscription.cancellation_ids.charge_invoice_ids)
        self.assert_report(31.00, 3.10)
        self.assert_waiting(0.0)
        self.assert_balance(0.0, subscription)


@tagged("post_install", "-at_install")
class TestLockDatesInTheBooks(AccountingCase):
    """Nothing is booked in a closed period, and no money is lost for it."""

    def lock(self, day, name="fiscalyear_lock_date"):
        """Close the books until a day."""
        self.company.sudo()[name] = day

    def test_a_closed_invoice_is_credited_today(self):
        """C10, C11: July is closed; credit and refund are of 5 August."""
        subscription, invoice = self.subscribe()
        self.bill(subscription)
        self.pay_online(invoice)
        self.travel_to("2026-08-05")
        for name in ("fiscalyear_lock_date", "tax_lock_date", "sale_lock_date"):
            self.lock("2026-07-31", name)
        memo = self.settle(
            subscription,
            "2026-08-05",
            credit_settlement="refund",
            unpaid_invoices="write_off",
        )
        self.assertEqual(str(memo.date), "2026-08-05")
        # August: 26 of 31 days are credited, 5.50 are written off with their tax
        self.assertEqual(memo.amount_total, 28.60)
        entry = self.steps(subscription, "write_off").move_id
        self.assertEqual((str(entry.date), entry.state), ("2026-08-05", "posted"))
        self.assert_report(36.00, 3.60)
        self.assert_balance(0.0, subscription)

    def test_what_is_due_today_is_booked_on_the_first_open_day(self):
        """C6: July is closed on 10 July; credit and write-off are of 1 August."""
        subscription, invoice = self.subscribe()
        self.lock("2026-07-31")
        memo = self.settle(subscription, unpaid_invoices="write_off")
        entry = self.steps(subscription, "write_off").move_id
        self.assertEqual(str(memo.date), "2026-08-01")
        self.assertEqual(str(entry.date), "2026-08-01")
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_balance(0.0, subscription)

    def test_a_refund_is_booked_in_spite_of_a_closed_period(self):
        """C6: the money is back, once; its payment is of the first open day."""
        subscription, invoice = self.subscribe()
        paid = self.pay_online(invoice)
        self.cancel(subscription, "2026-07-10", credit_settlement="refund")
        self.lock("2026-07-31")
        self.run_steps(subscription)
        step = self.steps(subscription, "refund")
        self.assertRecordValues(step, [{"state": "done", "amount": CREDIT}])
        self.assertEqual(paid.child_transaction_ids, step.sudo().transaction_id)
        self.assertEqual(str(step.payment_id.move_id.date), "2026-08-01")
        self.assert_open(self.credit_memos(subscription), 0.0, "paid")
        self.assert_balance(0.0, subscription)


@tagged("post_install", "-at_install")
class TestCompaniesInTheBooks(AccountingCase):
    """Whoever cancels may be logged in to another company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.setup_other_company(name="Elsewhere")["company"]
        cls.env.user.company_ids |= cls.other

    def settle_from_elsewhere(self, subscription, **options):
        """Cancel and settle while the other company is the current one."""
        known = self.env["account.move"].search([])
        self.travel_to("2026-07-10")
        elsewhere = subscription.with_context(
            allowed_company_ids=[self.other.id, self.company.id]
        )
        self.assertEqual(elsewhere.env.company, self.other)
        elsewhere.request_cancellation(timing="immediate", **options)
        elsewhere.cancellation_ids.sudo()._run_steps()
        made = self.env["account.move"].search([]) - known
        self.assertEqual(made.company_id, self.company)
        self.assertEqual(made.journal_id.company_id, self.company)
        self.assertTrue(
            all(self.company in items.company_ids for items in made.line_ids.account_id)
        )
        return made

    def test_a_refund_is_booked_where_the_subscription_is(self):
        """C6: credit memo, transaction and payment."""
        subscription, invoice = self.subscribe()
        self.pay_online(invoice)
        self.settle_from_elsewhere(subscription, credit_settlement="refund")
        step = self.steps(subscription, "refund")
        self.assertEqual(step.payment_id.company_id, self.company)
        self.assertEqual(step.sudo().transaction_id.company_id, self.company)
        self.assert_report(10.00, 1.00)
        self.assert_balance(0.0, subscription)

    def test_a_write_off_is_booked_where_the_subscription_is(self):
        """C8: on that company's account and journal, with its taxes."""
        self.loss.tax_ids = self.tax
        subscription, _invoice = self.subscribe()
        self.settle_from_elsewhere(subscription, unpaid_invoices="write_off")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_a_collection_is_booked_where_the_subscription_is(self):
        """C8, C9: unbilled days too."""
        for has_draft in (True, False):
            line = {"price_unit": 31.0, "taxes": self.tax}
            subscription = self.create_subscription([line])
            if has_draft:
                self.bill(subscription, post=False)
            self.create_token(subscription.partner_id)
            self.settle_from_elsewhere(subscription)
            step = self.steps(subscription, "collect")
            self.assertRecordValues(step, [{"state": "done", "amount": SERVED}])
            self.assert_balance(0.0, subscription)
        self.assert_report(20.00, 2.00)

    def test_credits_pay_invoices_where_the_subscription_is(self):
        """C7: of the same customer."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        customer = subscription.partner_id
        _other, younger = self.subscribe(start="2026-07-10", partner_id=customer.id)
        self.settle_from_elsewhere(subscription, apply_credits=True)
        self.assert_open(younger, 11.00, "partial")
        self.assert_balance(11.00, subscription)
