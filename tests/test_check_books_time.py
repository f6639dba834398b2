# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker knows what is late, and says what it cannot know."""

from datetime import date

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import (
    billing,
    coverage,
    overdue,
    rows,
    taxes,
)

from .books import BooksCase, CreditedCase, create_invoice, finds


@tagged("post_install", "-at_install")
class TestOverdue(BooksCase):
    """B7, D4: scheduled for the end of July."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription, cls.invoice = cls.subscribe(cls)
        cls.cancel(cls.subscription, "2026-07-02", timing="end_of_period")
        cls.cancellation = cls.subscription.cancellation_ids

    @finds(overdue.LATE)
    def test_nobody_has_executed_it(self):
        """B7."""
        yield
        self.travel_to("2026-08-03")

    def test_a_day_of_grace(self):
        """B7: the scheduled action comes once in a while, and days end elsewhere."""
        for day, number in {2: 0, 3: 1}.items():
            summary = self.check_books(today=date(2026, 8, day))
            self.assertEqual(len(summary.waiting), number)
            self.assertEqual(summary.findings, [])

    @finds(overdue.FAILED)
    def test_it_failed(self):
        """B7: and why."""
        yield
        self.tamper(self.cancellation, state="failed", failure_message="No journal.")

    def test_it_tells_why(self):
        self.tamper(self.cancellation, state="failed", failure_message="No journal.")
        [finding] = self.check_books().waiting
        self.assertEqual(
            finding.tell(),
            f"{self.cancellation.name} was to end service on 2026-08-01, but failed: "
            "No journal.",
        )

    @finds(billing.ON_TOP)
    def test_august_is_billed_on_top(self):
        """B7: it was to have ended before."""
        yield
        self.travel_to("2026-08-05")
        self.bill_next("2026-08-04")

    def test_billed_in_advance_before_it_was_due(self):
        """B7, C3: what was there is settled when it is executed."""
        self.travel_to("2026-08-05")
        self.bill_next("2026-07-20")
        self.assert_books_fit()

    def bill_next(self, made):
        line = self.subscription.sale_subscription_line_ids
        invoice = create_invoice(self.subscription, line, "2026-08-01", "2026-08-31")
        invoice.action_post()
        self.tamper(invoice, create_date=made)


@tagged("post_install", "-at_install")
class TestAfterTheEnd(CreditedCase):
    """B7, C3: what was billed of a service that has ended."""

    def test_billed_in_advance_after_the_request_and_before_the_end(self):
        """B7: rows where nothing is credited are those of the request."""
        subscription = self.create_subscription()
        invoices = [self.bill(subscription) for _month in range(3)]
        self.cancel(subscription, "2026-08-02", refund_mode="none")
        cancellation = subscription.cancellation_ids
        self.tamper(cancellation.line_ids, create_date="2026-07-01 12:00:00")
        self.tamper(invoices[-1], create_date="2026-07-15 12:00:00")
        self.assert_books_fit()
        self.tamper(invoices[-1], create_date="2026-08-15 12:00:00")
        self.assert_finds(billing.BILLED)

    @finds(coverage.NO_PERIOD)
    def test_billed_without_a_period(self):
        """C1: nobody knows which of it to credit."""
        yield
        self.tamper(self.bill_by_hand(), start_date=None, end_date=None)

    def test_billed_for_a_reversed_period(self):
        """C1."""
        self.tamper(self.bill_by_hand(), start_date="2026-07-31", end_date="2026-07-01")
        self.assert_finds(coverage.NO_PERIOD)

    def bill_by_hand(self):
        line = self.subscription.archived_line_ids[:1]
        invoice = create_invoice(self.subscription, line, "2026-07-01", "2026-07-09")
        invoice.action_post()
        return invoice.invoice_line_ids


@tagged("post_install", "-at_install")
class TestUnknown(BooksCase):
    """C1, C11: what cannot be derived is counted, not taken for right."""

    @finds(rows.CHANGED)
    def test_an_earlier_credit_that_was_changed_since(self):
        """C4."""
        subscription, invoice = self.subscribe()
        earlier = self.credit_by_hand(invoice, 5.0, invoice.invoice_line_ids)
        self.settle(subscription)
        yield
        item = earlier.invoice_line_ids
        for name in ("price_subtotal", "amount_currency"):
            self.add_to(item, name, -2.0)
        self.tamper(item, write_date="2100-01-01")

    @finds(rows.CUT)
    def test_a_credit_without_room(self):
        """C4: another credit memo has taken most of the invoice, of no line."""
        subscription, invoice = self.subscribe()
        yield
        self.credit_by_hand(invoice, 25.0)
        self.settle(subscription)

    def credit_by_hand(self, invoice, price, origin=None):
        """Return a credit memo of an invoice, as an accountant makes it."""
        memo = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": invoice.partner_id.id,
                "invoice_date": invoice.invoice_date,
                "reversed_entry_id": invoice.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": invoice.invoice_line_ids.product_id.id,
                            "price_unit": price,
                            "tax_ids": [Command.set(self.tax.ids)],
                            "origin_line_id": origin and origin.id,
                        }
                    )
                ],
            }
        )
        memo.action_post()
        return memo

    @finds(taxes.UNKNOWN)
    def test_a_tax_that_is_no_percentage(self):
        """C11: it has no share that is certain."""
        subscription, _invoice = self.subscribe()
        self.settle(subscription)
        yield
        self.tamper(self.tax, amount_type="fixed")

    @finds(taxes.WRONG)
    def test_one_of_two_taxes_on_different_lines(self):
        """C11: each is the share of its own lines."""
        other = self.create_tax(5.0)
        subscription = self.create_subscription(
            [
                {"price_unit": 310.0, "taxes": self.tax},
                {"price_unit": 620.0, "taxes": self.tax | other},
            ]
        )
        self.bill(subscription)
        memo = self.settle(subscription)
        yield
        item = memo.line_ids.filtered(lambda item: item.tax_line_id == other)
        self.add_to(item, "amount_currency", 1.0)

    def test_a_rebate_with_a_tax_of_its_own(self):
        """C11: each sign of a tax has a share of its own."""
        other = self.create_tax(5.0)
        subscription = self.create_subscription(
            [
                {"price_unit": 620.0, "taxes": self.tax | other},
                {"price_unit": 310.0, "taxes": other},
                {"price_unit": -62.0, "taxes": self.tax},
            ]
        )
        self.bill(subscription)
        lines = subscription.sale_subscription_line_ids
        self.cancel(subscription, "2026-07-10", line_ids=lines[1:].ids)
        self.run_steps(subscription)
        self.assertTrue(self.credit_memos(subscription))
        self.assert_books_fit()
        self.assertEqual(self.check_books().unsure, [])
