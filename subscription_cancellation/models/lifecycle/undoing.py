# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Undoing an executed cancellation: lines, dates and credits come back."""

from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...formatting import format_day


class SubscriptionCancellation(models.Model):
    """Bring back what a cancellation ended, and remember how it was before.

    The cancellation itself stays done, as the proof it is; what happened to it
    afterwards is added.
    """

    _inherit = "subscription.cancellation"

    stage_before_id = fields.Many2one(
        comodel_name="sale.subscription.stage",
        readonly=True,
        ondelete="restrict",
        help="The stage the subscription was in when this cancellation closed it.",
    )
    next_date_before = fields.Date(
        string="Next Invoice Date Before",
        readonly=True,
        help="The first day that was not billed when this cancellation was executed.",
    )
    reactivated_date = fields.Datetime(string="Reactivated On", readonly=True)
    reactivated_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, ondelete="restrict"
    )
    is_undone = fields.Boolean(
        readonly=True, help="A mistake: as if there had been no cancellation."
    )
    undo_until_date = fields.Date(
        string="Undo Until",
        compute="_compute_undo_until_date",
        help="The last day on which this executed cancellation can be undone.",
    )
    can_undo = fields.Boolean(compute="_compute_can_undo")

    # === COMPUTE METHODS === #

    @api.depends("state", "executed_date", "policy_id.undo_days")
    def _compute_undo_until_date(self):
        for cancellation in self:
            days = cancellation._get_policy().undo_days
            done_at = cancellation.executed_date
            cancellation.undo_until_date = (
                cancellation.state == "done"
                and days
                and done_at
                and cancellation.subscription_id._to_local_date(done_at)
                + timedelta(days=days)
            )

    @api.depends_context("uid")
    @api.depends("state", "undo_until_date", "reactivated_date")
    def _compute_can_undo(self):
        for cancellation in self:
            cancellation.can_undo = (
                cancellation._may_revoke()
                and not cancellation._get_cannot_undo_reason()
                and cancellation._is_undo_possible()
            )

    def _is_undo_possible(self):
        """Return whether what this ended can go on as it was."""
        try:
            if self.stage_before_id:
                self.subscription_id._plan_reactivation("resume")
            else:
                lines = self._get_ended_lines()
                self.subscription_id._check_products_active(lines)
        except UserError:
            return False
        return True

    # === REMEMBER === #

    def _remember_next_dates(self):
        """Keep what closing will clear."""
        by_day = self.grouped(lambda cancellation: cancellation._get_next_date())
        for day, cancellations in by_day.items():
            cancellations.next_date_before = day

    def _get_next_date(self):
        """Return the next invoice date that billing would have."""
        days = [self.subscription_id.recurring_next_date]
        if self.extension_start_date:
            # Billed to the day, which regular billing knows nothing of.
            days.append(self.effective_date)
        return max(filter(None, days), default=False)

    # === UNDO === #

    def action_undo(self):
        """Undo (button)."""
        self._undo()

    def _undo(self):
        """Undo an executed cancellation within the policy's window, for mistakes.

        Where it closed the subscription, that is resumed; else the lines it ended
        come back.

        :raise UserError: too late, or there is nothing to undo
        """
        self.ensure_one()
        reason = self._get_cannot_undo_reason()
        if reason:
            raise UserError(reason)
        self._check_revoke_access()
        self.subscription_id.lock_for_update()
        if self.stage_before_id:
            undone = self.subscription_id._reactivate("resume", is_undo=True)
        else:
            undone = self
            self._as_engine()._bring_lines_back()
        undone._as_engine().is_undone = True

    def _get_cannot_undo_reason(self):
        """Return why this cannot be undone, or ``None``."""
        self.ensure_one()
        name = self.name
        if self.state != "done":
            return self.env._(
                "Cancellation %s is not executed, so there is nothing to undo.", name
            )
        if self.reactivated_date:
            return self.env._("Cancellation %s is undone already.", name)
        today = self.subscription_id._today()
        if not self.undo_until_date or self.undo_until_date < today:
            return self.env._(
                "Cancellation %s can no longer be undone: the time for that is over. "
                "Reactivate the subscription, or sell the service anew.",
                name,
            )
        orphan = self._get_orphan()
        if orphan:
            return self.env._(
                "Cancellation %(name)s cannot be undone: “%(line)s” is an add-on of "
                "“%(parent)s”, which has ended. Bring that one back first.",
                name=name,
                line=orphan.name,
                parent=orphan.parent_line_id.name,
            )
        closing = self.subscription_id._get_closing_cancellations()
        if self.subscription_id.cancellation_state == "cancelled" and (
            self not in closing
        ):
            return self.env._(
                "Cancellation %(name)s cannot be undone: the subscription has ended "
                "since. Reactivate the subscription first.",
                name=name,
            )
        pause = self._get_pause_without_lines()
        if pause:
            # One without an end ended with the subscription.
            days = pause._get_days(today)
            return self.env._(
                "Cancellation %(name)s cannot be undone: the subscription was paused "
                "from %(start)s to %(end)s, and paid days of “%(line)s” in that pause "
                "are not credited. Add the line anew.",
                name=name,
                start=format_day(self.env, days.start),
                end=format_day(self.env, days.last_day),
                line=self._get_ended_lines()[:1].name,
            )
        return None

    def _get_pause_without_lines(self):
        """Return a pause, over by now, that would have credited the ended lines, too.

        :rtype: ``sale.subscription.pause``
        """
        # sudo: whoever undoes need not be allowed to read pauses and journal items.
        pauses = self.sudo().subscription_id.pause_ids.filtered(
            lambda pause: (
                pause.state == "ended"
                and pause.refund_mode == "prorated"
                and pause.paused_on >= self.executed_date
            )
        )
        if not pauses or self.stage_before_id:
            return pauses[:0]
        items = self.env["account.move.line"].sudo()
        lines = self._get_ended_lines()
        billed_until = self._map_billed_until(lines, self._get_first_period_left_out())
        if self._is_still_paid(billed_until):
            days = billed_until.values()
        else:
            days = items._search_billed(lines)._get_ends_of_billed_days()
        last = max(days, default=date.min)
        return pauses.filtered(lambda pause: pause.date_from < last)[:1]

    def _get_orphan(self):
        """Return an ended add-on whose parent would stay ended, if there is one."""
        lines = self._get_ended_lines()
        return lines.filtered(
            lambda line: (
                line.parent_line_id
                and not line.parent_line_id.active
                and line.parent_line_id not in lines
            )
        )[:1]

    # === BRING BACK === #

    def _bring_lines_back(self):
        """Let the ended lines of a running subscription go on, and be billed again.

        What was paid for them is taken back from the credit; days from today on that
        the subscription was billed without them in the meantime are charged.
        """
        self.ensure_one()
        known = self._get_documents()
        lines = self._get_ended_lines()
        self.subscription_id._check_products_active(lines)
        never = self._get_first_period_left_out()
        billed_until = self._map_billed_until(lines, never)
        today = self.subscription_id._today()
        is_paid = self._is_still_paid(billed_until)
        if is_paid:
            self._take_back_credits()
        self._take_back_unbilled(all_of_it=is_paid)
        # What was taken back is not billed any more.
        billed_until = self._map_billed_until(lines, never)
        first_days = {
            line: max(today, day if is_paid else self.effective_date)
            for line, day in billed_until.items()
        }
        dropped_from = self._get_dropped_from()
        if dropped_from:
            raw = self.env["account.move.line"].sudo()._map_billed_until(lines)
            first_days = {
                line: max(dropped_from, raw.get(line.id) or dropped_from)
                for line in lines
            }
        lines._reactivate()
        self._join_open_end(lines)
        end = self.subscription_id.cancellation_date
        parts = self._get_left_out_parts(first_days, end, self._map_charges(lines))
        self.subscription_id._charge_days(parts, self)
        self.subscription_id._pause_lines(lines)
        self._set_reactivated()
        self._log_step({self: [self._get_undone_sentence()]}, known)

    def _join_open_end(self, lines):
        """Let lines that came back end with the subscription, if that is to end."""
        whole = self.subscription_id.cancellation_ids.filtered(
            lambda cancellation: cancellation.is_open and cancellation.is_whole
        )
        for cancellation in whole:
            cancellation._add_lines(lines)
            cancellation._set_line_dates()

    def _is_still_paid(self, billed_until):
        """Return whether today is in a period that the ended lines were billed for.

        Not where billing started anew in the meantime, with a new term.

        :param dict billed_until: first day that is not billed, by line
        """
        today = self.subscription_id._today()
        limit = self.subscription_id.recurring_next_date
        return any(today < day <= limit for day in billed_until.values())

    def _get_ended_lines(self):
        """Return the lines that these cancellations deactivated."""
        lines = self.line_ids.subscription_line_id
        return lines.filtered(lambda line: not line.active)

    def _take_back_credits(self, invoices=None):
        """Take the credit memos of these back by invoices for the same days.

        :param invoices: only the credit memos of these ``account.move``
        :raise UserError: a refund of one is on its way
        """
        credit_memos = self.credit_note_ids
        if invoices is not None:
            credit_memos = credit_memos.filtered(
                lambda memo: memo.reversed_entry_id in invoices
            )
        for transaction in credit_memos._get_refunds_on_way():
            raise UserError(
                self.env._(
                    "A refund of credit memo %(memo)s is on its way (%(reference)s). "
                    "Wait for the answer of %(provider)s, then try again.",
                    memo=transaction.invoice_ids[:1].name,
                    reference=transaction.reference,
                    provider=transaction.provider_id.name,
                )
            )
        return credit_memos._take_back_credits()

    def _is_credited(self):
        """Return whether these credited anything that still stands."""
        # sudo: the state of the credit memos only.
        return any(move.state != "cancel" for move in self.sudo().credit_note_ids)

    def _set_reactivated(self):
        """Add to the proof that, when and by whom this was taken back."""
        self.write(
            {
                "reactivated_date": fields.Datetime.now(),
                "reactivated_by_id": self.env.uid,
            }
        )
        self._record_event("reactivated")
        self._drop_steps()
        self._report_replaced()

    # === OUTPUT === #

    def _describe_take_back(self):
        """Return in words what becomes of the credit memos, or ``None``."""
        memos = self.sudo().credit_note_ids
        drafts = memos.filtered(lambda move: move.state == "draft")
        issued = memos._filter_not_taken_back()
        if issued:
            text = self.env._(
                "Credit memo %(names)s is taken back by an invoice of %(amount)s for "
                "the same days.",
                names=", ".join(issued.mapped("name")),
                amount=issued[0].currency_id.format(sum(issued.mapped("amount_total"))),
            )
            return " ".join(filter(None, [text, issued._describe_what_is_used()]))
        if drafts:
            return self.env._("The draft credit memo is cancelled.")
        return None
