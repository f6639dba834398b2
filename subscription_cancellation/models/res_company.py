# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, models


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        companies._create_cancellation_policies()
        return companies

    def _create_cancellation_policies(self):
        """Give every company of ``self`` that has no policy the default one."""
        # sudo: whoever may create a company need not be a cancellation manager.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        with_policy = Policy.search([("company_id", "in", self.ids)]).company_id
        return Policy.create(
            [
                {
                    "name": self.env._("Default cancellation policy"),
                    "company_id": company.id,
                    # Whatever is added comes before it.
                    "sequence": 1000,
                }
                for company in self - with_policy
            ]
        )
