# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Charges that are not billed yet when service ends (C9): drafts, and elapsed days."""

from collections import defaultdict
from typing import NamedTuple

from odoo import models
from odoo.fields import Command
from odoo.tools.i18n import format_list

from ...arithmetic.proration import (
    ONE_DAY,
    Period,
    from_units,
    get_uncovered,
    half_up,
    to_units,
)
from ...formatting import format_charged_days, format_days, in_language_of
from ..accounting.invoice_lines import InvoiceLines
from ..subscription.served_days import ServedDays
from .orders_ahead import OrdersAhead
from .settlement_part import SettlementPart


class ServedItem(NamedTuple):
    """The served days of a draft invoice line, and their share of its price."""

    item: models.BaseModel
    period: Period
    share: float


class UnbilledDraft(NamedTuple):
    """A draft invoice that bills lines which end."""

    move: models.BaseModel
    items: models.BaseModel  # of the lines that end
    served: list  # of ServedItem
    ending: models.BaseModel  # subscription lines that end in the same run
    is_returned: bool = False  # what was paid for its order goes back in full


def _get_orders(parts):
    """Return the sales orders that sold what these parts are about."""
    lines = [part.order_line for part in parts if part.order_line]
    return lines[0].union(*lines).order_id if lines else None


class SubscriptionCancellation(models.Model):
    """Invoice what was served to the day, or drop it.

    Drafts are never changed where they are only this cancellation's: they are posted
    where all of it was served, else cancelled in favour of an invoice of the served
    days, so that an undo can bring them back. One that also bills what goes on loses
    the lines that end; an undo charges their days by themselves.
    """

    _inherit = "subscription.cancellation"

    # === WHAT IS UNBILLED === #

    def _get_unbilled_drafts(self, ahead=None):
        """Return the drafts with lines that end, by cancellation: one query for all.

        :param OrdersAhead ahead: what was paid for the orders of these
        :return: dict of lists of :class:`UnbilledDraft`
        """
        # sudo: who cancels need not be allowed to read invoices.
        items = (
            self.env["account.move.line"]
            .sudo()
            ._search_drafts(self.line_ids.subscription_line_id)
        )
        by_line = items.grouped("subscription_line_id")
        covered = items._get_covered_periods() if items else {}
        ending = self.line_ids.subscription_line_id.sudo()
        ahead = ahead or OrdersAhead(self)
        result = {}
        for cancellation in self:
            lines = cancellation.line_ids.subscription_line_id
            own = items.browse().union(
                *(by_line[line] for line in lines.sudo() if line in by_line)
            )
            drafts, paid_until = [], ahead.get_paid_until(cancellation)
            returned = ahead.get_given_back(cancellation)
            for move in own.move_id:
                billed = own & move.invoice_line_ids
                served = cancellation._get_served_items(billed, covered, paid_until)
                is_returned = bool(billed.sale_line_ids & returned)
                drafts.append(UnbilledDraft(move, billed, served, ending, is_returned))
            result[cancellation] = drafts
        return result

    def _is_own_draft(self, draft):
        """Return whether a draft is this cancellation's alone, as of now.

        Lines that ended before are on it with what was served only. One that ends in
        the same run takes its own part off, each in its turn.
        """
        products = draft.move._get_product_lines()
        if (products - draft.items).subscription_line_id.filtered("active"):
            return False
        # sudo: as for the drafts.
        active = self.sudo().subscription_id.sale_subscription_line_ids
        return self.is_whole or products == draft.items or not active - draft.ending

    def _goes_on(self, draft):
        """Return whether a draft also bills lines that do not end now."""
        others = (draft.move._get_product_lines() - draft.items).subscription_line_id
        return bool(others.filtered("active") - draft.ending)

    def _get_served_items(self, items, covered, paid_until):
        """Return the part of each draft line that lies before the end of service.

        Days that another invoice covers are left to that one: upstream leaves a draft
        more every night where one cannot be posted.

        :param dict covered: as of ``_get_covered_periods``; those of these are added
        :param dict paid_until: by subscription line, what is charged beyond the end
        """
        served = []
        for item in items:
            period = item._get_service_period()
            known = covered[item.subscription_line_id]
            if not get_uncovered(Period(period.start, period.start + ONE_DAY), known):
                continue
            known.append((period, 1))
            end = self._get_end_of_charges()
            end = max(end, paid_until.get(item.subscription_line_id.id, end))
            end = min(period.end, end)
            if period.start >= end:
                continue
            days = Period(period.start, end)
            rounding = item.currency_id.rounding
            price = item.price_unit * item.quantity * (1 - item.discount / 100.0)
            units = half_up(to_units(price, rounding) * days.days, period.days)
            share = from_units(units, rounding) / price if price else 1.0
            served.append(ServedItem(item, days, share))
        return served

    def _has_unbilled_charges(self, parts):
        """Return whether drafts, or days that no invoice covers, are to be settled.

        :param list parts: of the settlement; where service ends later they say nothing
            about these
        """
        self.ensure_one()
        if self._is_due_on_request():
            return any(part.kind == "unbilled" for part in parts)
        ahead = OrdersAhead(self)
        unbilled = self._map_unbilled_parts(ahead)[self]
        drafts = self._get_unbilled_drafts(ahead)[self]
        return bool(unbilled.due or unbilled.given_back or drafts)

    def _map_unbilled_parts(self, ahead=None, days=None):
        """Return what was served and no invoice, draft or not, covers.

        :param OrdersAhead ahead: what was paid for the orders of these
        :param ServedDays days: what is billed of them; these days are used up
        :return: dict of :class:`UnbilledParts` by cancellation; one query for all
        """
        days = days or ServedDays(self.line_ids.subscription_line_id)
        ahead = ahead or OrdersAhead(self)
        return {
            cancellation: cancellation._get_unbilled_parts(days, ahead)
            for cancellation in self
        }

    def _get_unbilled_parts(self, days, ahead):
        """Return what was served of the lines of this one.

        :param ServedDays days: what is billed of them
        :param OrdersAhead ahead: what was paid for their orders
        """
        lines = self.line_ids.subscription_line_id
        ends = {}
        for line in lines:
            others = line._get_open_cancellations() - self._origin
            if others not in ends:
                ends[others] = others._get_end_of_regular_billing()
            if others:
                start = days.get_billed_until(line) or min(
                    others.mapped("effective_date")
                )
                # Giving a line up charges these days, see ``_release_line``.
                days.add(line, Period(start, max(start, ends[others] or start)))
        unbilled = self.subscription_id._get_unbilled_parts(
            lines, days, self._get_end_of_charges(), ahead.get_paid_until(self)
        )
        returned = ahead.get_given_back(self)
        given_back = [part for part in unbilled.due if part._is_sold_by(returned)]
        return unbilled._replace(
            due=[part for part in unbilled.due if part not in given_back],
            given_back=given_back,
        )

    # === PLAN === #

    def _plan_unbilled(self, ahead):
        """Return the steps that are about unbilled charges, as they are planned.

        :param OrdersAhead ahead: what was paid for their orders
        """
        days = ServedDays(self.line_ids.subscription_line_id)
        drafts = self._get_unbilled_drafts(ahead)[self] if days.has_drafts else []
        parts = [self._plan_draft(draft) for draft in drafts]
        unbilled = self._map_unbilled_parts(ahead, days)[self]
        parts += self._plan_uncovered(unbilled.due)
        parts += self._plan_left_unbilled(unbilled)
        return [part for part in parts if part]

    def _plan_draft(self, draft):
        """Return the step about one draft, ``None`` where it is left alone."""
        currency = draft.move.currency_id
        first_day = min(draft.items.mapped("start_date"))
        is_own = self._is_own_draft(draft)
        if self.unbilled_charges == "drop" or draft.is_returned:
            text = (
                self.env._("Draft invoice %s is dropped")
                if is_own
                else self.env._("Taken off draft invoice %s")
            ) % self._describe_draft(draft.move)
            return SettlementPart(
                "unbilled",
                self._get_dropped_total(draft),
                currency,
                text,
                "skipped",
                draft=is_own and draft.move,
                first_day=first_day,
            )
        if self._is_all_served(draft) and self._goes_on(draft):
            # It bills what was served together with the lines that go on.
            return None
        is_rebate = not is_own and self._get_served_total(draft) < 0
        if is_rebate or not draft.served:
            text = self.env._(
                "Draft invoice %s is dropped: none of its days is left to invoice",
                self._describe_draft(draft.move),
            )
            return SettlementPart(
                "unbilled", 0.0, currency, text, "skipped", first_day=first_day
            )
        if self._is_draft_left_to_order(draft):
            return self._plan_left_draft(draft)
        text = self.env._(
            "Invoiced from draft %(draft)s for %(days)s",
            draft=self._describe_draft(draft.move),
            days=self._describe_days([served.period for served in draft.served]),
        )
        amount = self._get_served_total(draft)
        return SettlementPart(
            "unbilled",
            amount,
            currency,
            text,
            "done",
            draft=draft.move,
            first_day=first_day,
            order=draft.items.sale_line_ids.order_id,
        )

    def _get_served_total(self, draft):
        """Return what the served days of a draft, and what else is on it, come to."""
        shares = [(served.item, served.share) for served in draft.served]
        shares += self._get_other_shares(draft)
        move = draft.move
        total = self.subscription_id._get_invoice_total(
            shares, move.invoice_payment_term_id
        )
        rounding = move.invoice_cash_rounding_id
        return rounding.round(total) if rounding else total

    def _get_dropped_total(self, draft):
        """Return what is not invoiced of a draft: all of it, or what ends."""
        products = draft.move._get_product_lines()
        if self._is_own_draft(draft):
            return sum(products.mapped("price_total"))
        discounts = InvoiceLines(products).get_parts_of_discounts(
            dict.fromkeys(draft.items, (1, 1))
        )
        shares = [*((item, 1.0) for item in draft.items), *discounts.items()]
        return self.subscription_id._get_invoice_total(
            shares, draft.move.invoice_payment_term_id
        )

    def _get_other_shares(self, draft):
        """Return what else is invoiced of a draft, and how much of its price.

        What else is on one of its own; and discounts, as far as they are of that and
        of the served days.

        :return: list of tuples of ``account.move.line`` and a share
        """
        lines = InvoiceLines(draft.move._get_product_lines())
        extra = draft.items.browse()
        if self._is_own_draft(draft):
            extra = self._get_extra_items(draft) - lines.discounts
        parts = dict.fromkeys(extra, (1, 1))
        for served in draft.served:
            days = served.item._get_service_period().days
            parts[served.item] = (served.period.days, days)
        return [
            *((item, 1.0) for item in extra),
            *lines.get_parts_of_discounts(parts).items(),
        ]

    def _get_extra_items(self, draft):
        """Return what else is on a draft: set-up fees, usage, notes."""
        return draft.move.invoice_line_ids - draft.items

    def _plan_uncovered(self, parts):
        """Return the steps about served days that no invoice covers, if there are any.

        :raise UserError: they are to be invoiced, and that cannot be done
        """
        return [
            self._plan_charge(own)
            for own in self.subscription_id._split_by_currency(parts)
        ]

    def _plan_charge(self, parts):
        """Return the step about served days that are charged by one invoice."""
        is_dropped = self.unbilled_charges == "drop"
        if not is_dropped:
            self.subscription_id._check_can_invoice()
        text = (
            self.env._("Not invoiced, dropped: %s")
            if is_dropped
            else self.env._("Invoiced for %s")
        ) % self._describe_parts(parts)
        step = self._plan_days(text, parts, "skipped" if is_dropped else "done")
        return step._replace(
            first_day=self._get_first_late_day(parts), order=_get_orders(parts)
        )

    def _get_first_late_day(self, parts):
        """Return the first of these days that regular billing would still come to."""
        next_date = self.subscription_id.recurring_next_date
        days = [part.period.start for part in parts]
        return min((day for day in days if day >= next_date), default=None)

    def _plan_left_unbilled(self, unbilled):
        """Return the steps that only say what was served and is not invoiced here.

        :param UnbilledParts unbilled: what was served
        """
        steps = []
        if unbilled.given_back:
            text = self.env._(
                "Not invoiced, as what was paid for it goes back: %s",
                self._describe_parts(unbilled.given_back),
            )
            step = self._plan_days(text, unbilled.given_back, "skipped")
            orders = _get_orders(unbilled.given_back)
            steps.append(step._replace(order=orders))
        if unbilled.old:
            text = self.env._(
                "Not invoiced, as it is too long ago: %s",
                self._describe_parts(unbilled.old),
            )
            steps.append(self._plan_days(text, unbilled.old, "skipped"))
        by_order = defaultdict(list)
        for part in unbilled.ordered:
            by_order[part.order_line.order_id].append(part)
        for order, parts in by_order.items():
            text = self.env._(
                "To be invoiced with order %(order)s, which deducts its down payment: "
                "%(days)s",
                order=order.name,
                days=self._describe_parts(parts),
            )
            step = self._plan_days(text, parts, "skipped")
            steps.append(step._replace(order=order))
        return [*steps, *self._plan_unlinked(unbilled.unlinked)]

    def _plan_unlinked(self, parts):
        """Return the steps that say which line may bill days already: nobody knows."""
        by_item, steps = defaultdict(list), []
        for part in parts:
            by_item[part.unlinked].append(part)
        for item, own in by_item.items():
            move, is_draft = item.move_id, item.parent_state == "draft"
            text = self.env._(
                "Not invoiced, as “%(line)s” on %(invoice)s may bill that, which is "
                "linked with no line of the subscription: %(days)s",
                line=item.product_id.display_name,
                invoice=self._describe_draft(move) if is_draft else move.name,
                days=self._describe_parts(own),
            )
            steps.append(self._plan_days(text, own, "skipped"))
        return steps

    def _plan_days(self, text, parts, state):
        """Return a step about some days.

        :param list parts: of ``ChargePart``
        """
        return SettlementPart(
            "unbilled",
            self.subscription_id._get_charge_total(parts),
            self.subscription_id._get_charge_currency(parts),
            text,
            state,
        )

    def _describe_parts(self, parts):
        """Return from when to when the days of these are."""
        return self._describe_days([part.period for part in parts])

    def _plan_collections(self, invoiced, paid, pays):
        """Return a part for each that charges what is invoiced now.

        Only where the customer has a saved payment method.

        :param list invoiced: parts about charges that are invoiced now
        :param dict paid: what credits will pay of them, by part
        :param dict pays: what payments of orders pay of them, by part
        """
        collections = []
        for part in invoiced:
            token = self._find_token(part)
            unpaid = part.get_unpaid(pays)
            due = part.currency.round(unpaid - paid.get(part, 0.0))
            if not token or due <= 0:
                continue
            text = self.env._(
                "What is invoiced will be charged to %s", token._get_method_name()
            )
            collections.append(
                SettlementPart(
                    "collect", due, part.currency, text, source=part.move, token=token
                )
            )
        return collections

    def _find_token(self, part):
        """Return the saved payment method of whoever is invoiced now, or none."""
        invoice = part.move or part.draft
        # sudo: tokens are readable by their owners only.
        return (
            self.env["payment.token"]
            .sudo()
            ._find_saved(
                invoice.partner_id if invoice else self._get_payer(),
                self.company_id,
                part.currency,
                self.subscription_id.sudo(),
            )
        )

    def _is_all_served(self, draft):
        """Return whether every day of a draft was served."""
        return len(draft.served) == len(draft.items) and all(
            served.share == 1.0 for served in draft.served
        )

    def _describe_draft(self, move):
        """Return how people find a draft, which has no number yet."""
        total = move.currency_id.format(move.amount_total)
        return self.env._("no. %(id)s (%(total)s)", id=move.id, total=total)

    def _describe_days(self, periods):
        """Return from when to when these periods are."""
        whole = Period(
            min(one.start for one in periods), max(one.end for one in periods)
        )
        breaks = get_uncovered(whole, [(one, 1) for one in periods])
        return format_list(
            self.env,
            [
                format_days(self.env, days.start, days.last_day)
                for days in get_uncovered(whole, [(one, 1) for one in breaks])
            ],
        )

    # === EXECUTE === #

    def _settle_unbilled(self):
        """Invoice or drop what is not billed yet.

        :return: dict of lists of :class:`SettlementPart`, done, by cancellation
        """
        ahead = OrdersAhead(self)
        drafts = self._get_unbilled_drafts(ahead)
        # First: drafts that are dropped do not leave days to invoice.
        unbilled = self._map_unbilled_parts(ahead)
        return {
            cancellation: [
                *filter(None, map(cancellation._settle_draft, drafts[cancellation])),
                *cancellation._settle_uncovered(unbilled[cancellation].due),
                *cancellation._plan_left_unbilled(unbilled[cancellation]),
            ]
            for cancellation in self
        }

    def _settle_draft(self, draft):
        """Post, replace or drop one draft; return the step, if there is one."""
        part = self._plan_draft(draft)
        if not part:
            return None
        if part.state == "skipped":
            return part._replace(source=self._drop_draft(draft))
        if self._is_all_served(draft) and self._is_own_draft(draft):
            draft.move._post_or_explain()
            part.order._pay_ahead(draft.move)
            return part._replace(move=draft.move, amount=draft.move.amount_total)
        invoice = self._invoice_served(draft)
        part.order._pay_ahead(invoice)
        source = self._drop_draft(draft)
        return part._replace(move=invoice, source=source, amount=invoice.amount_total)

    def _drop_draft(self, draft):
        """Cancel a draft, or take off it what ends; return it where it is cancelled."""
        if self._is_own_draft(draft):
            draft.move.button_cancel()
            return draft.move
        draft.items._take_off_drafts()
        return draft.move.browse()

    def _invoice_served(self, draft):
        """Post an invoice like the draft, of the served days only."""
        today = self.subscription_id._today()
        copied = draft.move.with_context(include_business_fields=True)
        [values] = copied.copy_data()
        values.pop("line_ids", None)
        invoice = self.env["account.move"]._create_or_explain(
            {
                **values,
                "cancellation_id": self.id,
                "invoice_date": today,
                "date": draft.move._get_first_open_day(today),
                "invoice_line_ids": self._prepare_served_lines(draft),
            }
        )
        invoice._post_or_explain()
        return invoice

    def _prepare_served_lines(self, draft):
        """Return the invoice line commands: the served days, and what else is on it."""
        kept = [served._asdict() for served in draft.served]
        values = [self._prepare_served_line(**served) for served in kept]
        values += [
            self._prepare_copied_line(item, share)
            for item, share in self._get_other_shares(draft)
        ]
        return [Command.create(line) for line in values]

    def _prepare_copied_line(self, item, share=1.0):
        """Return the values of a line like one of a draft, sales order lines linked.

        :param float share: of its price
        """
        [values] = item.with_context(include_business_fields=True).copy_data()
        values.pop("move_id", None)
        if share != 1.0:
            values.update(price_unit=item.price_unit * share, extra_tax_data=False)
        return values

    def _prepare_served_line(self, item, period, share):
        """Return the values of an invoice line for the served days of a draft line."""
        values = self._prepare_copied_line(item)
        if share == 1.0:
            return values
        subscription = self.subscription_id
        env = in_language_of(self.env, item.partner_id)
        total = item._get_service_period().days
        text = format_charged_days(env, period, total)
        return {
            **values,
            "name": f"{item.name or ''}\n{text}".strip(),
            "price_unit": item.price_unit * share,
            "extra_tax_data": subscription._prorate_taxes_per_unit(item, share),
            "start_date": period.start,
            "end_date": period.last_day,
        }

    def _settle_uncovered(self, parts):
        """Invoice the served days that no invoice covers, or say that they are not."""
        return [
            self._settle_charge(own)
            for own in self.subscription_id._split_by_currency(parts)
        ]

    def _settle_charge(self, parts):
        step = self._plan_charge(parts)
        if self.unbilled_charges == "drop":
            return step
        invoice = self.subscription_id._charge_days(parts, self)
        if step.order:
            step.order._pay_ahead(invoice)
        return step._replace(move=invoice, amount=invoice.amount_total)
