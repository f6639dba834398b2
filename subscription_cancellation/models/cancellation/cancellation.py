# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ...callers import is_manager
from ...const import ADVANCE_CREDITS, CHANNELS, REFUND_MODES, TIMINGS
from ...engine import is_engine
from ...formatting import as_note
from ...ledger.credit_scope import CreditScope
from ..common.actions import show_records

OPEN_STATES = ("to_approve", "scheduled", "failed")
#: From each state, the states a cancellation may go to. A new one is scheduled, or
#: waits for approval.
TRANSITIONS = {
    "to_approve": {"scheduled", "refused", "revoked"},
    "scheduled": {"done", "revoked", "failed", "to_approve"},
    "failed": {"scheduled", "revoked"},
    "done": set(),
    "revoked": set(),
    "refused": set(),
}
#: What may still change on a final cancellation: bookkeeping of the record itself.
FINAL_WRITABLE = {
    "activity_ids",
    "message_follower_ids",
    "message_ids",
    "message_main_attachment_id",
    "website_message_ids",
}


class SubscriptionCancellation(models.Model):
    """A request to end a subscription or some of its lines, and its proof.

    Everything is written by the engine below; nobody has write access.
    """

    _name = "subscription.cancellation"
    _description = "Subscription Cancellation"
    _inherit = [
        "subscription.tracking.mixin",
        "mail.thread",
        "mail.activity.mixin",
        "subscription.proof.mixin",
    ]
    _order = "id desc"
    _check_company_auto = True
    _mail_post_access = "read"

    name = fields.Char(
        string="Reference", default="/", copy=False, readonly=True, index="trigram"
    )
    subscription_id = fields.Many2one(
        comodel_name="sale.subscription",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    company_id = fields.Many2one(
        related="subscription_id.company_id", store=True, index=True
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        readonly=True,
        index=True,
        ondelete="restrict",
        help="The customer at the time of the request.",
    )
    line_ids = fields.One2many(
        comodel_name="subscription.cancellation.line",
        inverse_name="cancellation_id",
        string="Lines",
        readonly=True,
    )
    is_whole = fields.Boolean(
        string="Whole Subscription",
        readonly=True,
        help="Ends every line of the subscription, also those added later.",
    )
    state = fields.Selection(
        selection=[
            ("to_approve", "To Approve"),
            ("scheduled", "Scheduled"),
            ("done", "Done"),
            ("revoked", "Revoked"),
            ("refused", "Refused"),
            ("failed", "Failed"),
        ],
        default="scheduled",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    is_open = fields.Boolean(compute="_compute_is_open", store=True)
    channel = fields.Selection(
        selection=CHANNELS,
        required=True,
        readonly=True,
    )
    policy_id = fields.Many2one(
        comodel_name="subscription.cancellation.policy",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The policy that applied; empty: the built-in default.",
    )
    timing = fields.Selection(
        selection=TIMINGS, string="When", required=True, readonly=True
    )
    requested_date = fields.Date(readonly=True)
    effective_date = fields.Date(
        required=True,
        readonly=True,
        help="First day without service.",
    )
    last_service_date = fields.Date(
        string="Ends On",
        compute="_compute_last_service_date",
        store=True,
        help="The last day of service.",
    )
    earliest_end_date = fields.Date(
        string="Earliest End",
        readonly=True,
        help="The last day of service if notice, minimum term and alignment of the "
        "policy are kept; empty where there are none to keep.",
    )
    cancel_by_date = fields.Date(
        string="Cancel By",
        readonly=True,
        help="The last day on which to ask for the earliest end.",
    )
    is_extraordinary = fields.Boolean(
        string="Extraordinary",
        compute="_compute_is_extraordinary",
        store=True,
        help="Before the earliest end, so that notice periods and terms are ignored; "
        "or declared for an important reason.",
    )
    due_at = fields.Datetime(
        compute="_compute_due_at",
        store=True,
        help="When the effective date begins for the customer.",
    )
    refund_mode = fields.Selection(selection=REFUND_MODES, required=True, readonly=True)
    cancel_day_billed = fields.Boolean(
        string="Cancellation day is billed", readonly=True
    )
    post_credit_memos = fields.Boolean(readonly=True)
    reason_id = fields.Many2one(
        comodel_name="sale.subscription.close.reason",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    reason_name = fields.Char(
        string="Given Reason",
        translate=True,
        readonly=True,
        help="What the reason was called when it was given, in each language.",
    )
    comment = fields.Text(readonly=True)
    request_date = fields.Datetime(string="Requested On", readonly=True)
    requested_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, ondelete="restrict"
    )
    executed_date = fields.Datetime(string="Done On", readonly=True)
    failure_message = fields.Text(readonly=True)
    currency_id = fields.Many2one(
        comodel_name="res.currency", required=True, readonly=True
    )
    credit_untaxed = fields.Monetary(compute="_compute_amounts", store=True)
    credit_tax = fields.Monetary(compute="_compute_amounts", store=True)
    credit_total = fields.Monetary(compute="_compute_amounts", store=True)
    reduces_invoices = fields.Monetary(
        compute="_compute_amounts",
        store=True,
        help="The part of the credit that reduces open invoices.",
    )
    refundable = fields.Monetary(
        compute="_compute_amounts",
        store=True,
        help="What exceeds what is due of the credit, and what orders leave of money.",
    )
    credit_note_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="cancellation_id",
        string="Credit Memos",
        domain=[("move_type", "=", "out_refund")],
        readonly=True,
    )
    credit_note_count = fields.Integer(
        string="Number of Credit Memos", compute="_compute_credit_note_count"
    )
    can_retry = fields.Boolean(compute="_compute_can_revoke")

    _open_whole_uniq = models.UniqueIndex(
        "(subscription_id) WHERE is_open AND is_whole",
        "This subscription already has a scheduled cancellation. Revoke that one "
        "first.",
    )
    _due_idx = models.Index("(due_at, id) WHERE state = 'scheduled'")
    declaration_id = fields.Many2one(
        comodel_name="subscription.cancellation.declaration",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="What was declared on the public cancellation page.",
    )
    advance_credit = fields.Selection(
        selection=ADVANCE_CREDITS,
        string="Advance Invoices Credited",
        default="at_end",
        required=True,
        readonly=True,
    )

    # === COMPUTE METHODS === #

    @api.depends("state")
    def _compute_is_open(self):
        for cancellation in self:
            cancellation.is_open = cancellation.state in OPEN_STATES

    @api.depends("effective_date")
    def _compute_last_service_date(self):
        for cancellation in self:
            end = cancellation.effective_date
            cancellation.last_service_date = end and fields.Date.subtract(end, days=1)

    @api.depends("effective_date", "earliest_end_date", "declaration_id.kind")
    def _compute_is_extraordinary(self):
        for cancellation in self:
            is_for_cause = cancellation.declaration_id.kind == "extraordinary"
            cancellation.is_extraordinary = (
                is_for_cause or cancellation._ignores_terms()
            )

    @api.depends("effective_date", "subscription_id")
    def _compute_due_at(self):
        for cancellation in self:
            subscription = cancellation.subscription_id
            cancellation.due_at = subscription._get_first_moment(
                cancellation.effective_date
            )

    @api.depends(
        "line_ids.credit_untaxed",
        "line_ids.credit_tax",
        "line_ids.reduces_invoice",
        "currency_id",
    )
    def _compute_amounts(self):
        for cancellation in self:
            untaxed = cancellation._sum_lines("credit_untaxed")
            tax = cancellation._sum_lines("credit_tax")
            reducing = cancellation._sum_lines("reduces_invoice")
            cancellation.credit_untaxed = untaxed
            cancellation.credit_tax = tax
            cancellation.credit_total = untaxed + tax
            cancellation.reduces_invoices = reducing
            cancellation.refundable = untaxed + tax - reducing

    @api.depends("credit_note_ids")
    def _compute_credit_note_count(self):
        for cancellation in self:
            # sudo: the number may be seen by people who cannot open the documents.
            cancellation.credit_note_count = len(cancellation.sudo().credit_note_ids)

    def _sum_lines(self, field):
        """Return the sum of an amount of the lines, in the document's currency."""
        return sum(
            # Converts only for the rare cancellation that credits several currencies.
            line.currency_id._convert(
                line[field], self.currency_id, self.company_id, self.effective_date
            )
            for line in self.line_ids
        )

    # === STATE === #

    def _set_state(self, state, **values):
        """Move to ``state``: the only place that writes it.

        :raise UserError: not an allowed transition
        """
        for cancellation in self:
            if state not in TRANSITIONS[cancellation.state]:
                labels = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(
                    self.env._(
                        "Cancellation %(name)s is “%(state)s” and cannot become "
                        "“%(new)s”.",
                        name=cancellation.name,
                        state=labels[cancellation.state],
                        new=labels[state],
                    )
                )
        self.write({"state": state, **values})

    def _check_not_final(self, changed=()):
        """Raise where a finished cancellation would be changed (D4)."""
        if is_engine(self):
            return
        if changed and FINAL_WRITABLE.issuperset(changed):
            return
        final = self.filtered(lambda cancellation: not cancellation.is_open)
        if final:
            raise UserError(
                self.env._(
                    "Cancellation %(name)s is finished: it is kept as proof and cannot "
                    "be changed or deleted.",
                    name=final[0].name,
                )
            )

    def write(self, vals):
        self._check_not_final(vals.keys())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_requested(self):
        raise UserError(
            self.env._("Cancellations are kept as proof; revoke one instead.")
        )

    # === EXECUTE === #

    def _prepare_credit_note(self, invoice, lines):
        """Return the values of the credit memo for ``invoice``."""
        return invoice._prepare_subscription_credit(self, lines)

    def _prepare_link(self):
        """Return what documents of this have to say whose they are."""
        return {"cancellation_id": self.id}

    # === ACTIONS === #

    def action_view_credit_notes(self):
        """Open the credit memos of these cancellations."""
        return self._get_credit_notes_action()

    def action_view_subscription(self):
        """Open the subscription."""
        self.ensure_one()
        return self.subscription_id.get_formview_action()

    def _get_credit_notes_action(self):
        """Return the action that shows the credit memos of these."""
        return self._get_memos_action(self._get_readable_moves("credit_note_ids"))

    @api.model
    def _get_memos_action(self, credit_notes):
        """Return the action that shows credit memos, the form for just one."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_refund_type"
        )
        action["context"] = {"default_move_type": "out_refund"}
        return show_records(action, credit_notes)

    def _get_readable_moves(self, name):
        """Return the documents in a field of these, for a user who may read both.

        :raise AccessError: they may not
        """
        self.check_access("read")
        # sudo: all of them, so that none is left out in silence.
        moves = self.sudo()[name].with_env(self.env)
        moves.check_access("read")
        return moves

    # === WHO LOOKS AFTER IT === #

    def _notify_responsible(self, summary, note):
        """Give whoever looks after the subscription something to do."""
        self.ensure_one()
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=summary,
            note=as_note(note),
            user_id=self._get_responsible().id,
        )

    def _get_responsible(self):
        """Return who looks after the subscription, or asked for this; else a manager.

        Neither a customer nor somebody who has left would see what is to be done.
        """
        users = self.subscription_id.user_id | self.requested_by_id
        return (
            users._filter_responsible(self.company_id)
            or self._get_policy()._get_approvers_in(self.company_id)
        )[:1]

    def _is_declared(self):
        """Return whether the customer has a right to this: nobody has to accept it.

        What is entered in the back office, or ignores the terms, is a request.
        """
        self.ensure_one()
        return bool(self.declaration_id) or (
            self.channel == "portal" and not self.is_extraordinary
        )

    def _get_amount_in_advance(self):
        """Return how much of the credit of this plan is credited at once."""
        if self.advance_credit != "at_scheduling":
            return 0.0
        rows = self.line_ids.filtered(
            lambda row: row.period_start and row.period_start >= self.effective_date
        )
        return self.currency_id.round(sum(rows.mapped("credit_total")))

    def _get_advance_sentences(self):
        """Return that advance invoices are credited at once, if any are."""
        amount = self._get_amount_in_advance()
        if not amount or self._is_due_on_request():
            return []
        return [
            self.env._(
                "%s of it is credited at once, for periods billed in advance.",
                self.currency_id.format(amount),
            )
        ]

    def _may_revoke(self):
        """Return whether the user asked for it or is a manager."""
        return self.requested_by_id == self.env.user or is_manager(self.env)

    def _get_not_own_text(self):
        """Return that this is somebody else's, and who may do something about it."""
        return self.env._(
            "Cancellation %(name)s was requested by %(user)s; only they or a "
            "cancellation manager can change, revoke, undo or reactivate it.",
            name=self.name,
            user=self.requested_by_id.name,
        )

    # === ROWS === #

    def _complete_rows(self, rows):
        """Return the rows that are new here, with what they have of this cancellation.

        :param list rows: values, as of ``_compute_rows``
        """
        self.ensure_one()
        chosen = self.line_ids.filtered(lambda row: not row.is_cascaded)
        chosen_ids = chosen.subscription_line_id.ids
        for row in rows:
            is_chosen = row["subscription_line_id"] in chosen_ids
            row["cancellation_id"] = self.id
            row["is_cascaded"] = not (self.is_whole or is_chosen)
        currency = self._get_billed_currency(rows)
        if currency and self.currency_id != currency:
            self.currency_id = currency
        advance = self.line_ids.filtered("is_advance").origin_line_id
        return [row for row in rows if row["origin_line_id"] not in advance.ids]

    def _get_new_rows(self):
        """Return the rows but those that were credited in advance."""
        return self.line_ids.filtered(lambda row: not row.is_advance)

    def _get_scopes(self):
        """Return what each of these ends now; no line is in two of them.

        A line that another open cancellation holds is left to that one; one that two
        of these would end, by a link made since they were requested, goes to the
        first.
        """
        scopes = []
        taken = self.env["sale.subscription.line"]
        together = self.subscription_id.sale_subscription_line_ids
        for cancellation in self:
            cancellation._check_none_failed()
            lines = cancellation._get_lines_ending_now() - taken
            taken |= lines
            # Read what is needed of them at once.
            lines = lines.with_prefetch(together.ids)
            day, refund_mode = cancellation.effective_date, cancellation.refund_mode
            scopes.append(CreditScope(lines, day, refund_mode))
        return scopes

    def _get_lines_ending_now(self):
        """Return the active lines, add-ons and lines added since included."""
        self.ensure_one()
        active = self.subscription_id.sale_subscription_line_ids
        held = self._get_rows_of_others().subscription_line_id
        if self.is_whole:
            return active - held
        own = self.line_ids.subscription_line_id & active
        return own | (own._with_addons() - held)

    def _get_rows_of_others(self):
        """Return the open rows of others. One that waits for approval holds none."""
        active = self.subscription_id.sale_subscription_line_ids
        return (
            active.cancellation_line_ids.filtered(
                lambda row: row.is_open and row.cancellation_id.state != "to_approve"
            )
            - self.line_ids
        )

    def _check_none_failed(self):
        """Raise where the end of everything would leave a failed line running."""
        for other in self._get_rows_of_others().cancellation_id:
            if self.is_whole and other.state == "failed":
                other._raise_failed_before()
