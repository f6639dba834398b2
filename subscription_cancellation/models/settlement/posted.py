# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What was really posted, where something has changed a credit memo meanwhile.

Automation rules and other addons may do so; what is told of a cancellation is true
then, too, and somebody is asked to look at it.
"""

from odoo import models

from ...arithmetic.proration import fit, from_units, to_units
from ...formatting import as_note
from .settlement_part import SettlementPart

#: What becomes of the part of a credit that exceeds what is due.
REFUNDABLE = ("refund", "keep")
#: What becomes of what stays due.
DUE = ("keep", "collect", "write_off")


class SubscriptionCancellation(models.Model):
    """Tell of the credit memos as they are, not as they were planned."""

    _inherit = "subscription.cancellation"

    def _take_over_posted(self, memos, parts_by_cancellation):
        """Let rows and settlement tell what credit memos have become.

        :param memos: ``account.move`` that were just posted, unless they are reviewed
        :param dict parts_by_cancellation: lists of ``SettlementPart``, as planned
        :return: dict of the same, as they are now
        """
        parts = dict(parts_by_cancellation)
        reductions = self._get_new_rows()._take_over_posted(memos)
        for memo, reduced in reductions.items():
            cancellation = memo.cancellation_id
            planned = parts[cancellation]
            parts[cancellation] = cancellation._fit_parts(planned, memo, reduced)
        return parts

    def _fit_parts(self, parts, memo, planned):
        """Return parts of the settlement with the amounts of a credit memo.

        :param float planned: what it was to take off its invoice
        """
        invoice, currency = memo.reversed_entry_id, memo.currency_id
        reduced = memo._get_reduction(planned)
        others = [part for part in parts if part.credited != invoice]
        kept = [
            part
            for part in parts
            if part.credited == invoice and part.kind in REFUNDABLE
        ]
        return [
            *self._plan_reductions({invoice: reduced}),
            *self._fit_refundable(
                kept, memo, currency.round(memo.amount_total - reduced)
            ),
            *self._fit_due(others, invoice, currency.round(planned - reduced)),
        ]

    def _fit_refundable(self, parts, memo, amount):
        """Return the parts about what is left of a credit memo, made to fit it.

        What is more than was planned is kept: nobody has asked to give it back.
        """
        rounding = memo.currency_id.rounding
        limit = to_units(amount, rounding)
        planned = [to_units(part.amount, rounding) for part in parts]
        fitted = [
            part._replace(amount=from_units(units, rounding))
            for part, units in zip(parts, fit(planned, limit), strict=True)
            if units
        ]
        rest = limit - sum(planned)
        if rest > 0:
            invoice = memo.reversed_entry_id
            fitted.append(
                SettlementPart(
                    "keep",
                    from_units(rest, rounding),
                    memo.currency_id,
                    self._get_kept_text(invoice),
                    "done",
                    credited=invoice,
                )
            )
        return fitted

    def _fit_due(self, parts, invoice, more):
        """Return the other parts, with what is due on an invoice more than planned."""
        about = [part for part in parts if part.source == invoice and part.kind in DUE]
        fitted = [
            part._replace(amount=part.amount + more) if part in about else part
            for part in parts
        ]
        if not about and more > 0 and self._ends_everything():
            fitted.append(self._plan_unpaid_invoice(invoice, more))
        return [
            part
            for part in fitted
            if not (part.source == invoice and part.kind in DUE and part.amount <= 0)
        ]


class SubscriptionCancellationLine(models.Model):
    """Take the amounts of credit memos over."""

    _inherit = "subscription.cancellation.line"

    def _take_over_posted(self, memos):
        """Let rows tell what their credit memos have become, and somebody look at it.

        :return: dict of what those that are changed were to take off their invoice
        """
        rows = self.filtered("credit_untaxed").grouped("origin_move_id")
        reductions = {}
        for memo in memos:
            own = rows.get(memo.reversed_entry_id, self.browse()).filtered(
                lambda row, memo=memo: row.cancellation_id == memo.cancellation_id
            )
            planned = sum(own.mapped("credit_total"))
            if own and memo._differs_from(own):
                reductions[memo] = sum(own.mapped("reduces_invoice"))
                own._take_amounts(memo)
                memo._tell_change(planned)
        return reductions

    def _take_amounts(self, memo):
        """Take over the amounts of the lines of a credit memo.

        The first row takes what belongs to none of them.
        """
        currency = memo.currency_id
        reduced = memo._get_reduction(sum(self.mapped("reduces_invoice")))
        items = {
            (item.origin_line_id, item.discounted_line_id): item
            for item in memo.invoice_line_ids
        }
        untaxed, tax = memo.amount_untaxed, memo.amount_tax
        for row in self[1:]:
            item = items.get((row.origin_line_id, row.discounted_line_id))
            row.credit_untaxed = item.price_subtotal if item else 0.0
            row.credit_tax = currency.round(
                item.price_total - item.price_subtotal if item else 0.0
            )
            row.reduces_invoice = min(row.credit_untaxed + row.credit_tax, reduced)
            untaxed -= row.credit_untaxed
            tax -= row.credit_tax
            reduced -= row.reduces_invoice
        self[:1].update(
            {
                "credit_untaxed": currency.round(untaxed),
                "credit_tax": currency.round(tax),
                "reduces_invoice": currency.round(reduced),
            }
        )


class AccountMove(models.Model):
    """Say how a credit memo differs from what it was to be."""

    _inherit = "account.move"

    def _differs_from(self, rows):
        """Return whether this has other amounts than the rows, or is not posted."""
        amounts = {"amount_untaxed": "credit_untaxed", "amount_tax": "credit_tax"}
        is_other = any(
            self.currency_id.compare_amounts(self[own], sum(rows.mapped(of_row)))
            for own, of_row in amounts.items()
        )
        to_post = self._get_credit_source().post_credit_memos
        return is_other or (to_post and self.state != "posted")

    def _get_reduction(self, planned):
        """Return what this takes off its invoice, or is going to once it is posted.

        :param float planned: what it was to take off
        """
        if self.state == "posted":
            return self._get_amount_matched_with(self.reversed_entry_id)
        return min(planned, self.amount_total)

    def _tell_change(self, planned):
        """Ask somebody to look at a credit memo that is not as it was to be.

        :param float planned: the amount that it was to have, with tax
        """
        source = self._get_credit_source()
        document = source.subscription_id if self.pause_id else source
        note = self._describe_change(planned)
        document._message_log(body=note)
        # Not of the type that goes away once the settlement is done.
        document.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Credit memo is not as planned"),
            note=as_note(note),
            user_id=document._get_responsible()[:1].id,
        )

    def _describe_change(self, planned):
        values = {
            "memo": self.display_name,
            "found": self.currency_id.format(self.amount_total),
            "planned": self.currency_id.format(planned),
        }
        if self._get_credit_source().post_credit_memos and self.state != "posted":
            return self.env._(
                "Credit memo %(memo)s, about %(found)s, was to be posted, which an "
                "automation rule or another addon has changed. Post it, or look for "
                "the cause.",
                **values,
            )
        return self.env._(
            "Credit memo %(memo)s was changed while it was made or posted, by an "
            "automation rule or another addon: it is about %(found)s, where "
            "%(planned)s were to be credited. Check whether that is right.",
            **values,
        )
