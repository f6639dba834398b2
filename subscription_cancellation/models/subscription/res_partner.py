# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models

from ..common.actions import show_records


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_view_subscription_ids(self):
        action = super().action_view_subscription_ids()
        return show_records(action, self.subscription_ids)
