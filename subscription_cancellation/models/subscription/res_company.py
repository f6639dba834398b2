# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import models


class ResCompany(models.Model):
    """Have a pricelist for subscriptions."""

    _inherit = "res.company"

    def _get_subscription_pricelist(self):
        """Return the pricelist of subscriptions whose customer has none.

        The first one without rules in the company's currency; made if there is none, as
        Odoo does where its pricelists are switched on.
        """
        self.ensure_one()
        # sudo: whoever sells need not be allowed to make pricelists. Archived: as Odoo
        # leaves all of them where pricelists are switched off.
        pricelists = self.env["product.pricelist"].sudo()
        found = pricelists.with_context(active_test=False).search(
            [
                ("company_id", "in", (False, self.id)),
                ("currency_id", "=", self.currency_id.id),
                ("item_ids", "=", False),
            ],
            order="active desc, sequence, id",
            limit=1,
        )
        if not found:
            found = pricelists.create(self.sudo()._get_default_pricelist_vals())
        found.filtered(lambda pricelist: not pricelist.active).action_unarchive()
        return found.sudo(self.env.su)
