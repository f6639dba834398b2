# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A confirmation reaches the customer, whoever acted: the customer, too (D7, E2)."""

from odoo.tests import new_test_user, tagged

from .common import SALESPERSON
from .portal import PortalCase


@tagged("post_install", "-at_install")
class TestCustomerIsTold(PortalCase):
    def get_mails(self):
        """Return what was put into the queue for the customer, the oldest first."""
        messages = self.subscription.cancellation_ids.message_ids
        domain = [("mail_message_id", "in", messages.ids)]
        mails = self.env["mail.mail"].sudo().search(domain, order="id")
        return mails.filtered(lambda mail: mail.recipient_ids == self.customer)

    def assert_told(self, *subjects):
        """Assert that these mails wait for the customer, and that it is noted."""
        mails = self.get_mails()
        self.assertEqual(len(mails), len(subjects), mails.mapped("subject"))
        for mail, subject in zip(mails, subjects, strict=True):
            self.assertIn(subject, mail.subject)
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
