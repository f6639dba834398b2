# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import float_round

from ...arithmetic.proration import Period, half_up, to_units
from ..accounting.order_discount import Priced, fit_parts, spread_discount


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Upstream bills some periods through sales orders and leaves no trace of the
    # subscription line or of the period on the way to the invoice.
    subscription_line_id = fields.Many2one(
        comodel_name="sale.subscription.line",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    subscription_period_start = fields.Date(
        copy=False,
        help="First day of the subscription period sold by this line.",
    )
    subscription_period_end = fields.Date(
        copy=False,
        help="Last day of the subscription period sold by this line.",
    )

    def get_subscription_line_values(self):
        return {**super().get_subscription_line_values(), "order_line_id": self.id}

    def _prepare_invoice_line(self, **optional_values):
        values = super()._prepare_invoice_line(**optional_values)
        if self.subscription_line_id and not self.display_type:
            values.update(
                subscription_line_id=self.subscription_line_id.id,
                start_date=self.subscription_period_start,
                end_date=self.subscription_period_end,
            )
            if "price_unit" not in optional_values and self._is_limited():
                values.update(self._prepare_open_days(values["quantity"]))
        elif "price_unit" not in optional_values and self._is_discount():
            values.update(self._prepare_rest_of_discount())
        return values

    # === DAYS THAT AN ORDER SELLS === #

    @api.model
    def _map_sold_periods(self, parts):
        """Return the order line that sold the days of each of these, where one did.

        :param list parts: of ``ChargePart``
        :return: dict by part; one query for all
        """
        if not parts:
            return {}
        lines = {part.line.id for part in parts}
        # What an order sold that was cancelled meanwhile was served all the same.
        sold = self.search(
            [
                ("subscription_line_id", "in", list(lines)),
                ("state", "in", ("sale", "cancel")),
            ]
        )
        return {
            part: order_line
            for part in parts
            for order_line in sold
            if order_line.subscription_line_id.id == part.line.id
            and order_line.subscription_period_start
            and order_line.subscription_period_start <= part.period.start
            and part.period.last_day <= order_line.subscription_period_end
        }

    def _get_discounts(self, ignored):
        """Return what each discount of the order takes off this, in currency units.

        Untaxed, as they will be on an invoice of the order. Not those that its own
        invoices have given already.

        :param ignored: drafts (``account.move``) that will not go on
        :return: dict by order line
        """
        self.ensure_one()
        shares = {
            discount: discount._spread_on_order().get(self, 0)
            for discount in self._get_products_of_order()
            if discount._is_discount() and not discount._is_given(ignored)
        }
        return {discount: units for discount, units in shares.items() if units}

    def _get_products_of_order(self):
        return self.order_id.order_line.filtered(
            lambda line: not line.display_type and not line.is_downpayment
        )

    def _is_discount(self):
        """Return whether this reduces what its order sells."""
        is_rebate = not self.subscription_line_id and self.price_subtotal < 0
        return is_rebate and not self._is_gift()

    def _spread_on_order(self):
        """Return what this discount takes off each line of its order."""
        priced = self._get_products_of_order().filtered(
            lambda line: line.subscription_line_id or line.price_subtotal >= 0
        )
        return spread_discount(
            self._as_priced(),
            [line._as_priced() for line in priced],
            self._get_rewarded_lines(),
        )

    def _get_charge_items(self):
        """Return what bills this on charges of single days."""
        return self._get_standing_items().filtered(
            lambda item: item.move_id._get_credit_source()
        )

    def _get_standing_items(self):
        # sudo: also of invoices that whoever invoices the rest may not read.
        return self.sudo().invoice_lines.filtered(
            lambda item: (
                item.move_id.move_type == "out_invoice"
                and item.parent_state != "cancel"
                and not item.move_id.is_taken_back
                and not item.move_id._is_about_days()
            )
        )

    def _is_given(self, ignored):
        """Return whether an invoice of the order has given this discount.

        :param ignored: drafts (``account.move``) that will not go on
        """
        items = self._get_standing_items()
        return bool(items.move_id - ignored) and not self._get_charge_items()

    def _get_quantity_of(self, sold):
        """Return how much of this discount goes with lines that are charged by days.

        The rest of it is for the other lines, and stays to be invoiced with them: a
        hundredth at least, as Odoo rounds quantities. None goes twice.

        :param sold: ``sale.order.line``
        """
        left = self.product_uom_qty - self.qty_invoiced
        if left <= 0 or not sold - self._get_charged_lines():
            return 0.0
        shares = self._spread_on_order()
        if not self._get_rest_of_discount(shares, sold):
            return left
        taken = sum(shares.get(line, 0) for line in sold - self._get_charged_lines())
        part = self.product_uom_qty * taken / sum(shares.values())
        return max(min(float_round(part, 2), left - 0.01), 0.0) or min(0.01, left)

    def _get_charged_lines(self):
        """Return the order lines whose part of this discount was given by charges."""
        items = self._get_charge_items().move_id.invoice_line_ids
        return items.sale_line_ids.filtered("subscription_line_id")

    def _get_rest_of_discount(self, shares, sold):
        """Return what this takes off what is left of other lines than these."""
        charged = self._get_charged_lines()
        done = sold | charged.filtered(lambda line: not line._is_charged_in_part())
        return sum(
            units * line._get_open_share()
            for line, units in shares.items()
            if line not in done
        )

    def _prepare_rest_of_discount(self):
        """Return the price of what is left of this once a part went with a charge.

        The quantity that is left is rounded; the amount is not to be.
        """
        items = self._get_standing_items()
        is_charged = items and items == self._get_charge_items()
        ended = self.order_id.order_line.filtered("subscription_end_date")
        if not (is_charged or ended) or self.qty_to_invoice <= 0:
            return {}
        shares = self._spread_on_order()
        rest = self._get_rest_of_discount(shares, self.browse())
        price = self.price_unit * self.product_uom_qty * rest / sum(shares.values())
        return {"price_unit": price / self.qty_to_invoice, "extra_tax_data": False}

    def _prepare_charged_discount(self, sold, units):
        """Return the invoice line of what this takes off days that are charged.

        :param sold: ``sale.order.line`` that sold these days
        :param int units: how much that is, in currency units
        """
        quantity = self._get_quantity_of(sold)
        share = units / self._as_priced().units
        price = self.price_unit * self.product_uom_qty * share
        return self._prepare_invoice_line(
            quantity=quantity or 1.0,
            price_unit=price / (quantity or 1.0),
            extra_tax_data=False,
            sale_line_ids=[Command.link(self.id)] if quantity else [],
        )

    def _get_share_not_posted(self):
        """Return the share of this, from 0 to 1, that no posted invoice bills."""
        if not self.product_uom_qty:
            return 0.0
        left = 1 - self.qty_invoiced_posted / self.product_uom_qty
        return min(max(left, 0.0), 1.0)

    def _get_share_at_end(self):
        """Return the share of this that was not invoiced when service ended."""
        return 1.0 if self._get_charge_items() else self._get_share_not_posted()

    def _get_charged_quantity(self):
        """Return how much of this days are charged of: all, or what is delivered."""
        is_ordered = self.product_id.invoice_policy == "order"
        return self.product_uom_qty if is_ordered else self.qty_delivered

    def _get_units_of_days(self, days, ignored):
        """Return what some days of the sold period cost, and its discounts of them.

        Rounded once, together.

        :param int days: how many
        :param ignored: drafts (``account.move``) that will not go on
        :return: tuple of currency units, and dict of them by discount
        """
        discounts = self._get_discounts(ignored)
        amounts = [self._as_priced().units, *discounts.values()]
        if self.product_uom_qty:
            part = self._get_charged_quantity() / self.product_uom_qty
            amounts = [round(amount * part) for amount in amounts]
        total = Period.from_inclusive(
            self.subscription_period_start, self.subscription_period_end
        ).days
        units, *shares = fit_parts(
            [half_up(amount * days, total) for amount in amounts],
            amounts,
            half_up(sum(amounts) * days, total),
        )
        return units, dict(zip(discounts, shares, strict=True))

    def _as_priced(self):
        """Return this line for those who spread discounts."""
        units = to_units(self.price_subtotal, self.currency_id.rounding)
        return Priced(self, units, frozenset(self.tax_ids.ids))
