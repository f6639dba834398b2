# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: Ten years; what is longer is a typing error.
MAX_TRIAL_DAYS = 3650


class SaleSubscriptionTemplate(models.Model):
    _inherit = "sale.subscription.template"

    trial_days = fields.Integer(
        string="Trial",
        help="Free days at the start of a subscription: the first invoice is for the "
        "days after them. 0: no trial. Changing it leaves existing subscriptions as "
        "they are.",
    )
    cancellation_policy_id = fields.Many2one(
        comodel_name="subscription.cancellation.policy",
        copy=False,
        ondelete="restrict",
        help="Forces a policy on the subscriptions of this template, within the "
        "policy's company.",
    )

    @api.constrains("trial_days")
    def _check_trial_days(self):
        for template in self:
            if not 0 <= template.trial_days <= MAX_TRIAL_DAYS:
                raise ValidationError(
                    self.env._(
                        "The trial of template “%(name)s” cannot last %(days)s days: "
                        "enter a number from 0, for no trial, to %(most)s.",
                        name=template.name,
                        days=template.trial_days,
                        most=MAX_TRIAL_DAYS,
                    )
                )
