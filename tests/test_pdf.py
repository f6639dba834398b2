# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""D7: the summary as a PDF: who writes, under which number, and nobody waits for it."""

import io
from unittest.mock import patch

from lxml import html

from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from odoo.addons.base.models import ir_actions_report as odoo_reports
from odoo.addons.subscription_cancellation.models.common import (
    ir_actions_report as own_reports,
)

from .mails import MailServerCase
from .test_confirmations import ConfirmationCase

ATTACHMENTS = "odoo.addons.subscription_cancellation.models.common.ir_attachment"
SUMMARY = own_reports.SUMMARY


def read_pdf(content):
    """Return the words of a PDF, with single spaces; the odd ones break words."""
    reader = PdfFileReader(io.BytesIO(content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


class PrintCase(MailServerCase, ConfirmationCase):
    """Reports are really printed."""

    def setUp(self):
        super().setUp()
        if self.env["ir.actions.report"].get_wkhtmltopdf_state() == "install":
            self.skipTest("wkhtmltopdf is not installed")
        self.company.partner_id.write(
            {"name": "Housekeepers", "street": "Mill Lane 7", "city": "Bonn"}
        )
        # As in production; in tests Odoo prints HTML.
        reports = self.registry["ir.actions.report"]
        print_html = reports._pre_render_qweb_pdf

        def print_pdf(report, *args, **kwargs):
            report = report.with_context(force_report_rendering=True)
            return print_html(report, *args, **kwargs)

        self.patch(reports, "_pre_render_qweb_pdf", print_pdf)
        self.patch(self.registry["ir.attachment"], "_can_print", lambda _model: True)

    def count_printed(self):
        """Return a patcher of all ways to wkhtmltopdf; its mock has the calls."""
        return patch.object(
            odoo_reports.subprocess, "run", wraps=odoo_reports.subprocess.run
        )


@tagged("post_install", "-at_install")
class TestPrint(PrintCase):
    def test_nobody_waits_for_the_pdf(self):
        """D7: it is made when the mail is sent, not when it is written."""
        with self.count_printed() as printed:
            for event in ("scheduled", "moved", "done"):
                with self.subTest(event=event):
                    self.subscription = self.create_billed()
                    cancellation = getattr(self, f"reach_{event}")()
                    self.assertTrue(cancellation.told_date)
            self.assertFalse(printed.mock_calls)
            [mail] = self.deliver(self.mails(cancellation))
            self.assertTrue(printed.mock_calls)
        [content] = mail.files.values()
        self.assertTrue(content.startswith(b"%PDF"))

    def test_the_same_number_in_subject_body_file_and_document(self):
        """D7: as files can be called; and the letter says who writes to whom."""
        cancellation = self.schedule()
        number = cancellation.name.replace("/", "-")
        [mail] = self.deliver(self.mails(cancellation))
        self.assertIn(f"({number})", mail.subject)
        self.assertIn(f"Reference: {number}", mail.text)
        [(name, content)] = mail.files.items()
        self.assertEqual(name, f"Cancellation {number}.pdf")
        text = read_pdf(content)
        for words in (number, "Housekeepers", "Mill Lane 7", "Azure Interior"):
            self.assertIn(words, text)

    def test_it_says_what_was_so_when_the_mail_was_written(self):
        """D7: it is printed after the next change."""
        cancellation = self.schedule()
        scheduled = self.mails(cancellation)
        cancellation._revoke()
        [mail] = self.deliver(scheduled)
        [content] = mail.files.values()
        self.assertIn("Service ends on July 20, 2026", read_pdf(content))

    def test_a_printed_document_is_not_printed_again(self):
        """D7: the mail is sent once more."""
        cancellation = self.schedule()
        mails = self.mails(cancellation)
        mails.auto_delete = False
        [first] = self.deliver(mails)
        self.assertFalse(mails.attachment_ids.is_printed_later)
        mails.state = "outgoing"
        with self.count_printed() as printed:
            [second] = self.deliver(mails)
        self.assertFalse(printed.mock_calls)
        self.assertEqual(first.files, second.files)

    @mute_logger(ATTACHMENTS)
    def test_where_it_cannot_be_printed_it_can_be_read(self):
        """D7: a page instead of a PDF; the customer is told all the same."""
        cancellation = self.schedule()
        broken = patch.object(own_reports, "_print", side_effect=OSError("No memory"))
        with broken:
            [mail] = self.deliver(self.mails(cancellation))
        [(name, content)] = mail.files.items()
        self.assertTrue(name.endswith(".html"))
        self.assertIn("July 20, 2026", content)

    def test_files_of_the_template_stay_as_they_are(self):
        """D7: a page that somebody attached is none of ours."""
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_scheduled"
        )
        template.attachment_ids = self.env["ir.attachment"].create(
            {"name": "Terms.html", "raw": b"<p>Terms</p>", "mimetype": "text/html"}
        )
        [mail] = self.deliver(self.mails(self.schedule()))
        self.assertIn("Terms.html", mail.files)
        self.assertEqual(len(mail.files), 2)

    # === THE PAGE === #

    def test_the_page_needs_nothing_from_elsewhere(self):
        """D7: neither style sheets nor scripts nor pictures are fetched."""
        cancellation = self.schedule()
        report = self.env["ir.actions.report"]._get_report(SUMMARY)
        content, _format = report._render_qweb_html(SUMMARY, cancellation.ids)
        bodies, _ids, header, footer, _paper = report._prepare_html(
            content, report_model=report.model
        )
        self.assertFalse(header or footer)
        for page in (content.decode(), *bodies):
            tree = html.fromstring(page)
            self.assertFalse(tree.xpath("//link | //script | //base"))
            for source in tree.xpath("//@src"):
                self.assertTrue(source.startswith("data:"), source)

    def test_many_are_printed_together(self):
        """D7: each is its own document, whichever wkhtmltopdf there is."""
        cancellations = self.env["subscription.cancellation"]
        for lines in ([31.0], [1.0] * 60, [31.0]):
            cancellations |= self.schedule(self.create_billed(lines))
        report = self.env["ir.actions.report"]._get_report(SUMMARY)
        pages = [report._render_qweb_html(SUMMARY, one.ids)[0] for one in cancellations]
        contents = report._print_many(pages)
        self.assertEqual(len(contents), 3)
        for content, cancellation in zip(contents, cancellations, strict=True):
            text = read_pdf(content)
            self.assertIn(cancellation._get_reference(), text)
            for other in cancellations - cancellation:
                self.assertNotIn(other._get_reference(), text)

    def test_the_print_button_makes_a_pdf(self):
        """D4, E1: at once, and without the second that Odoo waits for scripts."""
        cancellation = self.schedule()
        reports = self.env["ir.actions.report"]
        with self.count_printed() as printed:
            content, kind = reports._render_qweb_pdf(SUMMARY, cancellation.ids)
        self.assertEqual(kind, "pdf")
        self.assertIn(cancellation._get_reference(), read_pdf(content))
        arguments = printed.call_args.args[0]
        delay = arguments[arguments.index("--javascript-delay") + 1]
        self.assertEqual(delay, "0")
