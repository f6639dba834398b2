# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""No door leads around policy, approval, proof and rights (D1, D2, D4, B7)."""

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import CANCELLATION_MANAGER, SALESPERSON, CancellationCase


@tagged("post_install", "-at_install")
class TestBackDoors(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0])
        self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.policy = self.get_default_policy()
        self.user = self.create_user(SALESPERSON, login="sales")
        self.manager = self.create_user(
            SALESPERSON, CANCELLATION_MANAGER, login="manager"
        )
        self.subscription.user_id = self.user
        self.own = self.subscription.with_user(self.user)

    # === BILLED DAYS === #

    def test_nobody_says_which_days_were_billed(self):
        """C9: days that were never billed would be charged in the end."""
        days = [["2026-01-01", "2026-06-30"]]
        line = self.own.sale_subscription_line_ids
        billed = line.billed_days
        with self.assertRaisesRegex(UserError, "kept by the cancellation engine"):
            line.billed_days = days
        values = {
            "sale_subscription_id": self.own.id,
            "product_id": line.product_id.id,
        }
        Line = self.env["sale.subscription.line"].with_user(self.user)
        for context, more in (
            ({}, {"billed_days": days}),
            ({"default_billed_days": days}, {}),
        ):
            with self.assertRaisesRegex(UserError, "kept by the cancellation engine"):
                Line.with_context(**context).create({**values, **more})
        self.env.invalidate_all()
        self.assertEqual(line.billed_days, billed)
        self.assertTrue(Line.create(values))

    # === APPROVAL === #

    def test_trying_again_is_for_what_failed(self):
        """D1: not for what waits for approval."""
        self.policy.approval_always = True
        self.own.request_cancellation(timing="immediate")
        with self.assertRaisesRegex(UserError, "did not fail"):
            self.own.cancellation_ids.action_retry()
        self.assertEqual(self.own.cancellation_ids.state, "to_approve")

    def test_moving_the_date_is_an_override(self):
        """D1: which may need approval; a manager who moves it gives that."""
        self.policy.write({"timing": "end_of_period", "approval_on_override": True})
        self.own.request_cancellation()
        with self.assertRaisesRegex(UserError, "would need approval"):
            self.own.postpone_cancellation(requested_date="2026-07-10")
        self.subscription.with_user(self.manager).postpone_cancellation(
            requested_date="2026-07-10"
        )
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_one_approval_is_not_one_for_every_date(self):
        """D1: approved without a credit, moved to where there is one."""
        self.policy.approval_above = 5.0
        self.own.request_cancellation(
            timing="specific_date", requested_date="2026-07-29"
        )
        with self.assertRaisesRegex(UserError, "would need approval"):
            self.own.postpone_cancellation(requested_date="2026-07-10")

    def test_a_credit_that_grew_above_the_limit_waits(self):
        """D1: invoiced only after the cancellation was scheduled."""
        yearly = self.create_subscription([3650.0], interval="1 years")
        yearly.user_id = self.user
        self.policy.approval_above = 100.0
        self.travel_to("2026-07-01")
        yearly.with_user(self.user).request_cancellation(
            timing="specific_date", requested_date="2026-07-05"
        )
        self.bill(yearly, "2026-07-01")
        self.travel_to("2026-07-06")
        cancellation = yearly.cancellation_ids
        cancellation._execute_if_due()
        self.assertEqual(cancellation.state, "to_approve")
        self.assertFalse(self.credit_memos(yearly))
        cancellation.with_user(self.manager)._approve()
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.credit_total, 3600.0)

    def test_a_refund_mode_of_the_subscription_is_an_override(self):
        """D1, A1: chosen on the subscription instead of in the dialog."""
        self.policy.approval_on_override = True
        self.own.refund_mode = "full"
        self.assertEqual(self.own.preview_cancellation()["state"], "to_approve")

    def test_upstream_s_close_follows_the_policy_of_the_back_office(self):
        """B16, D1: for people; approval, timing and reason included."""
        self.policy.write(
            {
                "channel": "backend",
                "timing": "end_of_period",
                "allow_override_timing": False,
                "refund_mode": "none",
                "approval_always": True,
            }
        )
        self.own.close_subscription()
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.state, "to_approve")
        self.assertEqual(cancellation.channel, "backend")
        self.assertEqual(str(cancellation.last_service_date), "2026-07-31")

    def test_a_running_term_is_cut_by_managers_only(self):
        """B16, D1: else the end of the term would be a way around notice."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=12
        )
        limited = self.create_subscription(template=template)
        limited.user_id = self.user
        with self.assertRaisesRegex(UserError, "Use Deactivate"):
            limited.with_user(self.user).date = "2026-07-10"
        limited.with_user(self.user).date = "2028-07-01"
        limited.with_user(self.manager).date = "2026-09-01"

    def test_only_managers_choose_the_policy(self):
        """D1: of a subscription and of a template, also when they are made."""
        lenient = self.policy.copy({"name": "Lenient"})
        template = self.subscription.template_id.with_user(self.user)
        for record in (self.own, template):
            with self.assertRaises(AccessError):
                record.cancellation_policy_id = lenient.id
            with self.assertRaises(AccessError):
                record.copy({"cancellation_policy_id": lenient.id})
        self.subscription.with_user(self.manager).cancellation_policy_id = lenient

    def test_nobody_replaces_what_somebody_else_scheduled(self):
        """B12: to revoke both afterwards; a manager may."""
        self.add_line(self.subscription, {"name": "Second"})
        line = self.get_line(self.subscription, "Line 1")
        options = {"line_ids": line.ids}
        self.subscription.with_user(self.manager).request_cancellation(
            timing="end_of_period", **options
        )
        with self.assertRaisesRegex(UserError, "only they or a cancellation manager"):
            self.own.request_cancellation(
                timing="specific_date", requested_date="2026-07-20", **options
            )
        with self.assertRaisesRegex(UserError, "only they or a cancellation manager"):
            self.own.request_cancellation(timing="immediate")

    # === HISTORY === #

    def test_a_line_with_a_history_stays(self):
        """B7: not moved to another subscription, nor taken off."""
        line = self.subscription.sale_subscription_line_ids
        other = self.create_subscription()
        for target in (other.id, False):
            with self.assertRaisesRegex(UserError, "stays on subscription"):
                line.sale_subscription_id = target
        with self.assertRaisesRegex(UserError, "stays on subscription"):
            self.subscription.write({"sale_subscription_line_ids": [(3, line.id)]})

    def test_a_subscription_with_a_history_stays_in_its_company(self):
        """D4: and so do its cancellations."""
        other = self.env["res.company"].create({"name": "Other"})
        with self.assertRaisesRegex(UserError, "stays in its company"):
            self.subscription.company_id = other

    def test_progress_is_not_set_by_hand(self):
        """B7: upstream's billing of everybody would stop at it."""
        self.cancel(self.subscription)
        with self.assertRaisesRegex(UserError, "started with its button"):
            self.own.in_progress = True

    def test_who_requested_is_kept(self):
        """D4: the user cannot be deleted, only archived."""
        user = new_test_user(
            self.env, "leaver", SALESPERSON, company_id=self.company.id
        )
        self.subscription.user_id = user
        self.subscription.with_user(user).request_cancellation(timing="immediate")
        with self.assertRaises(Exception) as caught, self.env.cr.savepoint():
            user.sudo().unlink()
        self.assertNotIsInstance(caught.exception, AssertionError)
        self.assertEqual(self.subscription.cancellation_ids.requested_by_id, user)

    # === BAD INPUT: NEVER A 500 === #

    def test_dates_of_any_kind_are_refused_with_a_sentence(self):
        """B13, B4: wrong types, other forms, and far too late."""
        self.cancel(self.subscription, timing="end_of_period")
        other = self.create_subscription()
        bad = (5, True, 1.5, ["2026-08-01"], {"a": 1}, "9999-12-31", "2026-08-01 x")
        for day in (*bad, "2026-13-01", "20260801", "\x00"):
            with self.subTest(day=day):
                with self.assertRaises(UserError):
                    self.subscription.postpone_cancellation(requested_date=day)
                with self.assertRaises(UserError):
                    other.preview_cancellation(
                        timing="specific_date", requested_date=day
                    )

    def test_texts_that_no_database_takes(self):
        """D3: a NUL or half of a character; the answer can be sent."""
        for text in ("a\x00", "a\ud800"):
            for name in ("reason_code", "comment", "refund_mode", "requested_date"):
                with self.assertRaisesRegex(UserError, "is not a value for") as caught:
                    self.subscription.request_cancellation(**{name: text})
                str(caught.exception).encode()
            for verb, options in (
                ("request_cancellation", {"idempotency_key": text}),
                ("request_cancellation", {"line_ids": [text]}),
                ("reactivate_subscription", {"mode": text}),
            ):
                with self.assertRaises(UserError) as caught:
                    getattr(self.subscription, verb)(**options)
                str(caught.exception).encode()

    def test_fingerprints_that_are_no_numbers(self):
        """D5: refused like any that does not fit."""
        for fingerprint in (
            '{"rows":[[1e400,0]]}',
            '{"rows":[],"total":NaN}',
            '{"rows":[],"total":Infinity,"end":"","mode":"","reduces":0.0}',
            "[" * 100_000,
        ):
            with self.assertRaisesRegex(UserError, "changed since you saw"):
                self.subscription.request_cancellation(
                    timing="immediate", fingerprint=fingerprint
                )

    def test_numbers_that_make_no_sense_are_refused(self):
        """D1: when the policy is saved."""
        for name in ("notice_period", "minimum_term", "renewal_length", "undo_days"):
            with self.assertRaisesRegex(ValidationError, "Enter a number from 0"):
                self.policy[name] = 10**6

    def test_conditions_that_cannot_be_evaluated_are_refused(self):
        """D1: a number compared with a text."""
        with self.assertRaisesRegex(ValidationError, "is not valid"):
            self.policy.subscription_domain = "[('recurring_total', '>', 'abc')]"

    def test_conditions_on_what_the_user_may_not_read(self):
        """D1: decide all the same."""
        self.policy.subscription_domain = "[('partner_id.credit', '>', 10**9)]".replace(
            "10**9", "1000000000"
        )
        self.assertEqual(self.own.preview_cancellation()["state"], "done")
