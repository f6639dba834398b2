# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A pricelist for every subscription: upstream requires one, new databases lack it."""

from odoo import api, models


class SaleSubscription(models.Model):
    """Take the company's pricelist where the customer has none."""

    _inherit = "sale.subscription"

    @api.onchange("partner_id")
    def onchange_partner_id(self):
        result = super().onchange_partner_id()
        if self.partner_id and not self.pricelist_id:
            company = self.company_id or self.env.company
            self.pricelist_id = company._get_subscription_pricelist()
        return result

    @api.model
    def _add_pricelists(self, vals_list):
        """Return values of new subscriptions, each with a pricelist."""
        defaults = self.default_get(["pricelist_id", "company_id"])
        return [
            vals
            if vals.get("pricelist_id") or defaults.get("pricelist_id")
            else {**vals, "pricelist_id": self._get_pricelist(defaults | vals).id}
            for vals in vals_list
        ]

    @api.model
    def _get_pricelist(self, vals):
        """Return the pricelist of a new subscription: its customer's, else the usual.

        :param dict vals: with ``company_id``, and mostly ``partner_id``
        """
        company = self.env["res.company"].browse(vals["company_id"])
        partner = self.env["res.partner"].browse(vals.get("partner_id"))
        own = partner.with_company(company).property_product_pricelist
        return own or company._get_subscription_pricelist()
