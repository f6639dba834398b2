# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whose invoices the credit of a pause pays, and when (C6, C7, C16).

$31 for July, paused from 10 to 19 July: 10 of 31 days are credited, $10.
"""

from odoo.tests import tagged

from .payments import PaymentCase


@tagged("post_install", "-at_install")
class TestPauseMoney(PaymentCase):
    def pause(self):
        """Pause from today to 19 July; return the credit memo."""
        self.subscription.action_pause(paused_until="2026-07-20")
        return self.subscription.pause_ids.sudo().credit_note_ids

    def resume_and_bill(self):
        """Resume as agreed, and bill August."""
        self.travel_to("2026-07-20")
        self.subscription.is_paused = False
        return self.bill(self.subscription)

    def test_it_pays_the_next_invoice_of_its_own_customer(self):
        """C7: $31 less $10."""
        self.pay(self.invoice)
        memo = self.pause()
        self.assertEqual(memo.amount_total, 10.0)
        after = self.resume_and_bill()
        self.assertEqual((after.amount_residual, memo.amount_residual), (21.0, 0.0))

    def test_it_does_not_pay_for_who_takes_over(self):
        """C7: $10 stay the former customer's; the new one owes $31."""
        self.pay(self.invoice)
        memo = self.pause()
        self.subscription.partner_id = self.create_customer(name="Successor")
        self.subscription.sale_subscription_line_ids.price_unit = 31.0
        after = self.resume_and_bill()
        self.assertEqual(after.partner_id.name, "Successor")
        self.assertEqual((after.amount_residual, memo.amount_residual), (31.0, 10.0))
        self.assert_owes(-10.0)

    def test_a_payment_that_is_charged_back(self):
        """C6: $31 are due again, of which $10 are taken off; August owes $31."""
        payment = self.pay_online(self.invoice)
        memo = self.pause()
        self.charge_back(payment)
        self.assertEqual(
            (self.invoice.amount_residual, memo.amount_residual), (21.0, 0.0)
        )
        self.assertEqual(self.resume_and_bill().amount_residual, 31.0)
        self.assert_owes(52.0)

    def test_a_payment_on_its_way_arrives(self):
        """C16: it pays all of July; the $10 pay August, of which $21 are left."""
        payment = self.start_payment()
        memo = self.pause()
        self.assertEqual(self.invoice.amount_residual, 21.0)
        self.arrive(payment)
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.assertEqual(memo.amount_residual, 10.0)
        after = self.resume_and_bill()
        self.assertEqual((after.amount_residual, memo.amount_residual), (21.0, 0.0))
        self.assert_owes(21.0)

    def test_a_payment_arrives_after_the_next_invoice(self):
        """C16: the $10 pay August at once."""
        payment = self.start_payment()
        memo = self.pause()
        after = self.resume_and_bill()
        self.assertEqual(after.amount_residual, 31.0)
        self.arrive(payment)
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.assertEqual((after.amount_residual, memo.amount_residual), (21.0, 0.0))
        self.assert_owes(21.0)

    def test_a_payment_on_its_way_fails(self):
        """C16: July stays reduced to $21."""
        payment = self.start_payment()
        memo = self.pause()
        self.break_off(payment)
        self.assertEqual(
            (self.invoice.amount_residual, memo.amount_residual), (21.0, 0.0)
        )
        self.assert_owes(21.0)

    def test_ended_within_the_pause_while_a_payment_is_on_its_way(self):
        """C16: ended on 15 July: $10 and $12 of $31 are credited, $9 were served."""
        payment = self.start_payment()
        self.pause()
        self.cancel(self.subscription, "2026-07-15", credit_settlement="refund")
        self.take_steps()
        self.assertEqual(self.invoice.amount_residual, 9.0)
        self.arrive(payment)
        self.take_steps("2026-07-20")
        self.assertEqual(self.invoice.amount_residual, 0.0)
        self.assertEqual(self.get_sent(payment), 12.0)
        self.assert_owes(-10.0)
