# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The record of a pause: from when to when, by whom, and what it credited."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...arithmetic.proration import ONE_DAY, Period, get_uncovered
from ...const import REFUND_MODES
from ...engine import is_engine
from ...formatting import format_day


class SaleSubscriptionPause(models.Model):
    """A pause of a subscription, and its proof; no cancellation, and no churn.

    What it credited is on its credit memos, line by line and to the day: the ledger
    counts these like any other credit, so that ending it later credits no day twice.
    Everything is written by the engine; nobody has write access.
    """

    _name = "sale.subscription.pause"
    _description = "Subscription Pause"
    _inherit = ["subscription.proof.mixin"]
    _order = "date_from desc, id desc"
    _check_company_auto = True

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
    name = fields.Char(compute="_compute_name")
    date_from = fields.Date(
        string="Paused From", required=True, readonly=True, help="First paused day."
    )
    date_to = fields.Date(
        string="Paused Until",
        readonly=True,
        help="Last paused day; empty: until it is resumed.",
    )
    state = fields.Selection(
        selection=[
            ("paused", "Paused"),
            ("ended", "Ended"),
            ("taken_back", "Taken Back"),
        ],
        default="paused",
        required=True,
        readonly=True,
        index=True,
    )
    refund_mode = fields.Selection(
        selection=REFUND_MODES,
        required=True,
        readonly=True,
        help="Whether the paid days of the pause are credited. Without, it began after "
        "the paid period.",
    )
    post_credit_memos = fields.Boolean(readonly=True)
    next_date_before = fields.Date(
        string="Next Invoice Date Before",
        readonly=True,
        help="What comes back where the pause is taken back.",
    )
    paused_on = fields.Datetime(readonly=True)
    paused_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, ondelete="restrict"
    )
    ended_on = fields.Datetime(readonly=True)
    ended_by_id = fields.Many2one(
        comodel_name="res.users", readonly=True, ondelete="restrict"
    )
    cancellation_id = fields.Many2one(
        comodel_name="subscription.cancellation",
        string="Ended With",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The cancellation that ended the subscription, and the pause with it.",
    )
    move_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="pause_id",
        string="Documents",
        readonly=True,
    )
    credit_note_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="pause_id",
        string="Credit Memos",
        domain=[("move_type", "=", "out_refund")],
        readonly=True,
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_credit_total"
    )
    credit_total = fields.Monetary(
        string="Credit",
        compute="_compute_credit_total",
        help="With tax, of the credit memos that stand.",
    )

    _one_at_a_time = models.UniqueIndex(
        "(subscription_id) WHERE state = 'paused'",
        "This subscription is already paused.",
    )
    _days_in_order = models.Constraint(
        "CHECK (date_to >= date_from)",
        "The last paused day cannot be before the first one.",
    )

    # === COMPUTE METHODS === #

    @api.depends("date_from")
    def _compute_name(self):
        for pause in self:
            pause.name = self.env._(
                "Pause from %s", format_day(self.env, pause.date_from)
            )

    @api.depends("name", "subscription_id")
    def _compute_display_name(self):
        for pause in self:
            name = pause.subscription_id.display_name
            pause.display_name = f"{name}: {pause.name}"

    @api.depends("credit_note_ids.state", "credit_note_ids.amount_total")
    def _compute_credit_total(self):
        for pause in self:
            # sudo: the amount may be seen by people who cannot open the documents.
            memos = pause.sudo().credit_note_ids._filter_standing_credits()
            pause.currency_id = (
                memos.currency_id[:1] or pause.subscription_id._get_invoice_currency()
            )
            pause.credit_total = sum(memos.mapped("amount_total"))

    # === DAYS === #

    def _get_days(self, end):
        """Return the paused days, cut at ``end``.

        A cancellation ends the pause, too: what is served after it was taken back is
        not paused.

        :param date end: first day that does not count any more
        :rtype: Period
        """
        self.ensure_one()
        ends = (self._get_resume_date(), self.cancellation_id.effective_date, end)
        return Period(self.date_from, min(filter(None, ends)))

    def _get_resume_date(self):
        """Return the first day after the pause, ``False`` where that is open."""
        self.ensure_one()
        return self.date_to and self.date_to + ONE_DAY

    def _has_credited(self):
        """Return whether paid days of this are credited, or are invoiced no more."""
        self.ensure_one()
        return bool(
            self.credit_note_ids._filter_standing_credits()
            or self._get_dropped()
            or self._get_limited_orders()
        )

    def _get_limited_orders(self):
        """Return the ``sale.order.line`` that invoice the days before this only."""
        lines = self.env["sale.order.line"]._search_sold(
            self.subscription_id._get_all_lines()
        )
        return lines.filtered(lambda line: line.subscription_end_date == self.date_from)

    # === DOCUMENTS === #

    def _prepare_link(self):
        """Return what documents of this have to say whose they are."""
        return {"pause_id": self.id}

    def _get_dropped(self):
        """Return the draft invoices that were cancelled for this."""
        return self.move_ids.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.state == "cancel"
                and not move.reversed_entry_id
            )
        )

    def _take_back_documents(self):
        """Bill again what was credited, and bring back what was dropped."""
        charges = self.move_ids.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.state != "cancel"
                and not move.reversed_entry_id
            )
        )
        dropped = self._get_dropped()
        self.credit_note_ids._take_back_credits()
        dropped.button_draft()
        charges._take_back_charges()

    # === END === #

    def _end(self, **values):
        """End these; ``values`` say how."""
        self.write(
            {
                "state": "ended",
                "ended_on": fields.Datetime.now(),
                "ended_by_id": self.env.uid,
                **values,
            }
        )
        # Else the next one of the same transaction may get to the database first.
        self.flush_recordset()

    # === PROOF === #

    def _check_engine(self):
        if not is_engine(self):
            raise UserError(
                self.env._(
                    "The record of a pause is kept as proof and cannot be made or "
                    "changed by hand: pause or resume the subscription."
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        self._check_engine()
        return super().create(vals_list)

    def write(self, vals):
        self._check_engine()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._(
                "The record of a pause is kept as proof and cannot be deleted: resume "
                "the subscription instead."
            )
        )


class SaleSubscription(models.Model):
    """Know the pauses."""

    _inherit = "sale.subscription"

    pause_ids = fields.One2many(
        comodel_name="sale.subscription.pause",
        inverse_name="subscription_id",
        string="Pauses",
        readonly=True,
        copy=False,
    )

    def _get_running_pause(self):
        """Return the record of the pause that holds now, or none."""
        # sudo: whoever bills need not be allowed to read pauses.
        pauses = self.sudo().pause_ids
        return pauses.filtered(lambda pause: pause.state == "paused")[:1]

    def _leave_out_pauses(self, period):
        """Return the parts of a period that are not paused: such days cost nothing.

        :param Period period: days of service otherwise
        :return: list of ``Period``
        """
        # sudo: as in _get_running_pause.
        pauses = self.sudo().pause_ids.filtered(
            lambda pause: pause.state != "taken_back"
        )
        paused = [(pause._get_days(period.end), 1) for pause in pauses]
        return get_uncovered(period, paused)
