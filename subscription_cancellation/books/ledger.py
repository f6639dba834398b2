# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What some subscriptions have in the books, read by SQL and indexed."""

from collections import defaultdict, namedtuple
from decimal import Decimal

from . import queries
from .amounts import to_units

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
        self._read_money()

    # === READ === #

    def _read_cancellations(self, ids):
        fetch = self.reader.fetch
        self.cancellations = fetch(queries.CANCELLATIONS, ids=ids)
        self.cancellation = {record.id: record for record in self.cancellations}
        self.by_subscription = group(self.cancellations, "subscription_id")
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
        messages = fetch(queries.MESSAGES, ids=list(self.cancellation))
        self.told = {(row.cancellation_id, row.partner_id) for row in messages}

    def _read_moves(self):
        fetch = self.reader.fetch
        new = self._read_ids(
            queries.MOVE_IDS,
            cancellations=list(self.cancellation),
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

    def _read_ids(self, query, **parameters):
        return {row[0] for row in self.reader.fetch(query, **parameters)} - {None}

    def _read_lines(self):
        fetch = self.reader.fetch
        self.lines = fetch(queries.LINES, ids=list(self.move))
        self.line = {record.id: record for record in self.lines}
        self.lines_of = group(self.lines, "move_id")
        products = [line for line in self.lines if line.display_type == "product"]
        self.credits_of = group(products, "origin_line_id")
        self.billed_of = group(products, "subscription_line_id")
        taxed = fetch(queries.LINE_TAXES, ids=[line.id for line in products])
        self.taxes_of = {row.line_id: frozenset(row.tax_ids) for row in taxed}

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
        self.payment = {
            record.id: record
            for record in fetch(queries.PAYMENTS, ids=self._get_payment_ids())
        }
        self.linked_payments_of = group(
            fetch(queries.LINKED_PAYMENTS, ids=list(self.move)), "invoice_id"
        )

    def _get_payment_ids(self):
        """Return the ids of payments that steps, transactions or items are about."""
        ids = {record.payment_id for record in (*self.steps, *self.transactions)}
        for partial in self.partials:
            ids |= {partial.debit_payment_id, partial.credit_payment_id}
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

    # === DOCUMENTS === #

    def memos_of(self, invoice_id, states=STANDING):
        """Return the credit memos of an invoice."""
        return [
            move
            for move in self.reversals_of.get(invoice_id, [])
            if move.move_type == "out_refund" and move.state in states
        ]

    def issued_by(self, cancellation, move_type):
        """Return the documents that a cancellation issued, cancelled ones included."""
        issued = self.moves_of.get(cancellation.id, [])
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
        return origin and origin.move_id

    def credit_lines_of(self, row):
        """Return the credit memo lines that a row has led to."""
        return [
            line
            for line in self.credits_of.get(row.origin_line_id, [])
            if self.move[line.move_id].move_type == "out_refund"
            and self.move[line.move_id].cancellation_id == row.cancellation_id
        ]

    def rows_of_memo(self, cancellation, memo):
        """Return the rows that a credit memo was made for, none where they are gone.

        What was credited in advance, and taken back, may leave a row about nothing.
        """
        rows = self.rows_on(cancellation, memo.reversed_entry_id)
        if self.take_backs_of(memo) and not self.sum_units(rows, "credit_untaxed"):
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
        units = self.units_of(line, "price_subtotal")
        return units, dated.start_date, dated.end_date

    def is_used_up(self, invoice_id, last_memo_id=None):
        """Return whether the credits of an invoice leave nothing of it.

        :param last_memo_id: only this one, and those made before it
        """
        memos = [
            memo
            for memo in self.memos_of(invoice_id, (*STANDING, "cancel"))
            if last_memo_id is None or memo.id <= last_memo_id
        ]
        invoice = self.move[invoice_id]
        return bool(memos) and any(
            self.sum_units(memos, name) >= self.units_of(invoice, name)
            for name in ("amount_untaxed", "amount_total")
        )
