# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An invoice that is credited in full is credited to the cent (C2, C4, C5, C11)."""

from odoo.tests import tagged

from .accounting import AccountingCase

LAST_DAY = "2026-07-10"


class ExactCreditCase(AccountingCase):
    """Taxes are rounded globally, as a new company of Odoo rounds them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.tax_calculation_rounding_method = "round_globally"
        cls.vat7 = cls.create_reported_tax(7.0)
        cls.vat19 = cls.create_reported_tax(19.0)
        cls.included = cls.create_reported_tax(
            20.0, price_include_override="tax_included"
        )

    def credit_in_full(self, lines, **values):
        """Return the invoice of these lines, and its credit memo."""
        subscription = self.create_subscription(lines, **values)
        invoice = self.bill(subscription)
        return invoice, self.settle(subscription, "2026-07-01", refund_mode="full")

    def end(self, subscription, *names, **options):
        """End the lines of these names on 10 July; return the credit memo."""
        known = self.credit_memos(subscription)
        line_ids = [self.get_line(subscription, name).id for name in names]
        self.cancel(subscription, LAST_DAY, line_ids=line_ids, **options)
        return self.credit_memos(subscription) - known


@tagged("post_install", "-at_install")
class TestRoundedGlobally(ExactCreditCase):
    """What an invoice line booked is not always what it shows."""

    def assert_credited(self, total, lines, **values):
        invoice, memo = self.credit_in_full(lines, **values)
        self.assertEqual(invoice.amount_total, total)
        self.assertEqual(memo.amount_total, total)
        self.assertEqual(memo.amount_tax, invoice.amount_tax)
        self.assert_open(invoice, 0.0, "reversed")

    def test_a_tax_that_is_included_leaves_nothing(self):
        """C2: 2.5 × 9.99 are 24.98: 20.82 booked, 20.81 shown."""
        line = {"price_unit": 9.99, "product_uom_qty": 2.5, "taxes": self.included}
        self.assert_credited(24.98, [line])
        self.assert_report(0.0, 0.0)

    def test_a_discount_leaves_nothing(self):
        """C2: 2 × 33.33 less 12.5 % are 58.3275: 29.17 and 29.16."""
        line = {"price_unit": 33.33, "discount": 12.5}
        self.assert_credited(58.33, [line, line])
        self.assert_credited(69.41, [{**line, "taxes": self.vat19}] * 2)
        self.assert_report(0.0, 0.0)

    def test_many_small_lines_leave_nothing(self):
        """C2: 7 × 0.05 with 20 % included are 0.35."""
        line = {"price_unit": 0.05, "taxes": self.included}
        self.assert_credited(0.35, [line] * 7)
        self.assert_report(0.0, 0.0)

    def test_line_by_line_leaves_nothing(self):
        """C4: whichever comes last takes the rest."""
        line = {"price_unit": 33.33, "discount": 12.5, "taxes": self.vat19}
        for backwards in (False, True):
            subscription = self.create_subscription([line] * 3)
            invoice = self.bill(subscription)
            for one in subscription.sale_subscription_line_ids.sorted(
                "id", reverse=backwards
            ):
                self.cancel(subscription, line_ids=one.ids, refund_mode="full")
            self.assert_open(invoice, 0.0, "reversed")
        self.assert_report(0.0, 0.0)

    def test_what_belongs_to_no_subscription_line_stays(self):
        """C4: 3 × 33.33 are credited with all of their tax, 0.05 of set-up with none.

        19 % of 99.99 are 19.00, of 100.04 are 19.01.
        """
        subscription = self.create_subscription(
            [{"price_unit": 33.33, "taxes": self.vat19}] * 3
        )
        invoice = self.bill(subscription, post=False)
        setup = invoice.invoice_line_ids[:1].copy(
            {
                "move_id": invoice.id,
                "product_id": self.create_product("Set-up", subscribable=False).id,
                "price_unit": 0.05,
                "subscription_line_id": False,
                "start_date": False,
                "end_date": False,
            }
        )
        self.assertEqual(setup.price_subtotal, 0.05)
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 119.05)
        for line in subscription.sale_subscription_line_ids:
            self.cancel(subscription, line_ids=line.ids, refund_mode="full")
        memos = self.credit_memos(subscription)
        self.assertEqual(sum(memos.mapped("amount_untaxed")), 99.99)
        self.assertAlmostEqual(sum(memos.mapped("amount_tax")), 19.0, 2)
        self.assert_open(invoice, 0.06, "partial")


@tagged("post_install", "-at_install")
class TestRebateWithItsOwnTax(ExactCreditCase):
    """Hosting 100.00 at 19 %, its rebate −20.00 and Books 50.00 at 7 %."""

    def sell(self):
        subscription = self.create_subscription(
            [
                {"name": "Hosting", "price_unit": 100.0, "taxes": self.vat19},
                {
                    "name": "Rebate",
                    "price_unit": -20.0,
                    "taxes": self.vat7,
                    "addon_of": "Hosting",
                },
                {"name": "Books", "price_unit": 50.0, "taxes": self.vat7},
            ]
        )
        invoice = self.bill(subscription)
        self.assertEqual(invoice.amount_tax, 21.10)
        return subscription

    def get_report(self, tax):
        """Return base and tax that are left of a tax."""
        lines = self.env["account.move.line"].search(
            [("company_id", "=", self.company.id), ("parent_state", "=", "posted")]
        )
        base = lines.filtered(lambda line: tax in line.tax_ids)
        own = lines.filtered(lambda line: line.tax_line_id == tax)
        return (
            -round(sum(base.mapped("balance")), 2),
            -round(sum(own.mapped("balance")), 2),
        )

    def test_its_tax_comes_with_it(self):
        """C11: 67.74 and 12.87, less 13.55 and 0.95."""
        memo = self.end(self.sell(), "Hosting")
        self.assertEqual(memo.amount_untaxed, 54.19)
        self.assertEqual(memo.amount_tax, 11.92)
        self.assertEqual(memo.amount_total, 66.11)
        self.assertEqual(self.get_report(self.vat7), (43.55, 3.05))

    def test_the_order_of_lines_does_not_matter(self):
        """C4, C11: 14.29 of tax one by one, the other way round, and together."""
        credits = []
        for steps in ([["Hosting"], ["Books"]], [["Books"], ["Hosting"]]):
            subscription = self.sell()
            for names in steps:
                self.end(subscription, *names)
            memos = self.credit_memos(subscription)
            credits.append(round(sum(memos.mapped("amount_tax")), 2))
        credits.append(self.end(self.sell(), "Hosting", "Books").amount_tax)
        self.assertEqual(credits, [14.29, 14.29, 14.29])

    def test_everything_is_credited_either_way(self):
        """C4, C11: nothing is left of any tax."""
        for steps in (
            [["Hosting"], ["Books"]],
            [["Books"], ["Hosting"]],
            [["Hosting", "Books"]],
        ):
            subscription = self.sell()
            for names in steps:
                self.end(subscription, *names, refund_mode="full")
            self.assert_open(subscription._get_invoices(), 0.0, "reversed")
            self.assertEqual(self.get_report(self.vat7), (0.0, 0.0))
            self.assertEqual(self.get_report(self.vat19), (0.0, 0.0))


@tagged("post_install", "-at_install")
class TestCreditedInForeignCurrency(ExactCreditCase):
    """EUR at 0.937 for a dollar: nothing is left in dollars either."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup_other_currency("EUR", rates=[("1900-01-01", 0.937)])

    def assert_mirrored(self, invoice, memos):
        """No cent and no exchange entry is left of invoice and credit memos."""
        left = {}
        for item in (invoice | memos).line_ids:
            key = item.account_id, item.tax_line_id
            left[key] = round(left.get(key, 0.0) + item.balance, 2)
        self.assertEqual(set(left.values()), {0.0}, left)
        partials = (invoice | memos).line_ids.matched_credit_ids
        self.assertFalse(partials.exchange_move_id)
        self.assert_open(invoice, 0.0, "reversed")

    def test_three_lines_in_one_credit_memo(self):
        """C11: 3 × 33.33 at 19 %."""
        for taxes in (self.vat19, self.included, self.env["account.tax"]):
            line = {"price_unit": 33.33, "taxes": taxes}
            invoice, memo = self.credit_in_full([line] * 3, currency="EUR")
            self.assert_mirrored(invoice, memo)

    def test_three_lines_in_three_credit_memos(self):
        """C4, C11: the last one takes the cent that is left in dollars."""
        for taxes in (self.vat19, self.included, self.env["account.tax"]):
            line = {"price_unit": 33.33, "taxes": taxes}
            subscription = self.create_subscription([line] * 3, currency="EUR")
            invoice = self.bill(subscription)
            for one in subscription.sale_subscription_line_ids:
                self.cancel(subscription, line_ids=one.ids, refund_mode="full")
            self.assert_mirrored(invoice, self.credit_memos(subscription))

    def test_two_steps_of_one_line(self):
        """C4, C11: ten days by hand-made pauses, the rest by the end."""
        line = {"price_unit": 33.33, "taxes": self.vat19}
        subscription = self.create_subscription([line] * 3, currency="EUR")
        invoice = self.bill(subscription)
        memo = self._reverse_invoice(invoice)
        for item in memo.invoice_line_ids:
            item.price_unit = 11.11
        memo.action_post()
        self.cancel(subscription, refund_mode="full")
        self.assert_mirrored(invoice, memo | self.credit_memos(subscription))
