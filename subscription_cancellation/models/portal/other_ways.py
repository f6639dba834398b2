# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What runs, and cannot be cancelled in the portal."""

from odoo import models


class SaleSubscription(models.Model):
    """Lead its customer to the public page, and to the company."""

    _inherit = "sale.subscription"

    def _is_left_to_other_ways(self):
        """Return whether it goes on, so that its customer may want it to end.

        Asked where the portal does not cancel it.
        """
        self.ensure_one()
        is_ending = self.cancellation_state == "cancelled" or self.cancellation_date
        has_lines = bool(self.sale_subscription_line_ids)
        return has_lines and not (is_ending or self._get_pending_cancellation())
