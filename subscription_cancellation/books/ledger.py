# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What some subscriptions have in the books, read by SQL and indexed."""

from collections import defaultdict, namedtuple
from decimal import Decimal
from math import ceil, floor

from . import queries
from .amounts import to_units
from .discounts import Discounts
from .order_credits import OrderCredits
from .take_backs import TakeBacks

STANDING = ("draft", "posted")


class Reader:
    """Read rows by SQL, through psycopg2's cursor or Odoo's."""

    def __init__(self, cursor, today):
        """Read what is the same for all subscriptions.

        :param cursor: of psycopg2, or of Odoo
        :param date today: by which it is known what is overdue
        """
        self.today = today
        self._cursor = cursor
        self._types = {}
        #: Size of the smallest unit, and name, by currency id.
        self.units = {}
        self.currency_names = {}
        for currency in self.fetch(queries.CURRENCIES):
            self.units[currency.id] = Decimal(currency.rounding)
            self.currency_names[currency.id] = currency.name
        self.taxes = {tax.id: tax for tax in self.fetch(queries.TAXES)}
        [(self.has_loyalty,)] = self.fetch(queries.HAS_LOYALTY)
        self.locked_until = {
            row.company_id: row.day for row in self.fetch(queries.LOCK_DATES)
        }

    def fetch(self, query, **parameters):
        """Return the rows of a query as named tuples."""
        self._cursor.execute(query, parameters)
        names = tuple(column[0] for column in self._cursor.description)
        if names not in self._types:
            self._types[names] = namedtuple("Row", names)
        return [self._types[names]._make(row) for row in self._cursor.fetchall()]


def group(records, *names):
    """Return lists of records by one value, or a tuple of values, of them."""
    result = defaultdict(list)
    for record in records:
        values = tuple(getattr(record, name) for name in names)
        result[values if len(names) > 1 else values[0]].append(record)
    return result


def is_pause(source):
    """Return whether what credits days is a pause, not a cancellation."""
    return hasattr(source, "paused_on")


class Ledger:
    """Cancellations of some subscriptions with everything that they are about."""

    def __init__(self, reader, subscription_ids):
        """Read the books of these subscriptions: a fixed number of queries.

        :param Reader reader: where from
        :param list subscription_ids: ids of ``sale.subscription``
        """
        self.reader = reader
        self._read_cancellations(subscription_ids)
        self._read_moves()
        self._read_lines()
        self._read_rewards()
        self._read_money()
        self.discounts = Discounts(self)
        self.take_backs = TakeBacks(self)
        self._sort_order_credits()

    # === READ === #

    def _read_cancellations(self, ids):
        fetch = self.reader.fetch
        self.cancellations = fetch(queries.CANCELLATIONS, ids=ids)
        self.cancellation = {record.id: record for record in self.cancellations}
        self.by_subscription = group(self.cancellations, "subscription_id")
        self.pauses = fetch(queries.PAUSES, ids=ids)
        self.pauses_of = group(self.pauses, "subscription_id")
        #: Whatever credits days.
        self.sources = [*self.cancellations, *self.pauses]
        self.rows = fetch(queries.ROWS, ids=list(self.cancellation))
        self.rows_of = group(self.rows, "cancellation_id")
        self.steps = fetch(queries.STEPS, ids=list(self.cancellation))
        self.steps_of = group(self.steps, "cancellation_id")
        self.subscription = {
            record.id: record for record in fetch(queries.SUBSCRIPTIONS, ids=ids)
        }
        lines = fetch(queries.SUBSCRIPTION_LINES, ids=ids)
        self.service = {record.id: record for record in lines}
        self.services_of = group(lines, "subscription_id")
        self.sold_of = group(
            fetch(queries.SOLD_PERIODS, ids=ids), "subscription_line_id"
        )
        messages = fetch(queries.MESSAGES, ids=list(self.cancellation))
        self.told = {(row.cancellation_id, row.partner_id) for row in messages}

    def _read_moves(self):
        fetch = self.reader.fetch
        new = self._read_ids(
            queries.MOVE_IDS,
            cancellations=list(self.cancellation),
            pauses=[pause.id for pause in self.pauses],
            lines=list(self.service),
        )
        known = set()
        while new:
            known |= new
            new = self._read_ids(queries.RELATED_MOVE_IDS, ids=list(new)) - known
        self.moves = fetch(queries.MOVES, ids=list(known))
        self.move = {record.id: record for record in self.moves}
        self.reversals_of = group(self.moves, "reversed_entry_id")
        self.moves_of = group(self.moves, "cancellation_id")
        self.down_payments_of = group(
            fetch(queries.DOWN_PAYMENTS, ids=list(known)), "invoice_id"
        )
        self.moves_of_pause = group(self.moves, "pause_id")

    def _read_ids(self, query, **parameters):
        return {row[0] for row in self.reader.fetch(query, **parameters)} - {None}

    def _read_lines(self):
        fetch = self.reader.fetch
        self.lines = fetch(queries.LINES, ids=list(self.move))
        self.line = {record.id: record for record in self.lines}
        self.lines_of = group(self.lines, "move_id")
        products = [line for line in self.lines if line.display_type == "product"]
        self.credits_of = group(products, "origin_line_id")
        billed = group(products, "subscription_line_id")
        self.strangers = {
            line.id
            for service_id in self.service
            for line in billed.get(service_id, [])
            if self._is_strangers(line, billed[service_id])
        }
        self.billed_of = group(
            [line for line in products if line.id not in self.strangers],
            "subscription_line_id",
        )
        taxed = fetch(queries.LINE_TAXES, ids=[line.id for line in products])
        self.taxes_of = {row.line_id: frozenset(row.tax_ids) for row in taxed}

    def _sort_order_credits(self):
        """Tell what takes back what others bill from what bills itself."""
        self.order_credits = OrderCredits(self)
        self.order_credits.sort_in(self.billed_of)
        for service_id, lines in self.billed_of.items():
            self.billed_of[service_id] = [
                line
                for line in lines
                if self.move[line.move_id].move_type != "out_invoice"
                or not self.order_credits.is_one(line)
            ]

    def _read_rewards(self):
        """Read what was paid by gift cards, and what some discounts are only for."""
        self.gifts, self.rewarded = set(), defaultdict(set)
        #: Invoices with a discount of which it is not read what it is for.
        self.unknown_discounts = set()
        if not self.reader.has_loyalty:
            return
        ids = list(self.line)
        rewards = self.reader.fetch(queries.REWARDS, ids=ids)
        lines = self.reader.fetch(
            queries.REWARDED,
            ids=ids,
            rewards=list({reward.reward_id for reward in rewards}),
        )
        for reward in rewards:
            if reward.program_type in ("gift_card", "ewallet"):
                self.gifts.add(reward.line_id)
            if reward.is_unknown and reward.discount_applicability != "order":
                self.unknown_discounts.add(self.line[reward.line_id].move_id)
            if reward.discount_applicability == "specific":
                self.rewarded[reward.line_id] |= {
                    line.line_id
                    for line in lines
                    if line.reward_id == reward.reward_id
                    and line.move_id == self.line[reward.line_id].move_id
                }

    def _is_strangers(self, line, billed):
        """Return whether a line is on a copy that another customer got.

        Its days are billed by an older invoice, of somebody else, that stands.

        :param list billed: all lines that bill, or credit, the same service
        """
        move = self.move[line.move_id]
        service = self.service[line.subscription_line_id]
        customers = self.subscription[service.subscription_id].customer_ids
        if move.move_type != "out_invoice" or not line.start_date:
            return False
        return move.commercial_partner_id not in customers and any(
            older.id < line.id
            and original.move_type == "out_invoice"
            and original.state == "posted"
            and original.commercial_partner_id != move.commercial_partner_id
            and (older.start_date and older.start_date <= line.end_date)
            and line.start_date <= older.end_date
            and not self._is_reversed(original)
            for older in billed
            for original in [self.move[older.move_id]]
        )

    def _is_reversed(self, invoice):
        """Return whether posted credit memos have taken back all of an invoice."""
        memos = self.memos_of(invoice.id, ("posted",))
        total = self.units_of(invoice, "amount_total")
        return self.sum_units(memos, "amount_total") >= total

    def _read_money(self):
        fetch = self.reader.fetch
        receivable = [
            line.id
            for line in self.lines
            if line.account_type in ("asset_receivable", "liability_payable")
        ]
        self.partials = fetch(queries.PARTIALS, ids=receivable)
        self.paid_by = group(self.partials, "debit_move_id")
        self.pays = group(self.partials, "credit_move_id")
        self.transactions = fetch(
            queries.TRANSACTIONS, steps=[step.id for step in self.steps]
        )
        self.transaction = {record.id: record for record in self.transactions}
        self.transactions_of_source = group(self.transactions, "source_transaction_id")
        self.step = {step.id: step for step in self.steps}
        self.payment_changes_of = group(
            fetch(queries.PAYMENT_CHANGES, ids=list(self.move)), "invoice_id"
        )
        self.posted_at = {
            record.move_id: record.date
            for record in fetch(queries.POSTINGS, ids=list(self.move))
        }
        self.linked_payments_of = group(
            fetch(queries.LINKED_PAYMENTS, ids=list(self.move)), "invoice_id"
        )
        self.unmatched_back_of = group(
            fetch(
                queries.UNMATCHED_BACK,
                customers=list(
                    {
                        move.commercial_partner_id
                        for move in self.moves
                        if move.move_type == "out_refund"
                    }
                ),
            ),
            "customer_id",
            "company_id",
        )
        self.payment = {
            record.id: record
            for record in fetch(queries.PAYMENTS, ids=self._get_payment_ids())
        }

    def _get_payment_ids(self):
        """Return the ids of payments that steps, transactions or items are about."""
        ids = {record.payment_id for record in (*self.steps, *self.transactions)}
        for partial in self.partials:
            ids |= {partial.debit_payment_id, partial.credit_payment_id}
        for linked in self.linked_payments_of.values():
            ids |= {payment.payment_id for payment in linked}
        return list(ids - {None})

    # === AMOUNTS === #

    def units(self, amount, currency_id):
        """Return an amount, as it was read, in units of its currency."""
        return to_units(amount and Decimal(amount), self.reader.units[currency_id])

    def amount(self, units, currency_id):
        """Return units of a currency as an amount."""
        return units * self.reader.units[currency_id].normalize()

    def units_of(self, record, *names):
        """Return the sum of amounts of a record in units of its currency."""
        return sum(self.units(getattr(record, n), record.currency_id) for n in names)

    def sum_units(self, records, *names):
        """Return the sum of amounts of records, each in units of its currency."""
        return sum(self.units_of(record, *names) for record in records)

    def booked(self, line):
        """Return what a line books as revenue, which may not be what it shows."""
        sign = 1 if self.move[line.move_id].move_type == "out_refund" else -1
        return sign * self.units_of(line, "amount_currency")

    def is_rounded(self, moves):
        """Return whether one of some documents has a cash rounding."""
        return any(
            line.display_type == "rounding"
            for move in moves
            for line in self.lines_of.get(move.id, [])
        )

    # === DOCUMENTS === #

    def memos_of(self, invoice_id, states=STANDING):
        """Return the credit memos of an invoice."""
        return [
            move
            for move in self.reversals_of.get(invoice_id, [])
            if move.move_type == "out_refund" and move.state in states
        ]

    def issued_by(self, source, move_type):
        """Return the documents of a cancellation or pause, cancelled ones included."""
        issued = self.moves_of_pause if is_pause(source) else self.moves_of
        issued = issued.get(source.id, [])
        return [move for move in issued if move.move_type == move_type]

    def get_open(self, move):
        """Return what nothing is reconciled with yet, of an invoice or credit memo."""
        is_memo = move.move_type == "out_refund"
        side = "credit" if is_memo else "debit"
        partials = (self.pays if is_memo else self.paid_by).get(move.id, [])
        reconciled = sum(
            self.units(getattr(partial, f"{side}_amount_currency"), move.currency_id)
            for partial in partials
        )
        return self.units_of(move, "amount_total") - reconciled

    def take_backs_of(self, memo):
        """Return the posted documents that take a credit memo back.

        An invoice of its cancellation does, or what an accountant reversed it by.
        """
        return [
            move
            for move in self.reversals_of.get(memo.id, [])
            if move.move_type != "out_refund" and move.state == "posted"
        ]

    def counted_memos_of(self, invoice_id):
        """Return the credit memos of an invoice that were not taken back as a whole."""
        memos = self.memos_of(invoice_id)
        return [memo for memo in memos if self.take_backs.get_part(memo) < 1]

    def sum_counted(self, memos, name, last_id=None):
        """Return the sum of an amount of credit memos, less what was taken back.

        :param int last_id: not by documents that were made after this one
        """
        parts = [1 - self.take_backs.get_part(memo, last_id) for memo in memos]
        return sum(
            ceil(self.units_of(memo, name) * part)
            for memo, part in zip(memos, parts, strict=True)
        )

    def product_lines(self, move):
        """Return what a document bills or credits."""
        lines = self.lines_of.get(move.id, [])
        return [line for line in lines if line.display_type == "product"]

    def rows_on(self, cancellation, invoice_id):
        """Return the rows of a cancellation that credit an invoice."""
        return [
            row
            for row in self.rows_of.get(cancellation.id, [])
            if self.get_invoice_id(row) == invoice_id
        ]

    def get_invoice_id(self, row):
        """Return the id of the invoice that a row credits, ``None`` without one."""
        origin = self.line.get(row.origin_line_id)
        return row.paid_move_id or (origin and origin.move_id)

    def get_service_line(self, row):
        """Return the invoice line that billed what a row credits, or a share of it."""
        return self.line.get(row.discounted_line_id or row.origin_line_id)

    def credit_lines_of(self, row):
        """Return the credit memo lines that a row has led to."""
        return [
            line
            for line in self.credits_of.get(row.origin_line_id, [])
            if self.move[line.move_id].move_type == "out_refund"
            and self.move[line.move_id].cancellation_id == row.cancellation_id
            and line.discounted_line_id == row.discounted_line_id
            and self.move[line.move_id].reversed_entry_id == self.get_invoice_id(row)
            and not self.is_replaced(self.move[line.move_id])
        ]

    def is_replaced(self, memo):
        """Return whether a credit memo was taken back, and its rows credited anew."""
        return bool(self.take_backs_of(memo)) and any(
            other.move_type == "out_refund"
            and other.state != "cancel"
            and other.reversed_entry_id == memo.reversed_entry_id
            and other.id > memo.id
            for other in self.moves_of.get(memo.cancellation_id, [])
        )

    def rows_of_memo(self, cancellation, memo):
        """Return the rows that a credit memo was made for, none where they are gone.

        What was credited in advance, and taken back, may leave a row about nothing.
        """
        rows = self.rows_on(cancellation, memo.reversed_entry_id)
        is_gone = self.take_backs_of(memo) and not self.sum_units(
            rows, "credit_untaxed"
        )
        if is_gone or self.is_replaced(memo):
            return []
        return rows

    # === THE DAY LEDGER === #

    def as_entry(self, line):
        """Return units and days of a line; a credit without days: its origin's."""
        dated = line if line.start_date else self.line.get(line.origin_line_id)
        if not dated or not dated.start_date or not dated.end_date:
            return None
        if dated.end_date < dated.start_date:
            return None
        return self.booked(line), dated.start_date, dated.end_date

    def is_all_used_up(self, invoice_id):
        """Return whether nothing is left of an invoice, nor of its down payments."""
        paid = self.down_payments_of.get(invoice_id, [])
        ids = [invoice_id, *(row.paid_move_id for row in paid)]
        return all(map(self.is_used_up, ids))

    def is_used_up(self, invoice_id, last_memo_id=None):
        """Return whether the credits of an invoice leave nothing of it.

        :param last_memo_id: only this one, and those made before it: as it was then
        """
        memos = [
            memo
            for memo in self.memos_of(invoice_id, (*STANDING, "cancel"))
            if last_memo_id is None or memo.id <= last_memo_id
        ]
        invoice = self.move[invoice_id]
        # One that was paid before bills nothing itself.
        is_any = memos or not self.units_of(invoice, "amount_total")
        # What only takes a credit memo back has room for what is due on it.
        room = 1 - self.take_backs.get_part_of(invoice)
        # Credits of orders that are on no credit memo of this invoice.
        others = sum(
            units
            for line in self.product_lines(invoice)
            for credit, units in self.order_credits.parts_of(line)
            if self.move[credit.move_id].move_type == "out_refund"
            and self.move[credit.move_id].state in STANDING
            and self.move[credit.move_id] not in memos
        )
        return bool(is_any or others) and any(
            self.sum_counted(memos, name, last_memo_id) + others
            >= floor(self.units_of(invoice, name) * room)
            for name in ("amount_untaxed", "amount_total")
        )
