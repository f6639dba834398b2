# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs is neither hidden, stopped nor moved beside a cancellation (A2, B7)."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import (
    CANCELLATION_MANAGER,
    INVOICING,
    SALESPERSON,
    CancellationCase,
)

#: Refusals, by what they name: rule and way out.
RUNNING = "is running and can neither be archived nor stopped.*use Deactivate"
ARCHIVED = "is archived.*choose Unarchive"
STARTED = "is invoiced, and its term counts from.*Use Deactivate"


class RunningCase(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.invoice = self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.user = self.create_user(SALESPERSON, login="sales")
        self.manager = self.create_user(
            SALESPERSON, CANCELLATION_MANAGER, login="manager"
        )
        self.everybody = (
            self.user,
            self.manager,
            self.create_user(SALESPERSON, INVOICING, login="biller"),
            self.create_user(
                SALESPERSON, "account.group_account_manager", login="accountant"
            ),
            self.env.ref("base.user_admin"),
        )
        self.env.ref("base.user_admin").company_ids |= self.company
        self.subscription.user_id = self.user
        self.own = self.subscription.with_user(self.user)


@tagged("post_install", "-at_install")
class TestArchiving(RunningCase):
    def test_what_runs_is_not_archived_by_anybody(self):
        """A2: never billed again, and no cancellation, was what it came to."""
        for user in self.everybody:
            own = self.subscription.with_user(user).with_company(self.company)
            for archive in (
                own.action_archive,
                lambda own=own: own.write({"active": False}),
                lambda own=own: (
                    own.load([".id", "active"], [[str(own.id), "False"]])["ids"]
                    or self.fail_with(own.load([".id", "active"], [[str(own.id), "0"]]))
                ),
                lambda own=own: own.write({"in_progress": False}),
                lambda own=own: own.write({"in_progress": None, "active": True}),
            ):
                with (
                    self.subTest(user=user.login),
                    self.assertRaisesRegex(UserError, RUNNING),
                    self.env.cr.savepoint(),
                ):
                    archive()
        self.assertTrue(self.subscription.active)
        self.assertTrue(self.subscription.in_progress)

    def fail_with(self, answer):
        """Raise what an import answers instead of an error."""
        raise UserError(answer["messages"][0]["message"])

    def test_several_in_the_list_of_which_one_runs(self):
        """A2: the one that runs is named."""
        draft = self.create_draft()
        both = (draft | self.subscription).with_user(self.user)
        with self.assertRaisesRegex(UserError, self.subscription.name):
            both.action_archive()

    def create_draft(self):
        """Return a subscription that was not started."""
        other = self.create_subscription([31.0])
        other.stage_id = self.env.ref("subscription_oca.subscription_stage_draft")
        return other

    def test_one_in_its_trial_is_not_archived(self):
        """A2: the end of the trial would pass without an invoice."""
        template = self.create_template(trial_days=30)
        trial = self.create_subscription(template=template, start="2026-07-10")
        self.assertEqual(trial.cancellation_state, "trial")
        with self.assertRaisesRegex(UserError, RUNNING):
            trial.with_user(self.user).action_archive()

    def test_a_paused_one_is_not_archived(self):
        """A2: it would never be resumed."""
        self.own.action_pause()
        with self.assertRaisesRegex(UserError, RUNNING):
            self.own.action_archive()

    def test_one_that_is_going_to_end_is_not_archived_before(self):
        """A2: what is due until then would not be invoiced."""
        self.own.request_cancellation(timing="end_of_period")
        with self.assertRaisesRegex(UserError, "Archive it once it is cancelled"):
            self.own.action_archive()
        self.travel_to("2026-08-01")
        self.subscription.cancellation_ids._execute_if_due()
        self.own.action_archive()
        self.assertFalse(self.subscription.active)

    def test_what_is_cancelled_is_archived_and_back(self):
        """A2: nothing of it is billed any more; undoing archives nothing."""
        self.own.request_cancellation(timing="immediate")
        self.own.action_archive()
        self.assertFalse(self.subscription.active)
        self.own.action_unarchive()
        self.own.reactivate_subscription()
        self.assertTrue(self.subscription.in_progress)
        with self.assertRaisesRegex(UserError, RUNNING):
            self.own.action_archive()

    def test_what_is_archived_and_reactivated_is_billed_again(self):
        """A2, B15: upstream passes over what is archived; $31 for August."""
        self.own.request_cancellation(timing="immediate")
        self.own.action_archive()
        self.own.reactivate_subscription()
        self.assertTrue(self.subscription.active)
        self.assertEqual(self.subscription.cancellation_state, "active")
        known = self.subscription._get_invoices()
        self.travel_to("2026-08-01")
        self.env["sale.subscription"].cron_subscription_management()
        august = self.subscription._get_invoices() - known
        self.assertEqual(august.mapped("amount_total"), [31.0])

    def test_what_is_archived_is_not_started(self):
        """A2: upstream would pass over it; the way out is named, and taken."""
        draft = self.create_draft().with_user(self.user)
        draft.action_archive()
        running = self.env.ref("subscription_oca.subscription_stage_in_progress")
        for start in (
            draft.action_start_subscription,
            lambda: draft.write({"stage_id": running.id}),
            lambda: (draft | self.own).write({"stage_id": running.id}),
        ):
            with self.assertRaisesRegex(UserError, ARCHIVED), self.env.cr.savepoint():
                start()
            self.env.invalidate_all()
        draft.action_unarchive()
        draft.action_start_subscription()
        self.assertTrue(draft.in_progress)

    def test_started_and_archived_at_once(self):
        """A2: in one write of what does not run yet."""
        draft = self.create_draft().with_user(self.user)
        running = self.env.ref("subscription_oca.subscription_stage_in_progress")
        with self.assertRaisesRegex(UserError, ARCHIVED):
            draft.write({"stage_id": running.id, "active": False})

    def test_none_is_made_that_runs_and_is_passed_over(self):
        """A2: neither archived nor stopped, whoever makes it."""
        names = ["partner_id", "template_id", "pricelist_id", "stage_id"]
        values = {name: self.subscription[name].id for name in names}
        Subscription = self.own.browse()
        for hidden, refusal in (
            ({"active": False}, ARCHIVED),
            ({"in_progress": False}, RUNNING),
        ):
            with (
                self.subTest(hidden=hidden),
                self.assertRaisesRegex(UserError, refusal),
                self.env.cr.savepoint(),
            ):
                Subscription.create([{**values, **hidden}])

    def test_a_draft_is_archived(self):
        """A2: it does not run."""
        draft = self.create_draft().with_user(self.user)
        draft.action_archive()
        self.assertFalse(draft.active)


@tagged("post_install", "-at_install")
class TestStart(RunningCase):
    def setUp(self):
        super().setUp()
        self.get_default_policy().write(
            {"timing": "earliest", "minimum_term": 24, "end_alignment": "any_day"}
        )

    def get_end(self):
        """Return the last day of service of a cancellation now."""
        return self.own.preview_cancellation(timing="earliest")["last_service_date"]

    def test_the_start_of_what_is_billed_is_moved_by_managers_only(self):
        """A2: from 2020 on, 24 months would be over."""
        self.assertEqual(self.get_end(), "2028-06-30")
        for day in ("2020-01-01", "2026-06-30", "2026-07-02", "2030-01-01", False):
            with (
                self.subTest(day=day),
                self.assertRaisesRegex(UserError, STARTED),
                self.env.cr.savepoint(),
            ):
                self.own.date_start = day
        self.own.date_start = "2026-07-01"
        self.assertEqual(self.get_end(), "2028-06-30")
        self.subscription.with_user(self.manager).date_start = "2026-06-01"
        self.assertEqual(self.get_end(), "2028-05-31")

    def test_together_with_the_stage(self):
        """A2: upstream's own dates of a start are no way around either."""
        running = self.env.ref("subscription_oca.subscription_stage_in_progress")
        with self.assertRaisesRegex(UserError, STARTED), self.env.cr.savepoint():
            self.own.write({"stage_id": running.id, "date_start": "2020-01-01"})
        self.own.stage_id = running
        self.assertEqual(str(self.subscription.date_start), "2026-07-01")

    def test_the_start_of_what_is_not_billed_is_free(self):
        """A2: nothing counts from it yet; nor where the invoice was reversed."""
        other = self.create_subscription([31.0]).with_user(self.user)
        other.date_start = "2026-06-01"
        self.invoice._reverse_moves(cancel=True)
        self.own.date_start = "2026-06-01"

    def test_a_draft_invoice_counts_until_it_is_cancelled(self):
        """A2: its days are going to be billed."""
        other = self.create_subscription([31.0], start="2026-07-10")
        invoice = self.bill(other, post=False)
        own = other.with_user(self.user)
        with self.assertRaisesRegex(UserError, STARTED), self.env.cr.savepoint():
            own.date_start = "2020-01-01"
        invoice.button_cancel()
        own.date_start = "2026-07-01"

    def test_the_trial_of_what_is_billed_is_not_cut(self):
        """A2: the minimum term counts from the first paid day."""
        template = self.create_template(trial_days=9)
        self.subscription = self.create_subscription(
            template=template, start="2026-07-10"
        )
        self.own = self.subscription.with_user(self.user)
        self.bill(self.subscription, "2026-07-19")
        self.assertEqual(self.get_end(), "2028-07-18")
        for values in (
            {"trial_end_date": False},
            {"trial_end_date": "2026-07-11"},
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(UserError, STARTED),
                self.env.cr.savepoint(),
            ):
                self.own.write(values)
                self.env.flush_all()
        self.assertEqual(self.get_end(), "2028-07-18")

    def test_a_fixed_term_is_not_lifted(self):
        """A2: neither emptied nor called unlimited, but another plan may be agreed."""
        limited = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=12
        )
        own = self.create_subscription(template=limited).with_user(self.user)
        for values in (
            {"date": False},
            {"recurring_rule_boundary": True},
            {"recurring_rule_boundary": True, "date": "2030-01-01"},
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(UserError, "The term of subscription .* runs"),
                self.env.cr.savepoint(),
            ):
                own.write(values)
        own.template_id = self.create_template()
        self.assertFalse(own._get_contract_end())

    def create_limited(self, months, **values):
        """Return the plan of a fixed term."""
        return self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=months, **values
        )

    def test_a_plan_of_a_shorter_term_is_for_managers(self):
        """A2, B14: a year is not cut to a month; a longer term may be agreed."""
        own = self.create_subscription(template=self.create_limited(12))
        self.bill(own, "2026-07-01")
        self.travel_to("2026-07-10")
        own = own.with_user(self.user)
        values = {"template_id": self.create_limited(1).id}
        for more in (
            {},
            {"date": "2026-08-01"},
            {"date": False},
            {"date_start": "2026-07-01"},
        ):
            with (
                self.subTest(more),
                self.assertRaisesRegex(UserError, "The term of subscription .* runs"),
                self.env.cr.savepoint(),
            ):
                own.write({**values, **more})
        self.assertEqual(str(own.date), "2027-07-01")
        own.template_id = self.create_limited(24)
        self.assertEqual(str(own.date), "2028-07-01")
        own.with_user(self.manager).write(values)
        self.assertEqual(str(own.date), "2026-08-01")

    def test_a_plan_of_as_long_a_term_is_free(self):
        """A2, B14: billed in another way, and a term that was agreed to be longer."""
        own = self.create_subscription(template=self.create_limited(12))
        self.bill(own, "2026-07-01")
        own = own.with_user(self.user)
        own.template_id = self.create_limited(12, invoicing_mode="invoice")
        own.date = "2027-09-01"
        with (
            self.assertRaisesRegex(UserError, "The term of subscription .* runs"),
            self.env.cr.savepoint(),
        ):
            own.template_id = self.create_limited(12)

    def test_the_plan_of_what_is_not_billed_is_free(self):
        """A2: nothing was agreed for longer yet."""
        own = self.create_subscription(template=self.create_limited(12))
        own.with_user(self.user).template_id = self.create_limited(1)
        self.assertEqual(str(own.date), "2026-08-01")

    def test_a_fixed_term_is_no_shorter_than_the_minimum_term(self):
        """A2: an unlimited plan of at least 24 months is not ended after 12."""
        with (
            self.assertRaisesRegex(UserError, "ends on June 30, 2028 at the earliest"),
            self.env.cr.savepoint(),
        ):
            self.own.template_id = self.create_limited(12)
        self.own.template_id = self.create_limited(24)
        self.assertEqual(str(self.subscription.date), "2028-07-01")

    def test_between_unlimited_plans(self):
        """A2, B14: nothing ends earlier."""
        self.own.template_id = self.create_template("1 years")
        self.assertFalse(self.subscription._get_contract_end())

    def test_what_is_cancelled_keeps_its_dates(self):
        """A2: it may be resumed, and its minimum term counts on."""
        self.subscription.with_user(self.manager).request_cancellation(
            timing="immediate"
        )
        with self.assertRaisesRegex(UserError, STARTED), self.env.cr.savepoint():
            self.own.date_start = "2020-01-01"
        self.subscription.with_user(self.manager).date_start = "2026-06-01"

    def test_what_is_cancelled_keeps_its_term(self):
        """A2: neither the day nor the plan is a way to a shorter one."""
        own = self.create_subscription(template=self.create_limited(12))
        self.bill(own, "2026-07-01")
        self.cancel(own, "2026-07-10")
        own = own.with_user(self.user)
        for values in (
            {"date": "2026-08-01"},
            {"template_id": self.create_limited(1).id},
        ):
            with (
                self.subTest(values),
                self.assertRaisesRegex(UserError, "The term of subscription .* runs"),
                self.env.cr.savepoint(),
            ):
                own.write(values)

    def test_starting_is_upstream_s(self):
        """B15: also of one that was invoiced by hand before it was started."""
        draft = self.create_subscription([31.0])
        draft.stage_id = self.env.ref("subscription_oca.subscription_stage_draft")
        draft.with_user(self.manager).create_invoice()
        draft.with_user(self.user).action_start_subscription()
        self.assertEqual(str(draft.date_start), "2026-07-10")
        self.assertTrue(draft.in_progress)

    def test_a_new_term_starts_today(self):
        """B15: reactivating writes the start."""
        self.get_default_policy().minimum_term = 0
        self.own.request_cancellation(timing="immediate")
        self.travel_to("2026-07-20")
        self.own.reactivate_subscription(mode="new_term")
        self.assertEqual(str(self.subscription.date_start), "2026-07-20")
