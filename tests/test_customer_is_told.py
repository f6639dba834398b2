# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A confirmation reaches the customer, whoever acted: the customer, too (D7, E2).

What is read is what their mail server has received.
"""

from odoo.tests import new_test_user, tagged

from .common import SALESPERSON
from .mails import RealMailServerCase
from .portal import PortalCase


@tagged("post_install", "-at_install")
class TestCustomerIsTold(RealMailServerCase, PortalCase):
    def setUp(self):
        super().setUp()
        self.company.partner_id.email = "office@example.com"
        self.received = []

    def get_mails(self):
        """Return what waits in the queue, the oldest first."""
        self.env.invalidate_all()
        messages = [
            *self.subscription.message_ids.ids,
            *self.subscription.cancellation_ids.message_ids.ids,
        ]
        domain = [("mail_message_id", "in", messages), ("state", "=", "outgoing")]
        return self.env["mail.mail"].sudo().search(domain, order="id")

    def receive(self):
        """Return what the customer has received by now, the oldest first."""
        self.received += self.deliver(self.get_mails())
        for mail in self.received:
            self.assertEqual(mail.recipients, [self.customer.email])
        return self.received

    def assert_told(self, *subjects):
        """Assert that the customer has received these mails, and that it is noted."""
        mails = self.receive()
        said = [mail.subject for mail in mails]
        self.assertEqual(len(mails), len(subjects), said)
        for mail, subject in zip(mails, subjects, strict=True):
            self.assertIn(subject, mail.subject)
            self.assertIn(self.subscription.display_name, mail.text)
        self.assertTrue(self.get_cancellation().told_date)

    def test_who_cancels_in_the_portal(self):
        """D7, E2: scheduled, then taken back, by the customer."""
        self.policy.confirm_revoked = True
        self.cancel_as_customer(timing="end_of_period")
        self.assert_told("your cancellation is scheduled")
        self.send(self.see(), "revoke")
        self.assert_told("your cancellation is scheduled", "is revoked")

    def test_who_ends_it_today_in_the_portal(self):
        """D7, E2: the customer ends it at once."""
        self.cancel_as_customer(timing="immediate")
        self.run_steps(self.subscription)
        self.assert_told("your cancellation")

    def test_who_cancels_by_link(self):
        """D7, E2: without a login."""
        self.authenticate(None, None)
        token = self.subscription._portal_ensure_token()
        page = self.see(f"/cancel?access_token={token}")
        page = self.send(page, "cancel", timing="end_of_period")
        self.send(page, "confirm")
        self.assert_told("your cancellation is scheduled")

    def test_an_employee_who_is_the_contact(self):
        """D7: whoever enters it in the back office."""
        user = new_test_user(
            self.env,
            login="own",
            email="own@example.com",
            groups=SALESPERSON,
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.customer = user.partner_id
        self.subscription = self.create_subscription(
            [31.0], partner_id=self.customer.id
        )
        self.cancel(self.subscription.with_user(user), timing="end_of_period")
        self.assert_told("your cancellation is scheduled")

    # === ACKNOWLEDGED AT ONCE === #

    def read_last(self):
        """Return subject and words of the last mail that the customer has received."""
        last = self.receive()[-1]
        return last.subject, last.text

    def test_a_request_that_waits(self):
        """D7, E2: what was declared, when it was received, and what comes next."""
        self.policy.approval_above = 5.0
        self.company.partner_id.tz = "UTC"
        self.travel_to("2026-07-10 09:15:00")
        self.cancel_as_customer(timing="immediate")
        self.assertEqual(self.get_cancellation().state, "to_approve")
        subject, text = self.read_last()
        self.assertIn("we have received your cancellation", subject)
        self.assertIn("On July 10, 2026, 9:15:00", text)
        self.assertIn("we received your cancellation of subscription", text)
        self.assertIn("You want service to end on July 10, 2026.", text)
        self.assertIn("The day on which we received it counts.", text)
        page = self.see()
        self.assertEqual(page.text("state"), "Cancellation received")
        self.assertIn("End on July 10, 2026 declared", page.text("lines"))
        self.assertIn("Once your cancellation is checked", page.text())
        self.assertNotIn("Ends on", page.text())
        self.assertIn("Cancellation received", self.go("/my/subscriptions").text())
        self.get_cancellation()._approve()
        self.run_steps(self.subscription)
        self.assert_told("we have received your cancellation", "your cancellation")

    def test_the_summary_of_what_waits(self):
        """E2: saved from the page, it says the wish and what comes next, no end."""
        self.policy.approval_above = 5.0
        self.cancel_as_customer(timing="immediate")
        cancellation = self.get_cancellation()
        self.assertEqual(cancellation.state, "to_approve")
        path = f"/cancellations/{cancellation.id}?report_type=html"
        document = self.see(path).text()
        for right in (
            "Received; we check it",
            "Until we have answered, service goes on.",
            "Desired end July 10, 2026",
        ):
            self.assertIn(right, document)
        for wrong in ("Waits for approval", "Ends on", "without service"):
            self.assertNotIn(wrong, document)

    def test_what_waits_in_the_back_office_is_not_acknowledged(self):
        """D7: nobody but the staff has declared anything."""
        self.policy.approval_above = 5.0
        self.cancel(self.subscription)
        self.assertEqual(self.get_cancellation().state, "to_approve")
        self.assertFalse(self.get_mails())

    def test_a_revocation_by_the_customer(self):
        """D7, E2: also where the policy tells nobody of revocations."""
        self.policy.confirm_revoked = False
        self.cancel_as_customer(timing="end_of_period")
        self.send(self.see(), "revoke")
        self.assert_told("your cancellation is scheduled", "is revoked")

    def test_a_reactivation_by_the_customer(self):
        """D7, E2: what was credited is invoiced again, and when the next invoice is."""
        self.policy.portal_reactivate = True
        self.cancel_as_customer(timing="immediate")
        self.send(self.see(), "reactivate")
        subject, text = self.read_last()
        self.assertIn("your subscription goes on", subject)
        self.assertIn("What we had credited is invoiced again: $ 21.00 (INV/", text)
        self.assertIn("The next invoice comes on August 1, 2026.", text)

    def test_a_pause_by_the_customer(self):
        """D7, E2: days and money."""
        self.env["subscription.cancellation.retention"].create(
            {"policy_id": self.policy.id, "title": "Wait", "kind": "pause"}
        )
        self.send(self.check_out(timing="immediate"), "pause")
        subject, text = self.read_last()
        self.assertIn("your subscription is paused", subject)
        for sentence in (
            "Paused from July 10, 2026",
            "$ 22.00 of what is invoiced for the paused days is credited.",
            "Nothing is invoiced for the pause.",
        ):
            self.assertIn(sentence, text)

    def test_a_pause_by_link(self):
        """D7, E2: without a login."""
        self.env["subscription.cancellation.retention"].create(
            {"policy_id": self.policy.id, "title": "Wait", "kind": "pause"}
        )
        self.authenticate(None, None)
        token = self.subscription._portal_ensure_token()
        page = self.see(f"/cancel?access_token={token}")
        self.send(self.send(page, "cancel", timing="immediate"), "pause")
        subject, _text = self.read_last()
        self.assertIn("your subscription is paused", subject)

    def test_a_policy_that_sends_nothing(self):
        """D7: nothing of a pause, either."""
        self.policy.send_confirmation = False
        self.env["subscription.cancellation.retention"].create(
            {"policy_id": self.policy.id, "title": "Wait", "kind": "pause"}
        )
        self.send(self.check_out(timing="immediate"), "pause")
        self.assertFalse(self.get_mails())
        self.assertTrue(self.subscription.is_paused)

    def test_without_an_address_the_history_says_so(self):
        """D7: of a pause, too."""
        self.customer.email = False
        self.env["subscription.cancellation.retention"].create(
            {"policy_id": self.policy.id, "title": "Wait", "kind": "pause"}
        )
        self.send(self.check_out(timing="immediate"), "pause")
        self.env.invalidate_all()
        told = " ".join(self.subscription.message_ids.mapped("body"))
        self.assertIn("was not told of the pause by e-mail", told)
