# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What was billed for unused days and is not credited: nothing is left out silently."""

from odoo import models
from odoo.fields import Domain

from ...arithmetic.proration import from_units
from ...const import PAID
from ...formatting import format_day


class SubscriptionCancellation(models.Model):
    """Say how much is not credited, and why."""

    _inherit = "subscription.cancellation"

    def _get_left_out_warnings(self):
        """Return a sentence for each amount that stays billed although it is unused."""
        self.ensure_one()
        if self.state in ("revoked", "refused"):
            return []
        # sudo: who cancels, or the customer, need not be allowed to read invoices.
        self = self.sudo()  # noqa: PLW0642
        if self.refund_mode == "none":
            return self._get_lost_days_sentences()
        return [
            *(row._get_left_out_sentence() for row in self.line_ids if row.left_out),
            *self._get_unlinked_sentences(),
            *self._get_down_payment_sentences(),
        ]

    def _get_lost_days_sentences(self):
        """Return until when it was paid, where that is beyond the end of service.

        Without a refund, these days are lost. What this itself has invoiced is told as
        a step.
        """
        items = self.env["account.move.line"]
        last_days = {
            item: day
            for item, day in items._map_billed_from(
                self.line_ids.subscription_line_id, self.effective_date
            ).items()
            if not (self._origin and item.move_id.cancellation_id == self._origin)
        }
        if self.reactivated_date or not last_days:
            return []
        values = {
            "last_day": format_day(self.env, max(last_days.values())),
            "first_day": format_day(self.env, self.effective_date),
        }
        if PAID.issuperset(items.union(*last_days).move_id.mapped("payment_state")):
            return [
                self.env._(
                    "This was paid until %(last_day)s. Nothing is credited for the "
                    "days from %(first_day)s on.",
                    **values,
                )
            ]
        return [
            self.env._(
                "This was invoiced until %(last_day)s. Nothing is credited for the "
                "days from %(first_day)s on.",
                **values,
            )
        ]

    def _get_unbilled_warnings(self, parts):
        """Return what was served and no invoice covers, and is not invoiced either.

        Where service ends later, what would be done as of now is told, too.

        :param list parts: of the settlement, as planned; of a stored one, its steps
            tell
        """
        self.ensure_one()
        if self.state == "done" and not self.reactivated_date:
            # sudo: as in _get_left_out_warnings.
            steps = self.sudo().step_ids.filtered(
                lambda step: (
                    step.state == "skipped"
                    and (step.sale_order_id or not step.source_move_id)
                )
            )
            told = [
                (step.note, step.amount, step.currency_id)
                for step in steps
                if step.kind == "unbilled"
            ]
        elif self.id:
            return []
        elif self._is_due_on_request():
            told = [
                (part.text, part.amount, part.currency)
                for part in parts
                if part.is_left_out
            ]
        else:
            return self._get_later_unbilled_warnings()
        return self._tell_amounts(told)

    def _tell_amounts(self, told):
        """Return sentences with their amounts; those about nothing are left out.

        :param list told: tuples of text, amount and currency
        """
        return [
            self.env._(
                "%(text)s (%(amount)s)", text=text, amount=currency.format(amount)
            )
            for text, amount, currency in told
            if amount
        ]

    def _get_later_unbilled_warnings(self):
        """Return which served days are not invoiced, where service ends later.

        Days that regular billing is still to come to are left to it.
        """
        unbilled = self._map_unbilled_parts()[self]
        next_date = self.subscription_id.recurring_next_date
        gaps = [part for part in unbilled.due if part.period.start < next_date]
        texts = []
        if gaps:
            values = {
                "amount": self.subscription_id._format_charge_total(gaps),
                "days": self._describe_parts(gaps),
            }
            texts.append(
                self.env._(
                    "No invoice covers %(days)s. What is not billed until service "
                    "ends is dropped (%(amount)s as of today).",
                    **values,
                )
                if self.unbilled_charges == "drop"
                else self.env._(
                    "No invoice covers %(days)s. What is not billed until service "
                    "ends is invoiced then (%(amount)s as of today).",
                    **values,
                )
            )
        left = self._plan_left_unbilled(unbilled)
        told = [(part.text, part.amount, part.currency) for part in left]
        return [*texts, *self._tell_amounts(told)]

    def _get_unlinked_sentences(self):
        """Return what invoices bill without a line of the subscription.

        One-time products have no period, and are not asked for.
        """
        subscription = self.subscription_id
        ending = self.line_ids.subscription_line_id
        if subscription.sale_subscription_line_ids - ending:
            # It may be for what goes on.
            return []
        items = self.env["account.move.line"].search(
            Domain(self.env["account.move.line"]._get_unlinked_domain())
            & (
                Domain("move_id.subscription_id", "=", subscription.id)
                | Domain("sale_line_ids.order_id", "in", self._get_order_ids())
            )
            & Domain("amount_currency", "<", 0.0)
            & (
                Domain("end_date", ">=", self.effective_date)
                | (
                    Domain("start_date", "=", False)
                    & Domain(
                        "product_id", "in", subscription._get_all_lines().product_id.ids
                    )
                )
            ),
            order="id",
        )
        return [item._get_unlinked_sentence(self) for item in items._filter_standing()]

    def _get_order_ids(self):
        """Return the ids of the orders that this subscription is billed by."""
        subscription = self.subscription_id
        return (subscription.sale_order_id | subscription.sale_order_ids).ids

    def _get_down_payment_sentences(self):
        """Return down payments that no invoice deducts: it is not known for what."""
        order = self.subscription_id.sale_order_id
        paid = order.order_line.filtered("is_downpayment").invoice_lines.filtered(
            lambda item: item.parent_state == "posted"
        )
        sentences = []
        for order_line, items in paid.grouped("sale_line_ids").items():
            invoiced = items.filtered(lambda item: item._is_down_payment_received())
            left = sum(map(_sign_units, items))
            if order_line and invoiced and left > 0:
                sentences.append(invoiced._get_down_payment_sentence(left))
        return sentences


def _sign_units(item):
    """Return what a line adds to what was invoiced: credit memos take off."""
    units = item._get_booked_units()
    return units if item.move_id.move_type == "out_invoice" else -units


class SubscriptionCancellationLine(models.Model):
    """Say why a row is about less than its days."""

    _inherit = "subscription.cancellation.line"

    def _get_left_out_sentence(self):
        """Return how much of the unused days is not credited, and why."""
        self.ensure_one()
        values = {
            "amount": self.currency_id.format(self.left_out),
            "line": self.label,
            "invoice": self.origin_line_id.move_id.name,
        }
        texts = {
            "credited": self.env._(
                "%(amount)s of “%(line)s” on %(invoice)s are not credited: what was "
                "credited of that invoice before leaves no more.",
                **values,
            ),
            "gift": self.env._(
                "%(amount)s of “%(line)s” on %(invoice)s are not credited: they were "
                "paid by a gift card or an eWallet, of which no money is returned.",
                **values,
            ),
            "down_payment": self.env._(
                "%(amount)s of “%(line)s” on %(invoice)s are not credited: neither "
                "that invoice nor those of its down payments have so much left.",
                **values,
            ),
        }
        return texts[self.left_out_reason]


class AccountMoveLine(models.Model):
    """Say why an invoice line is not credited."""

    _inherit = "account.move.line"

    def _is_down_payment_received(self):
        """Return whether this line billed a down payment."""
        return self.move_id.move_type == "out_invoice" and self._get_booked_units() > 0

    def _get_unlinked_sentence(self, cancellation):
        """Return that nothing of this line is credited, as it is nobody's."""
        self.ensure_one()
        units, values = self._get_booked_units(), {"invoice": self.move_id.name}
        values["line"] = self.product_id.display_name or self.name
        if not self.start_date:
            return self.env._(
                "“%(line)s” on %(invoice)s (%(amount)s) is not credited: it is not "
                "known which line and which days of the subscription it bills.",
                amount=self.currency_id.format(
                    from_units(units, self.currency_id.rounding)
                ),
                **values,
            )
        units = self._as_charge().units_from(cancellation.effective_date)
        return self.env._(
            "“%(line)s” on %(invoice)s is billed until %(date)s, and its %(amount)s "
            "for unused days are not credited: it belongs to no line of the "
            "subscription.",
            amount=self.currency_id.format(
                from_units(units, self.currency_id.rounding)
            ),
            date=format_day(self.env, self.end_date),
            **values,
        )

    def _get_down_payment_sentence(self, units):
        """Return that a down payment stays, as no invoice deducts it.

        :param int units: what is left of it, without tax
        """
        share = units / sum(item._get_booked_units() for item in self)
        return self.env._(
            "The down payment of %(amount)s on %(invoice)s is not credited: it is not "
            "deducted from any invoice.",
            amount=self.currency_id.format(sum(self.mapped("price_total")) * share),
            invoice=", ".join(self.move_id.mapped("name")),
        )
