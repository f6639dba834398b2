# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Charge days that no regular invoice covers: prorated, stamped, and posted."""

from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.i18n import format_list

from ...arithmetic.proration import (
    Period,
    from_units,
    half_up,
    split_by_billing_period,
    to_units,
)
from ...formatting import format_charged_days, in_language_of
from ..accounting.tax_discount import get_discounted_taxes
from .charge_part import ChargePart


class SaleSubscription(models.Model):
    """Invoice single days at the price of the subscription, by calendar days."""

    _inherit = "sale.subscription"

    def _get_charge_parts(self, lines, period, anchor, charges=None):
        """Return what ``period`` costs, per line and billing period.

        Paused days cost nothing. Days that are charged one after the other cost what
        they would have cost together.

        :param lines: ``sale.subscription.line``
        :param Period period: the days to charge
        :param date anchor: where a billing period begins; not after the first day
        :param dict charges: lists of ``Charge`` by line, what was charged of single
            days before
        :return: list of :class:`ChargePart`, some may come to nothing
        """
        self.ensure_one()
        parts = split_by_billing_period(period, anchor, self._get_recurrence_delta())
        return [
            part
            for line in lines
            if line._get_period_price()
            for days, whole in parts
            for part in self._get_parts_of(line, days, whole, (charges or {}).get(line))
        ]

    def _get_parts_of(self, line, period, whole, charges):
        """Return what days of one billing period cost: all due less what was charged.

        :param list charges: of ``Charge``
        """
        rounding = self._get_invoice_currency().rounding
        net, exact_net = self._get_period_net(line)
        net = to_units(net, rounding)
        days, charged = self._count_charged(net, period, whole, charges or ())
        parts = []
        for own in self._leave_out_pauses(period):
            days += own.days
            units = half_up(net * days, whole.days) - charged
            charged += units
            amount = from_units(units, rounding)
            parts.append(ChargePart(line, own, whole, amount, amount / exact_net))
        return parts

    def _count_charged(self, net, period, whole, charges):
        """Return how many days before ``period`` were charged singly, and at how much.

        Where they cost more or less than rounding explains, the price was another one:
        those have nothing to do with what comes.
        """
        earlier = sorted(
            (
                charge
                for charge in charges
                if whole.start <= charge.period.start
                and charge.period.end <= period.start
            ),
            key=lambda charge: charge.period,
        )
        for number, first in enumerate(earlier):
            due = self._leave_out_pauses(Period(first.period.start, period.start))
            days = sum(part.days for part in due)
            charged = sum(charge.units for charge in earlier[number:])
            difference = abs(half_up(net * days, whole.days) - charged)
            if 2 * difference <= len(earlier[number:]) + 1:
                return days, charged
        return 0, 0

    def _get_period_net(self, line):
        """Return what one billing period of a line costs without tax.

        :param line: ``sale.subscription.line``, or the ``sale.order.line`` that sold it
        :return: tuple of that as it is booked, and as it is before it is rounded
        """
        price = line.price_unit * self._get_quantity(line)
        price *= 1 - (line.discount or 0.0) / 100.0
        # sudo: whoever charges need not be allowed to read taxes.
        taxes = line.sudo().tax_ids.flatten_taxes_hierarchy()
        if not any(taxes.mapped("price_include")):
            return price, price
        base_line = self._get_base_line(line)
        self._compute_taxes([base_line])
        details = base_line["tax_details"]
        booked = details["total_excluded_currency"]
        booked += details["delta_total_excluded_currency"]
        return booked, details["raw_total_excluded_currency"]

    def _filter_charged(self, parts):
        """Return the parts that an invoice is made of: none for less than a cent.

        What rounding leaves to a rebate alone is charged with the days to come.
        """
        due = [part for part in parts if part.amount]
        total = sum(part.total for part in due)
        rounding = self._get_charge_currency(parts).rounding
        is_rounding = -len(parts) * rounding <= total <= rounding / 2
        is_sale = any(part.line._get_period_price() > 0 for part in parts)
        return [] if is_rounding and is_sale else due

    def _get_charge_currency(self, parts):
        """Return the currency that these parts are invoiced in.

        That of the order that sold the days, which may not be that of upstream's
        invoices.
        """
        for part in parts:
            if part.order_line:
                return part.order_line.currency_id
        return self._get_invoice_currency()

    def _split_by_currency(self, parts):
        """Return these parts in lists that can be on one invoice."""
        by_currency = defaultdict(list)
        for part in parts:
            by_currency[self._get_charge_currency([part])].append(part)
        return list(by_currency.values())

    def _format_charge_total(self, parts):
        """Return what these parts come to with tax, in words: a sum per currency."""
        return format_list(
            self.env,
            [
                self._get_charge_currency(own).format(self._get_charge_total(own))
                for own in self._split_by_currency(parts)
            ],
        )

    def _charge_days(self, parts, source):
        """Create and post the invoices of these parts, one per currency.

        None where there is nothing to charge.

        :param list parts: of :class:`ChargePart`
        :param source: the ``subscription.cancellation``, or the pause, that made the
            charge necessary
        """
        AccountMove = source.env["account.move"].with_company(self.company_id)
        return AccountMove.union(
            *(
                self._charge_together(own, source, AccountMove)
                for own in self._split_by_currency(parts)
            )
        )

    def _charge_together(self, parts, source, AccountMove):
        self.ensure_one()
        parts = self._filter_charged(parts)
        if not parts:
            return AccountMove
        self._check_charge_not_negative(parts)
        invoice = AccountMove._create_or_explain(
            {
                **self.with_company(self.company_id)._prepare_account_move(
                    [Command.create(line) for line in self._prepare_charge_lines(parts)]
                ),
                "move_type": "out_invoice",
                **source._prepare_link(),
                "currency_id": self._get_charge_currency(parts).id,
                "invoice_date": self._today(),
                "ref": source.name,
            }
        )
        invoice.date = invoice._get_first_open_day(invoice.invoice_date)
        invoice._post_or_explain()
        return invoice

    def _check_can_invoice(self):
        """Raise where the company has no journal to invoice in: no chart of accounts.

        Odoo would say so only when the invoice is made.
        """
        # sudo: whether there is one; who cancels need not be allowed to read journals.
        journals = self.env["account.journal"].sudo()
        known = [
            *journals._check_company_domain(self.company_id),
            ("type", "=", "sale"),
        ]
        if self.journal_id or journals.search_count(known, limit=1):
            return
        raise UserError(
            self.env._(
                "Subscription %(name)s has days that are not invoiced yet, and company "
                "%(company)s has no chart of accounts to invoice them in. Install one "
                "in the settings of Invoicing (Fiscal Localization), or drop what is "
                "not billed.",
                name=self.display_name,
                company=self.company_id.display_name,
            )
        )

    def _check_charge_not_negative(self, parts):
        """Raise where rebates that go on exceed the lines that go on with them."""
        if sum(part.total for part in parts) < 0:
            raise UserError(
                self.env._(
                    "A rebate cannot go on alone (%(lines)s of subscription %(name)s): "
                    "that would be an invoice of a negative amount. Change the lines "
                    "that it belongs to with it.",
                    lines=", ".join({part.line.name for part in parts}),
                    name=self.display_name,
                )
            )

    def _prepare_charge_lines(self, parts):
        """Return the invoice lines of these parts, and of the discounts of orders."""
        sold, values = self.env["sale.order.line"], []
        for part in parts:
            line = self._prepare_charge_line(part)
            values.append({**line, **part._prepare_order_values()})
            sold = part.order_line.union(sold) if part.order_line else sold
        for discount, units in self._get_charged_discounts(parts).items():
            reduced = sold & discount.order_id.order_line
            values.append(discount._prepare_charged_discount(reduced, units))
        return values

    def _get_charged_discounts(self, parts):
        """Return what each discount of orders takes off these, in currency units."""
        taken = defaultdict(int)
        for part in parts:
            for discount, units in part.discounts:
                taken[discount] += units
        return {discount: units for discount, units in taken.items() if units}

    def _prepare_charge_line(self, part):
        """Return the invoice line of one part: upstream's, at the prorated price."""
        line = part.line.with_company(self.company_id)
        env = in_language_of(self.env, self.partner_id)
        text = format_charged_days(env, part.period, part.billing_period.days)
        return {
            **line._prepare_account_move_line(),
            "name": f"{line.name or ''}\n{text}".strip(),
            "price_unit": part.priced.price_unit * part.share,
            "extra_tax_data": self._prorate_taxes_per_unit(part.priced, part.share),
            "start_date": part.period.start,
            "end_date": part.period.last_day,
        }

    def _prorate_taxes_per_unit(self, line, share, quantity=None):
        """Return ``extra_tax_data`` with taxes of a fixed amount per unit prorated.

        The price carries the proration, as Odoo rounds quantities; such taxes follow
        the quantity, so that they have to be told.

        :param line: ``sale.subscription.line``, or a draft ``account.move.line``
        :param float share: of the price of a whole period
        :param float quantity: of the line; absent: all that is charged of it
        :return: ``False`` where there is no such tax
        """
        taxes = line.tax_ids.flatten_taxes_hierarchy()
        if "fixed" not in taxes.mapped("amount_type"):
            return False
        base_line = self._get_base_line(line)
        if quantity is not None:
            base_line["quantity"] = quantity
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
        shares = [(part.priced, part.share) for part in parts]
        shares += [
            (discount, units / discount._as_priced().units)
            for discount, units in self._get_charged_discounts(parts).items()
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
        return sum(self._compute_document(base_lines, payment_term))

    def _compute_document(self, base_lines, payment_term):
        """Return what a document of these base lines comes to: without tax, and tax.

        :param payment_term: ``account.payment.term`` of the document
        """
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
        return untaxed, sum(
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

        :param line: ``sale.subscription.line``, the ``sale.order.line`` that sold it,
            or a draft ``account.move.line``
        """
        quantity = self._get_quantity(line)
        # sudo: prices and taxes only.
        line = line.sudo()
        return line.env["account.tax"]._prepare_base_line_for_taxes_computation(
            None,
            **{
                "product_id": line.product_id,
                "tax_ids": line.tax_ids,
                "price_unit": line.price_unit,
                "quantity": quantity,
                "discount": line.discount,
                "currency_id": self._get_invoice_currency()
                if line._name == "sale.subscription.line"
                else line.currency_id,
                "partner_id": self.partner_invoice_id or self.partner_id,
                **values,
            },
        )

    def _get_quantity(self, line):
        """Return the quantity that is charged of a line of any kind."""
        if line._name == "account.move.line":
            return line.quantity
        if line._name == "sale.order.line":
            # sudo: products and deliveries only.
            return line.sudo()._get_charged_quantity()
        return line.product_uom_qty

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
