# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    addon_of_ids = fields.Many2many(
        comodel_name="product.template",
        relation="product_template_addon_rel",
        column1="addon_id",
        column2="parent_id",
        string="Add-on of",
        domain=[("subscribable", "=", True)],
        help="On a subscription that has one of these products, a line with this "
        "product becomes an add-on of it and ends together with it.",
    )
