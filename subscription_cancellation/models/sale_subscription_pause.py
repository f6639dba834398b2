# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Since when a subscription is paused: what was served before is owed."""

from odoo import fields, models


class SaleSubscription(models.Model):
    """Remember when upstream's pause began."""

    _inherit = "sale.subscription"

    paused_date = fields.Date(
        string="Paused Since",
        readonly=True,
        copy=False,
        help="First paused day. Empty where the pause began before this was recorded.",
    )

    def write(self, vals):
        if "is_paused" not in vals:
            return super().write(vals)
        paused = self.filtered("is_paused")
        result = super().write(vals)
        self.filtered(lambda one: not one.is_paused).paused_date = False
        for subscription in self.filtered("is_paused") - paused:
            subscription.paused_date = subscription._today()
        return result

    def _cut_at_pause(self, end):
        """Return the first day that is not served, up to ``end``, if it is known.

        :param date end: first day without service
        """
        if not self.is_paused:
            return end
        return self.paused_date and min(end, self.paused_date)
