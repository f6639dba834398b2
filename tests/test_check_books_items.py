# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds journal items that are booked in another way than the invoice."""

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.subscription_cancellation.books.rules import items, memo_lines, memos

from .books import CreditedCase, finds


@tagged("post_install", "-at_install")
class TestItems(CreditedCase):
    """C11: accounts, partners, dates and states of single items."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax_item = cls.memo.line_ids.filtered("tax_line_id")
        cls.receivable = cls.memo.line_ids.filtered(
            lambda item: item.account_type == "asset_receivable"
        )

    @finds(items.WRONG_TAX_ACCOUNT)
    def test_a_tax_on_another_account(self):
        """C11."""
        yield
        self.tamper(self.tax_item, account_id=self.loss.id)

    def test_a_tax_whose_refunds_have_an_account_of_their_own(self):
        """C11: that is where Odoo books them."""
        refunds = self.tax.refund_repartition_line_ids
        of_tax = refunds.filtered(lambda line: line.repartition_type == "tax")
        self.tamper(of_tax, account_id=self.loss.id)
        self.tamper(self.tax_item, account_id=self.loss.id)
        self.assert_books_fit()

    @finds(items.UNLIKE_INVOICE)
    def test_another_customer_on_the_receivable_item(self):
        """C11."""
        yield
        other = self.create_customer(name="Else")
        self.tamper(self.receivable, partner_id=other.id)

    @finds(items.UNLIKE_INVOICE)
    def test_another_receivable_account(self):
        """C11."""
        yield
        other = self.create_account("Other", "asset_receivable", reconcile=True)
        self.tamper(self.receivable, account_id=other.id)

    @finds(items.UNLIKE_MEMO)
    def test_items_that_are_not_posted(self):
        """C11."""
        yield
        self.tamper(self.receivable, parent_state="draft")

    @finds(items.UNLIKE_MEMO)
    def test_items_of_another_day(self):
        """C11."""
        yield
        self.tamper(self.item, date="2026-07-01")

    @finds(items.TOO_EARLY)
    def test_a_credit_memo_a_year_back(self):
        """C11: nothing is booked into a year that may be closed."""
        yield
        self.date_memo("2025-07-10")

    @finds(items.TOO_LATE)
    def test_a_credit_memo_a_year_on(self):
        """C11: turnover is taken back when service ends."""
        yield
        self.date_memo("2027-07-10")

    def test_a_credit_memo_after_a_lock_date(self):
        """C11: on the first day that is open."""
        self.date_memo("2026-10-01")
        self.tamper(self.company, sale_lock_date="2026-09-30")
        self.assert_books_fit()

    def date_memo(self, day):
        self.tamper(self.memo, date=day)
        self.tamper(self.memo.line_ids, date=day)

    @finds(memo_lines.UNLIKE)
    def test_other_analytics(self):
        """C11."""
        yield
        self.tamper(self.item, analytic_distribution=SQL("'{\"7\": 100.0}'::jsonb"))

    @finds(memos.UNLIKE)
    def test_another_fiscal_position(self):
        """C11."""
        yield
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        self.tamper(self.memo, fiscal_position_id=position.id)

    def test_it_tells_in_words_what_differs(self):
        """An accountant reads no names of fields."""
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        self.tamper(self.memo, fiscal_position_id=position.id)
        [finding] = self.check_books().findings
        self.assertEqual(
            finding.tell(),
            f"Credit memo {self.memo.name} and the invoice it credits differ in: "
            "fiscal position.",
        )
        words = {"fiscal position": "Steuerposition", finding.sentence: "%(what)s"}
        self.assertEqual(finding.tell(words.get), "Steuerposition")
