# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Documents that are printed once nobody waits for them."""

import logging

from odoo import api, fields, models
from odoo.modules import module

from ...const import SUMMARY

_logger = logging.getLogger(__name__)
#: What a file is called until it is printed, and afterwards.
HTML, PDF = ".html", ".pdf"


class IrAttachment(models.Model):
    """The summary of a cancellation: HTML, and a PDF as soon as its mail is sent.

    What it says is as things were when the mail was written.
    """

    _inherit = "ir.attachment"

    is_printed_later = fields.Boolean(readonly=True, copy=False)

    @api.model
    def _mark_printed_later(self, attachments):
        """Note which of these files of a new mail are still to be printed."""
        documents = attachments.filtered(lambda one: one.name.endswith(HTML))
        # sudo: a technical mark, whoever has the mail sent.
        documents.sudo().is_printed_later = True

    def _print_now(self):
        """Make PDFs of those of these that are still to be printed.

        What cannot be printed is left as it is: the customer can read it.
        """
        # sudo: whoever sends the mail.
        documents = self.sudo().filtered("is_printed_later")
        if not documents or not self._can_print():
            return
        report = self.env["ir.actions.report"]._get_report(SUMMARY)
        try:
            contents = report._print_many([one.raw for one in documents])
        except Exception:
            _logger.exception("Summaries of cancellations are sent as HTML")
            return
        for document, content in zip(documents, contents, strict=True):
            document.write(
                {
                    "name": document.name.removesuffix(HTML) + PDF,
                    "raw": content,
                    "mimetype": "application/pdf",
                    "is_printed_later": False,
                }
            )

    @api.model
    def _can_print(self):
        """Return whether PDFs are made: not in tests, as with Odoo's reports."""
        is_forced = self.env.context.get("force_report_rendering")
        return is_forced or not module.current_test
