# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a cancellation comes to at a glance: four figures above every preview (D5)."""

from typing import NamedTuple

from odoo import api, models

from ...formatting import format_day

#: What becomes of a credit, in the order in which it is used up.
DESTINATIONS = ("reduces", "pays", "goes_back", "stays")


class Figure(NamedTuple):
    """A heading, what stands below it, and what there is to add."""

    heading: str
    text: str
    note: str = ""


class SubscriptionCancellation(models.Model):
    """Sum up: when service ends, the credit, where it goes, and what stays due."""

    _inherit = "subscription.cancellation"

    def _render_figures(self, outlook=None, parts=None):
        """Return the figures as HTML.

        :param Outlook outlook: what is still to come, where it is known already
        :param list parts: of the settlement, where they are known already
        """
        outlook = outlook or self._get_outlook()
        parts = self._preview_settlement() if parts is None else parts
        return self.env["ir.qweb"]._render(
            "subscription_cancellation.cancellation_figures",
            {"figures": self._get_figures(outlook, parts)},
        )

    def _get_figures(self, outlook, parts):
        """Return the list of :class:`Figure` of a plan.

        :param Outlook outlook: what is still to come
        :param list parts: of the settlement
        """
        self.ensure_one()
        return [
            self._get_end_figure(),
            self._get_credit_figure(outlook),
            self._get_destination_figure(outlook, parts),
            self._get_due_figure(outlook, parts),
        ]

    @api.model
    def _render_no_figures(self):
        """Return the figures as HTML where there is no plan: headings without them."""
        headings = [
            self.env._("Ends"),
            self.env._("Credit"),
            self._get_destination_texts()["stays"],
            self.env._("Still due"),
        ]
        return self.env["ir.qweb"]._render(
            "subscription_cancellation.cancellation_figures",
            {"figures": [Figure(heading, "–") for heading in headings]},
        )

    def _get_end_figure(self):
        """Return the last day of service."""
        heading = self.env._("Ends")
        if not self.subscription_id._is_started():
            return Figure(heading, self.env._("Before it starts"))
        day = format_day(self.env, self.last_service_date)
        if self.state == "to_approve":
            return Figure(heading, day, self.env._("if it is approved"))
        return Figure(heading, day)

    def _get_credit_figure(self, outlook):
        """Return what is credited, tax included."""
        heading, total = self.env._("Credit"), outlook.credited.total
        note = ""
        if total and not self._is_due_on_request():
            note = self.env._("expected")
        return Figure(heading, outlook.currency.format(total), note)

    def _get_destination_figure(self, outlook, parts):
        """Return where the credit goes; where it is split, the rest as a note."""
        amounts = self._get_destinations(outlook, parts)
        used = [name for name in DESTINATIONS if amounts[name] > 0]
        wanted = "goes_back" if self.credit_settlement == "refund" else "stays"
        first = (used or [wanted])[0]
        texts = self._get_destination_texts()
        return Figure(
            texts[first],
            outlook.currency.format(amounts[first]),
            ", ".join(
                self.env._(
                    "%(where)s: %(amount)s",
                    where=texts[name],
                    amount=outlook.currency.format(amounts[name]),
                )
                for name in used[1:]
            ),
        )

    @api.model
    def _get_destination_texts(self):
        """Return what each destination is called."""
        return {
            "reduces": self.env._("Reduces what is due"),
            "pays": self.env._("Pays other invoices"),
            "goes_back": self.env._("Goes back"),
            "stays": self.env._("Stays on account"),
        }

    def _get_destinations(self, outlook, parts):
        """Return how much of the credit goes where, in the currency of the outlook."""
        amounts = dict.fromkeys(DESTINATIONS, 0.0) | {"reduces": outlook.reduces}
        if outlook.invoices:
            # The parts are of what is billed by now only.
            is_back = self.credit_settlement == "refund"
            pays = sum(amount for part in parts for _day, amount in part.expected)
            rest = outlook.currency.round(outlook.refundable - pays)
            amounts["goes_back" if is_back else "stays"] = rest
            return {**amounts, "pays": pays}
        kept = [part for part in parts if part.kind == "keep" and not part.source]
        back = [part for part in parts if part.kind == "refund"]
        amounts["stays"] = self._sum_parts(kept, outlook.currency)
        amounts["goes_back"] = self._sum_parts(back, outlook.currency)
        rest = outlook.refundable - amounts["stays"] - amounts["goes_back"]
        amounts["pays"] = outlook.currency.round(rest)
        return amounts

    def _get_due_figure(self, outlook, parts):
        """Return what the customer still owes afterwards, and what comes besides."""
        currency = outlook.currency
        due = self._sum_parts(self._get_due_parts(parts), currency)
        due += self._get_invoiced_now(parts, currency) + self._get_left_due(parts)
        collected = self._sum_parts(
            [part for part in parts if part.kind == "collect" and part.token], currency
        )
        notes = []
        if collected:
            amount = currency.format(collected)
            notes.append(self.env._("%s is collected", amount))
        if outlook.invoices:
            to_come = self._sum_parts(outlook.invoices, currency)
            notes.append(self.env._("%s still to come", currency.format(to_come)))
        return Figure(
            self.env._("Still due"),
            currency.format(max(currency.round(due), 0.0)),
            ", ".join(notes),
        )

    def _get_due_parts(self, parts):
        """Return the parts about open invoices that leave them due."""
        return [
            part
            for part in parts
            if part.source
            and (
                part.kind == "keep"
                or (part.kind == "collect" and not part.token)
                or (part.kind == "write_off" and part.state == "skipped")
            )
        ]

    def _get_invoiced_now(self, parts, currency):
        """Return what is due of charges that are invoiced with the cancellation.

        Without what payments of orders, credits and saved cards pay of them.
        """
        invoiced = [
            part._replace(amount=part.amount - part.paid)
            for part in parts
            if part.kind == "unbilled" and part.state == "done"
        ]
        collected = [
            part for part in parts if part.kind == "collect" and not part.source
        ]
        due = self._sum_parts(invoiced, currency) - self._sum_parts(collected, currency)
        return max(due, 0.0)

    def _get_left_due(self, parts):
        """Return what is due of invoices that a subscription which goes on keeps."""
        if self._ends_everything():
            return 0.0
        # sudo: the amounts only, of invoices that whoever cancels need not open.
        unpaid = self.env["account.move"].sudo()._search_unpaid(self.subscription_id)
        invoices = unpaid.get(self.subscription_id, ())
        paid = [
            part
            for part in parts
            if part.kind in ("reduce", "apply_credits")
            and (part.credited or part.source) in invoices
        ]
        due = sum(
            invoice.currency_id._convert(
                invoice.amount_residual,
                self.currency_id,
                self.company_id,
                self.effective_date,
            )
            for invoice in invoices
        )
        return due - self._sum_parts(paid, self.currency_id)

    def _sum_parts(self, parts, currency):
        """Return the sum of amounts in a currency, at the rate of the last day.

        :param list parts: of the settlement, or of what is still to come
        """
        return sum(
            part.currency._convert(
                part.amount, currency, self.company_id, self.effective_date
            )
            for part in parts
        )
