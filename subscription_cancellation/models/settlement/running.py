# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The steps that follow a cancellation: made with the core, taken after it."""

import contextlib

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.modules import module
from odoo.tools import SQL

from ...const import STEP_ORDER
from ...failures import CONFLICTS
from .settlement_part import SettlementPart

#: Names the advisory locks of this module among those of a database.
LOCK_SPACE = 19_0411
FINISHED = ("done", "skipped")


class SubscriptionCancellation(models.Model):
    """Make the steps, and take them one after the other, each exactly once."""

    _inherit = "subscription.cancellation"

    step_ids = fields.One2many(
        comodel_name="subscription.cancellation.step",
        inverse_name="cancellation_id",
        string="Settlement Steps",
        readonly=True,
    )
    settlement_state = fields.Selection(
        selection=[
            ("open", "In progress"),
            ("failed", "Needs attention"),
            ("done", "Settled"),
        ],
        string="Settlement",
        compute="_compute_settlement_state",
        store=True,
        help="Whether everything that follows this cancellation is done.",
    )

    @api.depends("step_ids.state", "step_ids.note", "step_ids.asks_person")
    def _compute_settlement_state(self):
        for cancellation in self:
            states = set(cancellation.step_ids.mapped("state"))
            if not states:
                cancellation.settlement_state = False
            elif "failed" in states or any(
                step._needs_person() for step in cancellation.step_ids
            ):
                cancellation.settlement_state = "failed"
            else:
                is_open = "pending" in states
                cancellation.settlement_state = "open" if is_open else "done"

    # === MAKE === #

    def _create_steps(self, parts_by_cancellation):
        """Make the steps of these, whose core is done.

        :param dict parts_by_cancellation: lists of ``SettlementPart``
        """
        values = []
        for cancellation in self:
            parts = [
                *parts_by_cancellation[cancellation],
                *cancellation._plan_confirmation(),
            ]
            values += [cancellation._prepare_step(part) for part in parts]
        steps = self.env["subscription.cancellation.step"].create(values)
        if "pending" in steps.mapped("state"):
            self._trigger_steps()

    def _prepare_step(self, part):
        """Return the values of the step for one part of the settlement."""
        source, move, state = part.source, part.move, part.state
        if part.credited:
            source = self._get_credit_note_of(part.credited)
        if part.kind == "reduce":
            move = part.credited
        if part.credited and state == "done" and source.state != "posted":
            state = "pending"
        now = fields.Datetime.now()
        return {
            "cancellation_id": self.id,
            "kind": part.kind,
            "sequence": STEP_ORDER[part.kind],
            "state": state,
            "currency_id": part.currency.id,
            "amount": part.amount,
            "source_move_id": source and source.id,
            "move_id": move and move.id,
            "first_day": part.first_day,
            "source_transaction_id": part.transaction and part.transaction.id,
            "token_id": part.token and part.token.id,
            "payment_id": part.payment and part.payment.id,
            "sale_order_id": (part.paid_order or part.is_left_to_order)
            and part.order.id,
            "note": part.text,
            "next_attempt_at": now if state == "pending" else False,
            "done_date": now if state == "done" else False,
        }

    def _get_credit_note_of(self, invoice):
        """Return this cancellation's credit memo for an invoice, if there is one."""
        return self.credit_note_ids.filtered(
            lambda memo: memo.reversed_entry_id == invoice
        )[:1]

    def _plan_confirmation(self):
        """Return the step that tells the customer, where that is wanted."""
        if not self.send_confirmation:
            return []
        partner = self.partner_id
        text = self.env._("Confirmation by e-mail")
        if not partner.email_normalized:
            text = self.env._(
                "No confirmation: %s has no e-mail address", partner.display_name
            )
        return [SettlementPart("confirm", 0.0, self.currency_id, text)]

    def _wake_steps(self):
        """Look at what these wait for at once: something has happened."""
        self.step_ids._wake()

    def _trigger_steps(self, moment=None):
        """Wake the scheduled action that takes the steps, now or at a moment."""
        self.env["ir.cron"]._wake_own("run_steps", moment)

    def _drop_steps(self):
        """Give up what has not begun: the cancellation was undone.

        A payment that arrives has to be matched all the same.
        """
        waiting = self.step_ids.filtered(
            lambda step: (
                step._is_open()
                and not step._is_on_way()
                and step.kind != "await_payment"
            )
        )
        waiting._as_engine()._skip(self.env._("The cancellation was undone."))

    # === TAKE === #

    @api.model
    def _get_due_steps_domain(self):
        return Domain("state", "in", ("pending", "failed")) & Domain(
            "next_attempt_at", "<=", fields.Datetime.now()
        )

    @api.model
    def _cron_run_steps(self, batch_size=100):
        """Take the steps that are due, cancellation by cancellation.

        Each step commits its own outcome. What is not taken now, because somebody
        else is at it, stays due.

        :param int batch_size: cancellations to look up at once
        """
        Step = self.env["subscription.cancellation.step"]
        domain = untried = self._get_due_steps_domain()
        tried = self.browse()
        while steps := Step.search(
            untried, order="next_attempt_at, id", limit=batch_size
        ):
            for cancellation in steps.cancellation_id:
                cancellation._run_steps_or_leave()
                tried |= cancellation
                # What waits for another step stays due, but is no work left.
                untried = domain & Domain("cancellation_id", "not in", tried.ids)
                left = Step.search_count(untried)
                if not self.env["ir.cron"]._commit_progress(1, remaining=left):
                    return

    def _run_steps_or_leave(self):
        """Take the steps of one; leave them to later where somebody else is at it."""
        try:
            self._run_steps()
        except CONFLICTS:
            self.env.cr.rollback()

    def _run_steps(self):
        """Take the steps of this one that are due, in their order."""
        self.ensure_one()
        engine = self._as_engine()
        with engine._hold_steps() as is_held:
            if not is_held:
                return
            taken = engine.step_ids.browse()
            while step := engine._get_next_step(taken):
                step._attempt()
                taken |= step

    def _get_next_step(self, taken):
        """Return the next step that is due and need not wait for another one."""
        now = fields.Datetime.now()
        for step in (self.step_ids - taken).sorted(
            lambda step: (step.sequence, step.id)
        ):
            is_due = step.next_attempt_at and step.next_attempt_at <= now
            if step.state not in FINISHED and is_due and not self._is_blocked(step):
                return step
        return None

    def _is_blocked(self, step):
        """Return whether another step comes first.

        What credits pay of open invoices, their own first, is neither refunded nor
        collected or written off; the confirmation says what was at least tried.
        """
        open_steps = (self.step_ids - step).filtered(
            lambda other: other.state not in FINISHED
        )
        kinds = set(open_steps.mapped("kind"))
        if step.kind == "refund":
            is_reduced = any(
                other.kind == "reduce" and other.source_move_id == step.source_move_id
                for other in open_steps
            )
            return is_reduced or "apply_credits" in kinds
        if step.kind in ("collect", "write_off"):
            return bool(kinds & {"reduce", "apply_credits"})
        if step.kind == "confirm":
            return any(
                not (other.attempts or self._is_blocked(other)) for other in open_steps
            )
        return False

    @contextlib.contextmanager
    def _hold_steps(self):
        """Be the only one who takes the steps of this one, across commits.

        A lock of the database session: it outlives the commits in between, and is
        gone with the session when the process is killed.
        """
        key = (LOCK_SPACE, self.id)
        self.env.cr.execute(SQL("SELECT pg_try_advisory_lock(%s, %s)", *key))
        [is_held] = self.env.cr.fetchone()
        try:
            if is_held:
                # See what whoever held it before has committed.
                self._commit_steps()
                self.env.invalidate_all()
            yield is_held
        except psycopg2.Error:
            # Else the lock could not be given back.
            self.env.cr.rollback()
            raise
        finally:
            if is_held:
                self.env.cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", *key))

    def _commit_steps(self):
        """Commit, so that what was done or is about to be done outside is known.

        Not in tests, whose transactions are rolled back.
        """
        if not module.current_test:
            # Money is about to move, or has moved, where no rollback reaches.
            self.env["ir.cron"]._commit_progress()
