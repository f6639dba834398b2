# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""No free and no double day, however a line was left out of an invoice (B12-B15)."""

from collections import Counter
from datetime import date, timedelta

from odoo.tests import tagged

from .common import CancellationCase


@tagged("post_install", "-at_install")
class TestLeftOutDays(CancellationCase):
    """The first of two lines is to end; August is billed without it, or is charged."""

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0, 62.0])
        self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.line = self.get_line(self.subscription, "Line 1")
        self.policy = self.get_default_policy()
        self.policy.write({"undo_days": 60, "allow_own_approval": True})

    def end_line(self, **options):
        self.cancel(
            self.subscription,
            line_ids=self.line.ids,
            **{"timing": "end_of_period", **options},
        )
        return self.subscription.cancellation_ids.sorted("id")[-1]

    def postpone(self, day, charge_extension=True):
        self.subscription.postpone_cancellation(
            requested_date=day, charge_extension=charge_extension
        )

    def execute_due(self, day):
        self.travel_to(day)
        self.subscription.cancellation_ids._execute_if_due()

    def assert_billed(self, until, *free, line=None):
        """Check that each day from July on is billed once, but the ``free`` ones.

        :param str until: the last billed day
        :param free: first and last days of what is not billed
        """
        items = self.env["account.move.line"].search(
            [
                ("subscription_line_id", "=", (line or self.line).id),
                ("parent_state", "=", "posted"),
            ]
        )
        days = Counter()
        for item in items:
            sign = 1 if item.move_id.move_type == "out_invoice" else -1
            period = item._get_service_period()
            for number in range(period.days):
                days[period.start + timedelta(days=number)] += sign
        expected = self.get_days("2026-07-01", until)
        for first, last in free:
            expected -= self.get_days(first, last)
        self.assertEqual(set(days.values()) - {0}, {1}, "a day is billed twice")
        billed = {day for day, count in days.items() if count}
        self.assertEqual(sorted(billed ^ expected), [])

    def get_days(self, first, last):
        first, last = date.fromisoformat(first), date.fromisoformat(last)
        count = (last - first).days + 1
        return {first + timedelta(days=number) for number in range(count)}

    # === A LINE IS LEFT OUT OF AN INVOICE === #

    def test_revoked(self):
        """B12: August is charged as it would have been billed."""
        self.end_line()
        self.bill(self.subscription, "2026-07-25")
        self.subscription.revoke_cancellation()
        self.assert_billed("2026-08-31")
        self.bill(self.subscription)
        self.assert_billed("2026-09-30")

    def test_refused(self):
        """D1: the same, with the decision."""
        self.policy.approval_always = True
        cancellation = self.end_line()
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-03")
        cancellation._refuse("No")
        self.assert_billed("2026-08-31")

    def test_approved_late_and_undone(self):
        """B15: billed from the day it is undone on."""
        self.policy.approval_always = True
        cancellation = self.end_line()
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-03")
        cancellation._approve()
        cancellation.action_undo()
        self.assert_billed("2026-08-31", ("2026-08-01", "2026-08-02"))

    def test_undecided_and_then_ended_with_everything(self):
        """D1: what was served until then is charged."""
        self.policy.approval_always = True
        self.end_line()
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-20")
        self.policy.approval_always = False
        self.cancel(self.subscription, timing="end_of_period")
        self.execute_due("2026-09-01")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assert_billed("2026-08-31")

    def test_left_out_and_then_ended_at_once_with_everything(self):
        """B12, D5: nothing is charged that was not served; the preview holds."""
        self.add_line(self.subscription, {"name": "Add-on"}).parent_line_id = self.line
        self.end_line()
        self.bill(self.subscription, "2026-07-25")
        self.travel_to("2026-07-26")
        preview = self.subscription.preview_cancellation(timing="immediate")
        answer = self.cancel(self.subscription, refund_mode="prorated")
        self.assertEqual(answer["credit_total"], preview["credit_total"])
        self.assertFalse(self.subscription.cancellation_ids.charge_invoice_ids)
        self.assert_billed("2026-07-26")

    def test_moved_later(self):
        """B13: the days until the new date, with and without the charge."""
        for charge_extension in (True, False):
            with self.subTest(charge_extension=charge_extension):
                self.setUp()
                self.end_line()
                self.bill(self.subscription, "2026-07-25")
                self.postpone("2026-08-10", charge_extension)
                self.assert_billed("2026-08-10")
                self.execute_due("2026-08-11")
                self.assert_billed("2026-08-10")

    def test_moved_beyond_what_was_billed_without_it(self):
        """B13: left-out days, then extra days; each once."""
        self.end_line()
        self.bill(self.subscription, "2026-07-25")
        self.postpone("2026-09-10")
        self.assert_billed("2026-09-10")
        self.bill(self.subscription, "2026-09-01")
        self.assert_billed("2026-09-10")
        self.execute_due("2026-09-11")
        self.assert_billed("2026-09-10")

    # === A LINE THAT REGULAR BILLING HAS NOT COME TO === #

    def add_and_schedule(self, last_day="2026-07-20", is_whole=False):
        """Add 62.00 a month within July, which is billed from August on."""
        self.line = self.add_line(
            self.subscription, {"name": "Later", "price_unit": 62.0}
        )
        options = {"timing": "specific_date", "requested_date": last_day}
        if is_whole:
            self.cancel(self.subscription, **options)
        else:
            self.end_line(**options)
        return self.subscription.cancellation_ids

    def test_a_line_added_within_a_period_is_charged_for_nothing(self):
        """B12: billing goes on as if nothing had happened."""
        for how in ("revoke", "refuse", "whole"):
            with self.subTest(how=how):
                self.setUp()
                self.policy.approval_always = how == "refuse"
                cancellation = self.add_and_schedule(is_whole=how == "whole")
                if how == "refuse":
                    cancellation._refuse("No")
                else:
                    self.subscription.revoke_cancellation()
                self.assertFalse(cancellation.charge_invoice_ids)
                self.bill(self.subscription)
                self.assert_billed("2026-08-31", ("2026-07-01", "2026-07-31"))

    def test_a_line_added_within_a_period_is_ended_and_undone(self):
        """B15: July stays free, on the same day and later."""
        for day in ("2026-07-20", "2026-07-25"):
            with self.subTest(day=day):
                self.setUp()
                cancellation = self.add_and_schedule()
                self.execute_due("2026-07-21")
                self.travel_to(max(day, "2026-07-21"))
                cancellation.action_undo()
                self.assertFalse(cancellation.charge_invoice_ids)

    def test_a_line_added_within_a_period_and_left_out_of_the_next(self):
        """B12: that one is charged, also where the extra days were."""
        for charge_extension in (False, True):
            with self.subTest(charge_extension=charge_extension):
                self.setUp()
                self.add_and_schedule("2026-07-31")
                if charge_extension:
                    self.postpone("2026-08-10")
                self.bill(self.subscription, "2026-07-25")
                self.subscription.revoke_cancellation()
                self.assert_billed("2026-08-31", ("2026-07-01", "2026-07-31"))

    def test_a_line_added_within_a_period_is_moved(self):
        """B13: it is charged what regular billing does not come to, as previewed."""
        cases = (
            ("2026-07-25", False, 0.0),
            ("2026-07-25", True, 0.0),
            ("2026-08-10", False, 0.0),
            ("2026-08-10", True, 20.0),
        )
        for day, charge_extension, amount in cases:
            with self.subTest(day=day, charge_extension=charge_extension):
                self.setUp()
                cancellation = self.add_and_schedule()
                told = cancellation._preview_postponed(day, charge_extension)
                self.postpone(day, charge_extension)
                charges = cancellation.charge_invoice_ids
                self.assertEqual(sum(charges.mapped("amount_total")), amount)
                if amount:
                    self.assertIn("20.00 will be invoiced now for August 1", told)
                else:
                    self.assertNotIn("will be invoiced", told)

    def test_a_line_that_was_taken_off_the_draft_by_hand(self):
        """B12: what a person did stays as it is."""
        august = self.bill(self.subscription, "2026-08-01", post=False)
        august.invoice_line_ids[0].unlink()
        august.action_post()
        self.travel_to("2026-08-05")
        self.end_line(timing="specific_date", requested_date="2026-08-20")
        self.subscription.revoke_cancellation()
        self.assertFalse(self.subscription.cancellation_ids.charge_invoice_ids)

    # === EXTRA DAYS ARE CHARGED === #

    def test_charged_and_revoked_after_the_others_were_billed(self):
        """B12, B13: the charge is taken back, and August charged as a whole."""
        self.end_line()
        self.postpone("2026-08-10")
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-05")
        self.subscription.revoke_cancellation()
        self.assert_billed("2026-08-31")

    def test_charged_and_moved_without_the_charge(self):
        """B13: regular billing has passed, so the days are charged all the same."""
        self.end_line()
        self.postpone("2026-08-10")
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-05")
        self.postpone("2026-08-20", charge_extension=False)
        self.assert_billed("2026-08-20")

    def test_charged_executed_and_undone(self):
        """B15: billed again from the day it is undone on."""
        cancellation = self.end_line()
        self.postpone("2026-08-10")
        self.bill(self.subscription, "2026-08-01")
        self.execute_due("2026-08-11")
        self.travel_to("2026-08-12")
        cancellation.action_undo()
        self.assert_billed("2026-08-31", ("2026-08-11", "2026-08-11"))

    def test_charged_and_ended_at_once_by_another_one(self):
        """B13: the served days of the charge stay charged."""
        self.end_line()
        self.postpone("2026-08-10")
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-05")
        self.end_line(timing="immediate")
        self.assert_billed("2026-08-05")

    def test_charged_partly_credited_by_hand_and_revoked(self):
        """B13, C4: what is left of the charge is taken back, not more and not less."""
        self.cancel(self.subscription, timing="end_of_period")
        self.postpone("2026-08-10")
        [charge] = self.subscription.cancellation_ids.charge_invoice_ids
        by_hand = charge._reverse_moves()
        by_hand.invoice_line_ids[0].price_unit = 3.0
        by_hand.invoice_line_ids[1].unlink()
        by_hand.action_post()
        self.subscription.revoke_cancellation()
        memos = charge.reversal_move_ids.sorted("id")
        self.assertEqual(memos.mapped("amount_total"), [3.0, 27.0])
        self.bill(self.subscription)
        self.assert_billed(
            "2026-08-31", line=self.get_line(self.subscription, "Line 2")
        )

    def test_the_whole_charged_executed_and_resumed(self):
        """B15: extra days are not billed again."""
        self.cancel(self.subscription, timing="end_of_period")
        self.postpone("2026-08-10")
        self.execute_due("2026-08-11")
        self.subscription.reactivate_subscription()
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-11")
        self.bill(self.subscription)
        self.assert_billed("2026-09-10")

    def test_the_whole_with_a_line_added_since_and_revoked(self):
        """B12, B13: the added line is billed, the others are charged anew."""
        self.cancel(self.subscription, timing="end_of_period")
        self.postpone("2026-08-10")
        self.add_line(self.subscription, {"name": "New", "price_unit": 9.3})
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-08-05")
        self.subscription.revoke_cancellation()
        self.assert_billed("2026-08-31")

    def test_months_that_drift(self):
        """B13: extra days begin where upstream's own periods end."""
        drifting = self.create_subscription([31.0], start="2026-12-31")
        self.bill(drifting, "2026-12-31")
        self.cancel(
            drifting,
            "2027-01-15",
            timing="specific_date",
            requested_date="2027-03-10",
        )
        drifting.postpone_cancellation(
            requested_date="2027-04-29", charge_extension=True
        )
        self.bill(drifting, "2027-01-31")
        self.bill(drifting, "2027-02-28")
        items = (
            drifting._get_invoices()
            .invoice_line_ids.sorted("start_date")
            .mapped(lambda item: (str(item.start_date), str(item.end_date)))
        )
        self.assertEqual(
            items,
            [
                ("2026-12-31", "2027-01-30"),
                ("2027-01-31", "2027-02-27"),
                ("2027-02-28", "2027-03-27"),
                ("2027-03-28", "2027-04-27"),
                ("2027-04-28", "2027-04-29"),
            ],
        )

    # === A NEW TERM, AND THE END OF ONE === #

    def test_a_new_term_on_the_day_of_the_cancellation(self):
        """B15: that day was served and is billed already."""
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription(mode="new_term")
        self.bill(self.subscription)
        self.assert_billed("2026-08-10")

    def test_a_new_term_after_a_credit_memo_that_was_rejected(self):
        """B15, C12: nothing was credited, so July is paid."""
        self.policy.post_credit_memos = False
        self.cancel(self.subscription)
        self.credit_memos(self.subscription).button_cancel()
        self.subscription.reactivate_subscription(mode="new_term")
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-01")

    def test_periods_shifted_by_a_resume_are_credited_beyond_the_term(self):
        """B16, C1: the last invoice reaches beyond the end of the term."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=4
        )
        limited = self.create_subscription([31.0], template=template)
        self.bill(limited)
        self.cancel(limited, "2026-07-10")
        self.travel_to("2026-08-10")
        limited.reactivate_subscription()
        for _month in range(3):
            self.bill(limited)
        self.travel_to("2026-11-01")
        self.env["sale.subscription"].cron_subscription_management()
        [_first, last] = limited.cancellation_ids.sorted("id")
        self.assertEqual(last.reason_id.code, "end_of_term")
        self.assertEqual(last.line_ids.unused_days, 9)
        self.assertEqual(last.credit_total, 9.0)

    def test_unbilled_periods_are_billed_after_a_resume(self):
        """B15: never billed since May, cancelled and resumed in July."""
        late = self.create_subscription([31.0], start="2026-05-01")
        self.cancel(late, "2026-07-10")
        self.travel_to("2026-07-15")
        late.reactivate_subscription()
        self.assertEqual(str(late.recurring_next_date), "2026-05-01")
