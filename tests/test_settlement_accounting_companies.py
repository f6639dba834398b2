# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Several companies in one run, each in its own books (C5-C8, C11, C12, D1)."""

from odoo import SUPERUSER_ID
from odoo.fields import Command
from odoo.tests import tagged

from .accounting import CREDIT, SERVED, AccountingCase

RUN = "odoo.addons.subscription_cancellation.models.lifecycle.scheduled_action"


@tagged("post_install", "-at_install")
class TestCompaniesInOneRun(AccountingCase):
    """Ours in dollars, the other in euro, with accounts and a policy of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.get_currency("EUR")
        cls.other_data = cls.setup_other_company(
            name="Elsewhere", currency_id=cls.euro.id
        )
        cls.other = cls.other_data["company"]
        cls.env.user.company_ids |= cls.other
        cls.policy = cls.get_default_policy()
        cls.other_policy = cls.policy._search_channel(cls.other, "backend")[:1]
        cls.other_tax = cls.create_other_tax()
        cls.other_loss = cls.create_account(
            "Elsewhere's bad debts",
            "expense",
            company_ids=[Command.set(cls.other.ids)],
        )
        cls.other.sudo().write(
            {
                "cancellation_write_off_account_id": cls.other_loss.id,
                "cancellation_write_off_journal_id": cls.other_data[
                    "default_journal_misc"
                ].id,
            }
        )
        # The customer of both
        cls.customer = cls.create_customer()

    @classmethod
    def create_other_tax(cls):
        """Return the other company's sales tax of 10 %."""
        return cls.create_reported_tax(
            10.0,
            account=cls.other_data["default_account_tax_sale"],
            company_id=cls.other.id,
        )

    def subscribe_here(self, **values):
        """Return a subscription of our company, and its invoice."""
        return self.subscribe(partner_id=self.customer.id, **values)

    def subscribe_elsewhere(self, **values):
        """Return a subscription of the other company, and its invoice."""
        account = self.other_data["default_account_revenue"]
        product = self.create_product("Elsewhere's hosting")
        product.with_company(self.other).property_account_income_id = account
        line = {"price_unit": 31.0, "taxes": self.other_tax, "product_id": product.id}
        subscription = self.create_subscription(
            [line],
            partner_id=self.customer.id,
            company_id=self.other.id,
            journal_id=self.other_data["default_journal_sale"].id,
            currency="EUR",
            **values,
        )
        return subscription, self.bill(subscription.with_company(self.other))

    def schedule(self, *subscriptions):
        """Let these end with 10 July, as the policy of each company says."""
        self.travel_to("2026-07-05")
        for subscription in subscriptions:
            subscription.request_cancellation(
                timing="specific_date", requested_date="2026-07-10"
            )

    def run_together(self, *subscriptions):
        """Execute what is due in one go, and the steps, as the scheduled actions do.

        Both run as nobody in particular, in no company.
        """
        self.travel_to("2026-07-11")
        ids = [subscription.cancellation_ids.id for subscription in subscriptions]
        env = self.env(user=SUPERUSER_ID, context={})
        cancellations = env["subscription.cancellation"].browse(ids)
        self.assertEqual(cancellations._lock_due(100), cancellations)
        with self.assertNoLogs(RUN, "INFO"):  # not one by one
            cancellations._execute_batch()
        for cancellation in cancellations:
            cancellation._run_steps()
        self.env.invalidate_all()
        self.assertEqual(set(cancellations.mapped("state")), {"done"})

    def assert_own_books(self, moves, company, currency):
        """These are of one company, with its accounts and journals, in one currency."""
        self.assertTrue(moves)
        self.assertEqual(moves.company_id, company)
        self.assertEqual(moves.journal_id.company_id, company)
        self.assertEqual(moves.line_ids.account_id.company_ids, company)
        self.assertEqual(moves.line_ids.tax_line_id.company_id, company)
        self.assertEqual(moves.line_ids.currency_id, currency)
        self.assertEqual(moves.line_ids.company_currency_id, currency)

    def get_made(self, known, company):
        """Return what was booked in a company since."""
        moves = self.env["account.move"].search([("company_id", "=", company.id)])
        return moves - known

    def test_refund_here_and_write_off_elsewhere(self):
        """C6, C8, D1: each policy's settlement, on each company's accounts."""
        self.policy.credit_settlement = "refund"
        self.other_policy.unpaid_invoices = "write_off"
        self.other_loss.tax_ids = self.other_tax
        here, invoice = self.subscribe_here()
        elsewhere, foreign = self.subscribe_elsewhere()
        self.pay_online(invoice)
        self.schedule(here, elsewhere)
        known = self.env["account.move"].search([])
        self.run_together(here, elsewhere)

        self.assert_own_books(
            self.get_made(known, self.company), self.company, self.currency
        )
        self.assert_own_books(self.get_made(known, self.other), self.other, self.euro)
        self.assert_items(
            self.credit_memos(here),
            ("receivable", 0.0, 23.10),
            ("revenue", 21.00, 0.0, "base-"),
            ("tax due", 2.10, 0.0, "tax-"),
        )
        data = self.other_data
        self.assert_items(
            self.credit_memos(elsewhere),
            (data["default_account_receivable"].name, 0.0, 23.10),
            (data["default_account_revenue"].name, 21.00, 0.0, "base-"),
            (data["default_account_tax_sale"].name, 2.10, 0.0, "tax-"),
        )
        self.assert_items(
            self.steps(elsewhere, "write_off").move_id,
            (data["default_account_receivable"].name, 0.0, 11.00),
            ("Elsewhere's bad debts", 10.00, 0.0, "base-"),
            (data["default_account_tax_sale"].name, 1.00, 0.0, "tax-"),
        )
        step = self.steps(here, "refund")
        self.assertRecordValues(step, [{"state": "done", "amount": CREDIT}])
        self.assertEqual(step.payment_id.company_id, self.company)
        self.assert_open(foreign, 0.0, "reversed")
        self.assert_report(10.00, 1.00)
        self.assert_report(0.0, 0.0, self.other)
        self.assert_balance(0.0, here)
        self.assert_balance(0.0, elsewhere)

    def test_both_refund_through_their_own_provider(self):
        """C6: transactions and payments are of the company that took the money."""
        policies = self.policy | self.other_policy
        policies.credit_settlement = "refund"
        here, invoice = self.subscribe_here()
        elsewhere, foreign = self.subscribe_elsewhere()
        self.pay_online(invoice)
        provider = self.get_provider(self.other)
        token = self.create_token(self.customer, provider=provider)
        self.pay_online(foreign, token=token)
        self.schedule(here, elsewhere)
        known = self.env["account.move"].search([])
        self.run_together(here, elsewhere)
        self.assert_own_books(
            self.get_made(known, self.company), self.company, self.currency
        )
        self.assert_own_books(self.get_made(known, self.other), self.other, self.euro)
        for subscription in (here, elsewhere):
            step = self.steps(subscription, "refund")
            company = subscription.company_id
            self.assertRecordValues(step, [{"state": "done", "amount": CREDIT}])
            self.assertEqual(step.transaction_id.company_id, company)
            self.assertEqual(step.transaction_id.provider_id.company_id, company)
            self.assertEqual(step.payment_id.company_id, company)
            self.assert_open(self.credit_memos(subscription), 0.0, "paid")
            self.assert_report(10.00, 1.00, company)
            self.assert_balance(0.0, subscription)

    def test_a_credit_here_pays_nothing_elsewhere(self):
        """C7: the customer owes the other company, in its currency, as before."""
        (self.policy | self.other_policy).apply_credits = True
        here, invoice = self.subscribe_here()
        elsewhere, foreign = self.subscribe_elsewhere()
        _next, younger = self.subscribe_here(start="2026-07-05")
        self.pay(invoice)
        self.schedule(here, elsewhere)
        self.run_together(here, elsewhere)
        self.assert_open(younger, 11.00, "partial")
        self.assert_open(foreign, SERVED, "partial")
        self.assertFalse(self.steps(elsewhere, "apply_credits"))
        self.assert_balance(11.00, here)
        self.assert_balance(SERVED, elsewhere)

    def test_drafts_here_and_posted_elsewhere(self):
        """C12, D1: full and unposted in one company, prorated and posted in another."""
        self.policy.write({"post_credit_memos": False, "refund_mode": "full"})
        here, _invoice = self.subscribe_here()
        elsewhere, foreign = self.subscribe_elsewhere()
        self.schedule(here, elsewhere)
        self.run_together(here, elsewhere)
        memo = self.credit_memos(here)
        self.assertRecordValues(memo, [{"state": "draft", "amount_total": 34.10}])
        self.assert_report(31.00, 3.10)
        self.assert_open(foreign, SERVED, "partial")
        self.assert_report(10.00, 1.00, self.other)
        memo.action_post()
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, here)
        self.assert_balance(SERVED, elsewhere)

    def test_a_failure_elsewhere_does_not_touch_our_books(self):
        """C8, D1: no write-off account there: its invoice stays due."""
        (self.policy | self.other_policy).unpaid_invoices = "write_off"
        self.loss.tax_ids = self.tax
        self.other.sudo().cancellation_write_off_account_id = False
        here, invoice = self.subscribe_here()
        elsewhere, foreign = self.subscribe_elsewhere()
        self.schedule(here, elsewhere)
        self.run_together(here, elsewhere)
        self.assertEqual(self.steps(here, "write_off").state, "done")
        self.assertEqual(self.steps(elsewhere, "write_off").state, "failed")
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_open(foreign, SERVED, "partial")
        self.assert_report(0.0, 0.0)
        self.assert_report(10.00, 1.00, self.other)
        self.assert_balance(0.0, here)
        self.assert_balance(SERVED, elsewhere)
