# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D6: not paid, though there is money: credits and payments of the customer count.

An invoice of $31.00 for July is due on 1 July; the policy cancels 14 days later, on
15 July, and warns 3 days before that.
"""

from odoo.exceptions import ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, tagged

from .common import CANCELLATION_USER
from .test_overdue import ACTIVITY, OverdueCase

DAY = "2026-07-15"


class OverdueCreditCase(OverdueCase):
    def setUp(self):
        super().setUp()
        self.policy.write({"cancel_overdue_days": 14, "overdue_warning_days": 3})
        self.customer = self.subscription.partner_id
        self.customer.email = "azure@example.com"
        self.subscription.user_id = self.create_user(CANCELLATION_USER)

    def invoice_something(self, amount, day, partner=None, kind="out_invoice"):
        """Return a document of the customer that is none of the subscription's."""
        return self.init_invoice(
            kind,
            partner=partner or self.customer,
            invoice_date=day,
            amounts=[amount],
            taxes=[],
            post=True,
        )

    def get_activities(self, subscription=None):
        activities = (subscription or self.subscription).activity_ids
        return activities.filtered(
            lambda one: one.activity_type_id == self.env.ref(ACTIVITY)
        )

    def assert_nothing(self):
        """It goes on, and nobody has anything to do."""
        self.run_cron("2026-07-12")
        self.assertFalse(self.get_warnings())
        self.run_cron(DAY)
        self.assert_goes_on()
        self.assertFalse(self.get_activities())

    def assert_asked(self, *names):
        """It goes on, and somebody is asked, once, to look at these documents."""
        self.run_cron("2026-07-12")
        self.assertFalse(self.get_warnings())
        self.run_cron(DAY)
        self.assert_goes_on()
        activity = self.get_activities()
        self.assertEqual(activity.user_id, self.subscription.user_id)
        self.assertEqual(activity.summary, "Not paid, but the customer has a credit")
        for name in (self.invoice.name, *names):
            self.assertIn(name, activity.note)
        self.run_cron("2026-07-16")
        self.assert_goes_on()
        self.assertEqual(self.get_activities(), activity)

    def assert_ended(self):
        """It ends, on the day and not before."""
        self.run_cron("2026-07-14")
        self.assert_goes_on()
        self.run_cron(DAY)
        self.assert_cancelled()


@tagged("post_install", "-at_install")
class TestOverdueCredits(OverdueCreditCase):
    # === MONEY THAT COVERS IT === #

    def test_a_payment_on_account(self):
        """D6: $50.00 lie on the account, which nobody has allocated."""
        self.pay_on_account(self.customer, 50.0)
        self.assert_nothing()

    def test_a_payment_that_odoo_has_still_to_book(self):
        """D6: the provider has confirmed $31.00."""
        token = self.create_token(self.customer, "pending")
        payment = self.pay_online(self.invoice, None, token)
        payment._set_done()
        self.assertFalse(payment.payment_id)
        self.assert_nothing()

    def test_an_open_credit_memo(self):
        """D6: of $31.00, for something else."""
        self.invoice_something(31.0, "2026-07-02", kind="out_refund")
        self.assert_nothing()

    def test_several_credits(self):
        """D6: $20.00 and $11.00."""
        self.pay_on_account(self.customer, 20.0)
        self.invoice_something(11.0, "2026-07-02", kind="out_refund")
        self.assert_nothing()

    def test_a_bank_statement_line_booked_on_account(self):
        """D6: as a payment."""
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": "2026-07-05",
                "payment_ref": "July",
                "partner_id": self.customer.id,
                "amount": 31.0,
            }
        )
        _bank, counterpart = line.move_id.line_ids.sorted("id")
        counterpart.account_id = self.customer.property_account_receivable_id
        self.assert_nothing()

    def test_paid_by_the_company_of_a_contact(self):
        """D6: contacts have the account of their company."""
        self.travel_to("2026-07-01")
        company = self.create_customer(name="Holding", is_company=True)
        contact = self.create_customer(name="Contact", parent_id=company.id)
        subscription = self.create_unpaid(partner_id=contact.id)
        self.pay_on_account(company, 31.0)
        self.run_cron(DAY)
        self.assert_goes_on(subscription)

    def test_a_credit_in_the_currency_of_the_invoice(self):
        """D6: EUR 31.00, of which EUR 31.00 lie on the account."""
        self.travel_to("2026-07-01")
        subscription = self.create_unpaid(currency="EUR")
        invoice = subscription._get_invoices()
        self.assertEqual(invoice.currency_id.name, "EUR")
        self.pay_on_account(subscription.partner_id, 31.0, invoice.currency_id)
        self.run_cron(DAY)
        self.assert_goes_on(subscription)
        self.assertFalse(self.get_activities(subscription))

    def test_what_is_disputed_takes_nothing(self):
        """D6: $50.00 of May are blocked, so $31.00 on account are for July."""
        self.invoice_something(50.0, "2026-05-01").action_toggle_block_payment()
        self.pay_on_account(self.customer, 31.0)
        self.assert_nothing()

    # === TOLERANCE === #

    def test_up_to_a_percent_nothing_happens(self):
        """D6: 1 % of $31.00 is 0.31."""
        self.pay(self.invoice, 30.69)
        self.assert_nothing()

    def test_above_a_percent_it_ends(self):
        """D6: 0.32 are left."""
        self.pay(self.invoice, 30.68)
        self.assert_ended()

    def test_the_smallest_unit_is_always_tolerated(self):
        """D6: 0.01, also where the policy tolerates nothing; not 0.02."""
        self.policy.cancel_overdue_tolerance = 0.0
        self.pay(self.invoice, 30.99)
        self.assert_nothing()

    def test_without_tolerance_two_cents_end_it(self):
        """D6: 0.02."""
        self.policy.cancel_overdue_tolerance = 0.0
        self.pay(self.invoice, 30.98)
        self.assert_ended()

    def test_the_days_of_an_instalment_count_from_where_too_much_is_overdue(self):
        """D6: of 9.30 due on 1 July 0.20 are left; 21.70 are due on 11 July."""
        self.travel_to("2026-07-01")
        term = self.env["account.payment.term"].create(
            {
                "name": "30 % now",
                "line_ids": [
                    Command.create({"value_amount": 30, "nb_days": 0}),
                    Command.create({"value_amount": 70, "nb_days": 10}),
                ],
            }
        )
        customer = self.create_customer(name="Instalments")
        subscription = self.create_subscription([31.0], partner_id=customer.id)
        invoice = self.bill(subscription, "2026-07-01", post=False)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        self.pay(invoice, 9.1)
        self.run_cron("2026-07-24")
        self.assert_goes_on(subscription)
        self.run_cron("2026-07-25")
        self.assert_cancelled(subscription)

    def test_a_higher_tolerance(self):
        """D6: 50 % of $31.00 are 15.50."""
        self.policy.cancel_overdue_tolerance = 50.0
        self.pay(self.invoice, 15.5)
        self.assert_nothing()

    def test_the_tolerance_of_the_form(self):
        """D6: 1 % by default; a percentage."""
        form = Form(self.env["subscription.cancellation.policy"])
        form.name = "New"
        form.cancel_overdue_days = 14
        self.assertEqual(form.cancel_overdue_tolerance, 1.0)
        form.cancel_overdue_tolerance = 2.5
        self.assertEqual(form.save().cancel_overdue_tolerance, 2.5)
        for percent in (-0.01, 100.01):
            with self.assertRaisesRegex(ValidationError, "from 0 to 100"):
                self.policy.cancel_overdue_tolerance = percent

    # === MONEY THAT DOES NOT COVER IT === #

    def test_a_credit_that_is_not_enough(self):
        """D6: $20.00 of $31.00: somebody looks at it, once."""
        payment = self.pay_on_account(self.customer, 20.0)
        self.assert_asked(payment.move_id.name, "20.00")

    def test_an_older_invoice_comes_first(self):
        """D6: $50.00 of May take the $50.00; of $81.00, $31.00 are left for July."""
        self.invoice_something(50.0, "2026-05-01")
        self.pay_on_account(self.customer, 50.0)
        self.assert_asked("50.00")

    def test_enough_for_an_older_invoice_too(self):
        """D6: $81.00."""
        self.invoice_something(50.0, "2026-05-01")
        self.pay_on_account(self.customer, 81.0)
        self.assert_nothing()

    def test_a_newer_invoice_takes_nothing(self):
        """D6: $50.00 due on 10 July come after $31.00 of 1 July."""
        self.invoice_something(50.0, "2026-07-10")
        self.pay_on_account(self.customer, 31.0)
        self.assert_nothing()

    def test_a_credit_in_another_currency(self):
        """D6: which rate applies is for a person to say."""
        payment = self.pay_on_account(self.customer, 500.0, self.get_currency("EUR"))
        self.assert_asked(payment.move_id.name)

    def test_once_the_credit_is_used_it_ends(self):
        """D6: for something else; it was left to somebody before."""
        payment = self.pay_on_account(self.customer, 20.0)
        self.run_cron(DAY)
        other = self.invoice_something(20.0, "2026-07-14")
        items = (payment.move_id | other).line_ids.filtered(
            lambda item: item.account_type == "asset_receivable"
        )
        items.reconcile()
        self.run_cron("2026-07-16")
        self.assert_cancelled()
        self.assertFalse(self.get_activities())

    # === MONEY THAT IS NONE === #

    def test_a_credit_of_somebody_else(self):
        """D6: of another customer."""
        self.pay_on_account(self.create_customer(name="Somebody else"), 50.0)
        self.assert_ended()

    def test_a_credit_of_another_company(self):
        """D6: which owes it to the same customer."""
        other = self.setup_other_company(currency_id=self.currency.id)["company"]
        self.env.user.company_ids |= other
        self.pay_on_account(self.customer, 50.0, company=other)
        self.assert_ended()

    def test_a_draft_credit_memo(self):
        """D6: nobody has granted it yet."""
        memo = self.invoice_something(31.0, "2026-07-02", kind="out_refund")
        memo.button_draft()
        self.assert_ended()

    def test_the_payment_of_an_order_that_is_not_invoiced(self):
        """D6: $50.00 for something that will be invoiced; then they are for that."""
        product = self.create_product("Set-up", subscribable=False)
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 50.0})
                ],
            }
        )
        token = self.create_token(self.customer)
        transaction = (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": token.provider_id.id,
                    "payment_method_id": token.payment_method_id.id,
                    "token_id": token.id,
                    "operation": "offline",
                    "amount": 50.0,
                    "currency_id": order.currency_id.id,
                    "partner_id": self.customer.id,
                    "sale_order_ids": [Command.set(order.ids)],
                }
            )
        )
        transaction._charge_with_token()
        transaction._post_process()
        self.assertEqual((order.state, order.invoice_status), ("sale", "to invoice"))
        self.assertTrue(transaction.payment_id.move_id)
        self.assert_ended()

    def test_a_credit_that_is_going_to_be_paid_back(self):
        """D6: another subscription was ended with a refund, by hand."""
        self.travel_to("2026-07-01")
        other = self.create_unpaid(partner_id=self.customer.id)
        self.pay(other._get_invoices())
        self.cancel(other, "2026-07-02", credit_settlement="refund")
        self.run_steps(other)
        self.assertEqual(self.steps(other, "refund").state, "pending")
        self.assert_ended()

    # === SCALE === #

    def test_it_costs_the_same_for_one_and_eleven_customers(self):
        """D6: each with an older invoice, and a credit that covers or does not."""
        self.pay_on_account(self.customer, 20.0)
        self.count_queries(0)
        one = self.count_queries(0)
        self.assertEqual(self.count_queries(10), one)

    def count_queries(self, more):
        """Return the queries to find what is overdue, with ``more`` customers."""
        for number in range(more):
            customer = self.create_customer(name=f"C{number}")
            self.travel_to("2026-07-01")
            self.create_unpaid(partner_id=customer.id)
            self.invoice_something(5.0, "2026-05-01", customer)
            self.pay_on_account(customer, 20.0 + number % 2 * 16.0)
        self.travel_to(DAY)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        found = self.env["sale.subscription"].sudo()._search_overdue()
        self.assertEqual(len(found), 1 + more // 2)
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestOverdueUndone(OverdueCreditCase):
    """D6, B14: ended on 15 July, undone on 17 July: 14 days later is 31 July.

    $16.00 were credited, and are due again: $31.00 in all.
    """

    def setUp(self):
        super().setUp()
        self.run_cron("2026-07-12")
        self.first_warning = self.get_warnings()
        self.assertEqual(len(self.first_warning), 1)
        self.run_cron(DAY)
        self.assert_cancelled()
        self.travel_to("2026-07-17")
        self.subscription.cancellation_ids.action_undo()
        self.assertEqual(self.invoice.amount_residual, 31.0)

    def test_the_days_count_from_the_undo(self):
        """D6: not the same night again, but after as many days."""
        for day in ("2026-07-17", "2026-07-18", "2026-07-30"):
            self.run_cron(day)
            self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_cron("2026-07-31")
        self.assert_cancelled(times=2)

    def test_the_customer_is_warned_again(self):
        """D6: 3 days before, and once."""
        self.run_cron("2026-07-27")
        self.assertEqual(self.get_warnings(), self.first_warning)
        for day in ("2026-07-28", "2026-07-29"):
            self.run_cron(day)
            again = self.get_warnings() - self.first_warning
            self.assertEqual(len(again), 1)
        self.assertIn("July 31, 2026", again.body_html)
        self.assertEqual(
            self.invoice.cancellation_warning_date, Date.to_date("2026-07-28")
        )

    def test_what_is_paid_meanwhile_goes_on(self):
        """D6."""
        self.pay(self.invoice)
        self.run_cron("2026-07-31")
        self.assertEqual(self.subscription.cancellation_state, "active")

    def test_what_somebody_else_has_ended_counts_from_its_undo_too(self):
        """D6: by mistake on 10 August; nothing of it was credited."""
        self.pay(self.invoice)
        self.bill(self.subscription, "2026-08-01")
        self.cancel(self.subscription, "2026-08-10", refund_mode="none")
        self.subscription.cancellation_ids.sorted("id")[-1:].action_undo()
        self.run_cron("2026-08-15")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_cron("2026-08-24")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")


@tagged("post_install", "-at_install")
class TestTakenOver(OverdueCreditCase):
    """Azure has not paid $31.00 for July; Deco went on with the subscription."""

    def setUp(self):
        super().setUp()
        self.deco = self.create_customer(name="Deco", email="deco@example.com")
        self.travel_to("2026-07-05")

    def take_over(self):
        self.subscription.write({"partner_id": self.deco.id})
        self.subscription.sale_subscription_line_ids.price_unit = 31.0

    def assert_somebody_asked(self):
        self.run_cron("2026-07-12")
        self.assertFalse(self.get_warnings())
        self.assertFalse(self.invoice.overdue_cancellation_date)
        self.run_cron(DAY)
        self.assert_goes_on()
        activity = self.get_activities()
        self.assertEqual(activity.user_id, self.subscription.user_id)
        self.assertEqual(activity.summary, "Not paid by somebody else")
        for name in (self.invoice.name, "Azure Interior", self.deco.name):
            self.assertIn(name, activity.note)
        self.run_cron("2026-07-16")
        self.assert_goes_on()
        self.assertEqual(self.get_activities(), activity)

    def test_what_a_former_customer_owes_ends_nothing(self):
        """D6, C7: somebody is asked, once, and nobody is warned of the end."""
        self.take_over()
        self.assert_somebody_asked()

    def test_a_credit_of_the_former_customer_makes_no_difference(self):
        """D6, C7: $5.00 of Azure are theirs."""
        self.pay_on_account(self.customer, 5.0)
        self.take_over()
        self.assert_somebody_asked()

    def test_a_payer_who_has_gone(self):
        """D6, C7: an agency paid for the customer, who pays now."""
        agency = self.create_customer(name="Azure Interior Agency")
        self.travel_to("2026-07-01")
        self.subscription = self.create_unpaid(
            partner_id=self.deco.id, partner_invoice_id=agency.id
        )
        self.subscription.user_id = self.create_user(CANCELLATION_USER, login="other")
        self.invoice = self.subscription._get_invoices()
        self.assertEqual(self.invoice.partner_id, agency)
        self.subscription.partner_invoice_id = self.deco
        self.assert_somebody_asked()

    def test_what_the_present_customer_owes_ends_it(self):
        """D6: Deco has not paid August, beside what Azure owes."""
        self.take_over()
        own = self.bill(self.subscription, "2026-08-01")
        self.assertEqual(own.partner_id, self.deco)
        self.run_cron("2026-08-14")
        self.assert_goes_on()
        self.run_cron("2026-08-15")
        self.assert_cancelled()
        self.assertIn(own.name, self.subscription.cancellation_ids.comment)

    def test_a_contact_of_the_same_company_is_no_other_customer(self):
        """D6, C7: they have one account."""
        contact = self.create_customer(name="Ann", parent_id=self.customer.id)
        self.subscription.write({"partner_id": contact.id})
        self.assert_ended()

    def test_who_pays_by_the_order_is_no_former_customer(self):
        """D6: sold with an invoice address of somebody else, who has not paid."""
        self.travel_to("2026-07-01")
        agency = self.create_customer(name="Agency")
        product = self.create_product(
            subscription_template_id=self.create_template().id, list_price=31.0
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.deco.id,
                "partner_invoice_id": agency.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.invoice_date = "2026-07-01"
        invoice.action_post()
        self.assertEqual(invoice.partner_id, agency)
        subscription = order.subscription_ids
        self.assertIn(invoice, subscription._get_invoices())
        self.assertNotEqual(subscription.partner_invoice_id, agency)
        self.run_cron(DAY)
        self.assert_cancelled(subscription)
