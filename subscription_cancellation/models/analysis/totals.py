# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the analysis counts, stored when it happens: later changes do not touch it."""

from collections import defaultdict

from odoo import api, fields, models

from ...arithmetic.proration import from_units, share_out, to_units
from ...const import MONTHS


class SubscriptionCancellation(models.Model):
    """Remember since when there was service, and whether anybody was kept."""

    _inherit = "subscription.cancellation"

    subscribed_since = fields.Date(
        compute="_compute_subscribed_since",
        store=True,
        help="When the subscription had started, at the time of the request.",
    )
    is_obsolete = fields.Boolean(
        readonly=True,
        help="Revoked because the subscription had ended otherwise.",
    )

    @api.depends("subscription_id")
    def _compute_subscribed_since(self):
        for cancellation in self:
            cancellation.subscribed_since = cancellation.subscription_id.date_start

    def _get_credited_by_row(self):
        """Return what posted credit memos credit, without tax, by row of this.

        What an accountant changed on a draft counts as it was posted; amounts of no
        row, such as a cash rounding, go to the first row of their invoice.

        :return: dict of floats in the company's currency
        """
        self.ensure_one()
        credited = defaultdict(float)
        for memo in self.credit_note_ids._filter_not_taken_back():
            rows = self.line_ids.filtered(
                lambda row, memo=memo: row.origin_move_id == memo.reversed_entry_id
            )
            left = -memo.amount_untaxed_signed
            items = memo.invoice_line_ids.grouped(
                lambda item: (item.origin_line_id, item.discounted_line_id)
            )
            for row in rows:
                amount = sum(
                    items.get(
                        (row.origin_line_id, row.discounted_line_id),
                        memo.line_ids[:0],
                    ).mapped("balance")
                )
                credited[row] += amount
                left -= amount
            credited[(rows or self.line_ids)[:1]] += left
        return credited

    def _get_settled_units(self, kind):
        """Return what the done steps of one kind moved, in the company's currency.

        :return: int, units of the currency's rounding; tax included
        """
        self.ensure_one()
        rounding = self.company_id.currency_id.rounding
        steps = self.step_ids.filtered(
            lambda step: step.kind == kind and step.state == "done"
        )
        return sum(to_units(step._get_company_amount(), rounding) for step in steps)


class SubscriptionCancellationLine(models.Model):
    """Store what the analysis sums up, in the company's currency."""

    _inherit = "subscription.cancellation.line"

    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    monthly_revenue = fields.Monetary(
        compute="_compute_monthly_revenue",
        store=True,
        currency_field="company_currency_id",
        help="What the line cost in a month when it was cancelled, without tax; in one "
        "row of those that credit the same line.",
    )
    credited = fields.Monetary(
        compute="_compute_credited",
        store=True,
        currency_field="company_currency_id",
        help="What posted credit memos credit, without tax.",
    )
    refunded = fields.Monetary(
        compute="_compute_settled",
        store=True,
        currency_field="company_currency_id",
        help="The line's share of what was refunded, with tax.",
    )
    written_off = fields.Monetary(
        compute="_compute_settled",
        store=True,
        currency_field="company_currency_id",
        help="The line's share of what was written off, with tax.",
    )

    @api.depends("cancellation_id.effective_date", "subscription_line_id")
    def _compute_monthly_revenue(self):
        # Not the price of the line: that may change later, also of an archived one.
        firsts = self.browse()
        for rows in self.cancellation_id.line_ids.grouped(
            lambda row: (row.cancellation_id, row.subscription_line_id)
        ).values():
            firsts |= rows[0]
        for row in self:
            row.monthly_revenue = row in firsts and row._get_monthly_revenue()

    def _get_monthly_revenue(self):
        """Return what the line costs in a month, without tax, by its price of now.

        A trial that ends costs nothing.
        """
        self.ensure_one()
        line, day = self.subscription_line_id, self.cancellation_id.effective_date
        subscription = line.sale_subscription_id
        trial_end = subscription.trial_end_date
        if trial_end and day <= subscription._get_first_paid_day():
            return 0.0
        currency = subscription._get_invoice_currency()
        return currency._convert(
            line.price_subtotal / subscription.template_id._get_months(),
            self.company_id.currency_id,
            self.company_id,
            day,
        )

    @api.depends(
        "cancellation_id.credit_note_ids.state", "cancellation_id.reactivated_date"
    )
    def _compute_credited(self):
        for cancellation, rows in self.grouped("cancellation_id").items():
            credited = cancellation._get_credited_by_row()
            for row in rows:
                row.credited = credited.get(row, 0.0)

    @api.depends(
        "credited",
        "monthly_revenue",
        "cancellation_id.step_ids.state",
        "cancellation_id.step_ids.amount",
    )
    def _compute_settled(self):
        for cancellation, rows in self.grouped("cancellation_id").items():
            refunded = cancellation.line_ids._share_settled("refund", "credited")
            lost = cancellation.line_ids._share_settled("write_off", "monthly_revenue")
            for row in rows:
                row.refunded = refunded.get(row, 0.0)
                row.written_off = lost.get(row, 0.0)

    def _share_settled(self, kind, weight):
        """Return the share of each of these rows in the settled amount of a kind.

        Money is moved for a whole document; the shares add up to it.

        :param str weight: name of the field that says who gets how much
        """
        rounding = self.company_id.currency_id.rounding
        units = self.cancellation_id._get_settled_units(kind)
        if not units:
            return {}
        weights = [to_units(row[weight], rounding) for row in self]
        shares = share_out(units, weights)
        return {
            row: from_units(share, rounding)
            for row, share in zip(self, shares, strict=True)
        }


class SaleSubscription(models.Model):
    """Know what it is worth in a month; once it has ended, what it was worth."""

    _inherit = "sale.subscription"

    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    monthly_revenue = fields.Monetary(
        compute="_compute_monthly_revenue",
        currency_field="company_currency_id",
        help="What it costs in a month, without tax. Of a cancelled one: what it cost "
        "when it was cancelled.",
    )

    @api.depends(
        "cancellation_state",
        "sale_subscription_line_ids.price_subtotal",
        "template_id.recurring_interval",
        "template_id.recurring_rule_type",
        "cancellation_ids.line_ids.monthly_revenue",
        "cancellation_ids.reactivated_date",
    )
    def _compute_monthly_revenue(self):
        for subscription in self:
            # sudo: the sum only, for whoever may not look up cancellations.
            closing = subscription.sudo()._get_closing_cancellations()
            subscription.monthly_revenue = (
                sum(closing.line_ids.mapped("monthly_revenue"))
                if subscription.cancellation_state == "cancelled"
                else subscription._get_monthly_revenue()
            )

    def _get_monthly_revenue(self):
        """Return what the lines that run cost in a month, in the company's currency."""
        price = sum(self.sale_subscription_line_ids.mapped("price_subtotal"))
        currency = self._get_invoice_currency()
        months = self.template_id._get_months() if self.template_id else 1
        return currency._convert(
            price / months, self.company_id.currency_id, self.company_id, self._today()
        )


class SaleSubscriptionTemplate(models.Model):
    """Know how many months a billing period has."""

    _inherit = "sale.subscription.template"

    def _get_months(self):
        """Return the length of a billing period in months, a float above 0."""
        self.ensure_one()
        unit = self.recurring_rule_type or "months"
        return MONTHS[unit] * (self.recurring_interval or 1)
