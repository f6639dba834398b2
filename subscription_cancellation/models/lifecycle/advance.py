# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Advance invoices (C3): credited at scheduling, where the policy says so."""

from odoo import fields, models
from odoo.exceptions import UserError

from ...ledger.credit_scope import CreditScope


class SubscriptionCancellationLine(models.Model):
    _inherit = "subscription.cancellation.line"

    is_advance = fields.Boolean(
        string="Credited in Advance",
        readonly=True,
        help="A billing period wholly beyond the end of service, credited when the "
        "cancellation was scheduled.",
    )


class SubscriptionCancellation(models.Model):
    """Credit the billing periods wholly beyond the end of service at once.

    The day ledger counts these credits like any other, so that nothing is credited a
    second time when service ends.
    """

    _inherit = "subscription.cancellation"

    def _credit_advance(self):
        """Credit what is billed for periods that begin at the end of service or later.

        :return: ``account.move``, the credit memos
        """
        wanted = self.filtered(lambda plan: plan.advance_credit == "at_scheduling")
        scopes = [
            CreditScope(
                cancellation.line_ids.subscription_line_id,
                cancellation.effective_date,
                cancellation.refund_mode,
                only_advance=True,
            )
            for cancellation in wanted
        ]
        Row = self.env["subscription.cancellation.line"]
        rows = Row.browse()
        for cancellation, values in zip(
            wanted, Row._compute_rows(scopes) if scopes else [], strict=True
        ):
            rows |= Row.create(
                [
                    {**row, "cancellation_id": cancellation.id, "is_advance": True}
                    for row in values
                    if row["credit_untaxed"]
                ]
            )
        credit_memos = rows._create_credit_memos()
        credit_memos._post_cancellation_credits()
        rows._take_over_posted(credit_memos)
        return credit_memos

    def _forget_cancelled_advance(self):
        """Drop the rows whose credit memo somebody cancelled before it was posted."""
        for cancellation in self.filtered("line_ids.is_advance"):
            cancelled = cancellation.credit_note_ids.filtered(
                lambda memo: memo.state == "cancel"
            ).reversed_entry_id
            cancellation.line_ids.filtered(
                lambda row, cancelled=cancelled: (
                    row.is_advance and row.origin_move_id in cancelled
                )
            ).unlink()

    def _take_back_advance(self):
        """Bill again what was credited in advance: the end is off."""
        rows = self.line_ids.filtered("is_advance")
        rows.cancellation_id._take_back_credits()
        rows.unlink()

    def _renew_advance(self):
        """Credit in advance what is beyond the end that was just moved.

        Only credit memos of periods that are served now are taken back.
        """
        rows = self.line_ids.filtered("is_advance")
        served = rows.filtered(lambda row: row.period_start < self.effective_date)
        if served:
            invoices = served.origin_move_id
            self._take_back_credits(invoices)
            rows.filtered(lambda row: row.origin_move_id in invoices).unlink()
        self._credit_advance()

    def _check_not_credited_in_advance(self):
        """Raise where another cancellation would take over lines of this one."""
        if self.line_ids.filtered("is_advance"):
            raise UserError(
                self.env._(
                    "Cancellation %(name)s of %(lines)s has already credited advance "
                    "invoices. Change its date, or revoke it first.",
                    name=self.name,
                    lines=", ".join(self.line_ids.subscription_line_id.mapped("name")),
                )
            )
