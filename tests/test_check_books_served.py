# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker derives by itself which served days nobody has billed (C9)."""

from datetime import date

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.amounts import shift
from odoo.addons.subscription_cancellation.books.rules import served

from .books import BooksCase, finds


@tagged("post_install", "-at_install")
class TestServed(BooksCase):
    """$31 a month; July is billed, August was lost and is charged in the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription([{"name": "Base", "taxes": cls.tax}])
        cls.line = cls.subscription.sale_subscription_line_ids
        cls.bill(cls.subscription)
        cls.bill(cls.subscription, post=False).unlink()

    def end(self, **options):
        """End on 10 August; return the line that charges 10 days."""
        self.cancel(self.subscription, "2026-08-10", **options)
        return self.steps(self.subscription, "unbilled").move_id.invoice_line_ids

    @finds(served.UNBILLED)
    def test_what_was_served_is_not_charged(self):
        """C9: the invoice is not about these days."""
        item = self.end()
        yield
        self.tamper(item, subscription_line_id=None)

    @finds(served.UNBILLED)
    def test_only_a_part_of_it_is_charged(self):
        """C9: 9 of 10 days."""
        item = self.end()
        yield
        self.tamper(item, end_date="2026-08-09")

    @finds(served.UNBILLED)
    def test_the_period_before_is_not_charged(self):
        """C9: July's invoice was cancelled long before the end."""
        self.end(refund_mode="none")
        july = self.subscription._get_invoices().filtered(
            lambda move: str(move.invoice_date) == "2026-07-01"
        )
        yield
        self.tamper(july, state="cancel", write_date="2026-07-02")
        self.tamper(july.line_ids, parent_state="cancel")

    def test_what_is_dropped_or_older_is_no_mistake(self):
        """C9: a step says so."""
        self.end(unbilled_charges="drop")
        self.assert_books_fit()

    def test_what_somebody_cancels_after_the_end_is_theirs(self):
        """C9: they decide that it is not charged."""
        item = self.end()
        self.travel_to("2026-08-12")
        item.move_id.button_draft()
        item.move_id.button_cancel()
        self.assert_books_fit()

    def test_periods_are_counted_as_upstream_counts_them(self):
        """C9: a week, a short month, a leap day."""
        for count, unit, interval, expected in (
            (-1, "weeks", 2, "2024-03-17"),
            (-1, "months", 1, "2024-02-29"),
            (1, "years", 1, "2025-03-31"),
            (3, "days", 1, "2024-04-03"),
        ):
            day = shift(date(2024, 3, 31), count, unit, interval)
            self.assertEqual(str(day), expected)
