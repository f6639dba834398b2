# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books after unbilled charges, advance invoices, and an undo (C3, C9)."""

from odoo.tests import tagged

from .accounting import CREDIT, SERVED, AccountingCase


@tagged("post_install", "-at_install")
class TestUnbilledChargesInTheBooks(AccountingCase):
    """What was served is billed to the day, or nothing is (C9)."""

    def subscribe_unbilled(self, **values):
        """Return a subscription to $31.00 and 10 % tax that nobody has billed yet."""
        line = {"price_unit": 31.0, "taxes": self.tax}
        return self.create_subscription([line], **values)

    def subscribe_with_draft(self):
        """Return such a subscription, and its draft invoice for July."""
        subscription = self.subscribe_unbilled()
        return subscription, self.bill(subscription, post=False)

    def test_a_full_credit_beside_days_that_are_invoiced_now(self):
        """C2, C9: billed late: July is credited, and 10 days of August are charged."""
        subscription, july = self.subscribe()
        self.cancel(subscription, "2026-08-10", refund_mode="full")
        self.assert_open(july, 0.0, "reversed")
        self.assertEqual(self.credit_memos(subscription).amount_total, 34.10)
        charged = self.steps(subscription, "unbilled").move_id
        self.assertEqual(charged.amount_total, 11.00)
        self.assert_balance(11.00, subscription)

    def assert_served_days_billed(self, invoice):
        """10 days of July are billed: $10.00 and 10 % tax."""
        self.assert_items(
            invoice,
            ("receivable", 11.00, 0.0),
            ("revenue", 0.0, 10.00, "base"),
            ("tax due", 0.0, 1.00, "tax"),
        )
        self.assertEqual(str(invoice.invoice_line_ids.end_date), "2026-07-10")

    def test_a_draft_is_billed_to_the_day(self):
        """C9: the draft of 34.10 is cancelled in favour of 11.00."""
        subscription, draft = self.subscribe_with_draft()
        self.assertFalse(self.settle(subscription))
        step = self.steps(subscription, "unbilled")
        self.assertRecordValues(step, [{"state": "done", "amount": SERVED}])
        self.assertEqual(draft.state, "cancel")
        self.assert_served_days_billed(step.move_id)
        self.assert_open(step.move_id, SERVED, "not_paid")
        self.assert_report(10.00, 1.00)
        self.assert_balance(SERVED, subscription)

    def test_elapsed_days_are_billed(self):
        """C9: no draft, but 10 days that billing has not come to."""
        subscription = self.subscribe_unbilled()
        self.settle(subscription)
        [invoice] = self.steps(subscription, "unbilled").move_id
        self.assert_served_days_billed(invoice)
        self.assert_report(10.00, 1.00)
        self.assert_balance(SERVED, subscription)

    def test_what_is_billed_is_charged_at_once(self):
        """C8, C9: to the saved payment method, from a draft and for elapsed days."""
        for subscription in (
            self.subscribe_with_draft()[0],
            self.subscribe_unbilled(),
        ):
            self.create_token(subscription.partner_id)
            self.settle(subscription)
            invoice = self.steps(subscription, "unbilled").move_id
            step = self.steps(subscription, "collect")
            self.assertRecordValues(step, [{"state": "done", "amount": SERVED}])
            self.assertEqual(invoice.reconciled_payment_ids, step.payment_id)
            self.assert_open(invoice, 0.0, "paid")
            self.assert_balance(0.0, subscription)
        self.assert_report(20.00, 2.00)

    def test_what_is_dropped_leaves_no_trace_in_the_books(self):
        """C9: neither a draft nor elapsed days are billed."""
        for subscription in (
            self.subscribe_with_draft()[0],
            self.subscribe_unbilled(),
        ):
            self.settle(subscription, unbilled_charges="drop")
            self.assertEqual(self.steps(subscription, "unbilled").state, "skipped")
            self.assertFalse(self.steps(subscription, "unbilled").move_id)
            self.assert_balance(0.0, subscription)
        self.assert_report(0.0, 0.0)

    def test_a_draft_that_was_served_is_posted_beside_the_credit(self):
        """C5, C9: all of June is billed, 21 days of July are credited."""
        subscription = self.subscribe_unbilled(start="2026-06-01")
        june = self.bill(subscription, post=False)
        july = self.bill(subscription)
        memo = self.settle(subscription)
        self.assertEqual(june.state, "posted")
        self.assert_open(june, 34.10, "not_paid")
        self.assert_open(july, SERVED, "partial")
        self.assertEqual(memo.amount_total, CREDIT)
        self.assert_report(41.00, 4.10)
        self.assert_balance(45.10, subscription)

    def test_served_days_are_billed_with_included_and_rounded_taxes(self):
        """C9, C11: 10 of 31 days of 20.00 are 6.45: 5.42 and 19 % of tax.

        Of 10.32 they are 3.33 (3.329), with 0.23 at 7 % and 0.10 at 3 %.
        """
        included = self.create_reported_tax(19.0, price_include_override="tax_included")
        two = self.create_reported_tax(7.0) | self.create_reported_tax(3.0)
        for price, taxes, amounts in (
            (20.0, included, (5.42, 1.03)),
            (10.32, two, (3.33, 0.33)),
        ):
            for has_draft in (True, False):
                line = {"price_unit": price, "taxes": taxes}
                subscription = self.create_subscription([line])
                if has_draft:
                    self.bill(subscription, post=False)
                self.settle(subscription)
                [invoice] = self.steps(subscription, "unbilled").move_id
                found = (invoice.amount_untaxed, invoice.amount_tax)
                self.assertEqual(found, amounts)
                self.assert_balance(sum(amounts), subscription)
        self.assert_report(17.50, 2.72)

    def test_served_days_are_billed_at_the_rate_of_the_day(self):
        """C9: EUR 11.00 at 2.50 dollars are 27.50."""
        self.get_currency("EUR").rate_ids.create(
            {
                "currency_id": self.get_currency("EUR").id,
                "company_id": self.company.id,
                "name": "2026-07-05",
                "rate": 0.4,
            }
        )
        for has_draft in (True, False):
            subscription = self.subscribe_unbilled(currency="EUR")
            if has_draft:
                self.bill(subscription, post=False)
            self.settle(subscription)
            [invoice] = self.steps(subscription, "unbilled").move_id
            self.assert_items(
                invoice,
                ("receivable", 27.50, 0.0),
                ("revenue", 0.0, 25.00, "base"),
                ("tax due", 0.0, 2.50, "tax"),
            )
            self.assert_balance(SERVED, subscription)

    def test_served_days_are_billed_after_a_lock_date(self):
        """C9: July is closed on 10 July; the invoice is of 1 August."""
        for has_draft in (True, False):
            subscription = self.subscribe_unbilled()
            self.company.sudo().fiscalyear_lock_date = False
            if has_draft:
                self.bill(subscription, post=False)
            self.company.sudo().fiscalyear_lock_date = "2026-07-31"
            self.settle(subscription)
            [invoice] = self.steps(subscription, "unbilled").move_id
            self.assertEqual(str(invoice.date), "2026-08-01")
            self.assert_served_days_billed(invoice)
            self.assert_balance(SERVED, subscription)

    def test_an_undo_brings_the_draft_back_in_place_of_the_served_days(self):
        """B15, C9, C10: 11.00 are credited, and the draft of 34.10 is there again."""
        subscription, draft = self.subscribe_with_draft()
        self.settle(subscription)
        invoice = self.steps(subscription, "unbilled").move_id
        subscription.reactivate_subscription()
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)
        draft.action_post()
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, subscription)

    def test_an_undo_after_the_charge_leaves_the_money_on_the_account(self):
        """B15, C9: 11.00 were collected; they are the customer's again."""
        subscription, draft = self.subscribe_with_draft()
        self.create_token(subscription.partner_id)
        self.settle(subscription)
        subscription.reactivate_subscription()
        self.assert_report(0.0, 0.0)
        self.assert_balance(-SERVED, subscription)
        draft.action_post()
        self.assert_balance(23.10, subscription)  # 34.10 - 11.00

    def test_an_undo_of_elapsed_days_bills_the_whole_period_once(self):
        """B15, C9: 11.00 are credited, then July is billed as ever."""
        subscription = self.subscribe_unbilled()
        self.settle(subscription)
        subscription.reactivate_subscription()
        self.assert_balance(0.0, subscription)
        self.assertEqual(self.bill(subscription, "2026-07-11").amount_total, 34.10)
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, subscription)

    def test_an_undo_brings_a_dropped_draft_back(self):
        """B15, C9: nothing is posted until somebody posts it."""
        subscription, draft = self.subscribe_with_draft()
        self.settle(subscription, unbilled_charges="drop")
        subscription.reactivate_subscription()
        self.assertEqual(draft.state, "draft")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)


@tagged("post_install", "-at_install")
class TestUndoInTheBooks(AccountingCase):
    """An undo bills again what was credited, wherever the money is (B15, C10)."""

    def undo(self, subscription):
        """Take the cancellation back; return the invoice that does."""
        subscription.reactivate_subscription()
        self.run_steps(subscription)
        return subscription.cancellation_ids.charge_invoice_ids

    def test_after_a_refund_the_customer_owes_it_again(self):
        """B15, C6: billed 34.10 and 23.10, credited 23.10, 11.00 are left paid."""
        subscription, invoice = self.subscribe()
        self.pay_online(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        billed = self.undo(subscription)
        self.assert_items(
            billed,
            ("receivable", 23.10, 0.0),
            ("revenue", 0.0, 21.00, "base"),
            ("tax due", 0.0, 2.10, "tax"),
        )
        self.assert_open(memo, 0.0, "paid")
        self.assert_open(billed, CREDIT, "not_paid")
        self.assert_report(31.00, 3.10)
        self.assert_balance(CREDIT, subscription)

    def test_a_kept_credit_pays_what_is_billed_again(self):
        """B15, C6: nothing is due after the undo."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        memo = self.settle(subscription)
        billed = self.undo(subscription)
        self.assert_open(billed, 0.0, "reversed")
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(31.00, 3.10)
        self.assert_balance(0.0, subscription)

    def test_a_refund_by_hand_that_nobody_made_is_not_asked_for_any_more(self):
        """B15, C6: the open step is dropped with the credit."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        self.settle(subscription, credit_settlement="refund")
        self.undo(subscription)
        self.assertEqual(self.steps(subscription, "refund").state, "skipped")
        self.assert_balance(0.0, subscription)

    def test_what_was_written_off_is_due_again(self):
        """B15, C8, C10: the loss of 11.00 is taken back, its tax, too."""
        self.loss.tax_ids = self.tax
        subscription, _invoice = self.subscribe()
        self.settle(subscription, unpaid_invoices="write_off")
        self.assert_report(0.0, 0.0)
        self.undo(subscription)
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, subscription)


@tagged("post_install", "-at_install")
class TestAdvanceInvoicesInTheBooks(AccountingCase):
    """July and August are billed; service ends with July (C3)."""

    def setUp(self):
        super().setUp()
        self.subscription, self.july = self.subscribe()
        self.august = self.bill(self.subscription, "2026-07-05")
        self.options = {"timing": "specific_date", "requested_date": "2026-07-31"}

    def schedule(self, advance_credit="at_scheduling"):
        """Schedule the end on 10 July; return what was credited at once."""
        self.get_default_policy().advance_credit = advance_credit
        self.cancel(self.subscription, "2026-07-10", **self.options)
        return self.credit_memos(self.subscription)

    def execute(self, day):
        """Let the scheduled end come, and what follows it."""
        self.travel_to(day)
        self.subscription.cancellation_ids.filtered(
            lambda one: one.state == "scheduled"
        )._execute()
        self.run_steps(self.subscription)

    def assert_august_credited(self, memo):
        """All of August is credited: $31.00 and 10 % tax."""
        self.assertEqual(memo.reversed_entry_id, self.august)
        self.assert_items(
            memo,
            ("receivable", 0.0, 34.10),
            ("revenue", 31.00, 0.0, "base-"),
            ("tax due", 3.10, 0.0, "tax-"),
        )

    def test_at_the_end(self):
        """C3: nothing happens before 1 August, then August is credited."""
        self.assertFalse(self.schedule("at_end"))
        self.assert_report(62.00, 6.20)
        self.assert_balance(68.20, self.subscription)
        self.execute("2026-08-01")
        self.assert_august_credited(self.credit_memos(self.subscription))
        self.assert_open(self.august, 0.0, "reversed")
        self.assert_open(self.july, 34.10, "not_paid")
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, self.subscription)

    def test_at_scheduling(self):
        """C3, C4: August is credited on 10 July, and not again when service ends."""
        self.assert_august_credited(self.schedule())
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, self.subscription)
        self.execute("2026-08-01")
        self.assertEqual(len(self.credit_memos(self.subscription)), 1)
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, self.subscription)

    def test_a_paid_advance_invoice_is_refunded_when_service_ends(self):
        """C3, C6: credited at scheduling, money goes back at the end."""
        self.pay_online(self.august)
        self.options["credit_settlement"] = "refund"
        memo = self.schedule()
        self.assert_open(memo, 34.10, "not_paid")
        self.assert_balance(0.0, self.subscription)  # July 34.10 is due, and credit
        self.execute("2026-08-01")
        self.assertEqual(self.steps(self.subscription, "refund").amount, 34.10)
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(31.00, 3.10)
        self.assert_balance(34.10, self.subscription)

    def test_revoking_bills_the_advance_again(self):
        """B12, C3: as if nothing had happened, in the books too."""
        self.pay(self.august)
        memo = self.schedule()
        self.subscription.revoke_cancellation()
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(62.00, 6.20)
        self.assert_balance(34.10, self.subscription)  # only July is due

    def test_revoking_leaves_an_unpaid_advance_due(self):
        """B12, C3: as if nothing had been credited."""
        self.schedule()
        self.subscription.revoke_cancellation()
        self.assert_open(self.august, 34.1, "not_paid")
        self.assert_report(62.00, 6.20)
        self.assert_balance(68.20, self.subscription)

    def test_postponing_credits_only_what_is_beyond_the_new_date(self):
        """B13, C3, C4: to 15 August: 16 of 31 days are credited in the end."""
        self.schedule()
        self.subscription.postpone_cancellation(requested_date="2026-08-15")
        self.assert_report(62.00, 6.20)
        self.assert_balance(68.20, self.subscription)
        self.execute("2026-08-16")
        self.assert_report(46.00, 4.60)
        self.assert_balance(50.60, self.subscription)  # 34.10 + 16.50
