# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...arithmetic.proration import ONE_DAY, Charge, Period, get_uncovered
from ...const import PAID
from .invoice_lines import InvoiceLines

#: What makes an invoice line bill days of a subscription line.
STAMP = {"subscription_line_id", "start_date", "end_date"}


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    subscription_line_id = fields.Many2one(
        comodel_name="sale.subscription.line",
        index="btree_not_null",
        ondelete="restrict",
        # A copied document is nobody's: see account_move_copy.py.
        copy=False,
        context={"active_test": False},
        tracking=True,
        help="The subscription line billed, or credited, by this line.",
    )
    # The document tells what of its lines was changed since it was posted.
    origin_line_id = fields.Many2one(tracking=True)
    start_date = fields.Date(tracking=True)
    end_date = fields.Date(tracking=True)

    # === LEDGER === #

    @api.model
    def _search_billed(self, subscription_lines):
        """Return the posted invoice lines that billed these subscription lines.

        :raise UserError: it is not known which days one of them bills
        """
        billed = self._search_debits(subscription_lines)
        billed._check_periods()
        return billed

    @api.model
    def _search_debits(self, subscription_lines):
        """Return the same, those included of which the days are not known."""
        # With all fields, which the taxes of a credit are computed from.
        billed = self.search_fetch(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "=", "posted"),
                ("move_id.move_type", "=", "out_invoice"),
                ("amount_currency", "!=", 0.0),
            ],
            order="start_date, id",
        )._without_strangers()
        return billed._without_take_backs() - billed._filter_reductions()

    def _filter_reductions(self):
        """Return those of these invoice lines that take back what was billed before.

        Such is a line of an order whose quantity was lowered, beside something new. Of
        a line that is sold at a negative price, a rebate, they are charges.
        """
        negative = self.filtered(
            lambda item: (
                item.move_id.move_type == "out_invoice"
                and item.subscription_line_id
                and item.amount_currency > 0
            )
        )
        return negative.filtered(
            lambda item: not item.subscription_line_id._is_rebate()
        )

    def _get_credited_units(self):
        """Return what this takes off what was billed: on a credit memo or not."""
        is_memo = self.move_id.move_type == "out_refund"
        return self._get_booked_units() * (1 if is_memo else -1)

    @api.model
    def _map_billed_from(self, subscription_lines, day):
        """Return the last day, by posted line, that is billed of these from a day on.

        Where it is paid, or wholly for later days. Not what a cancellation, or a pause,
        has credited; nor what is free.
        """
        items = self.search(
            self._get_billed_domain(subscription_lines)
            & Domain("parent_state", "=", "posted")
            & Domain("end_date", ">=", day)
            & Domain("amount_currency", "<", 0.0)
        )
        items = items.filtered(
            lambda item: item.start_date >= day or item.move_id.payment_state in PAID
        )
        billed = items._without_strangers()._without_take_backs()._filter_standing()
        by_origin = self._search_credits(billed).grouped("origin_line_id")
        last_days = {}
        for item in billed:
            period = Period(max(day, item.start_date), item.end_date + ONE_DAY)
            credited = [
                (credit._get_service_period(), 1)
                for credit in by_origin.get(item, ())
                if credit.move_id._get_credit_source()
            ]
            if left := get_uncovered(period, credited):
                last_days[item] = left[-1].last_day
        return last_days

    def _without_take_backs(self):
        """Return those of these but what only takes credit memos back."""
        memos = self.move_id.reversed_entry_id
        take_backs = memos.browse().union(*memos._map_take_backs().values())
        return self.filtered(lambda item: item.move_id not in take_backs)

    def _has_period(self):
        """Return whether it is known which days this line is for."""
        start, end = self.start_date, self.end_date
        return bool(start and end and start <= end)

    def _check_periods(self):
        """Raise where one of these bills no period: its days would not be credited."""
        for item in self:
            if not item._has_period():
                raise UserError(
                    self.env._(
                        "Invoice %(invoice)s bills “%(line)s” without a period. Enter "
                        "its first and last day under Invoicing > Customers > Invoice "
                        "Lines Not Linked.",
                        invoice=item.move_id.name,
                        line=item.name,
                    )
                )

    @api.model
    def _search_credits(self, debits):
        """Return the credit lines, drafts included, that credit these lines.

        Not those of credit memos that were taken back.
        """
        items = self._search_all_credits(debits)
        taken_back = items.move_id._map_take_backs()
        return items.filtered(lambda item: item.move_id not in taken_back)

    @api.model
    def _search_all_credits(self, debits):
        """Return the same with what was taken back."""
        return self.search_fetch(
            [
                ("origin_line_id", "in", debits.ids),
                ("parent_state", "in", ("draft", "posted")),
                ("move_id.move_type", "=", "out_refund"),
            ],
            [
                "origin_line_id",
                "discounted_line_id",
                "start_date",
                "end_date",
                "amount_currency",
            ],
        )

    @api.model
    def _get_billed_domain(self, subscription_lines):
        """Return the invoice lines that billed these lines, drafts included."""
        return Domain(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "!=", "cancel"),
                ("move_id.move_type", "=", "out_invoice"),
                ("end_date", "!=", False),
            ]
        )

    @api.model
    def _map_billed_until(self, subscription_lines, ignored=()):
        """Return the first day that is not billed, by id of the subscription line.

        Invoices of extra days that were taken back do not count.

        :param ignored: ``account.move``, invoices that do not count either
        """
        groups = self._read_group(
            self._get_billed_domain(subscription_lines)
            & Domain("move_id", "not in", [move.id for move in ignored])
            & Domain("move_id.is_taken_back", "=", False),
            ["subscription_line_id"],
            ["end_date:max"],
        )
        return {line.id: last_day + ONE_DAY for line, last_day in groups}

    @api.model
    def _map_charges(self, subscription_lines, ignored=()):
        """Return what cancellations charged of single days, by subscription line.

        Not what was taken back, nor what only takes a credit back.

        :param ignored: ``account.move``, invoices that do not count either
        :return: dict of lists of ``Charge``
        """
        items = self.search(
            self._get_billed_domain(subscription_lines)
            & Domain("move_id", "not in", [move.id for move in ignored])
            & Domain("move_id.is_taken_back", "=", False)
            & Domain("move_id.cancellation_id", "!=", False)
            & Domain("move_id.reversed_entry_id", "=", False)
        )
        return {
            line.with_env(subscription_lines.env): [item._as_charge() for item in own]
            for line, own in items.grouped("subscription_line_id").items()
        }

    @api.model
    def _get_regularly_billed_until(self, subscription_lines):
        """Return the first day that no regular invoice bills, ``None`` without one."""
        regular = Domain("move_id.cancellation_id", "=", False)
        domain = self._get_billed_domain(subscription_lines) & regular
        [(last_day,)] = self._read_group(domain, [], ["end_date:max"])
        return last_day and last_day + ONE_DAY

    @api.model
    def _search_drafts(self, subscription_lines):
        """Return the draft invoice lines that bill these subscription lines."""
        drafts = self.search(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "=", "draft"),
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.cancellation_id", "=", False),
                ("start_date", "!=", False),
            ],
            order="id",
        )._without_strangers()
        return drafts - drafts._filter_reductions()

    def _filter_sharing(self):
        """Return those of these that are on a document with other products, too.

        What only takes something off them, or deducts what was paid, is no other.
        """
        return self.browse().union(
            *(
                items
                for move, items in self.grouped("move_id").items()
                if (lines := InvoiceLines(move._get_product_lines())).items
                - lines.discounts
                - lines.down_payments
                - self
            )
        )

    def _take_off_drafts(self):
        """Take these off drafts that go on, and what discounts took off them.

        A down payment that takes more than is left goes back to its order: a negative
        invoice cannot be posted, and *Create Invoice* gives it back.
        """
        moves = self.move_id
        for move, items in self.grouped("move_id").items():
            lines = InvoiceLines(move._get_product_lines())
            kept = lines.get_parts_of_discounts(
                dict.fromkeys(lines.items - items, (1, 1))
            )
            items.unlink()
            for discount in lines.discounts:
                if discount in kept:
                    discount.price_unit *= kept[discount]
                else:
                    discount.unlink()
        negative = moves.filtered(lambda move: move.amount_total < 0)
        InvoiceLines(negative._get_product_lines()).down_payments.unlink()

    def _get_covered_periods(self):
        """Return what posted invoices bill of the subscription lines of these drafts.

        Not what a cancellation, or a pause, has credited.

        :return: by subscription line, lists of ``Period`` and what it adds: 1, or -1
            for a credit
        """
        billed = self._search_billed(self.subscription_line_id)._filter_standing()
        credit_items = self._search_credits(billed).filtered(
            lambda item: item.move_id._get_credit_source()
        )
        covers = defaultdict(list)
        for line, period, count in (billed | credit_items)._get_covers():
            covers[line].append((period, count))
        return covers

    def _get_covers(self):
        """Return which days these bill, and which cancellations or pauses credit.

        A credit, and what takes it back, may be split into several documents: for the
        invoice and for its down payments. Shares of discounts add nothing.

        :return: list of ``sale.subscription.line``, ``Period`` and 1 or -1
        """
        covers, seen = [], set()
        for item in self.filtered(lambda item: not item.discounted_line_id):
            move, period = item.move_id, item._get_service_period()
            line = item.subscription_line_id or item.origin_line_id.subscription_line_id
            cover = (line, period, 1 if move.move_type == "out_invoice" else -1)
            source = move._get_credit_source()
            if source and (cover[2] < 0 or move.reversed_entry_id):
                if (source, cover) in seen:
                    continue
                seen.add((source, cover))
            covers.append(cover)
        return covers

    def _filter_standing(self):
        """Return those of these whose invoice was not taken back as a whole."""
        invoices = self.move_id._filter_standing()
        return self.filtered(lambda item: item.move_id in invoices)

    def _get_ends_of_billed_days(self):
        """Return, for each of these that stands, the first day that is not billed.

        That is where a cancellation begins to credit it. What was credited by hand is
        a rebate: the days stay billed.
        """
        billed = self._filter_standing()
        credit_items = self._search_credits(billed).filtered("move_id.cancellation_id")
        by_origin = credit_items.grouped("origin_line_id")
        return [
            min(by_origin[item].mapped("start_date"))
            if item in by_origin
            else item.end_date + ONE_DAY
            for item in billed
        ]

    def _get_service_period(self):
        """Return the days this line is for; a credit line without: its origin's."""
        self.ensure_one()
        line = self if self.start_date else self.origin_line_id
        return Period.from_inclusive(line.start_date, line.end_date)

    def _as_charge(self):
        """Return this line for the ledger: currency units over its days."""
        return Charge(self._get_booked_units(), self._get_service_period())

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if any(vals.get("subscription_line_id") for vals in vals_list):
            lines._note_billed_days()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if STAMP & vals.keys():
            self._note_billed_days()
        return result

    def _note_billed_days(self):
        """Tell subscription lines which of their days are billed.

        A draft that is deleted leaves no other trace.
        """
        for line in self:
            if (
                line.move_id.move_type == "out_invoice"
                and line.subscription_line_id
                and line.start_date
                and line.end_date
            ):
                period = line._get_service_period()
                line.subscription_line_id._note_billed_days(period)

    # === STAMPING === #

    @api.model
    def _get_unlinked_domain(self, states=("posted",)):
        """Return the lines of subscription invoices that bill no known line.

        :param states: of the invoices; a draft is not final and nothing to report
        """
        return [
            ("parent_state", "in", states),
            ("display_type", "=", "product"),
            ("product_id", "!=", False),
            ("move_id.move_type", "=", "out_invoice"),
            ("subscription_line_id", "=", False),
            "|",
            "|",
            ("move_id.subscription_id", "!=", False),
            ("sale_line_ids.order_id.order_subscription_id", "!=", False),
            ("sale_line_ids.order_id.subscription_ids", "!=", False),
        ]

    @api.model
    def action_view_not_linked(self):
        """Open the list of invoice lines that could not be linked."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "subscription_cancellation.account_move_line_unlinked_action"
        )
        without_period = [
            ("parent_state", "=", "posted"),
            ("move_id.move_type", "=", "out_invoice"),
            ("subscription_line_id", "!=", False),
            ("price_subtotal", "!=", 0.0),
            ("start_date", "=", False),
        ]
        strangers = [("id", "in", self._search_strangers().ids)]
        action["domain"] = list(
            Domain(self._get_unlinked_domain())
            | Domain(without_period)
            | Domain(strangers)
        )
        return action
