# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Days that are charged one after the other cost what they cost together (B13).

July is billed, the end is set to 31 July and moved on day by day: August has 31 days,
so that 31 single days are one month.
"""

from datetime import date, timedelta

from odoo.tests import Form, tagged

from .common import CancellationCase

AUGUST = [date(2026, 8, 1) + timedelta(days=number) for number in range(31)]


@tagged("post_install", "-at_install")
class TestDayByDay(CancellationCase):
    def end_july(self, *lines, **values):
        """Return a subscription that is billed for July, and ends with it."""
        subscription = self.create_subscription(lines, **values)
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        return subscription

    def move(self, subscription, days):
        """Move the end to each of these days; return the invoices of extra days."""
        for day in days:
            subscription.postpone_cancellation(
                requested_date=str(day), charge_extension=True
            )
        return self.get_charges(subscription)

    def get_charges(self, subscription):
        return subscription.cancellation_ids.charge_invoice_ids.filtered(
            lambda move: not move.is_taken_back
        )

    def sum_of(self, moves, name="amount_untaxed"):
        return round(sum(moves.mapped(name)), 3)

    def assert_covered(self, charges, first="2026-08-01", last="2026-08-31"):
        """Each day is on one invoice, and each invoice is about something."""
        items = charges.invoice_line_ids.sorted("start_date")
        self.assertEqual(str(items[0].start_date), first)
        self.assertEqual(str(items[-1].end_date), last)
        for before, after in zip(items, items[1:], strict=False):
            self.assertEqual(after.start_date - before.end_date, timedelta(days=1))
        self.assertTrue(all(charges.mapped("amount_total")))

    # === 31 SINGLE DAYS ARE A MONTH === #

    def test_a_month_in_single_days_is_a_month(self):
        """B13: the net charged is what is due so far less what was charged."""
        for price in (29.99, 100.0, 0.10):
            with self.subTest(price=price):
                subscription = self.end_july(price)
                charges = self.move(subscription, AUGUST)
                self.assertEqual(self.sum_of(charges), price)
                last = "2026-08-30" if price == 0.10 else "2026-08-31"
                self.assert_covered(charges, last=last)

    def test_a_day_of_nothing_makes_no_document(self):
        """B13: of 0.10, days 2, 5, 8, 11 and 14 make a cent full.

        half_up(0.10 × n / 31) is 0.00 for one day, 0.01 for two, 0.02 for five, ….
        """
        subscription = self.end_july(0.10)
        charges = self.move(subscription, AUGUST[:1])
        self.assertFalse(charges)
        # It is charged with what follows, not by a regular invoice.
        self.assertFalse(self.bill(subscription, "2026-08-01"))
        charges = self.move(subscription, AUGUST[:14])
        self.assertEqual(set(charges.mapped("amount_total")), {0.01})
        items = charges.invoice_line_ids.sorted("end_date")
        self.assertEqual([item.end_date.day for item in items], [2, 5, 8, 11, 14])

    def test_the_dialog_says_that_a_day_costs_nothing(self):
        """B13: what it says is what happens."""
        subscription = self.end_july(0.10)
        action = subscription.action_postpone_cancellation()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        form.requested_date = date(2026, 8, 1)
        form.charge_extension = True
        self.assertIn("Nothing is invoiced now for August 1, 2026", form.preview)
        self.assertIn("less than $\xa00.01", form.preview)
        form.save().action_confirm()
        self.assertFalse(self.get_charges(subscription))

    def test_steps_of_any_length(self):
        """B13: 29.99 × 15 / 31 = 14.51, 29.99 × 27 / 31 = 26.12, and the rest."""
        subscription = self.end_july(29.99)
        days = ("2026-08-07", "2026-08-15", "2026-08-16", "2026-08-27", "2026-08-31")
        totals = [
            self.sum_of(self.move(subscription, [day]), "amount_total") for day in days
        ]
        self.assertEqual(totals, [6.77, 14.51, 15.48, 26.12, 29.99])

    def test_beyond_the_month(self):
        """B13: each billing period is a sum of its own."""
        subscription = self.end_july(29.99)
        days = ["2026-08-30", "2026-08-31", "2026-09-01", "2026-09-02", "2026-09-30"]
        charges = self.move(subscription, days)
        self.assertEqual(self.sum_of(charges), 59.98)

    def test_several_lines(self):
        """B13: each line is a sum of its own; a rebate goes with them."""
        subscription = self.end_july(29.99, 0.10, 100.0, -9.99)
        charges = self.move(subscription, AUGUST[:7] + AUGUST[-7:])
        self.assertEqual(self.sum_of(charges), 120.10)
        for line in subscription.sale_subscription_line_ids:
            items = charges.invoice_line_ids.filtered_domain(
                [("subscription_line_id", "=", line.id)]
            )
            total = round(sum(items.mapped("price_subtotal")), 2)
            self.assertEqual(total, line.price_unit, line.name)

    def test_a_rebate_whose_cent_comes_first(self):
        """B13: nothing is charged for it alone, nor refused.

        After 4 days 0.04 less 0.03 are 0.01 less 0.00; after 6 days 0.01 less 0.01.
        """
        subscription = self.end_july(0.04, -0.03)
        totals = [
            self.sum_of(self.move(subscription, [day]), "amount_total")
            for day in (*AUGUST[3:6], AUGUST[-1])
        ]
        self.assertEqual(totals, [0.01, 0.01, 0.01, 0.01])

    # === TAXES AND CURRENCIES === #

    def test_with_taxes(self):
        """B13: the net is cumulative; the tax is what Odoo computes on each document.

        29.99 at 19 %: 0.97 and 0.96 are 0.18 each, so that 7 days (6.77) are 1.26 of
        tax, and 24 days at once (23.22) 4.41.
        """
        tax = self.create_tax(19.0)
        subscription = self.end_july({"price_unit": 29.99, "taxes": tax})
        charges = self.move(subscription, [*AUGUST[:7], AUGUST[-1]])
        self.assertEqual(self.sum_of(charges), 29.99)
        self.assertEqual(self.sum_of(charges, "amount_tax"), 5.67)

    def test_with_included_taxes(self):
        """B13: 25.20 net are in 29.99 with 19 %; 0.81 and 0.82 are 0.15 and 0.16."""
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            tax = self.create_tax(
                19.0, name=method, price_include_override="tax_included"
            )
            subscription = self.end_july({"price_unit": 29.99, "taxes": tax})
            charges = self.move(subscription, AUGUST[:7])
            for charge in charges:
                tax = {0.81: 0.15, 0.82: 0.16}[charge.amount_untaxed]
                self.assertEqual(charge.amount_tax, tax)
            charges = self.move(subscription, AUGUST[-1:])
            self.assertEqual(self.sum_of(charges), 25.20)

    def test_other_currencies(self):
        """B13: yen have no decimals, dinars three."""
        for code, price in (("JPY", 2999.0), ("JPY", 10.0), ("KWD", 29.999)):
            with self.subTest(code=code, price=price):
                subscription = self.end_july(price, currency=code)
                charges = self.move(subscription, [*AUGUST[:9], AUGUST[-1]])
                self.assertEqual(self.sum_of(charges), price)

    # === BACK AND FORTH === #

    def test_back_and_forth(self):
        """B13: what was charged for days that are given up is taken back."""
        subscription = self.end_july(29.99)
        self.move(subscription, AUGUST[14:20])
        self.assertEqual(self.sum_of(self.move(subscription, AUGUST[9:10])), 9.67)
        charges = self.move(subscription, [*AUGUST[10:16], AUGUST[-1]])
        self.assertEqual(self.sum_of(charges), 29.99)
        self.assertEqual(self.get_balance(subscription), 59.98)

    def test_revoked_after_it(self):
        """B12, B13: August is billed as ever."""
        subscription = self.end_july(29.99)
        self.move(subscription, AUGUST[:3])
        subscription.revoke_cancellation()
        self.assertEqual(self.get_balance(subscription), 29.99)
        self.bill(subscription, "2026-08-01")
        self.assertEqual(self.get_balance(subscription), 59.98)

    def test_executed_within_the_charged_days(self):
        """B13, C1: charged anew for 5 days, as all else: 29.99 × 5 / 31 = 4.84."""
        subscription = self.end_july(29.99)
        self.move(subscription, AUGUST[17:20])
        self.travel_to("2026-08-05")
        self.move(subscription, ["2026-08-05"])
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(self.get_balance(subscription), 34.83)

    def test_another_price_in_between(self):
        """B13: days that were charged stay at their price.

        29.99 × 10 / 31 = 9.67; then 21 days of 59.99: 40.64.
        """
        subscription = self.end_july(29.99)
        self.move(subscription, AUGUST[7:10])
        subscription.sale_subscription_line_ids.price_unit = 59.99
        charges = self.move(subscription, [*AUGUST[10:16], AUGUST[-1]])
        self.assertEqual(self.sum_of(charges), 50.31)

    def test_days_that_an_invoice_left_out(self):
        """B13: of a line that ends alone, after August was billed without it."""
        subscription = self.create_subscription([29.99, 62.0])
        self.bill(subscription)
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(
            subscription, "2026-07-10", timing="end_of_period", line_ids=line.ids
        )
        self.bill(subscription, "2026-07-20")
        for day in [*AUGUST[:7], AUGUST[-1]]:
            subscription.postpone_cancellation(requested_date=str(day))
        charges = self.get_charges(subscription)
        self.assertEqual(self.sum_of(charges), 29.99)
        self.assert_covered(charges)

    def get_balance(self, subscription):
        """Return what the customer owes."""
        items = self.env["account.move.line"].search(
            [
                ("partner_id", "=", subscription.partner_id.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
            ]
        )
        return round(sum(items.mapped("balance")), 2)
