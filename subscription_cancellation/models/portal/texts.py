# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Headings and labels of the portal's pages: one term each.

Where a page put verb and name one after the other, every language would have the order
of the English one.
"""

from odoo import api, models

from ...formatting import format_day


class SaleSubscription(models.Model):
    """Name what a page or a button is about."""

    _inherit = "sale.subscription"

    def _get_portal_full_title(self):
        """Return what customers call this, with its reference."""
        return " ".join(filter(None, [self._get_portal_title(), self.name]))

    @api.model
    def _get_cancel_text(self, name):
        """Return the verb with what would be cancelled."""
        return self.env._("Cancel %s", name)

    def _get_check_title(self):
        """Return the title of the summary before confirming."""
        return self.env._("Please check: cancel %s", self._get_portal_title())

    @api.model
    def _get_pause_button_text(self, plan):
        """Return the verb with the last paused day.

        :param PausePlan plan: with an end
        """
        return self.env._("Pause Until %s", format_day(self.env, plan.last_day))

    @api.model
    def _describe_nothing_found(self, search):
        return self.env._("No subscription of yours is found for “%s”.", search)
