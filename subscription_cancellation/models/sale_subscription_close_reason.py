# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleSubscriptionCloseReason(models.Model):
    _inherit = "sale.subscription.close.reason"
    _order = "sequence, name, id"

    name = fields.Char(translate=True)
    code = fields.Char(
        copy=False,
        help="Stable name for the API and for other software, e.g. too_expensive.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL",
        "Two cancellation reasons cannot have the same code.",
    )

    @api.model
    def _from_code(self, code):
        """Return the active reason with this code.

        :param str code: e.g. ``"too_expensive"``
        :raise UserError: no such reason
        """
        reason = self.search([("code", "=", code)], limit=1)
        if not reason:
            raise UserError(
                self.env._(
                    "There is no cancellation reason with the code “%(code)s”. "
                    "Known codes: %(codes)s.",
                    code=code,
                    codes=", ".join(
                        self.search([("code", "!=", False)]).mapped("code")
                    ),
                )
            )
        return reason
