# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Served days whose invoice was deleted or cancelled are invoiced in the end (C9).

31.00 a month; upstream has billed August, and that invoice is gone.
"""

from odoo.tests import tagged

from .accounting import AccountingCase
from .portal import PortalCase

DAY = "2026-08-10"


class ServedDaysCase(AccountingCase):
    def subscribe_and_lose(self, lines=(31.0,), how="delete", **values):
        """Return a subscription with July paid, and no invoice for August."""
        subscription = self.create_subscription(lines, **values)
        self.pay(self.bill(subscription))
        self.lose(subscription, how)
        return subscription

    def lose(self, subscription, how="delete"):
        """Let upstream bill the next period, and an accountant lose the invoice."""
        invoice = self.bill(subscription, post=how in ("reset", "credit"))
        if invoice.state == "posted" and how in ("delete", "cancel", "reset"):
            invoice.button_draft()
        if how == "delete":
            invoice.unlink()
        elif how == "credit":
            wizard = self.env["account.move.reversal"].with_context(
                active_model="account.move", active_ids=invoice.ids
            )
            journal = invoice.journal_id.id
            wizard.create({"journal_id": journal}).reverse_moves()
            invoice.reversal_move_ids.action_post()
        else:
            invoice.button_cancel()

    def end(self, subscription, day=DAY, **options):
        """Preview, and end with that fingerprint; return what was answered.

        Both say the same of the charges.
        """
        self.travel_to(day)
        options = {"timing": "immediate", **options}
        preview = subscription.preview_cancellation(**options)
        answer = subscription.request_cancellation(
            **options, fingerprint=preview["fingerprint"]
        )
        self.assertEqual(self.get_unbilled(preview), self.get_unbilled(answer))
        self.assertEqual(preview["warnings"], answer["warnings"])
        return answer

    def get_unbilled(self, answer):
        return [
            (part["state"], part["amount"])
            for part in answer["settlement"]
            if part["kind"] == "unbilled"
        ]

    def get_charged(self, subscription):
        """Return days and amount of each line that ending has charged."""
        moves = self.steps(subscription, "unbilled").move_id
        return [
            (str(item.start_date), str(item.end_date), item.price_subtotal)
            for item in moves.invoice_line_ids.sorted(
                lambda item: (item.start_date, item.id)
            )
        ]

    def assert_charged(self, subscription, *expected):
        """Exactly these lines are charged, on posted invoices."""
        self.assertEqual(self.get_charged(subscription), list(expected))
        moves = self.steps(subscription, "unbilled").move_id
        self.assertEqual(set(moves.mapped("state")), {"posted"} if expected else set())

    def assert_warned(self, answer, *texts):
        """There is one warning, and it says these."""
        [warning] = answer["warnings"]
        for text in texts:
            self.assertIn(text, warning)


@tagged("post_install", "-at_install")
class TestServedDays(ServedDaysCase):
    def test_a_draft_was_deleted(self):
        """C9: 10 of 31 days of 31.00 are 10.00, invoiced once."""
        subscription = self.subscribe_and_lose()
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [("done", 10.0)])
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))
        self.assertEqual(answer["warnings"], [])
        self.assert_balance(10.0, subscription)

    def test_an_invoice_was_reset_and_cancelled(self):
        """C9: the same, and for a draft that was cancelled; 20 % tax are 2.00."""
        tax = self.create_reported_tax(20.0)
        for how in ("reset", "cancel"):
            line = {"price_unit": 31.0, "taxes": tax}
            subscription = self.subscribe_and_lose([line], how=how)
            answer = self.end(subscription)
            self.assertEqual(self.get_unbilled(answer), [("done", 12.0)])
            self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))
            self.assert_balance(12.0, subscription)

    def test_the_very_first_draft_was_deleted(self):
        """C9: nothing was ever posted; 10 of 31 days of July."""
        for how in ("delete", "reset"):
            subscription = self.create_subscription()
            self.lose(subscription, how)
            self.end(subscription, "2026-07-10")
            self.assert_charged(subscription, ("2026-07-01", "2026-07-10", 10.0))

    def test_the_period_before_counts_too(self):
        """C9: July and 10 days of August are one invoice of 41.00."""
        subscription = self.create_subscription()
        self.lose(subscription)
        self.lose(subscription)
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [("done", 41.0)])
        self.assertEqual(len(self.steps(subscription, "unbilled").move_id), 1)
        self.assert_charged(
            subscription,
            ("2026-07-01", "2026-07-31", 31.0),
            ("2026-08-01", DAY, 10.0),
        )

    def test_what_is_older_is_said_and_not_invoiced(self):
        """C9: June is older than the period before August."""
        subscription = self.create_subscription(start="2026-06-01")
        self.lose(subscription)
        self.bill(subscription)
        self.lose(subscription)
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [("done", 10.0), ("skipped", 31.0)])
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))
        self.assert_warned(answer, "June 1, 2026", "June 30, 2026", "31.00", "too long")

    def test_days_that_billing_has_not_come_to_are_on_the_same_invoice(self):
        """C9: July was deleted, August is late: 31.00 and 10.00 are one invoice."""
        subscription = self.create_subscription()
        self.lose(subscription)
        self.end(subscription)
        self.assert_charged(
            subscription,
            ("2026-07-01", "2026-07-31", 31.0),
            ("2026-08-01", DAY, 10.0),
        )
        self.assertEqual(len(self.steps(subscription, "unbilled")), 1)
        # Taken back, regular billing comes to August; July is charged in the end.
        self.get_default_policy().undo_days = 7
        subscription.cancellation_ids.action_undo()
        self.bill(subscription)
        self.assert_balance(31.0, subscription)
        self.end(subscription, "2026-08-20", refund_mode="none")
        self.assert_balance(62.0, subscription)

    def test_all_of_it_is_charged_to_the_saved_card(self):
        """C8, C9: 10.00 are collected at once."""
        subscription = self.subscribe_and_lose()
        self.create_token(subscription.partner_id)
        self.end(subscription)
        self.run_steps(subscription)
        step = self.steps(subscription, "collect")
        self.assertRecordValues(step, [{"state": "done", "amount": 10.0}])
        self.assert_balance(0.0, subscription)

    def test_the_end_comes_in_the_night(self):
        """C9: said when it is scheduled, and invoiced when it ends."""
        subscription = self.subscribe_and_lose()
        options = {"timing": "specific_date", "requested_date": DAY}
        self.travel_to("2026-08-05")
        preview = subscription.preview_cancellation(**options)
        self.assert_warned(preview, "August 1, 2026", "August 10, 2026", "10.00")
        answer = self.cancel(subscription, **options)
        self.assertEqual(answer["warnings"], preview["warnings"])
        self.travel_to("2026-08-11")
        subscription.cancellation_ids._execute_if_due()
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))

    def test_what_is_dropped_is_said(self):
        """C9: nothing is invoiced, and the warning says how much and which days."""
        subscription = self.subscribe_and_lose()
        answer = self.end(subscription, unbilled_charges="drop")
        self.assertEqual(self.get_unbilled(answer), [("skipped", 10.0)])
        self.assert_charged(subscription)
        self.assert_warned(answer, "August 1, 2026", "August 10, 2026", "10.00", "drop")

    def test_what_was_dropped_is_not_invoiced_after_a_new_start(self):
        """C9: it was decided; the days before the new start stay dropped."""
        subscription = self.subscribe_and_lose()
        self.end(subscription, unbilled_charges="drop")
        self.travel_to("2026-09-05")
        subscription.reactivate_subscription()
        self.bill(subscription, "2026-09-05")
        self.end(subscription, "2026-09-10", refund_mode="none")
        self.assert_charged(subscription)

    def test_the_price_of_today_and_the_discount_count(self):
        """C9: 62.00 less 50 % are 31.00 now; 10.00 of them for 10 days."""
        subscription = self.subscribe_and_lose()
        subscription.sale_subscription_line_ids.write(
            {"price_unit": 62.0, "discount": 50.0}
        )
        self.end(subscription)
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))

    def test_a_full_refund_credits_july_and_charges_august(self):
        """C2, C9: 31.00 are credited, 10.00 are charged."""
        subscription = self.subscribe_and_lose()
        answer = self.end(subscription, refund_mode="full")
        self.assertEqual(answer["credit_total"], 31.0)
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))

    def test_a_draft_that_goes_on_is_no_latest_period(self):
        """C2, C9: it bills August, which was served, with the line that goes on."""
        self.track_changes()
        subscription = self.create_subscription([31.0, 62.0])
        self.pay(self.bill(subscription))
        draft = self.bill(subscription, "2026-08-01", post=False)
        self.end_transaction()
        line = subscription.sale_subscription_line_ids[0]
        self.cancel(
            subscription,
            "2026-08-10",
            line_ids=line.ids,
            timing="end_of_billed",
            refund_mode="full",
        )
        self.travel_to("2026-09-01")
        subscription.cancellation_ids._execute_if_due()
        self.assertEqual(subscription.cancellation_ids.credit_total, 31.0)
        self.end_transaction()
        self.travel_to("2026-09-03")
        draft.action_post()
        self.end_transaction()
        self.assertEqual(draft.amount_total, 93.0)
        self.assert_books_fit()

    def test_a_month_that_began_on_the_31st(self):
        """C9: 31 January to 27 February has 28 days; 14 of them of 28.00 are 14.00."""
        subscription = self.create_subscription([28.0], start="2026-01-31")
        self.lose(subscription)
        self.end(subscription, "2026-02-13")
        self.assert_charged(subscription, ("2026-01-31", "2026-02-13", 14.0))

    def test_a_fixed_term_is_not_exceeded(self):
        """C9: it ended with July; nothing of August was served."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=1
        )
        subscription = self.create_subscription(template=template)
        self.lose(subscription)
        self.travel_to("2026-08-10")
        subscription.cancellation_ids._execute_if_due()
        if subscription.cancellation_state != "cancelled":
            self.end(subscription)
        self.assert_charged(subscription, ("2026-07-01", "2026-07-31", 31.0))


@tagged("post_install", "-at_install")
class TestNotServedDays(ServedDaysCase):
    """Nothing is invented for days that upstream never bills."""

    def test_an_invoice_that_was_credited_by_hand_was_given_up(self):
        """C9: August was reversed in full by an accountant."""
        subscription = self.subscribe_and_lose(how="credit")
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [])
        self.assertEqual(answer["warnings"], [])

    def test_what_another_system_billed(self):
        """C9: it runs since January, and is billed here from August on."""
        subscription = self.create_subscription(start="2026-01-01")
        subscription.recurring_next_date = "2026-08-01"
        self.bill(subscription)
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [])
        self.assertEqual(answer["warnings"], [])

    def test_days_that_were_given_free(self):
        """C9: the next invoice date was moved on by hand; no document billed them."""
        subscription = self.create_subscription()
        self.pay(self.bill(subscription))
        subscription.recurring_next_date = "2026-09-01"
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [])
        self.assertEqual(answer["warnings"], [])

    def test_days_that_were_given_free_before_the_next_invoice(self):
        """C9: 1 to 5 August are free; billing goes on, and then an invoice is lost."""
        subscription = self.create_subscription()
        self.pay(self.bill(subscription))
        subscription.recurring_next_date = "2026-08-06"
        self.lose(subscription)
        self.end(subscription, "2026-08-15")
        self.assert_charged(subscription, ("2026-08-06", "2026-08-15", 10.0))

    def test_days_that_a_subscription_was_closed_by_upstream(self):
        """C9: closed on 10 July without a cancellation, and resumed on 5 August."""
        subscription = self.create_subscription()
        self.pay(self.bill(subscription))
        self.travel_to("2026-07-10")
        subscription._close(False)
        self.travel_to("2026-08-05")
        subscription.reactivate_subscription(mode="resume")
        self.bill(subscription)
        answer = self.end(subscription, "2026-08-20", refund_mode="none")
        self.assertEqual(self.get_unbilled(answer), [])

    def test_days_of_a_trial(self):
        """C9: free until 14 July; 6 of 31 days from then on are 6.00."""
        subscription = self.create_subscription()
        subscription.trial_end_date = "2026-07-14"
        self.lose(subscription)
        self.assertEqual(str(subscription.recurring_next_date), "2026-08-15")
        self.end(subscription, "2026-07-20")
        self.assert_charged(subscription, ("2026-07-15", "2026-07-20", 6.0))

    def test_days_of_a_pause(self):
        """C9: August was lost, and 6 to 10 August are paused: 5 days and 5 days."""
        subscription = self.subscribe_and_lose()
        self.travel_to("2026-08-06")
        subscription.action_pause(paused_until="2026-08-11")
        self.travel_to("2026-08-11")
        subscription.is_paused = False
        self.end(subscription, "2026-08-15")
        self.assert_charged(
            subscription,
            ("2026-08-01", "2026-08-05", 5.0),
            ("2026-08-11", "2026-08-15", 5.0),
        )

    def test_days_between_an_end_and_its_undo(self):
        """C9, B15: served to the 10th and from the 15th to the 20th."""
        subscription = self.subscribe_and_lose()
        self.get_default_policy().undo_days = 30
        self.end(subscription)
        self.travel_to("2026-08-15")
        subscription.cancellation_ids.action_undo()
        self.assert_balance(10.0, subscription)
        self.end(subscription, "2026-08-20")
        self.assert_charged(
            subscription,
            ("2026-08-01", DAY, 10.0),
            ("2026-08-15", "2026-08-20", 6.0),
        )

    def test_a_second_end_does_not_charge_the_days_again(self):
        """C9: undone on the same day, ended on the 20th: 10.00 and 10.00."""
        subscription = self.subscribe_and_lose()
        self.get_default_policy().undo_days = 30
        self.end(subscription)
        subscription.cancellation_ids.action_undo()
        self.end(subscription)
        self.assert_charged(subscription, ("2026-08-01", DAY, 10.0))
        subscription.cancellation_ids.sorted("id")[-1].action_undo()
        self.end(subscription, "2026-08-20")
        self.assert_charged(
            subscription,
            ("2026-08-01", DAY, 10.0),
            ("2026-08-11", "2026-08-20", 10.0),
        )
        self.assert_balance(20.0, subscription)

    def test_a_charge_of_days_was_cancelled_later(self):
        """C9: 30.00 for June; the charge of its first 10 days is lost, 5 are new."""
        subscription = self.create_subscription([30.0], start="2026-06-01")
        self.lose(subscription)
        self.get_default_policy().undo_days = 30
        for day in ("2026-06-10", "2026-06-20"):
            self.end(subscription, day)
            subscription.cancellation_ids.sorted("id")[-1].action_undo()
        lost = self.steps(subscription, "unbilled").move_id.sorted("id")[0]
        lost.button_draft()
        lost.button_cancel()
        answer = self.end(subscription, "2026-06-25")
        self.assertEqual(self.get_unbilled(answer), [("done", 15.0)])

    def test_one_line_and_then_the_others(self):
        """C9: each line is charged up to its own end."""
        subscription = self.subscribe_and_lose([31.0, 62.0])
        first = self.get_line(subscription, "Line 1")
        self.end(subscription, "2026-08-05", line_ids=first.ids)
        self.assert_charged(subscription, ("2026-08-01", "2026-08-05", 5.0))
        self.end(subscription)
        self.assert_charged(
            subscription,
            ("2026-08-01", "2026-08-05", 5.0),
            ("2026-08-01", DAY, 20.0),
        )

    def test_a_line_that_was_added_within_a_period(self):
        """C9: upstream bills it from August on; July is not charged."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-10")
        self.add_line(subscription, {"name": "Later", "price_unit": 62.0})
        answer = self.end(
            subscription,
            "2026-07-20",
            line_ids=self.get_line(subscription, "Later").ids,
        )
        self.assertEqual(self.get_unbilled(answer), [])
        other = self.create_subscription()
        self.bill(other)
        self.add_line(other, {"name": "Later", "price_unit": 62.0})
        self.lose(other)
        self.end(other)
        self.assert_charged(other, ("2026-08-01", DAY, 10.0), ("2026-08-01", DAY, 20.0))

    def test_a_line_that_was_taken_off_a_draft(self):
        """C9: only that one is charged."""
        subscription = self.create_subscription([31.0, 62.0])
        self.bill(subscription)
        august = self.bill(subscription, post=False)
        august.invoice_line_ids[1].unlink()
        august.action_post()
        self.end(subscription, refund_mode="none")
        self.assert_charged(subscription, ("2026-08-01", DAY, 20.0))

    def test_nothing_is_charged_for_nothing(self):
        """C9: a quantity of zero costs nothing, and nothing is said."""
        line = {"price_unit": 31.0, "product_uom_qty": 0.0}
        subscription = self.subscribe_and_lose([31.0, line])
        subscription.sale_subscription_line_ids[0].price_unit = 0.0
        answer = self.end(subscription)
        self.assertEqual(self.get_unbilled(answer), [])
        self.assertEqual(answer["warnings"], [])

    def test_a_rebate_reduces_what_is_charged(self):
        """C9: 10 of 31 days of 62.00 less 31.00; alone, it is no charge."""
        rebate = {"name": "Rebate", "price_unit": -31.0}
        subscription = self.subscribe_and_lose([62.0, rebate])
        self.end(subscription)
        self.assert_balance(10.0, subscription)


@tagged("post_install", "-at_install")
class TestTwoDrafts(ServedDaysCase):
    """What is a draft is settled as such; days are not charged beside it."""

    def test_a_draft_is_dropped(self):
        """C9: dropped once, as a draft."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.bill(subscription, post=False)
        answer = self.end(subscription, unbilled_charges="drop")
        self.assertEqual(self.get_unbilled(answer), [("skipped", 31.0)])

    def test_a_draft_beside_a_lost_one(self):
        """C9: July was lost, August is a draft: 31.00 and 10.00."""
        subscription = self.create_subscription()
        self.lose(subscription)
        self.bill(subscription, post=False)
        answer = self.end(subscription)
        self.assertEqual(
            sorted(self.get_unbilled(answer)), [("done", 10.0), ("done", 31.0)]
        )
        self.assert_balance(41.0, subscription)


@tagged("post_install", "-at_install")
class TestServedDaysInThePortal(PortalCase):
    """The customer reads the figures that are posted then."""

    def lose_august_and_check_out(self, unbilled_charges):
        self.policy.unbilled_charges = unbilled_charges
        self.bill(self.subscription, post=False).unlink()
        self.travel_to("2026-08-10")
        return self.check_out(timing="immediate")

    def test_what_is_charged(self):
        """C9: 10.00 before and after."""
        page = self.lose_august_and_check_out("invoice")
        self.assertIn("10.00", page.text())
        self.assertFalse(page.has("left_out"))
        self.send(page, "confirm")
        step = self.steps(self.get_cancellation().subscription_id, "unbilled")
        self.assertEqual(step.move_id.amount_total, 10.0)

    def test_what_is_dropped(self):
        """C9: said with its days."""
        page = self.lose_august_and_check_out("drop")
        for text in ("August 1, 2026", "August 10, 2026", "10.00"):
            self.assertIn(text, page.text("left_out"))
