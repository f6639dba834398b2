# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What some days of a line cost."""

from typing import Any, NamedTuple

from odoo import models
from odoo.fields import Command

from ...arithmetic.proration import Period, from_units


class ChargePart(NamedTuple):
    """Some days of one billing period of one line, and their untaxed amount."""

    line: models.BaseModel
    period: Period
    billing_period: Period
    amount: float
    #: The part of the line's price that comes to the amount.
    share: float
    #: ``sale.order.line`` that sold these days, where one did.
    order_line: Any = None
    #: What discounts of that order take off it: tuples of the line, and units.
    discounts: tuple = ()
    #: ``account.move.line`` that may bill these days, linked with nothing.
    unlinked: Any = None

    @property
    def total(self):
        """The untaxed amount less discounts."""
        off = sum(
            from_units(units, discount.currency_id.rounding)
            for discount, units in self.discounts
        )
        return self.amount + off

    @property
    def priced(self):
        """The line that has the price, and the taxes."""
        return self.order_line or self.line

    def _is_sold_by(self, order_lines):
        """Return whether one of these has sold the days."""
        return bool(self.order_line) and self.order_line in order_lines

    def _prepare_order_values(self):
        """Return what is on the order, which is not to bill these days any more."""
        line = self.order_line
        if not line:
            return {}
        is_billed = line.qty_invoiced >= line.product_uom_qty
        return {
            "quantity": line._get_charged_quantity(),
            "product_uom_id": line.product_uom_id.id,
            "discount": line.discount,
            "tax_ids": [Command.set(line.tax_ids.ids)],
            "sale_line_ids": [] if is_billed else [Command.link(line.id)],
        }
