# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the customer is told by e-mail, when, and in which words (D7)."""

from unittest.mock import patch

from lxml import html

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server as MailServer

from .common import CANCELLATION_MANAGER, INVOICING, SALESPERSON, CancellationCase

MAILS = "odoo.addons.subscription_cancellation.models.messages.mails"
END_OF_JULY = {"timing": "specific_date", "requested_date": "2026-07-31"}
END_20_JULY = {"timing": "specific_date", "requested_date": "2026-07-20"}
#: What staff writes and customers never read.
SECRET = "A difficult customer"


def get_text(source):
    """Return the visible text of HTML, with single, ordinary spaces."""
    tree = html.fromstring(source)
    for element in tree.xpath("//script | //style"):
        element.drop_tree()
    return " ".join(tree.text_content().split())


class ConfirmationCase(CancellationCase):
    """$31.00 for July, unpaid, on 10 July, for a customer with an address."""

    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("de_DE")
        self.company.partner_id.email = "office@example.com"
        self.policy = self.get_default_policy()
        self.partner = self.create_customer(email="azure@example.com", lang="en_US")
        self.subscription = self.create_billed()
        self.manager = self.create_user(
            SALESPERSON, CANCELLATION_MANAGER, login="manager", name="Mona Manager"
        )

    def create_billed(self, lines=(31.0,), **values):
        """Return a subscription that is billed for July, on 10 July."""
        values = {"partner_id": self.partner.id, "code": "SUB00042", **values}
        subscription = self.create_subscription(lines, **values)
        self.bill(subscription)
        self.travel_to("2026-07-10")
        return subscription

    def schedule(self, subscription=None, **options):
        """Schedule the end for 20 July; return the cancellation."""
        subscription = subscription or self.subscription
        self.cancel(subscription, comment=SECRET, **{**END_20_JULY, **options})
        return subscription.cancellation_ids[:1]

    def request_approval(self):
        """Return a request that waits for approval."""
        self.policy.approval_always = True
        return self.schedule().with_user(self.manager)

    # Ways to the events.

    def reach_scheduled(self, **options):
        return self.schedule(**options)

    def reach_done(self, **options):
        self.cancel(self.subscription, comment=SECRET, **options)
        self.run_steps(self.subscription)
        return self.subscription.cancellation_ids

    def reach_moved(self, **options):
        cancellation = self.schedule(**options)
        cancellation._postpone("2026-07-25")
        return cancellation

    def reach_refused(self, **options):
        self.policy.approval_always = True
        cancellation = self.schedule(**options)
        cancellation.with_user(self.manager)._refuse(SECRET)
        return cancellation

    def reach_revoked(self, **options):
        self.policy.confirm_revoked = True
        cancellation = self.schedule(**options)
        cancellation._revoke()
        return cancellation

    def reach_reminder(self, **options):
        self.policy.reminder_days = 3
        cancellation = self.schedule(**options)
        self.travel_to("2026-07-17 12:00:00")
        self.remind()
        return cancellation

    def remind(self):
        """Remind as the scheduled action does."""
        self.env["subscription.cancellation"]._search_to_remind()._remind_batch()

    # What came of it.

    def mails(self, cancellations):
        """Return the queued mails about these, the oldest first."""
        domain = [("mail_message_id", "in", cancellations.message_ids.ids)]
        return self.env["mail.mail"].sudo().search(domain, order="id")

    def subjects(self, cancellations):
        """Return what the mails about these are, without the names around it."""
        return [
            mail.subject.split(": ")[1].split(" (CAN")[0]
            for mail in self.mails(cancellations)
        ]

    def document(self, mail):
        """Return the attached summary; Odoo renders reports as HTML in tests."""
        self.assertEqual(len(mail.attachment_ids), 1)
        return get_text(mail.attachment_ids.raw.decode())

    def notes(self, cancellation):
        """Return what is noted on the record."""
        return " ".join(cancellation.message_ids.mapped("body"))


SUBJECTS = {
    "scheduled": "your cancellation is scheduled",
    "done": "your cancellation",
    "moved": "the date of your cancellation has changed",
    "refused": "we have checked your cancellation",
    "revoked": "your cancellation is revoked",
    "reminder": "a reminder of the end of service",
}
#: The last day of service in each of the events' mails.
LAST_DAYS = {
    "scheduled": ("July 20, 2026", "20. Juli 2026"),
    "done": ("July 10, 2026", "10. Juli 2026"),
    "moved": ("July 25, 2026", "25. Juli 2026"),
    "refused": ("July 10, 2026", "10. Juli 2026"),  # the day of the request
    "revoked": ("July 20, 2026", "20. Juli 2026"),
    "reminder": ("July 20, 2026", "20. Juli 2026"),
}
#: The event's mail comes after one that the customer got before.
SECOND = ("moved", "revoked", "reminder")


@tagged("post_install", "-at_install")
class TestConfirmations(ConfirmationCase):
    """Event by event: exactly one mail, in the customer's language, or none."""

    def check_event(self, event, lang):
        """Check the mail about an event; return it."""
        self.partner.lang = lang
        cancellation = getattr(self, f"reach_{event}")()
        expected = [SUBJECTS[event]]
        if event in SECOND:
            expected.insert(0, SUBJECTS["scheduled"])
        self.assertEqual(self.subjects(cancellation), expected)
        mail = self.mails(cancellation)[-1]
        self.assertEqual(mail.recipient_ids, self.partner)
        self.assertEqual(mail.state, "outgoing")
        self.assertIn("SUB00042", mail.subject)
        self.assertIn("office@example.com", mail.email_from)
        is_german = lang == "de_DE"
        day, other = LAST_DAYS[event][is_german], LAST_DAYS[event][not is_german]
        for text in (mail.body, self.document(mail)):
            self.assertIn(day, text)
            self.assertNotIn(other, text)
            self.assertNotIn(SECRET, text)
            self.assertNotIn("Mona", text)
            self.assertNotIn("Requested by", text)
        return mail

    def test_every_event_is_told_once_and_in_the_customers_language(self):
        """D7: one mail with the summary as a PDF, without what staff wrote."""
        for event in SUBJECTS:
            for lang in ("en_US", "de_DE"):
                with self.subTest(event=event, lang=lang):
                    self.policy.write(
                        {
                            "approval_always": False,
                            "confirm_revoked": False,
                            "reminder_days": 0,
                        }
                    )
                    self.subscription = self.create_billed()
                    self.check_event(event, lang)

    def test_no_event_is_told_where_that_is_switched_off(self):
        """D7: for this one cancellation."""
        for event in SUBJECTS:
            with self.subTest(event=event):
                self.policy.approval_always = False
                self.subscription = self.create_billed()
                cancellation = getattr(self, f"reach_{event}")(send_confirmation=False)
                self.assertFalse(self.mails(cancellation))
                self.assertNotIn("not told", self.notes(cancellation))

    def test_no_event_is_told_where_the_policy_says_so(self):
        """D7: by default, then."""
        self.policy.send_confirmation = False
        cancellation = self.reach_moved()
        self.assertFalse(self.mails(cancellation))

    def test_the_dialog_can_switch_it_off(self):
        """D7: where the policy allows it."""
        wizard = Form(
            self.env["subscription.cancellation.wizard"].with_context(
                default_subscription_id=self.subscription.id
            )
        )
        self.assertTrue(wizard.send_confirmation)
        wizard.timing = "end_of_period"
        wizard.send_confirmation = False
        wizard.save().action_confirm()
        cancellation = self.subscription.cancellation_ids
        self.assertEqual(cancellation.state, "scheduled")
        self.assertFalse(self.mails(cancellation))

    # === WHICH, AND WHEN === #

    def test_what_ends_at_once_is_told_as_done_only(self):
        """D7: one mail, not two."""
        self.assertEqual(self.subjects(self.reach_done()), [SUBJECTS["done"]])

    def test_what_is_moved_to_today_is_told_as_done_only(self):
        """D7, B13: after the first mail."""
        cancellation = self.schedule()
        cancellation._postpone("2026-07-10")
        self.assertEqual(cancellation.state, "done")
        self.run_steps(self.subscription)
        self.assertEqual(
            self.subjects(cancellation), [SUBJECTS["scheduled"], SUBJECTS["done"]]
        )

    def test_a_request_that_waits_is_told_once_it_is_decided(self):
        """D7, D1: nothing is promised before."""
        cancellation = self.request_approval()
        self.assertFalse(self.mails(cancellation))
        cancellation._approve()
        self.assertEqual(self.subjects(cancellation), [SUBJECTS["scheduled"]])

    def test_what_is_approved_on_its_date_is_told_as_done_only(self):
        """D7, D1: where the decision took until then."""
        cancellation = self.request_approval()
        self.travel_to("2026-07-22")
        cancellation._approve()
        self.run_steps(self.subscription)
        self.assertEqual(self.subjects(cancellation), [SUBJECTS["done"]])
        self.assertIn("ended on July 20, 2026", self.mails(cancellation).body)

    def test_a_refusal_tells_only_what_is_meant_for_the_customer(self):
        """D7, D1: the message, not the reason for the record."""
        cancellation = self.request_approval()
        wizard = Form(
            self.env["subscription.cancellation.decision"]
            .with_user(self.manager)
            .with_context(default_cancellation_id=cancellation.id)
        )
        wizard.decision = "refuse"
        wizard.comment = SECRET
        wizard.message = "Your contract runs until May."
        wizard.save().action_refuse()
        mail = self.mails(cancellation)
        for text in (mail.body, self.document(mail)):
            self.assertIn("Your contract runs until May.", text)
            self.assertNotIn(SECRET, text)

    def test_nobody_is_refused_what_nobody_asked_for(self):
        """D7, D6: an automatic cancellation that a manager refuses."""
        self.policy.approval_always = True
        self.subscription.sudo()._request_cancellation(END_20_JULY, channel="system")
        cancellation = self.subscription.cancellation_ids
        cancellation.with_user(self.manager)._refuse(SECRET)
        self.assertFalse(self.mails(cancellation))

    def test_a_revocation_is_told_only_where_the_policy_says_so(self):
        """D7, B12: by default the customer hears nothing."""
        cancellation = self.schedule()
        cancellation._revoke()
        self.assertEqual(self.subjects(cancellation), [SUBJECTS["scheduled"]])

    def test_a_revocation_is_told_only_to_those_who_knew(self):
        """D7: who never heard of the end need not hear that it is off."""
        self.policy.confirm_revoked = True
        cancellation = self.request_approval()
        cancellation._revoke()
        self.assertFalse(self.mails(cancellation))

    def test_another_term_is_told_as_a_revocation(self):
        """D7, B14: the plan was changed, so service goes on."""
        self.policy.confirm_revoked = True
        cancellation = self.schedule()
        self.subscription.template_id = self.create_template("1 years")
        self.assertEqual(cancellation.state, "revoked")
        self.assertEqual(self.subjects(cancellation)[1:], [SUBJECTS["revoked"]])

    def test_the_end_of_the_term_is_told_as_one_end(self):
        """D7, B16: not that the later one, which it overtakes, is revoked."""
        self.policy.confirm_revoked = True
        subscription = self.create_billed()
        later = self.schedule(subscription)
        subscription.sudo()._take_back_later_ends()
        self.assertEqual(later.state, "revoked")
        self.assertEqual(self.subjects(later), [SUBJECTS["scheduled"]])

    def test_a_new_date_of_what_was_never_told_is_simply_the_date(self):
        """D7: the customer had no address before."""
        self.partner.email = False
        cancellation = self.schedule()
        self.partner.email = "azure@example.com"
        cancellation._postpone("2026-07-25")
        self.assertEqual(self.subjects(cancellation), [SUBJECTS["scheduled"]])
        self.assertIn("ends on July 25, 2026", self.mails(cancellation).body)

    def test_the_same_date_again_is_not_told(self):
        """D7, B13: nothing was moved."""
        cancellation = self.schedule()
        cancellation._postpone("2026-07-20")
        self.assertEqual(len(self.mails(cancellation)), 1)

    def test_followers_get_no_copy(self):
        """D7: it is a letter to the customer, not a discussion."""
        cancellation = self.schedule()
        cancellation.sudo().message_subscribe(self.manager.partner_id.ids)
        cancellation._postpone("2026-07-25")
        self.assertEqual(self.mails(cancellation).recipient_ids, self.partner)

    def test_the_mail_goes_out_at_once(self):
        """D7: the queue is woken, rather than waiting for its hour."""
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()
        known = self.env["ir.cron.trigger"].sudo().search([("cron_id", "=", queue.id)])
        self.schedule()
        triggers = (
            self.env["ir.cron.trigger"].sudo().search([("cron_id", "=", queue.id)])
        )
        self.assertEqual(len(triggers - known), 1)

    def test_a_request_that_fails_tells_nobody(self):
        """D7: the mail is part of the transaction."""
        before = self.env["mail.mail"].sudo().search_count([])
        with self.assertRaises(RuntimeError), self.env.cr.savepoint():
            self.schedule()
            raise RuntimeError
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), before)

    # === WHERE IT IS NOT POSSIBLE === #

    def test_without_an_address_that_is_noted(self):
        """D7: rather than nothing at all."""
        for address in (False, "nobody"):
            with self.subTest(address=address):
                self.partner.email = address
                cancellation = self.schedule(self.create_billed())
                self.assertEqual(cancellation.state, "scheduled")
                self.assertFalse(self.mails(cancellation))
                self.assertIn("has no e-mail address", self.notes(cancellation))

    def test_without_the_template_that_is_noted(self):
        """D7: somebody deleted it."""
        self.env.ref(
            "subscription_cancellation.mail_template_cancellation_scheduled"
        ).unlink()
        cancellation = self.schedule()
        self.assertEqual(cancellation.state, "scheduled")
        self.assertFalse(self.mails(cancellation))
        self.assertIn("template was deleted", self.notes(cancellation))

    @mute_logger(MAILS, "odoo.addons.mail.models.mail_render_mixin")
    def test_a_mail_that_cannot_be_made_stops_nothing(self):
        """D7: somebody is told, and can send it later."""
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_scheduled"
        )
        template.body_html = '<p>It <t t-out="object.no_such_method()" /></p>'
        cancellation = self.schedule()
        self.assertEqual(cancellation.state, "scheduled")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        self.assertEqual(
            cancellation.activity_ids.mapped("summary"), ["The customer was not told"]
        )
        self.assertFalse(cancellation.told_date)
        template.body_html = "<p>It ends.</p>"
        cancellation.action_send_confirmation()
        self.assertEqual(len(self.mails(cancellation)), 1)

    @mute_logger("odoo.addons.mail.models.mail_mail")
    def test_a_mail_server_that_fails_undoes_nothing(self):
        """D7: the failure is shown on the message, as Odoo does."""
        cancellation = self.schedule()
        mail = self.mails(cancellation)
        with (
            patch.object(MailServer, "_connect__", side_effect=OSError("No route")),
            patch.object(MailServer, "_disable_send", return_value=False),
        ):
            mail.send()
        self.assertEqual(mail.state, "exception")
        self.assertEqual(cancellation.state, "scheduled")
        self.assertEqual(self.subscription.cancellation_state, "non_renewing")
        notification = mail.mail_message_id.notification_ids
        self.assertEqual(notification.notification_status, "exception")


@tagged("post_install", "-at_install")
class TestTexts(ConfirmationCase):
    """What the mails and their PDFs say: nothing that does not come true."""

    def read(self, mail):
        """Return body and document as texts."""
        return [get_text(mail.body), self.document(mail)]

    def assert_said(self, mail, *texts):
        """Check that mail and PDF say all of these."""
        for said in self.read(mail):
            for text in texts:
                self.assertIn(text, said)

    def execute(self, cancellation, day):
        """Execute on a day, take the steps; return the mail about it."""
        self.travel_to(day)
        cancellation._execute()
        self.run_steps(cancellation.subscription_id)
        return self.mails(cancellation)[-1]

    def test_what_is_expected_is_what_is_done(self):
        """D7, B8: half paid: 11 days are $11.00, of which $5.50 reduce what is due."""
        invoice = self.subscription.invoice_ids
        self.pay(invoice, 25.5)
        cancellation = self.schedule()
        [mail] = self.mails(cancellation)
        self.assertIn(
            "Service of subscription SUB00042 ends on July 20, 2026.", mail.body
        )
        self.assert_said(
            mail,
            "If nothing changes until then, we will credit you $ 11.00 for the days "
            "that you no longer use.",
            f"Will reduce invoice {invoice.name}",
            "$ 5.50",
            "Will be kept as credit on your account",
        )
        [_body, document] = self.read(mail)
        self.assertIn("Expected, as of", document)
        self.assertIn("11 of 31", document)
        mail = self.execute(cancellation, "2026-07-21")
        self.assertEqual(self.credit_memos(self.subscription).amount_total, 11.0)
        self.assert_said(
            mail,
            f"Reduces invoice {invoice.name}",
            "Kept as credit on your account",
            "$ 5.50",
        )
        [body, document] = self.read(mail)
        self.assertIn("ended on July 20, 2026", body)
        self.assertIn("We credit you $ 11.00 for the days", body)
        self.assertNotIn("Expected", document)

    def test_what_is_expected_to_be_refunded_is(self):
        """D7, C6: to the payment method that the customer knows."""
        self.pay_online(self.subscription.invoice_ids)
        cancellation = self.schedule(credit_settlement="refund")
        [mail] = self.mails(cancellation)
        self.assert_said(mail, "Will be refunded to Demo 4242", "$ 11.00")
        mail = self.execute(cancellation, "2026-07-21")
        self.assert_said(mail, "Refunded to Demo 4242", "$ 11.00")

    def test_lines_added_after_the_request_are_expected_too(self):
        """D7, B8: a reminder tells of all that ends, also of what was added since."""
        self.policy.reminder_days = 3
        cancellation = self.schedule()
        self.add_line(self.subscription, 62.0)
        self.subscription.recurring_next_date = "2026-07-01"
        self.bill(self.subscription, "2026-07-11")
        self.travel_to("2026-07-17")
        expected = cancellation._get_plan().credit_total
        self.remind()
        mail = self.mails(cancellation)[-1]
        self.execute(cancellation, "2026-07-21")
        self.assertEqual(cancellation.credit_total, expected)
        [body, _document] = self.read(mail)
        self.assertIn(f"$ {expected:.2f}", body)

    def test_what_is_still_billed_and_credited_is_told(self):
        """D7, B8: August is not billed yet."""
        cancellation = self.schedule(requested_date="2026-08-15")
        [mail] = self.mails(cancellation)
        self.assert_said(
            mail,
            "If nothing changes until then, we will credit you $ 16.00",
            "You will not be charged after August 1, 2026.",
            "August 1, 2026: Invoice for August 1, 2026 – August 31, 2026 $ 31.00",
        )

    def test_nothing_to_credit_is_said(self):
        """D7, A3: without refund, and where nothing goes beyond the end."""
        for options, text in (
            ({"refund_mode": "none"}, "Nothing will be credited."),
            (END_OF_JULY, "No invoice covers days after the end"),
        ):
            with self.subTest(options=options):
                cancellation = self.schedule(self.create_billed(), **options)
                self.assert_said(self.mails(cancellation), text)

    def test_done_without_credit_says_so(self):
        """D7, A3: and that the invoice stays due."""
        cancellation = self.reach_done(refund_mode="none")
        invoice = self.subscription.invoice_ids
        mail = self.mails(cancellation)
        self.assertIn("Nothing is credited.", mail.body)
        self.assert_said(mail, f"Invoice {invoice.name}: stays due", "$ 31.00")

    def test_a_credit_that_waits_for_review_is_no_promise_of_a_document(self):
        """D7, C12: it is still a draft."""
        self.policy.post_credit_memos = False
        [body, _document] = self.read(self.mails(self.reach_done()))
        self.assertIn("We will credit you $ 21.00, once that is checked.", body)

    def test_what_was_credited_in_advance_is_told(self):
        """D7, C3: August, billed in advance, is credited when it is scheduled."""
        self.policy.advance_credit = "at_scheduling"
        self.bill(self.subscription, "2026-07-05")
        self.travel_to("2026-07-10")
        cancellation = self.schedule()
        [mail] = self.mails(cancellation)
        self.assert_said(
            mail,
            "We credit you $ 31.00 for periods that were billed in advance. If nothing "
            "changes until then, we will credit you $ 11.00 for the days",
        )
        self.execute(cancellation, "2026-07-21")
        self.assertEqual(cancellation.credit_total, 42.0)

    def test_a_single_line_is_named_and_the_rest_goes_on(self):
        """D7, A5: the customer does not lose all of it."""
        subscription = self.create_billed([{"name": "Hosting"}, {"name": "Backup"}])
        line = self.get_line(subscription, "Backup")
        cancellation = self.schedule(subscription, line_ids=line.ids)
        text = (
            "Service of Backup of subscription SUB00042 {} on July 20, 2026. The rest "
            "of the subscription goes on."
        )
        self.assertIn(text.format("ends"), self.mails(cancellation).body)
        mail = self.execute(cancellation, "2026-07-21")
        self.assertIn(text.format("ended"), mail.body)

    def test_the_last_line_is_the_subscription(self):
        """D7, A6: nothing is left that goes on."""
        line = self.subscription.sale_subscription_line_ids
        cancellation = self.schedule(line_ids=line.ids)
        self.assertIn(
            "Service of subscription SUB00042 ends", self.mails(cancellation).body
        )
        mail = self.execute(cancellation, "2026-07-21")
        self.assertIn("Service of subscription SUB00042 ended", mail.body)

    def test_a_move_tells_from_when_to_when_and_what_it_costs(self):
        """D7, B13: $31.00 a month, moved from 31 July to 15 August: $15.00."""
        cancellation = self.schedule(**END_OF_JULY)
        cancellation._postpone("2026-08-15", charge_extension=True)
        mail = self.mails(cancellation)[-1]
        [body, document] = self.read(mail)
        self.assertIn(
            "Service of subscription SUB00042 now ends on August 15, 2026, not on July "
            "31, 2026.",
            body,
        )
        invoice = cancellation.sudo().charge_invoice_ids
        self.assertIn(f"invoice {invoice.name} of $ 15.00", body)
        self.assertIn("Before, service was to end on", document)
        self.assertIn(invoice.name, document)

    def test_what_never_began_does_not_end(self):
        """D7, B10: a subscription for later."""
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": self.partner.id,
                "pricelist_id": self.subscription.pricelist_id.id,
                "template_id": self.subscription.template_id.id,
                "date_start": "2026-09-01",
                "recurring_next_date": "2026-09-01",
                "code": "SUB00043",
            }
        )
        self.add_line(subscription, 31.0)
        self.cancel(subscription)
        self.run_steps(subscription)
        self.assertIn(
            "Service of subscription SUB00043 does not begin.",
            self.mails(subscription.cancellation_ids).body,
        )

    def test_reasons_that_customers_do_not_choose_stay_inside(self):
        """D7, D3: fraud, say."""
        for code, is_shown in (
            ("too_expensive", True),
            ("fraud_review_failed", False),
        ):
            with self.subTest(code=code):
                cancellation = self.schedule(self.create_billed(), reason_code=code)
                name = cancellation.reason_id.name
                [_body, document] = self.read(self.mails(cancellation))
                self.assertEqual(name in document, is_shown)

    def test_links_are_shown_where_there_are_any(self):
        """D7, E2: to the subscription, and to object to what was declared."""
        Cancellation = self.registry["subscription.cancellation"]
        cancellation = self.schedule()
        [mail] = self.mails(cancellation)
        subscription = cancellation.subscription_id
        link = f"/my/subscriptions/{subscription.id}?access_token="
        self.assertIn(f"{link}{subscription.access_token}", mail.body_html)
        self.assertNotIn("Object here", mail.body)
        self.patch(Cancellation, "_get_objection_url", lambda self: "https://x/no")
        [mail] = self.mails(self.schedule(self.create_billed()))
        self.assertIn("You did not ask for this?", mail.body)
        self.assertIn('href="https://x/no"', mail.body)


@tagged("post_install", "-at_install")
class TestResend(ConfirmationCase):
    """The button that sends it again."""

    def resend(self, cancellation, user=None):
        cancellation.with_user(user or self.manager).action_send_confirmation()

    def test_what_fits_the_present_state_is_sent_again(self):
        """D7: to the customer, and visible on the record."""
        for event in ("scheduled", "done", "moved", "refused", "revoked"):
            with self.subTest(event=event):
                self.policy.approval_always = False
                self.subscription = self.create_billed()
                cancellation = getattr(self, f"reach_{event}")()
                before = len(self.mails(cancellation))
                self.assertTrue(cancellation.can_send_confirmation)
                self.resend(cancellation)
                new = self.subjects(cancellation)[before:]
                self.assertEqual(new, [SUBJECTS[event]])
                self.assertIn("Confirmation sent on request", self.notes(cancellation))

    def test_it_is_sent_where_it_was_switched_off_before(self):
        """D7: somebody asks for it now; B12: also for a revoked one."""
        cancellation = self.schedule(send_confirmation=False)
        self.resend(cancellation)
        self.assertEqual(self.subjects(cancellation), [SUBJECTS["scheduled"]])
        cancellation._revoke()
        self.resend(cancellation)
        self.assertEqual(self.subjects(cancellation)[1:], [SUBJECTS["revoked"]])

    def test_the_step_does_not_send_it_once_more(self):
        """D7: whoever was faster, it is one mail."""
        self.cancel(self.subscription)
        cancellation = self.subscription.cancellation_ids
        self.resend(cancellation)
        self.run_steps(self.subscription)
        self.assertEqual(self.subjects(cancellation), [SUBJECTS["done"]])
        self.assertEqual(self.steps(self.subscription, "confirm").state, "done")

    def test_an_address_that_comes_later_is_enough(self):
        """D7: the step was skipped without one."""
        self.partner.email = False
        cancellation = self.reach_done()
        step = self.steps(self.subscription, "confirm")
        self.assertEqual(step.state, "skipped")
        with self.assertRaisesRegex(UserError, "has no e-mail address"):
            self.resend(cancellation)
        self.partner.email = "azure@example.com"
        self.resend(cancellation)
        self.assertEqual(step.state, "done")

    def test_there_is_nothing_to_send_where_nothing_is_certain(self):
        """D7: not decided, failed, taken back, or overtaken."""
        waiting = self.request_approval()
        self.assertFalse(waiting.can_send_confirmation)
        with self.assertRaisesRegex(UserError, "waits for approval"):
            self.resend(waiting)
        self.policy.approval_always = False
        failed = self.schedule(self.create_billed())
        failed.sudo()._fail("The journal is archived.")
        undone = self.create_billed()
        self.cancel(undone)
        undone.reactivate_subscription()
        overtaken = self.create_billed([{"name": "Hosting"}, {"name": "Backup"}])
        line = self.get_line(overtaken, "Backup")
        replaced = self.schedule(overtaken, line_ids=line.ids)
        self.cancel(overtaken)
        for cancellation in (failed, undone.cancellation_ids, replaced):
            with self.subTest(state=cancellation.state):
                self.assertFalse(cancellation.can_send_confirmation)
                with self.assertRaisesRegex(UserError, "changes nothing"):
                    self.resend(cancellation)

    def test_only_those_who_may_cancel_may_send_it(self):
        """D7: not an accountant, who may read it, nor other employees."""
        cancellation = self.schedule()
        for group in (INVOICING, "account.group_account_readonly", "base.group_user"):
            user = self.create_user("base.group_user", group, login=group)
            with self.subTest(group=group), self.assertRaises(AccessError):
                self.resend(cancellation, user)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.create_user(SALESPERSON, login="abroad", company_id=other.id)
        with self.assertRaises(AccessError):
            self.resend(cancellation, stranger)
        self.assertEqual(len(self.mails(cancellation)), 1)
        self.resend(cancellation, self.create_user(SALESPERSON, login="sales"))
        self.assertEqual(len(self.mails(cancellation)), 2)


@tagged("post_install", "-at_install")
class TestReminders(ConfirmationCase):
    """The reminder, 3 days before 20 July: on the 17th where the customer lives."""

    def setUp(self):
        super().setUp()
        self.policy.reminder_days = 3

    def count(self, cancellation, moment):
        """Return the reminders after the scheduled action has run at a moment."""
        self.travel_to(moment)
        self.remind()
        return self.subjects(cancellation).count(SUBJECTS["reminder"])

    def test_it_comes_once_and_so_many_days_before(self):
        """D7: not before, and not again."""
        cancellation = self.schedule()
        for moment, count in (
            ("2026-07-16 23:59:59", 0),
            ("2026-07-17 00:00:00", 1),
            ("2026-07-18 00:00:00", 1),
        ):
            self.assertEqual(self.count(cancellation, moment), count, moment)
        self.assertEqual(str(cancellation.reminder_date), "2026-07-17")
        self.assertIn("ends on July 20, 2026", self.mails(cancellation)[-1].body)

    def test_it_comes_where_the_customer_lives(self):
        """D7: 17 July begins at different moments."""
        for zone, before, after in (
            ("Pacific/Kiritimati", "2026-07-16 09:59:59", "2026-07-16 10:00:00"),
            ("America/New_York", "2026-07-17 03:59:59", "2026-07-17 04:00:00"),
        ):
            with self.subTest(zone=zone):
                self.partner.tz = zone
                cancellation = self.schedule(self.create_billed())
                self.assertEqual(self.count(cancellation, before), 0)
                self.assertEqual(self.count(cancellation, after), 1)

    def test_a_run_that_was_missed_is_made_up_for_until_the_last_day(self):
        """D7: after that there is nothing to remind of."""
        late = self.schedule()
        self.assertEqual(self.count(late, "2026-07-20 12:00:00"), 1)
        self.travel_to("2026-07-10")
        too_late = self.schedule(self.create_billed())
        self.assertEqual(self.count(too_late, "2026-07-21 00:00:00"), 0)

    def test_whoever_was_just_told_is_not_reminded(self):
        """D7: scheduled two days before the end, with three days' reminder."""
        self.travel_to("2026-07-18")
        self.subscription = self.create_billed()
        self.travel_to("2026-07-18")
        cancellation = self.schedule()
        self.assertEqual(self.count(cancellation, "2026-07-19 00:00:00"), 0)

    def test_a_moved_one_is_reminded_of_anew(self):
        """D7, B13: before its new date."""
        cancellation = self.schedule()
        self.assertEqual(self.count(cancellation, "2026-07-17"), 1)
        cancellation._postpone("2026-07-31")
        self.assertFalse(cancellation.reminder_date)
        self.assertEqual(self.count(cancellation, "2026-07-27"), 1)
        self.assertEqual(self.count(cancellation, "2026-07-28"), 2)

    def test_what_is_revoked_waits_or_is_switched_off_is_not_reminded_of(self):
        """D7: nor what the policy does not remind of."""
        revoked = self.schedule()
        revoked._revoke()
        silent = self.schedule(self.create_billed(), send_confirmation=False)
        self.policy.approval_always = True
        waiting = self.schedule(self.create_billed())
        self.travel_to("2026-07-17")
        found = self.env["subscription.cancellation"]._search_to_remind()
        self.assertFalse(found & (revoked | silent | waiting))
        self.policy.write({"approval_always": False, "reminder_days": 0})
        self.travel_to("2026-07-10")
        never = self.schedule(self.create_billed())
        self.travel_to("2026-07-17")
        found = self.env["subscription.cancellation"]._search_to_remind()
        self.assertFalse(found & never)

    @mute_logger(MAILS, "odoo.addons.mail.models.mail_render_mixin")
    def test_a_broken_one_does_not_stop_the_others(self):
        """D7: somebody is told, once."""
        broken = self.schedule()
        other = self.schedule(self.create_billed())
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_reminder"
        )
        template.subject = (
            "x: {{ object.no_such_field if object.id == %d else 'y' }}" % broken.id
        )
        self.travel_to("2026-07-17")
        self.remind()
        self.remind()
        self.assertEqual(len(broken.activity_ids), 1)
        self.assertEqual(self.subjects(other)[1:], ["y"])

    def test_the_scheduled_action_reminds_in_batches(self):
        """D7: committing after each."""
        cancellations = self.schedule()
        for _number in range(2):
            cancellations |= self.schedule(self.create_billed())
        self.travel_to("2026-07-17")
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            env = self.env(cr=cr)
            env["subscription.cancellation"]._cron_send_reminders(batch_size=2)
        self.env.invalidate_all()
        self.assertEqual(self.subjects(cancellations).count(SUBJECTS["reminder"]), 3)

    def count_queries(self):
        """Return the queries of looking for what is due."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        found = self.env["subscription.cancellation"]._search_to_remind()
        return len(found), self.env.cr.sql_log_count - before

    def test_looking_for_many_costs_as_much_as_for_one(self):
        """D7: set-based."""
        self.schedule()
        self.travel_to("2026-07-17")
        # What Odoo caches for good is read again now and then; the least counts.
        one, queries_of_one = min(self.count_queries() for _attempt in range(3))
        self.partner.email = False
        for _number in range(10):
            self.schedule(self.create_billed())
        self.travel_to("2026-07-17")
        many, queries_of_many = min(self.count_queries() for _attempt in range(3))
        self.assertEqual((one, many), (1, 11))
        self.assertEqual(queries_of_one, queries_of_many)

    def test_days_that_make_no_sense_are_refused(self):
        """D7: in words."""
        for days in (-1, 366):
            with self.assertRaisesRegex(ValidationError, "enter a number from 0"):
                self.policy.reminder_days = days
