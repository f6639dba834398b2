# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is credited, on which document, and what that does to the invoice (C)."""

from ast import literal_eval

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.engine import LINES, let_write

from .common import INVOICING, CancellationCase


@tagged("post_install", "-at_install")
class TestMoney(CancellationCase):
    def setUp(self):
        super().setUp()
        self.policy = self.get_default_policy()

    def reverse_by_hand(self, invoice, price_unit=None):
        """Credit an invoice with Odoo's own wizard; return the posted credit memo."""
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        memo = self.env["account.move"].browse(wizard.refund_moves()["res_id"])
        if price_unit is not None:
            memo.invoice_line_ids.price_unit = price_unit
        memo.action_post()
        return memo

    # === AMOUNTS === #

    def test_prorated_by_calendar_days(self):
        """C1: $31 for July, cancelled on 10 July: 21 days, $21.00."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription)
        row = self.cancel(subscription, "2026-07-10")["lines"][0]
        self.assertEqual((row["unused_days"], row["period_days"]), (21, 31))
        self.assertEqual(row["credit_untaxed"], 21.0)

    def test_basis_is_what_was_billed_not_todays_price(self):
        """C1, C11: a price change after billing does not matter."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription)
        subscription.sale_subscription_line_ids.price_unit = 310.0
        self.assertEqual(self.cancel(subscription, "2026-07-10")["credit_total"], 21.0)

    def test_full_refund_takes_the_latest_billed_period(self):
        """C2: all of July, none of June."""
        subscription = self.create_subscription([31.0], start="2026-06-01")
        self.bill(subscription)
        july = self.bill(subscription)
        self.cancel(subscription, "2026-07-10", refund_mode="full")
        memo = self.credit_memos(subscription)
        self.assertEqual(memo.reversed_entry_id, july)
        self.assertEqual(memo.amount_total, 31.0)
        self.assertEqual(str(memo.invoice_line_ids.start_date), "2026-07-01")

    def test_full_refund_leaves_out_what_is_credited_already(self):
        """C2, C4: only the rest."""
        subscription = self.create_subscription([31.0])
        self.reverse_by_hand(self.bill(subscription), price_unit=10.0)
        result = self.cancel(subscription, "2026-07-10", refund_mode="full")
        self.assertEqual(result["credit_total"], 21.0)

    def test_credited_by_hand_in_full_gives_nothing_more(self):
        """C4: no document, not an empty one."""
        subscription = self.create_subscription([31.0])
        memo = self.reverse_by_hand(self.bill(subscription))
        self.assertEqual(memo.invoice_line_ids.origin_line_id.price_subtotal, 31.0)
        self.assertEqual(self.cancel(subscription, "2026-07-10")["credit_total"], 0.0)
        self.assertFalse(self.credit_memos(subscription))

    def test_credited_by_hand_in_part_is_spread_over_the_period(self):
        """C4: 10.00 for all of July, so 21/31 of it are for the unused days."""
        subscription = self.create_subscription([31.0])
        self.reverse_by_hand(self.bill(subscription), price_unit=10.0)
        result = self.cancel(subscription, "2026-07-10")
        self.assertEqual(result["credit_total"], 14.23)  # 21.00 - 6.77

    def test_unlinked_credit_memo_of_the_invoice_counts_too(self):
        """C4: typed by hand for the invoice, it still limits what is left."""
        subscription = self.create_subscription([31.0])
        invoice = self.bill(subscription)
        memo = self.reverse_by_hand(invoice, price_unit=25.0)
        memo.button_draft()
        memo.invoice_line_ids.write(
            {"origin_line_id": False, "subscription_line_id": False}
        )
        memo.action_post()
        self.assertEqual(self.cancel(subscription, "2026-07-10")["credit_total"], 6.0)

    def test_an_earlier_cancellation_taken_back_by_hand_can_be_credited_again(self):
        """C4: the invoice that reverses our credit memo is billed service again."""
        subscription = self.create_subscription([31.0, 31.0])
        self.bill(subscription)
        line = self.get_line(subscription, "Line 1")
        self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        self.credit_memos(subscription)._reverse_moves()[0].action_post()
        engine = let_write(line, LINES)
        engine.write({"active": True, "cancellation_date": False})
        subscription.invalidate_recordset()
        result = self.cancel(subscription, "2026-07-20", line_ids=line.ids)
        self.assertEqual(result["credit_total"], 11.0)

    def test_several_lines_of_one_invoice_never_exceed_its_tax(self):
        """C4: 3 x 0.33 at 10 % is 0.10 tax on the invoice, 0.03 on each line."""
        tax = self.create_tax(10.0)
        lines = [{"price_unit": 0.35, "taxes": tax} for _ in range(3)]
        subscription = self.create_subscription(lines)
        invoice = self.bill(subscription)
        self.assertEqual((invoice.amount_untaxed, invoice.amount_tax), (1.05, 0.11))
        for line in subscription.sale_subscription_line_ids:
            self.cancel(
                subscription, "2026-07-01", cancel_day_billed=False, line_ids=line.ids
            )
        memos = self.credit_memos(subscription)
        self.assertAlmostEqual(sum(memos.mapped("amount_untaxed")), 1.05, places=6)
        self.assertAlmostEqual(sum(memos.mapped("amount_tax")), 0.11, places=6)
        self.assertEqual(invoice.payment_state, "reversed")

    def test_a_negative_line_reduces_the_credit(self):
        """C1: a discount billed as a line of its own is taken back as well."""
        subscription = self.create_subscription([31.0, -15.5])
        self.bill(subscription)
        self.assertEqual(self.cancel(subscription, "2026-07-10")["credit_total"], 10.5)

    def test_a_rebate_is_not_taken_away_alone(self):
        """C1: that would be a charge; together with its line it is right."""
        subscription = self.create_subscription([100.0, -20.0])
        self.bill(subscription)
        self.travel_to("2026-07-10")
        rebate = self.get_line(subscription, "Line 2")
        with self.assertRaisesRegex(UserError, "would be charged, not credited"):
            self.cancel(subscription, line_ids=rebate.ids)
        self.assertEqual(self.cancel(subscription)["credit_total"], 54.19)

    def test_zero_lines_and_draft_invoices_give_nothing(self):
        """C1: and the draft is named."""
        subscription = self.create_subscription([0.0, 31.0])
        draft = self.bill(subscription, post=False)
        preview = subscription.preview_cancellation()
        self.assertEqual(preview["credit_total"], 0.0)
        self.assertIn(f"no. {draft.id}", preview["settlement"][0]["text"])

    # === OPEN INVOICES === #

    def test_unpaid_invoice_is_reduced(self):
        """C5: nothing is refundable."""
        subscription = self.create_subscription([31.0])
        invoice = self.bill(subscription)
        result = self.cancel(subscription, "2026-07-10")
        self.assertEqual(
            (result["reduces_invoices"], result["refundable"]), (21.0, 0.0)
        )
        self.assertEqual(invoice.amount_residual, 10.0)
        self.assertEqual(self.credit_memos(subscription).amount_residual, 0.0)

    def test_paid_invoice_gives_a_refundable_credit(self):
        """C5: all of it."""
        subscription = self.create_subscription([31.0])
        self.pay(self.bill(subscription))
        result = self.cancel(subscription, "2026-07-10")
        self.assertEqual(
            (result["reduces_invoices"], result["refundable"]), (0.0, 21.0)
        )
        self.assertEqual(self.credit_memos(subscription).amount_residual, 21.0)

    def test_half_paid_invoice_is_reduced_first(self):
        """C5: only what exceeds the amount due is refundable."""
        subscription = self.create_subscription([31.0])
        invoice = self.bill(subscription)
        self.pay(invoice, 20.0)
        preview = subscription.preview_cancellation()
        result = self.cancel(subscription, "2026-07-10")
        self.assertEqual(
            (result["reduces_invoices"], result["refundable"]), (11.0, 10.0)
        )
        self.assertEqual(preview["reduces_invoices"], 11.0)
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assertEqual(self.credit_memos(subscription).amount_residual, 10.0)

    # === HISTORY AND ORIGIN === #

    def test_invoices_and_payments_are_not_touched(self):
        """C10: nothing that was there is deleted or altered."""
        subscription = self.create_subscription([31.0])
        invoice = self.bill(subscription)
        self.pay(invoice, 20.0)
        payments = self.env["account.payment"].search([])
        facts = ["name", "state", "amount_total", "invoice_line_ids"]
        before = invoice.read(facts), payments.read(["amount", "move_id"])
        self.cancel(subscription, "2026-07-10")
        after = invoice.read(facts), payments.read(["amount", "move_id"])
        self.assertEqual(after, before)

    def test_billed_lines_and_cancelled_subscriptions_cannot_be_deleted(self):
        """C10: deactivate instead."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription)
        with self.assertRaisesRegex(UserError, "Deactivate the line instead"):
            subscription.sale_subscription_line_ids.unlink()
        self.cancel(subscription, "2026-07-10")
        with self.assertRaisesRegex(UserError, "history is kept"):
            subscription.unlink()

    def test_everything_comes_from_the_credited_invoice(self):
        """C11: tax, discount, account, analytics, journal; not today's set-up."""
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Project", "plan_id": plan.id}
        )
        tax = self.create_tax(20.0)
        subscription = self.create_subscription(
            [
                {
                    "price_unit": 62.0,
                    "discount": 50.0,
                    "taxes": tax,
                    "analytic_distribution": {str(analytic.id): 100},
                }
            ]
        )
        invoice = self.bill(subscription)
        line = subscription.sale_subscription_line_ids
        line.write({"tax_ids": [Command.clear()], "discount": 0.0})
        tax.amount = 25.0
        tax.amount = 20.0
        self.cancel(subscription, "2026-07-10")
        memo = self.credit_memos(subscription)
        billed, credited = invoice.invoice_line_ids, memo.invoice_line_ids
        for field in (
            "product_id account_id quantity discount tax_ids analytic_distribution"
        ).split():
            self.assertEqual(credited[field], billed[field], field)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (21.0, 4.2))
        self.assertEqual(memo.journal_id, invoice.journal_id)
        self.assertEqual(memo.fiscal_position_id, invoice.fiscal_position_id)

    def test_price_included_tax_is_exact(self):
        """C11: 12.00 with 20 % included is 10.00 net; 21 of 31 days are 6.77."""
        tax = self.create_tax(20.0, price_include_override="tax_included")
        subscription = self.create_subscription([{"price_unit": 12.0, "taxes": tax}])
        self.bill(subscription)
        result = self.cancel(subscription, "2026-07-10")
        self.assertEqual((result["credit_untaxed"], result["credit_tax"]), (6.77, 1.35))
        memo = self.credit_memos(subscription)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (6.77, 1.35))

    def test_fixed_tax_per_unit_is_prorated(self):
        """C11: 3 units with 3.10 of fixed tax each; 21 of 31 days are 6.30."""
        tax = self.create_tax(3.1, amount_type="fixed")
        subscription = self.create_subscription(
            [{"price_unit": 31.0, "product_uom_qty": 3.0, "taxes": tax}]
        )
        invoice = self.bill(subscription)
        self.assertEqual(invoice.amount_tax, 9.3)
        self.cancel(subscription, "2026-07-10")
        memo = self.credit_memos(subscription)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (63.0, 6.3))

    def test_foreign_currency_at_the_rate_of_the_invoice(self):
        """C11: a new rate in between makes no exchange difference."""
        subscription = self.create_subscription([31.0], currency="EUR")
        invoice = self.bill(subscription)
        self.assertEqual(invoice.currency_id.name, "EUR")
        self.env["res.currency.rate"].create(
            {
                "currency_id": invoice.currency_id.id,
                "company_id": self.company.id,
                "name": "2026-07-05",
                "rate": 0.8,
            }
        )
        result = self.cancel(subscription, "2026-07-10")
        memo = self.credit_memos(subscription)
        self.assertEqual((result["currency"], memo.amount_total), ("EUR", 21.0))
        self.assertEqual(memo.invoice_currency_rate, invoice.invoice_currency_rate)
        self.assertEqual(memo.amount_total_signed, -42.0)
        self.assertEqual(invoice.amount_residual, 10.0)

    def test_credit_memo_is_dated_on_its_day_and_after_a_lock_date(self):
        """C11: the day of execution; the accounting date respects the lock."""
        subscription = self.create_subscription([31.0])
        self.bill(subscription)
        self.company.sale_lock_date = "2026-07-31"
        self.cancel(subscription, "2026-07-10")
        memo = self.credit_memos(subscription)
        self.assertEqual(str(memo.invoice_date), "2026-07-10")
        self.assertGreater(str(memo.date), "2026-07-31")

    # === REVIEW === #

    def test_credit_memos_can_wait_for_an_accountant(self):
        """C12: drafts, listed with what and why, posted by many at once."""
        self.policy.post_credit_memos = False
        subscriptions = [self.create_subscription([31.0]) for _ in range(2)]
        for subscription in subscriptions:
            self.bill(subscription, "2026-07-01")
            self.cancel(subscription, "2026-07-10", reason_code="too_expensive")
        action = self.env.ref("subscription_cancellation.account_move_to_review_action")
        memos = self.env["account.move"].search(
            [*literal_eval(action.domain.strip()), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(memos.mapped("state"), ["draft", "draft"])
        self.assertEqual(memos.cancellation_reason_id.code, "too_expensive")
        self.assertEqual(str(memos[0].credited_from), "2026-07-11")
        self.assertEqual(str(memos[0].credited_until), "2026-07-31")
        memos.with_user(self.create_user(INVOICING)).action_post()
        self.assertEqual(memos.mapped("amount_residual"), [0.0, 0.0])

    def test_a_draft_credit_memo_counts_as_credited(self):
        """C4, C12: before it is posted nothing of it is credited again."""
        self.policy.post_credit_memos = False
        subscription = self.create_subscription([31.0, 31.0])
        self.pay(self.bill(subscription), 32.0)
        for line in subscription.sale_subscription_line_ids:
            self.cancel(subscription, "2026-07-10", line_ids=line.ids)
        memos = self.credit_memos(subscription)
        self.assertEqual(memos.mapped("amount_total"), [21.0, 21.0])
        # 62.00 billed, 32.00 paid, 30.00 due: 21.00 by the first, 9.00 by the second.
        self.assertEqual(
            subscription.cancellation_ids.sorted("id").mapped("reduces_invoices"),
            [21.0, 9.0],
        )

    def test_accountant_sees_served_and_unused_days_on_the_credit_memo(self):
        """C12, E1: the invoice, the days and the cancellation are one click away."""
        subscription = self.create_subscription([31.0])
        invoice = self.bill(subscription)
        self.cancel(subscription, "2026-07-10")
        memo = self.credit_memos(subscription)
        row = memo.cancellation_line_ids
        self.assertEqual((row.served_days, row.unused_days), (10, 21))
        self.assertEqual(row.origin_move_id, invoice)
        action = memo.action_open_cancellation()
        self.assertEqual(action["res_id"], subscription.cancellation_ids.id)
        self.assertIn("July 11, 2026 – July 31, 2026", memo.invoice_line_ids.name)
        self.assertIn("(21 of 31 days)", memo.invoice_line_ids.name)

    def test_two_credit_memos_for_one_invoice_in_one_run(self):
        """C5: each is reconciled with its own invoice."""
        first, second = (self.create_subscription([31.0, 62.0]) for _ in range(2))
        invoices = self.bill(first, "2026-07-01") | self.bill(second, "2026-07-01")
        for subscription in (first, second):
            for line in subscription.sale_subscription_line_ids:
                self.cancel(
                    subscription,
                    "2026-07-02",
                    timing="specific_date",
                    requested_date="2026-07-10",
                    line_ids=line.ids,
                )
        self.travel_to("2026-07-11")
        (first | second).cancellation_ids._execute()
        self.assertEqual(invoices.mapped("amount_residual"), [30.0, 30.0])
        memos = self.credit_memos(first) | self.credit_memos(second)
        self.assertEqual(set(memos.mapped("amount_residual")), {0.0})
