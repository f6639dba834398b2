# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..formatting import format_day
from ..invoice_book import InvoiceBook
from ..proration import (
    Period,
    creditable,
    credited_period,
    from_units,
    latest_period_start,
)
from ..tax_discount import get_discounted_taxes


class CreditScope(NamedTuple):
    """What to credit: the lines that end, their date, and how."""

    lines: models.BaseModel
    effective_date: object
    refund_mode: str
    #: Invoices of extra days that are taken back before anything is credited.
    taken_back: object = ()
    #: Only billed periods that begin on the date or later.
    only_advance: bool = False


class SubscriptionCancellationLine(models.Model):
    """What one cancelled line gets credited on one invoice line.

    While a cancellation is only planned there is one row per subscription line,
    without amounts; executing it replaces them by one row per billed invoice line.
    """

    _name = "subscription.cancellation.line"
    _description = "Subscription Cancellation Line"
    _order = "cancellation_id, id"
    _check_company_auto = True

    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation",
        required=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="cancellation_id.company_id", store=True)
    subscription_line_id = fields.Many2one(
        comodel_name="sale.subscription.line",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        context={"active_test": False},
    )
    is_cascaded = fields.Boolean(
        string="Ends With Its Parent",
        help="The line was not chosen; it ends because the line it is an add-on of "
        "does.",
    )
    is_open = fields.Boolean(related="cancellation_id.is_open", store=True)
    origin_line_id = fields.Many2one(
        comodel_name="account.move.line",
        string="Invoice Line",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    origin_move_id = fields.Many2one(related="origin_line_id.move_id", string="Invoice")
    period_start = fields.Date(string="Billed From")
    period_end = fields.Date(
        string="Billed Until", help="Last day of the billed period."
    )
    period_days = fields.Integer(string="Billed Days")
    unused_days = fields.Integer()
    served_days = fields.Integer(compute="_compute_served_days")
    credit_start = fields.Date(string="Credited From")
    credit_end = fields.Date(
        string="Credited Until",
        help="Last day that is credited: what an earlier credit memo has credited is "
        "left out.",
    )
    currency_id = fields.Many2one(comodel_name="res.currency", required=True)
    credit_untaxed = fields.Monetary(string="Credit (Untaxed)")
    credit_rounding = fields.Monetary(
        help="The part of the untaxed credit that takes the cash rounding of the "
        "invoice back."
    )
    credit_tax = fields.Monetary(string="Credit (Tax)")
    credit_total = fields.Monetary(
        string="Credit (Total)", compute="_compute_credit_total"
    )
    reduces_invoice = fields.Monetary(
        help="The part of the credit that reduces what was due on its invoice.",
    )
    tax_data = fields.Json(
        help="The exact tax amounts for the credit memo line, in the form of Odoo's "
        "own extra_tax_data.",
    )
    discount_data = fields.Json(
        help="What an early payment discount takes off the base of the taxes, and the "
        "exact tax amounts of that, in the same form.",
    )

    _open_line_uniq = models.UniqueIndex(
        "(subscription_line_id) WHERE is_open AND origin_line_id IS NULL",
        "This subscription line already has a scheduled cancellation. Revoke that one "
        "first.",
    )

    @api.depends("period_days", "unused_days")
    def _compute_served_days(self):
        for line in self:
            line.served_days = line.period_days - line.unused_days

    @api.depends("credit_untaxed", "credit_tax")
    def _compute_credit_total(self):
        for line in self:
            line.credit_total = line.credit_untaxed + line.credit_tax

    # === LEDGER: WHAT CAN BE CREDITED === #

    @api.model
    def _compute_rows(self, scopes):
        """Return the rows of each scope, with the amounts that are creditable now.

        Set-based: the number of queries depends neither on the number of scopes nor
        on the number of lines.

        :param list[CreditScope] scopes: line sets that do not overlap
        :return: for each scope a list of values of this model, ``is_cascaded`` and
            ``cancellation_id`` left to the caller
        """
        ledger = self._read_ledger(scopes)
        rows_by_scope = [self._compute_scope_rows(scope, ledger) for scope in scopes]
        credited = [row for rows in rows_by_scope for row in rows if row["_units"]]
        books = self._read_invoice_books(credited)
        for rows in rows_by_scope:
            by_invoice = defaultdict(list)
            for row in rows:
                if row["_units"]:
                    by_invoice[row["_origin"].move_id].append(row)
            for invoice, invoice_rows in by_invoice.items():
                books[invoice].settle(invoice_rows)
                self._check_not_negative(invoice, invoice_rows)
        return [[self._finish_row(row) for row in rows] for rows in rows_by_scope]

    @api.model
    def _read_ledger(self, scopes):
        """Return per subscription line its posted invoice lines, and their credits."""
        lines = self.env["sale.subscription.line"].union(
            *(scope.lines for scope in scopes if scope.refund_mode != "none")
        )
        # sudo: who cancels need not be allowed to read journal items.
        AccountMoveLine = self.env["account.move.line"].sudo()
        debits = AccountMoveLine._search_billed(lines)
        refunds = AccountMoveLine._search_credits(debits)
        return {
            "debits": debits.grouped("subscription_line_id"),
            "credits": refunds.grouped("origin_line_id"),
        }

    @api.model
    def _compute_scope_rows(self, scope, ledger):
        """Return the rows of one scope; a line that gets no credit has one too."""
        rows = []
        for line in scope.lines:
            debits = [
                debit
                for debit in ledger["debits"].get(line.sudo(), [])
                if debit.move_id not in scope.taken_back
            ]
            billed = self._compute_line_rows(line, debits, scope, ledger["credits"])
            rows += billed or [self._prepare_row(line, scope)]
        return rows

    @api.model
    def _compute_line_rows(self, line, debits, scope, credits_by_debit):
        """Return one row per billed period of ``line`` that has unused days."""
        is_full = scope.refund_mode == "full"
        periods = [debit._get_service_period() for debit in debits]
        first_start = latest_period_start(periods, scope.effective_date)
        rows = []
        for debit, period in zip(debits, periods, strict=True):
            unused_days = period.days_from(scope.effective_date)
            if not (period.start >= first_start if is_full else unused_days):
                continue
            if scope.only_advance and period.start < scope.effective_date:
                continue
            refunds = credits_by_debit.get(debit, debit.browse())
            charges = (
                debit._as_charge(),
                [refund._as_charge() for refund in refunds],
                None if is_full else scope.effective_date,
            )
            row = self._prepare_row(line, scope, debit, period, creditable(*charges))
            credited = credited_period(*charges)
            row.update(credit_start=credited.start, credit_end=credited.last_day)
            rows.append(row)
        return rows

    @api.model
    def _prepare_row(self, line, scope, origin=None, period=None, units=0):
        """Return the values of one row; keys with an underscore are for this class."""
        # sudo: as in _read_ledger.
        currency = (
            origin.currency_id
            if origin
            else line.sudo().sale_subscription_id._get_invoice_currency()
        )
        return {
            "subscription_line_id": line.id,
            "origin_line_id": origin.id if origin else False,
            "period_start": period.start if period else False,
            "period_end": period.last_day if period else False,
            "period_days": period.days if period else 0,
            "unused_days": period.days_from(scope.effective_date) if period else 0,
            "credit_start": False,
            "credit_end": False,
            "currency_id": currency.id,
            "tax_data": False,
            "discount_data": False,
            "_origin": origin,
            "_units": units,
            "_tax_units": 0,
            "_discount_units": 0,
            "_rounding_units": 0,
            "_reducing_units": 0,
        }

    @api.model
    def _read_invoice_books(self, rows):
        """Return an :class:`InvoiceBook` per invoice that ``rows`` credit."""
        AccountMoveLine = self.env["account.move.line"].sudo()
        invoices = AccountMoveLine.union(*(row["_origin"] for row in rows)).move_id
        refunds = invoices._search_credit_memos()
        items = AccountMoveLine.search_fetch(
            [
                ("move_id", "in", (invoices | refunds).ids),
                ("display_type", "in", ("product", "tax", "epd", "rounding")),
            ],
            [
                "move_id",
                "display_type",
                "tax_line_id",
                "tax_repartition_line_id",
                "amount_currency",
                "price_subtotal",
                "quantity",
                "tax_ids",
            ],
        ).grouped("move_id")
        refunds_by_invoice = refunds.grouped("reversed_entry_id")
        books = {}
        for invoice in invoices:
            memos = refunds_by_invoice.get(invoice, refunds.browse())
            memo_items = AccountMoveLine.union(*(items[memo] for memo in memos))
            books[invoice] = InvoiceBook(invoice, items[invoice], memos, memo_items)
        return books

    @api.model
    def _check_not_negative(self, invoice, rows):
        """Raise where rebates that end exceed the lines that end with them."""
        if sum(row["_units"] for row in rows) >= 0:
            return
        lines = self.env["sale.subscription.line"].browse(
            row["subscription_line_id"] for row in rows if row["_units"] < 0
        )
        raise UserError(
            self.env._(
                "“%(line)s” has a negative price, so its unused days on %(invoice)s "
                "would be charged, not credited. Deactivate it together with the line "
                "that it reduces, or choose No Refund.",
                line=lines[0].name,
                invoice=invoice.name,
            )
        )

    @api.model
    def _finish_row(self, row):
        """Turn the units of a row into amounts and drop the working keys."""
        currency = self.env["res.currency"].browse(row["currency_id"])
        untaxed = row["_units"] + row["_rounding_units"]
        amounts = {
            "credit_untaxed": from_units(untaxed, currency.rounding),
            "credit_rounding": from_units(row["_rounding_units"], currency.rounding),
            "credit_tax": from_units(row["_tax_units"], currency.rounding),
            "reduces_invoice": from_units(row["_reducing_units"], currency.rounding),
        }
        values = {key: value for key, value in row.items() if key[0] != "_"}
        return {**values, **amounts}

    def _are_as_planned(self, rows):
        """Return whether nothing is credited, and rows have what is planned in these.

        :param list rows: values, as of :meth:`_compute_rows`
        """
        if any(row["origin_line_id"] for row in rows):
            return False
        names = ("subscription_line_id", "is_cascaded", "currency_id", "origin_line_id")
        planned = [tuple(int(row[name]) for name in names) for row in self]
        return sorted(planned) == sorted(
            tuple(int(row[name]) for name in names) for row in rows
        )

    # === CREDIT MEMOS === #

    def _create_credit_memos(self):
        """Create the credit memos of these rows, one per invoice, as drafts.

        :return: ``account.move``
        """
        parts = [
            (cancellation, invoice, lines)
            for cancellation, rows in self.grouped("cancellation_id").items()
            for invoice, lines in rows._get_lines_to_credit().items()
        ]
        AccountMove = self.env["account.move"]
        invoices = AccountMove.union(*(invoice for _, invoice, _ in parts))
        invoices._check_can_credit()
        # Whether they affect the tax report is asked of one after the other.
        invoices.line_ids.fetch(["tax_ids"])
        credit_memos = AccountMove.create(
            [
                cancellation._prepare_credit_note(invoice, lines)
                for cancellation, invoice, lines in parts
            ]
        )
        credit_memos._take_receivable_account()
        return credit_memos

    def _get_lines_to_credit(self):
        """Return the rows of ``self`` by invoice, where a credit memo is due."""
        by_invoice = self.filtered("credit_untaxed").grouped("origin_move_id")
        return {
            invoice: lines
            for invoice, lines in by_invoice.items()
            if invoice.currency_id.compare_amounts(
                sum(lines.mapped("credit_total")), 0.0
            )
            > 0
        }

    def _prepare_credit_memo_lines(self):
        """Return the invoice line commands of a credit memo for these rows."""
        return [Command.create(line._prepare_credit_memo_line()) for line in self]

    def _prepare_credit_memo_line(self):
        """Return one credit memo line: the origin line at the prorated price.

        The price carries the proration, because Odoo rounds quantities.
        """
        self.ensure_one()
        origin = self.origin_line_id
        price_unit = self._get_credit_price_unit()
        period = self._get_credited_period()
        return {
            "origin_line_id": origin.id,
            "subscription_line_id": self.subscription_line_id.id,
            "product_id": origin.product_id.id,
            "name": self._get_credit_memo_line_name(),
            "account_id": origin.account_id.id,
            "quantity": origin.quantity,
            "product_uom_id": origin.product_uom_id.id,
            "price_unit": price_unit,
            "discount": origin.discount,
            "tax_ids": [Command.set(origin.tax_ids.ids)],
            "analytic_distribution": origin.analytic_distribution,
            "extra_tax_data": self.tax_data
            and {**self.tax_data, "price_unit": price_unit},
            "start_date": period.start,
            "end_date": period.last_day,
        }

    def _prepare_added_items(self):
        """Return the commands of the items that take back what Odoo added by itself.

        These are early payment discounts and cash rounding.
        """
        discounts = self.filtered("discount_data")
        rounded = self.filtered("credit_rounding")
        return [
            *(
                Command.create(item)
                for line in discounts
                for item in line._prepare_discount_pair()
            ),
            *(Command.create(line._prepare_rounding_item()) for line in rounded),
        ]

    def _prepare_discount_pair(self):
        """Return the two items by which Odoo reduces the base of the taxes only.

        Made here, not by the payment term of the invoice: that would also set due
        dates, and may be another one today.
        """
        origin = self.origin_line_id
        amount = self.discount_data["price_unit"]
        balance = self._get_credit_balance(amount)
        pair = {
            "display_type": "epd",
            "name": self.origin_move_id._get_added_items("epd")[:1].name,
            "account_id": origin.account_id.id,
        }
        return [
            {
                **pair,
                "amount_currency": amount,
                "balance": balance,
                "tax_ids": [Command.set(get_discounted_taxes(origin.tax_ids).ids)],
                "analytic_distribution": origin.analytic_distribution,
                "extra_tax_data": self.discount_data,
            },
            {
                **pair,
                "amount_currency": -amount,
                "balance": -balance,
                "tax_ids": [Command.clear()],
            },
        ]

    def _prepare_rounding_item(self):
        """Return the item that takes back the cash rounding of the invoice.

        Made here, too: a rounding of the credit memo may be another amount.
        """
        item = self.origin_move_id._get_added_items("rounding")[:1]
        return {
            "display_type": "rounding",
            "name": item.name,
            "account_id": item.account_id.id,
            "amount_currency": self.credit_rounding,
            "balance": self._get_credit_balance(self.credit_rounding),
            "tax_ids": [Command.clear()],
        }

    def _get_credit_balance(self, amount):
        """Return an amount in the company's currency, at the rate of the invoice."""
        rate = self.origin_move_id.invoice_currency_rate
        return self.company_id.currency_id.round(amount / rate)

    def _get_credit_price_unit(self):
        """Return the unit price that makes the line's untaxed amount exact."""
        origin = self.origin_line_id
        untaxed = self.currency_id.round(self.credit_untaxed - self.credit_rounding)
        if any(origin.tax_ids.flatten_taxes_hierarchy().mapped("price_include")):
            # The untaxed amount itself is pinned by ``tax_data``.
            return origin.price_unit * untaxed / origin.price_subtotal
        return untaxed / (origin.quantity * (1 - (origin.discount or 0.0) / 100.0))

    def _get_credited_period(self):
        """Return the days this row credits."""
        self.ensure_one()
        return Period.from_inclusive(self.credit_start, self.credit_end)

    def _get_credit_memo_line_name(self):
        """Return the line's text, in the customer's language."""
        self.ensure_one()
        env = self.with_context(
            lang=self.origin_move_id.partner_id.lang or self.env.lang
        ).env
        period = self._get_credited_period()
        text = env._(
            "Credit for %(first)s – %(last)s (%(days)s of %(total)s days)",
            first=format_day(env, period.start),
            last=format_day(env, period.last_day),
            days=period.days,
            total=self.period_days,
        )
        return f"{self.origin_line_id.name or ''}\n{text}".strip()

    # === RIGHTS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.cancellation_id._check_not_final()
        return lines

    def write(self, vals):
        self.cancellation_id._check_not_final(vals.keys())
        result = super().write(vals)
        # Nor may a line be moved into a finished one.
        self.cancellation_id._check_not_final(vals.keys())
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_final(self):
        self.cancellation_id._check_not_final()

    def _raise_already_cancelled(self):
        """Say that the line already ends, no later than it would now."""
        self.ensure_one()
        raise UserError(
            self.env._(
                "“%(line)s” is already cancelled: service ends on %(date)s "
                "(%(cancellation)s). Revoke that cancellation first.",
                line=self.subscription_line_id.name,
                date=format_day(self.env, self.cancellation_id.last_service_date),
                cancellation=self.cancellation_id.name,
            )
        )

    def _raise_not_replaced(self):
        """Say that what waits for approval does not replace another cancellation."""
        self.ensure_one()
        raise UserError(
            self.env._(
                "“%(line)s” already has a cancellation (%(cancellation)s), which one "
                "that needs approval cannot replace. Revoke that one first.",
                line=self.subscription_line_id.name,
                cancellation=self.cancellation_id.name,
            )
        )

    # === OUTPUT === #

    def _get_telling(self):
        """Return these without zeros of lines that are credited in another row."""
        credited = self.filtered("credit_untaxed").subscription_line_id
        return self.filtered(
            lambda row: row.credit_untaxed or row.subscription_line_id not in credited
        )

    def _as_dict(self):
        """Return the public form of a row (contract)."""
        self.ensure_one()
        # sudo: the number of the invoice only.
        invoice = self.sudo().origin_move_id
        return {
            "subscription_line_id": self.subscription_line_id.id,
            "name": self.subscription_line_id.name,
            "cascaded": self.is_cascaded,
            "invoice": invoice.name or False,
            "period_start": fields.Date.to_string(self.period_start) or False,
            "period_end": fields.Date.to_string(self.period_end) or False,
            "period_days": self.period_days,
            "unused_days": self.unused_days,
            "credit_untaxed": self.currency_id.round(self.credit_untaxed),
            "credit_tax": self.currency_id.round(self.credit_tax),
        }
