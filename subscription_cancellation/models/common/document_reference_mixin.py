# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""References are found as people write them."""

from odoo import api, models

from ...arithmetic.likeness import get_pattern

#: Operators that look for a part of a name.
PARTIAL = ("like", "ilike", "not like", "not ilike")


class SubscriptionReferenceMixin(models.AbstractModel):
    """Documents whose reference is CAN/2026/00067 here and CAN-2026-00067 in mails."""

    _name = "subscription.reference.mixin"
    _description = "Documents Found by Their Reference"

    @api.model
    def _search_display_name(self, operator, value):
        if operator in PARTIAL and isinstance(value, str):
            value = get_pattern(value)
        return super()._search_display_name(operator, value)
