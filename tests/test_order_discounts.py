# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Discounts of an order come off the credit (C1, C4, C11, C15)."""

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.models.accounting.order_discount import (
    Priced,
    fit_parts,
    spread,
    spread_discount,
)

from .sales import SalesCase

TAX, OTHER = frozenset([1]), frozenset([2])


@tagged("post_install", "-at_install")
class TestSpreading(SalesCase):
    """The arithmetic: cents, by line."""

    def test_shares_add_up(self):
        """C15: the largest remainders take what is left."""
        cases = [
            (-1000, [10000], [-1000]),
            (-7500, [10000, 5000], [-5000, -2500]),
            (-100, [1, 1, 1], [-34, -33, -33]),
            (-100, [1, 2, 4], [-14, -29, -57]),
            (-1, [1, 3], [0, -1]),
            (100, [1, 2], [33, 67]),
            (0, [1, 2], [0, 0]),
        ]
        for units, weights, expected in cases:
            with self.subTest(units=units, weights=weights):
                self.assertEqual(spread(units, weights), expected)

    def test_only_lines_with_its_taxes_are_reduced(self):
        """C15: and all of them where none has its taxes."""
        lines = [
            Priced("a", 10000, TAX),
            Priced("b", 5000, TAX),
            Priced("c", 5000, OTHER),
            Priced("rebate", -1000, TAX),
        ]
        cases = [
            (Priced("d", -1500, TAX), [], {"a": -1000, "b": -500}),
            (Priced("d", -1500, OTHER), [], {"c": -1500}),
            (
                Priced("d", -2000, frozenset()),
                [],
                {"a": -1000, "b": -500, "c": -500},
            ),
            (Priced("d", -1500, TAX), ["b"], {"b": -1500}),
            (Priced("d", -1500, TAX), ["c"], {"a": -1000, "b": -500}),
        ]
        for discount, rewarded, expected in cases:
            with self.subTest(discount=discount, rewarded=rewarded):
                self.assertEqual(spread_discount(discount, lines, rewarded), expected)
        self.assertEqual(spread_discount(Priced("d", -1, TAX), lines[3:]), {})

    def test_the_shares_take_the_cent(self):
        """C15: 67.74 less 10 % of it are 60.97, rounded once."""
        cases = [
            ([6774, -677], [10000, -1000], 6097, [6774, -677]),
            ([6774, -678], [10000, -1000], 6097, [6774, -677]),
            ([6774, -339, -338], [10000, -500, -500], 6098, [6774, -338, -338]),
            ([3, -1], [3, -1], 0, [0, 0]),
            ([10, -8], [10, -8], 5, [10, -5]),
        ]
        for amounts, left, whole, expected in cases:
            with self.subTest(amounts=amounts, whole=whole):
                self.assertEqual(fit_parts(amounts, left, whole), expected)


@tagged("post_install", "-at_install")
class TestOrderDiscounts(SalesCase):
    """Sold for 100.00 a month on 1 July; ended on 10 July: 21 of 31 days."""

    def sell_discounted(self, *lines, amount=10.0, kind="so_discount"):
        """Return the subscriptions, and the invoice, paid."""
        order = self.sell(*lines)
        self.discount(order, amount, kind)
        invoice = self.invoice(order)
        self.pay(invoice)
        return order.subscription_ids, invoice

    def test_a_discount_on_the_order(self):
        """C15: 21/31 of 90.00 are 60.97, not 67.74."""
        subscription, invoice = self.sell_discounted(100.0)
        self.assertEqual(invoice.amount_total, 90.0)
        memo, answer = self.end(subscription)
        self.assertEqual(answer["credit_total"], 60.97)
        self.assertEqual(answer["refundable"], 60.97)
        line, discount = invoice.invoice_line_ids
        self.assert_lines(memo, (line, 67.74), (discount, -6.77))
        [row] = answer["lines"]
        self.assertEqual(row["credit_untaxed"], 60.97)
        self.assertEqual(row["unused_days"], 21)

    def test_with_a_tax(self):
        """C11, C15: 60.97 and 12.19."""
        tax = self.create_reported_tax(20.0)
        for rounding in ("round_globally", "round_per_line"):
            self.company.tax_calculation_rounding_method = rounding
            subscription, invoice = self.sell_discounted(
                {"price_unit": 100.0, "taxes": tax}
            )
            self.assertEqual(invoice.amount_total, 108.0)
            memo, answer = self.end(subscription)
            self.assertEqual(memo.amount_untaxed, 60.97)
            self.assertEqual(memo.amount_tax, 12.19)
            self.assertEqual(answer["credit_total"], 73.16)

    def test_a_one_time_item_keeps_its_share(self):
        """C15: 100.00 and 50.00 of set-up, 50 % off, 75.00 paid: 33.87."""
        setup = {"price_unit": 50.0, "name": "Set-up", "is_service": False}
        subscription, invoice = self.sell_discounted(100.0, setup, amount=50.0)
        self.assertEqual(invoice.amount_total, 75.0)
        memo, answer = self.end(subscription)
        self.assertEqual(memo.amount_total, 33.87)
        self.assertEqual(answer["warnings"], [])

    def test_a_fixed_amount(self):
        """C15: 15.00 off 100.00 and 50.00: 10.00 are of the subscription's."""
        setup = {"price_unit": 50.0, "name": "Set-up", "is_service": False}
        subscription, _invoice = self.sell_discounted(
            100.0, setup, amount=15.0, kind="amount"
        )
        memo, _answer = self.end(subscription)
        self.assertEqual(memo.amount_total, 60.97)

    def test_a_discount_per_line_needs_no_share(self):
        """C11: as before, the line itself is billed at 90.00."""
        subscription, invoice = self.sell_discounted(100.0, kind="sol_discount")
        memo, _answer = self.end(subscription)
        self.assert_lines(memo, (invoice.invoice_line_ids, 60.97))

    def test_each_combination_of_taxes_has_its_own(self):
        """C11, C15: 10 % of 100.00 at 19 % and of 50.00 at 7 %."""
        self.company.tax_calculation_rounding_method = "round_globally"
        vat19, vat7 = self.create_reported_tax(19.0), self.create_reported_tax(7.0)
        subscription, invoice = self.sell_discounted(
            {"price_unit": 100.0, "taxes": vat19, "name": "Hosting"},
            {"price_unit": 50.0, "taxes": vat7, "name": "Books"},
        )
        self.assertEqual(invoice.amount_untaxed, 135.0)
        self.assertEqual(len(invoice.invoice_line_ids), 4)
        hosting, books = subscription.sale_subscription_line_ids
        memo, _answer = self.end(subscription, line_ids=hosting.ids)
        self.assertEqual(memo.amount_untaxed, 60.97)
        self.assertEqual(memo.amount_tax, 11.58)
        memo, _answer = self.end(subscription, line_ids=books.ids)
        self.assertEqual(memo.amount_untaxed, 30.48)
        self.assertEqual(memo.amount_tax, 2.13)

    def test_several_templates_on_one_order(self):
        """C15: each subscription has its share, whichever ends first."""
        yearly = self.create_template("1 years")
        subscriptions, invoice = self.sell_discounted(
            {"price_unit": 100.0, "name": "Hosting"},
            {"price_unit": 365.0, "name": "Domain", "template": yearly},
        )
        self.assertEqual(len(subscriptions), 2)
        self.assertEqual(invoice.amount_total, 418.5)
        by_name = {
            subscription.sale_subscription_line_ids.name: subscription
            for subscription in subscriptions
        }
        memo, _answer = self.end(by_name["Domain"])
        # 365.00 less 36.50; 10 of 365 days are served
        self.assertEqual(memo.amount_total, 319.5)
        memo, _answer = self.end(by_name["Hosting"])
        self.assertEqual(memo.amount_total, 60.97)

    def test_a_discount_that_is_typed_on_the_invoice(self):
        """C15: without taxes it reduces all lines, and keeps its own tax: none."""
        vat19 = self.create_reported_tax(19.0)
        order = self.sell({"price_unit": 100.0, "taxes": vat19})
        invoice = self.invoice(order, post=False)
        invoice.invoice_line_ids = [
            Command.create(
                {
                    "name": "For the delay",
                    "price_unit": -10.0,
                    "tax_ids": [Command.clear()],
                }
            )
        ]
        invoice.action_post()
        memo, _answer = self.end(order.subscription_ids)
        self.assertEqual(memo.amount_untaxed, 60.97)
        self.assertEqual(memo.amount_tax, 12.87)

    def test_everything_is_credited_either_way(self):
        """C2, C4: with both roundings, at once and line by line."""
        taxes = self.create_reported_tax(19.0), self.create_reported_tax(7.0)
        for rounding in ("round_globally", "round_per_line"):
            self.company.tax_calculation_rounding_method = rounding
            for is_split in (False, True):
                subscription, invoice = self.sell_discounted(
                    *(
                        {"price_unit": 33.33, "taxes": tax, "name": f"{tax.name} {n}"}
                        for tax in taxes
                        for n in range(3)
                    ),
                    amount=12.5,
                )
                lines = subscription.sale_subscription_line_ids
                for part in lines if is_split else [lines]:
                    self.end(subscription, line_ids=part.ids, refund_mode="full")
                memos = self.credit_memos(subscription)
                self.assertAlmostEqual(
                    sum(memos.mapped("amount_total")), invoice.amount_total, 2
                )
        self.assert_report(0.0, 0.0)

    def test_an_undo_and_another_end(self):
        """B15, C4: what was credited is billed again with its discount, then again."""
        subscription, invoice = self.sell_discounted(100.0)
        self.end(subscription)
        subscription.reactivate_subscription()
        back = subscription.cancellation_ids.charge_invoice_ids
        self.assertEqual(back.amount_total, 60.97)
        self.end(subscription, "2026-07-20")
        memos = self.credit_memos(subscription)
        # 11 of 31 days of 90.00, and 21 credited and billed again
        self.assertEqual(
            round(sum(memos.mapped("amount_total")) - back.amount_total, 2), 31.94
        )

    def test_what_was_credited_of_a_discount_by_hand_counts(self):
        """C4: Odoo's own credit note of everything leaves nothing."""
        subscription, invoice = self.sell_discounted(100.0)
        self._reverse_invoice(invoice).action_post()
        memos, answer = self.end(subscription)
        self.assertFalse(memos)
        self.assertEqual(answer["credit_total"], 0.0)

    def test_half_of_it_credited_by_hand(self):
        """C1, C4: 45.00 of 90.00; of the unused days 60.97 less 30.48."""
        subscription, invoice = self.sell_discounted(100.0)
        memo = self._reverse_invoice(invoice)
        for line in memo.invoice_line_ids:
            line.price_unit /= 2
        memo.action_post()
        self.assertEqual(memo.amount_total, 45.0)
        memo, _answer = self.end(subscription)
        self.assertEqual(memo.amount_total, 30.49)

    def test_a_discount_of_everything(self):
        """C15: nothing was billed, nothing is credited."""
        order = self.sell(100.0)
        self.discount(order, 100.0)
        self.assertEqual(self.invoice(order).amount_total, 0.0)
        memos, _answer = self.end(order.subscription_ids)
        self.assertFalse(memos)
