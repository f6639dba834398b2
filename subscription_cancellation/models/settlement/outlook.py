# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is still to come until a later end of service: one place for everybody (D5).

The preview, the customer's pages, mails and the summary tell it, and so does the API.
"""

from collections import defaultdict
from datetime import date
from typing import Any, NamedTuple

from odoo import fields, models

from ...arithmetic.proration import Period
from ...formatting import format_day, format_days
from ..accounting.order_discount import Beside
from ..subscription.charges_to_come import Amounts, ChargeToCome, get_unused

#: How many invoices are told one by one; the others, with their number and sum.
TOLD_INVOICES = 3


class ExpectedPart(NamedTuple):
    """What will become of a part of the money, as things are."""

    text: str
    amount: float
    currency: models.BaseModel


class Upcoming(NamedTuple):
    """An invoice or a credit that is expected; or several together."""

    #: ``invoice`` or ``credit``
    kind: str
    day: date
    #: With tax, never negative
    amount: float
    text: str
    currency: models.BaseModel


class ExpectedInvoice(NamedTuple):
    """An invoice to come, before it is told."""

    day: date
    period: Period
    #: What is on it
    lines: Any
    charge: ChargeToCome


class Fates(NamedTuple):
    """What becomes of a credit to come, in currency."""

    #: taken off its own invoice
    reduces: float
    #: pays other open invoices
    pays: float
    #: kept or refunded
    rest: float


class Outlook(NamedTuple):
    """What is expected until service ends, and then."""

    currency: models.BaseModel
    invoices: list
    credits: list
    #: :class:`Amounts` of all credits
    credited: Amounts
    #: What of them reduces invoices that are not due before.
    reduces: float
    #: What was paid for orders and is not invoiced.
    paid_ahead: float
    #: The day of the last charge, ``None`` where no charge comes any more
    last_charge: Any

    @property
    def upcoming(self):
        """All of it in the order in which it comes: list of :class:`Upcoming`."""
        return [*self.invoices, *self.credits]

    @property
    def refundable(self):
        """What of the credits exceeds what is due: kept, or refunded."""
        rest = self.credited.total - self.reduces
        return self.currency.round(rest + self.paid_ahead)

    def get_amounts(self):
        """Return untaxed, tax, total, what reduces invoices, and what is refundable."""
        return (*self.credited, self.reduces, self.refundable)

    def as_dicts(self):
        """Return the public form (contract)."""
        return [
            {
                "kind": one.kind,
                "date": fields.Date.to_string(one.day),
                "amount": one.amount,
                "what": one.text,
            }
            for one in self.upcoming
        ]


class SubscriptionCancellation(models.Model):
    """Look ahead: invoices still to come, the credit of the last one, and when."""

    _inherit = "subscription.cancellation"

    def _get_outlook(self, parts=None, moved=None):
        """Return the :class:`Outlook` of a plan, or of what is scheduled, as of now.

        Where it is executed at once, nothing is still to come.

        :param list parts: of the settlement, where they are known already
        :param moved: the scheduled cancellation that the plan gives another date
        """
        self.ensure_one()
        plan = self._get_plan()
        charges, credits, currency = [], [], plan.currency_id
        credited, reduces = plan._get_credit_amounts(), plan.reduces_invoices
        if not plan.id and not plan._is_due_on_request():
            charges = plan._get_charges_to_come(moved)
            if charges and not credited.total:
                # What is to come need not be in the currency of what came.
                currency = charges[-1].charge.currency
            if parts is None and plan.apply_credits:
                parts = plan._preview_settlement()
            credits, credited, reduces = plan._get_credits_to_come(
                charges, currency, parts or ()
            )
        return Outlook(
            currency,
            plan._tell_charges(charges),
            credits,
            credited,
            reduces,
            plan.paid_ahead,
            max((one.day for one in charges), default=None),
        )

    def _tell_upcoming(self, outlook):
        """Return what is still invoiced, and then credited, with its days.

        Where no invoice comes any more, the other figures say all.

        :param Outlook outlook: what is still to come
        :return: list of :class:`ExpectedPart`
        """
        if not outlook.invoices:
            return []
        return [
            ExpectedPart(
                self.env._(
                    "%(day)s: %(what)s",
                    day=format_day(self.env, one.day),
                    what=one.text,
                ),
                one.amount,
                one.currency,
            )
            for one in outlook.upcoming
        ]

    def _get_rows_to_show(self, outlook):
        """Return the rows of this plan to show: not those that are about nothing.

        A full credit takes the latest period: where more are billed, a later one.

        :param Outlook outlook: what is still to come
        """
        # sudo: the invoice's number is part of the preview.
        rows = self.line_ids.sudo()._get_telling()
        if not outlook.invoices:
            return rows
        return rows.filtered("credit_total") if self.refund_mode != "full" else rows[:0]

    # === INVOICES === #

    def _get_charges_to_come(self, moved=None):
        """Return what is charged until service ends, as ``ExpectedInvoice``.

        Not what costs nothing: that is no charge.

        :param moved: as for :meth:`_get_outlook`
        """
        charges = [
            *self._get_orders_to_come(),
            *self._get_drafts_to_come(),
            *self._get_regular_charges(moved),
        ]
        return sorted(
            (one for one in charges if one.charge.amounts.total > 0),
            key=lambda one: one.period,
        )

    def _get_orders_to_come(self):
        """Return the invoices of orders of which nothing is invoiced yet."""
        # sudo: the figures only, of orders that whoever cancels need not open.
        order_lines = self.env["sale.order.line"].sudo()
        sold = order_lines._search_sold(self._get_charged_lines()).filtered(
            lambda line: line.state == "sale" and not line.qty_invoiced
        )
        return self._group_invoices(
            sold, "order_id", "subscription_period_start", "subscription_period_end"
        )

    def _get_drafts_to_come(self):
        """Return the drafts of regular invoices, which somebody will post."""
        # sudo: the figures only, of drafts that whoever cancels need not open.
        items = self.env["account.move.line"].sudo()
        drafts = items._search_drafts(self._get_charged_lines())
        return self._group_invoices(drafts, "move_id", "start_date", "end_date")

    def _group_invoices(self, lines, document, first_day, last_day):
        """Return an :class:`ExpectedInvoice` per document and period.

        :param lines: of drafts or orders
        :param str document: name of their field, like those of their days
        """
        subscription, today = self.subscription_id, self.subscription_id._today()
        by_period = lines.grouped(
            lambda line: (line[document], line[first_day], line[last_day])
        )
        return [
            ExpectedInvoice(
                # Orders have no date of their invoice.
                max("invoice_date" in owner and owner.invoice_date or today, today),
                Period.from_inclusive(first, last),
                own.subscription_line_id,
                ChargeToCome(subscription, own, owner._get_beside(own)),
            )
            for (owner, first, last), own in by_period.items()
            if first < self.effective_date
        ]

    def _get_regular_charges(self, moved=None):
        """Return the regular invoices that upstream will make.

        One that is paused until further notice is not billed.

        :param moved: as for :meth:`_get_outlook`
        """
        subscription = self.subscription_id
        pause = subscription._get_running_pause()
        if not subscription._is_in_progress() or (pause and not pause.date_to):
            return []
        lines, today = self._get_charged_lines(), subscription._today()
        term = self._get_payer().property_payment_term_id
        beside = Beside(term)
        ends = {line: line._get_billing_end(moved) for line in lines}
        charges, found = {}, []
        for period in self._get_periods_to_come():
            billed = lines.filtered(
                lambda line, start=period.start: not ends[line] or start < ends[line]
            )
            if not billed:
                break
            if billed not in charges:
                charges[billed] = ChargeToCome(subscription, billed, beside)
            day = max(period.start, today)
            found.append(ExpectedInvoice(day, period, billed, charges[billed]))
        return found

    def _get_periods_to_come(self):
        """Return the periods that are billed until service ends, one by one."""
        subscription = self.subscription_id
        start = subscription._get_next_billed_period().start
        # Extra days that are charged already leave the regular ones nothing to bill.
        end = self.extension_start_date or self.effective_date
        while start < end:
            following = subscription._get_next_invoice_date(start)
            yield Period(start, following)
            start = following

    def _get_first_period_not_billed(self):
        """Return the period that no regular invoice comes for any more."""
        subscription = self.subscription_id
        start = subscription._get_next_billed_period().start
        for period in self._get_periods_to_come():
            start = period.end
        return Period(start, subscription._get_next_invoice_date(start))

    def _get_charged_lines(self):
        """Return the subscription lines whose invoices are told: those that end."""
        if self.is_whole:
            return self.subscription_id.sale_subscription_line_ids
        return self.line_ids.subscription_line_id

    def _tell_charges(self, charges):
        """Return the next invoices one by one, and the others together."""
        told = [
            Upcoming(
                "invoice",
                charge.day,
                charge.charge.amounts.total,
                self._tell_charge(charge),
                charge.charge.currency,
            )
            for charge in charges[:TOLD_INVOICES]
        ]
        others = charges[TOLD_INVOICES:]
        if not others:
            return told
        sums = {
            charge: charge.amounts.total for charge in {one.charge for one in others}
        }
        total = sum(sums[one.charge] for one in others)
        text = self.env._(
            "%(count)s more invoices, the last on %(day)s",
            count=len(others),
            day=format_day(self.env, others[-1].day),
        )
        if len(others) == 1:
            text = self._tell_charge(others[0])
        # The first ones are what differs: drafts, and what an order sold.
        currency = others[0].charge.currency
        total = currency.round(total)
        return [*told, Upcoming("invoice", others[0].day, total, text, currency)]

    def _tell_charge(self, charge):
        """Return what an invoice to come is for."""
        dates = self._format_period(charge.period)
        if self._ends_everything():
            return self.env._("Invoice for %s", dates)
        return self.env._(
            "Invoice for %(dates)s: %(lines)s",
            dates=dates,
            lines=", ".join(charge.lines.mapped("name")),
        )

    def _format_period(self, period):
        return format_days(self.env, period.start, period.last_day)

    # === CREDITS === #

    def _get_credits_to_come(self, charges, currency, parts):
        """Return the credits, their :class:`Amounts`, and what reduces invoices.

        :param list charges: the :class:`ExpectedInvoice` of each invoice to come
        :param currency: of the amounts together
        :param list parts: of the settlement
        """
        credits, credited, reduces = [], Amounts(), 0.0
        # A full credit takes the latest period, which is then another one.
        if not (charges and self.refund_mode == "full"):
            credits = self._get_credits_of_billed()
            credited = self._get_credit_amounts()
            reduces = self.reduces_invoices
        applied = defaultdict(float)
        for part in parts:
            for day, amount in part.expected:
                applied[day] += amount
        for charge, amounts in self._get_expected_credits(charges):
            fates = self._split_credit(charge, amounts.total, applied)
            credits += self._tell_credits(charge, fates)
            own = charge.charge.currency
            credited += self._convert_amounts(amounts, own, currency)
            if fates.reduces:
                reduces += own._convert(
                    fates.reduces, currency, self.company_id, self.effective_date
                )
        return credits, credited, reduces

    def _get_expected_credits(self, charges):
        """Return tuples of an :class:`ExpectedInvoice` and the ``Amounts`` credited."""
        if self.refund_mode == "full":
            charges = charges[-1:]
        credited = [(charge, self._get_credit_of(charge)) for charge in charges]
        return [(charge, amounts) for charge, amounts in credited if amounts.total]

    def _get_expected_to_apply(self):
        """Return what credits to come can pay: tuples of invoice and amount."""
        if self.id or self._is_due_on_request() or not self.apply_credits:
            return []
        credits = self._get_expected_credits(self._get_charges_to_come())
        return [
            (charge, amounts.total - self._get_reduction_to_come(charge, amounts.total))
            for charge, amounts in credits
        ]

    def _split_credit(self, charge, amount, applied):
        """Return the :class:`Fates` of a credit of an invoice to come.

        :param dict applied: what credits to come pay of open invoices, by day
        """
        reduces = self._get_reduction_to_come(charge, amount)
        pays = applied[charge.day]
        rest = charge.charge.currency.round(amount - reduces - pays)
        return Fates(reduces, pays, rest)

    def _convert_amounts(self, amounts, currency, wanted):
        """Return :class:`Amounts` in another currency, at the rate of the last day."""
        return Amounts(
            *(
                currency._convert(amount, wanted, self.company_id, self.effective_date)
                for amount in amounts
            )
        )

    def _get_credit_amounts(self):
        """Return the :class:`Amounts` that are credited of what is billed."""
        return Amounts(self.credit_untaxed, self.credit_tax, self.credit_total)

    def _get_credits_of_billed(self):
        """Return the credits of what is billed: at once, and when service ends."""
        in_advance = self._get_amount_in_advance()
        text = self.env._("Credit of days without service")
        days = {
            self.subscription_id._today(): in_advance,
            self.effective_date: self.currency_id.round(self.credit_total - in_advance),
        }
        return [
            Upcoming("credit", day, amount, text, self.currency_id)
            for day, amount in days.items()
            if amount
        ]

    def _get_credit_of(self, charge):
        """Return the :class:`Amounts` that are credited of an invoice to come."""
        unused = get_unused(charge.period, self.effective_date, self.refund_mode)
        if unused.days <= 0:
            return Amounts()
        lines = self.line_ids.subscription_line_id & charge.lines
        return charge.charge.get_credit(charge.period, unused, lines)

    def _tell_credits(self, charge, fates):
        """Return when what is credited of an invoice, and what becomes of it.

        :param Fates fates: amounts by what becomes of them
        """
        unused = get_unused(charge.period, self.effective_date, self.refund_mode)
        values = {
            "dates": self._format_period(unused),
            "day": format_day(self.env, charge.day),
        }
        kept = self.env._("Credit for %(dates)s: stays on the account")
        if self.credit_settlement == "refund":
            kept = self.env._(
                "Credit for %(dates)s: will be paid back, and usually arrives within 5 "
                "to 10 working days"
            )
        texts = (
            self.env._("Credit for %(dates)s: reduces the invoice of %(day)s"),
            self.env._("Credit for %(dates)s: pays open invoices"),
            kept,
        )
        return [
            Upcoming(
                "credit",
                self.effective_date,
                amount,
                text % values,
                charge.charge.currency,
            )
            for amount, text in zip(fates, texts, strict=True)
            if amount
        ]

    def _get_reduction_to_come(self, charge, amount):
        """Return what a credit takes off an invoice to come: what is due after the end.

        What is due before is paid, as far as one knows.
        """
        term, total = charge.charge.payment_term.sudo(), charge.charge.amounts
        if not term.line_ids:
            return amount if charge.day > self.effective_date else 0.0
        currency = charge.charge.currency
        due = term._compute_terms(
            date_ref=charge.day,
            currency=currency,
            company=self.company_id.sudo(),
            tax_amount=total.tax,
            tax_amount_currency=total.tax,
            untaxed_amount=total.untaxed,
            untaxed_amount_currency=total.untaxed,
            sign=1,
        )
        later = sum(
            line["foreign_amount"]
            for line in due["line_ids"]
            if line["date"] > self.effective_date
        )
        return currency.round(min(amount, later))
