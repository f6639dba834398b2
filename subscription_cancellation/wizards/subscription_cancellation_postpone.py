# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError


class SubscriptionCancellationPostpone(models.TransientModel):
    """The dialog that moves a scheduled cancellation to another date."""

    _name = "subscription.cancellation.postpone"
    _description = "Change Cancel Date"

    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation", required=True, readonly=True
    )
    last_service_date = fields.Date(
        related="cancellation_id.last_service_date", related_sudo=False
    )
    requested_date = fields.Date(string="New Date")
    charge_extension = fields.Boolean(
        string="Charge extra days",
        compute="_compute_charge_extension",
        compute_sudo=False,
        store=True,
        readonly=False,
        help="Invoice the days that this adds, and that no regular invoice covers, to "
        "the day and at once. Off: regular invoices go on until the new date.",
    )
    preview = fields.Text(compute="_compute_preview", compute_sudo=False)
    problem = fields.Char(compute="_compute_preview", compute_sudo=False)

    @api.depends("cancellation_id")
    def _compute_charge_extension(self):
        for wizard in self:
            wizard.charge_extension = wizard.cancellation_id.charge_extension

    @api.depends("requested_date", "charge_extension")
    def _compute_preview(self):
        for wizard in self:
            wizard.update(wizard._get_preview())

    def _get_preview(self):
        """Return what changing the date leads to, or the problem with it."""
        if not self.requested_date:
            return {"preview": False, "problem": False}
        try:
            preview = self.cancellation_id._preview_postponed(
                self.requested_date, self.charge_extension
            )
        except UserError as error:
            return {"preview": False, "problem": str(error)}
        return {"preview": preview, "problem": False}

    def action_confirm(self):
        """Change the date."""
        self.ensure_one()
        self.cancellation_id._postpone(self.requested_date, self.charge_extension)
        return {"type": "ir.actions.act_window_close"}
