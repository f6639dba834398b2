# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Charges that are not billed yet when service ends (C9): drafts, and elapsed days."""

from typing import NamedTuple

from odoo import api, models
from odoo.fields import Command

from ..formatting import format_charged_days, format_day
from ..proration import Period, from_units, half_up, to_units
from .subscription_cancellation_settlement import SettlementPart


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


class SubscriptionCancellation(models.Model):
    """Invoice what was served to the day, or drop it.

    Drafts are never changed where they are only this cancellation's: they are posted
    where all of it was served, else cancelled in favour of an invoice of the served
    days, so that an undo can bring them back. One that also bills what goes on loses
    the lines that end; an undo charges their days by themselves.
    """

    _inherit = "subscription.cancellation"

    # === WHAT IS UNBILLED === #

    def _get_unbilled_drafts(self):
        """Return the drafts with lines that end, by cancellation: one query for all.

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
        result = {}
        for cancellation in self:
            lines = cancellation.line_ids.subscription_line_id
            own = items.browse().union(
                *(by_line[line] for line in lines.sudo() if line in by_line)
            )
            drafts = []
            for move in own.move_id:
                billed = own & move.invoice_line_ids
                served = cancellation._get_served_items(billed, covered)
                drafts.append(UnbilledDraft(move, billed, served, ending))
            result[cancellation] = drafts
        return result

    def _is_own_draft(self, draft):
        """Return whether a draft is this cancellation's alone, as of now.

        Lines that ended before are on it with what was served only. One that ends in
        the same run takes its own part off, each in its turn.
        """
        products = self._get_products(draft)
        if (products - draft.items).subscription_line_id.filtered("active"):
            return False
        # sudo: as for the drafts.
        active = self.sudo().subscription_id.sale_subscription_line_ids
        return self.is_whole or products == draft.items or not active - draft.ending

    def _goes_on(self, draft):
        """Return whether a draft also bills lines that do not end now."""
        others = (self._get_products(draft) - draft.items).subscription_line_id
        return bool(others.filtered("active") - draft.ending)

    @api.model
    def _get_products(self, draft):
        return draft.move.invoice_line_ids.filtered(
            lambda item: item.display_type == "product"
        )

    def _get_served_items(self, items, covered):
        """Return the part of each draft line that lies before the end of service.

        Days that another invoice covers are left to that one: upstream leaves a draft
        more every night where one cannot be posted.

        :param dict covered: periods by subscription line; those of these are added
        """
        served = []
        for item in items:
            period = item._get_service_period()
            known = covered.setdefault(item.subscription_line_id, [])
            if any(other.start <= period.start < other.end for other in known):
                continue
            known.append(period)
            end = min(period.end, self._get_end_of_charges())
            if period.start >= end:
                continue
            days = Period(period.start, end)
            rounding = item.currency_id.rounding
            price = item.price_unit * item.quantity * (1 - item.discount / 100.0)
            units = half_up(to_units(price, rounding) * days.days, period.days)
            share = from_units(units, rounding) / price if price else 1.0
            served.append(ServedItem(item, days, share))
        return served

    def _get_uncovered_parts(self):
        """Return what elapsed days cost that no invoice, draft or not, covers.

        These are the days from the next regular invoice on: billing is late, was
        stopped, or comes after the service. No trial is billed, and no day from a
        pause on.

        :return: list of ``ChargePart``
        """
        self.ensure_one()
        subscription = self.subscription_id
        start = subscription.recurring_next_date
        end = subscription._cut_at_pause(self._get_end_of_charges())
        if not (subscription._is_started() and start and end and start < end):
            return []
        lines = self.line_ids.subscription_line_id
        # sudo: who cancels need not be allowed to read invoices.
        items = self.env["account.move.line"].sudo()
        billed_until = items._map_billed_until(lines)
        parts = []
        for line in lines:
            first_day = max(start, billed_until.get(line.id, start))
            if first_day < end:
                period = Period(first_day, end)
                parts += subscription._get_charge_parts(line, period, start)
        # A rebate that ends alone is no charge.
        return parts if sum(part.amount for part in parts) > 0 else []

    def _get_end_of_charges(self):
        """Return the first day that is not charged: nor is any beyond a fixed term."""
        contract_end = self.subscription_id._get_contract_end()
        return min(filter(None, (self.effective_date, contract_end)))

    # === PLAN === #

    def _plan_unbilled(self, drafts):
        """Return the steps that are about unbilled charges, as they are planned.

        :param list drafts: of :class:`UnbilledDraft`
        :return: list of :class:`SettlementPart`
        """
        parts = [self._plan_draft(draft) for draft in drafts]
        uncovered = self._get_uncovered_parts()
        if uncovered:
            parts.append(self._plan_uncovered(uncovered))
        return [part for part in parts if part]

    def _plan_draft(self, draft):
        """Return the step about one draft, ``None`` where it is left alone."""
        currency = draft.move.currency_id
        first_day = min(draft.items.mapped("start_date"))
        is_own = self._is_own_draft(draft)
        if self.unbilled_charges == "drop":
            text = (
                self.env._("Draft invoice %s is dropped")
                if is_own
                else self.env._("Taken off draft invoice %s")
            ) % self._describe_draft(draft.move)
            dropped = self._get_products(draft) if is_own else draft.items
            total = sum(dropped.mapped("price_total"))
            return SettlementPart(
                "unbilled", total, currency, text, "skipped", first_day=first_day
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
        text = self.env._(
            "Invoiced from draft %(draft)s for %(days)s",
            draft=self._describe_draft(draft.move),
            days=self._describe_days([served.period for served in draft.served]),
        )
        amount = self._get_served_total(draft)
        return SettlementPart(
            "unbilled", amount, currency, text, "done", first_day=first_day
        )

    def _get_served_total(self, draft):
        """Return what the served days of a draft, and what else is on it, come to."""
        shares = [(served.item, served.share) for served in draft.served]
        if self._is_own_draft(draft):
            shares += [(item, 1.0) for item in self._get_extra_items(draft)]
        move = draft.move
        total = self.subscription_id._get_invoice_total(
            shares, move.invoice_payment_term_id
        )
        rounding = move.invoice_cash_rounding_id
        return rounding.round(total) if rounding else total

    def _get_extra_items(self, draft):
        """Return what else is on a draft: set-up fees, usage, notes."""
        return draft.move.invoice_line_ids - draft.items

    def _plan_uncovered(self, parts):
        """Return the step about elapsed days that no invoice covers."""
        amount = self.subscription_id._get_charge_total(parts)
        is_dropped = self.unbilled_charges == "drop"
        text = (
            self.env._("Not invoiced, dropped: %s")
            if is_dropped
            else self.env._("Invoiced for %s")
        )
        return SettlementPart(
            "unbilled",
            amount,
            self.subscription_id._get_invoice_currency(),
            text % self._describe_days([part.period for part in parts]),
            "skipped" if is_dropped else "done",
            first_day=min(part.period.start for part in parts),
        )

    def _plan_collections(self, invoiced, paid):
        """Return a part for each that charges what is invoiced now.

        Only where the customer has a saved payment method.

        :param list invoiced: parts about charges that are invoiced now
        :param dict paid: what credits will pay of them, by part
        """
        collections = []
        for part in invoiced:
            token = self._find_token(part.currency)
            due = part.currency.round(part.amount - paid.get(part, 0.0))
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

    def _find_token(self, currency):
        """Return the customer's saved payment method, or none."""
        subscription = self.subscription_id
        partner = subscription.partner_invoice_id or subscription.partner_id
        # sudo: tokens are readable by their owners only.
        return (
            self.env["payment.token"]
            .sudo()
            ._find_saved(partner.sudo(), self.company_id, currency, subscription.sudo())
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
        return self.env._(
            "%(first)s – %(last)s",
            first=format_day(self.env, min(period.start for period in periods)),
            last=format_day(self.env, max(period.last_day for period in periods)),
        )

    # === EXECUTE === #

    def _settle_unbilled(self):
        """Invoice or drop what is not billed yet.

        :return: dict of lists of :class:`SettlementPart`, done, by cancellation
        """
        drafts = self._get_unbilled_drafts()
        return {
            cancellation: [
                *filter(None, map(cancellation._settle_draft, drafts[cancellation])),
                *cancellation._settle_uncovered(),
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
            return part._replace(move=draft.move, amount=draft.move.amount_total)
        invoice = self._invoice_served(draft)
        source = self._drop_draft(draft)
        return part._replace(move=invoice, source=source, amount=invoice.amount_total)

    def _drop_draft(self, draft):
        """Cancel a draft, or take off it what ends; return it where it is cancelled."""
        if self._is_own_draft(draft):
            draft.move.button_cancel()
            return draft.move
        draft.items.unlink()
        return draft.move.browse()

    def _invoice_served(self, draft):
        """Post an invoice like the draft, of the served days only."""
        today = self.subscription_id._today()
        copied = draft.move.with_context(include_business_fields=True)
        [values] = copied.copy_data()
        values.pop("line_ids", None)
        invoice = self.env["account.move"].create(
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
        if self._is_own_draft(draft):
            extra = self._get_extra_items(draft)
            values += [self._prepare_copied_line(item) for item in extra]
        return [Command.create(line) for line in values]

    def _prepare_copied_line(self, item):
        """Return the values of a line like one of a draft, sales order lines linked."""
        [values] = item.with_context(include_business_fields=True).copy_data()
        values.pop("move_id", None)
        return values

    def _prepare_served_line(self, item, period, share):
        """Return the values of an invoice line for the served days of a draft line."""
        values = self._prepare_copied_line(item)
        if share == 1.0:
            return values
        subscription = self.subscription_id
        env = self.with_context(lang=item.partner_id.lang or self.env.lang).env
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

    def _settle_uncovered(self):
        """Invoice the elapsed days that no invoice covers, or say that they are not."""
        parts = self._get_uncovered_parts()
        if not parts:
            return []
        planned = self._plan_uncovered(parts)
        if self.unbilled_charges == "drop":
            return [planned]
        invoice = self.subscription_id._charge_days(parts, self)
        return [planned._replace(move=invoice, amount=invoice.amount_total)]

    # === TAKE BACK === #

    def _has_unbilled_steps(self):
        """Return whether charges were unbilled when these ended the service."""
        return "unbilled" in self.step_ids.mapped("kind")

    def _take_back_unbilled(self, all_of_it):
        """Bring dropped drafts back, and credit what is going to be billed again.

        :param bool all_of_it: everything comes back as it was, drafts included
        """
        for step in self.step_ids.filtered(lambda step: step.kind == "unbilled"):
            draft, invoice = step.source_move_id, step.move_id
            is_restored = draft.state == "cancel" and all_of_it
            if is_restored:
                draft.button_draft()
            is_made_here = invoice.cancellation_id
            if is_made_here and (is_restored or step._is_billed_again()):
                invoice._take_back_charges()

    def _get_dropped_from(self):
        """Return from when on days left a draft that bills other lines, or ``None``.

        Such a draft does not come back, so that its days are charged by themselves.
        """
        steps = self.step_ids.filtered(
            lambda step: (
                step.kind == "unbilled"
                and step.first_day
                and not step.source_move_id
                and (step.move_id.cancellation_id or not step.move_id)
                and not step._is_billed_again()
            )
        )
        return min(steps.mapped("first_day"), default=None)

    def _charge_dropped_days(self):
        """Charge, up to the next invoice, the days that left a shared draft."""
        items = self.env["account.move.line"].sudo()
        for cancellation in self:
            start, end = cancellation._get_dropped_from(), cancellation.next_date_before
            if not (start and end):
                continue
            lines = cancellation.line_ids.subscription_line_id
            billed_until = items._map_billed_until(lines)
            subscription = cancellation.subscription_id
            parts = []
            for line in lines:
                first_day = max(start, billed_until.get(line.id, start))
                if first_day < end:
                    period = Period(first_day, end)
                    parts += subscription._get_charge_parts(line, period, start)
            subscription._charge_days(parts, cancellation)


class SubscriptionCancellationStep(models.Model):
    _inherit = "subscription.cancellation.step"

    def _is_billed_again(self):
        """Return whether regular billing is going to bill these unbilled days."""
        cancellation = self.cancellation_id
        next_date = (
            cancellation.subscription_id.recurring_next_date
            or cancellation.next_date_before
        )
        return bool(self.first_day and next_date and self.first_day >= next_date)
