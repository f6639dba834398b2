# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an unpaid invoice tells the customer before its subscription is cancelled."""

from odoo import api, fields, models

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
