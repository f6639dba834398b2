# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import split_every

from ..period_stamper import PeriodStamper
from ..proration import ONE_DAY, Charge, Period, to_units


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    subscription_line_id = fields.Many2one(
        comodel_name="sale.subscription.line",
        index="btree_not_null",
        ondelete="restrict",
        context={"active_test": False},
        help="The subscription line billed, or credited, by this line.",
    )

    # === LEDGER === #

    @api.model
    def _search_billed(self, subscription_lines):
        """Return the posted invoice lines that billed these subscription lines.

        :raise UserError: it is not known which days one of them bills
        """
        billed = self.search_fetch(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "=", "posted"),
                ("move_id.move_type", "=", "out_invoice"),
                ("price_subtotal", "!=", 0.0),
            ],
            ["subscription_line_id", "start_date", "end_date", "price_subtotal"],
            order="start_date, id",
        )
        billed._check_periods()
        return billed

    def _check_periods(self):
        """Raise where one of these bills no period: its days would not be credited."""
        for item in self:
            start, end = item.start_date, item.end_date
            if not (start and end and start <= end):
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
        """Return the credit lines, drafts included, that credit these lines."""
        return self.search_fetch(
            [
                ("origin_line_id", "in", debits.ids),
                ("parent_state", "in", ("draft", "posted")),
                ("move_id.move_type", "=", "out_refund"),
            ],
            ["origin_line_id", "start_date", "end_date", "price_subtotal"],
        )

    @api.model
    def _get_end_of_billed_period(self, subscription_lines, day):
        """Return the last day of the billed period that ``day`` is in, or ``False``."""
        return self.search(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "=", "posted"),
                ("move_id.move_type", "=", "out_invoice"),
                ("start_date", "<=", day),
                ("end_date", ">=", day),
            ],
            order="end_date desc",
            limit=1,
        ).end_date

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
    def _get_regularly_billed_until(self, subscription_lines):
        """Return the first day that no regular invoice bills, ``None`` without one."""
        regular = Domain("move_id.cancellation_id", "=", False)
        domain = self._get_billed_domain(subscription_lines) & regular
        [(last_day,)] = self._read_group(domain, [], ["end_date:max"])
        return last_day and last_day + ONE_DAY

    @api.model
    def _search_drafts(self, subscription_lines):
        """Return the draft invoice lines that bill these subscription lines."""
        return self.search(
            [
                ("subscription_line_id", "in", subscription_lines.ids),
                ("parent_state", "=", "draft"),
                ("move_id.move_type", "=", "out_invoice"),
                ("move_id.cancellation_id", "=", False),
                ("start_date", "!=", False),
            ],
            order="id",
        )

    def _get_covered_periods(self):
        """Return what posted invoices bill of the subscription lines of these drafts.

        :return: dict of lists of ``Period`` by subscription line
        """
        billed = self._search_billed(self.subscription_line_id)._filter_standing()
        return {
            line: [item._get_service_period() for item in items]
            for line, items in billed.grouped("subscription_line_id").items()
        }

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
        units = to_units(self.price_subtotal, self.currency_id.rounding)
        return Charge(units, self._get_service_period())

    # === STAMPING === #

    def _stamp_subscription_lines(self):
        """Link invoice lines to the subscription line and period they bill.

        Upstream's own invoices are stamped when they are made; this fills in what
        was typed by hand, or made before this addon was installed.

        :return: the lines of these that could not be matched
        """
        missing = self.filtered(
            lambda line: (
                line.display_type == "product"
                and line.product_id
                and not (line.subscription_line_id and line.start_date)
            )
        )
        # sudo: whoever posts an invoice need not be allowed to read subscriptions.
        return PeriodStamper(missing.sudo()).stamp() if missing else missing

    def _get_billed_subscriptions(self):
        """Return the subscriptions that this line's invoice may be billing."""
        self.ensure_one()
        orders = self.sale_line_ids.order_id
        return (
            self.subscription_line_id.sale_subscription_id
            or self.move_id.subscription_id
            or orders.order_subscription_id
            or orders.subscription_ids
        )

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
    def _stamp_existing_invoices(self, batch_size=1000):
        """Stamp every invoice line made before this addon was there, drafts included.

        A cancellation has to know which days a draft is going to bill. Running it again
        continues: what is stamped is not touched again.

        :param int batch_size: lines per batch
        :return: tuple of the numbers of lines stamped and left
        """
        unlinked = self._get_unlinked_domain(states=("draft", "posted"))
        ids = self.search(unlinked, order="id").ids
        left = 0
        for batch in split_every(batch_size, ids, self.browse):
            left += len(batch._stamp_subscription_lines())
            self.env.flush_all()
            self.env.invalidate_all()
        return len(ids) - left, left

    @api.model
    def action_view_unlinked(self):
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
        action["domain"] = list(
            Domain(self._get_unlinked_domain()) | Domain(without_period)
        )
        return action
