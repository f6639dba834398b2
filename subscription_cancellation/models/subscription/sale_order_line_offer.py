# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What an order still offers to invoice of a period whose service has ended (C9).

Odoo invoices what was sold. Of a subscription that has ended, only days of service are
left of that, and none where the policy has dropped them or they were charged.
"""

from odoo import api, fields, models
from odoo.fields import Domain

from ...arithmetic.proration import ONE_DAY, Period, get_uncovered, half_up
from ...formatting import format_charged_days, format_day, in_language_of


class SaleOrderLine(models.Model):
    """Offer the days that are left of the sold period."""

    _inherit = "sale.order.line"

    subscription_end_date = fields.Date(
        copy=False,
        readonly=True,
        help="First day of the sold period that is not invoiced any more, as service "
        "has ended or its charges were dropped.",
    )

    # === COMPUTE METHODS === #

    @api.depends("order_id.order_line.subscription_end_date")
    def _compute_qty_invoiced(self):
        return super()._compute_qty_invoiced()

    @api.depends("order_id.order_line.subscription_end_date")
    def _compute_qty_invoiced_posted(self):
        result = super()._compute_qty_invoiced_posted()
        for line in self:
            line.qty_invoiced_posted -= line._get_uncounted_quantity(posted=True)
        return result

    def _prepare_qty_invoiced(self):
        quantities = super()._prepare_qty_invoiced()
        for line in self:
            quantities[line] -= line._get_uncounted_quantity()
        return quantities

    @api.depends("order_id.order_line.subscription_end_date")
    def _compute_qty_to_invoice(self):
        result = super()._compute_qty_to_invoice()
        for line in self:
            if line.qty_to_invoice > 0 and line._has_nothing_left():
                line.qty_to_invoice = 0.0
        return result

    @api.depends("order_id.order_line.subscription_end_date", "qty_to_invoice")
    def _compute_untaxed_amount_to_invoice(self):
        result = super()._compute_untaxed_amount_to_invoice()
        for line in self:
            if line.subscription_end_date:
                line.untaxed_amount_to_invoice = line._get_offered(line.price_subtotal)
            elif line.untaxed_amount_to_invoice and line._has_nothing_left():
                # A discount: Odoo looks at its price, not at what it is left of.
                line.untaxed_amount_to_invoice = 0.0
        return result

    @api.depends("order_id.order_line.subscription_end_date", "qty_to_invoice")
    def _compute_amount_to_invoice(self):
        result = super()._compute_amount_to_invoice()
        for line in self:
            if line.subscription_end_date:
                line.amount_to_invoice = line._get_offered(line.price_total)
            elif line.amount_to_invoice and line._has_nothing_left():
                # As above.
                line.amount_to_invoice = 0.0
        return result

    def _get_offered(self, price):
        """Return what is offered of a price of all that was sold."""
        if not self.product_uom_qty:
            return 0.0
        share = self._get_open_share() * self.qty_to_invoice / self.product_uom_qty
        return self.currency_id.round(price * share)

    # === END === #

    @api.model
    def _search_sold(self, subscription_lines):
        """Return the order lines that sold a period of these.

        Also of orders that were cancelled meanwhile: what was paid for them counts.
        """
        return self.search(
            Domain("subscription_line_id", "in", subscription_lines.ids)
            & Domain("subscription_period_start", "!=", False)
            & Domain("state", "in", ("sale", "cancel")),
            order="id",
        )

    def _set_end(self, days):
        """Offer of these only what lies before a day, and tell the orders.

        :param dict days: first days that are not invoiced, by order line
        """
        ends = {
            line: min(filter(None, [days[line], line._get_first_paused_day()]))
            for line in self
        }
        for day, lines in self.grouped(ends.get).items():
            lines.subscription_end_date = day
        self.order_id._log_end_of_subscriptions()

    def _get_first_paused_day(self):
        """Return the first day of the sold period that is paused, or ``False``.

        Where the pause is over, a period of its own begins, which upstream bills.
        """
        # sudo: whoever invoices orders need not be allowed to read pauses.
        pauses = self.sudo().subscription_line_id.sale_subscription_id.pause_ids
        days = pauses.filtered(lambda pause: pause.state != "taken_back").mapped(
            "date_from"
        )
        return min((day for day in days if self._has_sold(day)), default=False)

    def _has_sold(self, day):
        """Return whether a day is one of the sold period."""
        return self.subscription_period_start <= day <= self.subscription_period_end

    def _get_share_before(self, day):
        """Return the share of the sold period before a day of it."""
        period = self._get_sold_period()
        return (day - period.start).days / period.days

    def _filter_open_on(self, day):
        """Return those of which days from ``day`` on are still to be invoiced."""
        return self.filtered(
            lambda line: (
                line.state == "sale"
                and not line.subscription_end_date
                and line._has_sold(day)
                and line._get_share_not_posted() > 0
            )
        )

    def _offer_again(self):
        """Offer of these what they sold before service ended, unless that is over."""
        lines = self.filtered(
            lambda line: (
                line.subscription_end_date
                and line.subscription_period_end
                >= line.subscription_line_id.sale_subscription_id._today()
            )
        )
        for line in lines:
            line.subscription_end_date = line._get_first_paused_day()
        texts = {
            order.id: self.env._(
                "Service goes on: what is not invoiced of it yet is offered again."
            )
            for order in lines.order_id
        }
        lines.order_id._message_log_batch(texts)

    def _get_end_of_service(self):
        """Return the subscription, and the last day of its service of this line.

        Of one that is paused, or was, the last day before.
        """
        line = self.subscription_line_id
        subscription = line.sale_subscription_id
        if line.active and subscription.stage_id.type != "post":
            return subscription, self.subscription_end_date - ONE_DAY
        return subscription, line.last_service_date

    def _describe_end(self):
        """Return in words when service has ended, and what is still invoiced of it."""
        subscription, last_day = self[:1]._get_end_of_service()
        is_left = any(line.qty_to_invoice > 0 for line in self)
        if subscription.stage_id.type != "post" and self.subscription_line_id.filtered(
            "active"
        ):
            text = (
                self.env._(
                    "Subscription %(name)s was paused after %(date)s (%(lines)s). What "
                    "this order still invoices of it are the days before."
                )
                if is_left
                else self.env._(
                    "Subscription %(name)s was paused after %(date)s (%(lines)s). "
                    "Nothing of it is left to invoice here."
                )
            )
            return self._fill_in_end(text, subscription, last_day)
        text = (
            self.env._(
                "Subscription %(name)s has ended on %(date)s (%(lines)s). What this "
                "order still invoices of it are the days of service only."
            )
            if is_left
            else self.env._(
                "Subscription %(name)s has ended on %(date)s (%(lines)s). Nothing of "
                "it is left to invoice here."
            )
        )
        return self._fill_in_end(text, subscription, last_day)

    def _fill_in_end(self, text, subscription, last_day):
        return text % {
            "name": subscription.display_name,
            "date": format_day(self.env, last_day),
            "lines": ", ".join(self.mapped("product_id.display_name")),
        }

    # === WHAT IS LEFT === #

    def _has_nothing_left(self):
        """Return whether nothing of this is left to be invoiced."""
        if self.subscription_end_date:
            return not self._get_open_periods()
        ended = self.order_id.order_line.filtered("subscription_end_date")
        if not (ended and self._is_discount()):
            return False
        return not self._get_rest_of_discount(self._spread_on_order(), self.browse())

    def _get_sold_period(self):
        return Period.from_inclusive(
            self.subscription_period_start, self.subscription_period_end
        )

    def _get_open_periods(self):
        """Return the days of the sold period that may still be invoiced.

        After the end, those that were served. While service goes on, what charges of
        single days have left of it: a cancellation that made them was undone.

        :return: list of ``Period``
        """
        period = self._get_sold_period()
        if self.subscription_end_date:
            end = min(self.subscription_end_date, period.end)
            gaps = [Period(period.start, max(period.start, end))]
        else:
            gaps = get_uncovered(period, self._get_covers())
        # sudo: who invoices need not be allowed to read subscriptions.
        subscription = self.sudo().subscription_line_id.sale_subscription_id
        return [
            part
            for gap in gaps
            for part in subscription._leave_out_pauses(gap)
            if part.days > 0
        ]

    def _get_covers(self):
        """Return the days that documents of this bill, for ``get_uncovered``."""
        items = self._get_standing_items().filtered(lambda item: item._has_period())
        return [(item._get_service_period(), 1) for item in items]

    def _is_limited(self):
        """Return whether less than was sold may be invoiced of the sold period."""
        return bool(
            self.subscription_period_start
            and (self.subscription_end_date or self._is_charged_in_part())
        )

    def _is_charged_in_part(self):
        """Return whether single days were charged of this, and others are left."""
        return bool(
            self.subscription_period_start
            and not self.subscription_end_date
            and self._get_charge_items()
            and self._get_open_periods()
        )

    def _get_open_share(self):
        """Return the share of its price that is left of this, from 0 to 1."""
        if not self._is_limited():
            return 1.0
        total = self._get_sold_period().days
        days = sum(period.days for period in self._get_open_periods())
        units = self._as_priced().units
        if self.subscription_end_date or not units:
            return days / total
        # Together with what was charged, it comes to the price.
        return (units - half_up(units * (total - days), total)) / units

    def _get_uncounted_quantity(self, posted=False):
        """Return what charges of single days bill that does not count as invoiced.

        Not while there are days left; nor beside an invoice of what was left.

        :param bool posted: drafts do not count
        """
        charges = self._get_charge_items()
        if not charges:
            return 0.0
        if self._is_charged_in_part() or any(
            line._is_charged_in_part() for line in self._get_charged_lines()
        ):
            limit = 0.0
        else:
            items = self._get_standing_items()
            limit = self.product_uom_qty - sum((items - charges).mapped("quantity"))
        if posted:
            charges = charges.filtered(lambda item: item.parent_state == "posted")
        return max(sum(charges.mapped("quantity")) - max(limit, 0.0), 0.0)

    # === INVOICE === #

    def _prepare_open_days(self, quantity):
        """Return what an invoice line has to say of the days that are left.

        :param float quantity: that is invoiced
        """
        periods, share = self._get_open_periods(), self._get_open_share()
        if not periods:
            return {"price_unit": 0.0, "extra_tax_data": False}
        whole = Period(periods[0].start, periods[-1].end)
        env = in_language_of(self.env, self.order_partner_id)
        text = format_charged_days(env, whole, self._get_sold_period().days)
        # sudo: as in _get_open_periods.
        subscription = self.sudo().subscription_line_id.sale_subscription_id
        return {
            "name": f"{self.name or ''}\n{text}".strip(),
            "price_unit": self.price_unit * share,
            "extra_tax_data": subscription._prorate_taxes_per_unit(
                self, share, quantity
            ),
            "start_date": whole.start,
            "end_date": whole.last_day,
        }
