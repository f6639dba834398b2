# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _filter_responsible(self, company):
        """Return those of these who can be asked to look after something of a company.

        A subscription's agent is whoever confirmed its order: in the shop a customer,
        with a signature the system itself. Others have left since, or work elsewhere.
        """
        return self.filtered(
            lambda user: user.active and not user.share and company in user.company_ids
        )
