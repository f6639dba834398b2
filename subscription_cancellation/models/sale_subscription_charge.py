# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Charge days that no regular invoice covers: prorated, stamped, and posted."""

from collections import defaultdict
from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..formatting import format_charged_days
from ..proration import Period, from_units, half_up, split_by_billing_period, to_units
from ..tax_discount import get_discounted_taxes


class ChargePart(NamedTuple):
    """Some days of one billing period of one line, and their untaxed amount."""

    line: models.BaseModel
    period: Period
    billing_period: Period
    amount: float


class SaleSubscription(models.Model):
    """Invoice single days at the price of the subscription, by calendar days."""

    _inherit = "sale.subscription"

    def _get_charge_parts(self, lines, period, anchor):
        """Return what ``period`` costs, per line and billing period.

        :param lines: ``sale.subscription.line``
        :param Period period: the days to charge
        :param date anchor: where a billing period begins; not after the first day
        :return: list of :class:`ChargePart`, each rounded half up on its own
        """
        self.ensure_one()
        rounding = self._get_invoice_currency().rounding
        parts = split_by_billing_period(period, anchor, self._get_recurrence_delta())
        return [
            ChargePart(
                line,
                days,
                whole,
                from_units(
                    half_up(to_units(price, rounding) * days.days, whole.days), rounding
                ),
            )
            for line in lines
            if (price := line._get_period_price())
            for days, whole in parts
        ]

    def _charge_days(self, parts, cancellation):
        """Create and post the invoice of these parts; none where there are none.

        :param list parts: of :class:`ChargePart`
        :param cancellation: the one that made the charge necessary
        """
        self.ensure_one()
        AccountMove = cancellation.env["account.move"].with_company(self.company_id)
        if not parts:
            return AccountMove
        self._check_charge_not_negative(parts)
        invoice = AccountMove.create(
            {
                **self.with_company(self.company_id)._prepare_account_move(
                    [Command.create(self._prepare_charge_line(part)) for part in parts]
                ),
                "move_type": "out_invoice",
                "cancellation_id": cancellation.id,
                "currency_id": self._get_invoice_currency().id,
                "invoice_date": self._today(),
                "ref": cancellation.name,
            }
        )
        invoice.date = invoice._get_first_open_day(invoice.invoice_date)
        invoice._post_or_explain()
        return invoice

    def _check_charge_not_negative(self, parts):
        """Raise where rebates that go on exceed the lines that go on with them."""
        if sum(part.amount for part in parts) < 0:
            raise UserError(
                self.env._(
                    "A rebate cannot go on alone (%(lines)s of subscription %(name)s): "
                    "that would be an invoice of a negative amount. Change the lines "
                    "that it belongs to with it.",
                    lines=", ".join({part.line.name for part in parts}),
                    name=self.display_name,
                )
            )

    def _prepare_charge_line(self, part):
        """Return the invoice line of one part: upstream's, at the prorated price."""
        line = part.line.with_company(self.company_id)
        price = line._get_period_price()
        env = self.with_context(lang=self.partner_id.lang or self.env.lang).env
        text = format_charged_days(env, part.period, part.billing_period.days)
        share = part.amount / price
        return {
            **line._prepare_account_move_line(),
            "name": f"{line.name or ''}\n{text}".strip(),
            "price_unit": line.price_unit * share,
            "extra_tax_data": self._prorate_taxes_per_unit(line, share),
            "start_date": part.period.start,
            "end_date": part.period.last_day,
        }

    def _prorate_taxes_per_unit(self, line, share):
        """Return ``extra_tax_data`` with taxes of a fixed amount per unit prorated.

        The price carries the proration, as Odoo rounds quantities; such taxes follow
        the quantity, so that they have to be told.

        :param line: ``sale.subscription.line``, or a draft ``account.move.line``
        :param float share: of the price of a whole period
        :return: ``False`` where there is no such tax
        """
        taxes = line.tax_ids.flatten_taxes_hierarchy()
        if "fixed" not in taxes.mapped("amount_type"):
            return False
        base_line = self._get_base_line(line)
        quantity = base_line["quantity"]
        base_line["quantity"] *= share
        self._compute_taxes([base_line])
        details = base_line["tax_details"]
        return {
            "manual_total_excluded_currency": details["total_excluded_currency"],
            "manual_tax_amounts": {
                str(data["tax"].id): {
                    "base_amount_currency": data["base_amount_currency"],
                    "tax_amount_currency": data["tax_amount_currency"],
                }
                for data in details["taxes_data"]
                if not data["is_reverse_charge"]
            },
            "currency_id": base_line["currency_id"].id,
            "price_unit": line.price_unit * share,
            "discount": line.discount,
            "quantity": quantity,
        }

    def _get_charge_total(self, parts):
        """Return what these parts come to with tax, as their invoice will.

        :param list parts: of :class:`ChargePart`
        """
        shares = [
            (part.line, part.amount / part.line._get_period_price()) for part in parts
        ]
        # sudo: the payment term of the customer, which the invoice will have.
        customer = (self.partner_invoice_id or self.partner_id).sudo()
        customer = customer.with_company(self.company_id)
        return self._get_invoice_total(shares, customer.property_payment_term_id)

    def _get_invoice_total(self, shares, payment_term):
        """Return what shares of lines come to with tax on one invoice.

        :param list shares: tuples of a ``sale.subscription.line``, or a draft
            ``account.move.line``, and the share of its price
        :param payment_term: ``account.payment.term`` of the invoice
        """
        base_lines = []
        for line, share in shares:
            extra = share != 1.0 and self._prorate_taxes_per_unit(line, share)
            base_lines.append(
                self._get_base_line(
                    line,
                    price_unit=line.price_unit * share,
                    extra_tax_data=extra or None,
                )
            )
        self._compute_taxes(base_lines)
        discounts = self._get_discount_base_lines(base_lines, payment_term)
        if discounts:
            self._compute_taxes(base_lines + discounts)
        details = [base_line["tax_details"] for base_line in base_lines]
        untaxed = sum(
            detail["total_excluded_currency"] + detail["delta_total_excluded_currency"]
            for detail in details
        )
        details += [discount["tax_details"] for discount in discounts]
        return untaxed + sum(
            data["tax_amount_currency"]
            for detail in details
            for data in detail["taxes_data"]
        )

    def _get_discount_base_lines(self, base_lines, payment_term):
        """Return what an early payment discount will take off the tax of these lines.

        Only a discount that always reduces the tax does, taken or not.
        """
        term = payment_term.sudo()
        if not term.early_discount or term.early_pay_discount_computation != "mixed":
            return []
        share = term.discount_percentage / 100.0
        amounts = defaultdict(float)
        for base_line in base_lines:
            untaxed = base_line["tax_details"]["total_excluded_currency"]
            taxes = get_discounted_taxes(base_line["tax_ids"])
            amounts[taxes] += base_line["currency_id"].round(untaxed * share)
        return [
            term.env["account.tax"]._prepare_base_line_for_taxes_computation(
                None,
                tax_ids=taxes,
                price_unit=-amount,
                quantity=1.0,
                currency_id=base_lines[0]["currency_id"],
                partner_id=base_lines[0]["partner_id"],
                special_mode="total_excluded",
                special_type="early_payment",
            )
            for taxes, amount in amounts.items()
        ]

    def _get_base_line(self, line, **values):
        """Return the base line for Odoo's tax engine.

        :param line: ``sale.subscription.line``, or a draft ``account.move.line``
        """
        is_draft = line._name == "account.move.line"
        # sudo: prices and taxes only.
        line = line.sudo()
        return line.env["account.tax"]._prepare_base_line_for_taxes_computation(
            None,
            **{
                "product_id": line.product_id,
                "tax_ids": line.tax_ids,
                "price_unit": line.price_unit,
                "quantity": line.quantity if is_draft else line.product_uom_qty,
                "discount": line.discount,
                "currency_id": line.currency_id
                if is_draft
                else self._get_invoice_currency(),
                "partner_id": self.partner_invoice_id or self.partner_id,
                **values,
            },
        )

    def _compute_taxes(self, base_lines):
        """Let Odoo's tax engine compute and round these base lines together."""
        AccountTax = self.env["account.tax"].sudo()
        company = self.company_id.sudo()
        AccountTax._add_tax_details_in_base_lines(base_lines, company)
        AccountTax._round_base_lines_tax_details(base_lines, company)

    def _get_period_anchor(self, day):
        """Return where the billing period that ``day`` is in begins.

        Counted back from the next invoice date, as upstream counts forth from it.
        """
        self.ensure_one()
        count = 0
        anchor = self.recurring_next_date
        while anchor > day:
            count += 1
            anchor = self.recurring_next_date - self._get_recurrence_delta() * count
        return anchor
