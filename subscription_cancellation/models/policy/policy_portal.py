# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a policy lets customers do in the portal, and what it says to them before."""

from odoo import fields, models


class SubscriptionCancellationPolicy(models.Model):
    """Open the portal to customers, or keep it closed."""

    _inherit = "subscription.cancellation.policy"

    portal_cancel = fields.Boolean(
        string="Customers May Cancel",
        default=True,
        help="In the portal, at the times that this policy allows. Off: the portal "
        "asks customers to write instead.",
    )
    portal_extend = fields.Boolean(
        string="Customers May End It Later",
        default=True,
        help="In the portal, what they have cancelled themselves: with the end of one "
        "of the next periods, where this policy leaves the time to choose.",
    )
    portal_reactivate = fields.Boolean(
        string="Customers May Reactivate",
        help="In the portal, what they have cancelled themselves.",
    )
    retention_ids = fields.One2many(
        comodel_name="subscription.cancellation.retention",
        inverse_name="policy_id",
        string="Before They Confirm",
        copy=True,
        help="A message or an offer that customers see in the portal. The way on to "
        "the cancellation is always beside it.",
    )

    def _get_retention_message(self, reason):
        """Return the message for a customer with this reason, or none.

        :param reason: ``sale.subscription.close.reason``, empty where none was given
        """
        return self.retention_ids.filtered(
            lambda one: not one.reason_id or one.reason_id == reason
        ).sorted(lambda one: (not one.reason_id, one.sequence, one.id))[:1]
