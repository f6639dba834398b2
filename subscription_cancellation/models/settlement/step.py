# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...callers import is_manager
from ...const import STEP_KINDS
from ...engine import is_engine
from ...failures import CONFLICTS, explain
from ...formatting import as_note

_logger = logging.getLogger(__name__)

#: From each state, the states a step may go to.
STEP_TRANSITIONS = {
    "pending": {"done", "failed", "skipped"},
    "failed": {"pending", "done", "skipped"},
    # done: the provider may answer after somebody gave the step up.
    "skipped": {"pending", "done"},
    # An accountant has undone what was only booked, or used what was kept.
    "done": {"skipped"},
}
#: How long to wait after each failed attempt; after the last one a person has to look.
RETRY_DELAYS = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(RETRY_DELAYS) + 1
#: How often to look at what somebody else has to do first.
WAITING = timedelta(days=1)


class SubscriptionCancellationStep(models.Model):
    """One step of what follows a cancellation, with its outcome.

    The core of a cancellation is done before; a step that fails never undoes it.
    Everything is written by the engine; nobody has write access.
    """

    _name = "subscription.cancellation.step"
    _description = "Cancellation Settlement Step"
    _inherit = ["subscription.proof.mixin"]
    _order = "cancellation_id, sequence, id"
    _check_company_auto = True

    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="cancellation_id.company_id", store=True)
    partner_id = fields.Many2one(related="cancellation_id.partner_id")
    kind = fields.Selection(
        selection=STEP_KINDS, string="Step", required=True, readonly=True
    )
    sequence = fields.Integer(readonly=True)
    state = fields.Selection(
        selection=[
            ("pending", "Pending"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("skipped", "Skipped"),
        ],
        default="pending",
        required=True,
        readonly=True,
        index=True,
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", required=True, readonly=True
    )
    amount = fields.Monetary(readonly=True)
    source_move_id = fields.Many2one(
        comodel_name="account.move",
        string="Concerns",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The invoice or credit memo that the step is about.",
    )
    move_id = fields.Many2one(
        comodel_name="account.move",
        string="Resulting Document",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The invoice, credit memo or entry that came out of the step.",
    )
    payment_id = fields.Many2one(
        comodel_name="account.payment",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    first_day = fields.Date(
        readonly=True, help="First of the unbilled days that were invoiced or dropped."
    )
    note = fields.Text(
        readonly=True,
        help="What was done, or what the step is waiting for.",
    )
    error = fields.Text(readonly=True)
    attempts = fields.Integer(readonly=True)
    next_attempt_at = fields.Datetime(
        string="Next Attempt",
        readonly=True,
        help="When the step is taken, or looked at, again.",
    )
    done_date = fields.Datetime(string="Done On", readonly=True)
    asks_person = fields.Boolean(
        readonly=True, help="Somebody has to do something before it goes on."
    )
    can_retry = fields.Boolean(compute="_compute_can_retry")
    can_skip = fields.Boolean(compute="_compute_can_retry")
    can_send_again = fields.Boolean(compute="_compute_can_retry")
    can_say_done = fields.Boolean(compute="_compute_can_retry")

    _due_idx = models.Index(
        "(next_attempt_at, id) WHERE state IN ('pending', 'failed')"
    )

    # === COMPUTE METHODS === #

    @api.depends_context("uid")
    @api.depends("state")
    def _compute_can_retry(self):
        may = self._may_settle()
        for step in self:
            step.can_retry = may and not step._get_cannot_retry_reason()
            step.can_skip = may and not step._get_cannot_skip_reason()
            step.can_say_done = may and step.is_unknown
            is_undone = step.cancellation_id.reactivated_date
            step.can_send_again = step.can_say_done and not is_undone

    # === STATE === #

    def _set_state(self, state, **values):
        """Move to ``state``: the only place that writes it.

        :raise UserError: not an allowed transition
        """
        for step in self:
            if step.state != state and state not in STEP_TRANSITIONS[step.state]:
                labels = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(
                    self.env._(
                        "Step “%(step)s” of cancellation %(name)s is “%(state)s” "
                        "and cannot become “%(new)s”.",
                        step=step._get_kind_label(),
                        name=step.cancellation_id.name,
                        state=labels[step.state],
                        new=labels[state],
                    )
                )
        self.write({"state": state, "asks_person": False, **values})

    def write(self, vals):
        if not is_engine(self):
            raise UserError(
                self.env._(
                    "The settlement of a cancellation is part of its proof: it cannot "
                    "be changed. Use Retry or Skip."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._(
                "The settlement of a cancellation is part of its proof: it is kept."
            )
        )

    def _set_done(self, note, **values):
        """Finish: what was to be done is."""
        values = {"error": False, "next_attempt_at": False, **values}
        self._set_state("done", note=note, done_date=fields.Datetime.now(), **values)
        self._drop_activities()

    def _skip(self, note, **values):
        """Finish without doing it: there is nothing to do, or nobody wants it."""
        values = {"error": False, "next_attempt_at": False, **values}
        self._set_state("skipped", note=note, **values)
        self._drop_activities()

    def _wait(self, note, until_person=False):
        """Stay pending for something that has to happen first.

        :param bool until_person: somebody is told, once; else it is only looked at
            again later
        """
        is_new = until_person and self.note != note
        later = fields.Datetime.now() + WAITING
        self._set_state(
            "pending",
            note=note,
            error=False,
            next_attempt_at=later,
            asks_person=until_person,
        )
        if is_new:
            self._notify(note)

    def _fail(self, message, is_final=False):
        """Record why it did not work; try again later, or tell somebody.

        :param bool is_final: trying again by itself would not help, or be dangerous
        """
        is_last = is_final or self.attempts >= MAX_ATTEMPTS
        delay = RETRY_DELAYS[min(self.attempts, len(RETRY_DELAYS)) - 1]
        later = fields.Datetime.now() + delay
        self._set_state(
            "failed", error=message, next_attempt_at=False if is_last else later
        )
        if is_last:
            self._notify(message)
        else:
            self.cancellation_id._trigger_steps(later)

    def _notify(self, text, document=None):
        """Give somebody who may settle it something to do.

        :param document: where to, if it is to be done whatever the steps say later
        """
        summary = self.env._(
            "%(step)s: cancellation %(name)s",
            step=self._get_kind_label(),
            name=self.cancellation_id.name,
        )
        (document or self.cancellation_id).activity_schedule(
            "mail.mail_activity_data_warning",
            summary=summary,
            note=as_note(text),
            user_id=self._get_responsible().id,
        )

    def _get_responsible(self):
        """Return who is asked to settle: whoever looks after it, if they may.

        Else an accountant of the company. A hook.
        """
        user = self.cancellation_id._get_responsible()
        group = self.env.ref("account.group_account_invoice")
        accountants = group.all_user_ids._filter_responsible(self.company_id)
        return (user & accountants) or accountants[:1] or user

    def _drop_activities(self):
        """Remove what nobody has to do any more, once no step needs anybody."""
        for cancellation in self.cancellation_id:
            waiting = cancellation.step_ids.filtered(
                lambda step: step.state == "failed" or step._needs_person()
            )
            if cancellation.state == "done" and not (waiting - self):
                cancellation.activity_unlink(["mail.mail_activity_data_warning"])

    def _needs_person(self):
        """Return whether this does not go on by itself."""
        return self.is_by_hand or self.asks_person

    def _get_kind_label(self):
        """Return the step's name in the user's language."""
        return dict(self._fields["kind"]._description_selection(self.env))[self.kind]

    def _is_open(self):
        """Return whether this is still to be done."""
        return self.state in ("pending", "failed")

    @api.model
    def _search_open_refunds(self, credit_memos):
        """Return the steps that are still to refund these credit memos."""
        # sudo: who cancels need not be allowed to read the steps of others.
        return self.sudo().search(
            [
                ("kind", "=", "refund"),
                ("state", "in", ("pending", "failed")),
                ("source_move_id", "in", credit_memos.ids),
            ]
        )

    @api.model
    def _filter_free_credits(self, items):
        """Return the open credits that nobody is promised to get back.

        :param items: ``account.move.line``
        """
        promised = self._search_open_refunds(items.move_id).source_move_id
        orders = items.move_id._get_paid_orders()
        # sudo: who cancels need not be allowed to read the steps of others.
        waiting = self.sudo()._search_promised(orders)
        return items.filtered(
            lambda item: (
                item.move_id not in promised
                and not item.move_id._get_refunds_on_way()
                and not waiting & item.move_id._get_paid_orders()
            )
        )

    def _filter_refunds_to_come(self):
        """Return the refunds of these that are not done; nobody wants a skipped one.

        What is refunded is no longer open on the credit memo.
        """
        return self.filtered(
            lambda step: step.kind == "refund" and step.state != "done"
        )

    # === TAKE === #

    def _attempt(self):
        """Take this step once; the outcome, whatever it is, is committed."""
        self.ensure_one()
        self._set_state("pending", attempts=self.attempts + 1)
        try:
            with self.env.cr.savepoint():
                transaction = getattr(self, f"_do_{self.kind}")()
                self._balance_credits()
            if transaction:
                self._send(transaction)
        except CONFLICTS:
            # Somebody else is at it: it is taken when they are done.
            raise
        except UserError as error:
            self._fail(str(error))
        except Exception as error:
            _logger.exception("%s of %s failed", self.kind, self.cancellation_id.name)
            self._fail(explain(self.env, error))
        self.cancellation_id._commit_steps()

    def _balance_credits(self):
        """Look at what this leaves of the credit memos, if it says what they pay."""
        if self.kind in ("reduce", "apply_credits", "keep") and not self._is_open():
            self.cancellation_id._balance_credits()

    def _do_reduce(self):
        """Posting the credit memo has reduced its invoice."""
        memo = self.source_move_id
        if not self._wait_for_credit_memo():
            memo._reduce_what_is_due_again()
            others = self.cancellation_id.step_ids - self
            told = sum(others._filter_reductions(memo).mapped("amount"))
            self._set_reduction(memo._get_amount_matched_with(self.move_id) - told)

    def _set_reduction(self, amount):
        """Tell what the credit memo has taken off its invoice."""
        invoice = self.move_id
        amount = self.currency_id.round(amount)
        if amount:
            note = self.env._("Reduces invoice %s", invoice.name)
            self._set_done(note, amount=amount)
        else:
            note = self.env._("Nothing is due any more on %s.", invoice.name)
            self._skip(note, amount=0.0)

    def _filter_reductions(self, memo):
        """Return those of these by which a credit memo has reduced its invoice."""
        return self.filtered(
            lambda step: (
                step.kind == "reduce"
                and step.state == "done"
                and step.source_move_id == memo
            )
        )

    def _do_keep(self):
        """The credit memo is posted: what is left of it is the customer's credit."""
        if self._wait_for_credit_memo():
            return
        if self.amount:
            self._set_done(self.env._("Kept as credit on the customer's account"))
        else:
            self._skip(self._get_nothing_left())

    def _get_nothing_left(self):
        """Return in words why nothing of the credit memo is kept or refunded."""
        memo = self.source_move_id
        invoice = memo.reversed_entry_id
        if memo._get_amount_matched_with(invoice):
            text = self.env._(
                "Nothing is left of %(memo)s: it reduces invoice %(invoice)s."
            )
        else:
            text = self.env._("Nothing is left of %(memo)s: it is used up.")
        return text % {"memo": memo.name, "invoice": invoice.name}

    def _wake(self):
        """Look at once at those of these that something may have happened to.

        What failed is only taken again where it may be solved.
        """
        waiting = self.filtered(
            lambda step: (
                step.state == "pending"
                or (step.state == "failed" and step._is_solved())
            )
        )
        if waiting:
            waiting._as_engine().next_attempt_at = fields.Datetime.now()
            waiting.cancellation_id._trigger_steps()

    def _is_solved(self):
        """Return whether somebody else has done what this step could not."""
        is_unknown = self.kind in ("collect", "refund") and self.is_unknown
        is_about_money = self.kind in ("collect", "write_off", "refund")
        return bool(
            is_about_money
            and not is_unknown
            and self.source_move_id.state == "posted"
            and not self.source_move_id._get_receivable_items()
        )

    def _wait_for_credit_memo(self):
        """Return whether the credit memo is not posted: then wait, or give up."""
        memo = self.source_move_id
        name = memo.name or (memo.ref or "").strip() or memo.display_name
        if memo.state == "draft":
            self._wait(self.env._("Waits until %s is posted.", name))
        elif memo.state == "cancel":
            self._skip(self.env._("Credit memo %s was cancelled.", name), amount=0.0)
        return memo.state != "posted"

    # === BUTTONS === #

    def action_retry(self):
        """Take the step again, now (button)."""
        self.ensure_one()
        self._check_may_settle()
        reason = self._get_cannot_retry_reason()
        if reason:
            raise UserError(reason)
        engine = self._as_engine()
        engine._set_state("pending", attempts=0, next_attempt_at=fields.Datetime.now())
        engine._choose_token()
        engine.cancellation_id._run_steps()

    def action_skip(self):
        """Give the step up (button)."""
        self.ensure_one()
        self._check_may_settle()
        reason = self._get_cannot_skip_reason()
        if reason:
            raise UserError(reason)
        engine = self._as_engine()
        engine._skip(self.env._("Skipped by %s.", self.env.user.name))
        engine._balance_credits()
        engine.cancellation_id._trigger_steps()

    def _get_company_amount(self):
        """Return the amount in the company's currency, at the rate of its document."""
        self.ensure_one()
        amount = self.amount / (self.source_move_id.invoice_currency_rate or 1.0)
        return self.company_id.currency_id.round(amount)

    def _get_cannot_retry_reason(self):
        """Return why the step cannot be taken again, or ``None``."""
        if self.state == "done":
            return self.env._("“%s” is done already.", self._get_kind_label())
        if self.cancellation_id.reactivated_date:
            return self.env._(
                "Cancellation %s is undone: nothing follows it any more.",
                self.cancellation_id.name,
            )
        if self.kind == "unbilled":
            return self.env._("What was dropped can be invoiced by hand.")
        return None

    def _get_cannot_skip_reason(self):
        """Return why the step cannot be given up, or ``None``."""
        if self.state not in ("pending", "failed"):
            return self.env._("“%s” is finished already.", self._get_kind_label())
        return None

    def _may_settle(self):
        """Return whether the user looks after money or cancellations."""
        is_accountant = self.env.user.has_group("account.group_account_invoice")
        return is_accountant or is_manager(self.env)

    def _check_may_settle(self):
        self.cancellation_id.check_access("read")
        if not self._may_settle():
            raise AccessError(
                self.env._(
                    "Only accountants and cancellation managers repeat or skip a "
                    "settlement step."
                )
            )

    # === OUTPUT === #

    def _as_dict(self):
        """Return the public form of a step (contract)."""
        self.ensure_one()
        return {
            "kind": self.kind,
            "state": self.state,
            "amount": self.currency_id.round(self.amount),
            "currency": self.currency_id.name,
            "document": (self.move_id or self.source_move_id).name or False,
            "text": self.error if self.state == "failed" else self.note,
        }
