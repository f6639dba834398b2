# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Order lines that are rewards: discounts and gifts."""

from odoo import models


class SaleOrderLine(models.Model):
    """Know what a reward is for."""

    _inherit = "sale.order.line"

    def _get_rewarded_lines(self):
        """Return the only order lines that these discount, empty for all."""
        order_lines = self.browse()
        for reward in self._get_rewards():
            for order in self.order_id:
                if reward.discount_applicability == "specific":
                    order_lines |= order._get_specific_discountable_lines(reward)
                elif reward.discount_applicability == "cheapest":
                    order_lines |= order._cheapest_line(reward) or order_lines
        return order_lines

    def _is_gift(self):
        """Return whether this is paid by a gift card or an e-wallet."""
        return any(
            reward.program_id.is_payment_program for reward in self._get_rewards()
        )

    def _get_rewards(self):
        """Return the loyalty rewards that these come from: ``sale_loyalty``, if any."""
        return self.reward_id if "reward_id" in self._fields else ()
