# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a person saw before confirming, and what has changed since."""

import json

from odoo import fields, models
from odoo.exceptions import UserError

from ...callers import is_text, quote
from ...formatting import format_day


class SubscriptionCancellation(models.Model):
    """Refuse to confirm a plan that is not the one that was shown, and say why."""

    _inherit = "subscription.cancellation"

    def _fingerprint(self, parts=None):
        """Return dates and amounts of this plan as a short text.

        It travels with the preview; a confirmation brings it back.

        :param list parts: of the settlement, where they are known already
        """
        self.ensure_one()
        facts = self._get_facts(parts)
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))

    def _get_facts(self, parts=None):
        """Return what must not change between preview and confirmation."""
        currency = self.currency_id
        return {
            "end": fields.Date.to_string(self.effective_date),
            "mode": self.refund_mode,
            "currency": currency.name,
            "total": currency.round(self.credit_total),
            "reduces": currency.round(self.reduces_invoices),
            "approval": self.state == "to_approve",
            "split": self._get_settlement_facts(parts),
            "rows": [
                [
                    line.subscription_line_id.id,
                    line.origin_line_id.id or 0,
                    line.currency_id.round(line.credit_untaxed),
                    line.currency_id.round(line.credit_tax),
                ]
                for line in self.line_ids
            ],
        }

    def _get_settlement_facts(self, parts=None):
        """Return what becomes, or became, of the money, without words."""
        if self.id:
            # sudo: kinds and amounts only.
            steps = self.sudo().step_ids
            return [
                [
                    step.kind,
                    step.currency_id.round(step.amount),
                    step.source_transaction_id.id or step.token_id.id,
                ]
                for step in steps
            ]
        parts = self._preview_settlement() if parts is None else parts
        return [
            [part.kind, part.currency.round(part.amount), part.method_id]
            for part in parts
        ]

    def _check_fingerprint(self, fingerprint):
        """Raise where the figures a person confirmed are no longer true.

        :param str fingerprint: of the preview; ``None``: nobody has seen one
        :raise UserError: something has changed, or this is no fingerprint
        """
        if fingerprint is None:
            return
        if not is_text(fingerprint) or not fingerprint:
            raise UserError(
                self.env._(
                    "“%s” is not a fingerprint: give the text that the preview "
                    "answered, or leave it out.",
                    quote(fingerprint),
                )
            )
        if fingerprint == self._fingerprint():
            return
        raise UserError(
            self.env._(
                "Subscription %(name)s changed since you saw the preview. %(changes)s "
                "Nothing was done: open the preview again and confirm the new figures.",
                name=self.subscription_id.display_name,
                changes=" ".join(self._describe_changes(fingerprint)),
            )
        )

    def _describe_changes(self, fingerprint):
        """Return in sentences what differs from the fingerprint."""
        new = self._get_facts()
        old = self._parse_fingerprint(fingerprint, new)
        changes = [
            *self._describe_changed_terms(old, new),
            *self._describe_changed_rows(old["rows"], new["rows"]),
            *self._describe_changed_money(old, new),
        ]
        return changes or [self.env._("The preview does not fit this request.")]

    def _parse_fingerprint(self, fingerprint, facts):
        """Return the facts of a fingerprint; those of ``facts`` where it has none."""
        try:
            parsed = json.loads(fingerprint, parse_constant=int)
            rows = [(int(row[0]), int(row[1])) for row in parsed["rows"]]
            known = {
                name: parsed[name]
                for name in facts
                if type(parsed[name]) is type(facts[name])
            }
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            return facts
        return {**facts, **known, "rows": rows}

    def _describe_changed_terms(self, old, new):
        """Return what differs in date, refund mode and approval."""
        if old["end"] != new["end"]:
            yield self.env._(
                "Service would now end on %(day)s.",
                day=format_day(self.env, self.last_service_date),
            )
        if old["mode"] != new["mode"]:
            modes = dict(self._fields["refund_mode"]._description_selection(self.env))
            yield self.env._("The refund mode is now “%s”.", modes[new["mode"]])
        if old["approval"] != new["approval"]:
            yield (
                self.env._("It now needs approval.")
                if new["approval"]
                else self.env._("It no longer needs approval.")
            )

    def _describe_changed_rows(self, old_rows, new_rows):
        """Return which lines and invoices came or went."""
        Line = self.env["sale.subscription.line"]
        Item = self.env["account.move.line"]
        before, after = ({row[0] for row in rows} for rows in (old_rows, new_rows))
        billed, bills = (
            {row[1] for row in rows} - {0} for rows in (old_rows, new_rows)
        )
        texts = {
            self.env._("Now also ends: %s."): (Line, after - before),
            self.env._("No longer ends with it: %s."): (Line, before - after),
            self.env._("Now also credited: %s."): (Item, bills - billed),
            self.env._("No longer credited: %s."): (Item, billed - bills),
        }
        for text, (model, ids) in texts.items():
            names = self._get_names(model.browse(ids))
            if names:
                yield text % ", ".join(names)

    def _get_names(self, records):
        """Return the names of lines that are there, and of invoices by their lines."""
        # sudo: names only, and of this subscription: a fingerprint may be forged.
        records = records.sudo().exists()
        if records._name == "sale.subscription.line":
            own = records.filtered_domain(
                [("sale_subscription_id", "=", self.subscription_id.id)]
            )
            return own.mapped("name")
        own = records.filtered(
            lambda item: (
                item.subscription_line_id.sale_subscription_id == self.subscription_id
            )
        )
        return own.move_id.mapped("name")

    def _describe_changed_money(self, old, new):
        """Return which amounts differ."""
        currency = self.currency_id
        labels = {
            "total": self.env._("The credit would be %(new)s instead of %(old)s."),
            "reduces": self.env._(
                "It would reduce open invoices by %(new)s instead of %(old)s."
            ),
        }
        for name, text in labels.items():
            if currency.compare_amounts(old[name], new[name]):
                yield text % {
                    "new": currency.format(new[name]),
                    "old": currency.format(old[name]),
                }
        if old["split"] != new["split"]:
            yield self.env._(
                "Settlement is now: %s.",
                "; ".join(
                    f"{part.text}: {part.currency.format(part.amount)}"
                    for part in self._preview_settlement()
                )
                or self.env._("nothing"),
            )
