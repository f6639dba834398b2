# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How a cancellation is told: to people in sentences, to software as a dict."""

from odoo import fields, models

from ...formatting import format_day, format_days

#: What an answer says of the money.
AMOUNTS = (
    "credit_untaxed",
    "credit_tax",
    "credit_total",
    "reduces_invoices",
    "refundable",
)


class SubscriptionCancellation(models.Model):
    """Describe a planned or real cancellation."""

    _inherit = "subscription.cancellation"

    def _describe(self, name=None):
        """Return what is cancelled, for messages: all of it, or which lines.

        :param name: the reference, where it is a link
        """
        self.ensure_one()
        name = name or self.name
        if self.is_whole:
            return self.env._("Cancellation %(name)s", name=name)
        return self.env._(
            "Cancellation %(name)s of %(lines)s",
            name=name,
            lines=", ".join(self.line_ids.subscription_line_id.mapped("name")),
        )

    def _get_preview_sentences(self, outlook):
        """Return in plain words what this plan leads to.

        :param Outlook outlook: what is still to come
        """
        self.ensure_one()
        return [
            self._get_end_sentence(),
            self._get_credit_sentence(outlook),
            *self._get_charge_sentences(outlook),
            *self._get_paid_ahead_sentences(),
            *self._get_advance_sentences(),
            *self._get_extension_sentences(),
            *self._get_terms_sentences(),
            *self._get_approval_sentences(),
        ]

    def _get_extension_sentences(self):
        """Return what becomes of extra days that another cancellation charged."""
        replaced = self.line_ids.subscription_line_id._get_open_cancellations()
        invoices = (replaced - self._origin)._get_extension_invoices()
        if not invoices:
            return []
        return [
            self.env._(
                "The invoice of extra days is taken back by a credit memo of its own "
                "(%s).",
                ", ".join(invoices.mapped("name")),
            )
        ]

    def _get_terms_sentences(self):
        """Return what notice, minimum term and alignment mean for this one."""
        sentences = [*self._get_extraordinary_sentences()]
        if not self.earliest_end_date:
            return sentences
        dates = {
            "end": format_day(self.env, self.earliest_end_date),
            "limit": format_day(self.env, self.cancel_by_date),
        }
        if self._ignores_terms():
            text = self.env._(
                "The earliest ordinary end is %(end)s, if cancelled by %(limit)s."
            )
        else:
            text = self.env._("To end on %(end)s, cancel by %(limit)s.")
        return [*sentences, text % dates]

    def _get_extraordinary_sentences(self):
        """Return in a list why this is no ordinary cancellation, if it is none."""
        if self._ignores_terms():
            return [
                self.env._(
                    "Extraordinary cancellation: notice periods and terms are ignored."
                )
            ]
        if self.is_extraordinary:
            return [self.env._("Extraordinary cancellation, for an important reason.")]
        return []

    def _get_approval_sentences(self):
        """Return what has to happen before this comes true, if anything."""
        if self.state != "to_approve":
            return []
        return [
            self.env._(
                "A cancellation manager has to approve this first, because %s.",
                self.approval_reason,
            )
        ]

    def _get_end_sentence(self):
        """Return the sentence about the end of service."""
        if not self.subscription_id._is_started():
            return self.env._("Service has not started and will not.")
        return self.env._(
            "Service ends on %s.", format_day(self.env, self.last_service_date)
        )

    def _get_credit_sentence(self, outlook):
        """Return the sentence about the credit memos, if any.

        :param Outlook outlook: what is still to come
        """
        if not outlook.credited.total:
            return self.env._("No credit memo will be issued.")
        by_invoice = self.line_ids._get_lines_to_credit()
        values = {
            "credit": outlook.currency.format(outlook.credited.total),
            "count": len(by_invoice),
        }
        if not self._is_due_on_request():
            return self.env._(
                "A credit of %(credit)s is expected; it is computed on that day.",
                **values,
            )
        if len(by_invoice) > 1:
            return self.env._(
                "%(count)s credit memos of %(credit)s in total will be issued.",
                **values,
            )
        [lines] = by_invoice.values()
        periods = [line._get_credited_period() for line in lines]
        return self.env._(
            "A credit memo of %(credit)s will be issued for %(period)s.",
            period=format_days(
                self.env,
                min(period.start for period in periods),
                max(period.last_day for period in periods),
            ),
            **values,
        )

    def _get_charge_sentences(self, outlook):
        """Return from when on nothing is charged, where service ends later.

        :param Outlook outlook: what is still to come
        """
        if self._is_due_on_request():
            return []
        day = outlook.last_charge and format_day(self.env, outlook.last_charge)
        if not self._ends_everything():
            lines = ", ".join(self.line_ids.subscription_line_id.mapped("name"))
            if not day:
                return [self.env._("There will be no new charges for %s.", lines)]
            return [
                self.env._(
                    "There will be no charges for %(lines)s after %(day)s.",
                    lines=lines,
                    day=day,
                )
            ]
        if not day:
            return [self.env._("There will be no new charges.")]
        return [self.env._("There will be no charges after %s.", day)]

    def _get_preview_warnings(self):
        """Return what the person should know before confirming."""
        self.ensure_one()
        return [*self._get_open_warnings(), *self._get_left_out_warnings()]

    def _get_open_warnings(self):
        """Return what may still change before this is executed, or by it."""
        return [
            *self._get_draft_warnings(),
            *self._get_paid_ahead_warnings(),
            *self._get_write_off_warnings(),
            *self._get_unmatched_back_warnings(),
        ]

    def _get_draft_warnings(self):
        """Return that drafts wait to be posted, where service ends later."""
        if self._is_due_on_request():
            return []
        # sudo: the names of the drafts only.
        lines = self.line_ids.subscription_line_id
        items = self.env["account.move.line"].sudo()._search_drafts(lines)
        drafts = items.filtered(
            lambda item: item.end_date >= self.effective_date
        ).move_id
        if not drafts:
            return []
        names = ", ".join(drafts.mapped("display_name"))
        if self.unbilled_charges == "drop":
            return [
                self.env._(
                    "Draft invoices exist for days after the end of service (%s). "
                    "What is not posted until then is dropped.",
                    names,
                )
            ]
        return [
            self.env._(
                "Draft invoices exist for days after the end of service (%s). What is "
                "not posted until then is invoiced to the day.",
                names,
            )
        ]

    def _render_preview(self, parts=None, outlook=None):
        """Return the preview as HTML.

        :param list parts: of the settlement, where they are known already
        :param Outlook outlook: what is still to come, where it is known already
        """
        parts = self._preview_settlement() if parts is None else parts
        outlook = outlook or self._get_outlook(parts)
        bills, without = self._group_rows_by_bill(self._get_rows_to_show(outlook))
        return self.env["ir.qweb"]._render(
            "subscription_cancellation.cancellation_preview",
            {
                "plan": self,
                "upcoming": self._tell_upcoming(outlook),
                "bills": bills,
                "without": without,
                "parts": self._join_alike(parts),
                "sentences": self._get_preview_sentences(outlook),
                "warnings": [
                    *self._get_preview_warnings(),
                    *self._get_unbilled_warnings(parts),
                ],
            },
        )

    def _join_alike(self, parts):
        """Return the parts to list: those alike as one, none that a warning tells.

        :param list parts: of ``SettlementPart``
        """
        joined = {}
        for part in parts:
            if self._is_due_on_request() and part.is_left_out and part.amount:
                continue
            known = joined.get((part.text, part.currency))
            amount = part.amount + (known.amount if known else 0.0)
            joined[part.text, part.currency] = part._replace(amount=amount)
        return list(joined.values())

    def _group_rows_by_bill(self, rows):
        """Return rows by what they credit: the invoice and the days that it bills.

        :param rows: ``subscription.cancellation.line``
        :return: a list of pairs, what is credited in words and the rows of it; and the
            rows of which nothing is credited
        """
        credited = rows.filtered("credit_untaxed")
        bills = credited.grouped(
            lambda row: (row.origin_move_id.name, row.period_start, row.period_end)
        )
        told = [
            (
                self.env._(
                    "%(invoice)s, %(period)s",
                    invoice=name,
                    period=format_days(self.env, first, last, date_format="medium"),
                ),
                own,
            )
            for (name, first, last), own in bills.items()
        ]
        return told, rows - credited

    def _as_dict(self):
        """Return the public form of a planned or real cancellation (contract).

        One that is still to be executed tells the figures of its preview.
        """
        self.ensure_one()
        plan = self._get_plan()
        parts = [] if plan.id else plan._preview_settlement()
        outlook = plan._get_outlook(parts)
        # sudo: names of documents only.
        steps = [step._as_dict() for step in self.sudo().step_ids]
        return {
            "cancellation_id": self.id or False,
            "state": self._get_public_state(),
            "timing": self.timing,
            "effective_date": fields.Date.to_string(self.effective_date),
            "last_service_date": fields.Date.to_string(self.last_service_date),
            "earliest_end": fields.Date.to_string(self.earliest_end_date) or False,
            "cancel_by": fields.Date.to_string(self.cancel_by_date) or False,
            "extraordinary": self.is_extraordinary,
            "approval_reason": self.approval_reason or False,
            "currency": outlook.currency.name,
            **self._get_told_amounts(plan, outlook),
            "upcoming": outlook.as_dicts(),
            "lines": plan._get_told_rows(self)._as_dicts(),
            "settlement": steps + self._settlement_as_dicts(parts),
            "warnings": [
                *(self._get_open_warnings() if self.is_open else ()),
                *plan._get_left_out_warnings(),
                *plan._get_unbilled_warnings(parts),
            ],
            "fingerprint": plan._fingerprint(parts),
        }

    def _get_told_amounts(self, plan, outlook):
        """Return the amounts of the public form.

        What is stored of one that is not executed was credited in advance.

        :param plan: what this would lead to as of now
        :param Outlook outlook: of that plan
        """
        stored = self - plan
        amounts = zip(AMOUNTS, outlook.get_amounts(), strict=True)
        return {
            name: outlook.currency.round(amount + sum(stored.mapped(name)))
            for name, amount in amounts
        }

    def _get_told_rows(self, stored):
        """Return the rows of this plan, and those ``stored`` ones credited in advance.

        :param stored: ``subscription.cancellation``, the plan itself or its record
        """
        advance = stored.line_ids.filtered("is_advance") - self.line_ids
        rows = self.line_ids.filtered(
            lambda row: (
                row.origin_line_id - advance.origin_line_id
                or row.subscription_line_id not in advance.subscription_line_id
            )
        )
        return rows + advance

    def _get_public_state(self):
        """Return the state; of a plan, the one that confirming it would lead to."""
        if self.id or self.state == "to_approve":
            return self.state
        return "done" if self._is_due_on_request() else "scheduled"
