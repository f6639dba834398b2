# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ...callers import is_manager
from ...const import MAX_TRIAL_DAYS
from ..common.actions import show_records


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

    def action_view_subscription_ids(self):
        action = super().action_view_subscription_ids()
        return show_records(action, self.subscription_ids)

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates.filtered("cancellation_policy_id")._check_may_force_policy()
        return templates

    def write(self, vals):
        if "cancellation_policy_id" in vals:
            self._check_may_force_policy()
        if "recurring_rule_count" not in vals:
            return super().write(vals)
        following = {template: template._get_following() for template in self}
        result = super().write(vals)
        for template, subscriptions in following.items():
            subscriptions._extend_term(template)
        return result

    def _check_may_force_policy(self):
        if self and not is_manager(self.env):
            raise AccessError(
                self.env._("Only a cancellation manager chooses a template's policy.")
            )

    def _get_following(self):
        """Return the running subscriptions whose term ends as this template says."""
        if self.recurring_rule_boundary != "limited":
            return self.subscription_ids.browse()
        # sudo: the plan is changed for all of its subscriptions.
        running = self.sudo().subscription_ids.filtered(
            lambda subscription: subscription._is_in_progress()
        )
        return running.filtered(
            lambda subscription: (
                subscription.date == self._get_date(subscription._get_first_paid_day())
            )
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
