# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Mails as a mail server receives them."""

import email
from email import policy
from unittest.mock import patch

from lxml import html

from odoo.addons.base.models.ir_mail_server import IrMail_Server as MailServer
from odoo.addons.base.tests.common import MockSmtplibCase

from .faults import smtp_sink


class ReceivedMail:
    """What came over the wire, taken apart as a mail program does."""

    def __init__(self, recipients, source):
        self.recipients = recipients
        self.message = email.message_from_string(source, policy=policy.default)
        self.subject = self.message["Subject"]
        body = self.message.get_body(("html",)).get_content()
        self.tree = html.fromstring(body)
        for element in self.tree.xpath("//script | //style"):
            element.drop_tree()
        #: The visible words, with single, ordinary spaces.
        self.text = " ".join(self.tree.text_content().split())
        #: Content of the attached files, by name.
        self.files = {
            part.get_filename(): part.get_content()
            for part in self.message.iter_attachments()
        }

    def link(self, text):
        """Return the address behind a text; ``None`` where there is no such link."""
        links = self.tree.xpath(f"//a[contains(., '{text}')]")
        return links[0].get("href") if links else None


class MailServerCase(MockSmtplibCase):
    """A mail server takes what is sent."""

    def deliver(self, mails):
        """Send queued mails; return them as the server received them.

        :param mails: ``mail.mail``
        """
        with self.mock_smtplib_connection():
            mails.sudo().send(raise_exception=True)
        return [
            ReceivedMail(sent["smtp_to_list"], sent["message"]) for sent in self.emails
        ]


class RealMailServerCase:
    """A mail server that listens on a port takes what is sent."""

    def deliver(self, mails):
        """Send queued mails; return them as they came over the wire.

        :param mails: ``mail.mail``
        """
        # In tests, Odoo sends nothing.
        sending = patch.object(MailServer, "_disable_send", return_value=False)
        with smtp_sink.listening() as sink, sending:
            self.env["ir.mail_server"].search([]).active = False
            self.env["ir.mail_server"].create(
                {"name": "Sink", "smtp_host": "127.0.0.1", "smtp_port": sink.port}
            )
            mails.sudo().send(raise_exception=True)
        return [
            ReceivedMail(recipients, content.decode())
            for recipients, content in sink.mails
        ]
