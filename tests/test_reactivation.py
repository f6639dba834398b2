# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Resume, a new term, and undoing what was executed (B15)."""

from odoo.exceptions import AccessError, UserError
from odoo.fields import Date
from odoo.tests import Form, tagged

from .common import SALESPERSON, CancellationCase


class ReactivationCase(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription([31.0, 62.0])
        self.july = self.bill(self.subscription)
        self.travel_to("2026-07-10")

    def get_balance(self, subscription):
        """Return what the customer was billed, less what was credited."""
        items = self.env["account.move.line"].search(
            [
                ("subscription_line_id", "in", self.get_lines(subscription).ids),
                ("parent_state", "=", "posted"),
            ]
        )
        return -sum(items.mapped("amount_currency"))

    def get_lines(self, subscription):
        return subscription.sale_subscription_line_ids | subscription.archived_line_ids

    def get_state(self, subscription):
        """Return everything that must come back exactly as it was."""
        subscription.invalidate_recordset()
        names = "date_start date recurring_next_date stage_id in_progress".split()
        names += ["cancellation_state", "cancellation_date", "recurring_total"]
        return [
            *(subscription[name] for name in names),
            *subscription.sale_subscription_line_ids.mapped(
                lambda line: (line, line.active, line.cancellation_date)
            ),
        ]


@tagged("post_install", "-at_install")
class TestResume(ReactivationCase):
    def test_within_the_paid_period_everything_comes_back_as_it_was(self):
        """B15: lines, dates and money; the credit memo is taken back."""
        before = self.get_state(self.subscription)
        self.cancel(self.subscription)
        self.assertEqual(self.get_balance(self.subscription), 30.0)
        self.travel_to("2026-07-15")
        answer = self.subscription.reactivate_subscription()
        self.assertEqual(self.get_state(self.subscription), before)
        self.assertEqual(self.get_balance(self.subscription), 93.0)
        self.assertEqual(answer["subscription_state"], "active")
        self.assertEqual(answer["next_invoice_date"], "2026-08-01")
        self.assertEqual(answer["date_start"], "2026-07-01")
        self.assertEqual(self.bill(self.subscription).amount_total, 93.0)

    def test_the_credit_memo_is_taken_back_by_an_invoice_for_the_same_days(self):
        """B15: a document for the customer, reconciled with the open credit."""
        self.pay(self.july)
        self.cancel(self.subscription)
        memo = self.credit_memos(self.subscription)
        self.assertEqual(memo.amount_residual, 63.0)
        self.subscription.reactivate_subscription()
        [invoice] = self.subscription.cancellation_ids.charge_invoice_ids
        self.assertRecordValues(
            invoice,
            [{"move_type": "out_invoice", "state": "posted", "amount_total": 63.0}],
        )
        self.assertEqual(invoice.reversed_entry_id, memo)
        self.assertEqual((memo.amount_residual, invoice.amount_residual), (0.0, 0.0))
        self.assertEqual(
            invoice.invoice_line_ids.mapped(lambda line: str(line.start_date)),
            ["2026-07-11", "2026-07-11"],
        )
        self.assertIn("Takes back the credit for July 11", invoice.line_ids[0].name)

    def test_taxes_are_taken_back_to_the_cent(self):
        """B15, C11: included, on top and of a fixed amount, as they were credited."""
        taxes = (
            self.create_tax(19.0)
            | self.create_tax(7.0, price_include_override="tax_included")
            | self.create_tax(1.11, amount_type="fixed")
        )
        subscription = self.create_subscription(
            [{"price_unit": 33.33, "taxes": taxes}, {"price_unit": 9.99}],
            start="2026-07-10",
        )
        self.bill(subscription)
        self.cancel(subscription, "2026-07-22")
        memo = self.credit_memos(subscription)
        subscription.reactivate_subscription()
        invoice = subscription.cancellation_ids.charge_invoice_ids
        for name in ("amount_untaxed", "amount_tax", "amount_total"):
            self.assertAlmostEqual(invoice[name], memo[name], 2, name)
        self.assertTrue(memo.amount_tax)

    def test_after_a_resume_the_same_days_are_credited_again_once(self):
        """B15, C4: cancelled again later, only the days that are left count."""
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription()
        answer = self.cancel(self.subscription, "2026-07-20")
        self.assertEqual(answer["credit_total"], 33.0)
        self.assertEqual(self.get_balance(self.subscription), 60.0)

    def test_after_two_resumes_each_day_is_still_credited_once(self):
        """B15, C1, C4: what was taken back is as if it had never been credited."""
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription()
        self.cancel(self.subscription, "2026-07-10", cancel_day_billed=False)
        self.assertEqual(self.get_balance(self.subscription), 27.0)
        memos = self.credit_memos(self.subscription)
        lines = memos.sorted("id")[-1].invoice_line_ids
        first, last = Date.to_date("2026-07-10"), Date.to_date("2026-07-31")
        self.assertRecordValues(
            lines,
            [
                {"price_subtotal": amount, "start_date": first, "end_date": last}
                for amount in (22.0, 44.0)
            ],
        )
        self.assertIn("July 10, 2026 – July 31, 2026 (22 of 31 days)", lines[0].name)
        self.subscription.reactivate_subscription()
        answer = self.cancel(self.subscription, "2026-07-20")
        self.assertEqual(answer["credit_total"], 33.0)
        self.assertEqual(self.get_balance(self.subscription), 60.0)

    def test_after_a_resume_a_full_credit_takes_the_whole_period(self):
        """C2, C4: the days before the first cancellation too."""
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription()
        answer = self.cancel(self.subscription, "2026-07-20", refund_mode="full")
        self.assertEqual(answer["credit_total"], 93.0)
        self.assertEqual(self.get_balance(self.subscription), 0.0)

    def test_after_the_paid_period_billing_resumes_from_today(self):
        """B15: no free and no double period; the credit stays."""
        self.cancel(self.subscription)
        self.travel_to("2026-08-20")
        self.subscription.reactivate_subscription()
        self.assertEqual(
            self.subscription.recurring_next_date, Date.to_date("2026-08-20")
        )
        self.assertEqual(self.subscription.date_start, Date.to_date("2026-07-01"))
        self.assertFalse(self.subscription.cancellation_ids.charge_invoice_ids)
        invoice = self.bill(self.subscription)
        self.assertEqual(str(invoice.invoice_line_ids[0].start_date), "2026-08-20")
        self.assertEqual(invoice.amount_total, 93.0)

    def test_on_the_first_day_after_the_paid_period_nothing_is_taken_back(self):
        """B15: the limit belongs to the time after."""
        self.cancel(self.subscription)
        self.travel_to("2026-08-01")
        self.subscription.reactivate_subscription()
        self.assertEqual(
            self.subscription.recurring_next_date, Date.to_date("2026-08-01")
        )
        self.assertFalse(self.subscription.cancellation_ids.charge_invoice_ids)

    def test_without_a_credit_nothing_is_taken_back(self):
        """B15: the paid period goes on, the next one is billed as planned."""
        self.cancel(self.subscription, refund_mode="none")
        self.subscription.reactivate_subscription()
        self.assertEqual(
            self.subscription.recurring_next_date, Date.to_date("2026-08-01")
        )
        self.assertEqual(self.get_balance(self.subscription), 93.0)

    def test_a_draft_credit_memo_is_cancelled(self):
        """B15, C12: nothing was issued yet, so nothing has to be reversed."""
        self.get_default_policy().post_credit_memos = False
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription()
        self.assertEqual(self.credit_memos(self.subscription).state, "cancel")
        self.assertFalse(self.subscription.cancellation_ids.charge_invoice_ids)
        self.assertEqual(self.cancel(self.subscription)["credit_total"], 63.0)

    def test_a_credit_memo_reversed_by_hand_is_not_taken_back_again(self):
        """B15: exactly once."""
        self.cancel(self.subscription)
        self.credit_memos(self.subscription)._reverse_moves(cancel=True)
        self.subscription.reactivate_subscription()
        self.assertFalse(self.subscription.cancellation_ids.charge_invoice_ids)

    def test_a_period_that_was_not_billed_yet_is_billed_as_a_whole(self):
        """B15: cancelled before the invoice was made, and resumed at once."""
        late = self.create_subscription([31.0], start="2026-07-01")
        self.cancel(late, "2026-07-10")
        self.travel_to("2026-07-12")
        late.reactivate_subscription()
        self.assertEqual(late.recurring_next_date, Date.to_date("2026-07-01"))

    def test_lines_that_ended_before_stay_ended(self):
        """B15: only what the last cancellation ended comes back."""
        first, second = self.subscription.sale_subscription_line_ids
        self.cancel(self.subscription, line_ids=first.ids)
        self.cancel(self.subscription, "2026-07-12")
        self.subscription.reactivate_subscription()
        self.assertEqual(self.subscription.sale_subscription_line_ids, second)
        self.assertEqual(self.get_balance(self.subscription), 72.0)

    def test_a_subscription_that_had_not_started_is_ready_again(self):
        """B15, B10: in the stage it was in."""
        draft = self.env.ref("subscription_oca.subscription_stage_draft")
        future = self.create_subscription()
        future.stage_id = draft
        self.cancel(future)
        future.reactivate_subscription()
        self.assertEqual(future.stage_id, draft)
        self.assertEqual(future.cancellation_state, "active")

    def test_what_upstream_closed_without_a_cancellation_resumes_from_today(self):
        """B15: closed before the addon was there."""
        self.subscription._close(False)
        self.travel_to("2026-09-05")
        answer = self.subscription.reactivate_subscription()
        self.assertEqual(answer["next_invoice_date"], "2026-09-05")
        self.assertFalse(answer["cancellation_id"])

    def test_proof_is_kept_and_added_to(self):
        """D4: the cancellation stays done; who took it back when is added."""
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription()
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(cancellation.reactivated_by_id, self.env.user)
        self.assertEqual(cancellation.credit_total, 63.0)
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            cancellation.reactivated_date = False

    def test_twice(self):
        """B15: again and again, each credit is taken back once."""
        for day in ("2026-07-11", "2026-07-13", "2026-07-15"):
            self.cancel(self.subscription, day)
            self.subscription.reactivate_subscription()
        self.assertEqual(self.get_balance(self.subscription), 93.0)

    # === NEW TERM === #

    def test_a_new_term_starts_today_and_keeps_the_credit(self):
        """B15: a start date of its own, billed from today."""
        self.cancel(self.subscription)
        self.travel_to("2026-07-20")
        answer = self.subscription.reactivate_subscription(mode="new_term")
        self.assertEqual(answer["date_start"], "2026-07-20")
        self.assertEqual(answer["next_invoice_date"], "2026-07-20")
        self.assertEqual(self.get_balance(self.subscription), 30.0)
        self.assertEqual(self.bill(self.subscription).amount_total, 93.0)

    def test_a_new_term_does_not_bill_paid_days_again(self):
        """B15: cancelled without a credit, the rest of July is paid."""
        self.cancel(self.subscription, refund_mode="none")
        self.subscription.reactivate_subscription(mode="new_term")
        self.assertEqual(
            self.subscription.recurring_next_date, Date.to_date("2026-08-01")
        )

    def test_a_fixed_term_counts_from_the_day_of_the_new_term(self):
        """B15: twelve months from today."""
        limited = self.create_limited(months=12)
        self.cancel(limited, "2026-09-15")
        limited.reactivate_subscription(mode="new_term")
        self.assertEqual(limited.date, Date.to_date("2027-09-15"))

    def create_limited(self, months):
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=months
        )
        return self.create_subscription(template=template)

    # === REFUSED === #

    def test_a_term_that_is_over_is_not_resumed(self):
        """B15: only a new term can be started."""
        limited = self.create_limited(months=2)
        self.cancel(limited)
        self.travel_to("2026-09-01")
        with self.assertRaisesRegex(UserError, "its term ended on August 31, 2026"):
            limited.reactivate_subscription()
        limited.reactivate_subscription(mode="new_term")
        self.assertEqual(limited.date, Date.to_date("2026-11-01"))

    def test_what_is_not_cancelled_is_not_reactivated(self):
        """B15: running and non-renewing subscriptions."""
        with self.assertRaisesRegex(UserError, "is not cancelled"):
            self.subscription.reactivate_subscription()
        self.cancel(self.subscription, timing="end_of_period")
        with self.assertRaisesRegex(UserError, "is not cancelled"):
            self.subscription.reactivate_subscription()

    def test_an_archived_product_is_named(self):
        """B15: nothing is changed."""
        self.cancel(self.subscription)
        self.get_lines(self.subscription)[0].product_id.active = False
        with self.assertRaisesRegex(UserError, "its product Line 1 is archived"):
            self.subscription.reactivate_subscription()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_an_archived_customer_is_named(self):
        """B15: nobody to bill."""
        self.cancel(self.subscription)
        self.subscription.partner_id.active = False
        with self.assertRaisesRegex(UserError, "customer Azure Interior is archived"):
            self.subscription.reactivate_subscription()

    def test_an_unknown_mode_is_named(self):
        """B15: bad input over the API."""
        self.cancel(self.subscription)
        for mode in ("pause", None, 7):
            with self.assertRaisesRegex(UserError, "use one of resume, new_term"):
                self.subscription.reactivate_subscription(mode=mode)

    def test_without_the_right_nobody_reactivates(self):
        """B15: checked in Python at the verb."""
        self.cancel(self.subscription)
        user = self.create_user("base.group_user", "account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.subscription.with_user(user).reactivate_subscription()

    def test_a_salesperson_reactivates(self):
        """B15: without rights in accounting."""
        user = self.create_user(SALESPERSON)
        self.subscription.user_id = user
        self.cancel(self.subscription.with_user(user))
        self.subscription.with_user(user).reactivate_subscription()
        self.assertEqual(self.get_balance(self.subscription), 93.0)

    # === THE DIALOG === #

    def test_the_dialog_says_what_happens(self):
        """B15: before it does."""
        self.cancel(self.subscription)
        action = self.subscription.action_reactivate()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        self.assertIn("is taken back by an invoice of $\xa063.00", form.preview)
        self.assertIn("the period from August 1, 2026", form.preview)
        form.mode = "new_term"
        self.assertIn("starts anew on July 10, 2026", form.preview)
        self.assertIn("the period from July 11, 2026", form.preview)
        self.assertIn("What was credited stays credited", form.preview)
        form.save().action_confirm()
        self.assertEqual(self.subscription.cancellation_state, "active")


@tagged("post_install", "-at_install")
class TestUndo(ReactivationCase):
    def setUp(self):
        super().setUp()
        self.line = self.get_line(self.subscription, "Line 1")

    def undo(self, **options):
        self.cancel(self.subscription, **options)
        self.subscription.cancellation_ids[0].action_undo()

    def test_the_whole_comes_back_as_it_was(self):
        """B15: for mistakes."""
        before = self.get_state(self.subscription)
        self.undo()
        self.assertEqual(self.get_state(self.subscription), before)
        self.assertEqual(self.get_balance(self.subscription), 93.0)

    def test_a_line_comes_back_as_it_was(self):
        """B15: its credit memo is taken back, the rest is not touched."""
        before = self.get_state(self.subscription)
        self.undo(line_ids=self.line.ids)
        self.assertEqual(self.get_state(self.subscription), before)
        self.assertEqual(self.get_balance(self.subscription), 93.0)
        self.assertEqual(self.bill(self.subscription).amount_total, 93.0)

    def test_a_line_that_an_invoice_left_out_is_charged_for_the_days_left(self):
        """B15: August was billed without it, undone on 5 August: 27 of 31 days."""
        self.get_default_policy().undo_days = 30
        self.cancel(self.subscription, line_ids=self.line.ids)
        self.bill(self.subscription)
        self.travel_to("2026-08-05")
        self.subscription.cancellation_ids.action_undo()
        [invoice] = self.subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual(invoice.amount_total, 27.0)
        self.assertEqual(str(invoice.invoice_line_ids.start_date), "2026-08-05")
        self.assertEqual(str(invoice.invoice_line_ids.end_date), "2026-08-31")
        self.assertEqual(self.bill(self.subscription).amount_total, 93.0)

    def test_add_ons_come_back_with_their_parent(self):
        """B15, A6: what was ended together."""
        addon = self.add_line(self.subscription, {"name": "Add-on"})
        addon.parent_line_id = self.line
        self.undo(line_ids=self.line.ids)
        self.assertTrue(addon.active)
        self.assertTrue(self.line.active)

    def test_an_add_on_does_not_come_back_without_its_parent(self):
        """B15, A6: the parent has ended since."""
        addon = self.add_line(self.subscription, {"name": "Add-on"})
        addon.parent_line_id = self.line
        self.cancel(self.subscription, line_ids=addon.ids)
        of_addon = self.subscription.cancellation_ids
        self.cancel(self.subscription, line_ids=self.line.ids)
        of_parent = self.subscription.cancellation_ids - of_addon
        with self.assertRaisesRegex(UserError, "“Add-on” is an add-on of “Line 1”"):
            of_addon.action_undo()
        of_parent.action_undo()
        of_addon.action_undo()
        self.assertTrue(addon.active)

    def test_the_window_is_set_by_the_policy(self):
        """B15: seven days unless the policy says otherwise; none at all with zero."""
        self.cancel(self.subscription)
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(str(cancellation.undo_until_date), "2026-07-17")
        self.travel_to("2026-07-18")
        with self.assertRaisesRegex(UserError, "can no longer be undone"):
            cancellation.action_undo()
        self.travel_to("2026-07-17")
        cancellation.invalidate_recordset()
        self.assertTrue(cancellation.can_undo)
        self.get_default_policy().undo_days = 0
        self.assertFalse(cancellation.can_undo)
        with self.assertRaisesRegex(UserError, "can no longer be undone"):
            cancellation.action_undo()

    def test_undone_once(self):
        """B15: not twice, and nothing that is not done."""
        self.undo()
        cancellation = self.subscription.cancellation_ids
        with self.assertRaisesRegex(UserError, "is undone already"):
            cancellation.action_undo()
        self.cancel(self.subscription, timing="end_of_period")
        with self.assertRaisesRegex(UserError, "is not executed"):
            self.subscription.cancellation_ids.sorted("id")[-1].action_undo()

    def test_a_line_of_what_has_ended_since_needs_a_reactivation_first(self):
        """B15: then it can be undone."""
        self.cancel(self.subscription, line_ids=self.line.ids)
        of_line = self.subscription.cancellation_ids
        self.cancel(self.subscription)
        with self.assertRaisesRegex(UserError, "has ended since"):
            of_line.action_undo()
        self.subscription.reactivate_subscription()
        of_line.action_undo()
        self.assertEqual(self.get_balance(self.subscription), 93.0)

    def test_somebody_else_needs_to_be_a_manager(self):
        """B15: who requested it, or a cancellation manager."""
        self.cancel(self.subscription)
        user = self.create_user(SALESPERSON)
        cancellation = self.subscription.cancellation_ids.with_user(user)
        self.assertFalse(cancellation.can_undo)
        with self.assertRaises(AccessError):
            cancellation.action_undo()

    def test_a_line_that_ended_before_a_new_term_is_billed_with_it(self):
        """B15: its credit stays, as the new term bills the same days."""
        self.cancel(self.subscription, line_ids=self.line.ids)
        of_line = self.subscription.cancellation_ids
        self.cancel(self.subscription, "2026-07-12")
        self.subscription.reactivate_subscription(mode="new_term")
        of_line.action_undo()
        # Served on 12 July, before the new term is billed from the 13th on.
        self.assertEqual(self.get_balance(self.subscription), 10.0 + 24.0 + 1.03)
        self.assertEqual(self.bill(self.subscription).amount_total, 93.0)
