# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).

from odoo import api, fields, models
from odoo.exceptions import ValidationError

MAX_PAUSE = 24


class SubscriptionCancellationRetention(models.Model):
    """What a customer reads before confirming: a message, a pause, or a contact.

    Never a detour: the button that cancels stays on the same page.
    """

    _name = "subscription.cancellation.retention"
    _description = "Message Before a Cancellation"
    _order = "sequence, id"

    policy_id = fields.Many2one(
        comodel_name="subscription.cancellation.policy",
        required=True,
        index=True,
        ondelete="cascade",
    )
    sequence = fields.Integer(default=10)
    reason_id = fields.Many2one(
        comodel_name="sale.subscription.close.reason",
        ondelete="cascade",
        help="Only for customers with this reason; empty: for all of them.",
    )
    kind = fields.Selection(
        selection=[
            ("text", "Message"),
            ("pause", "Pause instead"),
            ("contact", "Talk to us"),
        ],
        default="text",
        required=True,
    )
    title = fields.Char(required=True, translate=True)
    body = fields.Html(string="Message", translate=True)
    pause_months = fields.Integer(
        string="Months", default=1, help="For how long the subscription is paused."
    )

    @api.constrains("kind", "pause_months")
    def _check_pause_months(self):
        for message in self:
            if message.kind == "pause" and not 1 <= message.pause_months <= MAX_PAUSE:
                raise ValidationError(
                    self.env._(
                        "The pause offered in “%(title)s” cannot be %(months)s months "
                        "long. Enter a number from 1 to %(limit)s.",
                        title=message.title,
                        months=message.pause_months,
                        limit=MAX_PAUSE,
                    )
                )
