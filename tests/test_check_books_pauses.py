# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker knows pauses: their record, their credits, and what bills paused days."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import (
    pauses,
    reductions,
    uses,
)

from .books import BooksCase, create_invoice, finds


@tagged("post_install", "-at_install")
class TestPauses(BooksCase):
    """$31 for July, paused from the 11th to the end of August: 21 days are credited."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription([{"name": "Base", "taxes": cls.tax}])
        cls.invoice = cls.bill(cls.subscription)
        cls.travel_to("2026-07-11")
        cls.subscription.action_pause("2026-09-01")
        cls.pause = cls.subscription.pause_ids
        cls.memo = cls.pause.credit_note_ids
        cls.item = cls.memo.invoice_line_ids

    @finds(pauses.NO_RECORD)
    def test_there_is_no_record(self):
        """B7: as of upstream's own pause."""
        yield
        self.tamper(self.memo, pause_id=None)
        self.remove(self.pause)

    @finds(pauses.NOT_PAUSED)
    def test_the_flag_is_gone(self):
        """B7: it would be billed."""
        yield
        self.tamper(self.subscription, is_paused=False)

    @finds(pauses.ENDED)
    def test_cancelled_and_paused(self):
        """B7: what the form once showed at the same time."""
        self.cancel(self.subscription, "2026-07-20")
        yield
        self.tamper(self.subscription, is_paused=True)

    @finds(pauses.LEFT)
    def test_paid_days_are_not_credited(self):
        """C1: the credit memo was cancelled behind the back of everybody."""
        yield
        self.tamper(self.memo, state="cancel")
        self.tamper(self.memo.line_ids, parent_state="cancel")

    @finds(pauses.LEFT)
    def test_the_pause_is_longer_than_what_is_credited(self):
        """C1: 10 of its 21 paid days are."""
        yield
        values = {"amount_currency": 10.0, "price_subtotal": 10.0}
        self.tamper(self.item, end_date="2026-07-20", **values)

    @finds(pauses.BILLED)
    def test_paused_days_are_billed(self):
        """B7: August, by hand."""
        yield
        self.bill_august().action_post()

    @finds(pauses.BILLED)
    def test_paused_days_are_going_to_be_billed(self):
        """B7: a draft that somebody will post."""
        yield
        self.bill_august()

    @finds(pauses.WRONG)
    def test_another_amount(self):
        """C1: a cent."""
        yield
        self.add_to(self.item, "price_subtotal", -0.01)

    @finds(pauses.EARLY)
    def test_served_days_are_credited(self):
        """C1: those before the pause."""
        yield
        self.tamper(self.item, start_date="2026-07-05")

    @finds(pauses.NOT_POSTED)
    def test_the_credit_memo_is_a_draft(self):
        """C12: that nobody was to review."""
        yield
        self.tamper(self.memo, state="draft")

    @finds(pauses.UNFOUNDED)
    def test_nothing_was_to_be_credited(self):
        """C2: with No Refund."""
        yield
        self.tamper(self.pause, refund_mode="none")

    @finds(pauses.UNFOUNDED)
    def test_a_pause_that_was_taken_back_still_credits(self):
        """C4."""
        yield
        self.tamper(self.pause, state="taken_back")

    @finds(reductions.BOTH_OPEN)
    def test_the_credit_memo_has_not_reduced_its_invoice(self):
        """C5: which is due, while the credit waits for the next one."""
        yield
        self.memo.line_ids.remove_move_reconcile()

    @finds(uses.OTHER_INVOICE)
    def test_the_credit_memo_has_paid_the_next_invoice(self):
        """C5: and not its own, which was due."""
        yield
        self.memo.line_ids.remove_move_reconcile()
        other = self.init_invoice(
            "out_invoice", partner=self.invoice.partner_id, amounts=[50.0], post=True
        )
        items = (self.memo | other).line_ids
        items.filtered(lambda one: one.account_type == "asset_receivable").reconcile()

    def bill_august(self):
        line = self.subscription.sale_subscription_line_ids
        invoice = create_invoice(self.subscription, line, "2026-08-01", "2026-08-31")
        self.tamper(invoice, create_date="2026-07-15 12:00:00")
        return invoice
