# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""From a plan to a cancellation: it becomes real, and executed where it is due."""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...const import POLICY_OPTIONS
from ...engine import as_caller
from ...formatting import format_day


class SubscriptionCancellation(models.Model):
    """Confirm a planned cancellation."""

    _inherit = "subscription.cancellation"

    was_replaced = fields.Boolean(
        readonly=True,
        help="Revoked because another cancellation ends the same line earlier.",
    )

    # === CONFIRM === #

    def _confirm(self):
        """Make the virtual cancellation a real one and execute it where it is due.

        :return: the real cancellation
        """
        self.ensure_one()
        self._check_may_take_over(self.line_ids)
        engine = self._as_engine()
        # Read first: taking over may delete rows, which empties the ORM's cache and
        # with it this virtual record.
        values, is_due = self._prepare_confirmation(), self._is_due_on_request()
        expected = None if is_due else self._get_credit_sentence(self._get_outlook())
        engine._take_over(engine.line_ids.subscription_line_id)
        # What ended in this transaction must not look open to the unique indexes.
        engine.flush_model(["is_open"])
        engine.line_ids.flush_model(["is_open"])
        cancellation = engine._create_without_note(values)
        if cancellation.reason_id:
            cancellation.reason_id._keep_names(cancellation)
        cancellation._set_line_dates()
        cancellation._record_event("requested")
        if cancellation.state == "to_approve":
            cancellation._record_event("approval_needed")
            cancellation._ask_for_approval()
            cancellation._log_request(expected)
            cancellation._send_confirmation("requested")
        elif is_due:
            cancellation._execute()
        else:
            sentences = [cancellation._get_scheduled_sentence(), expected]
            cancellation._schedule(sentences, has_reasons=True)
        return as_caller(cancellation.sudo(self.env.su))

    def _prepare_confirmation(self):
        """Return the values of the real cancellation: the request and its scope."""
        names = [
            "subscription_id",
            "partner_id",
            "policy_id",
            "is_whole",
            "state",
            "approval_reason",
            "channel",
            *POLICY_OPTIONS,
            "requested_date",
            "effective_date",
            "earliest_end_date",
            "cancel_by_date",
            "post_credit_memos",
            "advance_credit",
            "declaration_id",
            "reason_id",
            "comment",
            "request_date",
            "requested_by_id",
            "currency_id",
            "idempotency_key",
        ]
        values = self._convert_to_write({name: self[name] for name in names})
        lines = self.line_ids.grouped("subscription_line_id")
        return {
            **values,
            "name": self.env["ir.sequence"].next_by_code(self._name),
            "line_ids": [
                Command.create(
                    {
                        "subscription_line_id": line.id,
                        "is_cascaded": rows[:1].is_cascaded,
                        "currency_id": self.currency_id.id,
                    }
                )
                for line, rows in lines.items()
            ],
        }

    def _check_may_take_over(self, rows):
        """Raise where these would replace what somebody else has scheduled."""
        for other in rows.subscription_line_id._get_open_cancellations() - self:
            other = other.sudo(self.env.su)
            if not other._may_revoke():
                raise UserError(
                    self.env._(
                        "Cancellation %(name)s of %(lines)s was requested by %(user)s; "
                        "only they or a cancellation manager can replace it by "
                        "another one.",
                        name=other.name,
                        lines=", ".join(
                            other.line_ids.subscription_line_id.mapped("name")
                        ),
                        user=other.requested_by_id.name,
                    )
                )

    def _take_over(self, lines):
        """Free lines from other cancellations: scheduled later, or undecided.

        A line has one open cancellation: the one with the earliest date.
        """
        # Read first: releasing deletes rows, which empties the cache of virtual ones.
        is_undecided = "to_approve" in self.mapped("state")
        until = max(self.mapped("effective_date"))
        rows = lines.cancellation_line_ids.filtered("is_open")
        for row in rows.filtered(lambda row: row.cancellation_id not in self):
            if is_undecided:
                row._raise_not_replaced()
            row.cancellation_id._release_line(row, until)

    def _release_line(self, row, until):
        """Give up one line to a cancellation with an earlier date.

        Extra days that were charged are charged anew, without the line. What regular
        invoices were made without it for is charged up to its new end.

        :param date until: the line's new end, first day without service
        """
        self.ensure_one()
        self._check_not_credited_in_advance()
        line = row.subscription_line_id
        known = self._get_documents()
        first_extra_day = self.extension_start_date
        self._take_back_extension()
        is_over = self.line_ids == row and not self.is_whole
        if is_over:
            self._set_state("revoked")
            self._drop_activities()
            self.was_replaced = True
        else:
            row.unlink()
            if first_extra_day:
                self._charge_extension(first_extra_day)
        self._charge_left_out_days(line, until)
        if is_over:
            self._log_step({self: [self._get_replaced_sentence()]}, known)
            self._record_event("revoked")

    def _report_replaced(self):
        """Tell somebody which ends these had replaced, now that they are taken back.

        What is revoked is final; whether it still holds, a person knows.
        """
        for cancellation in self:
            lines = cancellation.line_ids.subscription_line_id
            replaced = cancellation.subscription_id.cancellation_ids.filtered(
                lambda other, lines=lines: (
                    other.was_replaced
                    and other.effective_date > other.subscription_id._today()
                    and other.line_ids.subscription_line_id & lines
                )
            )
            for other in replaced:
                cancellation._notify_responsible(
                    self.env._("An end of service to schedule again"),
                    self.env._(
                        "%(lines)s: was to end on %(date)s (%(other)s), which "
                        "%(name)s had replaced. Request it again if it still holds.",
                        lines=", ".join(
                            other.line_ids.subscription_line_id.mapped("name")
                        ),
                        date=format_day(self.env, other.last_service_date),
                        other=other.name,
                        name=cancellation.name,
                    ),
                )
                other.was_replaced = False

    def _set_line_dates(self):
        """Tell the lines when they end; billing respects it from now on."""
        for day, cancellations in self.grouped("effective_date").items():
            cancellations.line_ids.subscription_line_id._set_end(day)
        self.subscription_id._refuse_older_billing()

    def _schedule(self, sentences, has_reasons=False):
        """Leave this to the scheduled action, woken for its moment.

        :param list sentences: what the history says
        :param bool has_reasons: whether it says why this was requested
        """
        self.ensure_one()
        known = self._get_documents()
        self._trigger_execution()
        self._credit_advance()
        self._log_step({self: sentences}, known, has_reasons)
        self._record_event("scheduled")
        self._send_confirmation("scheduled")

    def _trigger_execution(self):
        """Wake the scheduled action for the moment these are due."""
        self.env["ir.cron"]._wake_own("execute_due", self.mapped("due_at"))

    # === EXECUTE === #

    def _execute(self):
        """End the service and credit it; all or nothing, no commit.

        Written for many at once: one ``create`` and one ``_post`` for all credit memos.
        """
        self = self._as_engine()  # noqa: PLW0642
        self.subscription_id.lock_for_update()
        known = self._get_documents()
        self._store_rows()
        # What is open is looked at before the credits reduce it.
        parts = self._plan_settlements(self._settle_unbilled())
        credit_notes = self._get_new_rows()._create_credit_memos()
        credit_notes._post_cancellation_credits()
        parts = self._take_over_posted(credit_notes, parts)
        self._remember_next_dates()
        self.line_ids.subscription_line_id._deactivate()
        self._set_line_dates()
        self._settle_orders(parts)
        self._set_state(
            "done", executed_date=fields.Datetime.now(), failure_message=False
        )
        self._close_subscriptions()
        self._log_execution(known)
        self._create_steps(parts)

    def _store_rows(self):
        """Replace the planned rows by what is creditable as of now, if anything is."""
        CancellationLine = self.env["subscription.cancellation.line"]
        self._forget_cancelled_advance()
        scopes = self._get_scopes()
        self._take_over(scopes[0].lines.union(*(scope.lines for scope in scopes)))
        values = []
        replaced = CancellationLine
        for cancellation, rows in zip(
            self, CancellationLine._compute_rows(scopes), strict=True
        ):
            rows = cancellation._complete_rows(rows)
            planned = cancellation._get_new_rows()
            if not planned._are_as_planned(rows):
                replaced |= planned
                values += rows
        replaced.unlink()
        CancellationLine.create(values)
        # Rows of advance invoices stay; now they may be the first ones.
        monthly_revenue = CancellationLine._fields["monthly_revenue"]
        self.env.add_to_compute(monthly_revenue, self.line_ids)

    def _close_subscriptions(self):
        """Close, through upstream's own method, what has no active line left."""
        ending = self.filtered(
            lambda cancellation: (
                not cancellation.subscription_id.sale_subscription_line_ids
            )
        )
        by_stage = ending.grouped(lambda one: one.subscription_id.stage_id)
        for stage, cancellations in by_stage.items():
            cancellations.stage_before_id = stage
        for subscription, cancellations in ending.grouped("subscription_id").items():
            subscription._close(cancellations.reason_id[:1].id)
            subscription.cancellation_ids.filtered("is_open")._set_obsolete()

    def _set_obsolete(self):
        """Revoke what the end of the subscription has overtaken."""
        if not self:
            return
        self._drop_activities()
        known = self._get_documents()
        self._take_back_extension()
        self._set_state("revoked", is_obsolete=True)
        self._record_event("revoked")
        self._log_step({one: [one._get_obsolete_sentence()] for one in self}, known)
