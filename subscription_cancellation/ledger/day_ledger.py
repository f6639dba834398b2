# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What subscription lines were billed and credited, and what is creditable now."""

from collections import defaultdict

from ..arithmetic.proration import (
    Charge,
    creditable,
    credited_period,
    half_up,
    latest_period_start,
)
from ..models.accounting.invoice_lines import InvoiceLines
from ..models.accounting.order_discount import fit_parts
from .loose_credits import LooseCredits


class DayLedger:
    """The invoice lines of some subscription lines, and the credits of each.

    A discount of an invoice is a part of what its lines were billed at: each has its
    share in it, and what was credited of that share counts as credited.
    """

    def __init__(self, lines):
        """Read the ledger: a fixed number of queries.

        :param lines: ``sale.subscription.line``
        """
        # sudo: who cancels need not be allowed to read journal items.
        AccountMoveLine = lines.env["account.move.line"].sudo()
        debits = AccountMoveLine._search_billed(lines)
        self.invoice_lines = self._read_discounted(debits)
        discounts = AccountMoveLine.union(
            *(lines.discounts for lines in self.invoice_lines.values())
        )
        self._debits = debits.grouped("subscription_line_id")
        self._credits = AccountMoveLine._search_credits(debits | discounts).grouped(
            "origin_line_id"
        )
        self.loose = LooseCredits(debits)

    def _read_discounted(self, debits):
        """Return :class:`InvoiceLines` by invoice, where something reduces it."""
        invoices = debits.move_id
        reduced = debits._search_deductions(invoices).move_id if invoices else invoices
        if not reduced:
            return {}
        items = debits.search_fetch(
            [("move_id", "in", reduced.ids), ("display_type", "=", "product")],
            ["move_id", "amount_currency", "balance", "tax_ids", "product_id"],
            order="id",
        )
        return {
            invoice: InvoiceLines(own)
            for invoice, own in items.grouped("move_id").items()
        }

    # === ROWS === #

    def compute_rows(self, scope):
        """Return the rows of one scope; a line that gets no credit has one too.

        :param CreditScope scope: lines, date and how to credit
        :return: values of ``subscription.cancellation.line``; what begins with an
            underscore is for those who compute them
        """
        rows = []
        for line in scope.lines:
            debits = [
                debit
                for debit in self._debits.get(line.sudo(), [])
                if debit.move_id not in scope.taken_back
            ]
            billed = self._compute_line_rows(line, debits, scope)
            rows += billed or [prepare_row(line, scope)]
        return rows

    def _compute_line_rows(self, line, debits, scope):
        """Return the rows of each billed period of ``line`` that has unused days."""
        is_full = scope.refund_mode == "full"
        periods = [debit._get_service_period() for debit in debits]
        first_start = latest_period_start(periods, scope.effective_date)
        rows = []
        for debit, period in zip(debits, periods, strict=True):
            unused_days = scope.count_unused(period)
            if not (period.start >= first_start if is_full else unused_days):
                continue
            if scope.only_advance and period.start < scope.effective_date:
                continue
            day = None if is_full else scope.effective_date
            rows += self._compute_debit_rows(line, scope, debit, period, day)
        return rows

    def _compute_debit_rows(self, line, scope, debit, period, day):
        """Return the row of one invoice line, and those of its shares of discounts.

        What is creditable is rounded once, discounts taken off: the shares take the
        cent that rounding the parts would make of it.
        """
        slices = self._get_slices(debit, period)
        whole = Charge(sum(part.units for part in slices), period)
        refunds = sum_charges(part.charges for part in slices)
        amounts = fit_parts(
            [
                creditable(
                    Charge(part.units, period),
                    sum_charges([part.charges]),
                    day,
                    scope.until,
                )
                for part in slices
            ],
            [part.units_left for part in slices],
            creditable(whole, refunds, day, scope.until),
        )
        credited = credited_period(whole, refunds, day, scope.until)
        rows = []
        for part, amount in zip(slices, amounts, strict=True):
            if rows and not amount:
                continue
            row = prepare_row(line, scope, debit, period, amount)
            row.update(
                origin_line_id=part.origin.id,
                discounted_line_id=part.origin != debit and debit.id,
                credit_start=credited.start,
                credit_end=credited.last_day,
                _slice=part,
            )
            rows.append(row)
        return rows

    def _get_slices(self, debit, period):
        """Return an invoice line and its shares of discounts, with their credits."""
        own = Slice(debit, debit._get_booked_units(), debit._get_booked_balance())
        for credit in self._credits.get(debit, ()):
            own.add_credit(credit, credit._as_charge(), credit._get_booked_balance())
        for part in self.loose.parts.get(debit, ()):
            charge, balance = part.as_charge(), part.get_balance()
            if charge.period == period:
                own.reduce(charge.units, balance)
            else:
                own.add_credit(part.credit, charge, balance)
        lines = self.invoice_lines.get(debit.move_id)
        shares = lines.discounts_of.get(debit, {}) if lines else {}
        return [own, *(self._get_share(lines, one, debit, period) for one in shares)]

    def _get_share(self, lines, discount, debit, period):
        """Return one share of a discount.

        What somebody credited of it without saying of which line is spread like the
        discount itself.
        """
        share = Slice(
            discount,
            lines.shares[discount][debit],
            lines.spread_like(discount, discount._get_booked_balance())[debit],
        )
        for credit in self._credits.get(discount, ()):
            units, balance = credit._get_booked_units(), credit._get_booked_balance()
            if not credit.discounted_line_id:
                units = lines.spread_like(discount, units)[debit]
                balance = lines.spread_like(discount, balance)[debit]
            elif credit.discounted_line_id != debit:
                continue
            days = credit._get_service_period() if credit.start_date else period
            share.add_credit(credit, Charge(units, days), balance)
        return share


class Slice:
    """A part of what an invoice line was billed at, and what is left of it."""

    def __init__(self, origin, units, balance):
        """Take an amount in the currency of the invoice, and in the company's."""
        self.origin = origin
        self.units = self.units_left = units
        self.balance = self.balance_left = balance
        #: What was credited, by what issued it: a cancellation, a pause, or by hand.
        self.charges = []

    def reduce(self, units, balance):
        """Bill less: what an order takes back of all days is not rounded alone."""
        self.units -= units
        self.units_left -= units
        self.balance -= balance
        self.balance_left -= balance

    def add_credit(self, credit, charge, balance):
        """Take off what was credited, in both currencies.

        :param credit: the credit memo line
        """
        memo = credit.move_id
        self.charges.append((memo._get_credit_source() or memo, charge))
        self.units_left -= charge.units
        self.balance_left -= balance

    def get_balance(self, units):
        """Return the balance of a credit: whoever takes the rest takes all of it."""
        if units == self.units_left or not self.units:
            return self.balance_left
        amount = half_up(abs(self.balance) * abs(units), abs(self.units))
        return amount if units > 0 else -amount


def sum_charges(parts):
    """Return credits, those of one source for the same days as one.

    A line, its shares of discounts, and what is credited of it on the invoices of its
    down payments, were credited together, and rounded together.

    :param parts: lists of pairs of what issued a credit and a :class:`Charge`
    """
    units = defaultdict(int)
    for charges in parts:
        for source, charge in charges:
            units[source, charge.period] += charge.units
    return [Charge(amount, period) for (_source, period), amount in units.items()]


def prepare_row(line, scope, origin=None, period=None, units=0):
    """Return the values of one row; keys with an underscore are for the ledger."""
    # sudo: as in DayLedger.
    currency = (
        origin.currency_id
        if origin
        else line.sudo().sale_subscription_id._get_invoice_currency()
    )
    return {
        "subscription_line_id": line.id,
        "origin_line_id": origin.id if origin else False,
        "discounted_line_id": False,
        "period_start": period.start if period else False,
        "period_end": period.last_day if period else False,
        "period_days": period.days if period else 0,
        "unused_days": scope.count_unused(period) if period else 0,
        "credit_start": False,
        "credit_end": False,
        "currency_id": currency.id,
        "tax_data": False,
        "discount_data": False,
        "paid_move_id": False,
        "_origin": origin,
        "_slice": None,
        "_units": units,
        "_tax_units": 0,
        "_discount_units": 0,
        "_rounding_units": 0,
        "_reducing_units": 0,
        "_left_out_reason": "credited",
    }
