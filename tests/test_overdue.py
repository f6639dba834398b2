# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D6: what stays unpaid is cancelled, by the policy for the channel "system".

Unless told otherwise an invoice of $31.00 for July 2026 is due on 1 July, and the
policy cancels 10 days later: on 11 July.
"""

from unittest.mock import patch

from odoo.exceptions import LockError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, Form, get_db_name, tagged
from odoo.tools import mute_logger

from . import test_concurrency
from .common import CANCELLATION_USER, CancellationCase

CRON = "subscription_cancellation.ir_cron_cancel_overdue"
EXECUTE = "subscription_cancellation.ir_cron_execute_due"
TEMPLATE = "subscription_cancellation.mail_template_overdue_warning"
ACTIVITY = "subscription_cancellation.mail_activity_type_overdue"
OVERDUE_LOGGER = (
    "odoo.addons.subscription_cancellation.models.overdue.sale_subscription"
)
#: The last day before the cancellation, and the day of it.
DAY_9, DAY_10 = "2026-07-10", "2026-07-11"
SYSTEM_CODES = (
    "no_card",
    "fraud_review_failed",
    "non_compliant_eu_customer",
    "tax_calculation_failed",
    "currency_incompatible",
    "non_compliant_customer",
)


class OverdueCase(CancellationCase):
    """A subscription whose July is billed and not paid."""

    def setUp(self):
        super().setUp()
        self.policy = self.create_policy()
        self.subscription = self.create_unpaid()
        self.invoice = self.subscription._get_invoices()

    def create_policy(self, **values):
        """Return a policy for non-payment that comes before the default one."""
        return self.env["subscription.cancellation.policy"].create(
            {
                "name": "Not paid",
                "sequence": 1,
                "channel": "system",
                "cancel_overdue_days": 10,
                **values,
            }
        )

    def create_unpaid(self, **values):
        """Return a subscription with a posted invoice that is due on 1 July."""
        subscription = self.create_subscription([31.0], **values)
        self.bill(subscription, "2026-07-01")
        return subscription

    def create_customer_with_mail(self, **values):
        return self.create_customer(email="azure@example.com", **values)

    def run_cron(self, day=None, name=CRON):
        """Run a scheduled action as the server does."""
        if day:
            self.travel_to(day)
        with self.enter_registry_test_mode():
            # sudo: triggered by the server, not by a person.
            self.env.ref(name).sudo().method_direct_trigger()
        self.env.invalidate_all()

    def assert_goes_on(self, subscription=None):
        subscription = subscription or self.subscription
        self.assertFalse(subscription.cancellation_ids)
        self.assertEqual(subscription.cancellation_state, "active")

    def assert_cancelled(self, subscription=None, times=1):
        subscription = subscription or self.subscription
        self.assertEqual(len(subscription.cancellation_ids), times)
        self.assertEqual(subscription.cancellation_state, "cancelled")

    def get_warnings(self, invoice=None):
        """Return the mails that were queued about an invoice."""
        invoice = invoice or self.invoice
        domain = [("model", "=", "account.move"), ("res_id", "=", invoice.id)]
        return self.env["mail.mail"].sudo().search(domain)

    def create_transaction(self, state, code="none"):
        """Return a payment transaction of the invoice."""
        method = self.env.ref("payment.payment_method_unknown")
        provider = self.env["payment.provider"].create(
            {"name": "Provider", "code": code, "company_id": self.company.id}
        )
        return self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "reference": f"{self.invoice.name} {state}",
                "amount": 31.0,
                "currency_id": self.invoice.currency_id.id,
                "partner_id": self.invoice.partner_id.id,
                "invoice_ids": [Command.set(self.invoice.ids)],
                "state": state,
            }
        )


@tagged("post_install", "-at_install")
class TestOverdue(OverdueCase):
    # === WHEN === #

    def test_on_the_day_of_the_policy_and_not_before(self):
        """D6: due on 1 July, 10 days: not on 10 July, but on 11 July."""
        self.run_cron(DAY_9)
        self.assert_goes_on()
        self.run_cron(DAY_10)
        self.assert_cancelled()
        self.assertRecordValues(
            self.subscription.cancellation_ids,
            [
                {
                    "state": "done",
                    "channel": "system",
                    "reason_id": self.env.ref(
                        "subscription_cancellation.close_reason_not_paid"
                    ).id,
                    "policy_id": self.policy.id,
                    "comment": f"Invoice {self.invoice.name}, due on July 1, 2026, is "
                    "not paid.",
                }
            ],
        )

    def test_today_is_the_customers(self):
        """D6: 11 July begins in Tokyo at 15:00 of 10 July in UTC."""
        customer = self.create_customer(tz="Asia/Tokyo")
        self.travel_to("2026-07-01")
        tokyo = self.create_unpaid(partner_id=customer.id)
        self.run_cron("2026-07-10 14:59:00")
        self.assert_goes_on(tokyo)
        self.run_cron("2026-07-10 15:00:00")
        self.assert_cancelled(tokyo)
        self.assert_goes_on()

    def test_the_due_date_of_the_payment_terms_counts(self):
        """D6: 30 days net are due on 31 July, so it is 10 August."""
        self.travel_to("2026-07-01")
        customer = self.create_customer(
            property_payment_term_id=self.env.ref(
                "account.account_payment_term_30days"
            ).id
        )
        subscription = self.create_subscription(
            [31.0],
            partner_id=customer.id,
        )
        invoice = self.bill(subscription, "2026-07-01")
        self.assertEqual(invoice.invoice_date_due, Date.to_date("2026-07-31"))
        self.run_cron("2026-08-09")
        self.assert_goes_on(subscription)
        self.run_cron("2026-08-10")
        self.assert_cancelled(subscription)

    def test_never_without_days(self):
        """D6: 0 days, the default."""
        self.policy.cancel_overdue_days = 0
        self.run_cron("2027-07-01")
        self.assert_goes_on()
        default = self.env["subscription.cancellation.policy"].new()
        self.assertEqual(default.cancel_overdue_days, 0)
        self.assertEqual(default.overdue_warning_days, 0)

    def test_the_scheduled_action_runs_every_day(self):
        """D6: the days of the policy are days."""
        cron = self.env.ref(CRON)
        interval = (cron.interval_number, cron.interval_type)
        self.assertEqual(interval, (1, "days"))

    # === WHAT IS UNPAID === #

    def test_a_part_that_is_not_paid_is_enough(self):
        """D6: $30 of $31."""
        self.pay(self.invoice, 30.0)
        self.run_cron(DAY_10)
        self.assert_cancelled()

    def test_what_is_paid_goes_on(self):
        """D6: also on the last day."""
        self.travel_to(DAY_10)
        self.pay(self.invoice)
        self.run_cron(DAY_10)
        self.assert_goes_on()

    def test_what_is_credited_goes_on(self):
        """D6: nothing is due any more."""
        self.invoice._reverse_moves(cancel=True)
        self.run_cron(DAY_10)
        self.assert_goes_on()

    def test_drafts_are_not_overdue(self):
        """D6: nobody was asked to pay."""
        self.invoice.button_draft()
        self.run_cron(DAY_10)
        self.assert_goes_on()

    def test_what_is_in_payment_goes_on(self):
        """D6: the bank has it, whatever edition calls it."""
        self.travel_to("2026-07-05")
        AccountMove = self.registry["account.move"]
        with patch.object(
            AccountMove, "_get_invoice_in_payment_state", lambda move: "in_payment"
        ):
            self.pay(self.invoice)
            self.env.flush_all()
        self.assertEqual(self.invoice.payment_state, "in_payment")
        self.run_cron(DAY_10)
        self.assert_goes_on()

    def test_a_transaction_on_its_way_is_waited_for(self):
        """D6: pending or authorized; one that failed is none."""
        transaction = self.create_transaction("pending")
        self.run_cron(DAY_10)
        self.assert_goes_on()
        provider_type = self.registry["payment.provider"]
        with patch.object(provider_type, "support_manual_capture", "full_only"):
            transaction.state = "authorized"
        self.run_cron(DAY_10)
        self.assert_goes_on()
        transaction.state = "error"
        self.run_cron(DAY_10)
        self.assert_cancelled()

    def test_what_is_disputed_goes_on(self):
        """D6: blocked for payment, or left out of follow-ups."""
        self.invoice.action_toggle_block_payment()
        self.assertEqual(self.invoice.payment_state, "blocked")
        self.run_cron(DAY_10)
        self.assert_goes_on()
        self.invoice.action_toggle_block_payment()
        self.invoice.no_followup = True
        self.run_cron(DAY_10)
        self.assert_goes_on()
        self.invoice.no_followup = False
        self.run_cron(DAY_10)
        self.assert_cancelled()

    def test_of_two_invoices_the_unpaid_one_counts(self):
        """D6: July is paid, August (due on 1 August) is not."""
        self.pay(self.invoice)
        self.bill(self.subscription, "2026-08-01")
        self.run_cron("2026-08-10")
        self.assert_goes_on()
        self.run_cron("2026-08-11")
        self.assert_cancelled()

    def test_two_unpaid_invoices_cancel_once(self):
        """D6: one cancellation; its credit reduces both."""
        self.bill(self.subscription, "2026-08-01")
        self.run_cron("2026-08-15")
        self.assert_cancelled()

    def test_an_invoice_of_somebody_else_does_not_matter(self):
        """D6: only the subscription's own."""
        self.pay(self.invoice)
        self.init_invoice(
            "out_invoice",
            partner=self.subscription.partner_id,
            invoice_date="2026-07-01",
            amounts=[50.0],
            post=True,
        )
        self.run_cron(DAY_10)
        self.assert_goes_on()

    def test_dunning_comes_first(self):
        """D6: a hook for addons that remind customers."""
        asked = []

        def is_dunning_over(subscription, invoices):
            asked.append((subscription, invoices))
            return False

        with patch.object(
            self.registry["sale.subscription"], "_is_dunning_over", is_dunning_over
        ):
            self.run_cron(DAY_10)
        self.assertEqual(
            [(subscription.id, invoices.ids) for subscription, invoices in asked],
            [(self.subscription.id, self.invoice.ids)],
        )
        self.assert_goes_on()
        self.run_cron(DAY_10)
        self.assert_cancelled()

    # === ONCE === #

    def test_two_runs_cancel_once(self):
        """D6: the second finds nothing."""
        self.run_cron(DAY_10)
        memos = self.credit_memos(self.subscription)
        self.run_cron()
        self.run_cron("2026-07-12")
        self.assert_cancelled()
        self.assertEqual(self.credit_memos(self.subscription), memos)

    def test_what_is_scheduled_is_left_alone(self):
        """D6: the customer has cancelled already."""
        self.cancel(self.subscription, "2026-07-05", timing="end_of_period")
        self.run_cron(DAY_10)
        self.assertEqual(self.subscription.cancellation_ids.mapped("channel"), ["api"])
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")

    def test_what_waits_for_approval_is_left_alone(self):
        """D6: one request, however many nights; refused, it is not made again."""
        self.policy.approval_always = True
        self.run_cron(DAY_10)
        self.run_cron("2026-07-12")
        request = self.subscription.cancellation_ids
        self.assertEqual(request.mapped("state"), ["to_approve"])
        request._refuse("Paid in cash, to be booked")
        self.run_cron("2026-07-13")
        self.assertEqual(self.subscription.cancellation_ids, request)

    def test_what_somebody_revoked_stays_so_for_that_invoice(self):
        """D6, B12: whoever revoked it decides; the next unpaid invoice counts again."""
        self.policy.timing = "end_of_period"
        self.run_cron(DAY_10)
        self.subscription.revoke_cancellation()
        self.run_cron("2026-07-12")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.bill(self.subscription, "2026-08-01")
        self.run_cron("2026-08-10")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_cron("2026-08-11")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.assertEqual(len(self.subscription.cancellation_ids), 2)

    def test_what_another_worker_holds_is_left_to_it(self):
        """D6: not waited for, not done twice."""
        held = patch.object(
            self.registry["sale.subscription"],
            "try_lock_for_update",
            lambda subscriptions, **_options: subscriptions.browse(),
        )
        with held:
            self.run_cron(DAY_10)
        self.assert_goes_on()

    # === POLICY === #

    def test_the_condition_of_the_policy_decides(self):
        """D6, D1: strict with one customer, patient with the others."""
        patient = self.create_unpaid(partner_id=self.create_customer(name="Patient").id)
        self.policy.subscription_domain = "[('partner_id.name', '=', 'Azure Interior')]"
        self.create_policy(name="Others", sequence=2, cancel_overdue_days=20)
        self.run_cron(DAY_10)
        self.assert_cancelled()
        self.assert_goes_on(patient)
        self.run_cron("2026-07-20")
        self.assert_goes_on(patient)
        self.run_cron("2026-07-21")
        self.assert_cancelled(patient)

    def test_a_forced_policy_decides(self):
        """D6, D1: the subscription's own comes first."""
        key = self.create_policy(name="Key", sequence=5, cancel_overdue_days=20)
        self.subscription.cancellation_policy_id = key
        self.run_cron("2026-07-20")
        self.assert_goes_on()
        self.run_cron("2026-07-21")
        self.assert_cancelled()

    def test_only_the_policy_for_systems_matters(self):
        """D6: days on a policy for another channel, where they are hidden, do not."""
        self.policy.channel = "backend"
        self.run_cron(DAY_10)
        self.assert_goes_on()
        self.policy.channel = "any"
        self.run_cron(DAY_10)
        self.assert_cancelled()

    def test_it_ends_and_credits_as_its_own_policy_says(self):
        """D6, D1: staff end at once and credit; systems at the end of July, nothing."""
        self.policy.write({"timing": "end_of_period", "refund_mode": "none"})
        by_staff = self.create_unpaid()
        self.travel_to(DAY_10)
        by_staff._request_cancellation({}, "backend")
        self.assertEqual(by_staff.cancellation_state, "cancelled")
        self.assertEqual(self.credit_memos(by_staff).mapped("amount_total"), [20.0])
        self.run_cron()
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.assertEqual(
            self.subscription.cancellation_date, Date.to_date("2026-08-01")
        )
        self.run_cron("2026-08-01", EXECUTE)
        self.assert_cancelled()
        self.assertFalse(self.credit_memos(self.subscription))

    def test_the_credit_reduces_what_is_unpaid(self):
        """D6, C5: 20 unused days; $11 stay due."""
        self.run_cron(DAY_10)
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 20.0)
        self.assertEqual(self.invoice.amount_residual, 11.0)

    def test_each_company_has_its_own_days(self):
        """D6: another company waits for 20 days."""
        data = self.setup_other_company(currency_id=self.currency.id)
        other = data["company"]
        self.env.user.company_ids |= other
        self.create_policy(company_id=other.id, cancel_overdue_days=20)
        journal = data["default_journal_sale"]
        self.travel_to("2026-07-01")
        product = self.create_product(property_account_income_id=False)
        product.with_company(other).property_account_income_id = data[
            "default_account_revenue"
        ]
        foreign = self.create_subscription(
            [{"product_id": product.id}], company_id=other.id, journal_id=journal.id
        )
        invoice = self.bill(foreign.with_company(other), "2026-07-01")
        self.assertEqual((invoice.company_id, invoice.state), (other, "posted"))
        self.run_cron("2026-07-20")
        self.assert_cancelled()
        self.assert_goes_on(foreign)
        self.run_cron("2026-07-21")
        self.assert_cancelled(foreign)
        self.assertEqual(self.credit_memos(foreign).company_id, other)

    def test_days_that_make_no_sense_are_refused(self):
        """D6: negative, or a warning longer before than there is time."""
        for values in (
            {"cancel_overdue_days": -1},
            {"overdue_warning_days": -1},
            {"overdue_warning_days": 11},
            {"cancel_overdue_days": 0, "overdue_warning_days": 1},
            {"cancel_overdue_days": 10**6},
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(ValidationError, "“Not paid”.*enter numbers"),
            ):
                self.create_policy(**values)
        self.policy.overdue_warning_days = 10

    def test_the_form_offers_it_where_it_applies(self):
        """D6: for any channel and for systems."""
        form = Form(self.env["subscription.cancellation.policy"])
        form.name = "New"
        form.cancel_overdue_days = 30
        form.overdue_warning_days = 7
        policy = form.save()
        self.assertEqual(policy.overdue_warning_days, 7)
        form.channel = "portal"
        with self.assertRaisesRegex(AssertionError, "invisible"):
            form.cancel_overdue_days = 10

    # === FAILURES === #

    def break_one(self):
        """Return a subscription whose invoice cannot be credited."""
        self.travel_to("2026-07-01")
        responsible = self.create_user(CANCELLATION_USER)
        broken = self.create_unpaid(user_id=responsible.id)
        line = broken._get_invoices().invoice_line_ids
        line.account_id = line.account_id.copy({"code": "499999"})
        line.account_id.active = False
        self.travel_to("2026-07-01")
        after = self.create_unpaid()
        return broken, after

    def get_activities(self, subscription):
        return subscription.with_context(active_test=False).activity_ids

    @mute_logger(OVERDUE_LOGGER)
    def test_a_broken_neighbour_fails_alone_and_is_told_once(self):
        """D6: the others are cancelled; the responsible gets one activity."""
        broken, after = self.break_one()
        self.run_cron(DAY_10)
        self.assert_cancelled()
        self.assert_cancelled(after)
        self.assert_goes_on(broken)
        activity = self.get_activities(broken)
        self.assertEqual(activity.user_id, broken.user_id)
        self.assertIn("is archived", activity.note)
        for day in ("2026-07-12", "2026-07-13"):
            self.run_cron(day)
        self.assertEqual(self.get_activities(broken), activity)
        activity.action_feedback()
        self.run_cron("2026-07-14")
        self.assertFalse(broken.activity_ids)

    @mute_logger(OVERDUE_LOGGER)
    def test_what_is_mended_is_cancelled_in_the_next_run(self):
        """D6: and its activity is done with."""
        broken, _after = self.break_one()
        self.run_cron(DAY_10)
        broken._get_invoices().invoice_line_ids.account_id.active = True
        self.run_cron("2026-07-12")
        self.assert_cancelled(broken)
        self.assertFalse(broken.activity_ids)

    @mute_logger(OVERDUE_LOGGER)
    def test_another_invoice_that_fails_is_told_again(self):
        """D6: once per problem, not once for ever."""
        broken, _after = self.break_one()
        self.run_cron(DAY_10)
        self.pay(broken._get_invoices())
        self.bill(broken, "2026-08-01")
        for line in broken._get_invoices().invoice_line_ids:
            line.account_id.active = False
        self.run_cron("2026-08-11")
        self.run_cron("2026-08-12")
        self.assertEqual(len(self.get_activities(broken)), 2)

    @mute_logger(OVERDUE_LOGGER)
    def test_an_unexpected_error_is_told_too(self):
        """D6: with a hint at the server log; without a responsible, to a manager."""
        manager = self.create_user(
            "subscription_cancellation.subscription_cancellation_group_manager"
        )
        self.policy.approver_ids = manager
        self.subscription.user_id = False
        with patch.object(
            self.registry["sale.subscription"],
            "_cancel_unpaid",
            side_effect=KeyError("oops"),
        ):
            self.run_cron(DAY_10)
        activity = self.get_activities(self.subscription)
        self.assertIn("Unexpected error: 'oops'", activity.note)
        self.assertEqual(activity.user_id, manager)

    @mute_logger(OVERDUE_LOGGER)
    def test_what_is_locked_is_left_to_the_next_run(self):
        """D6: no failure that anybody has to look at."""
        with patch.object(
            self.registry["sale.subscription"],
            "_cancel_unpaid",
            side_effect=LockError("Somebody holds it"),
        ):
            self.run_cron(DAY_10)
        self.assertFalse(self.get_activities(self.subscription))
        self.run_cron(DAY_10)
        self.assert_cancelled()

    def test_a_required_reason_is_given(self):
        """D6, D3: also where the reason wants a comment."""
        self.policy.reason_required = True
        reason = self.env.ref("subscription_cancellation.close_reason_not_paid")
        reason.comment_required = True
        self.run_cron(DAY_10)
        self.assert_cancelled()

    # === SCALE === #

    def test_it_costs_the_same_to_find_one_and_twenty(self):
        """D6: set-based."""
        # The first time Odoo fills caches of its own.
        self.count_queries(0)
        one = self.count_queries(0)
        self.assertEqual(self.count_queries(20), one)

    def count_queries(self, more):
        """Return the queries to find what is overdue, ``more`` than before."""
        customers = [self.create_customer(name=f"C{number}") for number in range(more)]
        for customer in customers:
            self.create_unpaid(partner_id=customer.id)
        self.travel_to(DAY_10)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        found = self.env["sale.subscription"].sudo()._search_overdue()
        self.assertEqual(len(found), 1 + more)
        return self.env.cr.sql_log_count - before

    def test_batches_are_all_worked_off(self):
        """D6: whatever their size."""
        subscriptions = self.subscription
        for _number in range(2):
            self.travel_to("2026-07-01")
            subscriptions |= self.create_unpaid()
        self.travel_to(DAY_10)
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            model = self.env(cr=cr)["sale.subscription"].sudo()
            model._cron_cancel_overdue(batch_size=1)
        self.env.invalidate_all()
        for subscription in subscriptions:
            self.assert_cancelled(subscription)

    # === THE OTHER SYSTEMS === #

    def test_other_systems_cancel_through_the_api(self):
        """D6: with each of their codes."""
        for code in SYSTEM_CODES:
            with self.subTest(code=code):
                self.travel_to("2026-07-01")
                subscription = self.create_unpaid()
                self.travel_to(DAY_9)
                result = subscription.request_cancellation(reason_code=code)
                self.assertEqual(result["state"], "done")
                cancellation = subscription.cancellation_ids
                self.assertEqual(cancellation.channel, "api")
                self.assertEqual(cancellation.reason_id.code, code)
                self.assertEqual(subscription.close_reason_id, cancellation.reason_id)

    def test_an_unknown_code_is_refused(self):
        """D6: with the codes there are."""
        with self.assertRaisesRegex(UserError, "Known codes: .*not_paid"):
            self.subscription.request_cancellation(reason_code="bankrupt")


@tagged("post_install", "-at_install")
class TestOverdueWarning(OverdueCase):
    """D6: warned 3 days before 11 July, on 8 July."""

    def setUp(self):
        super().setUp()
        self.policy.overdue_warning_days = 3
        self.invoice.partner_id.email = "azure@example.com"

    def test_so_many_days_before_and_once(self):
        """D6: 3 days before 11 July is 8 July; no second mail."""
        self.run_cron("2026-07-07")
        self.assertFalse(self.get_warnings())
        self.run_cron("2026-07-08")
        warning = self.get_warnings()
        self.assertEqual(len(warning), 1)
        self.assertEqual(
            self.invoice.cancellation_warning_date, Date.to_date("2026-07-08")
        )
        self.run_cron("2026-07-09")
        self.run_cron("2026-07-10")
        self.assertEqual(self.get_warnings(), warning)
        self.assert_goes_on()
        self.run_cron(DAY_10)
        self.assert_cancelled()
        self.assertEqual(self.get_warnings(), warning)

    def test_it_says_what_is_to_be_paid_and_what_happens_else(self):
        """D6: invoice, amount, due date, subscription, day; to the customer."""
        self.pay(self.invoice, 11.0)
        self.run_cron("2026-07-08")
        warning = self.get_warnings()
        self.assertEqual(warning.state, "outgoing")
        self.assertEqual(warning.recipient_ids, self.invoice.partner_id)
        self.assertIn(self.invoice.name, warning.subject)
        for text in (
            self.invoice.name,
            "20.00",
            "July 1, 2026",
            self.subscription.display_name,
            "July 11, 2026",
        ):
            self.assertIn(text, warning.body_html)

    def test_it_is_in_the_customers_language(self):
        """D6: dates and, where it is translated, the text."""
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref(TEMPLATE)
        template.with_context(lang="fr_FR").subject = "Payez {{ object.name }}"
        self.invoice.partner_id.lang = "fr_FR"
        self.run_cron("2026-07-08")
        warning = self.get_warnings()
        self.assertEqual(warning.subject, f"Payez {self.invoice.name}")
        self.assertIn("11 juillet 2026", warning.body_html)

    def test_a_missed_day_is_made_up_for(self):
        """D6: the scheduled action did not run on 8 July."""
        self.run_cron("2026-07-10")
        self.assertIn("July 11, 2026", self.get_warnings().body_html)

    def test_without_warning_days_there_is_no_mail(self):
        """D6: optional."""
        self.policy.overdue_warning_days = 0
        for day in ("2026-07-08", "2026-07-10", DAY_10):
            self.run_cron(day)
        self.assertFalse(self.get_warnings())
        self.assert_cancelled()

    def test_without_an_address_nothing_is_sent_and_nothing_breaks(self):
        """D6: it is cancelled all the same."""
        for email in (False, "by phone"):
            self.invoice.partner_id.email = email
            self.run_cron("2026-07-08")
            self.assertFalse(self.get_warnings())
            self.assertFalse(self.invoice.cancellation_warning_date)
        self.run_cron(DAY_10)
        self.assert_cancelled()

    def test_what_is_paid_is_not_warned_about(self):
        """D6: nor what is on its way."""
        self.create_transaction("pending")
        self.run_cron("2026-07-08")
        self.assertFalse(self.get_warnings())

    def test_each_invoice_is_warned_about(self):
        """D6: July is paid after the warning; August has a warning of its own."""
        self.run_cron("2026-07-08")
        self.pay(self.invoice)
        august = self.bill(self.subscription, "2026-08-01")
        self.run_cron("2026-08-07")
        self.assertFalse(self.get_warnings(august))
        self.run_cron("2026-08-08")
        self.assertEqual(len(self.get_warnings(august)), 1)
        self.assertEqual(len(self.get_warnings()), 1)

    def test_an_instalment_that_is_not_due_is_not_asked_for(self):
        """D6: 30 % at once, the rest in 60 days: $9.30 are to be paid."""
        self.travel_to("2026-07-01")
        term = self.env["account.payment.term"].create(
            {
                "name": "30 % now",
                "line_ids": [
                    Command.create({"value_amount": 30, "nb_days": 0}),
                    Command.create({"value_amount": 70, "nb_days": 60}),
                ],
            }
        )
        customer = self.create_customer_with_mail()
        subscription = self.create_subscription([31.0], partner_id=customer.id)
        invoice = self.bill(subscription, "2026-07-01", post=False)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        self.run_cron("2026-07-08")
        body = self.get_warnings(invoice).body_html
        self.assertIn("9.30", body)
        self.assertIn("July 1, 2026", body)

    def test_a_copy_of_the_invoice_was_not_warned_about(self):
        """D6: remembered on the invoice, and only there."""
        self.run_cron("2026-07-08")
        self.assertFalse(self.invoice.copy().cancellation_warning_date)

    @mute_logger(OVERDUE_LOGGER)
    def test_a_broken_mail_does_not_stop_the_others(self):
        """D6: it is told once; the cancellation takes place all the same."""
        self.travel_to("2026-07-01")
        customer = self.create_customer_with_mail(name="Deco Addict")
        other = self.create_unpaid(partner_id=customer.id)
        AccountMove = self.registry["account.move"]
        send = AccountMove._send_cancellation_warning

        def send_or_break(invoice, today):
            send(invoice, today)
            if invoice.id == self.invoice.id:
                raise UserError("Failed to render")

        with patch.object(AccountMove, "_send_cancellation_warning", send_or_break):
            self.run_cron("2026-07-08")
            self.run_cron("2026-07-09")
        self.assertEqual(len(self.get_warnings(other._get_invoices())), 1)
        self.assertFalse(self.get_warnings())
        self.assertIn("Failed to render", self.subscription.activity_ids.note)
        self.run_cron(DAY_10)
        self.assert_cancelled()


@tagged("post_install", "-at_install")
class TestOverdueAtOnce(BaseCase):
    """D6: two workers at once, with transactions that really commit.

    What this creates stays in the test database: cancelled, with an archived policy.
    """

    committed = test_concurrency.TestConcurrency.committed
    at_once = test_concurrency.TestConcurrency.at_once
    create_billed = test_concurrency.TestConcurrency.create_billed
    _create_billed = test_concurrency.TestConcurrency._create_billed

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())

    def create_overdue(self, number):
        """Return the ids of subscriptions that are to be cancelled now."""
        ids = self.create_billed(number)

        def force_policy(env):
            policy = env["subscription.cancellation.policy"].create(
                {"name": "Not paid", "active": False, "cancel_overdue_days": 1}
            )
            subscriptions = env["sale.subscription"].browse(ids)
            subscriptions.cancellation_policy_id = policy
            env.flush_all()
            # Time cannot pass here, so the due date is brought forward instead.
            env.cr.execute(
                "UPDATE account_move_line SET date_maturity = date_maturity - 9"
                " WHERE move_id = ANY(%s)",
                [subscriptions.invoice_ids.ids],
            )

        self.committed(force_policy)
        return ids

    def test_two_workers_cancel_each_once(self):
        """D6: whoever is first; the other one finds nothing left to do."""
        ids = self.create_overdue(4)

        def work(env):
            env["sale.subscription"]._cron_cancel_overdue(batch_size=2)

        self.at_once(work, work)
        self.committed(work)

        def check(env):
            subscriptions = env["sale.subscription"].browse(ids)
            states = subscriptions.mapped("cancellation_state")
            self.assertEqual(states, ["cancelled"] * 4)
            self.assertEqual(len(subscriptions.cancellation_ids), 4)
            self.assertFalse(subscriptions.activity_ids)

        self.committed(check)
