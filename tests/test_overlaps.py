# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Cancellations that meet: the same lines, other documents, other doors."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import INVOICING, SALESPERSON, CancellationCase

LATE = {"timing": "specific_date", "requested_date": "2026-07-15"}


@tagged("post_install", "-at_install")
class TestOverlaps(CancellationCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [
                {"name": "Base", "price_unit": 31.0},
                {"name": "Add-on", "price_unit": 62.0, "addon_of": "Base"},
                {"name": "Other", "price_unit": 310.0},
            ]
        )
        self.invoice = self.bill(self.subscription)
        self.base = self.get_line(self.subscription, "Base")
        self.addon = self.get_line(self.subscription, "Add-on")
        self.other = self.get_line(self.subscription, "Other")
        self.travel_to("2026-07-02")

    def execute_due(self, day):
        self.travel_to(day)
        due = self.subscription.cancellation_ids.sorted("id")
        due.filtered(lambda cancellation: cancellation.is_open)._execute_batch()

    def credited(self, line):
        """Return what was credited of a line, untaxed."""
        memos = self.invoice.refund_invoice_ids.invoice_line_ids
        return sum(
            memos.filtered(lambda item: item.subscription_line_id == line).mapped(
                "price_subtotal"
            )
        )

    # === THE SAME LINE TWICE === #

    def test_add_on_and_parent_scheduled_one_after_the_other(self):
        """C4, A6: on the same day in the same run, each line is credited once."""
        self.cancel(self.subscription, line_ids=self.addon.ids, **LATE)
        result = self.cancel(self.subscription, line_ids=self.base.ids, **LATE)
        self.assertEqual([row["name"] for row in result["lines"]], ["Base"])
        self.execute_due("2026-07-16")
        self.assertEqual(self.credited(self.addon), 32.0)
        self.assertEqual(self.credited(self.base), 16.0)

    def test_add_on_ends_earlier_than_its_parent(self):
        """C4, B7: each on its own date, also where both are executed late."""
        self.cancel(
            self.subscription,
            timing="specific_date",
            requested_date="2026-07-10",
            line_ids=self.addon.ids,
        )
        self.cancel(self.subscription, line_ids=self.base.ids, **LATE)
        self.execute_due("2026-07-20")
        self.assertEqual(self.credited(self.addon), 42.0)
        self.assertEqual(self.credited(self.base), 16.0)
        self.assertEqual(str(self.addon.cancellation_date), "2026-07-11")

    def test_one_of_two_lines_is_taken_over_by_an_earlier_end(self):
        """B7, C4: the other one stays with the cancellation it was in."""
        both = (self.addon | self.other).ids
        self.cancel(self.subscription, timing="end_of_period", line_ids=both)
        first = self.subscription.cancellation_ids
        self.cancel(self.subscription, line_ids=self.addon.ids, **LATE)
        self.assertEqual(first.line_ids.subscription_line_id, self.other)
        self.assertEqual(str(self.addon.cancellation_date), "2026-07-16")
        self.execute_due("2026-08-01")
        self.assertEqual(self.credited(self.addon), 32.0)
        self.assertFalse(self.other.active)

    def test_a_line_that_became_an_add_on_meanwhile(self):
        """C4, A6: it goes with the one that holds it, and is credited once."""
        self.cancel(self.subscription, line_ids=self.other.ids, **LATE)
        self.cancel(self.subscription, line_ids=self.base.ids, **LATE)
        self.other.parent_line_id = self.base
        self.execute_due("2026-07-16")
        self.assertEqual(self.credited(self.other), 160.0)

    def test_full_refund_of_both(self):
        """C2, C4: no line gives more than it was billed."""
        options = {"timing": "end_of_period", "refund_mode": "full"}
        self.cancel(self.subscription, line_ids=self.addon.ids, **options)
        self.cancel(self.subscription, line_ids=self.base.ids, **options)
        self.execute_due("2026-08-01")
        self.assertEqual(self.credited(self.addon), 62.0)
        self.assertEqual(self.credited(self.base), 31.0)

    def test_the_whole_does_not_end_before_a_failed_line(self):
        """B7, D4: it fails too and says why; nothing runs on as if all were well."""
        self.cancel(self.subscription, line_ids=self.base.ids, **LATE)
        line = self.subscription.cancellation_ids
        self.cancel(self.subscription, timing="end_of_period")
        whole = self.subscription.cancellation_ids - line
        line.sudo()._fail("No reason.")
        self.travel_to("2026-08-01")
        whole.sudo()._execute_or_fail()
        self.assertEqual(whole.state, "failed")
        self.assertIn(f"Cancellation {line.name}", whole.failure_message)
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        line.sudo().action_retry()
        whole.sudo().action_retry()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertEqual(self.credited(self.base), 16.0)

    def test_every_line_for_itself_is_non_renewing_too(self):
        """B7, B11: visible, not offered again, and revocable."""
        for line in (self.base, self.other):
            self.cancel(self.subscription, timing="end_of_period", line_ids=line.ids)
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.assertEqual(str(self.subscription.cancellation_date), "2026-08-01")
        with self.assertRaisesRegex(UserError, "already cancelled"):
            self.cancel(self.subscription)
        self.subscription.revoke_cancellation()
        self.assertEqual(self.subscription.cancellation_state, "active")

    # === OTHER DOCUMENTS === #

    def test_a_draft_for_days_after_the_end_is_told_before_and_settled(self):
        """C1, C9: drafts are not credited; what was served of them is invoiced."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-10"
        )
        draft = self.bill(self.subscription, post=False)
        cancellation = self.subscription.cancellation_ids
        warnings = cancellation._get_preview_warnings()
        self.assertIn(draft.display_name, warnings[0])
        self.execute_due("2026-08-11")
        self.assertEqual(cancellation.state, "done")
        self.assertEqual(draft.state, "cancel")
        # 10 of 31 days of 31.00 + 62.00 + 310.00
        self.assertEqual(cancellation.charge_invoice_ids.amount_untaxed, 130.0)

    def test_a_draft_is_settled_also_when_a_failed_one_is_tried_again(self):
        """C9, D4: the warning about the failure goes."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-08-10"
        )
        draft = self.bill(self.subscription, post=False)
        self.travel_to("2026-08-11")
        cancellation = self.subscription.cancellation_ids.sudo()
        cancellation._fail("No reason.")
        cancellation.action_retry()
        self.assertEqual((cancellation.state, draft.state), ("done", "cancel"))
        self.assertFalse(cancellation.activity_ids)

    def test_what_waits_for_approval_does_not_hold_back_the_end_of_everything(self):
        """D5, A6: previewed and posted alike, whichever date the undecided one has."""
        policy = self.get_default_policy()
        policy.write({"approval_above": 20.0})
        self.cancel(self.subscription, "2026-07-02", line_ids=self.base.ids)
        self.assertEqual(self.subscription.cancellation_ids.state, "to_approve")
        policy.approval_above = 0.0
        self.travel_to("2026-07-10")
        preview = self.subscription.preview_cancellation(timing="immediate")
        self.assertEqual(preview["credit_untaxed"], 273.0)
        answer = self.cancel(self.subscription)
        self.assertEqual((answer["state"], answer["credit_untaxed"]), ("done", 273.0))
        self.assertEqual(
            sorted(self.subscription.cancellation_ids.mapped("state")),
            ["done", "revoked"],
        )

    def test_a_line_that_comes_back_ends_with_everything(self):
        """B12, B15: it is billed when the end of everything is taken back."""
        self.cancel(self.subscription, line_ids=self.other.ids, refund_mode="none")
        self.bill(self.subscription, "2026-07-02")
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-20"
        )
        [line_end] = self.subscription.cancellation_ids.filtered("can_undo")
        line_end.action_undo()
        self.assertEqual(str(self.other.cancellation_date), "2026-07-21")
        self.subscription.revoke_cancellation()
        [charge] = self.subscription.cancellation_ids.charge_invoice_ids
        [item] = charge.invoice_line_ids
        self.assertEqual(item.price_subtotal, 310.0)
        self.assertEqual(
            (str(item.start_date), str(item.end_date)), ("2026-08-01", "2026-08-31")
        )

    def test_days_not_invoiced_because_of_a_revoked_end_are_charged(self):
        """B12: an invoice made in the meantime left the line out; as if it had not."""
        self.cancel(self.subscription, timing="end_of_period", line_ids=self.other.ids)
        self.bill(self.subscription, "2026-07-20")
        self.subscription.revoke_cancellation()
        [charge] = self.subscription.cancellation_ids.charge_invoice_ids
        item = charge.invoice_line_ids
        self.assertEqual(item.subscription_line_id, self.other)
        self.assertEqual(item.price_subtotal, self.other.price_subtotal)
        self.assertEqual(
            (str(item.start_date), str(item.end_date)), ("2026-08-01", "2026-08-31")
        )

    def test_a_replaced_end_is_told_when_the_other_one_is_undone(self):
        """B15: somebody decides whether it still holds."""
        self.cancel(self.subscription, timing="end_of_period", line_ids=self.other.ids)
        self.cancel(self.subscription)
        [replaced, whole] = self.subscription.cancellation_ids.sorted("id")
        self.assertEqual(replaced.state, "revoked")
        whole.action_undo()
        self.assertIn("to end on July 31, 2026", whole.activity_ids.note)
        self.assertIn(replaced.name, whole.activity_ids.note)

    def test_a_revoked_end_within_a_billed_period_charges_nothing(self):
        """B12: the invoice of the period covers every day."""
        self.cancel(
            self.subscription, timing="specific_date", requested_date="2026-07-20"
        )
        self.subscription.revoke_cancellation()
        cancellation = self.subscription.cancellation_ids
        self.assertFalse(cancellation.charge_invoice_ids)
        self.assertFalse(cancellation.activity_ids)

    def test_tax_is_what_was_billed_whatever_the_rate_is_today(self):
        """C11: 10 % billed and 20 % today, percent, included and fixed."""
        for before, after, values, tax in (
            (10.0, 20.0, {}, 2.1),
            (20.0, 5.0, {}, 4.2),
            (1.0, 5.0, {"amount_type": "fixed"}, 0.68),
            (25.0, 20.0, {"price_include_override": "tax_included"}, 4.2),
        ):
            with self.subTest(before=before, after=after):
                record = self.create_tax(before, name=f"{before} {values}", **values)
                subscription = self.create_subscription(
                    [{"price_unit": 31.0, "taxes": record}]
                )
                self.bill(subscription, "2026-07-01")
                record.amount = after
                result = self.cancel(subscription, "2026-07-10")
                memo = self.credit_memos(subscription)
                self.assertEqual(result["credit_tax"], tax)
                self.assertAlmostEqual(memo.amount_tax, tax, places=6)

    def test_cash_rounding_is_not_credited(self):
        """C4: 31.04 rounded down to 31.00; no more than that is credited."""
        account = self.company_data["default_account_revenue"]
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "Down to 0.05",
                "rounding": 0.05,
                "strategy": "add_invoice_line",
                "rounding_method": "DOWN",
                "profit_account_id": account.id,
                "loss_account_id": account.id,
            }
        )
        subscription = self.create_subscription([31.04])
        invoice = self.bill(subscription, "2026-07-01", post=False)
        invoice.invoice_cash_rounding_id = rounding
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 31.0)
        result = self.cancel(subscription, "2026-07-10", refund_mode="full")
        self.assertEqual(result["credit_total"], 31.0)
        self.assertEqual(self.credit_memos(subscription).amount_total, 31.0)
        self.assertEqual(invoice.amount_residual, 0.0)

    def test_a_credit_memo_is_cancelled_not_deleted(self):
        """D4: it is the proof of a cancellation."""
        self.get_default_policy().post_credit_memos = False
        self.cancel(self.subscription, "2026-07-10")
        memo = self.credit_memos(self.subscription)
        with self.assertRaisesRegex(UserError, "cancel it instead"):
            memo.unlink()
        memo.button_cancel()
        self.assertEqual(memo.state, "cancel")

    def test_the_currency_is_the_invoices_also_without_a_credit(self):
        """C11: not the company's."""
        subscription = self.create_subscription([3100.0], currency="JPY")
        self.bill(subscription, "2026-07-01")
        preview = subscription.preview_cancellation(timing="end_of_period")
        self.assertEqual(preview["currency"], "JPY")

    # === BACK DOORS === #

    def test_lines_and_status_are_not_changed_by_hand(self):
        """A2, C10: nothing stops billing without a record and a credit."""
        user = self.create_user(SALESPERSON)
        line = self.other.with_user(user)
        for values in ({"active": False}, {"cancellation_date": "2026-07-05"}):
            with self.assertRaisesRegex(UserError, "with Deactivate"):
                line.write(values)
        subscription = self.subscription.with_user(user)
        with self.assertRaisesRegex(UserError, "follows from its cancellations"):
            subscription.cancellation_state = "cancelled"
        with self.assertRaisesRegex(UserError, "pause or deactivate"):
            subscription.stage_id = self.env.ref(
                "subscription_oca.subscription_stage_draft"
            )
        with self.assertRaisesRegex(UserError, "history is kept"):
            subscription.unlink()
        with self.assertRaisesRegex(UserError, "with Deactivate"):
            subscription.write(
                {
                    "sale_subscription_line_ids": [
                        Command.update(self.other.id, {"active": False})
                    ]
                }
            )

    def test_an_accountant_may_look_at_the_subscription(self):
        """C12: to understand a credit memo, and to link old invoice lines."""
        accountant = self.create_user(INVOICING)
        subscription = self.subscription.with_user(accountant)
        self.assertEqual(subscription.sale_subscription_line_ids[0].name, "Base")
        self.assertTrue(subscription.cannot_cancel_reason is False)

    def test_end_of_term_is_dated_with_the_term_also_when_found_late(self):
        """B7: the first day without service is the day after the term."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        subscription = self.create_subscription(template=template)
        self.bill(subscription, "2026-07-01")
        self.travel_to("2026-08-05")
        self.env["sale.subscription"].cron_subscription_management()
        self.assertEqual(str(subscription.cancellation_date), "2026-08-01")

    def test_the_rest_is_told_while_a_part_waits_for_approval(self):
        """D5, C11: the answer has the figures of the preview, until it is decided."""
        self.get_default_policy().write(
            {"approval_above": 40.0, "allow_own_approval": True}
        )
        self.cancel(self.subscription, line_ids=self.base.ids, **LATE)
        waiting = self.subscription.cancellation_ids
        self.assertEqual(waiting.state, "to_approve")
        self.get_default_policy().approval_above = 500.0
        options = {"timing": "specific_date", "requested_date": "2026-07-21"}
        preview = self.subscription.preview_cancellation(**options)
        answer = self.subscription.request_cancellation(**options)
        # 22 to 31 July: 10 of 31 days of $310.00.
        self.assertEqual(
            (preview["credit_total"], answer["credit_total"]), (100.0, 100)
        )
        whole = self.subscription.cancellation_ids - waiting
        waiting._refuse("No")
        self.assertEqual(whole._as_dict()["credit_total"], 130.0)
        self.execute_due("2026-07-22")
        self.assertEqual(whole.credit_total, 130.0)
