# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""B9: free days at the start, nothing billed for them, and how to leave in time.

Unless told otherwise a trial of 14 days starts on 1 July 2026: it lasts until 14 July,
the first paid month is 15 July to 14 August.
"""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Date
from odoo.tests import Form, tagged

from .common import CANCELLATION_USER, SALESPERSON
from .test_billing_guard import ORDERS, OURS, UPSTREAM, GuardCase

END_TRIALS = "subscription_cancellation.ir_cron_end_trials"
#: 14 July is the last day of the trial there, when it is still, or not any more, 14
#: July in UTC.
TOKYO, LOS_ANGELES = "Asia/Tokyo", "America/Los_Angeles"


class TrialCase(GuardCase):
    """Subscriptions that start with free days."""

    def create_trial(self, days=14, template_values=None, **values):
        """Return a running subscription in a trial of ``days`` days."""
        names = ("interval", "invoicing_mode")
        options = {name: values.pop(name) for name in names if name in values}
        template = self.create_template(
            **options, trial_days=days, **(template_values or {})
        )
        return self.create_subscription(template=template, **values)

    def create_draft(self, **values):
        """Return a subscription in a trial of 14 days that has not started."""
        return self.env["sale.subscription"].create(
            {
                "partner_id": self.create_customer().id,
                "pricelist_id": self._create_pricelist().id,
                "template_id": self.create_template(trial_days=14).id,
                "date_start": "2026-07-01",
                "recurring_next_date": "2026-07-01",
                **values,
            }
        )

    def assert_dates(self, subscription, trial_end, first_invoice):
        """Assert the last trial day, ``None`` for no trial, and the next invoice."""
        self.assertEqual(
            (subscription.trial_end_date, subscription.recurring_next_date),
            (Date.to_date(trial_end) or False, Date.to_date(first_invoice)),
        )

    def assert_state(self, subscription, state):
        """Assert the status as it is stored."""
        self.env.flush_all()
        self.assertEqual(
            self.env["sale.subscription"].search_read(
                [("id", "=", subscription.id)], ["cancellation_state"]
            ),
            [{"id": subscription.id, "cancellation_state": state}],
        )

    def get_periods(self, subscription):
        """Return first and last day of what was billed, sorted, as text."""
        lines = subscription._get_invoices().invoice_line_ids
        return sorted((str(line.start_date), str(line.end_date)) for line in lines)


@tagged("post_install", "-at_install")
class TestTrialDates(TrialCase):
    def test_a_trial_of_the_template_ends_so_many_days_after_the_start(self):
        """B9: 1 July is the first of 14 days; the first invoice is for 15 July on."""
        self.assert_dates(self.create_trial(), "2026-07-14", "2026-07-15")

    def test_a_trial_of_one_day_is_the_day_of_the_start(self):
        """B9: design.md §3, start + days − 1."""
        self.assert_dates(self.create_trial(days=1), "2026-07-01", "2026-07-02")

    def test_without_trial_days_billing_begins_on_the_first_day(self):
        """B9: nothing changes for templates without a trial."""
        self.assert_dates(self.create_trial(days=0), None, "2026-07-01")

    def test_a_trial_that_started_long_ago_is_over(self):
        """B9: an import: 14 May 2026 is the last of 14 days; billing is late."""
        subscription = self.create_trial(start="2026-05-01")
        self.assert_dates(subscription, "2026-05-14", "2026-05-15")
        self.assert_state(subscription, "active")

    def test_starting_a_draft_moves_its_trial_along(self):
        """B9: upstream starts today, on 5 July: 5 to 18 July are free."""
        draft = self.create_draft()
        self.assert_dates(draft, "2026-07-14", "2026-07-15")
        self.travel_to("2026-07-05")
        draft.action_start_subscription()
        self.assert_dates(draft, "2026-07-18", "2026-07-19")

    def test_a_new_start_moves_a_trial_forward_and_back(self):
        """B9: with the first invoice, while nothing is billed."""
        draft = self.create_draft()
        draft.date_start = "2026-08-01"
        self.assert_dates(draft, "2026-08-14", "2026-08-15")
        draft.date_start = "2026-06-01"
        self.assert_dates(draft, "2026-06-14", "2026-06-15")

    def test_a_trial_chosen_by_hand_is_kept_when_the_subscription_starts(self):
        """B9: without a trial on the template; 3 days, started on 5 July."""
        draft = self.create_draft(
            template_id=self.create_template().id, trial_end_date="2026-07-03"
        )
        self.assert_dates(draft, "2026-07-03", "2026-07-04")
        self.travel_to("2026-07-05")
        draft.action_start_subscription()
        self.assert_dates(draft, "2026-07-07", "2026-07-08")

    def test_a_longer_trial_of_the_template_is_for_new_subscriptions(self):
        """B9: also where the start of an existing one is written again."""
        subscription = self.create_trial()
        subscription.template_id.trial_days = 30
        subscription.date_start = "2026-07-02"
        self.assert_dates(subscription, "2026-07-15", "2026-07-16")
        new = self.create_subscription(template=subscription.template_id)
        self.assert_dates(new, "2026-07-30", "2026-07-31")

    def test_another_template_brings_its_own_trial(self):
        """B9: while nothing is billed."""
        subscription = self.create_trial()
        subscription.template_id = self.create_template(trial_days=30)
        self.assert_dates(subscription, "2026-07-30", "2026-07-31")

    def test_another_template_without_trial_bills_from_today(self):
        """B9: on 6 July; the five days that are over stay free."""
        subscription = self.create_trial()
        self.travel_to("2026-07-06")
        subscription.template_id = self.create_template()
        self.assert_dates(subscription, "2026-07-05", "2026-07-06")
        self.assert_state(subscription, "active")

    def test_another_template_after_the_trial_leaves_it_as_it_was(self):
        """B9: on 20 July; billing is late, and 15 to 19 July are still paid."""
        subscription = self.create_trial()
        self.travel_to("2026-07-20")
        subscription.template_id = self.create_template()
        self.assert_dates(subscription, "2026-07-14", "2026-07-15")

    def test_another_template_of_a_draft_without_trial_takes_it_away(self):
        """B9: no day was served yet."""
        draft = self.create_draft()
        draft.template_id = self.create_template()
        self.assert_dates(draft, None, "2026-07-01")

    def test_an_invoiced_subscription_gets_no_trial_by_another_template(self):
        """B9: its days are billed."""
        subscription = self.create_subscription()
        self.bill(subscription)
        subscription.template_id = self.create_template(trial_days=60)
        self.assert_dates(subscription, None, "2026-08-01")
        self.assertFalse(subscription.trial_days)

    def test_an_invoiced_subscription_keeps_its_trial(self):
        """B9: another template or start does not rewrite the past."""
        subscription = self.create_trial()
        self.bill(subscription)
        subscription.template_id = self.create_template(trial_days=30)
        subscription.date_start = "2026-07-10"
        self.assert_dates(subscription, "2026-07-14", "2026-08-15")
        self.assertEqual(subscription.trial_days, 14)

    def test_a_cancelled_subscription_keeps_its_trial(self):
        """B9: as it was when it ended."""
        subscription = self.create_trial()
        self.cancel(subscription, "2026-07-05")
        subscription.template_id = self.create_template(trial_days=30)
        self.assertEqual(str(subscription.trial_end_date), "2026-07-14")

    def test_extending_a_running_trial_moves_the_first_invoice(self):
        """B9: one more week."""
        subscription = self.create_trial()
        self.travel_to("2026-07-10")
        subscription.trial_end_date = "2026-07-21"
        self.assert_dates(subscription, "2026-07-21", "2026-07-22")
        self.assertFalse(self.bill(subscription, "2026-07-15"))
        self.bill(subscription, "2026-07-22")
        self.assertEqual(self.get_periods(subscription), [("2026-07-22", "2026-08-21")])

    def test_shortening_a_running_trial_moves_the_first_invoice(self):
        """B9: today is its last day."""
        subscription = self.create_trial()
        self.travel_to("2026-07-10")
        subscription.trial_end_date = "2026-07-10"
        self.assert_dates(subscription, "2026-07-10", "2026-07-11")

    def test_without_a_trial_end_there_is_no_trial(self):
        """B9: billed from the start."""
        subscription = self.create_trial()
        self.assert_state(subscription, "trial")
        subscription.trial_end_date = False
        self.assert_dates(subscription, None, "2026-07-01")
        self.assert_state(subscription, "active")

    def test_a_trial_is_tracked(self):
        """B9, D4: who extended it can be read on the subscription."""
        field = self.env["sale.subscription"]._fields["trial_end_date"]
        self.assertTrue(field.tracking)

    def test_a_later_first_invoice_chosen_by_hand_is_kept(self):
        """B9: an earlier one would be for trial days."""
        subscription = self.create_trial()
        subscription.recurring_next_date = "2026-08-15"
        self.assert_dates(subscription, "2026-07-14", "2026-08-15")
        subscription.trial_end_date = "2026-07-20"
        self.assert_dates(subscription, "2026-07-20", "2026-08-15")
        subscription.recurring_next_date = "2026-07-10"
        self.assert_dates(subscription, "2026-07-20", "2026-07-21")

    def test_a_later_first_invoice_chosen_together_with_the_trial_is_kept(self):
        """B9: one more week of trial, and the first invoice on 1 August."""
        subscription = self.create_trial()
        dates = {"trial_end_date": "2026-07-21", "recurring_next_date": "2026-08-01"}
        subscription.write(dates)
        self.assert_dates(subscription, "2026-07-21", "2026-08-01")

    def test_several_subscriptions_are_written_at_once(self):
        """B9: each follows its own trial."""
        both = self.create_trial() | self.create_trial(days=30)
        both.write({"date_start": "2026-07-02", "recurring_next_date": "2026-07-02"})
        self.assert_dates(both[0], "2026-07-15", "2026-07-16")
        self.assert_dates(both[1], "2026-07-31", "2026-08-01")

    def test_a_fixed_term_begins_after_the_trial(self):
        """B9, B3: two paid months: 15 July to 14 September."""
        limited = {"recurring_rule_boundary": "limited", "recurring_rule_count": 2}
        subscription = self.create_trial(template_values=limited)
        self.assertEqual(str(subscription.date), "2026-09-15")
        subscription.trial_end_date = "2026-07-31"
        self.assertEqual(str(subscription.date), "2026-10-01")
        for day in ("2026-08-01", "2026-09-01", "2026-10-01"):
            self.run_crons(UPSTREAM, day=day)
        self.assertEqual(
            self.get_periods(subscription),
            [("2026-08-01", "2026-08-31"), ("2026-09-01", "2026-09-30")],
        )
        self.assert_state(subscription, "cancelled")

    def test_a_copy_has_the_trial_of_the_template(self):
        """B9: not the one that somebody extended."""
        subscription = self.create_trial()
        subscription.trial_end_date = "2026-07-31"
        self.assertEqual(str(subscription.copy().trial_end_date), "2026-07-14")

    def test_the_form_shows_trial_and_first_invoice_before_it_is_saved(self):
        """B9: a salesperson types template and start."""
        seller = self.create_user(SALESPERSON)
        form = Form(self.env["sale.subscription"].with_user(seller))
        form.partner_id = self.create_customer()
        form.pricelist_id = self._create_pricelist()
        form.template_id = self.create_template(trial_days=14)
        form.date_start = Date.to_date("2026-07-06")
        self.assertEqual(form.trial_end_date, Date.to_date("2026-07-19"))
        self.assertEqual(form.recurring_next_date, Date.to_date("2026-07-20"))
        form.trial_end_date = "2026-07-12"
        self.assert_dates(form.save(), "2026-07-12", "2026-07-13")

    def test_the_form_of_a_draft_shows_the_first_invoice_of_another_start(self):
        """B9: before it is saved."""
        form = Form(self.create_draft())
        form.date_start = Date.to_date("2026-08-01")
        self.assertEqual(form.recurring_next_date, Date.to_date("2026-08-15"))

    def test_the_form_of_an_invoiced_subscription_keeps_its_trial(self):
        """B9: whatever is typed into it."""
        subscription = self.create_trial()
        self.bill(subscription)
        form = Form(subscription)
        form.template_id = self.create_template(trial_days=30)
        self.assertEqual(str(form.trial_end_date), "2026-07-14")
        self.assertEqual(str(form.save().trial_end_date), "2026-07-14")

    def test_another_template_in_the_form_takes_the_trial_away(self):
        """B9: before anything is saved, too."""
        form = Form(self.env["sale.subscription"])
        form.date_start = "2026-07-06"
        form.template_id = self.create_template(trial_days=14)
        form.template_id = self.create_template()
        self.assertFalse(form.trial_end_date)
        self.assertEqual(form.recurring_next_date, Date.to_date("2026-07-06"))


@tagged("post_install", "-at_install")
class TestTrialRefusals(TrialCase):
    def test_a_trial_that_ends_before_the_start_is_refused(self):
        """B9: the error names the subscription, the rule and the way out."""
        subscription = self.create_trial()
        with self.assertRaisesRegex(
            ValidationError,
            f"{subscription.name} cannot end on June 30, 2026, .* July 1, 2026 or a "
            "later day, or leave the trial end empty",
        ):
            subscription.trial_end_date = "2026-06-30"

    def test_a_trial_that_ends_before_a_start_written_with_it_is_refused(self):
        """B9: however the two dates come in."""
        dates = {"date_start": "2026-08-01", "trial_end_date": "2026-07-31"}
        with self.assertRaisesRegex(ValidationError, "before the subscription starts"):
            self.create_trial().write(dates)
        with self.assertRaisesRegex(ValidationError, "before the subscription starts"):
            self.create_draft(recurring_next_date="2026-08-01", **dates)

    def test_a_trial_may_end_on_the_first_day(self):
        """B9: the limit itself is allowed."""
        subscription = self.create_trial()
        subscription.trial_end_date = "2026-07-01"
        self.assert_dates(subscription, "2026-07-01", "2026-07-02")

    def test_a_trial_beyond_the_calendar_is_refused(self):
        """B9: a typing error, not a crash; 27 June 2036 is the 3650th day."""
        subscription = self.create_trial()
        subscription.trial_end_date = "2036-06-27"
        self.assertEqual(subscription.trial_days, 3650)
        for day in ("2036-06-28", "9999-12-31"):
            with self.assertRaisesRegex(ValidationError, "3650 days at most"):
                subscription.trial_end_date = day

    def test_a_trial_over_billed_days_is_refused(self):
        """B9: 15 July on is billed in advance; the days before may still change."""
        subscription = self.create_trial()
        subscription.manual_invoice()
        invoice = subscription.invoice_ids
        invoice.action_post()
        with self.assertRaisesRegex(
            ValidationError, f"July 15, 2026 on are already invoiced .{invoice.name}."
        ):
            subscription.trial_end_date = "2026-07-15"
        subscription.trial_end_date = "2026-07-10"
        self.assert_dates(subscription, "2026-07-10", "2026-08-15")

    def test_a_trial_over_days_that_somebody_else_billed_is_refused(self):
        """B9: also for a salesperson who may not see that invoice."""
        subscription = self.create_trial()
        subscription.manual_invoice()
        subscription.invoice_ids.action_post()
        seller = self.create_user(SALESPERSON)
        invoices = self.env["account.move"].with_user(seller)
        self.assertFalse(invoices.search([("id", "in", subscription.invoice_ids.ids)]))
        with self.assertRaisesRegex(ValidationError, "already invoiced"):
            subscription.with_user(seller).trial_end_date = "2026-07-15"

    def test_a_trial_over_billed_days_is_possible_once_they_are_credited(self):
        """B9: the way out that the error names."""
        subscription = self.create_trial()
        subscription.manual_invoice()
        subscription.invoice_ids.action_post()
        subscription.invoice_ids._reverse_moves(cancel=True)
        subscription.trial_end_date = "2026-07-31"
        self.assertEqual(str(subscription.trial_end_date), "2026-07-31")

    def test_a_trial_over_the_days_of_a_cancelled_invoice_is_possible(self):
        """B9: nobody is billed for them."""
        subscription = self.create_trial()
        subscription.manual_invoice()
        subscription.invoice_ids.button_cancel()
        subscription.trial_end_date = "2026-07-31"
        self.assertEqual(str(subscription.trial_end_date), "2026-07-31")

    def test_a_start_moved_behind_a_trial_that_is_over_is_no_error(self):
        """B9: upstream moves the start whenever it writes the running stage."""
        subscription = self.create_trial()
        self.bill(subscription)
        subscription.date_start = "2026-07-20"
        self.env.flush_all()
        self.assertEqual(str(subscription.trial_end_date), "2026-07-14")

    def test_a_template_takes_no_negative_and_no_endless_trial(self):
        """B9: the error names the template and the limits."""
        template = self.create_template(name="Monthly")
        for days in (-1, 3651):
            with self.assertRaisesRegex(
                ValidationError, f"“Monthly” cannot last {days} days.* 0, .*to 3650"
            ):
                template.trial_days = days
        template.trial_days = 3650
        self.assertEqual(template.trial_days, 3650)


@tagged("post_install", "-at_install")
class TestTrialBilling(TrialCase):
    def test_nothing_is_billed_in_the_trial(self):
        """B9: whatever day it is, and whoever calls it; the date does not move."""
        subscription = self.create_trial()
        for day in ("2026-07-01", "2026-07-10", "2026-07-14"):
            self.assertFalse(self.bill(subscription, day))
            self.run_crons(UPSTREAM, day=day)
        self.assertFalse(subscription._get_invoices())
        self.assert_dates(subscription, "2026-07-14", "2026-07-15")

    def test_the_first_invoice_is_for_the_days_after_the_trial(self):
        """B9: in every way upstream bills."""
        for mode in ("draft", "invoice", "sale_and_invoice"):
            with self.subTest(mode=mode):
                self.travel_to(self.now)
                subscription = self.create_trial(invoicing_mode=mode)
                self.run_crons(UPSTREAM, day="2026-07-15")
                self.assertEqual(
                    self.get_periods(subscription), [("2026-07-15", "2026-08-14")]
                )
                self.assert_state(subscription, "active")

    def test_upstream_starts_a_ready_subscription_into_its_trial(self):
        """B9: its scheduled action starts and bills in one go, but not here."""
        draft = self.create_draft(date_start="2026-07-05")
        self.add_line(draft, 31.0)
        draft.stage_id = self.env.ref("subscription_oca.subscription_stage_ready")
        self.run_crons(UPSTREAM, day="2026-07-05")
        self.assertFalse(draft._get_invoices())
        self.assert_dates(draft, "2026-07-18", "2026-07-19")
        self.assert_state(draft, "trial")

    def test_the_first_paid_month_can_be_billed_by_hand_in_the_trial(self):
        """B9: "Create Invoice" bills in advance; it is not billed again."""
        subscription = self.create_trial()
        self.travel_to("2026-07-05")
        subscription.manual_invoice()
        self.assertEqual(str(subscription.recurring_next_date), "2026-08-15")
        self.run_crons(UPSTREAM, day="2026-07-15")
        self.run_crons(UPSTREAM, day="2026-08-15")
        self.assertEqual(
            self.get_periods(subscription),
            [("2026-07-15", "2026-08-14"), ("2026-08-15", "2026-09-14")],
        )

    def test_billing_by_hand_without_a_next_date_bills_the_first_paid_month(self):
        """B9: upstream then counts from the start."""
        subscription = self.create_trial()
        subscription.recurring_next_date = False
        subscription.manual_invoice()
        self.assertEqual(self.get_periods(subscription), [("2026-07-15", "2026-08-14")])

    def test_the_trial_is_over_with_the_customers_day(self):
        """B9: at 15:00 UTC it is midnight in Tokyo, at 7:00 UTC in Los Angeles."""
        for zone, last, first in (
            (TOKYO, "2026-07-14 14:59:59", "2026-07-14 15:00:00"),
            (LOS_ANGELES, "2026-07-15 06:59:59", "2026-07-15 07:00:00"),
        ):
            with self.subTest(zone=zone):
                self.travel_to(self.now)
                customer = self.create_customer(tz=zone)
                subscription = self.create_trial(partner_id=customer.id)
                self.assertFalse(self.bill(subscription, last))
                self.assertTrue(self.bill(subscription, first))

    def test_billing_tells_the_status_of_today(self):
        """B9: without waiting for the scheduled action that ends trials."""
        subscription = self.create_trial()
        self.assert_state(subscription, "trial")
        self.bill(subscription, "2026-07-15")
        self.assert_state(subscription, "active")


@tagged("post_install", "-at_install")
class TestTrialState(TrialCase):
    def test_a_running_trial_is_visible_and_can_be_searched(self):
        """B9: state ``trial``."""
        subscription = self.create_trial()
        self.assert_state(subscription, "trial")
        self.assertTrue(subscription._is_in_trial())
        found = self.env["sale.subscription"].search(
            [("cancellation_state", "=", "trial")]
        )
        self.assertIn(subscription, found)
        self.assertFalse(subscription.cannot_cancel_reason)

    def test_what_has_not_started_is_not_in_trial(self):
        """B9, B10: a draft shows its trial end, but no service runs."""
        draft = self.create_draft()
        self.assertEqual(str(draft.trial_end_date), "2026-07-14")
        self.assert_state(draft, "active")
        self.assertFalse(draft._is_in_trial())
        draft.action_start_subscription()
        self.assert_state(draft, "trial")

    def test_the_scheduled_action_ends_trials(self):
        """B9: on the day after the last one, not before, and only those."""
        subscription, longer = self.create_trial(), self.create_trial(days=15)
        self.run_crons(END_TRIALS, day="2026-07-14 23:59:59")
        self.assert_state(subscription, "trial")
        self.run_crons(END_TRIALS, day="2026-07-15")
        self.assert_state(subscription, "active")
        self.assert_state(longer, "trial")

    def test_the_scheduled_action_ends_trials_on_the_customers_day(self):
        """B9: in Tokyo when it is 14 July in UTC, in Los Angeles on 15 July."""
        for zone, last, first in (
            (TOKYO, "2026-07-14 14:30:00", "2026-07-14 15:30:00"),
            (LOS_ANGELES, "2026-07-15 06:30:00", "2026-07-15 07:30:00"),
        ):
            with self.subTest(zone=zone):
                self.travel_to(self.now)
                customer = self.create_customer(tz=zone)
                subscription = self.create_trial(partner_id=customer.id)
                self.run_crons(END_TRIALS, day=last)
                self.assert_state(subscription, "trial")
                self.run_crons(END_TRIALS, day=first)
                self.assert_state(subscription, "active")

    def test_the_scheduled_action_runs_every_hour(self):
        """B9: somewhere a day ends every hour."""
        cron = self.env.ref(END_TRIALS)
        interval = (cron.interval_number, cron.interval_type)
        self.assertEqual(interval, (1, "hours"))

    def test_the_scheduled_action_costs_the_same_for_one_and_for_fifty(self):
        """B9: set-based; what it does per subscription is no query."""
        # The first time Odoo fills caches of its own.
        self.count_end_queries(1)
        self.assertEqual(self.count_end_queries(1), self.count_end_queries(50))

    def count_end_queries(self, number):
        """Return the queries it takes to end ``number`` trials."""
        self.travel_to(self.now)
        customer = self.create_customer()
        template = self.create_template(trial_days=14)
        for _number in range(number):
            self.create_subscription(template=template, partner_id=customer.id)
        self.env.flush_all()
        self.env.invalidate_all()
        self.travel_to("2026-07-15")
        before = self.env.cr.sql_log_count
        ended = self.env["sale.subscription"]._search_trials_to_end()
        ended._refresh_trial_state()
        self.env.flush_all()
        self.assertEqual(set(ended.mapped("cancellation_state")), {"active"})
        self.assertGreaterEqual(len(ended), number)
        return self.env.cr.sql_log_count - before

    def test_a_paused_trial_goes_on(self):
        """B9: nothing is billed in either; the days count."""
        subscription = self.create_trial()
        subscription.action_pause()
        self.assert_state(subscription, "trial")
        self.run_crons(END_TRIALS, day="2026-07-15")
        self.assert_state(subscription, "active")


@tagged("post_install", "-at_install")
class TestTrialCancellation(TrialCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_trial()
        self.travel_to("2026-07-05")

    def bill_in_advance(self):
        """Bill 15 July to 14 August by hand, as 31 days of 31.00."""
        self.subscription.manual_invoice()
        self.subscription.invoice_ids.action_post()
        return self.subscription.invoice_ids

    def test_immediately_ends_now_and_credits_nothing(self):
        """B9: nothing was billed, so there is no document."""
        user = self.create_user(SALESPERSON, CANCELLATION_USER)
        result = self.cancel(self.subscription.with_user(user))
        self.assertEqual(result["state"], "done")
        self.assertEqual(result["effective_date"], "2026-07-06")
        self.assertEqual(result["credit_total"], 0.0)
        self.assertFalse(self.credit_memos(self.subscription))
        self.assert_state(self.subscription, "cancelled")

    def test_after_an_immediate_end_nothing_is_billed(self):
        """B9: neither on the day the trial would end, nor later."""
        self.cancel(self.subscription)
        for day in ("2026-07-15", "2026-08-15"):
            self.run_crons(UPSTREAM, END_TRIALS, day=day)
        self.assertEqual(self.get_outcome(self.subscription), ("cancelled", [], []))

    def test_at_the_end_of_the_period_is_at_the_end_of_the_trial(self):
        """B9: 14 July is the last day; it stays in trial until then."""
        result = self.cancel(self.subscription, timing="end_of_period")
        self.assertEqual(result["state"], "scheduled")
        self.assertEqual(result["effective_date"], "2026-07-15")
        self.assertEqual(result["last_service_date"], "2026-07-14")
        self.assert_state(self.subscription, "trial")
        self.assertEqual(str(self.subscription.cancellation_date), "2026-07-15")
        self.assertEqual(str(self.subscription.last_service_date), "2026-07-14")

    def test_at_the_end_of_the_trial_it_ends_and_is_never_billed(self):
        """B9, B7: whichever scheduled action comes first."""

        def create():
            subscription = self.create_trial()
            self.cancel(subscription, timing="end_of_period")
            return subscription

        self.assert_in_both_orders(create, "2026-07-15", ("cancelled", [], []))

    def test_until_its_end_it_stays_in_trial_whatever_runs(self):
        """B9: the day before, nothing is executed and nothing is billed."""
        self.cancel(self.subscription, timing="end_of_period")
        for order in ORDERS:
            self.run_crons(*order, END_TRIALS, day="2026-07-14 23:59:59")
        self.assert_state(self.subscription, "trial")
        self.assertEqual(
            self.subscription.cancellation_ids.mapped("state"), ["scheduled"]
        )

    def test_the_customers_midnight_ends_trial_and_subscription(self):
        """B9: in Tokyo at 15:00 UTC on 14 July."""
        self.subscription.partner_id.tz = TOKYO
        self.cancel(self.subscription, timing="end_of_period")
        self.run_crons(OURS, UPSTREAM, day="2026-07-14 14:59:00")
        self.assert_state(self.subscription, "trial")
        self.run_crons(OURS, UPSTREAM, day="2026-07-14 15:00:00")
        self.assertEqual(self.get_outcome(self.subscription), ("cancelled", [], []))

    def test_revoked_it_is_a_plain_trial_again(self):
        """B9, B12: and is billed after it."""
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.revoke_cancellation()
        self.assert_state(self.subscription, "trial")
        self.assertFalse(self.subscription.cancellation_date)
        self.run_crons(*ORDERS[0], day="2026-07-15")
        self.assertEqual(
            self.get_outcome(self.subscription), ("active", ["2026-07-15"], [])
        )

    def test_a_scheduled_end_is_not_offered_again(self):
        """B9, B11: although the status still says trial."""
        self.cancel(self.subscription, timing="end_of_period")
        self.assertIn("July 14, 2026. Revoke", self.subscription.cannot_cancel_reason)
        with self.assertRaisesRegex(UserError, "already cancelled"):
            self.cancel(self.subscription)

    def test_on_a_date_in_the_trial_it_ends_in_the_trial(self):
        """B9, B4: 10 July is the last day."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-10"
        )
        self.assert_state(self.subscription, "trial")
        self.run_crons(UPSTREAM, OURS, day="2026-07-11")
        self.assertEqual(self.get_outcome(self.subscription), ("cancelled", [], []))

    def test_on_a_date_after_the_trial_it_is_non_renewing_from_then_on(self):
        """B9, B4, B8: 15 July to 14 August is billed; 20 days of it are credited.

        Last day 25 July: 26 July to 14 August, 20 of 31 days of 31.00.
        """
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-25"
        )
        self.assert_state(self.subscription, "trial")
        self.run_crons(END_TRIALS, day="2026-07-15")
        self.assert_state(self.subscription, "non_renewing")
        self.bill(self.subscription, "2026-07-15")
        self.run_crons(OURS, day="2026-07-26")
        self.assertEqual(
            self.get_outcome(self.subscription), ("cancelled", ["2026-07-15"], [20.0])
        )

    def test_immediately_credits_an_advance_invoice_in_full(self):
        """B9, C1: no day of 15 July to 14 August is served."""
        invoice = self.bill_in_advance()
        self.assertEqual(self.cancel(self.subscription)["credit_total"], 31.0)
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.reversed_entry_id, invoice)

    def test_at_the_end_of_the_trial_an_advance_invoice_is_credited_in_full(self):
        """B9, C1: the trial comes first, also where the month after it is billed."""
        self.bill_in_advance()
        result = self.cancel(self.subscription, timing="end_of_period")
        self.assertEqual(result["effective_date"], "2026-07-15")
        self.assertFalse(self.credit_memos(self.subscription))
        self.run_crons(UPSTREAM, OURS, day="2026-07-15")
        self.assertEqual(
            self.get_outcome(self.subscription), ("cancelled", ["2026-07-15"], [31.0])
        )

    def test_without_a_refund_an_advance_invoice_stays(self):
        """B9, A3: as the refund mode says."""
        self.bill_in_advance()
        self.cancel(self.subscription, refund_mode="none")
        self.assertFalse(self.credit_memos(self.subscription))
        self.assert_state(self.subscription, "cancelled")

    def test_after_the_trial_the_end_of_the_period_is_that_of_the_paid_one(self):
        """B2: 14 August, billed or not."""
        self.travel_to("2026-07-20")
        options = {"timing": "end_of_period"}
        preview = self.subscription.preview_cancellation(**options)
        self.assertEqual(preview["last_service_date"], "2026-08-14")
        self.bill(self.subscription, "2026-07-20")
        preview = self.subscription.preview_cancellation(**options)
        self.assertEqual(preview["last_service_date"], "2026-08-14")
        self.assertEqual(str(self.subscription._get_end_of_period()), "2026-08-15")

    def test_a_single_line_can_end_with_the_trial(self):
        """B9, A5: the other one is billed after it."""
        self.add_line(self.subscription, {"name": "Kept", "price_unit": 62.0})
        line = self.get_line(self.subscription, "Line 1")
        self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.assert_state(self.subscription, "trial")
        self.assertFalse(self.subscription.cancellation_date)
        invoice = self.bill(self.subscription, "2026-07-15")
        self.assertEqual(invoice.amount_total, 62.0)
        self.assertFalse(line.active)

    def test_before_the_start_it_can_only_end_at_once(self):
        """B10: there is no trial to go on."""
        draft = self.create_draft()
        self.add_line(draft, 31.0)
        with self.assertRaisesRegex(UserError, "has not started yet"):
            self.cancel(draft, timing="end_of_period")
        self.assertEqual(self.cancel(draft)["state"], "done")
        self.assert_state(draft, "cancelled")


@tagged("post_install", "-at_install")
class TestTrialSoldByOrder(TrialCase):
    def sell(self, *days, mode="draft"):
        """Confirm an order; return its subscriptions.

        :param days: length of the trial, per product that is sold; absent: 14
        """
        products = self.env["product.product"]
        for length in days or (14,):
            product = self.create_product()
            product.subscription_template_id = self.create_template(
                invoicing_mode=mode, trial_days=length
            )
            products |= product
        order = self.env["sale.order"].create(
            {
                "partner_id": self.create_customer().id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                    for product in products
                ],
            }
        )
        order.action_confirm()
        return order.subscription_ids.sorted("trial_days")

    def assert_sold(self, subscription, first_day, last_day):
        """Assert the days that the order says it sells."""
        line = subscription.sale_subscription_line_ids.order_line_id
        self.assertEqual(str(line.subscription_period_start), first_day)
        self.assertEqual(str(line.subscription_period_end), last_day)

    def invoice_order(self, subscription):
        """Return the posted invoice of the order that sold the subscription."""
        invoice = subscription.sale_order_id._create_invoices()
        invoice.action_post()
        return invoice

    def test_the_order_bills_the_first_paid_month(self):
        """B9: 15 July to 14 August; upstream goes on where it ends."""
        for mode in ("draft", "sale_and_invoice"):
            with self.subTest(mode=mode):
                self.travel_to(self.now)
                subscription = self.sell(mode=mode)
                self.assert_dates(subscription, "2026-07-14", "2026-08-15")
                self.assert_sold(subscription, "2026-07-15", "2026-08-14")
                self.assert_state(subscription, "trial")
                self.invoice_order(subscription)
                self.run_crons(UPSTREAM, day="2026-07-15")
                self.run_crons(UPSTREAM, day="2026-08-15")
                self.assertEqual(
                    self.get_periods(subscription),
                    [("2026-07-15", "2026-08-14"), ("2026-08-15", "2026-09-14")],
                )

    def test_a_trial_longer_than_the_period(self):
        """B9: 1 July to 14 August are 45 days; then a month."""
        subscription = self.sell(45)
        self.assert_dates(subscription, "2026-08-14", "2026-09-15")
        self.invoice_order(subscription)
        self.assertEqual(self.get_periods(subscription), [("2026-08-15", "2026-09-14")])

    def test_without_a_trial_the_order_bills_from_today(self):
        """B9: as ever."""
        subscription = self.sell(0)
        self.assert_dates(subscription, None, "2026-08-01")
        self.invoice_order(subscription)
        self.assertEqual(self.get_periods(subscription), [("2026-07-01", "2026-07-31")])

    def test_cancelled_in_trial_its_invoice_is_credited_in_full(self):
        """B9, C1: no day of it is served."""
        for mode in ("draft", "sale_and_invoice"):
            with self.subTest(mode=mode):
                self.travel_to(self.now)
                subscription = self.sell(mode=mode)
                invoice = self.invoice_order(subscription)
                result = self.cancel(subscription, "2026-07-05")
                self.assertEqual(result["credit_total"], 31.0)
                memo = self.credit_memos(subscription)
                self.assertEqual(memo.reversed_entry_id, invoice)

    def test_cancelled_at_the_end_of_the_trial_its_invoice_is_credited_in_full(self):
        """B9, C1, B8: on 15 July, not before."""

        def create():
            subscription = self.sell()
            self.invoice_order(subscription)
            result = self.cancel(subscription, timing="end_of_period")
            self.assertEqual(result["effective_date"], "2026-07-15")
            self.assertFalse(self.credit_memos(subscription))
            return subscription

        self.assert_in_both_orders(
            create, "2026-07-15", ("cancelled", ["2026-07-15"], [31.0])
        )

    def test_cancelled_after_the_trial_its_invoice_is_credited_in_part(self):
        """C1: last day 24 July: 25 July to 14 August, 21 of 31 days."""
        subscription = self.sell()
        self.invoice_order(subscription)
        self.assertEqual(self.cancel(subscription, "2026-07-24")["credit_total"], 21.0)

    def test_extending_the_trial_moves_what_the_order_bills(self):
        """B9: while it is not invoiced; also by somebody who did not sell it."""
        subscription = self.sell()
        seller = self.create_user(SALESPERSON)
        orders = self.env["sale.order"].with_user(seller)
        self.assertFalse(orders.search([("id", "=", subscription.sale_order_id.id)]))
        subscription.with_user(seller).trial_end_date = "2026-07-21"
        self.assert_dates(subscription, "2026-07-21", "2026-08-22")
        self.assert_sold(subscription, "2026-07-22", "2026-08-21")
        self.invoice_order(subscription)
        self.assertEqual(self.get_periods(subscription), [("2026-07-22", "2026-08-21")])

    def test_extending_the_trial_in_the_form_moves_what_the_order_bills(self):
        """B9: the month that the order bills is not billed again."""
        subscription = self.sell()
        form = Form(subscription)
        form.trial_end_date = "2026-07-21"
        self.assert_dates(form.save(), "2026-07-21", "2026-08-22")

    def test_shortening_the_trial_of_an_invoiced_order_leaves_the_invoice(self):
        """B9: it is for the days it says; upstream goes on after them."""
        subscription = self.sell()
        self.invoice_order(subscription)
        subscription.trial_end_date = "2026-07-10"
        self.assert_dates(subscription, "2026-07-10", "2026-08-15")
        self.assert_sold(subscription, "2026-07-15", "2026-08-14")

    def test_other_subscriptions_of_the_order_do_not_matter(self):
        """B9: July of the one without a trial is on the same invoice."""
        plain, subscription = self.sell(0, 14)
        self.invoice_order(subscription)
        self.assertEqual(self.get_first_day(plain), "2026-07-01")
        subscription.trial_end_date = "2026-07-10"
        self.assertEqual(str(subscription.trial_end_date), "2026-07-10")

    def get_first_day(self, subscription):
        """Return the first day that is billed of a subscription with one line."""
        lines = subscription._get_invoices().invoice_line_ids
        billed = lines.filtered(
            lambda line: (
                line.subscription_line_id == subscription.sale_subscription_line_ids
            )
        )
        return str(billed.start_date)

    def test_extending_the_trial_of_an_invoiced_order_is_refused(self):
        """B9: the customer was billed from 15 July on."""
        subscription = self.sell()
        self.invoice_order(subscription)
        with self.assertRaisesRegex(ValidationError, "July 15, 2026 on are already"):
            subscription.trial_end_date = "2026-07-21"

    def test_a_typed_line_of_the_orders_invoice_is_for_the_first_paid_month(self):
        """B9: where the line of the order lost its period."""
        subscription = self.sell()
        order_line = subscription.sale_order_id.order_line
        order_line.write(
            {"subscription_period_start": False, "subscription_period_end": False}
        )
        self.invoice_order(subscription)
        self.assertEqual(self.get_periods(subscription), [("2026-07-15", "2026-08-14")])
