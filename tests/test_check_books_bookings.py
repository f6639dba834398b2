# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The checker finds money that left, or came, and is not in the books as it should."""

from odoo.tests import tagged

from odoo.addons.subscription_cancellation.books.rules import (
    bookings,
    refunds,
    settlements,
)

from .books import BooksCase, finds


class RefundedCase(BooksCase):
    """$34.10 were paid online, $23.10 of them are to be refunded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subscription = cls.create_subscription(
            [{"price_unit": 31.0, "taxes": cls.tax}]
        )
        cls.invoice = cls.bill(cls.subscription)
        cls.paid = cls.pay_online(cls.invoice)
        cls.cancel(cls.subscription, "2026-07-10", credit_settlement="refund")
        cls.cancellation = cls.subscription.cancellation_ids
        cls.memo = cls.credit_memos(cls.subscription)
        cls.step = cls.steps(cls.subscription, "refund")


@tagged("post_install", "-at_install")
class TestBookings(RefundedCase):
    """C6, C8: what the provider confirmed is a payment, posted and reconciled."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_steps(cls.subscription)
        cls.transaction = cls.step.transaction_id
        cls.payment = cls.transaction.payment_id

    @finds(bookings.NO_PAYMENT)
    def test_a_refund_that_was_never_booked(self):
        """C6."""
        yield
        self.tamper(self.transaction, payment_id=None)

    @finds(bookings.NO_PAYMENT)
    def test_a_refund_that_nobody_knows_a_payment_of(self):
        """C6."""
        yield
        self.tamper(self.transaction, payment_id=None)
        self.tamper(self.step, payment_id=None)

    @finds(bookings.NO_PAYMENT)
    def test_another_refund_of_the_same_money_outside_of_any_step(self):
        """C6: $5.00 have left, within what was received."""
        yield
        self.double(
            self.transaction,
            reference="R-outside",
            amount=-5.0,
            payment_id=None,
            cancellation_step_id=None,
        )

    def test_a_refund_by_hand_that_is_booked(self):
        """C6: what an accountant gives back afterwards is theirs to decide."""
        self.travel_to("2026-07-11")
        self.paid.action_refund(5.0)
        by_hand = self.paid.child_transaction_ids - self.transaction
        self.assertEqual((by_hand.state, by_hand.amount), ("done", -5.0))
        by_hand._post_process()
        self.assertTrue(by_hand.payment_id)
        self.assert_books_fit()
        self.tamper(by_hand, payment_id=None)
        self.assert_finds(bookings.NO_PAYMENT)

    @finds(bookings.NOT_POSTED)
    def test_the_payment_and_its_entry_are_drafts_again(self):
        """C6."""
        yield
        self.tamper(self.payment, state="draft")
        self.tamper(self.payment.move_id, state="draft")

    @finds(bookings.NOT_POSTED)
    def test_only_the_entry_of_the_payment_is_a_draft_again(self):
        """C6."""
        yield
        self.tamper(self.payment.move_id, state="draft")

    @finds(bookings.CANCELLED)
    def test_a_payment_that_was_cancelled(self):
        """C6: the bank may have refused it afterwards, which somebody has to say."""
        yield
        self.tamper(self.payment, state="canceled")

    @finds(bookings.NO_ENTRY)
    def test_a_payment_without_entry(self):
        """C6: where no outstanding account is configured, the bank statement tells."""
        yield
        self.tamper(self.payment, move_id=None)

    @finds(bookings.NOT_RECONCILED)
    def test_a_credit_memo_that_the_refund_leaves_open(self):
        """C5, C6."""
        yield
        self.memo.line_ids.remove_move_reconcile()

    @finds(refunds.WITHOUT_STEP)
    def test_money_of_a_step_that_moves_none(self):
        """C6: it was refunded, the record says that it is kept."""
        yield
        self.tamper(self.step, kind="keep")


@tagged("post_install", "-at_install")
class TestByHand(BooksCase):
    """C6: what no provider can give back, an accountant has paid."""

    @finds(bookings.NOT_POSTED)
    def test_the_payment_is_a_draft_again(self):
        """C6."""
        subscription, invoice = self.subscribe()
        self.pay(invoice)
        memo = self.settle(subscription, credit_settlement="refund")
        payment = self.pay(memo)
        self.travel_to("2026-07-12")
        self.run_steps(subscription)
        step = self.steps(subscription, "refund")
        self.assertEqual((step.state, step.payment_id), ("done", payment))
        yield
        self.tamper(payment, state="draft")


@tagged("post_install", "-at_install")
class TestCollections(BooksCase):
    """C8: the served days are collected."""

    @finds(bookings.NOT_PAID)
    def test_an_invoice_that_the_collection_leaves_open(self):
        """C8."""
        subscription, invoice = self.subscribe()
        self.create_token(subscription.partner_id)
        self.settle(subscription, unpaid_invoices="collect")
        step = self.steps(subscription, "collect")
        yield
        items = step.payment_id.move_id.line_ids
        self.remove(items.matched_debit_ids)
        self.assertTrue(invoice)


@tagged("post_install", "-at_install")
class TestRefundNotKept(RefundedCase):
    """C6: nothing has been refunded yet."""

    @finds(settlements.KEPT)
    def test_kept_instead_of_refunded(self):
        """C6: the option says refund, and all was paid."""
        yield
        self.tamper(self.step, kind="keep", state="done", source_transaction_id=None)

    @finds(settlements.KEPT)
    def test_a_part_kept_instead_of_refunded(self):
        """C6: to the cent."""
        yield
        self.double(self.step, kind="keep", state="done", amount=0.01)
        self.add_to(self.step, "amount", -0.01)

    def test_it_tells_what_may_be_kept(self):
        """C6: nothing may, the whole credit was paid."""
        self.tamper(self.step, kind="keep", state="done", source_transaction_id=None)
        [finding] = self.check_books().findings
        self.assertEqual(
            finding.tell(),
            f"{self.cancellation.name} keeps 23.10 USD of credit memo "
            f"{self.memo.name} on the customer's account. Credits were to be refunded "
            "as far as they were paid, which leaves 0.00 USD to keep.",
        )

    def test_paid_after_the_end_is_not_refundable(self):
        """C6: what comes in later was not there to be refunded."""
        self.tamper(self.step, kind="keep", state="done", source_transaction_id=None)
        partials = self.invoice.line_ids.matched_credit_ids
        self.tamper(partials, create_date="2026-07-11 12:00:00")
        self.assert_books_fit()

    @finds(settlements.NOT_ASKED_FOR)
    def test_refunded_although_it_was_to_be_kept(self):
        """C6."""
        yield
        self.tamper(self.cancellation, credit_settlement="keep")


@tagged("post_install", "-at_install")
class TestOpenInvoices(BooksCase):
    """C8: $11.00 of an invoice stay due."""

    def prepare(self, option):
        """Return a step about what is due, which was not taken yet."""
        subscription, self.invoice = self.subscribe()
        self.create_token(subscription.partner_id)
        self.cancel(subscription, "2026-07-10", unpaid_invoices=option)
        self.cancellation = subscription.cancellation_ids
        return self.steps(subscription, option).filtered(
            lambda step: step.source_move_id == self.invoice
        )

    @finds(settlements.NO_STEP)
    def test_no_step_writes_off(self):
        """C8."""
        step = self.prepare("write_off")
        yield
        self.remove(step)

    @finds(settlements.NO_STEP)
    def test_no_step_collects(self):
        """C8."""
        step = self.prepare("collect")
        yield
        self.remove(step)

    def test_an_invoice_whose_payment_was_cancelled_since(self):
        """C8: it was paid when the subscription ended, so that nothing was due."""
        subscription, invoice = self.subscribe()
        payment = self.pay(invoice)
        self.cancel(subscription, "2026-07-10", unpaid_invoices="write_off")
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(payment.state, "canceled")
        self.assertTrue(invoice.amount_residual)
        found = [finding.sentence for finding in self.check_books().findings]
        self.assertNotIn(settlements.NO_STEP, found)

    def test_steps_that_the_options_do_not_ask_for(self):
        """C7, C8, C9: each kind by its own option."""
        for kind, option in {
            "collect": "write_off",
            "write_off": "collect",
            "keep": "collect",
            "apply_credits": "keep",
        }.items():
            with self.subTest(kind), self.env.cr.savepoint() as savepoint:
                step = self.prepare(option)
                self.assertNotIn(settlements.NOT_ASKED_FOR, self.get_found())
                self.tamper(step, kind=kind)
                self.assertIn(settlements.NOT_ASKED_FOR, self.get_found())
                savepoint.rollback()

    def get_found(self):
        return [finding.sentence for finding in self.check_books().findings]

    def test_invoiced_although_it_was_to_be_dropped(self):
        """C9."""
        subscription = self.create_subscription()
        self.settle(subscription, "2026-07-10", unbilled_charges="invoice")
        self.assert_books_fit()
        self.tamper(subscription.cancellation_ids, unbilled_charges="drop")
        self.assert_finds(settlements.NOT_ASKED_FOR)


@tagged("post_install", "-at_install")
class TestPaymentChanges(BooksCase):
    """What Odoo tells in the chatter of the payment state of an invoice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.track_changes()

    def test_an_invoice_whose_match_was_removed_since(self):
        """C8, A3: it was paid by bank, in whatever way, and nothing was credited."""
        for pay in (self.pay, self.pay_by_statement):
            with self.subTest(pay), self.env.cr.savepoint() as savepoint:
                self.travel_to("2026-07-01")
                subscription, invoice = self.subscribe()
                self.end_transaction()
                pay(invoice)
                self.end_transaction()
                self.cancel(
                    subscription,
                    "2026-07-10",
                    refund_mode="none",
                    unpaid_invoices="write_off",
                )
                self.travel_to("2026-07-11")
                self.end_transaction()
                invoice.line_ids.remove_move_reconcile()
                self.end_transaction()
                self.assertTrue(invoice.amount_residual)
                self.assertNotIn(settlements.NO_STEP, self.get_found())
                savepoint.rollback()

    def test_an_invoice_that_was_paid_and_due_again_after_the_end(self):
        """C8: it was open when the subscription ended, whatever came later."""
        subscription, invoice = self.subscribe()
        self.end_transaction()
        self.cancel(subscription, "2026-07-10", unpaid_invoices="write_off")
        self.remove(self.steps(subscription, "write_off"))
        self.travel_to("2026-07-11")
        self.pay(invoice)
        self.end_transaction()
        invoice.line_ids.remove_move_reconcile()
        self.end_transaction()
        self.assertIn(settlements.NO_STEP, self.get_found())

    def pay_by_statement(self, invoice):
        """Match a line of the bank statement with it."""
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "date": "2026-07-05",
                "payment_ref": invoice.name,
                "partner_id": invoice.partner_id.id,
                "amount": invoice.amount_residual,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        items = invoice.line_ids.filtered(
            lambda item: item.account_type == "asset_receivable"
        )
        suspense.account_id = items.account_id
        (suspense | items).reconcile()

    def get_found(self):
        return [finding.sentence for finding in self.check_books().findings]
