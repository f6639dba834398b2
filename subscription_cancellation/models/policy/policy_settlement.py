# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a policy does with the money: open invoices, unbilled days, credits."""

from odoo import api, fields, models

from ...const import (
    ADVANCE_CREDITS,
    CREDIT_SETTLEMENTS,
    UNBILLED_CHARGES,
    UNPAID_INVOICES,
)


class SubscriptionCancellationPolicy(models.Model):
    """Settle credits, open invoices and unbilled charges (C3, C6-C9)."""

    _inherit = "subscription.cancellation.policy"

    unbilled_charges = fields.Selection(
        selection=UNBILLED_CHARGES,
        default="invoice",
        required=True,
        help="Draft invoices, and elapsed days that no invoice covers. Invoice: to the "
        "day, posted, and charged where the customer has a saved payment method. Drop: "
        "drafts are cancelled and nothing is invoiced for those days.",
    )
    allow_override_unbilled_charges = fields.Boolean(
        string="Unbilled Charges: May Be Overridden", default=True
    )
    apply_credits = fields.Boolean(
        string="Use credits for open invoices",
        help="Credits and excess payments of the customer pay their other open "
        "invoices in the same currency first, the oldest due one first.",
    )
    allow_override_apply_credits = fields.Boolean(
        string="Use Credits: May Be Overridden", default=True
    )
    unpaid_invoices = fields.Selection(
        selection=UNPAID_INVOICES,
        default="keep",
        required=True,
        help="What becomes of the subscription's open invoices once it has ended. "
        "Attempt collection: charge the saved payment method. Write off: on the "
        "account and journal of the settings.",
    )
    allow_override_unpaid_invoices = fields.Boolean(
        string="Unpaid Invoices: May Be Overridden", default=True
    )
    credit_settlement = fields.Selection(
        selection=CREDIT_SETTLEMENTS,
        string="Remaining Credit",
        default="keep",
        required=True,
        help="What becomes of the credit that exceeds what is due. Refund: through the "
        "payment provider that took the money; what came another way is left to an "
        "accountant.",
    )
    allow_override_credit_settlement = fields.Boolean(
        string="Remaining Credit: May Be Overridden", default=True
    )
    send_confirmation = fields.Boolean(
        default=True,
        help="The customer is told by e-mail when a cancellation is scheduled, moved, "
        "done or refused.",
    )
    allow_override_send_confirmation = fields.Boolean(
        string="Confirmation: May Be Overridden", default=True
    )
    advance_credit = fields.Selection(
        selection=ADVANCE_CREDITS,
        string="Advance Invoices",
        default="at_end",
        required=True,
        help="When billing periods wholly beyond the end of service are credited.",
    )
    write_off_note = fields.Char(compute="_compute_write_off_note")

    @api.depends("unpaid_invoices", "company_id")
    def _compute_write_off_note(self):
        for policy in self:
            wants = policy.unpaid_invoices == "write_off"
            policy.write_off_note = (
                wants and policy.company_id._get_cannot_write_off_reason()
            )
