# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Days that an end or a pause has credited, and that are served again (C9, B15).

31.00 for July, paid; ended or paused on the 10th with a credit; it goes on on the 11th,
and ends again before the new period is invoiced. What was served is charged once.
"""

from itertools import product

from odoo.tests import tagged

from .sales import SalesCase
from .test_served_days import ServedDaysCase

#: Last days, and what is due from 11 July up to them: a new period begins there.
DAYS = {
    "2026-07-12": 2.0,
    "2026-07-31": 21.0,
    "2026-08-05": 26.0,
    "2026-08-20": 41.0,
}


@tagged("post_install", "-at_install")
class TestServedAgain(ServedDaysCase, SalesCase):
    def go_on(self, is_billed, pause=None, mode="new_term"):
        """Return a subscription that was credited and goes on since 11 July.

        :param bool is_billed: whether upstream has drafted an invoice since
        :param str pause: first day after a pause that it was ended in
        """
        self.travel_to("2026-07-01")
        subscription = self.create_subscription([31.0])
        self.pay(self.bill(subscription))
        self.travel_to("2026-07-10")
        if pause:
            subscription.action_pause(pause)
        subscription.request_cancellation(timing="immediate", refund_mode="prorated")
        self.travel_to("2026-07-11")
        subscription.reactivate_subscription(mode=mode)
        if is_billed:
            self.env["sale.subscription"].cron_subscription_management()
        return subscription

    def assert_charged(self, subscription, day, expected):
        answer = self.end(subscription, day, unbilled_charges="invoice")
        charged = sum(amount for _state, amount in self.get_unbilled(answer))
        self.assertAlmostEqual(charged, expected)
        self.assert_books_fit()

    def test_a_new_term_ends_before_it_is_invoiced(self):
        """C9: with and without a draft, ended in a pause and not."""
        for is_billed, pause in product((False, True), (None, "2026-09-15")):
            for day, due in DAYS.items():
                with self.subTest(draft=is_billed, pause=pause, day=day):
                    subscription = self.go_on(is_billed, pause)
                    self.assert_charged(subscription, day, due)

    def test_it_is_ended_on_a_date_while_nothing_was_invoiced(self):
        """C9: the scheduled action comes long after."""
        subscription = self.go_on(False, "2026-09-15")
        subscription.request_cancellation(
            timing="specific_date",
            requested_date="2026-08-05",
            unbilled_charges="invoice",
        )
        self.travel_to("2026-10-01")
        subscription.cancellation_ids.sorted("id")[-1]._execute_batch()
        charges = subscription._get_invoices().filtered("cancellation_id")
        self.assertEqual(charges.amount_total, DAYS["2026-08-05"])

    def test_an_open_pause_is_resumed_and_ends_before_it_is_invoiced(self):
        """C9, B7: the paused days stay credited."""
        for is_billed in (False, True):
            for day, due in DAYS.items():
                with self.subTest(draft=is_billed, day=day):
                    self.travel_to("2026-07-01")
                    subscription = self.create_subscription([31.0])
                    self.pay(self.bill(subscription))
                    self.travel_to("2026-07-10")
                    subscription.action_pause()
                    self.travel_to("2026-07-11")
                    subscription.action_resume()
                    if is_billed:
                        self.env["sale.subscription"].cron_subscription_management()
                    self.assert_charged(subscription, day, due)

    def test_it_is_paused_before_the_new_term_is_invoiced(self):
        """C9, B7: 11 and 12 July are charged with the pause."""
        for is_billed in (False, True):
            with self.subTest(draft=is_billed):
                subscription = self.go_on(is_billed)
                self.travel_to("2026-07-13")
                subscription.action_pause()
                pause = subscription.pause_ids.filtered(
                    lambda one: one.state == "paused"
                )
                charges = pause.move_ids.filtered(
                    lambda move: (
                        move.move_type == "out_invoice" and move.state == "posted"
                    )
                )
                self.assertEqual(charges.amount_total, 2.0)
                self.assert_books_fit()

    def test_a_credit_that_is_split_to_a_down_payment(self):
        """C9, C1: it leaves its days unbilled once; so does taking it back."""
        for is_billed in (False, True):
            with self.subTest(draft=is_billed):
                order = self.sell(31.0)
                self.invoice(order, "percentage", 50.0)
                self.invoice(order)
                subscription = order.subscription_ids
                self.travel_to("2026-07-09")
                subscription.action_pause()
                self.assertEqual(len(subscription.pause_ids.credit_note_ids), 2)
                # Taken back on the day on which it began.
                subscription.action_resume()
                self.travel_to("2026-07-10")
                subscription.action_pause()
                self.travel_to("2026-07-11")
                subscription.action_resume()
                if is_billed:
                    self.env["sale.subscription"].cron_subscription_management()
                self.assert_charged(subscription, "2026-07-12", 2.0)
