# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which days are billed: periods, and the guard in upstream's billing."""

from datetime import datetime, time
from typing import NamedTuple

import pytz

from odoo import fields, models
from odoo.tools import SQL

from ...arithmetic.proration import ONE_DAY, Period, next_boundary
from ...arithmetic.terms import Contract
from .served_days import ServedDays

#: What an order says of a line that it sells.
SOLD = ("product_uom_qty", "price_unit", "discount")


class AskedAt(NamedTuple):
    """The moment of a request; nobody can send it over the API."""

    moment: datetime


class SaleSubscription(models.Model):
    """Bill no period that begins after the end of service."""

    _inherit = "sale.subscription"

    # === DATES === #

    def _today(self):
        """Return the customer's date of today.

        In the partner's time zone, else the company partner's, else UTC.
        """
        return self._to_local_date(self._get_moment() or fields.Datetime.now())

    def _as_of(self, moment):
        """Return these as somebody who asked at a moment finds them.

        Their day of today is that of the moment, and what was billed since does not
        count. For dates only; what is done then is done now.

        :param datetime moment: in UTC, without time zone; none: now
        """
        if not moment:
            return self
        return self.with_context(cancellation_moment=AskedAt(moment))

    def _get_moment(self):
        """Return the moment that these are asked as of, or ``None`` for now."""
        asked = self.env.context.get("cancellation_moment")
        return asked.moment if isinstance(asked, AskedAt) else None

    def _to_local_date(self, moment):
        """Return the customer's date at a moment.

        :param datetime moment: in UTC, without time zone
        """
        self.ensure_one()
        moment = pytz.utc.localize(moment)
        return moment.astimezone(self._get_timezone()).date()

    def _get_first_moment(self, day):
        """Return when a day begins for the customer.

        Where clocks change at midnight, that comes twice or not at all.

        :rtype: datetime
        :return: in UTC, without time zone
        """
        zone = self._get_timezone()
        midnight = datetime.combine(day, time.min)
        moments = [
            zone.localize(midnight, is_dst=is_dst).astimezone(pytz.utc)
            for is_dst in (True, False)
        ]
        return min(
            moment.replace(tzinfo=None)
            for moment in moments
            if moment.astimezone(zone).date() >= day
        )

    def _get_timezone(self):
        """Return the customer's time zone (a ``pytz`` zone).

        A name that is not, or no more, a time zone is as none: see :meth:`_today`.
        """
        for name in (self.partner_id.tz, self.company_id.partner_id.tz):
            if name in pytz.all_timezones_set:
                return pytz.timezone(name)
        return pytz.utc

    def _get_invoice_currency(self):
        """Return the currency that upstream's next invoice will be in."""
        self.ensure_one()
        if self.template_id.invoicing_mode == "sale_and_invoice":
            return self.currency_id
        return self.journal_id.currency_id or self.company_id.currency_id

    def _is_in_progress(self):
        """Return whether upstream runs this: it bills it, now or from its start on."""
        return self.stage_id.type == "in_progress"

    def _is_started(self):
        """Return whether service has begun (else: draft, ready, or from a later day).

        Upstream lets a subscription run whose start lies in the future.
        """
        start = self.date_start
        return self._is_in_progress() and not (start and start > self._today())

    def _get_next_billed_period(self):
        """Return the period that upstream bills with its next invoice.

        Upstream starts it on the next invoice date and ends it where the date after
        that begins, so the chain of invoices has neither gap nor overlap.
        """
        self.ensure_one()
        start = self.recurring_next_date or self._get_first_invoice_date()
        return Period(start, self._get_next_invoice_date(start))

    def _get_end_of_period(self):
        """Return the first day after the current period.

        That is the billed period in which the customer's day lies, else the one to be
        billed next. What is billed beyond it is an advance invoice.
        """
        self.ensure_one()
        end = self._get_end_of_running_period()
        return self._cut_at_contract_end(end) if end else self._get_end_of_billed()

    def _get_end_of_billed(self):
        """Return the first day after all that is billed, or to be billed for today."""
        self.ensure_one()
        anchor = self._get_next_start() or self._get_first_invoice_date()
        return self._cut_at_contract_end(
            next_boundary(anchor, self._get_recurrence_delta(), self._today())
        )

    def _get_next_start(self):
        """Return the first day of the next period to be billed."""
        self.ensure_one()
        day, moment = self.recurring_next_date, self._get_moment()
        if not moment:
            return day
        # sudo: who cancels need not be allowed to read journal items.
        since = self.env["account.move.line"].sudo()
        since = since.search(
            [
                ("subscription_line_id", "in", self._get_all_lines().ids),
                ("move_id.move_type", "=", "out_invoice"),
                ("parent_state", "!=", "cancel"),
                ("create_date", ">", moment),
                ("start_date", ">", self._today()),
            ],
            order="start_date",
            limit=1,
        )
        return min(filter(None, (day, since.start_date)), default=day)

    def _cut_at_contract_end(self, day):
        contract_end = self._get_contract_end()
        return min(day, contract_end) if contract_end else day

    def _get_end_of_running_period(self):
        """Return the first day after the billed period in which the customer's day is.

        ``None`` where billing has not gone beyond today. West of UTC, it has on the
        last evening of each period; else where periods are billed ahead.
        """
        today, next_date = self._today(), self.recurring_next_date
        if not next_date or next_date <= today:
            return None
        days = ServedDays(self.sale_subscription_line_ids, since=today)
        is_paused = not self._leave_out_pauses(Period(today, today + ONE_DAY))
        end = None if is_paused else days.get_end_of_period(today)
        # Of days without an invoice, the next one that has one is the end.
        return end or days.get_next_start(today)

    def _get_all_lines(self):
        """Return the lines of these, deactivated ones included."""
        return (self.sale_subscription_line_ids | self.archived_line_ids).sorted("id")

    def _get_contract(self):
        """Return what the date engine has to know of this subscription."""
        self.ensure_one()
        return Contract(
            start=self._get_first_paid_day(),
            next_period_start=self._get_next_start() or self._get_end_of_billed(),
            interval=self._get_recurrence_delta(),
            end=self._get_contract_end() or None,
            period_end=self._get_end_of_running_period(),
        )

    def _get_contract_end(self):
        """Return the first day after a fixed term, or ``False`` where unlimited."""
        # Upstream's boolean of this name is true for *unlimited* subscriptions.
        return not self.recurring_rule_boundary and self.date

    # === BILLING GUARD === #

    def _refuse_older_billing(self):
        """Change these rows, so that billing which began before now is tried again.

        It would not see the end of a line that was set since its snapshot was taken;
        a lock alone does not make PostgreSQL refuse it.
        """
        self.env.cr.execute(
            SQL(
                "UPDATE sale_subscription SET write_date = %s WHERE id = ANY(%s)",
                fields.Datetime.now(),
                self.ids,
            )
        )

    def _get_invoices(self):
        """Return the customer invoices of this subscription, by whichever path.

        Upstream links some by ``subscription_id`` and some through sales orders;
        the first period sold by an order is linked by our stamp only.
        """
        moves = self.invoice_ids | self.sale_order_ids.invoice_ids
        moves |= self.sale_order_id.invoice_ids.filtered(
            lambda move: (
                move.invoice_line_ids.subscription_line_id.sale_subscription_id & self
            )
        )
        invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
        return invoices._without_strangers()

    def _is_customer(self, move):
        """Return whether a document is for the customer of one of these."""
        # sudo: whoever asks need not be allowed to read subscriptions.
        own = self.sudo()
        # Not of both together: asked so, customers of many are read at once.
        return move.commercial_partner_id in (
            own.partner_id.commercial_partner_id
            | own.partner_invoice_id.commercial_partner_id
        )

    def _is_invoiced(self):
        """Return whether there is an invoice of this subscription."""
        # sudo: salespeople see their own invoices only, and this is about any.
        return bool(self.sudo()._get_invoices())

    def _get_standing_invoices(self):
        """Return the invoices, drafts included, that were not taken back as a whole."""
        # sudo: as in _is_invoiced.
        invoices = self.sudo()._get_invoices()._filter_standing()
        return invoices.filtered(lambda move: move.state != "cancel")

    def _stamp_first_period_on_order(self):
        """Remember on the sales order which lines and period it sells.

        Upstream counts the first period as billed by the order itself.
        """
        for subscription in self:
            period = Period(
                subscription._get_first_paid_day(), subscription.recurring_next_date
            )
            subscription.sale_subscription_line_ids._stamp_on_order(period)

    def _follow_order(self, order_lines):
        """Sell what an order says that was cancelled, changed and confirmed again.

        What it has added is sold by it from today to the next invoice date.

        :param order_lines: ``sale.order.line``
        """
        self.ensure_one()
        known = self._get_all_lines().grouped("order_line_id")
        added = self.sale_subscription_line_ids.browse()
        for order_line in order_lines:
            values = order_line.get_subscription_line_values()
            if order_line not in known:
                added |= added.create({**values, "sale_subscription_id": self.id})
                continue
            line = known[order_line]
            changed = {
                name: values[name] for name in SOLD if line[name] != values[name]
            }
            line.filtered("active").write(changed)
        added._stamp_on_order(Period(self._today(), self.recurring_next_date))

    def _extend_term(self, template):
        """Let these end later where their template has more billing cycles now.

        Upstream leaves running subscriptions as they are; fewer cycles still do.
        """
        for subscription in self:
            end = template._get_date(subscription._get_first_paid_day())
            if end > subscription.date:
                subscription.date = end
