# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a policy tells the customer besides the confirmation."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: What is more is a typing error.
MAX_REMINDER_DAYS = 365


class SubscriptionCancellationPolicy(models.Model):
    """Confirm that a cancellation is revoked, and remind of its date (D7)."""

    _inherit = "subscription.cancellation.policy"

    confirm_revoked = fields.Boolean(
        string="Tell the customer when a cancellation is revoked",
        help="Customers who were told of a cancellation are also told when it is "
        "revoked.",
    )
    reminder_days = fields.Integer(
        string="Remind Before (Days)",
        help="So many days before the last day of service, customers who get "
        "confirmations are reminded of it by e-mail, once. 0: no reminder.",
    )

    @api.constrains("reminder_days")
    def _check_reminder_days(self):
        for policy in self:
            if not 0 <= policy.reminder_days <= MAX_REMINDER_DAYS:
                raise ValidationError(
                    self.env._(
                        "Policy “%(name)s” cannot remind customers %(days)s days "
                        "before the end: enter a number from 0, for no reminder, to "
                        "%(limit)s.",
                        name=policy.name,
                        days=policy.reminder_days,
                        limit=MAX_REMINDER_DAYS,
                    )
                )
