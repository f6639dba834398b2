# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds what was given back beyond what came in, or never settled."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import awaited, limits

from .books import BooksCase, finds


@tagged("post_install", "-at_install")
class TestLimits(BooksCase):
    """C6: $34.10 were paid online, $11.00 stay billed, $23.10 were refunded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription, cls.invoice = cls.subscribe(cls)
        cls.paid = cls.pay_online(cls.invoice)
        cls.cancel(cls.subscription, "2026-07-10", credit_settlement="refund")
        cls.run_steps(cls.subscription)
        cls.transaction = cls.steps(cls.subscription, "refund").transaction_id

    def refund_by_hand(self, create_date):
        self.double(
            self.transaction,
            reference="R-by-hand",
            amount=-1.0,
            payment_id=None,
            cancellation_step_id=None,
            create_date=create_date,
        )

    @finds(limits.BEYOND_RECEIVED)
    def test_a_part_was_refunded_by_hand_before(self):
        """C6."""
        yield
        self.refund_by_hand("2026-07-09")

    @finds(limits.BEYOND_RECEIVED)
    def test_the_payment_was_cancelled_before(self):
        """C6."""
        yield
        self.charge_back("2026-07-09")

    @finds(limits.BEYOND_RECEIVED)
    def test_less_was_credited(self):
        """C6."""
        yield
        self.add_to(self.transaction.invoice_ids, "amount_total", -0.01)

    @finds(limits.UNMATCHED)
    def test_money_went_back_and_was_matched_with_nothing(self):
        """C6: an outgoing payment of $20 that was there before."""
        yield
        payment = self.pay_out()
        self.tamper(payment.move_id, create_date="2026-07-09")

    def test_money_goes_back_after_the_refund(self):
        """C6: nobody could know."""
        self.travel_to("2026-07-11")
        self.pay_out()
        self.assert_books_fit()

    def pay_out(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": self.subscription.partner_id.id,
                "amount": 20.0,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return payment

    def test_what_happened_after_the_refund(self):
        """C6: nobody could know."""
        for happen in (self.charge_back, self.refund_by_hand):
            with self.subTest(happen), self.env.cr.savepoint() as savepoint:
                happen("2026-07-11")
                found = [finding.sentence for finding in self.check_books().all]
                self.assertNotIn(limits.BEYOND_RECEIVED, found)
                savepoint.rollback()

    def charge_back(self, write_date):
        self.remove(self.invoice.line_ids.matched_credit_ids)
        self.tamper(self.paid.payment_id, state="canceled", write_date=write_date)


@tagged("post_install", "-at_install")
class TestAwaited(BooksCase):
    """C16: $34.10 were on their way; $23.10 are credited."""

    @finds(awaited.NOT_SETTLED)
    def test_nobody_waited_for_the_payment(self):
        """C16."""
        subscription, invoice = self.subscribe()
        token = self.create_token(subscription.partner_id, "pending")
        payment = self.pay_online(invoice, token=token)
        self.settle(subscription, credit_settlement="refund")
        self.travel_to("2026-07-20")
        payment.action_demo_set_done()
        payment._post_process()
        yield
        self.remove(self.steps(subscription, "await_payment"))
