# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The history: who did what, why, with which amounts and documents (E1, D4)."""

import re

from odoo.fields import Command, Date
from odoo.tests import tagged

from .common import (
    CANCELLATION_MANAGER,
    CANCELLATION_USER,
    SALESPERSON,
    CancellationCase,
)


@tagged("post_install", "-at_install")
class TestHistory(CancellationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.track_changes()
        cls.policy = cls.get_default_policy()
        # Mails to the customer are messages of their own.
        cls.policy.send_confirmation = False
        cls.policy.undo_days = 30
        cls.seller = cls.create_user(SALESPERSON, CANCELLATION_USER, login="seller")
        cls.manager = cls.create_user(SALESPERSON, CANCELLATION_MANAGER, login="boss")
        cls.subscription = cls.create_subscription([31.0], user_id=cls.seller.id)
        cls.july = cls.bill(cls.subscription)
        cls.pay(cls.july)
        cls.travel_to("2026-07-10")
        cls.end_transaction()

    def setUp(self):
        super().setUp()
        self.travel_to("2026-07-10")
        self.known = self.subscription.message_ids

    def as_user(self, user=None):
        return self.subscription.with_user(user or self.seller)

    def get_cancellation(self, user=None):
        """Return the last cancellation, as a user sees it."""
        return self.as_user(user).cancellation_ids[:1]

    def request(self, **options):
        options = {
            "reason_code": "too_expensive",
            "comment": "Found another",
            **options,
        }
        self.as_user().request_cancellation(**options)

    def read_step(self, user=None):
        """Return the one new message, the same on both, as its user wrote it.

        :param user: its author; absent: the salesperson
        """
        self.end_transaction()
        bodies = []
        for record in (self.subscription, self.subscription.cancellation_ids[:1]):
            new = record.message_ids - self.known
            self.assertEqual(len(new), 1, [message.body for message in new])
            self.known |= new
            self.assertEqual(new.author_id, (user or self.seller).partner_id)
            bodies.append(new.body)
        self.assertEqual(*bodies)
        own = self.subscription.cancellation_ids[0]
        self.assertIn(f'"subscription.cancellation" data-oe-id="{own.id}"', bodies[0])
        return bodies[0]

    def assert_told(self, body, *texts, moves=()):
        """Fail unless a message has these texts, and links to these documents alone."""
        text = re.sub(r"<[^<>]*>", "", body).replace("&nbsp;", " ")
        for part in texts:
            self.assertIn(part, text)
        ids = re.findall(r'data-oe-model="account.move" data-oe-id="(\d+)"', body)
        self.assertEqual(sorted(map(int, ids)), sorted(move.id for move in moves))
        for move in moves:
            self.assertIn(f"{move.name} ($ {move.amount_total:.2f})", text)

    # === REQUEST === #

    def test_request(self):
        """E1: when it ends, what is expected, why."""
        self.request(timing="specific_date", requested_date="2026-07-20")
        self.assert_told(
            self.read_step(),
            "scheduled: service ends on July 20, 2026.",
            "A credit of $ 11.00 is expected",
            "Reason: Too expensive.",
            "Comment: “Found another”",
            "Channel: API.",
        )

    def test_a_comment_is_text(self):
        """E1: whatever the customer has written."""
        self.request(timing="end_of_period", comment="<b>a</b>\nand b")
        body = self.read_step()
        self.assertIn("&lt;b&gt;a&lt;/b&gt;<br>and b", body)

    def test_the_dialog_needs_no_word_about_its_channel(self):
        """E1: in the back office that is the usual one."""
        self.as_user()._request_cancellation({"timing": "end_of_period"}, "backend")
        self.assertNotIn("Channel", self.read_step())

    def test_at_once(self):
        """E1: requested and done in one step, with the credit memo."""
        self.request(timing="immediate")
        self.assert_told(
            self.read_step(),
            "service ends on July 10, 2026.",
            "Reason: Too expensive.",
            moves=self.get_cancellation().sudo().credit_note_ids,
        )

    def test_without_credit(self):
        """E1: that is said, too."""
        self.request(timing="immediate", refund_mode="none")
        self.assert_told(self.read_step(), "No credit memo was issued.")

    def test_credit_memos_that_wait_for_an_accountant(self):
        """E1, C12: a draft has no number, but a link."""
        self.policy.post_credit_memos = False
        self.request(timing="immediate")
        memo = self.get_cancellation().sudo().credit_note_ids
        body = self.read_step()
        self.assertIn(f'data-oe-model="account.move" data-oe-id="{memo.id}"', body)
        self.assertIn("Draft", body)

    def test_executed_on_its_day(self):
        """E1: by the scheduled action, with the reason that was given."""
        self.request(timing="specific_date", requested_date="2026-07-20")
        self.read_step()
        self.travel_to("2026-07-21")
        self.subscription.cancellation_ids._execute_if_due()
        memo = self.get_cancellation().sudo().credit_note_ids
        body = self.read_step(self.env.user)
        self.assert_told(body, "Reason: Too expensive.", moves=memo)

    def test_in_advance(self):
        """E1, C3: credit memos of scheduling are told with it, and their way back."""
        self.policy.advance_credit = "at_scheduling"
        self.bill(self.subscription, "2026-08-01")
        self.travel_to("2026-07-10")
        self.end_transaction()
        self.known |= self.subscription.message_ids
        self.request(timing="end_of_period")
        cancellation = self.get_cancellation().sudo()
        self.assert_told(self.read_step(), moves=cancellation.credit_note_ids)
        self.as_user().revoke_cancellation()
        self.assert_told(self.read_step(), moves=cancellation.charge_invoice_ids)

    # === CHANGE OF MIND === #

    def test_moved_with_extra_days(self):
        """E1, B13: the old day, the new one, and the invoice of the days between."""
        self.request(timing="end_of_period")
        self.read_step()
        self.as_user().postpone_cancellation(
            requested_date="2026-08-15", charge_extension=True
        )
        invoice = self.get_cancellation().sudo().charge_invoice_ids
        self.assertEqual(invoice.amount_total, 15.0)
        text = "moved: service ends on August 15, 2026 instead of July 31, 2026."
        self.assert_told(self.read_step(), text, moves=invoice)

    def test_extra_days_are_charged_no_longer(self):
        """E1, B13: the same day; the invoice is taken back."""
        self.test_moved_with_extra_days()
        self.as_user().postpone_cancellation(
            requested_date="2026-08-15", charge_extension=False
        )
        memo = self.get_cancellation().sudo().charge_invoice_ids.reversal_move_ids
        text = "changed: service ends on August 15, 2026 as before."
        self.assert_told(self.read_step(), text, moves=memo)

    def test_revoked(self):
        """E1, B12: with the credit memo that takes the extra days back."""
        self.test_moved_with_extra_days()
        self.as_user().revoke_cancellation()
        memo = self.get_cancellation().sudo().charge_invoice_ids.reversal_move_ids
        self.assert_told(self.read_step(), "revoked: billing goes on.", moves=memo)

    def test_revoked_by_a_longer_term(self):
        """E1, B14: nobody's wish has a reason, too."""
        self.request(timing="end_of_period")
        self.read_step()
        self.subscription.template_id = self.create_template("1 years")
        body = self.read_step(self.env.user)
        self.assert_told(body, "revoked: billing goes on. The plan was changed")

    def test_undone(self):
        """E1, B15: with the invoice that takes the credit memo back."""
        self.request(timing="immediate")
        self.read_step()
        self.get_cancellation().action_undo()
        invoice = self.get_cancellation().sudo().charge_invoice_ids
        self.assert_told(
            self.read_step(),
            "undone. The subscription started on July 1, 2026 and goes on.",
            moves=invoice,
        )

    def test_a_line_is_undone(self):
        """E1, A5: with the line's name."""
        line = self.add_line(self.subscription, {"name": "Extra"})
        self.end_transaction()
        self.request(timing="immediate", line_ids=line.ids)
        self.read_step()
        self.get_cancellation().action_undo()
        self.assert_told(self.read_step(), "of Extra undone. Service goes on: Extra.")

    def test_reactivated(self):
        """E1, B15: not undone: it was no mistake."""
        self.request(timing="immediate")
        self.read_step()
        self.as_user().reactivate_subscription(mode="new_term")
        body = self.read_step()
        self.assert_told(body, "the subscription was reactivated.", "starts anew")
        self.assertNotIn("undone", body)

    # === APPROVAL === #

    def wait(self, **options):
        self.policy.write(
            {
                "approval_always": True,
                "approver_ids": [Command.set(self.manager.ids)],
            }
        )
        self.request(**{"timing": "end_of_period", **options})
        return self.read_step()

    def test_approval_asked_for(self):
        """E1: why it waits, and why it was requested."""
        self.assert_told(
            self.wait(timing="immediate"),
            "needs approval",
            "Service would end on July 10, 2026.",
            "Reason: Too expensive.",
        )

    def test_approved(self):
        """E1: by whom, with the comment, until when."""
        self.wait()
        self.get_cancellation(self.manager)._approve("Good customer.")
        self.assert_told(
            self.read_step(self.manager),
            "approved: service ends on July 31, 2026. Good customer.",
        )

    def test_refused(self):
        """E1: by whom, and why."""
        self.wait()
        self.get_cancellation(self.manager)._refuse("Call them first.")
        self.assert_told(self.read_step(self.manager), "refused: Call them first.")

    # === PAUSE === #

    def read_pause(self):
        """Return the one new message of the subscription."""
        self.end_transaction()
        [new] = self.subscription.message_ids - self.known
        self.known |= new
        self.assertEqual(new.author_id, self.seller.partner_id)
        self.assertIn(
            "is_paused", new.sudo().tracking_value_ids.field_id.mapped("name")
        )
        return new.body

    def test_paused_and_resumed(self):
        """E1: each in one message, with the documents."""
        self.as_user().action_pause(Date.to_date("2026-07-20"))
        pause = self.subscription.sudo().pause_ids
        memo = pause.credit_note_ids
        self.assert_told(
            self.read_pause(), "Paused from July 10, 2026 to July 19, 2026.", moves=memo
        )
        self.as_user().action_resume()
        text = "The pause is taken back"
        self.assert_told(self.read_pause(), text, moves=memo.reversal_move_ids)

    # === THE CHATTER === #

    def test_failed(self):
        """E1, B7: what has to be mended."""
        self.request(timing="end_of_period")
        self.read_step()
        self.subscription.cancellation_ids._fail("No <journal>.")
        self.end_transaction()
        for record in (self.subscription, self.subscription.cancellation_ids):
            bodies = " ".join((record.message_ids - self.known).mapped("body"))
            self.assertIn("failed: No &lt;journal&gt;.", bodies)

    def test_the_history_is_for_staff(self):
        """D4, E2: what is logged is no message to anybody."""
        self.request(timing="immediate")
        for record in (self.subscription, self.subscription.cancellation_ids):
            new = record.message_ids - self.known
            self.assertTrue(new.subtype_id.internal)
            self.assertFalse(new.notified_partner_ids)
