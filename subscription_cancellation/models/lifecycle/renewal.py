# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A longer or another term takes a scheduled cancellation back (B14)."""

from odoo import api, models


class SaleSubscription(models.Model):
    """Become active again when more billing cycles, or another plan, are agreed."""

    _inherit = "sale.subscription"

    @api.onchange("template_id", "date_start")
    def _onchange_template_id(self):
        # Upstream moves the next invoice date of an invoiced subscription a whole
        # period on: that one would be free.
        if not self._origin._is_invoiced():
            return super()._onchange_template_id()
        return None

    def _map_terms(self, vals):
        """Return the terms of these as they are, where they may change."""
        if not {"template_id", "date"} & vals.keys():
            return {}
        return {subscription: subscription._get_term() for subscription in self}

    def _get_term(self):
        """Return what the length of the term follows from, and its end."""
        template = self.template_id
        is_limited = template.recurring_rule_boundary == "limited"
        plan = (
            template.recurring_rule_type,
            template.recurring_interval,
            # Without an end the number of cycles means nothing.
            is_limited and template.recurring_rule_count,
        )
        return plan, self._get_contract_end()

    def _revoke_where_renewed(self, old_plan, old_end):
        """Take a scheduled end of everything back where the term is another one now.

        What has ended already stays ended: that takes Reactivate.
        """
        plan, end = self._get_term()
        is_longer = old_end and (not end or end > old_end)
        if not self.cancellation_date or (plan == old_plan and not is_longer):
            return
        # sudo: whoever may change the plan need not be allowed to revoke.
        scheduled = self.sudo().cancellation_ids.filtered(
            lambda cancellation: (
                cancellation.is_open and not cancellation._get_cannot_revoke_reason()
            )
        )
        if scheduled:
            scheduled._as_engine()._take_back_request(
                self.env._("The plan was changed to another term, or to a longer one.")
            )
