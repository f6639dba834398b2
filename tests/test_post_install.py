# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Invoices made before the addon was there are linked and stamped afterwards."""

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.hooks import post_init_hook

from .common import CancellationCase

MODES = ("draft", "invoice", "invoice_send", "sale_and_invoice")
FORGET = (
    """
    UPDATE account_move_line
       SET subscription_line_id = NULL, start_date = NULL, end_date = NULL
     WHERE subscription_line_id IN %s
    """,
    """
    UPDATE sale_order_line
       SET subscription_line_id = NULL,
           subscription_period_start = NULL,
           subscription_period_end = NULL
     WHERE subscription_line_id IN %s
    """,
    "UPDATE sale_subscription_line SET order_line_id = NULL WHERE id IN %s",
)


class PostInstallCase(CancellationCase):
    """Upstream's own billing, and then as if this addon came only now."""

    def setUp(self):
        super().setUp()
        # sudo: the step runs when the addon is installed, for all companies.
        self.InvoiceLine = self.env["account.move.line"].sudo()

    def bill_months(self, subscription, count=3):
        """Bill consecutive periods and return their posted invoices."""
        invoices = self.env["account.move"]
        for _month in range(count):
            invoices |= self.bill(subscription)
        return invoices

    def forget(self, subscription):
        """Erase every trace of the addon from orders and invoices."""
        lines = tuple(subscription.sale_subscription_line_ids.ids)
        self.env.flush_all()
        for statement in FORGET:
            self.env.cr.execute(statement, [lines])
        self.env.invalidate_all()

    def read_stamps(self, invoices):
        """Return link and period per invoice line, as text."""
        return {
            line.id: (
                line.subscription_line_id.id,
                str(line.start_date),
                str(line.end_date),
            )
            for line in invoices.invoice_line_ids
        }

    def stamp(self, **options):
        """Run the step; return how many lines it stamped and how many it left."""
        return self.InvoiceLine._stamp_existing_invoices(**options)

    def get_unlinked(self):
        return self.InvoiceLine.search(self.InvoiceLine._get_unlinked_domain())

    def assert_restored(self, subscription, **options):
        """Assert that the step finds what billing had stamped before."""
        # Without stamps the invoice of the first order is not found any more.
        invoices = subscription._get_invoices()
        stamps = self.read_stamps(invoices)
        self.assertTrue(all(link for link, _start, _end in stamps.values()))
        self.forget(subscription)
        self.assertFalse(invoices.invoice_line_ids.subscription_line_id)
        self.assertEqual(self.stamp(**options), (len(stamps), 0))
        self.assertEqual(self.read_stamps(invoices), stamps)

    def assert_left(self, subscription, lines):
        """Assert that these lines, and no others, are left alone and reported."""
        others = subscription._get_invoices().invoice_line_ids - lines
        self.assertFalse(lines.subscription_line_id)
        self.assertFalse(any(lines.mapped("start_date")))
        self.assertTrue(all(line.subscription_line_id for line in others))
        self.assertEqual(self.get_unlinked(), lines)

    def create_order(self, *products, mode="draft"):
        """Return a confirmed order of products that start one subscription."""
        template = self.create_template(invoicing_mode=mode)
        for product in products:
            product.subscription_template_id = template
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


@tagged("post_install", "-at_install")
class TestPostInstallLinks(PostInstallCase):
    def test_every_mode_is_linked_with_its_months(self):
        """Issue 2, post-install: three months of two lines."""
        for mode in MODES:
            with self.subTest(mode=mode):
                subscription = self.create_subscription(
                    [31.0, 62.0], invoicing_mode=mode
                )
                self.bill_months(subscription)
                self.assert_restored(subscription)

    def test_the_first_period_on_the_order_is_linked(self):
        """Issue 2: invoiced some days after it was sold, then billed on."""
        for mode in MODES:
            with self.subTest(mode=mode):
                self.travel_to(self.now)
                order = self.create_order(
                    self.create_product(), self.create_product("Mail"), mode=mode
                )
                self.travel_to("2026-07-05")
                order._create_invoices().action_post()
                self.bill_months(order.subscription_ids, count=2)
                self.assertEqual(len(order.subscription_ids._get_invoices()), 3)
                self.assert_restored(order.subscription_ids)

    def test_drifting_month_ends_are_linked(self):
        """31 January, 28 February, 28 March."""
        subscription = self.create_subscription(start="2026-01-31")
        self.bill_months(subscription)
        self.assert_restored(subscription)

    def test_years_from_the_29th_of_february_are_linked(self):
        subscription = self.create_subscription(start="2028-02-29", interval="1 years")
        self.bill_months(subscription)
        self.assert_restored(subscription)

    def test_lines_of_one_product_are_told_by_price_and_quantity(self):
        product = self.create_product().id
        subscription = self.create_subscription(
            [
                {"product_id": product, "price_unit": 31.0},
                {"product_id": product, "price_unit": 62.0},
                {"product_id": product, "price_unit": 62.0, "product_uom_qty": 2},
            ]
        )
        self.bill_months(subscription)
        self.assert_restored(subscription)

    def test_the_last_line_of_a_product_is_told_by_the_others(self):
        """Its price changed since; the only line left is the one."""
        product = self.create_product().id
        subscription = self.create_subscription(
            [{"product_id": product, "price_unit": price} for price in (31.0, 62.0)]
        )
        self.bill_months(subscription)
        subscription.sale_subscription_line_ids.sorted("id")[0].price_unit = 93.0
        self.assert_restored(subscription)

    def test_a_price_change_in_between_does_not_matter(self):
        """One line sells the product, so the price decides nothing."""
        subscription = self.create_subscription()
        self.bill_months(subscription, count=1)
        subscription.sale_subscription_line_ids.price_unit = 62.0
        self.bill_months(subscription, count=2)
        self.assert_restored(subscription)

    def test_a_draft_is_stamped_when_it_is_posted(self):
        subscription = self.create_subscription()
        draft = self.bill(subscription, post=False)
        stamps = self.read_stamps(draft)
        self.forget(subscription)
        draft.action_post()
        self.assertEqual(self.read_stamps(draft), stamps)

    def test_a_draft_is_stamped_by_the_step_and_settled(self):
        """C9: a cancellation invoices the 10 days of it that were served."""
        subscription = self.create_subscription()
        draft = self.bill(subscription, post=False)
        stamps = self.read_stamps(draft)
        self.forget(subscription)
        self.assertEqual(self.stamp(), (1, 0))
        self.assertEqual(self.read_stamps(draft), stamps)
        self.cancel(subscription, "2026-07-10", unbilled_charges="invoice")
        [invoice] = subscription._get_invoices().filtered(
            lambda move: move.state == "posted"
        )
        self.assertEqual(invoice.amount_total, 10.0)

    def test_an_order_sold_before_and_invoiced_after_is_stamped(self):
        order = self.create_order(self.create_product())
        subscription = order.subscription_ids
        self.forget(subscription)
        self.travel_to("2026-07-05")
        invoice = order._create_invoices()
        invoice.action_post()
        line = subscription.sale_subscription_line_ids.id
        self.assertEqual(
            list(self.read_stamps(invoice).values()),
            [(line, "2026-07-01", "2026-07-31")],
        )

    def test_credit_memos_and_other_customers_invoices_are_left_out(self):
        """Only invoices of subscriptions are looked at."""
        subscription = self.create_subscription()
        reversal = self.bill(subscription)._reverse_moves(cancel=True)
        other = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": subscription.partner_id.id,
                "invoice_date": "2026-07-01",
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": self.create_product().id, "price_unit": 31.0}
                    )
                ],
            }
        )
        other.action_post()
        self.forget(subscription)
        self.assertEqual(self.stamp(), (1, 0))
        self.assertFalse((reversal | other).invoice_line_ids.subscription_line_id)

    def test_installing_links_what_is_there(self):
        """The hook of the addon runs the step."""
        subscription = self.create_subscription()
        invoices = self.bill_months(subscription)
        stamps = self.read_stamps(invoices)
        self.forget(subscription)
        post_init_hook(self.env(su=True))
        self.assertEqual(self.read_stamps(invoices), stamps)


@tagged("post_install", "-at_install")
class TestPostInstallBatches(PostInstallCase):
    def create_history(self):
        """Return a subscription of three lines, two of one product, and invoices."""
        product = self.create_product().id
        subscription = self.create_subscription(
            [
                {"product_id": product, "price_unit": 31.0},
                {"product_id": product, "price_unit": 62.0},
                93.0,
            ]
        )
        return subscription, self.bill_months(subscription)

    def test_batches_that_cut_through_invoices_find_the_same(self):
        for batch_size in (1, 2, 4, 1000):
            with self.subTest(batch_size=batch_size):
                self.travel_to(self.now)
                subscription, _invoices = self.create_history()
                lines = subscription.sale_subscription_line_ids.sorted("id")
                # Only the price of the second one still tells them apart.
                lines[0].price_unit = 99.0
                self.assert_restored(subscription, batch_size=batch_size)

    def test_running_it_again_changes_nothing(self):
        subscription, invoices = self.create_history()
        self.forget(subscription)
        subscription.sale_subscription_line_ids.sorted("id")[
            2
        ].product_id = self.create_product("New")
        self.assertEqual(self.stamp(), (6, 3))
        stamps = self.read_stamps(invoices)
        self.assertEqual(self.stamp(), (0, 3))
        self.assertEqual(self.read_stamps(invoices), stamps)

    def test_after_an_interruption_it_continues(self):
        """The first month is done when it is stopped."""
        subscription, invoices = self.create_history()
        stamps = self.read_stamps(invoices)
        self.forget(subscription)
        invoices[0].sudo().invoice_line_ids._stamp_subscription_lines()
        self.assertEqual(self.stamp(), (6, 0))
        self.assertEqual(self.read_stamps(invoices), stamps)


@tagged("post_install", "-at_install")
class TestPostInstallReport(PostInstallCase):
    """design.md §3: what could not be matched is reported, never guessed silently."""

    def test_one_product_twice_at_one_price_is_left_alone(self):
        product = self.create_product().id
        twin = {"product_id": product, "price_unit": 31.0}
        subscription = self.create_subscription([twin, twin, 62.0])
        invoice = self.bill(subscription)
        self.forget(subscription)
        self.assertEqual(self.stamp(), (1, 2))
        twins = invoice.invoice_line_ids.filtered(
            lambda line: line.product_id.id == product
        )
        self.assert_left(subscription, twins)

    def test_one_line_billed_twice_on_an_invoice_is_left_alone(self):
        """Which of the two is the subscription's, nobody can tell."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription, post=False)
        values = {"product_id": invoice.invoice_line_ids.product_id.id}
        values.update(price_unit=31.0, tax_ids=[])
        invoice.write({"invoice_line_ids": [Command.create(values)]})
        invoice.action_post()
        self.forget(subscription)
        self.assertEqual(self.stamp(), (0, 2))
        self.assert_left(subscription, invoice.invoice_line_ids)

    def test_an_overlapping_period_is_left_alone(self):
        """The same month invoiced twice: the first one counts, the second is listed."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        # As a copy was before the addon was installed.
        copy = invoice.copy(
            {"invoice_date": "2026-07-01", "subscription_id": subscription.id}
        )
        copy.action_post()
        self.forget(subscription)
        self.assertEqual(self.stamp(), (1, 1))
        self.assert_left(subscription, copy.invoice_line_ids)

    def test_a_product_that_is_no_longer_on_the_subscription_is_left_alone(self):
        subscription = self.create_subscription([31.0, 62.0])
        invoice = self.bill(subscription)
        self.forget(subscription)
        changed = subscription.sale_subscription_line_ids.sorted("id")[0]
        old = changed.product_id
        changed.product_id = self.create_product("New")
        self.assertEqual(self.stamp(), (1, 1))
        gone = invoice.invoice_line_ids.filtered(lambda line: line.product_id == old)
        self.assert_left(subscription, gone)

    def test_an_order_made_late_is_left_alone(self):
        """The night of 1 August failed: the order of the 4th bills August."""
        subscription = self.create_subscription(invoicing_mode="sale_and_invoice")
        self.bill(subscription)
        late = self.bill(subscription, "2026-08-04")
        self.forget(subscription)
        self.assertEqual(self.stamp(), (1, 1))
        self.assert_left(subscription, late.invoice_line_ids)

    def test_an_invoice_of_another_date_is_left_alone(self):
        """An accountant dated July's draft 5 July when posting it."""
        subscription = self.create_subscription()
        changed = self.bill(subscription, post=False)
        changed.invoice_date = "2026-07-05"
        changed.action_post()
        self.bill(subscription)
        self.forget(subscription)
        self.assertEqual(self.stamp(), (1, 1))
        self.assert_left(subscription, changed.invoice_line_ids)

    def test_what_is_left_can_be_opened_and_linked_by_hand(self):
        """C1: once it is linked it is credited: 21 of 31 days."""
        subscription = self.create_subscription()
        line = subscription.sale_subscription_line_ids
        invoice = self.bill(subscription)
        self.forget(subscription)
        line.product_id = self.create_product("New")
        self.stamp()
        action = self.InvoiceLine.action_view_not_linked()
        listed = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(listed, invoice.invoice_line_ids)
        listed.write(
            {
                "subscription_line_id": line.id,
                "start_date": "2026-07-01",
                "end_date": "2026-07-31",
            }
        )
        self.assertFalse(self.get_unlinked())
        self.cancel(subscription, "2026-07-10")
        self.assertEqual(self.credit_memos(subscription).amount_total, 21.0)


@tagged("post_install", "-at_install")
class TestPostInstallCredit(PostInstallCase):
    """C1: what was linked afterwards is credited as if it had been all along."""

    def assert_credits(self, subscription, expected):
        lines = self.credit_memos(subscription).invoice_line_ids
        credited = [(line.origin_line_id.id, line.price_subtotal) for line in lines]
        wanted = [(line.id, amount) for line, amount in expected]
        self.assertCountEqual(credited, wanted)

    def test_every_mode_is_credited(self):
        """September of three months: 20 of 30 days of 30.00 and 60.00."""
        for mode in MODES:
            with self.subTest(mode=mode):
                subscription = self.create_subscription(
                    [30.0, 60.0], invoicing_mode=mode
                )
                september = self.bill_months(subscription)[-1]
                self.forget(subscription)
                self.stamp()
                self.cancel(subscription, "2026-09-10")
                first, second = september.invoice_line_ids.sorted("id")
                self.assert_credits(subscription, [(first, 20.0), (second, 40.0)])

    def test_the_first_period_on_the_order_is_credited(self):
        """July of 31.00, 21 of 31 days."""
        order = self.create_order(self.create_product())
        invoice = order._create_invoices()
        invoice.action_post()
        self.forget(order.subscription_ids)
        self.stamp()
        self.cancel(order.subscription_ids, "2026-07-10")
        credited = [(invoice.invoice_line_ids, 21.0)]
        self.assert_credits(order.subscription_ids, credited)

    def test_what_was_credited_before_counts(self):
        """C4: 31.00 less 10.00, each spread over July: 21.00 less 6.77 is 14.23."""
        subscription = self.create_subscription()
        invoice = self.bill(subscription)
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.price_unit = 10.0
        credit.action_post()
        self.forget(subscription)
        self.stamp()
        self.cancel(subscription, "2026-07-10")
        self.assert_credits(subscription, [(invoice.invoice_line_ids, 14.23)])

    def test_a_line_that_was_left_alone_is_not_credited(self):
        """Better nothing than a wrong amount: 62.00 only, 42.00."""
        product = self.create_product().id
        twin = {"product_id": product, "price_unit": 31.0}
        subscription = self.create_subscription([twin, twin, 62.0])
        invoice = self.bill(subscription)
        self.forget(subscription)
        self.stamp()
        self.cancel(subscription, "2026-07-10")
        linked = invoice.invoice_line_ids.filtered("subscription_line_id")
        self.assert_credits(subscription, [(linked, 42.0)])
