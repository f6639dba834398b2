# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The books where customers get a discount for paying early (C1, C5, C6, C11)."""

from odoo.fields import Command, Date
from odoo.tests import tagged

from .accounting import BILLED, CREDIT, SERVED, AccountingCase


class EarlyPaymentCase(AccountingCase):
    """2 % off when paid within 10 days."""

    def create_discount(self, mode):
        """Return the payment term of a discount's mode."""
        return self.env["account.payment.term"].create(
            {
                "name": f"2 % {mode}",
                "early_discount": True,
                "discount_percentage": 2.0,
                "discount_days": 10,
                "early_pay_discount_computation": mode,
                "line_ids": [Command.create({"value_amount": 100.0, "nb_days": 30})],
            }
        )

    def subscribe_with_discount(self, mode, lines=None, **values):
        """Return a subscription with a discount, and its invoice."""
        term = self.create_discount(mode)
        customer = self.create_customer(property_payment_term_id=term.id)
        if not lines:
            return self.subscribe(partner_id=customer.id, **values)
        subscription = self.create_subscription(lines, partner_id=customer.id, **values)
        return subscription, self.bill(subscription)


@tagged("post_install", "-at_install")
class TestEarlyPaymentDiscountInTheBooks(EarlyPaymentCase):
    """What was billed is credited, whatever the customer took off for paying early."""

    def test_an_open_invoice_is_reduced_by_what_was_billed(self):
        """C5: the discount is not granted before somebody pays early."""
        for mode in ("included", "excluded"):
            with self.subTest(mode=mode):
                subscription, invoice = self.subscribe_with_discount(mode)
                memo = self.settle(subscription)
                self.assertEqual(memo.amount_total, CREDIT)
                self.assert_open(invoice, SERVED, "partial")
                self.assert_balance(SERVED, subscription)
        self.assert_report(20.00, 2.00)

    def test_what_was_paid_early_can_be_credited(self):
        """C1, C6: the credit is of what was billed; the discount stays granted."""
        for mode, paid in (("included", 33.42), ("excluded", 33.48)):
            with self.subTest(mode=mode):
                subscription, invoice = self.subscribe_with_discount(mode)
                self.travel_to("2026-07-05")
                payment = self.pay(invoice)
                self.assertEqual(payment.amount, paid)
                memo = self.settle(subscription)
                self.assert_open(invoice, 0.0, "paid")
                self.assert_open(memo, CREDIT, "not_paid")
                discount = BILLED - paid
                self.assert_balance(-CREDIT, subscription, discount=discount)

    def test_never_more_is_refunded_than_was_paid(self):
        """C6: of 34.10 billed 33.42 were paid online, and 33.42 go back."""
        subscription, invoice = self.subscribe_with_discount("included")
        self.travel_to("2026-07-05")
        self.pay_online(invoice, 33.42)
        self.assert_open(invoice, 0.0, "paid")
        memo = self.settle(subscription, refund_mode="full", credit_settlement="refund")
        refunded = self.steps(subscription, "refund").filtered("payment_id")
        self.assertEqual(refunded.mapped("amount"), [33.42])
        self.assert_open(memo, 0.68, "partial")
        self.assert_balance(-0.68, subscription, discount=0.68)


@tagged("post_install", "-at_install")
class TestReducedTaxInTheBooks(EarlyPaymentCase):
    """The tax is always that of 98 %: 10 % of 30.38 is 3.04, of the served 9.80 0.98.

    Odoo books the difference to the base twice: with the taxes, and against it without.
    """

    def subscribe_with_reduced_tax(self, lines=None, **values):
        """Return a subscription whose tax is reduced, and its invoice."""
        return self.subscribe_with_discount("mixed", lines, **values)

    def get_discounts(self, move):
        """Return what was taken off the base of the taxes."""
        items = move._get_added_items("epd").filtered("tax_ids")
        return [round(item.amount_currency, 2) for item in items.sorted("id")]

    def test_base_and_tax_of_what_was_served_stay(self):
        """C1, C5, C11: 21 of 31 days are 20.58 and 2.06."""
        subscription, invoice = self.subscribe_with_reduced_tax()
        self.assert_report(30.38, 3.04)
        memo = self.settle(subscription)
        self.assert_items(
            memo,
            ("receivable", 0.0, 23.06),
            ("revenue", 21.00, 0.0, "base-"),
            ("revenue", 0.0, 0.42, "base-"),
            ("revenue", 0.42, 0.0),
            ("tax due", 2.06, 0.0, "tax-"),
        )
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (21.00, 2.06))
        self.assert_open(invoice, 10.98, "partial")
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(9.80, 0.98)
        self.assert_balance(10.98, subscription)

    def test_nothing_is_left_of_what_is_credited_in_full(self):
        """C2, C11: 34.04 billed, 34.04 credited."""
        subscription, invoice = self.subscribe_with_reduced_tax()
        memo = self.settle(subscription, refund_mode="full")
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (31.00, 3.04))
        self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_what_is_shown_is_what_is_booked(self):
        """D5: preview, answer, rows and credit memo have the same amounts."""
        subscription, invoice = self.subscribe_with_reduced_tax()
        self.pay(invoice, 20.0)
        self.travel_to("2026-07-10")
        preview = subscription.preview_cancellation(timing="immediate")
        answer = self.cancel(subscription, "2026-07-10")
        for amounts in (preview, answer):
            self.assertEqual(amounts["credit_untaxed"], 21.00)
            self.assertEqual(amounts["credit_tax"], 2.06)
            self.assertEqual(amounts["reduces_invoices"], 14.04)
            self.assertEqual(amounts["refundable"], 9.02)
        memo = self.credit_memos(subscription)
        self.assert_open(memo, 9.02, "partial")
        self.assert_open(invoice, 0.0, "paid")

    def test_the_credit_is_due_at_once_and_has_no_discount_to_take(self):
        """C5: nor has the invoice that takes it back."""
        subscription, _invoice = self.subscribe_with_reduced_tax()
        memo = self.settle(subscription)
        subscription.reactivate_subscription()
        back = subscription.cancellation_ids.charge_invoice_ids
        for move in memo | back:
            self.assertEqual(str(move.invoice_date_due), "2026-07-10")
            self.assertFalse(move.invoice_payment_term_id)
            items = move.line_ids.filtered("date_maturity")
            self.assertFalse(items.mapped("discount_date")[0])

    def test_what_was_paid_can_be_credited(self):
        """C1, C6: early at 33.42 (less 0.62), or later in full."""
        for day, paid in (("2026-07-05", 33.42), ("2026-07-20", 34.04)):
            with self.subTest(day=day):
                subscription, invoice = self.subscribe_with_reduced_tax()
                self.travel_to(day)
                self.assertEqual(self.pay(invoice).amount, paid)
                memo = self.settle(subscription, "2026-07-20", refund_mode="full")
                self.assert_open(invoice, 0.0, "paid")
                self.assert_open(memo, 34.04, "not_paid")
                discount = 34.04 - paid
                self.assert_balance(-34.04, subscription, discount=discount)
        self.assert_report(0.0, 0.0)

    def test_what_was_paid_online_goes_back(self):
        """C6: the credit as billed, never more than was paid."""
        subscription, invoice = self.subscribe_with_reduced_tax()
        self.pay_online(invoice, 34.04)
        memo = self.settle(subscription, credit_settlement="refund")
        self.assertEqual(self.steps(subscription, "refund").amount, 23.06)
        self.assert_open(memo, 0.0, "paid")
        self.assert_report(9.80, 0.98)
        self.assert_balance(0.0, subscription)

    def test_an_undo_bills_base_and_tax_again(self):
        """B15, C11: the invoice that takes the credit back is its mirror."""
        subscription, _invoice = self.subscribe_with_reduced_tax()
        self.settle(subscription)
        subscription.reactivate_subscription()
        back = subscription.cancellation_ids.charge_invoice_ids
        self.assert_items(
            back,
            ("receivable", 23.06, 0.0),
            ("revenue", 0.0, 21.00, "base"),
            ("revenue", 0.42, 0.0, "base"),
            ("revenue", 0.0, 0.42),
            ("tax due", 0.0, 2.06, "tax"),
        )
        self.assert_report(30.38, 3.04)
        self.assert_balance(34.04, subscription)

    def test_what_an_undo_billed_is_credited_again(self):
        """B15, C4: all of both invoices; nothing is left."""
        subscription, _invoice = self.subscribe_with_reduced_tax()
        self.settle(subscription)
        subscription.reactivate_subscription()
        self.settle(subscription, refund_mode="full")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_the_last_credit_takes_the_cent_that_is_left(self):
        """C4: 0.24 + 0.24 + 0.25 billed; a third of 0.73 would be 0.24 each."""
        prices = (12.20, 12.20, 12.30)
        lines = [{"price_unit": price, "taxes": self.tax} for price in prices]
        subscription, invoice = self.subscribe_with_reduced_tax(lines)
        self.assertEqual(self.get_discounts(invoice), [0.73])
        self.assert_report(35.97, 3.60)
        for line in subscription.sale_subscription_line_ids:
            self.settle(subscription, refund_mode="full", line_ids=line.ids)
        memos = self.credit_memos(subscription).sorted("id")
        found = [self.get_discounts(memo) for memo in memos]
        self.assertEqual(found, [[-0.24], [-0.24], [-0.25]])
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_each_tax_has_its_own_discount(self):
        """C11: 5.80 of 290.00 at 10 %, 1.24 of 62.00 at 20 % and account; none at 0."""
        other = self.create_reported_tax(20.0)
        account = self.create_account("Support", "income")
        product = self.create_product("Help", property_account_income_id=account.id)
        lines = [
            {"price_unit": 290.00, "taxes": self.tax},
            {"price_unit": 62.00, "taxes": other, "product_id": product.id},
            {"price_unit": 31.00},
        ]
        subscription, invoice = self.subscribe_with_reduced_tax(lines)
        self.assertEqual(invoice.amount_tax, 40.57)  # 28.42 and 12.15
        self.assert_report(344.96, 40.57)
        memo = self.settle(subscription, refund_mode="full")
        self.assert_items(
            memo,
            ("receivable", 0.0, 423.57),
            ("revenue", 290.00, 0.0, "base-"),
            ("revenue", 0.0, 5.80, "base-"),
            ("revenue", 5.80, 0.0),
            ("Support", 62.00, 0.0, "base-"),
            ("Support", 0.0, 1.24, "base-"),
            ("Support", 1.24, 0.0),
            ("revenue", 31.00, 0.0),
            ("tax due", 28.42, 0.0, "tax-"),
            ("tax due", 12.15, 0.0, "tax-"),
        )
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_analytic_accounts_are_those_of_the_invoice(self):
        """C11: as Odoo books them, the discount with the taxes only."""
        plan = self.env["account.analytic.plan"].create({"name": "Proof"})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Proof", "plan_id": plan.id}
        )
        subscription, invoice = self.subscribe_with_reduced_tax()
        invoice.button_draft()
        invoice.invoice_line_ids.analytic_distribution = {str(analytic.id): 100}
        invoice.action_post()
        memo = self.settle(subscription, refund_mode="full")
        self.assertEqual(
            invoice._get_added_items("epd").mapped("analytic_distribution"),
            memo._get_added_items("epd").mapped("analytic_distribution"),
        )
        entries = analytic.line_ids.filtered("move_line_id")
        self.assertAlmostEqual(sum(entries.mapped("amount")), 0.0, 2)

    def test_a_tax_per_unit_is_not_reduced(self):
        """C2, C11: 1.00 for the one unit, and 3.04; both go back."""
        per_unit = self.create_reported_tax(1.0, amount_type="fixed", sequence=0)
        subscription, invoice = self.subscribe_with_reduced_tax(
            taxes=per_unit | self.tax
        )
        self.assertEqual(invoice.amount_tax, 4.04)
        self.settle(subscription, refund_mode="full")
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_a_tax_that_is_included_in_the_price(self):
        """C1, C11: 34.10 are 31.00 and 3.10, billed as 3.04; 21 of 31 days of it."""
        tax = self.create_reported_tax(10.0, price_include_override="tax_included")
        subscription, invoice = self.subscribe_with_reduced_tax(price=34.1, taxes=tax)
        self.assertEqual((invoice.amount_untaxed, invoice.amount_tax), (31.00, 3.04))
        memo = self.settle(subscription)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (21.00, 2.06))
        self.assert_report(9.80, 0.98)
        self.assert_balance(10.98, subscription)

    def test_small_amounts_add_up(self):
        """C1, C11: ten lines of 5.00; of each 3.39 less 0.07 are credited."""
        lines = [{"price_unit": 5.0, "taxes": self.tax}] * 10
        subscription, invoice = self.subscribe_with_reduced_tax(lines)
        self.assertEqual(invoice.amount_tax, 4.90)
        memo = self.settle(subscription)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (33.90, 3.32))
        self.assert_report(15.80, 1.58)

    def test_in_another_currency(self):
        """C11: EUR 31.00 at 2.00 dollars: 60.76 and 6.08; 19.60 and 1.96 stay."""
        subscription, _invoice = self.subscribe_with_reduced_tax(currency="EUR")
        self.assert_report(60.76, 6.08)
        memo = self.settle(subscription)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (21.00, 2.06))
        self.assert_report(19.60, 1.96)
        self.assert_balance(10.98, subscription)
        subscription.reactivate_subscription()
        self.assert_report(60.76, 6.08)
        self.assert_balance(34.04, subscription)

    def test_another_discount_since_changes_nothing(self):
        """C11: 2 % were billed, whatever the payment term says today."""
        subscription, invoice = self.subscribe_with_reduced_tax()
        invoice.invoice_payment_term_id.discount_percentage = 50.0
        self.settle(subscription)
        self.assert_report(9.80, 0.98)
        subscription.reactivate_subscription()
        self.assert_report(30.38, 3.04)

    def test_what_was_credited_by_hand_counts(self):
        """C4: Odoo's own credit note of one line, then ours of the rest."""
        lines = [{"price_unit": price, "taxes": self.tax} for price in (31.0, 62.0)]
        subscription, invoice = self.subscribe_with_reduced_tax(lines)
        self.assert_report(91.14, 9.11)
        self.travel_to("2026-07-05")
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "date": "2026-07-05"})
        )
        by_hand = self.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        by_hand.invoice_line_ids[1].unlink()
        by_hand.action_post()
        self.assertEqual(self.get_discounts(by_hand), [-0.62])
        memo = self.settle(subscription, refund_mode="full")
        self.assertEqual(self.get_discounts(memo), [-1.24])
        self.assert_report(0.0, 0.0)
        self.assert_balance(0.0, subscription)

    def test_a_draft_keeps_its_discount(self):
        """C12: also where the accountant changes its date before posting it."""
        self.get_default_policy().post_credit_memos = False
        subscription, _invoice = self.subscribe_with_reduced_tax()
        memo = self.settle(subscription)
        memo.write({"invoice_date": "2026-07-12", "ref": "Reviewed"})
        memo.action_post()
        self.assert_report(9.80, 0.98)
        self.assert_balance(10.98, subscription)

    def test_a_line_is_taken_off_a_draft_with_its_discount(self):
        """C12: of 62.00 and 31.00 only the 31.00 are credited: 30.38 and 3.04."""
        self.get_default_policy().post_credit_memos = False
        lines = [{"price_unit": price, "taxes": self.tax} for price in (62.0, 31.0)]
        subscription, _invoice = self.subscribe_with_reduced_tax(lines)
        self.assert_report(91.14, 9.11)  # 9.30 less 0.19
        memo = self.settle(subscription, refund_mode="full")
        discounts = memo._get_added_items("epd")
        memo.invoice_line_ids[0].unlink()
        discounts.filtered(lambda item: abs(item.balance) == 1.24).unlink()
        memo.action_post()
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (31.00, 3.04))
        self.assert_report(60.76, 6.07)
        self.assert_balance(68.07, subscription)

    def test_credits_of_an_advance_invoice_are_taken_back(self):
        """C3, B12: credited when it is scheduled, billed again when it is revoked."""
        self.get_default_policy().advance_credit = "at_scheduling"
        subscription, _july = self.subscribe_with_reduced_tax()
        self.bill(subscription)
        self.assert_report(60.76, 6.08)
        options = {"timing": "specific_date", "requested_date": "2026-07-31"}
        self.cancel(subscription, "2026-07-10", **options)
        self.assert_report(30.38, 3.04)
        subscription.revoke_cancellation()
        self.assert_report(60.76, 6.08)
        self.assert_balance(68.08, subscription)

    def test_extra_days_are_taken_back(self):
        """B13: 15 of 31 days of August, charged and credited again."""
        subscription, _invoice = self.subscribe_with_reduced_tax()
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        subscription.postpone_cancellation(
            requested_date="2026-08-15", charge_extension=True
        )
        self.assert_report(45.08, 4.51)
        subscription.revoke_cancellation()
        self.assert_report(30.38, 3.04)
        self.assert_balance(34.04, subscription)

    def test_a_tax_that_is_due_on_payment(self):
        """C6, C11: 3.04 become due with the payment, 2.06 go back with the refund."""
        self.company.sudo().tax_exigibility = True
        waiting = self.create_account("Waiting", "liability_current", reconcile=True)
        tax = self.create_reported_tax(
            10.0,
            tax_exigibility="on_payment",
            cash_basis_transition_account_id=waiting.id,
        )
        subscription, invoice = self.subscribe_with_reduced_tax(taxes=tax)
        self.pay_online(invoice)
        self.assert_report(30.38, 3.04)
        self.settle(subscription, credit_settlement="refund")
        self.assert_report(9.80, 0.98)
        self.assert_balance(0.0, subscription)

    def test_what_will_be_invoiced_is_shown_with_its_reduced_tax(self):
        """C9, D5: 10 of 31 days of a draft, or of what is not billed at all."""
        term = self.create_discount("mixed")
        customer = self.create_customer(property_payment_term_id=term.id)
        lines = [{"price_unit": price, "taxes": self.tax} for price in (31.0, 9.3)]
        for has_draft in (True, False):
            with self.subTest(has_draft=has_draft):
                subscription = self.create_subscription(lines, partner_id=customer.id)
                if has_draft:
                    self.bill(subscription, post=False)
                self.travel_to("2026-07-10")
                preview = subscription.preview_cancellation(timing="immediate")
                answer = self.cancel(subscription, "2026-07-10")
                for settlement in (preview["settlement"], answer["settlement"]):
                    # 13.00, and 10 % of 12.74
                    self.assertEqual(settlement[0]["amount"], 14.27)
        self.assert_report(2 * 12.74, 2 * 1.27)

    def test_extra_days_are_announced_with_their_reduced_tax(self):
        """B13, D5: 15 of 31 days of August: 15.00, and 10 % of 14.70."""
        subscription, _invoice = self.subscribe_with_reduced_tax()
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        sentence = subscription.cancellation_ids._preview_postponed(
            Date.to_date("2026-08-15"), charge_extension=True
        )
        self.assertIn("16.47 will be invoiced now", sentence)
