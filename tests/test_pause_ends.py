# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pauses that begin with the subscription, and terms that end in a pause."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import CancellationCase
from .test_pause import PauseCase


@tagged("post_install", "-at_install")
class TestPausedFromTheStart(CancellationCase):
    def test_it_is_created_paused(self):
        """B7: as by an import; there is a record, and it can be resumed."""
        created = self.env["sale.subscription"].create(
            {
                "partner_id": self.create_customer().id,
                "pricelist_id": self._create_pricelist(currency_id=self.currency.id).id,
                "template_id": self.create_template().id,
                "date_start": "2026-07-01",
                "recurring_next_date": "2026-07-01",
                "is_paused": True,
                "paused_until": "2026-07-11",
                "sale_subscription_line_ids": [
                    Command.create(
                        {"product_id": self.create_product().id, "price_unit": 31.0}
                    )
                ],
            }
        )
        self.assertTrue(created.is_paused)
        self.assertEqual(str(created.paused_until), "2026-07-11")
        self.assertRecordValues(
            created.pause_ids,
            [{"state": "paused", "date_from": created.date_start}],
        )
        self.assertEqual(str(created.pause_ids.date_to), "2026-07-10")
        created.action_resume()
        self.assertEqual(created.pause_ids.state, "taken_back")

    def test_a_date_alone_pauses_nothing(self):
        """B7: nor does a flag that is off."""
        subscription = self.create_subscription(is_paused=False, paused_until=False)
        self.assertFalse(subscription.is_paused or subscription.pause_ids)


@tagged("post_install", "-at_install")
class TestTermEndsInPause(CancellationCase):
    """A fixed term of July and August, paused from 10 July on without an end."""

    def setUp(self):
        super().setUp()
        template = self.create_template(
            recurring_rule_boundary="limited", recurring_rule_count=2
        )
        self.subscription = self.create_subscription([31.0], template=template)
        self.pay(self.bill(self.subscription))
        self.travel_to("2026-07-10")
        self.subscription.action_pause()

    def run_night(self, day):
        self.travel_to(day)
        self.env["sale.subscription"].cron_subscription_management()

    def test_it_ends_on_its_day(self):
        """B16: by upstream's scheduled action, which passes over what is paused."""
        self.run_night("2026-08-31")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_night("2026-09-01")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.reason_id.code, "end_of_term")
        self.assertEqual(str(cancellation.last_service_date), "2026-08-31")
        self.assertFalse(self.subscription.is_paused)
        self.assertRecordValues(
            self.subscription.pause_ids,
            [{"state": "ended", "cancellation_id": cancellation.id}],
        )
        self.assertEqual(self.subscription.pause_ids.credit_note_ids.amount_total, 22.0)

    def test_where_the_customer_s_day_has_not_begun(self):
        """B16: west of UTC it is the evening before."""
        self.subscription.partner_id.tz = "America/Los_Angeles"
        self.run_night("2026-09-01 03:00:00")
        self.assertEqual(self.subscription.cancellation_state, "active")
        self.run_night("2026-09-01 12:00:00")
        self.assertEqual(self.subscription.cancellation_state, "cancelled")

    def test_it_is_paused_again_in_the_same_transaction(self):
        """E1: one after the other is not two at a time."""
        subscription = self.create_subscription()
        self.bill(subscription)
        self.travel_to("2026-07-05")
        subscription.action_pause(paused_until="2026-07-20")
        self.env.flush_all()
        self.travel_to("2026-07-10")
        subscription.is_paused = False
        self.travel_to("2026-07-12")
        subscription.action_pause(paused_until="2026-07-20")
        states = subscription.pause_ids.sorted("id").mapped("state")
        self.assertEqual(states, ["ended", "paused"])


@tagged("post_install", "-at_install")
class TestLineComesBackInPause(CancellationCase):
    """$31.00 and $62.00 for July, paid; the second ends on the 4th, then a pause."""

    def setUp(self):
        super().setUp()
        self.get_default_policy().undo_days = 60
        self.subscription = self.create_subscription([31.0, 62.0])
        self.invoice = self.bill(self.subscription)
        self.pay(self.invoice)
        self.line = self.subscription.sale_subscription_line_ids[1]

    def end_line(self, **options):
        self.travel_to("2026-07-04")
        self.cancel(self.subscription, line_ids=self.line.ids, **options)
        return self.subscription.cancellation_ids

    def pause(self, day, until):
        self.travel_to(day)
        self.subscription.action_pause(paused_until=until)
        return self.subscription.pause_ids

    def get_credits(self):
        """Return what is credited, taken back ones left out, by line."""
        memos = self.subscription._get_invoices() | self.subscription.pause_ids.move_ids
        memos |= self.subscription.cancellation_ids.credit_note_ids
        memos = memos.filtered(
            lambda move: move.move_type == "out_refund" and not move.reversal_move_ids
        )
        credited = memos.invoice_line_ids.grouped("subscription_line_id")
        lines = self.subscription._get_all_lines().sorted("id")
        empty = self.env["account.move.line"]
        return [sum(credited.get(line, empty).mapped("price_total")) for line in lines]

    def test_undo_in_a_pause_credits_its_paused_days(self):
        """B7, B15: as if the line had been paused with the others."""
        for mode in ("none", "prorated"):
            with self.subTest(mode=mode), self.env.cr.savepoint() as savepoint:
                cancellation = self.end_line(refund_mode=mode)
                pause = self.pause("2026-07-12", "2026-08-20")
                self.assertEqual(self.get_credits()[0], 20.0)
                self.travel_to("2026-07-15")
                cancellation.action_undo()
                # 12 to 31 July: 20 of 31 days of $31.00 and of $62.00.
                self.assertEqual(self.get_credits(), [20.0, 40.0])
                self.assertEqual(pause.credit_total, 60.0)
                self.assert_books_fit()
                savepoint.rollback()
                self.env.invalidate_all()

    def test_resumed_early_after_the_undo(self):
        """B7: both are billed from the day of the resumption."""
        cancellation = self.end_line(refund_mode="none")
        self.pause("2026-07-12", "2026-08-20")
        cancellation.action_undo()
        self.travel_to("2026-07-20")
        self.subscription.action_resume()
        self.env["sale.subscription"].cron_subscription_management()
        drafts = self.subscription._get_invoices().filtered(
            lambda move: move.state == "draft"
        )
        drafts.action_post()
        self.assertEqual(
            [
                (str(item.start_date), item.price_unit)
                for item in drafts.invoice_line_ids
            ],
            [("2026-07-20", 31.0), ("2026-07-20", 62.0)],
        )
        self.assert_books_fit()

    def test_the_pause_taken_back_takes_all_back(self):
        """B7: resumed on the day it began, nothing is credited any more."""
        cancellation = self.end_line(refund_mode="none")
        pause = self.pause("2026-07-12", "2026-08-20")
        cancellation.action_undo()
        self.subscription.action_resume()
        self.assertEqual(pause.state, "taken_back")
        self.assertEqual(self.get_credits(), [0.0, 0.0])
        self.assert_books_fit()

    def test_a_pause_that_is_over_is_named(self):
        """B15: its days cannot be credited any more; nothing is half done."""
        cancellation = self.end_line(refund_mode="none")
        self.pause("2026-07-12", "2026-07-20")
        self.run_pause_out("2026-07-20")
        message = "was paused from July 12, 2026 to July 19, 2026"
        with self.assertRaisesRegex(UserError, message):
            cancellation.action_undo()
        self.assertFalse(self.line.active)
        self.assert_books_fit()

    def test_an_open_pause_that_ended_with_the_subscription_is_named(self):
        """B15: by the days that it had."""
        cancellation = self.end_line(refund_mode="none")
        self.pause("2026-07-12", False)
        self.travel_to("2026-07-15")
        self.cancel(self.subscription)
        self.subscription.reactivate_subscription(mode="new_term")
        self.travel_to("2026-07-20")
        with self.assertRaisesRegex(UserError, "July 12, 2026 to July 15, 2026"):
            cancellation.action_undo()

    def test_what_was_credited_comes_back_after_a_pause(self):
        """B15: billed anew since, the credit of the line stands; nothing is refused."""
        cancellation = self.end_line(refund_mode="prorated")
        self.pause("2026-07-12", "2026-08-20")
        self.run_pause_out("2026-08-20")
        self.post_drafts()
        cancellation.action_undo()
        self.assertTrue(self.line.active)
        self.assert_books_fit()

    def run_pause_out(self, day):
        self.travel_to(day)
        self.env["sale.subscription"].cron_subscription_management()
        self.assertFalse(self.subscription.is_paused)

    def post_drafts(self):
        drafts = self.subscription._get_invoices()
        drafts.filtered(lambda move: move.state == "draft").action_post()


@tagged("post_install", "-at_install")
class TestLineEndsAroundPause(PauseCase):
    """What a pause charges of a line that is to end stops where that line does."""

    def schedule_end(self, subscription, **options):
        """Let the second line end later; return it."""
        line = subscription.sale_subscription_line_ids[1]
        self.cancel(subscription, line_ids=line.ids, **options)
        return line

    def test_billing_is_late_and_so_is_the_end(self):
        """C9: ended with 16 December, by a scheduled action that did not run yet."""
        subscription, _invoice = self.subscribe([30.0, 31.0])
        line = self.schedule_end(subscription, timing="end_of_period")
        self.travel_to("2026-12-20")
        pause = self.pause(subscription)
        charge = pause.move_ids.invoice_line_ids
        # 17 to 19 December: 3 of 31 days.
        self.assertEqual(charge.mapped("price_subtotal"), [2.90])
        self.assertNotEqual(charge.subscription_line_id, line)
        self.assert_books_fit()

    def test_resumed_before_it_ends(self):
        """C1: paused for 61 days, resumed after 31; one line ends ten days later."""
        subscription, _invoice = self.subscribe(
            [365.0, 730.0], start="2027-01-01", interval="1 years"
        )
        self.travel_to("2027-03-01")
        self.schedule_end(
            subscription, timing="specific_date", requested_date="2027-04-10"
        )
        pause = self.pause(subscription, "2027-05-01")
        self.travel_to("2027-04-01")
        subscription.action_resume()
        charge = pause.move_ids - pause.credit_note_ids
        self.assertEqual(charge.invoice_line_ids.mapped("price_subtotal"), [30.0, 20.0])
        self.travel_to("2027-04-11")
        subscription.cancellation_ids._execute_batch()
        # May to December, 245 days.
        self.assertEqual(subscription.cancellation_ids.credit_total, 490.0)
        self.assert_books_fit()

    def test_resumed_after_it_was_to_end(self):
        """C1: nothing is charged of the line, whose end is late."""
        subscription, _invoice = self.subscribe(
            [365.0, 730.0], start="2027-01-01", interval="1 years"
        )
        self.travel_to("2027-03-01")
        self.schedule_end(
            subscription, timing="specific_date", requested_date="2027-03-20"
        )
        pause = self.pause(subscription, "2027-05-01")
        self.travel_to("2027-04-01")
        subscription.action_resume()
        charge = pause.move_ids - pause.credit_note_ids
        self.assertEqual(charge.invoice_line_ids.mapped("price_subtotal"), [30.0])
        self.assert_books_fit()
