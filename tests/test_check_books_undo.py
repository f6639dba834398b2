# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds what an undo has left open, and days that do not add up."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import charges, take_backs

from .books import BooksCase, finds


@tagged("post_install", "-at_install")
class TestUndone(BooksCase):
    """B15: $34.10 are not paid; ended on 10 July ($23.10 credited), and undone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription(
            [{"price_unit": 31.0, "taxes": cls.tax}]
        )
        cls.invoice = cls.bill(cls.subscription)
        cls.cancel(cls.subscription, "2026-07-10")
        cls.subscription.reactivate_subscription()
        cls.memo = cls.credit_memos(cls.subscription)
        cls.partial = cls.memo.line_ids.matched_debit_ids

    @finds(take_backs.STILL_REDUCES)
    def test_the_memo_reduces_its_invoice_all_the_same(self):
        """B15: which is due as it was."""
        yield
        item = self.invoice._get_receivable_items()
        self.tamper(self.partial, debit_move_id=item.id)

    @finds(take_backs.BOTH_OPEN)
    def test_the_memo_is_open_and_so_is_what_takes_it_back(self):
        """B15: the customer would have one invoice more."""
        yield
        self.remove(self.partial)


@tagged("post_install", "-at_install")
class TestCharged(BooksCase):
    @finds(charges.ROUNDED)
    def test_days_that_were_rounded_each_by_itself(self):
        """B13: 29.99 × 2 / 31 = 1.93 were charged as twice 0.97."""
        subscription = self.create_subscription([29.99])
        self.bill(subscription)
        self.cancel(subscription, "2026-07-10", timing="end_of_period")
        for day in ("2026-08-01", "2026-08-02"):
            subscription.postpone_cancellation(
                requested_date=day, charge_extension=True
            )
        yield
        invoices = subscription.cancellation_ids.charge_invoice_ids.sorted("id")
        self.assertEqual(invoices.mapped("amount_total"), [0.97, 0.96])
        self.add_to(invoices[1].invoice_line_ids, "amount_currency", -0.01)
