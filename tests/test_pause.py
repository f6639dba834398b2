# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A pause: the paid days in it are credited, nothing is billed for it.

$37.37 a month, paid for 17 November to 16 December (30 days), paused on 29 November:
18 of 30 days are $22.42.
"""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import (
    CANCELLATION_USER,
    INVOICING,
    SALESPERSON,
    CancellationCase,
)

PRICE = 37.37
CREDIT = 22.42
TODAY = "2026-11-29"
RESUME_ON = "2027-01-29"


class PauseCase(CancellationCase):
    """The subscription of the issue, billed by upstream and paid."""

    now = "2026-11-17"

    def setUp(self):
        super().setUp()
        self.subscription, self.invoice = self.subscribe()
        self.pay(self.invoice)
        self.travel_to(TODAY)

    @classmethod
    def subscribe(cls, lines=(PRICE,), start="2026-11-17", **values):
        """Return a subscription whose first period is billed, and that invoice."""
        subscription = cls.create_subscription(lines, start=start, **values)
        return subscription, cls.bill(subscription)

    def pause(self, subscription=None, resume_on=RESUME_ON, user=None):
        """Pause with upstream's dialog, as the back office does; return the record."""
        subscription = subscription or self.subscription
        wizard = self.env["sale.subscription.pause.wizard"].with_user(
            user or self.env.user
        )
        wizard = wizard.with_context(active_id=subscription.id)
        with Form(wizard) as form:
            form.paused_until = resume_on
        form.record.button_confirm()
        return subscription.pause_ids.sorted("id")[-1:]

    def run_night(self, day):
        """Let upstream's scheduled action run in the night to a day."""
        self.travel_to(day)
        self.env["sale.subscription"].cron_subscription_management()

    def post_all(self, subscription):
        """Post what upstream drafted; return all invoices in order."""
        invoices = subscription._get_invoices()
        invoices.filtered(lambda move: move.state == "draft").action_post()
        return invoices.sorted("id")

    def assert_next(self, day, subscription=None):
        subscription = subscription or self.subscription
        self.assertEqual(str(subscription.recurring_next_date), day)

    def assert_memos(self, pause, *totals):
        memos = pause.credit_note_ids.filtered(lambda move: move.state == "posted")
        self.assertEqual(sorted(memos.mapped("amount_total")), sorted(totals))
        return memos


@tagged("post_install", "-at_install")
class TestPause(PauseCase):
    def test_the_paid_days_of_the_pause_are_credited_and_pay_the_next_invoice(self):
        """C1: 22.42 stays on account; 29 January bills a month, 14.95 of it is due."""
        pause = self.pause()
        memo = self.assert_memos(pause, CREDIT)
        self.assertEqual(memo.reversed_entry_id, self.invoice)
        self.assertEqual(memo.amount_residual, CREDIT)
        [line] = memo.invoice_line_ids
        self.assertEqual(
            [str(day) for day in (line.start_date, line.end_date)],
            ["2026-11-29", "2026-12-16"],
        )
        self.assertEqual(
            [str(day) for day in (pause.date_from, pause.date_to)],
            ["2026-11-29", "2027-01-28"],
        )
        for day in ("2026-12-17", "2027-01-17", "2027-01-28"):
            self.run_night(day)
        self.assertEqual(len(self.subscription._get_invoices()), 1)
        self.run_night(RESUME_ON)
        self.assertFalse(self.subscription.is_paused)
        self.assertEqual(pause.state, "ended")
        _first, second = self.post_all(self.subscription)
        [line] = second.invoice_line_ids
        self.assertEqual(
            [str(day) for day in (line.start_date, line.end_date)],
            ["2027-01-29", "2027-02-27"],
        )
        self.assertEqual((second.amount_total, second.amount_residual), (PRICE, 14.95))
        self.assertEqual(memo.amount_residual, 0.0)
        self.run_night("2027-01-30")
        self.assertEqual(len(self.subscription._get_invoices()), 2)

    def test_half_paid(self):
        """C1: 17.37 were due and are reduced to nothing, 5.05 stay on account."""
        subscription, invoice = self.subscribe()
        self.pay(invoice, 20.0)
        self.travel_to(TODAY)
        memo = self.assert_memos(self.pause(subscription), CREDIT)
        self.assertEqual((invoice.amount_residual, memo.amount_residual), (0.0, 5.05))

    def test_not_paid(self):
        """C1: the open invoice is reduced to the days before the pause: 14.95."""
        subscription, invoice = self.subscribe()
        self.travel_to(TODAY)
        memo = self.assert_memos(self.pause(subscription), CREDIT)
        self.assertEqual((invoice.amount_residual, memo.amount_residual), (14.95, 0.0))

    def test_tax(self):
        """C1, C11: 18 of 30 days of 100.00 and 19 %."""
        tax = self.create_tax(19.0)
        line = {"price_unit": 100.0, "taxes": tax}
        subscription, _invoice = self.subscribe([line])
        self.travel_to(TODAY)
        memo = self.assert_memos(self.pause(subscription), 71.40)
        self.assertEqual((memo.amount_untaxed, memo.amount_tax), (60.0, 11.4))

    def test_another_currency(self):
        """C1: in the invoice's currency, at its rate, and so it pays the next one."""
        subscription, _invoice = self.subscribe([30.0], currency="EUR")
        self.travel_to(TODAY)
        memo = self.assert_memos(self.pause(subscription), 18.0)
        self.assertEqual(memo.currency_id.name, "EUR")
        self.run_night(RESUME_ON)
        second = self.post_all(subscription)[-1]
        # 12.00 of the first invoice are still due; 18.00 of it were reduced.
        self.assertEqual(second.amount_residual, 30.0)

    def test_add_ons_and_lines_that_ended_before(self):
        """C1, A5: every line that still runs, to the cent; what ended is left alone."""
        subscription, _invoice = self.subscribe(
            [
                {"name": "Base", "price_unit": 30.0},
                {"name": "Add-on", "price_unit": 10.0, "addon_of": "Base"},
                {"name": "Ended", "price_unit": 60.0},
            ]
        )
        self.cancel(
            subscription,
            "2026-11-21",
            line_ids=self.get_line(subscription, "Ended").ids,
        )
        self.travel_to(TODAY)
        pause = self.pause(subscription)
        memo = self.assert_memos(pause, 24.0)
        self.assertEqual(
            sorted(memo.invoice_line_ids.mapped("price_subtotal")), [6.0, 18.0]
        )

    def test_a_line_that_ends_within_the_pause_is_credited_once(self):
        """C4: its days were credited by the pause; nothing is left for its end."""
        subscription, _invoice = self.subscribe(
            [{"name": "Base", "price_unit": 30.0}, {"name": "Two", "price_unit": 60.0}]
        )
        self.travel_to(TODAY)
        self.assert_memos(self.pause(subscription), 54.0)
        self.cancel(
            subscription, "2026-12-05", line_ids=self.get_line(subscription, "Two").ids
        )
        self.assertFalse(subscription.cancellation_ids.credit_note_ids)
        self.assertTrue(subscription.is_paused)

    def test_month_ends(self):
        """B4, C1: 31 January to 27 February, paused from the 15th: 13 of 28 days."""
        subscription, _invoice = self.subscribe([28.0], start="2027-01-31")
        self.travel_to("2027-02-15")
        self.assert_memos(self.pause(subscription, "2027-03-31"), 13.0)
        self.assert_next("2027-03-31", subscription)

    def test_a_leap_day(self):
        """C1: 1 February to 29 February 2028, paused from the 29th: 1 of 29 days."""
        subscription, _invoice = self.subscribe([29.0], start="2028-02-01")
        self.travel_to("2028-02-29")
        self.assert_memos(self.pause(subscription, "2028-03-10"), 1.0)
        self.assert_next("2028-03-10", subscription)

    def test_a_yearly_plan_that_is_paid_beyond_the_pause(self):
        """C1: 61 of 365 days; the rest stays paid, and the billing date stays."""
        subscription, _invoice = self.subscribe(
            [365.0], start="2027-01-01", interval="1 years"
        )
        self.travel_to("2027-03-01")
        self.assert_memos(self.pause(subscription, "2027-05-01"), 61.0)
        self.assert_next("2028-01-01", subscription)
        self.run_night("2027-05-01")
        self.assertEqual(len(subscription._get_invoices()), 1)
        # Ending it on 31 October credits the last 61 days, and no paused one again.
        self.cancel(subscription, "2027-10-31")
        self.assertEqual(subscription.cancellation_ids.credit_total, 61.0)

    def test_a_yearly_plan_resumed_early_pays_for_the_days_until_the_agreed_end(self):
        """C1: paused for 61 days, resumed after 31: 30 days are charged."""
        subscription, _invoice = self.subscribe(
            [365.0], start="2027-01-01", interval="1 years"
        )
        self.travel_to("2027-03-01")
        pause = self.pause(subscription, "2027-05-01")
        self.travel_to("2027-04-01")
        subscription.action_resume()
        charge = pause.move_ids - pause.credit_note_ids
        self.assertEqual((charge.amount_total, charge.state), (30.0, "posted"))
        self.assertEqual(str(pause.date_to), "2027-03-31")
        self.assert_next("2028-01-01", subscription)

    def test_advance_invoices(self):
        """C3: three months are paid, the first days of the third are in the pause."""
        subscription, _invoice = self.subscribe([30.0], start="2026-11-01")
        self.bill(subscription, "2026-11-02")
        self.bill(subscription, "2026-11-03")
        self.travel_to("2026-11-21")
        # 10 of 30 days, 31 of 31 days, 10 of 31 days.
        self.assert_memos(self.pause(subscription, "2027-01-11"), 10.0, 30.0, 9.68)
        self.assert_next("2027-02-01", subscription)

    def test_open_and_resumed(self):
        """C1: all from the first paused day on; billed from the day it goes on."""
        pause = self.pause(resume_on=False)
        self.assert_memos(pause, CREDIT)
        self.assertFalse(pause.date_to)
        self.run_night("2026-12-17")
        self.travel_to("2027-02-10")
        with self.assertRaisesRegex(UserError, "is paused"):
            self.subscription.manual_invoice()
        self.subscription.action_resume()
        self.assertEqual(str(pause.date_to), "2027-02-09")
        self.assert_next("2027-02-10")
        self.run_night("2027-02-10")
        self.assertEqual(len(self.subscription._get_invoices()), 2)

    def test_resumed_early(self):
        """C1: billed from that day."""
        pause = self.pause()
        self.travel_to("2026-12-10")
        self.subscription.action_resume()
        self.assert_next("2026-12-10")
        self.assertEqual((str(pause.date_to), pause.state), ("2026-12-09", "ended"))
        self.run_night("2026-12-10")
        second = self.post_all(self.subscription)[-1]
        self.assertEqual((second.amount_total, second.amount_residual), (PRICE, 14.95))

    def test_resumed_on_the_day_it_began(self):
        """C1: taken back, the old billing date returns; the credit is billed again."""
        for resume_on in (RESUME_ON, False):
            with self.subTest(resume_on=resume_on):
                pause = self.pause(resume_on=resume_on)
                memo = self.assert_memos(pause, CREDIT)
                self.subscription.action_resume()
                self.assertEqual(pause.state, "taken_back")
                self.assert_next("2026-12-17")
                [invoice] = memo.reversal_move_ids
                self.assertEqual(invoice.amount_total, CREDIT)
                self.assertEqual(invoice.amount_residual, 0.0)
                self.assertEqual(pause.credit_total, 0.0)

    def test_invoiced_in_advance_before_it_is_taken_back(self):
        """B7, C4: 17 December – 16 January is billed once."""
        self.pause(resume_on="2026-12-10")
        self.subscription.manual_invoice()
        self.subscription.action_resume()
        self.assert_next("2027-01-17")
        self.subscription.manual_invoice()
        lines = self.subscription._get_invoices().invoice_line_ids
        starts = [str(line.start_date) for line in lines if not line.move_id.pause_id]
        self.assertCountEqual(starts, ["2026-11-17", "2026-12-17", "2027-01-17"])

    def test_pausing_again_after_it_was_taken_back(self):
        """C4: the same days, once more."""
        self.pause()
        self.subscription.action_resume()
        self.assert_memos(self.pause(), CREDIT)

    def test_several_pauses_in_one_period(self):
        """C1, C4: 20–24 November and 1–5 December: 5 of 30 days each, and no more."""
        subscription, _invoice = self.subscribe([30.0])
        self.travel_to("2026-11-20")
        self.assert_memos(self.pause(subscription, "2026-11-25"), 5.0)
        self.run_night("2026-11-25")
        self.assert_next("2026-12-17", subscription)
        self.travel_to("2026-12-01")
        self.assert_memos(self.pause(subscription, "2026-12-06"), 5.0)
        self.run_night("2026-12-06")
        self.assert_next("2026-12-17", subscription)
        # 12–16 December, and nothing of the pauses.
        self.cancel(subscription, "2026-12-11")
        self.assertEqual(subscription.cancellation_ids.credit_total, 5.0)

    def test_no_refund(self):
        """C2: nothing is credited; the pause begins after the paid period."""
        self.subscription.refund_mode = "none"
        pause = self.pause()
        self.assertFalse(pause.credit_note_ids)
        self.assertEqual(str(pause.date_from), "2026-12-17")
        self.run_night("2026-12-17")
        self.run_night(RESUME_ON)
        self.assertEqual(len(self.subscription._get_invoices()), 2)
        self.assert_next("2027-02-28")

    def test_no_refund_resumed_before_it_began(self):
        """C2: taken back; the paid period goes on."""
        self.subscription.refund_mode = "none"
        pause = self.pause()
        self.travel_to("2026-12-10")
        self.subscription.action_resume()
        self.assertEqual(pause.state, "taken_back")
        self.assert_next("2026-12-17")

    def test_full_refund_is_for_ending(self):
        """C2: served days stay billed."""
        self.subscription.refund_mode = "full"
        self.assert_memos(self.pause(), CREDIT)

    def test_a_review_comes_first_where_the_policy_wants_it(self):
        """C12: a draft; posted later it still pays the next invoice."""
        self.get_default_policy().post_credit_memos = False
        pause = self.pause()
        [memo] = pause.credit_note_ids
        self.assertEqual((memo.state, pause.credit_total), ("draft", CREDIT))
        memo.action_post()
        self.run_night(RESUME_ON)
        self.assertEqual(self.post_all(self.subscription)[-1].amount_residual, 14.95)

    def test_a_refused_credit_leaves_the_days_paid(self):
        """C12: cancelled instead of posted; resuming early does not bill them twice."""
        self.get_default_policy().post_credit_memos = False
        pause = self.pause()
        pause.credit_note_ids.button_cancel()
        self.travel_to("2026-12-10")
        self.subscription.action_resume()
        self.assert_next("2026-12-17")

    def test_a_fixed_end_does_not_move(self):
        """B10: nor is anything billed beyond it."""
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=3
        )
        subscription, _invoice = self.subscribe(template=template)
        end = subscription.date
        self.travel_to(TODAY)
        self.pause(subscription, "2027-03-01")
        self.assertEqual(subscription.date, end)
        self.run_night("2027-03-01")
        self.assertEqual(subscription.cancellation_state, "cancelled")
        self.assertEqual(len(subscription._get_invoices()), 1)

    def test_in_the_trial(self):
        """B9: nothing was billed; the trial's days count, the pause's cost nothing."""
        template = self.create_template(trial_days=14)
        subscription = self.create_subscription(template=template, start="2026-11-20")
        self.travel_to(TODAY)
        pause = self.pause(subscription, "2026-12-02")
        self.assertFalse(pause.move_ids)
        self.assert_next("2026-12-04", subscription)
        self.run_night("2026-12-02")
        pause = self.pause(subscription, "2026-12-20")
        self.assert_next("2026-12-20", subscription)
        self.travel_to("2026-12-10")
        subscription.action_resume()
        self.assert_next("2026-12-10", subscription)

    def test_before_the_start(self):
        """B9: paid in advance, paused on the eve; the whole period is credited."""
        subscription, invoice = self.subscribe(start="2026-12-17")
        self.travel_to("2026-12-10")
        self.assert_memos(self.pause(subscription, "2027-01-17"), PRICE)
        self.assertEqual(invoice.amount_residual, 0.0)
        self.assert_next("2027-01-17", subscription)

    def test_a_draft_for_paused_days_is_cancelled(self):
        """C9: its served days are invoiced; taken back, it is there again."""
        subscription = self.create_subscription([30.0], start="2026-11-17")
        draft = self.bill(subscription, post=False)
        self.travel_to(TODAY)
        pause = self.pause(subscription)
        self.assertEqual(draft.state, "cancel")
        charge = pause.move_ids - draft
        self.assertEqual(charge.amount_total, 12.0)
        self.assert_next(RESUME_ON, subscription)
        subscription.action_resume()
        self.assertEqual((draft.state, charge.payment_state), ("draft", "reversed"))
        self.assert_next("2026-12-17", subscription)

    def test_a_draft_with_more_on_it_keeps_that(self):
        """C9: the set-up fee is still billed."""
        subscription = self.create_subscription([30.0], start="2026-11-17")
        draft = self.bill(subscription, post=False)
        fee = [(0, 0, {"name": "Set-up", "price_unit": 7.0, "tax_ids": []})]
        draft.write({"invoice_line_ids": fee})
        self.travel_to(TODAY)
        self.pause(subscription)
        self.assertEqual((draft.state, draft.amount_total), ("draft", 7.0))
        subscription.action_resume()
        # What left the draft is billed again.
        self.assert_next("2026-11-17", subscription)

    def test_a_draft_with_more_on_it_beside_what_is_paid(self):
        """C1: what is paid is credited all the same."""
        draft = self.bill(self.subscription, "2026-11-20", post=False)
        fee = [(0, 0, {"name": "Set-up", "price_unit": 7.0, "tax_ids": []})]
        draft.write({"invoice_line_ids": fee})
        self.travel_to(TODAY)
        pause = self.pause()
        self.assertEqual((draft.state, draft.amount_total), ("draft", 7.0))
        self.assertEqual(pause.credit_note_ids.amount_total, CREDIT)

    def test_billing_is_late(self):
        """C9: 17 to 28 November is invoiced to the day, the pause is not."""
        subscription = self.create_subscription([30.0], start="2026-11-17")
        self.travel_to(TODAY)
        pause = self.pause(subscription)
        self.assertEqual(pause.move_ids.amount_total, 12.0)
        self.assert_next(RESUME_ON, subscription)

    def test_customers_elsewhere(self):
        """B4: it is still 28 November in Honolulu; there it ends on 28 January, too."""
        customer = self.create_customer(tz="Pacific/Honolulu")
        subscription, _invoice = self.subscribe([30.0], partner_id=customer.id)
        self.travel_to("2026-11-29 05:00:00")
        pause = self.pause(subscription)
        # 19 of 30 days.
        self.assert_memos(pause, 19.0)
        self.assertEqual(str(pause.date_from), "2026-11-28")
        self.run_night("2027-01-29 05:00:00")
        self.assertEqual((str(pause.date_to), pause.state), ("2027-01-28", "ended"))
        self.assert_next("2027-02-28", subscription)


@tagged("post_install", "-at_install")
class TestEndingWhilePaused(PauseCase):
    def test_it_credits_once_and_ends_the_pause(self):
        """C4: no flag, no button, no second credit; undone, it is paused as before."""
        pause = self.pause()
        self.cancel(self.subscription, "2026-12-05")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertFalse(self.subscription.is_paused)
        self.assertFalse(self.subscription.cancellation_ids.credit_note_ids)
        self.assertEqual(pause.state, "ended")
        self.assertEqual(pause.cancellation_id, self.subscription.cancellation_ids)
        self.subscription.cancellation_ids._undo()
        self.assertEqual((self.subscription.is_paused, pause.state), (True, "paused"))
        self.assertEqual(str(self.subscription.paused_until), RESUME_ON)
        self.assert_next(RESUME_ON)

    def test_undone_an_open_pause_goes_on(self):
        """B15: also where the paid period would be over."""
        pause = self.pause(resume_on=False)
        self.cancel(self.subscription, "2026-12-16")
        self.travel_to("2026-12-18")
        self.subscription.cancellation_ids._undo()
        self.assertEqual((self.subscription.is_paused, pause.state), (True, "paused"))
        self.travel_to("2026-12-20")
        self.subscription.action_resume()
        self.assert_next("2026-12-20")

    def test_a_new_term_is_billed_from_its_first_day(self):
        """B15: the credited days are not free."""
        self.pause()
        self.cancel(self.subscription, "2026-12-05")
        self.travel_to("2026-12-06")
        self.subscription.reactivate_subscription(mode="new_term")
        self.assertFalse(self.subscription.is_paused)
        self.assert_next("2026-12-06")

    def test_scheduled_before_and_within_the_pause(self):
        """B7: it ends on its day; the pause has credited the days after it already."""
        self.cancel(self.subscription, timing="end_of_period")
        pause = self.pause()
        self.assert_memos(pause, CREDIT)
        self.travel_to("2026-12-17")
        self.env["subscription.cancellation"]._search_due(())._execute()
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        self.assertFalse(self.subscription.cancellation_ids.credit_note_ids)
        self.assertEqual(pause.state, "ended")

    def test_nothing_to_pause_after_the_end(self):
        """B7, C2: with No Refund the pause would begin when it has ended."""
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.refund_mode = "none"
        with self.assertRaisesRegex(UserError, "There is nothing to pause"):
            self.subscription.action_pause(RESUME_ON)

    def test_paused_days_are_no_unbilled_days(self):
        """C9: moved to a day in the pause with extra days charged: none is."""
        self.pause()
        self.cancel(self.subscription, timing="end_of_period")
        self.subscription.postpone_cancellation(
            requested_date="2027-01-10", charge_extension=True
        )
        self.assertEqual(len(self.subscription._get_invoices()), 1)
        self.travel_to("2027-01-11")
        self.env["subscription.cancellation"]._search_due(())._execute()
        self.assertEqual(len(self.subscription._get_invoices()), 1)
        self.assertEqual(self.subscription.cancellation_state, "cancelled")


@tagged("post_install", "-at_install")
class TestPauseControl(PauseCase):
    def test_the_dialog_tells_days_and_money(self):
        """E1: before anything is confirmed, and nothing is written."""
        wizard = self.env["sale.subscription.pause.wizard"].with_context(
            active_id=self.subscription.id
        )
        with Form(wizard) as form:
            form.paused_until = RESUME_ON
            self.assertEqual(
                form.preview.replace("\N{NO-BREAK SPACE}", " ").split("\n"),
                [
                    "Paused from November 29, 2026 to January 28, 2027.",
                    "$ 22.42 of what is invoiced for the paused days (18 of 30 days) "
                    "is credited.",
                    "$ 22.42 of it stays on account and pays the next invoice.",
                    "Nothing is invoiced for the pause.",
                    "The next invoice is for the period from January 29, 2027.",
                ],
            )
            form.paused_until = TODAY
            self.assertIn("choose a later day", form.problem)
        self.assertFalse(self.subscription.pause_ids)

    def test_the_salesperson_who_pauses_need_not_see_invoices(self):
        """D1: as today; who and when is on record."""
        user = self.create_user(SALESPERSON)
        pause = self.pause(user=user)
        self.assertEqual(pause.paused_by_id, user)
        self.assertEqual(str(pause.paused_on), f"{TODAY} 00:00:00")
        self.assertEqual(pause.with_user(user).credit_total, CREDIT)
        self.subscription.with_user(user).action_resume()
        self.assertEqual(pause.ended_by_id, user)

    def test_who_may_not_write_subscriptions_does_not_pause(self):
        """D1: neither by the button nor by the flag."""
        user = self.create_user(CANCELLATION_USER)
        subscription = self.subscription.with_user(user)
        with self.assertRaises(AccessError):
            subscription.action_pause()
        with self.assertRaises(AccessError):
            subscription.write({"is_paused": True})
        self.assertFalse(self.subscription.pause_ids)

    def test_the_flag_of_upstream_is_the_same_door(self):
        """D4: written over RPC, or by another addon."""
        self.subscription.write({"is_paused": True, "paused_until": RESUME_ON})
        pause = self.subscription.pause_ids
        self.assert_memos(pause, CREDIT)
        self.subscription.write({"is_paused": True})
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            self.subscription.paused_until = "2027-03-01"
        self.subscription.write({"is_paused": False})
        self.assertEqual(pause.state, "taken_back")

    def test_the_record_is_proof(self):
        """D4: nobody edits, deletes or makes one, nor unlinks its documents."""
        pause = self.pause()
        memo = pause.credit_note_ids
        with self.assertRaisesRegex(UserError, "kept as proof"):
            pause.sudo().date_to = "2027-03-01"
        with self.assertRaisesRegex(UserError, "kept as proof"):
            pause.sudo().unlink()
        with self.assertRaisesRegex(UserError, "kept as proof"):
            pause.sudo().copy()
        with self.assertRaisesRegex(UserError, "part of its proof"):
            memo.pause_id = False
        user = self.create_user(INVOICING)
        self.assertTrue(pause.with_user(user).has_access("read"))
        for operation in ("create", "write", "unlink"):
            self.assertFalse(pause.with_user(user).has_access(operation))

    def test_twice(self):
        """E1: the second one is told why not."""
        self.pause()
        with self.assertRaisesRegex(UserError, "is paused already"):
            self.subscription.action_pause()

    def test_another_company_does_not_see_it(self):
        """D8."""
        pause = self.pause()
        company = self.env["res.company"].create({"name": "Other"})
        user = self.create_user(SALESPERSON, company_id=company.id)
        found = self.env["sale.subscription.pause"].with_user(user).search([])
        self.assertNotIn(pause, found)
