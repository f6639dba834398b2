# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A payment that is on its way when the subscription ends (C16)."""

from odoo.fields import Command
from odoo.tests import tagged

from .payments import PaymentCase


@tagged("post_install", "-at_install")
class TestPaymentOnWay(PaymentCase):
    """$31 are on their way; ended on 10 July: $10 were served, $21 are credited."""

    # === BEFORE === #

    def test_preview_promises_no_second_charge(self):
        """C16: a payment is on its way; nothing else is charged."""
        self.start_payment()
        preview = self.subscription.preview_cancellation(
            timing="immediate", unpaid_invoices="collect"
        )
        parts = [part for part in preview["settlement"] if part["kind"] != "confirm"]
        self.assertEqual(
            [(part["kind"], part["amount"]) for part in parts],
            [("reduce", 21.0), ("await_payment", 31.0)],
        )
        self.assertIn("is on its way", parts[1]["text"])

    def test_dialog_and_portal_say_it(self):
        """C16, D7: staff and customer read that a payment is on its way."""
        self.start_payment()
        options = {"timing": "immediate", "unpaid_invoices": "collect"}
        plan = self.subscription._plan_cancellation(options, channel="backend")
        self.assertIn("is on its way", plan._render_preview())
        name = self.invoice.name
        self.assertIn(
            (f"Invoice {name}: a payment is on its way", 31.0, self.currency),
            plan._get_customer_parts(),
        )

    # === IT ARRIVES === #

    def test_it_arrives_and_what_is_credited_goes_back(self):
        """C16: weeks later $31 pay the invoice, and $21 are refunded."""
        payment = self.start_payment()
        self.end()
        self.assert_steps(("reduce", "done", 21.0), ("await_payment", "pending", 31.0))
        self.travel_to("2026-08-20")
        self.arrive(payment)
        self.take_steps()
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assertEqual(self.invoice.payment_state, "paid")
        self.assert_steps(
            ("reduce", "skipped", 0.0),
            ("await_payment", "done", 31.0),
            ("refund", "done", 21.0),
        )
        self.assert_owes(0.0)

    def test_it_arrives_and_the_credit_is_kept(self):
        """C16: $21 stay on the customer's account, and a step says so."""
        payment = self.start_payment()
        self.end(credit_settlement="keep")
        self.arrive(payment)
        self.take_steps()
        self.assert_steps(
            ("reduce", "skipped", 0.0),
            ("await_payment", "done", 31.0),
            ("keep", "done", 21.0),
        )
        self.assert_owes(-21.0)

    def test_it_arrives_and_the_credit_pays_another_invoice(self):
        """C16, C7: $15 of $21 pay what else is open, $6 go back."""
        payment = self.start_payment()
        self.end(apply_credits=True)
        other = self.create_subscription([15.0], partner_id=self.partner.id)
        open_invoice = self.bill(other, "2026-07-10")
        self.arrive(payment)
        self.take_steps("2026-07-11")
        self.assertEqual(open_invoice.amount_residual, 0.0)
        self.assertEqual(self.get_sent(payment), 6.0)
        self.assert_owes(0.0)

    def test_half_was_paid_before(self):
        """C16: $20 were paid: $10 go back at once, and $11 when the rest arrives."""
        first = self.pay_online(self.invoice, 20.0)
        second = self.start_payment()
        self.end()
        self.assertEqual(self.get_sent(first, second), 10.0)
        self.arrive(second)
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(first, second), 21.0)
        self.assert_owes(0.0)

    def test_one_payment_for_two_invoices(self):
        """C16: $62 for July and August are on their way, $31 of them for each.

        $21 of July and all of August are credited: $52 go back.
        """
        august = self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-07-10")
        both = self.invoice | august
        payment = self.pay_online(
            both, 62.0, self.create_token(self.partner, "pending")
        )
        preview = self.subscription.preview_cancellation(
            timing="immediate", credit_settlement="refund"
        )
        awaited = [
            (part["document"], part["amount"])
            for part in preview["settlement"]
            if part["kind"] == "await_payment"
        ]
        self.assertCountEqual(awaited, [(invoice.name, 31.0) for invoice in both])
        self.end()
        steps = self.steps(self.subscription, "await_payment")
        self.assertEqual(steps.mapped("amount"), [31.0, 31.0])
        self.arrive(payment)
        for day in ("2026-07-12", "2026-07-14"):
            self.take_steps(day)
        self.assertEqual(set(steps.mapped("state")), {"done"})
        self.assertEqual(steps.mapped("amount"), [31.0, 31.0])
        self.assertEqual(self.get_sent(payment), 52.0)
        self.assert_owes(0.0)

    def test_two_payments_arrive_for_one_invoice(self):
        """C16: $21 go back for the first; somebody is told of the other $31."""
        payments = [self.start_payment(), self.start_payment()]
        step = self.end().filtered(lambda one: one.kind == "await_payment")
        self.arrive(payments[0])
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(*payments), 21.0)
        self.assertEqual(step.state, "pending")
        self.arrive(payments[1])
        self.take_steps("2026-07-21")
        self.assertEqual(step.state, "done")
        self.assertEqual(self.get_sent(*payments), 21.0)
        [activity] = self.invoice.activity_ids
        self.assertIn("31.00 were paid beyond", activity.note)
        self.assert_owes(-31.0)

    def test_two_payments_arrive_together(self):
        """C16: $21 go back, and somebody is told of the other $31 all the same."""
        payments = [self.start_payment(), self.start_payment()]
        self.end()
        for payment in payments:
            self.arrive(payment)
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(*payments), 21.0)
        self.assertTrue(self.invoice.activity_ids)
        self.assert_owes(-31.0)

    def test_it_arrives_and_a_part_is_refunded_by_hand(self):
        """C16, C6: of $21 somebody refunds $15 at once, so that $6 are left."""
        payment = self.start_payment()
        self.end()
        self.arrive(payment)
        self.refund_by_hand(payment, 15.0)
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assert_owes(0.0)

    def test_a_draft_credit_memo_is_posted_before_it_arrives(self):
        """C16, C12: it reduces the invoice first."""
        self.get_default_policy().post_credit_memos = False
        payment = self.start_payment()
        self.end()
        self.credit_memos(self.subscription).action_post()
        self.take_steps()
        self.assertEqual(self.invoice.amount_residual, 10.0)
        self.arrive(payment)
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assert_owes(0.0)

    def test_a_draft_credit_memo_is_posted_after_it_arrived(self):
        """C16, C12: there is nothing left that it could reduce."""
        self.get_default_policy().post_credit_memos = False
        payment = self.start_payment()
        self.end()
        self.arrive(payment)
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(payment), 0.0)
        self.credit_memos(self.subscription).action_post()
        self.take_steps("2026-07-21")
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assert_owes(0.0)

    def test_a_line_ends_alone(self):
        """C16: $62 for two lines are on their way; $21 of one go back."""
        subscription = self.create_subscription([31.0, 31.0])
        self.partner = subscription.partner_id
        invoice = self.bill(subscription)
        payment = self.start_payment(invoice)
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(
            subscription, "2026-07-10", line_ids=line.ids, credit_settlement="refund"
        )
        self.run_steps(subscription)
        self.travel_to("2026-07-20")
        self.arrive(payment)
        self.run_steps(subscription)
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assert_owes(0.0)

    def test_an_authorized_payment_is_captured_later(self):
        """C16: reserved on the card, taken after the end."""
        self.get_provider().capture_manually = True
        payment = self.pay_online(self.invoice)
        self.assertEqual(payment.state, "authorized")
        self.end()
        self.travel_to("2026-07-20")
        payment._capture()
        payment._post_process()
        # Else the demo provider would only reserve the refund, too.
        self.get_provider().capture_manually = False
        self.take_steps()
        [step] = self.steps(self.subscription, "await_payment")
        self.assertEqual(step.state, "pending")
        payment.child_transaction_ids._post_process()
        self.take_steps()
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assert_owes(0.0)

    def test_what_odoo_has_still_to_book_is_on_its_way(self):
        """C16: the provider has confirmed it, the scheduled action comes later."""
        payment = self.start_payment()
        payment.action_demo_set_done()
        self.end()
        self.assert_steps(("reduce", "done", 21.0), ("await_payment", "pending", 31.0))
        payment._post_process()
        self.take_steps("2026-07-11")
        self.assertEqual(self.get_sent(payment), 21.0)
        self.assert_owes(0.0)

    # === IT FAILS === #

    def test_it_fails_and_what_was_served_is_collected(self):
        """C16, C8: $10 stay due; the saved payment method is charged."""
        payment = self.start_payment()
        self.end(unpaid_invoices="collect")
        self.create_token(self.partner)
        self.break_off(payment)
        self.take_steps("2026-07-11")
        self.assert_steps(
            ("reduce", "done", 21.0),
            ("await_payment", "skipped", 0.0),
            ("collect", "done", 10.0),
        )
        self.assert_owes(0.0)

    def test_it_fails_and_what_was_served_stays_due(self):
        """C16: and a step says so."""
        payment = self.start_payment()
        self.end()
        self.break_off(payment)
        self.take_steps("2026-07-11")
        self.assert_steps(
            ("reduce", "done", 21.0),
            ("await_payment", "skipped", 0.0),
            ("keep", "done", 10.0),
        )
        self.assert_owes(10.0)

    # === UNDONE MEANWHILE === #

    def test_it_arrives_after_the_cancellation_was_undone(self):
        """C16, B15: it pays the whole month, billed again; nothing goes back."""
        self.get_default_policy().undo_days = 30
        payment = self.start_payment()
        self.end()
        self.subscription.cancellation_ids._undo()
        self.arrive(payment)
        self.take_steps("2026-07-20")
        self.assertEqual(self.get_sent(payment), 0.0)
        invoices = self.subscription._get_invoices()
        self.assertEqual(sum(invoices.mapped("amount_residual")), 0.0)
        self.assert_owes(0.0)


@tagged("post_install", "-at_install")
class TestOtherPaymentOnWay(PaymentCase):
    """$31 of July are on their way, August is paid; ended on 10 August.

    10 of 31 days of August were served: $21 are credited, nothing of July is.
    """

    def setUp(self):
        super().setUp()
        self.august = self.bill(self.subscription, "2026-08-01")
        self.pay(self.august)
        self.travel_to("2026-08-10")
        self.payment = self.start_payment()

    def end(self, **options):
        """Cancel in August; the credit stays on the account."""
        options = {"credit_settlement": "keep", **options}
        self.cancel(self.subscription, "2026-08-10", **options)
        return self.take_steps()

    def test_it_arrives(self):
        """C16: it pays July, and $21 stay the customer's."""
        self.end()
        self.assert_steps(("await_payment", "pending", 31.0), ("keep", "done", 21.0))
        self.arrive(self.payment)
        self.take_steps("2026-08-12")
        self.assert_steps(("await_payment", "done", 31.0), ("keep", "done", 21.0))
        self.assertEqual(self.invoice.payment_state, "paid")
        self.assert_owes(-21.0)

    def test_it_fails_and_july_is_collected(self):
        """C16, C8: $31 are charged; $21 stay the customer's."""
        self.end(unpaid_invoices="collect")
        self.create_token(self.partner)
        self.break_off(self.payment)
        self.take_steps("2026-08-12")
        self.assert_steps(
            ("await_payment", "skipped", 0.0),
            ("keep", "done", 21.0),
            ("collect", "done", 31.0),
        )
        self.assert_owes(-21.0)

    def test_it_fails_and_july_stays_due(self):
        """C16: a step says so; $31 less $21 are owed."""
        self.end()
        self.break_off(self.payment)
        self.take_steps("2026-08-12")
        self.assert_steps(
            ("await_payment", "skipped", 0.0),
            ("keep", "done", 21.0),
            ("keep", "done", 31.0),
        )
        self.assertEqual(self.invoice.amount_residual, 31.0)
        self.assert_owes(10.0)

    def test_it_fails_and_the_credit_of_august_pays(self):
        """C16, C7: $21 of $31, so that $10 stay due."""
        self.end(apply_credits=True)
        self.break_off(self.payment)
        for day in ("2026-08-12", "2026-08-14"):
            self.take_steps(day)
        self.assertEqual(self.invoice.amount_residual, 10.0)
        [step] = self.steps(self.subscription, "apply_credits")
        self.assertEqual((step.state, step.amount), ("done", 21.0))
        self.assert_owes(10.0)


@tagged("post_install", "-at_install")
class TestOrderPaymentOnWay(PaymentCase):
    """An order of $31 for July is just being paid, and nobody has invoiced it."""

    def setUp(self):
        super().setUp()
        self.travel_to("2026-07-01")
        product = self.create_product()
        product.subscription_template_id = self.create_template()
        self.order = self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "order_line": [
                    Command.create({"product_id": product.id, "price_unit": 31.0})
                ],
            }
        )
        self.order.action_confirm()
        self.subscription = self.order.subscription_ids
        token = self.create_token(self.partner, "pending")
        self.pay(self.invoice)
        self.payment = token.env["payment.transaction"].create(
            {
                "provider_id": token.provider_id.id,
                "payment_method_id": token.payment_method_id.id,
                "token_id": token.id,
                "operation": "offline",
                "amount": 31.0,
                "currency_id": self.order.currency_id.id,
                "partner_id": self.partner.id,
                "sale_order_ids": [Command.set(self.order.ids)],
            }
        )
        self.payment._charge_with_token()
        self.payment._post_process()
        self.travel_to("2026-07-10")

    def test_it_arrives_and_somebody_is_told(self):
        """C16: $31 of the order arrive; somebody has to invoice what was served."""
        preview = self.subscription.preview_cancellation(timing="immediate")
        texts = [part["text"] for part in preview["settlement"]]
        self.assertIn(f"A payment of order {self.order.name} is on its way", texts[0])
        self.end()
        self.assert_steps(("await_payment", "pending", 31.0))
        self.arrive(self.payment)
        self.take_steps("2026-07-20")
        self.assert_steps(("await_payment", "done", 31.0))
        [activity] = self.order.activity_ids
        self.assertIn("invoice what was served", activity.note)

    def test_it_fails(self):
        """C16: nothing is left to do."""
        self.end()
        self.break_off(self.payment)
        self.take_steps("2026-07-20")
        self.assert_steps(("await_payment", "skipped", 0.0))
        self.assert_owes(0.0)


@tagged("post_install", "-at_install")
class TestOtherInvoiceOnWay(PaymentCase):
    """July's $31 are paid, of which $21 are credited; another $15 are being paid."""

    def setUp(self):
        super().setUp()
        self.pay_online(self.invoice)
        other = self.create_subscription([15.0], partner_id=self.partner.id)
        self.other = self.bill(other, "2026-07-10")
        self.travel_to("2026-07-10")

    def authorize(self, invoice):
        """Let the customer pay by a method that somebody has to capture."""
        provider = self.get_provider(capture_manually=True)
        token = self.create_token(self.partner, provider=provider)
        transaction = self.pay_online(invoice, token=token)
        self.assertEqual(transaction.state, "authorized")
        return transaction

    def assert_kept(self):
        """It is not paid twice, and preview and step say why the credit stays."""
        text = f"a payment of invoice {self.other.name} is on its way"
        preview = self.subscription.preview_cancellation(
            timing="immediate", credit_settlement="keep", apply_credits=True
        )
        [planned] = [part for part in preview["settlement"] if part["kind"] == "keep"]
        self.assertIn(text, planned["text"])
        self.end(credit_settlement="keep", apply_credits=True)
        self.assert_steps(("keep", "done", 21.0))
        self.assertIn(text, self.steps(self.subscription, "keep").note)
        self.assertEqual(self.other.amount_residual, 15.0)

    def test_its_payment_is_pending(self):
        """C7, C16: it goes through, and pays the invoice once."""
        payment = self.start_payment(self.other)
        self.assert_kept()
        self.arrive(payment)
        self.assertEqual(self.other.amount_residual, 0.0)
        self.assert_owes(-21.0)

    def test_its_payment_is_authorized(self):
        """C7, C16: as long as nobody has captured it."""
        payment = self.authorize(self.other)
        self.assert_kept()
        payment._capture()
        (payment | payment.child_transaction_ids)._post_process()
        self.assertEqual(self.other.amount_residual, 0.0)
        self.assert_owes(-21.0)

    def test_its_payment_begins_after_the_plan(self):
        """C7, C16: between the cancellation and its steps."""
        self.cancel(self.subscription, apply_credits=True, credit_settlement="keep")
        self.start_payment(self.other)
        self.take_steps()
        self.assert_steps(
            ("keep", "done", 6.0),
            ("apply_credits", "skipped", 0.0),
            ("keep", "done", 15.0),
        )
        self.assertEqual(self.other.amount_residual, 15.0)
        notes = self.steps(self.subscription, "keep").mapped("note")
        self.assertIn(f"invoice {self.other.name} is on its way", notes[1])

    def test_its_payment_has_failed(self):
        """C7: the credit pays it."""
        self.break_off(self.start_payment(self.other))
        self.end(credit_settlement="keep", apply_credits=True)
        self.assert_steps(("apply_credits", "done", 15.0), ("keep", "done", 6.0))
        self.assertEqual(self.other.amount_residual, 0.0)

    def test_what_is_refunded_says_nothing_of_it(self):
        """C6, C7: nothing stays."""
        self.start_payment(self.other)
        self.end(apply_credits=True)
        self.assert_steps(("refund", "done", 21.0))

    def test_somebody_else_s_invoice_says_nothing(self):
        """C7: nor where credits pay nothing."""
        self.start_payment(self.other)
        self.end(credit_settlement="keep")
        step = self.steps(self.subscription, "keep")
        self.assertEqual(step.note, "Kept as credit on the customer's account")
