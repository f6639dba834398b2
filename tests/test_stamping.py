# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Every invoice line says which subscription line and which days it bills."""

from odoo.fields import Command
from odoo.tests import tagged

from .common import CancellationCase

MODES = ("draft", "invoice", "invoice_send", "sale_and_invoice")


class StampingCase(CancellationCase):
    """Reads stamps and credits as plain text and numbers."""

    def get_periods(self, subscription):
        """Return first and last day of what was billed, sorted, as text."""
        lines = subscription._get_invoices().invoice_line_ids
        return sorted(
            (str(line.start_date), str(line.end_date))
            for line in lines.filtered("subscription_line_id")
        )

    def assert_stamped(self, invoice, subscription_lines, start, end):
        """Assert link and period of every line of an invoice, in order."""
        self.assertRecordValues(
            invoice.invoice_line_ids.sorted("id"),
            [
                {
                    "subscription_line_id": line.id,
                    "start_date": self.to_date(start),
                    "end_date": self.to_date(end),
                }
                for line in subscription_lines
            ],
        )

    def assert_credits(self, subscription, expected):
        """Assert what was credited.

        :param expected: pairs of an invoice line and the untaxed amount credited
        """
        lines = self.credit_memos(subscription).invoice_line_ids
        self.assertEqual(set(lines.move_id.mapped("state")), {"posted"})
        credited = [(line.origin_line_id.id, line.price_subtotal) for line in lines]
        wanted = [(line.id, amount) for line, amount in expected]
        self.assertCountEqual(credited, wanted)

    def to_date(self, text):
        return self.env["account.move.line"]._fields["start_date"].to_date(text)

    def create_order(self, *products, mode="draft", interval="1 months"):
        """Return a confirmed order of products that start one subscription."""
        template = self.create_template(interval, invoicing_mode=mode)
        for product in products:
            product.subscription_template_id = template
        return self.confirm_order(*products)

    def confirm_order(self, *products):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.create_customer().id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                    for product in products
                ],
            }
        )
        order.action_confirm()
        return order

    def invoice_order(self, order):
        """Return the posted invoice of what is left to invoice on the order."""
        invoice = order._create_invoices()
        invoice.action_post()
        return invoice

    def create_draft(self, lines=(31.0,), **values):
        """Return a subscription and the draft invoice of its first period."""
        subscription = self.create_subscription(lines, **values)
        return subscription, self.bill(subscription, post=False)

    def type_line(self, invoice, product, **values):
        """Type an invoice line by hand and return it."""
        known = invoice.invoice_line_ids
        values = {"product_id": product.id, "price_unit": 31.0, **values}
        values.setdefault("tax_ids", [Command.clear()])
        invoice.write({"invoice_line_ids": [Command.create(values)]})
        return invoice.invoice_line_ids - known

    def get_unlinked(self):
        lines = self.env["account.move.line"]
        return lines.search(lines._get_unlinked_domain())


@tagged("post_install", "-at_install")
class TestInvoicingModes(StampingCase):
    def bill_two_months(self, mode):
        """Return subscription and both invoices, July's and August's."""
        subscription = self.create_subscription([31.0, 62.0], invoicing_mode=mode)
        return subscription, self.bill(subscription), self.bill(subscription)

    def test_every_mode_stamps_line_and_period(self):
        """Issue 2, period stamping: direct or through a sales order."""
        for mode in MODES:
            with self.subTest(mode=mode):
                subscription, july, august = self.bill_two_months(mode)
                lines = subscription.sale_subscription_line_ids
                self.assert_stamped(july, lines, "2026-07-01", "2026-07-31")
                self.assert_stamped(august, lines, "2026-08-01", "2026-08-31")

    def test_every_mode_is_credited_on_the_invoice_of_the_running_period(self):
        """C1: 21 of 31 days of August; July is served."""
        for mode in MODES:
            with self.subTest(mode=mode):
                subscription, _july, august = self.bill_two_months(mode)
                self.cancel(subscription, "2026-08-10")
                first, second = august.invoice_line_ids.sorted("id")
                self.assert_credits(subscription, [(first, 21.0), (second, 42.0)])

    def test_every_mode_is_credited_on_each_invoice_of_the_unused_days(self):
        """C1: 21 of 31 days of July, and all of August billed in advance."""
        for mode in MODES:
            with self.subTest(mode=mode):
                subscription, july, august = self.bill_two_months(mode)
                self.cancel(subscription, "2026-07-10")
                lines = july.invoice_line_ids.sorted("id")
                lines += august.invoice_line_ids.sorted("id")
                amounts = (21.0, 42.0, 31.0, 62.0)
                self.assert_credits(subscription, zip(lines, amounts, strict=True))

    def test_the_create_invoice_button_stamps_line_and_period(self):
        """Issue 2: upstream's ``manual_invoice``."""
        subscription = self.create_subscription()
        action = subscription.manual_invoice()
        invoice = self.env["account.move"].browse(action["res_id"])
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")
        self.assertEqual(str(subscription.recurring_next_date), "2026-08-01")

    def test_billing_late_stamps_the_days_that_are_billed(self):
        """Three nights in September bill July, August and September."""
        subscription = self.create_subscription()
        for day in ("2026-09-05", "2026-09-06", "2026-09-07"):
            self.bill(subscription, day)
        self.assertEqual(
            self.get_periods(subscription),
            [
                ("2026-07-01", "2026-07-31"),
                ("2026-08-01", "2026-08-31"),
                ("2026-09-01", "2026-09-30"),
            ],
        )


@tagged("post_install", "-at_install")
class TestPeriods(StampingCase):
    def assert_chain(self, start, interval, days):
        """Assert the periods between ``days``: neither gap nor overlap."""
        firsts = [self.to_date(day) for day in days]
        for mode in ("draft", "sale_and_invoice"):
            with self.subTest(mode=mode):
                subscription = self.create_subscription(
                    start=start, interval=interval, invoicing_mode=mode
                )
                for _period in firsts[1:]:
                    self.bill(subscription)
                lines = subscription._get_invoices().invoice_line_ids.sorted("id")
                self.assertEqual(lines.mapped("start_date"), firsts[:-1])
                self.assertEqual(
                    [(line.end_date - line.start_date).days + 1 for line in lines],
                    [
                        (after - first).days
                        for first, after in zip(firsts, firsts[1:], strict=False)
                    ],
                )

    def test_monthly_from_the_31st_of_january(self):
        """Upstream drifts to the 28th (row 19); no day is lost or billed twice."""
        days = ["2026-01-31", "2026-02-28", "2026-03-28", "2026-04-28"]
        self.assert_chain("2026-01-31", "1 months", days)

    def test_monthly_from_the_31st_of_august(self):
        days = ["2026-08-31", "2026-09-30", "2026-10-30", "2026-11-30"]
        self.assert_chain("2026-08-31", "1 months", days)

    def test_monthly_from_the_30th_of_january_in_a_leap_year(self):
        days = ["2028-01-30", "2028-02-29", "2028-03-29"]
        self.assert_chain("2028-01-30", "1 months", days)

    def test_yearly_from_the_29th_of_february(self):
        days = ["2028-02-29", "2029-02-28", "2030-02-28"]
        self.assert_chain("2028-02-29", "1 years", days)

    def test_quarterly_from_the_end_of_november(self):
        days = ["2026-11-30", "2027-02-28", "2027-05-28"]
        self.assert_chain("2026-11-30", "3 months", days)

    def test_weekly_over_the_end_of_the_year(self):
        days = ["2026-12-28", "2027-01-04", "2027-01-11"]
        self.assert_chain("2026-12-28", "1 weeks", days)

    def test_every_ten_days(self):
        days = ["2026-07-01", "2026-07-11", "2026-07-21", "2026-07-31"]
        self.assert_chain("2026-07-01", "10 days", days)

    def test_the_drifted_period_is_credited_by_its_own_days(self):
        """C1: 28 February to 27 March are 28 days; 18 are left after 9 March."""
        subscription = self.create_subscription([28.0], start="2026-01-31")
        self.bill(subscription)
        drifted = self.bill(subscription)
        self.cancel(subscription, "2026-03-09")
        self.assert_credits(subscription, [(drifted.invoice_line_ids, 18.0)])

    def test_a_year_from_the_29th_of_february_is_credited_by_its_365_days(self):
        """C1: 6 June is its 99th day; 365 − 99 = 266 are left."""
        subscription = self.create_subscription(
            [365.0], start="2028-02-29", interval="1 years"
        )
        invoice = self.bill(subscription)
        self.cancel(subscription, "2028-06-06")
        self.assert_credits(subscription, [(invoice.invoice_line_ids, 266.0)])


@tagged("post_install", "-at_install")
class TestSoldByOrder(StampingCase):
    """The first period is billed on the order that sold the subscription."""

    def test_the_first_period_is_stamped_on_the_order_s_invoice(self):
        """Issue 2: confirmed on 1 July, invoiced on the 5th, billed for July."""
        order = self.create_order(self.create_product(), self.create_product("Mail"))
        self.travel_to("2026-07-05")
        invoice = self.invoice_order(order)
        lines = order.subscription_ids.sale_subscription_line_ids
        self.assertEqual(len(lines), 2)
        self.assert_stamped(invoice, lines, "2026-07-01", "2026-07-31")

    def test_the_first_period_is_credited(self):
        """C1: 21 of 31 days."""
        order = self.create_order(self.create_product())
        invoice = self.invoice_order(order)
        self.cancel(order.subscription_ids, "2026-07-10")
        credited = [(invoice.invoice_line_ids, 21.0)]
        self.assert_credits(order.subscription_ids, credited)

    def test_an_order_invoiced_late_still_bills_its_first_period(self):
        """August is billed first; the order's invoice of 20 August is July's."""
        order = self.create_order(self.create_product())
        subscription = order.subscription_ids
        august = self.bill(subscription)
        self.travel_to("2026-08-20")
        july = self.invoice_order(order)
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(july, line, "2026-07-01", "2026-07-31")
        self.assert_stamped(august, line, "2026-08-01", "2026-08-31")

    def test_an_order_cancelled_before_it_is_invoiced_gets_no_credit(self):
        """C4: nothing was billed, so there is no document."""
        order = self.create_order(self.create_product())
        self.cancel(order.subscription_ids, "2026-07-10")
        self.assertFalse(self.credit_memos(order.subscription_ids))

    def test_every_mode_goes_on_after_the_order_without_gap(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                order = self.create_order(self.create_product(), mode=mode)
                self.invoice_order(order)
                self.bill(order.subscription_ids)
                self.bill(order.subscription_ids)
                self.assertEqual(
                    self.get_periods(order.subscription_ids),
                    [
                        ("2026-07-01", "2026-07-31"),
                        ("2026-08-01", "2026-08-31"),
                        ("2026-09-01", "2026-09-30"),
                    ],
                )
                self.travel_to(self.now)

    def test_a_year_sold_on_the_29th_of_february(self):
        self.travel_to("2028-02-29")
        order = self.create_order(self.create_product(), interval="1 years")
        self.invoice_order(order)
        self.bill(order.subscription_ids)
        self.assertEqual(
            self.get_periods(order.subscription_ids),
            [("2028-02-29", "2029-02-27"), ("2029-02-28", "2030-02-27")],
        )

    def test_two_subscriptions_of_one_order_have_their_own_periods(self):
        """A month and a year on one invoice, each credited by its own days."""
        month, year = self.create_product(), self.create_product("Domain")
        month.subscription_template_id = self.create_template()
        year.subscription_template_id = self.create_template("1 years")
        order = self.confirm_order(month, year)
        invoice = self.invoice_order(order)
        by_product = {line.product_id: line for line in invoice.invoice_line_ids}
        self.assertEqual(str(by_product[month].end_date), "2026-07-31")
        self.assertEqual(str(by_product[year].end_date), "2027-06-30")
        monthly = order.subscription_ids.filtered(
            lambda subscription: (
                subscription.template_id == month.subscription_template_id
            )
        )
        self.cancel(monthly, "2026-07-10")
        self.assert_credits(monthly, [(by_product[month], 21.0)])
        yearly = order.subscription_ids - monthly
        self.cancel(yearly, "2026-09-08")
        # 70 days served of 365: 31 × 295 / 365 = 25.0548
        self.assert_credits(yearly, [(by_product[year], 25.05)])

    def test_what_is_no_subscription_on_the_order_is_neither_stamped_nor_credited(self):
        """design.md §4: one-time lines are not credited."""
        hosting = self.create_product()
        setup = self._create_product(name="Setup", type="service", taxes_id=[])
        hosting.subscription_template_id = self.create_template()
        order = self.confirm_order(hosting, setup)
        invoice = self.invoice_order(order)
        once = invoice.invoice_line_ids.filtered(lambda line: line.product_id == setup)
        self.assertFalse(once.subscription_line_id)
        self.assertFalse(once.start_date)
        self.cancel(order.subscription_ids, "2026-07-10")
        credited = [(invoice.invoice_line_ids - once, 21.0)]
        self.assert_credits(order.subscription_ids, credited)

    def test_an_order_invoiced_again_after_a_reversal_is_credited_once(self):
        """C4: the first invoice is reversed in full, the second one counts."""
        order = self.create_order(self.create_product())
        reversal = self.invoice_order(order)._reverse_moves(cancel=True)
        self.assertEqual(reversal.state, "posted")
        invoice = self.invoice_order(order)
        subscription = order.subscription_ids
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")
        self.cancel(subscription, "2026-07-10")
        self.assert_credits(subscription, [(invoice.invoice_line_ids, 21.0)])

    def test_billing_by_sales_order_starts_no_second_subscription(self):
        """Row 15 of the upstream behaviours, corrected."""
        order = self.create_order(self.create_product(), mode="sale_and_invoice")
        subscription = order.subscription_ids
        invoice = self.bill(subscription)
        self.assertEqual(invoice.state, "posted")
        orders = order | subscription.sale_order_ids
        self.assertEqual(len(orders), 2)
        self.assertEqual(orders.subscription_ids, subscription)

    def test_another_order_of_the_customer_starts_its_own_subscription(self):
        product = self.create_product()
        first = self.create_order(product, mode="sale_and_invoice")
        second = self.confirm_order(product)
        self.assertEqual(len(second.subscription_ids), 1)
        self.assertNotEqual(first.subscription_ids, second.subscription_ids)


@tagged("post_install", "-at_install")
class TestCorrectedByHand(StampingCase):
    """Drafts are corrected before they are posted; the credit is right all the same."""

    def assert_credited(self, subscription, expected, day="2026-07-10"):
        self.cancel(subscription, day)
        self.assert_credits(subscription, expected)

    def test_another_price(self):
        """C1: 62.00 for July, 21 of 31 days = 42.00."""
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.price_unit = 62.0
        invoice.action_post()
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 42.0)])

    def test_another_quantity(self):
        """C1: 3 × 31.00, 21 of 31 days = 63.00."""
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.quantity = 3
        invoice.action_post()
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 63.0)])

    def test_a_discount(self):
        """C1, C11: 31.00 less 50 %, 21 of 31 days = 10.50."""
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.discount = 50.0
        invoice.action_post()
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 10.5)])

    def test_a_line_removed_and_typed_again(self):
        subscription, invoice = self.create_draft()
        line = subscription.sale_subscription_line_ids
        invoice.invoice_line_ids.unlink()
        self.type_line(invoice, line.product_id)
        invoice.action_post()
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 21.0)])

    def test_a_line_typed_again_at_another_price(self):
        """C1: 62.00; nothing else sells that product, so it is that line."""
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.unlink()
        product = subscription.sale_subscription_line_ids.product_id
        typed = self.type_line(invoice, product, price_unit=62.0)
        invoice.action_post()
        self.assert_credited(subscription, [(typed, 42.0)])

    def test_the_dates_removed(self):
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.write({"start_date": False, "end_date": False})
        invoice.action_post()
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 21.0)])

    def test_the_dates_removed_from_one_line_of_an_invoice_of_another_date(self):
        """The period is that of the other line, not of the corrected invoice date."""
        subscription, invoice = self.create_draft([31.0, 62.0])
        invoice.invoice_date = "2026-07-15"
        first = invoice.invoice_line_ids.sorted("id")[0]
        first.write({"start_date": False, "end_date": False})
        invoice.action_post()
        lines = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, lines, "2026-07-01", "2026-07-31")

    def test_other_dates_are_kept(self):
        """C1: half of July billed by hand: 5 of 15 days of 31.00 = 10.33."""
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.end_date = "2026-07-15"
        invoice.action_post()
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-15")
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 10.33)])

    def test_the_link_removed(self):
        subscription, invoice = self.create_draft()
        invoice.invoice_line_ids.subscription_line_id = False
        invoice.action_post()
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")

    def create_twins(self, *prices):
        """Return subscription, invoice and product: two lines of one product."""
        product = self.create_product()
        return *self.create_draft(
            [{"price_unit": price, "product_id": product.id} for price in prices]
        ), product

    def test_one_of_two_lines_of_a_product_typed_again(self):
        """The other one still says which it is, so this one is the rest."""
        subscription, invoice, product = self.create_twins(31.0, 31.0)
        kept, removed = invoice.invoice_line_ids.sorted("id")
        first, second = subscription.sale_subscription_line_ids.sorted("id")
        self.assertEqual(removed.subscription_line_id, second)
        removed.unlink()
        typed = self.type_line(invoice, product, price_unit=62.0)
        invoice.action_post()
        self.assertEqual(kept.subscription_line_id, first)
        self.assertEqual(typed.subscription_line_id, second)
        self.cancel(subscription, "2026-07-10", line_ids=second.ids)
        self.assert_credits(subscription, [(typed, 42.0)])

    def test_both_lines_of_a_product_typed_again_are_told_by_their_price(self):
        subscription, invoice, product = self.create_twins(31.0, 62.0)
        invoice.invoice_line_ids.unlink()
        dear = self.type_line(invoice, product, price_unit=62.0)
        cheap = self.type_line(invoice, product, price_unit=31.0)
        invoice.action_post()
        first, second = subscription.sale_subscription_line_ids.sorted("id")
        self.assertEqual(cheap.subscription_line_id, first)
        self.assertEqual(dear.subscription_line_id, second)
        self.cancel(subscription, "2026-07-10", line_ids=first.ids)
        self.assert_credits(subscription, [(cheap, 21.0)])

    def test_both_lines_of_a_product_at_one_price_typed_again_are_not_guessed(self):
        """design.md §3: reported, never guessed silently."""
        subscription, invoice, product = self.create_twins(31.0, 31.0)
        invoice.invoice_line_ids.unlink()
        typed = self.type_line(invoice, product)
        typed |= self.type_line(invoice, product)
        invoice.action_post()
        self.assertFalse(typed.subscription_line_id)
        self.assertEqual(self.get_unlinked(), typed)
        self.cancel(subscription, "2026-07-10")
        self.assertFalse(self.credit_memos(subscription))

    def test_a_one_time_line_typed_by_hand_is_not_credited(self):
        """design.md §4."""
        subscription, invoice = self.create_draft()
        setup = self.type_line(invoice, self.create_product("Setup"), price_unit=99.0)
        invoice.action_post()
        self.assertFalse(setup.subscription_line_id)
        billed = invoice.invoice_line_ids - setup
        self.assert_credited(subscription, [(billed, 21.0)])

    def test_sections_and_notes_are_not_stamped(self):
        subscription, invoice = self.create_draft()
        texts = [
            Command.create({"display_type": kind, "name": kind})
            for kind in ("line_section", "line_note")
        ]
        invoice.write({"invoice_line_ids": texts})
        invoice.action_post()
        stamped = invoice.invoice_line_ids.filtered("subscription_line_id")
        self.assertEqual(stamped.display_type, "product")
        self.assertEqual(len(invoice.invoice_line_ids), 3)

    def test_a_line_of_an_order_s_invoice_typed_again(self):
        """The other line of the invoice leads to the order and its subscription."""
        hosting, mail = self.create_product(), self.create_product("Mail")
        order = self.create_order(hosting, mail)
        invoice = order._create_invoices()
        removed = invoice.invoice_line_ids.filtered(
            lambda line: line.product_id == hosting
        )
        wanted = removed.subscription_line_id
        removed.unlink()
        typed = self.type_line(invoice, hosting)
        invoice.action_post()
        self.assertEqual(typed.subscription_line_id, wanted)
        self.assertEqual(str(typed.end_date), "2026-07-31")

    def test_the_only_line_of_an_order_s_invoice_typed_again(self):
        """The order named as the invoice's origin leads to the subscription."""
        order = self.create_order(self.create_product())
        self.travel_to("2026-07-05")
        invoice = order._create_invoices()
        invoice.invoice_line_ids.unlink()
        self.type_line(invoice, order.order_line.product_id)
        invoice.action_post()
        subscription = order.subscription_ids
        line = subscription.sale_subscription_line_ids
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")
        self.assert_credited(subscription, [(invoice.invoice_line_ids, 21.0)])

    def test_a_line_of_a_monthly_order_s_invoice_typed_again(self):
        """Mode "Sale order & Invoice": the posted invoice is taken back to draft."""
        subscription = self.create_subscription(invoicing_mode="sale_and_invoice")
        invoice = self.bill(subscription, "2026-07-04")
        invoice.button_draft()
        line = subscription.sale_subscription_line_ids
        invoice.invoice_line_ids.unlink()
        self.type_line(invoice, line.product_id)
        invoice.action_post()
        self.assert_stamped(invoice, line, "2026-07-01", "2026-07-31")

    def test_a_typed_line_of_a_changed_date_is_not_guessed(self):
        """design.md §3: July's or which days' it is, nobody can tell."""
        subscription, invoice = self.create_draft()
        invoice.invoice_date = "2026-07-05"
        invoice.invoice_line_ids.unlink()
        product = subscription.sale_subscription_line_ids.product_id
        typed = self.type_line(invoice, product)
        invoice.action_post()
        self.assertFalse(typed.subscription_line_id)
        self.assertEqual(self.get_unlinked(), typed)

    def test_another_customer_s_order_of_that_name_is_not_taken(self):
        """The origin of an invoice is free text."""
        order = self.create_order(self.create_product())
        invoice = order._create_invoices()
        invoice.invoice_line_ids.unlink()
        invoice.partner_id = self.create_customer(name="Deco Addict")
        typed = self.type_line(invoice, order.order_line.product_id)
        invoice.action_post()
        self.assertFalse(typed.subscription_line_id)


@tagged("post_install", "-at_install")
class TestChangesBetweenInvoices(StampingCase):
    def test_a_price_change_is_credited_at_what_each_invoice_billed(self):
        """C1, C11: July at 31.00, August at 62.00, today's 93.00 never counts."""
        subscription = self.create_subscription()
        line = subscription.sale_subscription_line_ids
        july = self.bill(subscription)
        line.price_unit = 62.0
        august = self.bill(subscription)
        line.price_unit = 93.0
        self.cancel(subscription, "2026-07-10")
        self.assert_credits(
            subscription,
            [(july.invoice_line_ids, 21.0), (august.invoice_line_ids, 62.0)],
        )

    def test_a_quantity_change_is_credited_at_what_was_billed(self):
        """C1: 3 × 31.00 in August, 21 of 31 days = 63.00."""
        subscription = self.create_subscription()
        self.bill(subscription)
        subscription.sale_subscription_line_ids.product_uom_qty = 3
        august = self.bill(subscription)
        self.assertEqual(august.amount_untaxed, 93.0)
        self.cancel(subscription, "2026-08-10")
        self.assert_credits(subscription, [(august.invoice_line_ids, 63.0)])

    def test_an_added_line_is_billed_and_credited_from_its_first_invoice_on(self):
        subscription = self.create_subscription()
        july = self.bill(subscription)
        added = self.add_line(subscription, 62.0)
        august = self.bill(subscription)
        self.assertEqual(len(july.invoice_line_ids), 1)
        billed = august.invoice_line_ids.filtered(
            lambda line: line.subscription_line_id == added
        )
        self.assertEqual(str(billed.start_date), "2026-08-01")
        self.cancel(subscription, "2026-08-10", line_ids=added.ids)
        self.assert_credits(subscription, [(billed, 42.0)])

    def test_a_deactivated_line_is_billed_no_more_and_the_rest_goes_on(self):
        """A5: August has the other line only, stamped as before."""
        subscription = self.create_subscription([31.0, 62.0])
        july = self.bill(subscription)
        ended, kept = subscription.sale_subscription_line_ids.sorted("id")
        self.cancel(subscription, "2026-07-10", line_ids=ended.ids)
        august = self.bill(subscription)
        self.assert_stamped(august, kept, "2026-08-01", "2026-08-31")
        billed = july.invoice_line_ids.filtered(
            lambda line: line.subscription_line_id == ended
        )
        self.assert_credits(subscription, [(billed, 21.0)])

    def test_a_product_change_leaves_earlier_invoices_linked(self):
        """C11: the credit has the product that was billed."""
        subscription = self.create_subscription()
        line = subscription.sale_subscription_line_ids
        old = line.product_id
        july = self.bill(subscription)
        line.write({"product_id": self.create_product("New").id, "price_unit": 62.0})
        self.cancel(subscription, "2026-07-10")
        self.assert_credits(subscription, [(july.invoice_line_ids, 21.0)])
        credit = self.credit_memos(subscription).invoice_line_ids
        self.assertEqual(credit.product_id, old)

    def test_a_quarter_after_a_month_is_stamped_with_its_own_length(self):
        """The interval is changed after July: August to October follow."""
        subscription = self.create_subscription()
        self.bill(subscription)
        subscription.template_id = self.create_template("3 months")
        self.bill(subscription)
        self.assertEqual(
            self.get_periods(subscription),
            [("2026-07-01", "2026-07-31"), ("2026-08-01", "2026-10-31")],
        )


@tagged("post_install", "-at_install")
class TestCopiesAndReversals(StampingCase):
    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription()
        self.invoice = self.bill(self.subscription)

    def test_a_reversal_names_the_line_it_credits(self):
        """C4: however the invoice is reversed."""
        reversal = self.invoice._reverse_moves()
        self.assertEqual(
            reversal.invoice_line_ids.origin_line_id, self.invoice.invoice_line_ids
        )

    def test_an_invoice_reversed_in_full_is_not_credited_again(self):
        """C4: nothing left, no document."""
        self.invoice._reverse_moves(cancel=True)
        self.cancel(self.subscription, "2026-07-10")
        self.assertFalse(self.credit_memos(self.subscription))

    def test_a_draft_reversal_counts_before_it_is_posted(self):
        """C4, design.md §4: posted or draft credit lines."""
        self.invoice._reverse_moves()
        self.cancel(self.subscription, "2026-07-10")
        self.assertFalse(self.credit_memos(self.subscription))

    def reverse(self, method="reverse_moves"):
        """Reverse the invoice with Odoo's wizard; return the new documents."""
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        )
        wizard = wizard.create({"journal_id": self.invoice.journal_id.id})
        getattr(wizard, method)()
        return wizard.new_move_ids

    def test_a_reduced_credit_note_counts_for_its_share_of_the_days(self):
        """C4: 21.00 less 10.00 × 21 / 31 = 6.77 is 14.23."""
        credit = self.reverse()
        self.assertEqual(
            credit.invoice_line_ids.origin_line_id, self.invoice.invoice_line_ids
        )
        credit.invoice_line_ids.price_unit = 10.0
        credit.action_post()
        self.cancel(self.subscription, "2026-07-10")
        self.assert_credits(self.subscription, [(self.invoice.invoice_line_ids, 14.23)])

    def test_an_invoice_reversed_and_made_anew_is_credited_on_the_new_one(self):
        """C4: the wizard's "Reverse and create invoice"."""
        moves = self.reverse("modify_moves")
        new = moves.filtered(lambda move: move.move_type == "out_invoice")
        new.action_post()
        self.cancel(self.subscription, "2026-07-10")
        self.assert_credits(self.subscription, [(new.invoice_line_ids, 21.0)])

    def test_a_reversal_does_not_move_the_next_invoice_date(self):
        """Row 17 of the upstream behaviours: one invoice stays one invoice."""
        self.invoice._reverse_moves(cancel=True)
        self.assertEqual(self.subscription.account_invoice_ids_count, 1)
        self.assertEqual(str(self.subscription.recurring_next_date), "2026-08-01")
        self.assertEqual(
            self.get_periods(self.subscription), [("2026-07-01", "2026-07-31")]
        )
