# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What customers and salespeople wrote is text, wherever staff reads it (B5)."""

from lxml import html

from odoo.tests import tagged

from .common import CANCELLATION_MANAGER, CancellationCase

LINK = '<a href="https://evil.example">Click me</a><img src="x" onerror="alert(1)">'


@tagged("post_install", "-at_install")
class TestTextsAreTexts(CancellationCase):
    """A name with HTML, on the ways that lead into an activity or a message."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy = cls.get_default_policy()
        cls.manager = cls.create_user(CANCELLATION_MANAGER, login="manager")
        cls.customer = cls.create_customer(name=LINK, email="eve@example.com")

    def setUp(self):
        super().setUp()
        self.subscription = self.create_subscription(
            [{"name": LINK}, {"name": f"B {LINK}"}],
            partner_id=self.customer.id,
            user_id=self.manager.id,
            name=LINK,
        )
        self.bill(self.subscription)
        self.travel_to("2026-07-10")
        self.lines = self.subscription.sale_subscription_line_ids

    def assert_texts(self, *records, at_least=1):
        """Assert that the name is in notes and messages, and is a text there."""
        shown = []
        for record in records:
            shown += record.activity_ids.mapped("note")
            shown += record.message_ids.mapped("body")
        shown = [text for text in shown if text]
        for text in shown:
            tree = html.fromstring(f"<div>{text}</div>")
            self.assertFalse(tree.xpath("//a[contains(@href, 'evil')]|//img"), text)
        texts = [html.fromstring(f"<div>{one}</div>").text_content() for one in shown]
        self.assertGreaterEqual(sum(LINK in text for text in texts), at_least, texts)

    def test_the_approver_reads_the_names_of_lines(self):
        """B5: in what they have to do, and in the subscription's history."""
        self.policy.approval_always = True
        self.cancel(self.subscription, line_ids=self.lines[0].ids)
        cancellation = self.subscription.cancellation_ids
        self.assertTrue(cancellation.activity_ids)
        self.assert_texts(cancellation, at_least=1)
        cancellation.with_user(self.manager)._refuse(LINK)
        self.assert_texts(self.subscription, at_least=2)

    def test_what_failed_is_told_as_a_text(self):
        """B5: errors name customers, lines and products."""
        self.cancel(
            self.subscription, timing="end_of_period", line_ids=self.lines[0].ids
        )
        cancellation = self.subscription.cancellation_ids
        cancellation._fail(f"{LINK} is broken.")
        self.assert_texts(cancellation)

    def test_a_step_that_failed_is_told_as_a_text(self):
        """B5."""
        self.cancel(self.subscription)
        self.run_steps(self.subscription)
        step = self.subscription.cancellation_ids.step_ids[:1].sudo()
        step._notify(f"{LINK} is broken.")
        self.assert_texts(self.subscription.cancellation_ids)

    def test_what_was_overdue_and_failed_is_told_as_a_text(self):
        """B5."""
        self.subscription.sudo()._tell_overdue_failure(
            self.subscription.date_start, ValueError(LINK), LINK
        )
        self.assert_texts(self.subscription)

    def test_an_end_that_has_to_be_requested_again(self):
        """B5: names the lines that were to end later."""
        first = self.lines[0]
        self.cancel(self.subscription, timing="end_of_period", line_ids=first.ids)
        self.cancel(
            self.subscription,
            timing="specific_date",
            requested_date="2026-07-20",
            line_ids=first.ids,
        )
        latest = self.subscription.cancellation_ids.sorted("id")[-1]
        latest._revoke()
        self.assert_texts(latest)

    def test_a_declaration_is_a_text(self):
        """B5: whatever a visitor types into the public page."""
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        token = declarations._receive(
            {
                "kind": "ordinary",
                "customer_name": LINK,
                "contract_reference": LINK,
                "contract_email": "eve@example.com",
                "confirmation_email": "eve@example.com",
                "wants_earliest": True,
            },
            self.company,
            nonce="n" * 20,
            client_address="192.0.2.1",
        )
        declaration = declarations.search([("access_token", "=", token)])
        declaration._leave_to_person(f"No contract {LINK} was found.")
        self.assert_texts(declaration, at_least=1)

    def test_mails_show_texts(self):
        """B5: of every event, names and lines included."""
        self.policy.approval_always = False
        self.cancel(
            self.subscription, timing="end_of_period", line_ids=self.lines[0].ids
        )
        cancellation = self.subscription.cancellation_ids
        self.assert_texts(cancellation)
        [mail] = cancellation.message_ids.sudo().mail_ids
        tree = html.fromstring(mail.body_html)
        self.assertFalse(tree.xpath("//a[contains(@href, 'evil')]|//img[@src='x']"))
        self.assertIn(LINK, tree.text_content())
        plan = cancellation._plan_anew(cancellation.effective_date)
        preview = str(plan._render_preview())
        self.assertNotIn("<a href", preview)
