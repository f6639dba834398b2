# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an unpaid invoice tells the customer before its subscription is cancelled."""

import base64
import logging

import psycopg2

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

WARNING_TEMPLATE = "subscription_cancellation.mail_template_overdue_warning"
WARNING_LAYOUT = "mail.mail_notification_light"


class AccountMove(models.Model):
    """Warn, once, before a subscription is cancelled because this is not paid."""

    _inherit = "account.move"

    cancellation_warning_date = fields.Date(
        copy=False,
        readonly=True,
        help="The day on which the customer was told that the subscription will be "
        "cancelled unless this invoice is paid.",
    )
    overdue_date = fields.Date(
        compute="_compute_overdue",
        help="The first due date that was not kept.",
    )
    overdue_amount = fields.Monetary(
        compute="_compute_overdue",
        help="What should be paid by now and is not.",
    )
    overdue_cancellation_date = fields.Date(
        compute="_compute_overdue_cancellation_date",
        compute_sudo=True,
        help="The day on which a subscription of this invoice will be cancelled "
        "unless it is paid, once that is near.",
    )

    @api.depends(
        "line_ids.date_maturity",
        "line_ids.reconciled",
        "line_ids.amount_residual_currency",
    )
    def _compute_overdue(self):
        today = fields.Date.today()
        for move in self:
            unpaid = move.line_ids.filtered(
                lambda line: (
                    line.display_type == "payment_term"
                    and not line.reconciled
                    and line.date_maturity
                    and line.date_maturity <= today
                )
            )
            move.overdue_date = min(unpaid.mapped("date_maturity"), default=False)
            move.overdue_amount = sum(unpaid.mapped("amount_residual_currency"))

    @api.depends(
        "invoice_line_ids.subscription_line_id", "payment_state", "overdue_date"
    )
    def _compute_overdue_cancellation_date(self):
        arrears = self._get_running_subscriptions()._get_arrears()
        for move in self:
            move.overdue_cancellation_date = min(
                (
                    item.cancel_date
                    for item in arrears
                    if item.invoice == move and not item.needs_person()
                ),
                default=False,
            )

    def _get_running_subscriptions(self):
        """Return the running subscriptions that these invoices bill."""
        billed = self.invoice_line_ids.subscription_line_id.sale_subscription_id
        return billed.filtered(lambda subscription: subscription._is_in_progress())

    def _get_warning_sender(self):
        """Return the address the warning comes from: of the salesperson, if staff."""
        self.ensure_one()
        salesperson = self.invoice_user_id._filter_responsible(self.company_id)
        return salesperson.email_formatted or self.company_id.email_formatted

    # === THE WARNING === #

    def _is_payable_online(self):
        """Return whether the customer finds a way to pay on the invoice's page."""
        self.ensure_one()
        # sudo: the answer only, of providers that only administrators see.
        providers = (
            self.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                self.company_id.id,
                self.partner_id.id,
                self.amount_residual,
                currency_id=self.currency_id.id,
            )
        )
        # Employees are offered the others, too, to try them.
        published = providers.filtered("is_published")
        return self._has_to_be_paid() and bool(published)

    def _get_warning_url(self):
        """Return where the customer sees the invoice, and pays it where possible.

        Without logging in, as in Odoo's own mails with a payment link.
        """
        self.ensure_one()
        payment = {"query_string": "&payment=True", "anchor": "portal_pay"}
        options = payment if self._is_payable_online() else {}
        return f"{self.get_base_url()}{self.get_portal_url(**options)}"

    def _process_attachments_for_template_post(self, mail_template):
        """Attach the invoice to its warning, whoever sends that."""
        result = super()._process_attachments_for_template_post(mail_template)
        if mail_template == self.env.ref(WARNING_TEMPLATE, raise_if_not_found=False):
            for invoice in self:
                values = result.setdefault(invoice.id, {})
                for name, attached in invoice._get_attached_invoice().items():
                    values.setdefault(name, []).extend(attached)
        return result

    def _get_attached_invoice(self):
        """Return the invoice as it was sent; else as it is printed.

        A PDF that cannot be made holds up no warning.

        :return: dict, as :meth:`_process_attachments_for_template_post` expects it
        """
        self.ensure_one()
        if self.invoice_pdf_report_id:
            return {"attachment_ids": self.invoice_pdf_report_id.ids}
        try:
            with self.env.cr.savepoint():
                return {"attachments": [self._print_invoice()]}
        except psycopg2.OperationalError:
            # Another transaction was faster: all of it is tried again.
            raise
        except Exception:
            _logger.exception("%s is not attached to its warning", self.name)
            return {}

    def _print_invoice(self):
        """Return name and content (base64) of a PDF of this invoice."""
        report = self.env["account.move.send"]._get_default_pdf_report_id(self)
        content, _format = self.env["ir.actions.report"]._render_qweb_pdf(
            report, self.ids
        )
        name = self._get_invoice_report_filename(report=report)
        return name, base64.b64encode(content)

    def _send_cancellation_warning(self, today):
        """Put the warning into the mail queue; without an address, do nothing.

        :param date today: the customer's
        """
        self.ensure_one()
        template = self.env.ref(WARNING_TEMPLATE, raise_if_not_found=False)
        # Somebody may have deleted the template instead of the warning days.
        if not template or not self.partner_id.email_normalized:
            return
        template.send_mail(self.id, email_layout_xmlid=WARNING_LAYOUT)
        self.cancellation_warning_date = today
