# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A link that acts for the customer is for the customer: reading is not acting."""

import re

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.http import Request
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CANCELLATION_USER, INVOICING, SALESPERSON
from .portal import Page, PortalCase

LINK = re.compile(r"""https?://[^\s"'<>]+""")
#: Employees who may read a subscription and may not cancel it.
READERS = ("invoicing", "seller", "owner")


class LinkCase(PortalCase):
    """The subscription of the portal, a cancellation, and employees of all kinds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A company may take the right to cancel away from its salespeople.
        sellers = (SALESPERSON, "sales_team.group_sale_salesman_all_leads")
        for group in sellers:
            cls.quick_ref(group).implied_ids -= cls.quick_ref(CANCELLATION_USER)
        more = ("base.group_partner_manager", "base.group_allow_export")
        for login, groups in {
            "invoicing": [INVOICING],
            "owner": sellers[:1],
            "seller": sellers,
            "agent": [SALESPERSON, CANCELLATION_USER],
            "user": [CANCELLATION_USER],
            "employee": ["base.group_user"],
        }.items():
            cls.create_user(*groups, *more, login=login)

    def setUp(self):
        super().setUp()
        self.token = self.subscription._portal_ensure_token()

    def login(self, login):
        return self.env["res.users"].search([("login", "=", login)])

    def schedule(self, subscription=None):
        """Let somebody in the office cancel, so that the customer is told by mail."""
        subscription = subscription or self.subscription
        self.cancel(subscription, timing="end_of_period", send_confirmation=True)
        return subscription.cancellation_ids

    def get_mails(self, records):
        """Return the outgoing mails about records."""
        domain = [("model", "=", records._name), ("res_id", "in", records.ids)]
        return self.env["mail.mail"].sudo().search(domain, order="id")

    def open_afresh(self, url):
        """Open a link as somebody who has never been here."""
        self.authenticate(None, None)
        path = re.sub(r"^https?://[^/]+", "", url.replace("&amp;", "&"))
        return self.go(path or "/")


@tagged("post_install", "-at_install")
class TestTokenIsUnreadable(LinkCase):
    """Over every way that an employee has who may not cancel."""

    def as_readers(self):
        """Return the subscription as each employee who may read it and no more."""
        self.env.invalidate_all()
        owns = [self.subscription.with_user(self.login(login)) for login in READERS]
        for own in owns:
            own.check_access("read")
        return owns

    def assert_hidden(self, call):
        """Assert that a call is refused, or that its answer holds no token."""
        try:
            with mute_logger("odoo.addons.base.models.ir_model"):
                answer = call()
        except AccessError:
            return
        self.assertNotIn(self.token, str(answer))

    def test_by_every_way_to_read_a_field(self):
        """B4: also to search for what it begins with, or to sort by it."""
        name = "access_token"
        domain = [("id", "=", self.subscription.id)]
        for own in self.as_readers():
            found = [*domain, (name, "=like", f"{self.token[:3]}%")]
            calls = [
                lambda own=own: own.read([name]),
                lambda own=own: own.web_read({name: {}}),
                lambda own=own: own.search_read(domain, [name]),
                lambda own=own: own.web_search_read(domain, {name: {}}),
                lambda own=own: own.export_data([name]),
                lambda own=own: own.read(),
                lambda own=own: own.copy_data(),
                lambda own=own: own[name],
                lambda own=own: own.mapped(name),
                lambda own=own: own.formatted_read_group(domain, [name], ["__count"]),
                lambda own=own: own.web_read_group(domain, [name], ["__count"]),
                lambda own=own: own.read_group(domain, [name], [name]),
                lambda own=own: own.grouped(name),
            ]
            for call in calls:
                self.assert_hidden(call)
            for search in (
                lambda own=own, found=found: own.search_count(found),
                lambda own=own: own.search(domain, order=name),
            ):
                with self.assertRaises(AccessError):
                    search()
            with self.assertRaises(AccessError):
                own.write({name: "known"})
        self.assertEqual(self.subscription.sudo().access_token, self.token)

    def test_by_the_links_of_the_portal(self):
        """B4: the address for customers, sharing, and the customer's view."""
        Share = self.env["portal.share"]
        context = {
            "active_model": "sale.subscription",
            "active_id": self.subscription.id,
        }
        values = {"res_model": "sale.subscription", "res_id": self.subscription.id}
        values["partner_ids"] = [Command.set(self.customer.ids)]
        for own in self.as_readers():
            share = Share.with_user(own.env.user).with_context(**context)
            for call in (
                lambda own=own: own.get_portal_url(),
                lambda own=own: own.access_url,
                lambda own=own: own._get_share_url(redirect=True),
                lambda own=own: own.get_formview_action(),
                lambda own=own: own._get_access_action(force_website=True),
                lambda share=share: share.default_get(["share_link"]),
                lambda share=share: share.create(values).share_link,
                lambda share=share: share.create(values).action_send_mail(),
                lambda share=share: share.new(values).share_link,
            ):
                self.assert_hidden(call)
            self.assert_no_link_acts(own.env.user)

    def test_whoever_may_cancel_may_hand_the_link_on(self):
        """B4: it opens no more to them than their own rights do."""
        own = self.subscription.with_user(self.login("user"))
        self.assertIn(self.token, own.get_portal_url())
        page = self.open_afresh(own.get_portal_url())
        self.assertTrue(page.url.endswith(self.get_path()))

    def test_in_the_chatter(self):
        """B4: neither where the customer was written to, nor where they answered."""
        cancellation = self.schedule()
        [mail] = self.get_mails(cancellation)
        # The customer answers, with the mail they got below.
        self.subscription.message_post(
            body=mail.body_html, message_type="email", author_id=self.customer.id
        )
        cancellation.message_post(
            body=mail.body_html, message_type="email", author_id=self.customer.id
        )
        # Staff who may cancel share it, and write to the customer.
        self.share(self.login("agent"))
        own = self.subscription.with_user(self.login("agent"))
        link = own.get_base_url() + own.get_portal_url()
        own.message_post(body=link, partner_ids=self.customer.ids)
        for login in (*READERS, "user", "agent"):
            self.assert_no_link_acts(self.login(login))

    def share(self, user):
        share = self.env["portal.share"].with_user(user)
        share.create(
            {
                "res_model": "sale.subscription",
                "res_id": self.subscription.id,
                "partner_ids": [Command.set(self.customer.ids)],
            }
        ).action_send_mail()

    def test_what_a_template_shows_before_it_is_sent(self):
        """B4: nor in a mail that an employee has sent to themselves."""
        cancellation = self.schedule()
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_scheduled"
        )
        for login in READERS:
            reader = self.login(login)
            reader.email = f"{login}@example.com"
            own = cancellation.with_user(reader)
            mine = template.with_user(reader)
            composer = self.env["mail.compose.message"].with_user(reader)
            for call in (
                lambda mine=mine: mine._render_field("body_html", cancellation.ids),
                lambda mine=mine, reader=reader: mine.send_mail(
                    cancellation.id,
                    email_values={"recipient_ids": [(4, reader.partner_id.id)]},
                ),
                lambda mine=mine, reader=reader: mine.send_mail(
                    cancellation.id, email_values={"email_to": reader.email}
                ),
                lambda own=own, reader=reader: (
                    own.message_post_with_source(
                        "subscription_cancellation.mail_template_cancellation_scheduled",
                        partner_ids=reader.partner_id.ids,
                    ).body
                ),
                lambda composer=composer, mine=mine: (
                    composer.create(
                        {
                            "model": cancellation._name,
                            "res_ids": str(cancellation.ids),
                            "template_id": mine.id,
                        }
                    ).body
                ),
            ):
                self.assert_hidden(call)
            for mail in self.get_mails(cancellation):
                if mail.recipient_ids != self.customer:
                    self.assertNotIn(self.token, f"{mail.body_html} {mail.body}")

    def assert_no_link_acts(self, reader):
        """Read all that is readable as a user and follow each link."""
        messages = self.env["mail.message"].with_user(reader)
        domain = [
            ("model", "in", ("sale.subscription", "subscription.cancellation")),
            ("message_type", "!=", "user_notification"),
        ]
        with mute_logger("odoo.addons.base.models.ir_rule"):
            rows = messages.search_read(domain, ["body"])
        notices = self.env["mail.notification"].with_user(reader)
        notices = notices.search_read([], ["mail_mail_id", "failure_reason"])
        self.assertNotIn(self.token, str([rows, notices]))
        for url in set(LINK.findall(str([row["body"] for row in rows]))):
            page = self.open_afresh(url)
            self.assertNotIn("Base", page.text() or "", url)
            self.assertFalse(page.has("cancel"), url)
        with self.assertRaises(AccessError):
            self.env["mail.mail"].with_user(reader).search_read([], ["body_html"])


@tagged("post_install", "-at_install")
class TestLinkOfTheCustomer(LinkCase):
    """It works where the customer gets it."""

    def get_link(self, mail):
        """Return the link to the subscription in a mail, as it goes out."""
        [values] = mail._prepare_outgoing_list()
        [link] = {
            url
            for url in LINK.findall(values["body"])
            if "/my/subscriptions/" in url or "access_token" in url
        }
        link = link.replace("&amp;", "&")
        self.assertIn(link, values["body_alternative"])
        return link

    def test_the_mail_about_a_cancellation_opens_the_subscription(self):
        """B4, D7: without logging in; others who get the mail have to."""
        cancellation = self.schedule()
        [mail] = self.get_mails(cancellation)
        page = self.open_afresh(self.get_link(mail))
        self.assertTrue(page.url.endswith(self.get_path()))
        self.assertTrue(page.has("revoke") or "Base" in page.text())

    def test_only_the_customer_gets_it(self):
        """B4: a template may name others."""
        cancellation = self.schedule()
        other = self.create_customer(name="Their accountant", email="a@example.com")
        message = cancellation.message_post_with_source(
            "subscription_cancellation.mail_template_cancellation_scheduled",
            partner_ids=(self.customer | other).ids,
        )
        for mail in self.get_mails(cancellation).filtered(
            lambda mail: mail.mail_message_id == message
        ):
            is_theirs = mail.recipient_ids == self.customer
            self.assertEqual(self.token in mail.body_html, is_theirs)
        self.assertNotIn(self.token, message.body)

    def test_the_button_of_a_mail_about_the_subscription(self):
        """B4: Odoo's own; also where somebody writes who may not cancel."""
        own = self.subscription.with_user(self.login("seller"))
        own.message_post(body="Hello", partner_ids=self.customer.ids)
        [mail] = self.get_mails(self.subscription)
        page = self.open_afresh(self.get_link(mail))
        self.assertTrue(page.url.endswith(self.get_path()), page.url)

    def test_the_link_of_one_customer_is_not_the_next_ones(self):
        """B4: another contact is another customer; the same one again is not."""
        path = self.get_path(f"?access_token={self.token}")
        self.subscription.partner_id = self.customer
        self.assertEqual(self.subscription.access_token, self.token)
        self.authenticate(None, None)
        self.assertTrue(self.go(path).url.endswith(self.get_path()))
        self.subscription.partner_id = self.create_customer(name="Next")
        self.assertTrue(self.subscription.access_token)
        self.assertNotEqual(self.subscription.access_token, self.token)
        self.assertIn("/web/login", self.go(path).url)
        new = self.get_path(f"?access_token={self.subscription.access_token}")
        self.assertTrue(self.go(new).url.endswith(self.get_path()))

    def test_the_invoices_of_one_customer_are_not_shown_to_the_next_one(self):
        """B4: by the link, which shows documents whoever they are for."""
        invoice = self.subscription._get_invoices()
        path = self.get_path(f"?access_token={self.token}")
        self.authenticate(None, None)
        self.assertIn(invoice.name, self.go(path).text())
        self.subscription.partner_id = self.create_customer(name="Next")
        path = self.get_path(f"?access_token={self.subscription.access_token}")
        self.assertNotIn(invoice.name, self.go(path).text())

    def test_a_salesperson_changes_the_customer(self):
        """B4: whoever may not read the token renews it."""
        own = self.subscription.with_user(self.login("seller"))
        own.partner_id = self.create_customer(name="Next")
        self.assertNotEqual(self.subscription.access_token, self.token)

    def test_customers_write_by_link(self):
        """E2: and those who are logged in do, too."""
        for login in (None, "azure"):
            self.authenticate(login, login)
            page = self.see(f"?access_token={self.token}")
            self.assertEqual(page.status, 200)
            answer = self.make_jsonrpc_request(
                "/mail/message/post",
                {
                    "thread_model": "sale.subscription",
                    "thread_id": self.subscription.id,
                    "post_data": {"body": f"I am {login}"},
                    "token": self.token,
                },
            )
            self.assertTrue(answer)
        self.env.invalidate_all()
        self.assertIn("I am azure", str(self.subscription.message_ids.mapped("body")))


@tagged("post_install", "-at_install")
class TestActingByLink(LinkCase):
    """Employees who are logged in act in the back office, as themselves."""

    def test_employees_do_not_act_by_link(self):
        """B4: whatever their rights; nothing is changed, and they are told."""
        cancellation = self.schedule()
        for login in (*READERS, "employee", "user", "agent"):
            self.authenticate(login, login)
            query = f"?access_token={self.token}"
            page = self.see(query)
            for suffix in ("/cancel", "/cancel/confirm", "/revoke", "/pause"):
                with self.subTest(login=login, post=suffix):
                    answer = self.post(suffix)
                    self.assertIn("logged in as an employee", answer.text())
                    self.env.invalidate_all()
                    self.assertEqual(cancellation.state, "scheduled")
                    self.assertEqual(self.subscription.cancellation_ids, cancellation)
            self.assertEqual(page.status, 200)

    def post(self, suffix):
        data = {
            "csrf_token": Request.csrf_token(self),
            "access_token": self.token,
            "timing": "immediate",
            "scope": "whole",
            "key": "k",
            "cancellation_id": str(self.subscription.cancellation_ids.id),
        }
        return Page(self.url_open(self.get_path(suffix), data=data))

    def test_an_employee_who_is_the_customer_acts(self):
        """B4: with a subscription of their own."""
        self.subscription.partner_id = self.login("invoicing").partner_id
        self.authenticate("invoicing", "invoicing")
        page = self.cancel_as_customer(timing="end_of_period")
        self.assertEqual(page.status, 200)
        self.assertEqual(self.get_cancellation().channel, "portal")
