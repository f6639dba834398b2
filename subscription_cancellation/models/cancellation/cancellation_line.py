# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...arithmetic.proration import Period, from_units
from ...formatting import format_day, format_days, in_language_of
from ...ledger.day_ledger import DayLedger
from ...ledger.invoice_books import InvoiceBooks
from ...ledger.rebates import Rebates
from ..accounting.tax_discount import get_discounted_taxes

#: Units by which a credit may differ from its days, so that an invoice fits.
SMALL_CHANGE = 2


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
        help="Of the company of the subscription, or of one above it.",
    )
    discounted_line_id = fields.Many2one(
        comodel_name="account.move.line",
        string="Discount Of",
        index="btree_not_null",
        ondelete="restrict",
        help="The invoice line whose share of a discount this row is about.",
    )
    paid_move_id = fields.Many2one(
        comodel_name="account.move",
        string="Paid On",
        index="btree_not_null",
        ondelete="restrict",
        help="The invoice that is credited instead, as it took the money: of a down "
        "payment, of what a negative line credits, or what took a credit memo back.",
    )
    origin_move_id = fields.Many2one(
        comodel_name="account.move",
        compute="_compute_origin_move_id",
        compute_sudo=True,
        string="Invoice",
    )
    # Text: lists wrap it.
    label = fields.Text(compute="_compute_label", compute_sudo=True)
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
    left_out = fields.Monetary(
        help="What was billed for unused days and is not credited, without tax."
    )
    left_out_reason = fields.Selection(
        selection=[
            ("credited", "Credited Otherwise"),
            ("gift", "Paid by Gift Card or eWallet"),
            ("down_payment", "Down Payment Not Found"),
        ],
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

    @api.depends("origin_line_id", "paid_move_id")
    def _compute_origin_move_id(self):
        for line in self:
            line.origin_move_id = line.paid_move_id or line.origin_line_id.move_id

    @api.depends("subscription_line_id", "discounted_line_id", "origin_line_id")
    def _compute_label(self):
        for line in self:
            name = line.subscription_line_id.name
            discount = line.discounted_line_id and line.origin_line_id.name
            line.label = f"{name}: {discount}" if discount else name

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
        ended = self.env["sale.subscription.line"].union(
            *(scope.lines for scope in scopes if scope.refund_mode != "none")
        )
        ledger = DayLedger(ended)
        rows_by_scope = [ledger.compute_rows(scope) for scope in scopes]
        for scope, rows in zip(scopes, rows_by_scope, strict=True):
            self._limit_rebates(scope, rows)
            self._check_companies(rows)
        # sudo: as in DayLedger.
        invoices = self.env["account.move"].sudo()
        invoices = invoices.union(
            *(
                row["_origin"].move_id
                for rows in rows_by_scope
                for row in rows
                if row["_units"]
            )
        )
        books = InvoiceBooks(invoices, ledger.invoice_lines, ledger.loose)
        return [
            [self._finish_row(row) for row in self._settle_rows(rows, books)]
            for rows in rows_by_scope
        ]

    @api.model
    def _check_companies(self, rows):
        """Raise where an invoice of another company would be credited."""
        for row in rows:
            if row["_units"]:
                subscription = row["_origin"].subscription_line_id.sale_subscription_id
                subscription._check_invoiced_here(row["_origin"].move_id)

    @api.model
    def _settle_rows(self, rows, books):
        """Return the rows with exact amounts, each on the invoice that it is paid by.

        :param InvoiceBooks books: those of the invoices
        """
        settled = []
        for index, row in enumerate(rows):
            row.update(_index=index, _wanted=row["_units"])
            if not row["_units"]:
                settled.append(row)
        by_invoice = self._group_by_invoice(row for row in rows if row["_units"])
        for invoice, own in by_invoice.items():
            settled += books.settle(invoice, own)
        return sorted(settled, key=lambda row: row["_index"])

    @api.model
    def _group_by_invoice(self, rows):
        """Return the rows, in lists by the invoice that they are billed on."""
        by_invoice = defaultdict(list)
        for row in rows:
            by_invoice[row["_origin"].move_id].append(row)
        return by_invoice

    @api.model
    def _limit_rebates(self, scope, rows):
        """Take rebates back at most by the credit of what they reduce.

        :raise UserError: what they reduce may be a line that goes on
        """
        by_invoice = self._group_by_invoice(row for row in rows if row["_origin"])
        for invoice, invoice_rows in by_invoice.items():
            rebates = Rebates(invoice_rows)
            rebates.limit_linked()
            if sum(row["_units"] for row in invoice_rows) < 0:
                if rebates.free:
                    self._check_not_alone(scope, invoice, rebates.free)
                rebates.limit_free()

    @api.model
    def _check_not_alone(self, scope, invoice, rebates):
        """Raise where rebates end, and lines go on that they may reduce."""
        ending, day = scope.lines, scope.effective_date
        left = ending.sale_subscription_id.sale_subscription_line_ids - ending
        if not left.filtered(
            lambda line: line.price_subtotal > 0 and line._is_billed_from(day)
        ):
            return
        raise UserError(
            self.env._(
                "“%(line)s” has a negative price, so its unused days on %(invoice)s "
                "would be charged, not credited. Deactivate it together with the line "
                "that it reduces, or choose No Refund.",
                line=rebates[0]["_origin"].subscription_line_id.name,
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
            **self._get_left_out(row, currency),
        }
        values = {key: value for key, value in row.items() if key[0] != "_"}
        return {**values, **amounts}

    @api.model
    def _get_left_out(self, row, currency):
        """Return what is not credited although its days are unused, and why not.

        Not the cents by which the last credit of an invoice fits.
        """
        units = row["_wanted"] - row["_units"]
        if abs(units) <= SMALL_CHANGE:
            return {"left_out": 0.0, "left_out_reason": False}
        return {
            "left_out": from_units(units, currency.rounding),
            "left_out_reason": row["_left_out_reason"],
        }

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
        return self._create_memos_of(self.grouped("cancellation_id"))

    @api.model
    def _create_memos_of(self, rows_by_source):
        """Create the credit memos of rows, one per invoice, as drafts.

        :param dict rows_by_source: rows by ``subscription.cancellation``, or by the
            pause (``sale.subscription.pause``) that credits them
        :return: ``account.move``
        """
        parts = [
            (source, invoice, lines)
            for source, rows in rows_by_source.items()
            for invoice, lines in rows._get_lines_to_credit().items()
        ]
        AccountMove = self.env["account.move"]
        invoices = AccountMove.union(*(invoice for _, invoice, _ in parts))
        invoices._check_can_credit()
        # Whether they affect the tax report is asked of one after the other.
        items = invoices.line_ids | invoices.invoice_line_ids
        items.fetch(["tax_ids", "tax_line_id", "tax_tag_ids"])
        credit_memos = AccountMove._create_or_explain(
            [
                source._prepare_credit_note(invoice, lines)
                for source, invoice, lines in parts
            ]
        )
        credit_memos._take_receivable_account()
        credit_memos._take_sales_team()
        return credit_memos

    def _get_lines_to_credit(self):
        """Return the rows of ``self`` by invoice, where a credit memo is due."""
        credited = self.filtered("credit_untaxed")
        # What is read of an invoice is read for all that are cancelled together.
        credited = credited.with_prefetch(self._prefetch_ids)
        return {
            invoice: lines
            for invoice, lines in credited.grouped("origin_move_id").items()
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
            "discounted_line_id": self.discounted_line_id.id,
            "subscription_line_id": origin.subscription_line_id.id,
            **origin._prepare_order_links(),
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
        return self.origin_move_id.company_id.currency_id.round(amount / rate)

    def _get_credit_price_unit(self):
        """Return the unit price that makes the line's untaxed amount exact."""
        origin = self.origin_line_id
        untaxed = self.currency_id.round(self.credit_untaxed - self.credit_rounding)
        if any(origin.tax_ids.flatten_taxes_hierarchy().mapped("price_include")):
            # The untaxed amount itself is pinned by ``tax_data``.
            rounding = self.currency_id.rounding
            booked = from_units(origin._get_booked_units(), rounding)
            return origin.price_unit * untaxed / booked
        return untaxed / (origin.quantity * (1 - (origin.discount or 0.0) / 100.0))

    def _get_credited_period(self):
        """Return the days this row credits."""
        self.ensure_one()
        return Period.from_inclusive(self.credit_start, self.credit_end)

    def _get_credit_memo_line_name(self):
        """Return the line's text, in the customer's language."""
        self.ensure_one()
        env = in_language_of(self.env, self.origin_move_id.partner_id)
        period = self._get_credited_period()
        text = env._(
            "Credit for %(period)s (%(days)s of %(total)s days)",
            period=format_days(env, period.start, period.last_day),
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

    def _as_dicts(self):
        """Return the public form of these: shares of discounts with their line."""
        own = self.filtered(lambda row: not row.discounted_line_id)
        shares = (self - own).grouped(
            lambda row: (row.discounted_line_id, row.origin_move_id)
        )
        return [
            row._as_dict(shares.get((row.origin_line_id, row.origin_move_id), ()))
            for row in own
        ]

    def _as_dict(self, shares=()):
        """Return the public form of a row (contract).

        :param shares: rows of the discounts of its invoice line
        """
        self.ensure_one()
        # sudo: the number of the invoice only.
        invoice = self.sudo().origin_move_id
        rows = self.union(*shares)
        return {
            "subscription_line_id": self.subscription_line_id.id,
            "name": self.subscription_line_id.name,
            "cascaded": self.is_cascaded,
            "invoice": invoice.name or False,
            "period_start": fields.Date.to_string(self.period_start) or False,
            "period_end": fields.Date.to_string(self.period_end) or False,
            "period_days": self.period_days,
            "unused_days": self.unused_days,
            "credit_untaxed": self.currency_id.round(
                sum(rows.mapped("credit_untaxed"))
            ),
            "credit_tax": self.currency_id.round(sum(rows.mapped("credit_tax"))),
        }
