# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import hashlib
import json
import logging
from datetime import date, datetime, time

import psycopg2
import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Command, Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..formatting import format_day
from ..proration import first_day_without_service
from .subscription_cancellation_line import CreditScope
from .subscription_cancellation_policy import REFUND_MODES, TIMINGS

_logger = logging.getLogger(__name__)

OPEN_STATES = ("scheduled", "failed")
#: From each state, the states a cancellation may go to. A new one is scheduled.
TRANSITIONS = {
    "scheduled": {"done", "revoked", "failed"},
    "failed": {"scheduled", "revoked"},
    "done": set(),
    "revoked": set(),
}
#: What callers may send for an option, and how that is called in an error.
OPTION_TYPES = {
    "timing": (str, "a text"),
    "requested_date": ((str, date), "a date in the form YYYY-MM-DD"),
    "refund_mode": (str, "a text"),
    "line_ids": (list, "a list of subscription line ids"),
    "reason_code": (str, "a text"),
    "comment": (str, "a text"),
    "cancel_day_billed": (bool, "true or false"),
}
#: What may still change on a final cancellation: bookkeeping of the record itself.
FINAL_WRITABLE = {
    "activity_ids",
    "message_follower_ids",
    "message_ids",
    "message_main_attachment_id",
    "website_message_ids",
}
#: How often the scheduled action tries again after a conflict with another worker.
MAX_CONFLICTS = 10
#: Context value that lets the engine finish a record. See ``CLOSING``.
ENGINE = object()


class SubscriptionCancellation(models.Model):
    """A request to end a subscription or some of its lines, and its proof.

    Everything is written by the engine below; nobody has write access.
    """

    _name = "subscription.cancellation"
    _description = "Subscription Cancellation"
    _inherit = ["mail.thread", "mail.activity.mixin"]
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
        related="subscription_id.partner_id", string="Customer", store=True, index=True
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
            ("scheduled", "Scheduled"),
            ("done", "Done"),
            ("revoked", "Revoked"),
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
        selection=[
            ("backend", "Back Office"),
            ("api", "API"),
            ("portal", "Customer Portal"),
            ("scheduled", "Scheduled"),
            ("system", "System"),
        ],
        required=True,
        readonly=True,
    )
    timing = fields.Selection(selection=TIMINGS, required=True, readonly=True)
    requested_date = fields.Date(readonly=True)
    effective_date = fields.Date(
        required=True,
        readonly=True,
        tracking=True,
        help="First day without service.",
    )
    last_service_date = fields.Date(compute="_compute_last_service_date")
    is_extraordinary = fields.Boolean(
        string="Extraordinary",
        compute="_compute_is_extraordinary",
        help="On a chosen date: notice periods and terms are ignored.",
    )
    due_at = fields.Datetime(
        string="Due",
        compute="_compute_due_at",
        store=True,
        help="When the effective date begins for the customer.",
    )
    refund_mode = fields.Selection(selection=REFUND_MODES, required=True, readonly=True)
    cancel_day_billed = fields.Boolean(
        string="Cancellation Day Is Billed", readonly=True
    )
    post_credit_memos = fields.Boolean(readonly=True)
    reason_id = fields.Many2one(
        comodel_name="sale.subscription.close.reason",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    comment = fields.Text(readonly=True)
    request_date = fields.Datetime(string="Requested On", readonly=True)
    requested_by_id = fields.Many2one(
        comodel_name="res.users", string="Requested By", readonly=True
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
        readonly=True, help="The part of the credit that reduces open invoices."
    )
    refundable = fields.Monetary(
        readonly=True, help="The part of the credit that exceeds what is due."
    )
    credit_note_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="cancellation_id",
        string="Credit Memos",
        readonly=True,
    )
    credit_note_count = fields.Integer(
        string="Number of Credit Memos", compute="_compute_credit_note_count"
    )
    can_revoke = fields.Boolean(compute="_compute_can_revoke")

    _open_whole_uniq = models.UniqueIndex(
        "(subscription_id) WHERE is_open AND is_whole",
        "This subscription already has a scheduled cancellation. Revoke that one "
        "first.",
    )
    _due_idx = models.Index("(due_at, id) WHERE state = 'scheduled'")

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

    @api.depends("timing")
    def _compute_is_extraordinary(self):
        for cancellation in self:
            cancellation.is_extraordinary = cancellation.timing == "specific_date"

    @api.depends("effective_date", "subscription_id")
    def _compute_due_at(self):
        for cancellation in self:
            zone = cancellation.subscription_id._get_timezone()
            midnight = datetime.combine(cancellation.effective_date, time.min)
            due_at = zone.localize(midnight).astimezone(pytz.utc)
            cancellation.due_at = due_at.replace(tzinfo=None)

    @api.depends("line_ids.credit_untaxed", "line_ids.credit_tax", "currency_id")
    def _compute_amounts(self):
        for cancellation in self:
            for field in ("credit_untaxed", "credit_tax"):
                cancellation[field] = sum(
                    cancellation._to_own_currency(line[field], line.currency_id)
                    for line in cancellation.line_ids
                )
            cancellation.credit_total = (
                cancellation.credit_untaxed + cancellation.credit_tax
            )

    @api.depends("credit_note_ids")
    def _compute_credit_note_count(self):
        for cancellation in self:
            # sudo: the number may be seen by people who cannot open the documents.
            cancellation.credit_note_count = len(cancellation.sudo().credit_note_ids)

    @api.depends_context("uid")
    @api.depends("state", "effective_date")
    def _compute_can_revoke(self):
        for cancellation in self:
            cancellation.can_revoke = not cancellation._get_cannot_revoke_reason()

    def _to_own_currency(self, amount, currency):
        """Convert, for the rare cancellation that credits several currencies."""
        if currency == self.currency_id:
            return amount
        return currency._convert(
            amount, self.currency_id, self.company_id, self.effective_date
        )

    # === PLAN === #

    @api.model
    def _plan(self, subscription, options, channel):
        """Return a virtual cancellation with everything a real one would have.

        :param subscription: one ``sale.subscription``
        :param dict options: options of the contract that were given
        :param str channel: the door it came through
        :raise UserError: an option is unknown, contradictory or out of range
        """
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        policy = Policy._for_subscription(subscription)
        defaults = policy._get_option_values()
        defaults["refund_mode"] = subscription.refund_mode
        options = {**defaults, **options}
        self._check_options(subscription, options)
        lines, cascaded = self._get_lines_to_end(subscription, options.get("line_ids"))
        effective_date = self._get_effective_date(subscription, options)
        scope = CreditScope(lines, effective_date, options["refund_mode"])
        [rows] = self.env["subscription.cancellation.line"]._compute_rows([scope])
        return self.new(
            {
                **self._prepare_request(subscription, options, channel),
                "is_whole": not options.get("line_ids"),
                "effective_date": effective_date,
                "post_credit_memos": policy.post_credit_memos,
                **self._prepare_amounts(subscription.company_id, rows),
                "line_ids": [
                    Command.create(
                        {
                            **row,
                            "is_cascaded": row["subscription_line_id"] in cascaded.ids,
                        }
                    )
                    for row in rows
                ],
            }
        )

    @api.model
    def _prepare_request(self, subscription, options, channel):
        """Return what was asked for, by whom and when."""
        code = options.get("reason_code")
        reasons = self.env["sale.subscription.close.reason"]
        reason = reasons._from_code(code) if code else reasons
        return {
            "subscription_id": subscription.id,
            "channel": channel,
            "timing": options["timing"],
            "requested_date": options.get("requested_date"),
            "refund_mode": options["refund_mode"],
            "cancel_day_billed": options["cancel_day_billed"],
            "reason_id": options.get("reason_id") or reason.id,
            "comment": options.get("comment"),
            "request_date": fields.Datetime.now(),
            "requested_by_id": self.env.uid,
        }

    @api.model
    def _prepare_amounts(self, company, rows):
        """Return currency and split of a credit: what it reduces, what is left."""
        credits = self.env["subscription.cancellation.line"]._sum_by_invoice(rows)
        currency = next(iter(credits)).currency_id if credits else company.currency_id
        totals = {"reduces_invoices": 0.0, "refundable": 0.0}
        for invoice, credit in credits.items():
            due = invoice._get_amount_left_to_pay()
            amounts = {
                "reduces_invoices": min(credit, due),
                "refundable": max(credit - due, 0.0),
            }
            for name, amount in amounts.items():
                totals[name] += invoice.currency_id._convert(
                    amount, currency, company, fields.Date.today()
                )
        return {"currency_id": currency.id, **totals}

    @api.model
    def _get_lines_to_end(self, subscription, line_ids):
        """Return the lines that end and, of those, the ones nobody chose.

        :param list line_ids: ids of chosen lines, or ``None`` for all
        """
        active = subscription.sale_subscription_line_ids
        if line_ids is None:
            return active, active.browse()
        chosen = active.filtered(lambda line: line.id in line_ids)
        lines = chosen._with_addons()
        return lines, lines - chosen

    @api.model
    def _get_effective_date(self, subscription, options):
        """Return the first day without service."""
        today = subscription._today()
        if not subscription._is_started():
            return today
        if options["timing"] == "end_of_period":
            return subscription._get_end_of_period()
        wish = options.get("requested_date") or today
        return first_day_without_service(wish, options["cancel_day_billed"])

    def _fingerprint(self):
        """Return a short text that changes when dates or amounts do."""
        self.ensure_one()
        facts = [
            str(self.effective_date),
            self.refund_mode,
            self.currency_id.id,
            self.reduces_invoices,
            *(
                (
                    line.subscription_line_id.id,
                    line.origin_line_id.id,
                    line.credit_untaxed,
                    line.credit_tax,
                )
                for line in self.line_ids
            ),
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    def _check_fingerprint(self, fingerprint):
        """Raise where the figures a person confirmed are no longer true."""
        if fingerprint and fingerprint != self._fingerprint():
            raise UserError(
                self.env._(
                    "Subscription %(name)s changed since you opened this dialog. "
                    "Service would now end on %(date)s, with a credit of %(credit)s. "
                    "Close the dialog and open it again to see the new figures.",
                    name=self.subscription_id.display_name,
                    date=format_day(self.env, self.last_service_date),
                    credit=self.currency_id.format(self.credit_total),
                )
            )

    # === CHECKS OF A REQUEST === #

    @api.model
    def _check_options(self, subscription, options):
        """Raise a UserError for values that make no sense; parse the date."""
        for name, value in options.items():
            self._check_type(name, value)
        for name in ("timing", "refund_mode"):
            self._check_choice(name, options[name])
        self._check_line_ids(subscription, options.get("line_ids"))
        options["requested_date"] = self._parse_date(options.get("requested_date"))
        self._check_dates(subscription, options)

    @api.model
    def _check_type(self, name, value):
        """Raise where a caller sent another kind of value than the option takes."""
        types, wanted = OPTION_TYPES.get(name, (object, ""))
        if not isinstance(value, types):
            raise UserError(
                self.env._(
                    "“%(value)s” is not a value for %(name)s: use %(wanted)s.",
                    value=value,
                    name=name,
                    wanted=wanted,
                )
            )

    @api.model
    def _check_choice(self, name, value):
        known = [key for key, _label in self._fields[name].selection]
        if value not in known:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a value for %(name)s: use one of %(known)s.",
                    value=value,
                    name=name,
                    known=", ".join(known),
                )
            )

    @api.model
    def _check_line_ids(self, subscription, line_ids):
        """Raise where ``line_ids`` is not a list of active lines of this one."""
        if line_ids is None:
            return
        if not line_ids:
            raise UserError(
                self.env._(
                    "Choose at least one line of subscription %s, or cancel all of it.",
                    subscription.display_name,
                )
            )
        known = subscription.sale_subscription_line_ids.ids
        foreign = [line_id for line_id in line_ids if line_id not in known]
        if foreign:
            raise UserError(
                self.env._(
                    "Subscription %(name)s has no active line with the id %(ids)s; "
                    "its active lines are %(known)s.",
                    name=subscription.display_name,
                    ids=", ".join(map(str, sorted(foreign, key=str))),
                    known=", ".join(
                        map(str, subscription.sale_subscription_line_ids.ids)
                    ),
                )
            )

    @api.model
    def _parse_date(self, value):
        """Return a date from a date or from ``"YYYY-MM-DD"``."""
        try:
            return fields.Date.to_date(value) or False
        except ValueError:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a date: use the form YYYY-MM-DD.", value=value
                )
            ) from None

    @api.model
    def _check_dates(self, subscription, options):
        """Raise where timing, date and the subscription's dates do not fit."""
        timing, day = options["timing"], options["requested_date"]
        name = subscription.display_name
        if timing != "immediate" and not subscription._is_started():
            raise UserError(
                self.env._(
                    "Subscription %(name)s has not started yet; it can only be "
                    "cancelled immediately.",
                    name=name,
                )
            )
        if timing == "specific_date" and not day:
            raise UserError(
                self.env._("Choose the date on which subscription %s ends.", name)
            )
        if timing != "specific_date" and day:
            raise UserError(
                self.env._(
                    "A date can only be given when a subscription is cancelled on a "
                    "specific date (timing “specific_date”)."
                )
            )
        if day:
            self._check_requested_date(subscription, day)

    @api.model
    def _check_requested_date(self, subscription, day):
        """Raise where the chosen day is not within the life of the subscription."""
        today = subscription._today()
        earliest = max(filter(None, (subscription.date_start, today)))
        if day < earliest:
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot be cancelled on %(day)s: the "
                    "earliest possible date is %(earliest)s.",
                    name=subscription.display_name,
                    day=format_day(self.env, day),
                    earliest=format_day(self.env, earliest),
                )
            )
        contract_end = subscription._get_contract_end()
        if contract_end and day >= contract_end:
            raise UserError(
                self.env._(
                    "Subscription %(name)s cannot be cancelled on %(day)s: its term "
                    "ends on %(end)s anyway.",
                    name=subscription.display_name,
                    day=format_day(self.env, day),
                    end=format_day(
                        self.env, fields.Date.subtract(contract_end, days=1)
                    ),
                )
            )

    # === CONFIRM === #

    def _confirm(self):
        """Make the virtual cancellation a real one and execute it where it is due.

        :return: the real cancellation
        """
        self.ensure_one()
        # sudo: nobody has write access, the engine alone writes. Rights were
        # checked at the verb.
        Cancellation = self.sudo().with_context(cancellation_engine=ENGINE)
        Cancellation._take_over_lines()
        cancellation = Cancellation.create(self._prepare_confirmation())
        cancellation._set_line_dates()
        if self._is_due_on_request():
            cancellation._execute()
        else:
            cancellation._schedule()
        return cancellation.sudo(self.env.su).with_context(cancellation_engine=None)

    def _prepare_confirmation(self):
        """Return the values of the real cancellation: the request and its scope."""
        names = [
            "subscription_id",
            "is_whole",
            "channel",
            "timing",
            "requested_date",
            "effective_date",
            "refund_mode",
            "cancel_day_billed",
            "post_credit_memos",
            "reason_id",
            "comment",
            "request_date",
            "requested_by_id",
            "currency_id",
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

    def _is_due_on_request(self):
        """Return whether this executes at once rather than on its date."""
        today = self.subscription_id._today()
        return (
            self.timing == "immediate"
            or self.effective_date <= today
            or bool(self.requested_date and self.requested_date <= today)
        )

    def _take_over_lines(self):
        """Free lines whose scheduled end is later; refuse where it is earlier.

        A line can have one open cancellation: the one with the earliest date.
        """
        lines = self.line_ids.subscription_line_id
        open_rows = lines.cancellation_line_ids.filtered("is_open")
        for row in open_rows:
            cancellation = row.cancellation_id
            if cancellation.state == "failed":
                cancellation._raise_failed_before()
            elif cancellation.effective_date > self.effective_date:
                cancellation._release_line(row, self)
            elif self.is_whole or row.subscription_line_id in self._get_cascaded():
                self.line_ids -= self.line_ids.filtered(
                    lambda line, row=row: (
                        line.subscription_line_id == row.subscription_line_id
                    )
                )
            else:
                row._raise_already_cancelled()

    def _raise_failed_before(self):
        """Say that an earlier cancellation waits for somebody to decide."""
        self.ensure_one()
        raise UserError(
            self.env._(
                "Cancellation %(name)s of the same service failed: %(error)s Try it "
                "again or revoke it first.",
                name=self.name,
                error=self.failure_message,
            )
        )

    def _get_cascaded(self):
        return self.line_ids.filtered("is_cascaded").subscription_line_id

    def _release_line(self, row, successor):
        """Give up one line to a cancellation with an earlier date."""
        self.ensure_one()
        if self.line_ids == row and not self.is_whole:
            self._set_state("revoked")
            self._log(self.env._("Replaced by a cancellation with an earlier date."))
        else:
            row.unlink()

    def _set_line_dates(self):
        """Tell the lines when they end; billing respects it from now on."""
        for cancellation in self:
            lines = cancellation.line_ids.subscription_line_id
            lines.cancellation_date = cancellation.effective_date

    def _schedule(self):
        """Leave these to the scheduled action, woken for their moment."""
        cron = self.env.ref("subscription_cancellation.ir_cron_execute_due")
        cron._trigger(self.mapped("due_at"))
        for cancellation in self:
            cancellation._log_on_subscription(
                self.env._(
                    "%(what)s scheduled: service ends on %(date)s.",
                    what=cancellation._describe(),
                    date=format_day(self.env, cancellation.last_service_date),
                )
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
                        "Cancellation %(name)s is %(state)s and cannot become %(new)s.",
                        name=cancellation.name,
                        state=labels[cancellation.state].lower(),
                        new=labels[state].lower(),
                    )
                )
        self.write({"state": state, **values})

    def _check_not_final(self, changed=()):
        """Raise where a finished cancellation would be changed (D4)."""
        if self.env.context.get("cancellation_engine") is ENGINE:
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

    def _execute(self):
        """End the service and credit it; all or nothing, no commit.

        Written for many at once: one ``create`` and (one invoice credited twice
        aside) one ``_post`` for all credit memos.
        """
        self = self.sudo().with_context(cancellation_engine=ENGINE)  # noqa: PLW0642
        self.subscription_id.lock_for_update()
        self._store_rows()
        credit_notes = self._create_credit_notes()
        credit_notes._post_cancellation_credits()
        lines = self.line_ids.subscription_line_id
        lines.filtered("active")._deactivate()
        self._set_line_dates()
        self._set_state(
            "done", executed_date=fields.Datetime.now(), failure_message=False
        )
        self._close_subscriptions()
        self._log_execution()

    def _store_rows(self):
        """Replace the planned rows by what is creditable as of now."""
        CancellationLine = self.env["subscription.cancellation.line"]
        scopes = [cancellation._get_scope() for cancellation in self]
        values = []
        for cancellation, rows in zip(
            self, CancellationLine._compute_rows(scopes), strict=True
        ):
            chosen = cancellation.line_ids.filtered(
                lambda row: not row.is_cascaded
            ).subscription_line_id
            for row in rows:
                is_chosen = row["subscription_line_id"] in chosen.ids
                row["cancellation_id"] = cancellation.id
                row["is_cascaded"] = not (cancellation.is_whole or is_chosen)
            cancellation.write(self._prepare_amounts(cancellation.company_id, rows))
            values += rows
        self.line_ids.unlink()
        CancellationLine.create(values)

    def _get_scope(self):
        """Return what ends now, add-ons and lines added since the request included."""
        self.ensure_one()
        active = self.subscription_id.sale_subscription_line_ids
        if self.is_whole:
            others = active.cancellation_line_ids.filtered(
                lambda row: row.is_open and row.cancellation_id != self
            )
            lines = active - others.subscription_line_id
        else:
            lines = (self.line_ids.subscription_line_id & active)._with_addons()
        return CreditScope(lines, self.effective_date, self.refund_mode)

    def _create_credit_notes(self):
        """Create the credit memos, one per invoice, as drafts.

        :return: ``account.move``
        """
        credits = [
            (cancellation, invoice, lines)
            for cancellation in self
            for invoice, lines in cancellation.line_ids._get_lines_to_credit().items()
        ]
        AccountMove = self.env["account.move"]
        AccountMove.union(*(invoice for _, invoice, _ in credits))._check_can_credit()
        return AccountMove.create(
            [
                cancellation._prepare_credit_note(invoice, lines)
                for cancellation, invoice, lines in credits
            ]
        )

    def _prepare_credit_note(self, invoice, lines):
        """Return the values of the credit memo for ``invoice``."""
        self.ensure_one()
        today = self.subscription_id._today()
        return {
            "move_type": "out_refund",
            "cancellation_id": self.id,
            "subscription_id": self.subscription_id.id,
            "reversed_entry_id": invoice.id,
            "company_id": invoice.company_id.id,
            "journal_id": invoice.journal_id.id,
            "partner_id": invoice.partner_id.id,
            "partner_shipping_id": invoice.partner_shipping_id.id,
            "fiscal_position_id": invoice.fiscal_position_id.id,
            "currency_id": invoice.currency_id.id,
            "invoice_currency_rate": invoice.invoice_currency_rate,
            "invoice_date": today,
            "date": invoice._get_first_open_day(today),
            "invoice_payment_term_id": False,
            "invoice_user_id": invoice.invoice_user_id.id,
            "invoice_origin": self.subscription_id.name,
            "ref": self.env._(
                "Credit for %(invoice)s (%(name)s)",
                invoice=invoice.name,
                name=self.name,
            ),
            "invoice_line_ids": lines._prepare_credit_memo_lines(),
        }

    def _close_subscriptions(self):
        """Close, through upstream's own method, what has no active line left."""
        for subscription, cancellations in self.grouped("subscription_id").items():
            if subscription.sale_subscription_line_ids:
                continue
            reason = cancellations.reason_id[:1]
            subscription.close_subscription(reason.id)
            obsolete = subscription.cancellation_ids.filtered("is_open")
            obsolete._set_state("revoked")
            for cancellation in obsolete:
                cancellation._log(self.env._("Obsolete: the subscription has ended."))

    # === REVOKE === #

    def action_revoke(self):
        """Revoke (button)."""
        self._revoke()

    def _revoke(self):
        """Take these back: billing goes on as if nothing had happened."""
        for cancellation in self:
            reason = cancellation._get_cannot_revoke_reason()
            if reason:
                raise UserError(reason)
            cancellation._check_revoke_access()
        # sudo: nobody has write access; rights were checked above.
        engine = self.sudo().with_context(cancellation_engine=ENGINE)
        engine.subscription_id.lock_for_update()
        engine._set_state("revoked")
        engine.line_ids.subscription_line_id.cancellation_date = False
        engine.activity_unlink(["mail.mail_activity_data_warning"])
        for cancellation in engine:
            cancellation._log_on_subscription(
                self.env._(
                    "%(what)s revoked: billing goes on.",
                    what=cancellation._describe(),
                )
            )

    def _check_revoke_access(self):
        """Raise AccessError unless the user asked for it or is a manager."""
        self.subscription_id._check_cancellation_access()
        group = "subscription_cancellation.subscription_cancellation_group_manager"
        is_own = self.requested_by_id == self.env.user
        if not (self.env.su or is_own or self.env.user.has_group(group)):
            raise AccessError(
                self.env._(
                    "Cancellation %(name)s was requested by %(user)s; only they or a "
                    "cancellation manager can revoke it.",
                    name=self.name,
                    user=self.requested_by_id.name,
                )
            )

    def _get_cannot_revoke_reason(self):
        """Return why this cannot be revoked, or ``None``."""
        self.ensure_one()
        if not self.is_open:
            return self.env._(
                "Cancellation %(name)s is not scheduled any more, so there is nothing "
                "to revoke.",
                name=self.name,
            )
        today = self.subscription_id._today()
        if self.state == "scheduled" and self.effective_date <= today:
            return self.env._(
                "Cancellation %(name)s cannot be revoked: service ended on %(date)s.",
                name=self.name,
                date=format_day(self.env, self.last_service_date),
            )
        return None

    # === SCHEDULED ACTION === #

    @api.model
    def _cron_execute_due(self, batch_size=100):
        """Execute what is due, batch by batch, committing after each.

        Several workers may run this at once: each locks its own batch and skips
        what another one holds. A kill loses at most the running batch, which is
        still due afterwards.

        :param int batch_size: cancellations per transaction
        """
        Cron = self.env["ir.cron"]
        conflicts = 0
        while due := self._lock_due(batch_size):
            try:
                due._execute_batch()
                remaining = self._count_due()
                seconds_left = Cron._commit_progress(len(due), remaining=remaining)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another transaction changed the same invoice or customer.
                self.env.cr.rollback()
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                continue
            self.env.invalidate_all()
            if not seconds_left:
                break

    @api.model
    def _get_due_domain(self):
        return Domain("state", "=", "scheduled") & Domain(
            "due_at", "<=", fields.Datetime.now()
        )

    @api.model
    def _count_due(self):
        return self.search_count(self._get_due_domain())

    @api.model
    def _lock_due(self, batch_size):
        """Return up to ``batch_size`` due cancellations that no one else holds."""
        for _attempt in range(MAX_CONFLICTS):
            try:
                due = self.search(self._get_due_domain(), order="due_at, id")
                due = due.try_lock_for_update(limit=batch_size)
                free = due.subscription_id.try_lock_for_update()
                return due.filtered(lambda due: due.subscription_id in free)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                # Another worker finished one of them after our snapshot was taken.
                self.env.cr.rollback()
        return self.browse()

    def _execute_batch(self):
        """Execute together; where that fails, one by one, so that only the bad fail."""
        try:
            with self.env.cr.savepoint():
                self._execute()
        except (psycopg2.OperationalError, LockError):
            raise
        except Exception:
            _logger.info("Executing %s cancellations one by one.", len(self))
            for cancellation in self:
                cancellation._execute_or_fail()

    def _execute_or_fail(self):
        """Execute; a failure is recorded on the document and told to somebody."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._execute()
        except (psycopg2.OperationalError, LockError):
            # Somebody else is at it; it stays due.
            raise
        except UserError as error:
            self._fail(str(error))
        except Exception as error:
            _logger.exception("Cancellation %s failed", self.name)
            self._fail(
                self.env._(
                    "Unexpected error: %(error)s. See the server log.", error=error
                )
            )

    def _execute_if_due(self):
        """Execute what is due of these, before upstream bills the subscription."""
        now = fields.Datetime.now()
        # sudo: upstream's billing may run with any user.
        for cancellation in self.sudo():
            if cancellation.state == "scheduled" and cancellation.due_at <= now:
                cancellation._execute_or_fail()

    def _fail(self, message):
        """Leave the due set with a message and an activity for the responsible."""
        self = self.sudo().with_context(cancellation_engine=ENGINE)  # noqa: PLW0642
        self._set_state("failed", failure_message=message)
        responsible = self.subscription_id.user_id or self.requested_by_id
        self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=self.env._("Cancellation %s failed", self.name),
            note=message,
            user_id=responsible.id,
        )

    def action_retry(self):
        """Execute a failed cancellation again (button)."""
        self.ensure_one()
        self.subscription_id._check_cancellation_access()
        # sudo: nobody has write access; rights were checked above.
        engine = self.sudo().with_context(cancellation_engine=ENGINE)
        engine._set_state("scheduled")
        engine._execute()
        engine.activity_unlink(["mail.mail_activity_data_warning"])

    # === ACTIONS === #

    def action_view_credit_notes(self):
        """Open the credit memos of these cancellations."""
        return self._get_credit_notes_action()

    def action_view_subscription(self):
        """Open the subscription."""
        self.ensure_one()
        return self.subscription_id.get_formview_action()

    def _get_credit_notes_action(self):
        """Return the action that shows the credit memos, the form for just one."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_refund_type"
        )
        # sudo: the ids only; opening a document checks the rights.
        credit_notes = self.sudo().credit_note_ids
        action["domain"] = [("id", "in", credit_notes.ids)]
        action["context"] = {"default_move_type": "out_refund"}
        if len(credit_notes) == 1:
            action["views"] = [(False, "form")]
            action["res_id"] = credit_notes.id
        return action

    # === OUTPUT === #

    def _describe(self):
        """Return what is cancelled, for messages: all of it, or which lines."""
        self.ensure_one()
        if self.is_whole:
            return self.env._("Cancellation %(name)s", name=self.name)
        return self.env._(
            "Cancellation %(name)s of %(lines)s",
            name=self.name,
            lines=", ".join(self.line_ids.subscription_line_id.mapped("name")),
        )

    def _log(self, body):
        self._message_log_batch({cancellation.id: body for cancellation in self})

    def _log_on_subscription(self, body):
        self.subscription_id._message_log_batch({self.subscription_id.id: body})

    def _log_execution(self):
        """Tell the subscriptions what was ended and credited."""
        texts = {
            subscription.id: " ".join(
                cancellation._get_execution_text() for cancellation in cancellations
            )
            for subscription, cancellations in self.grouped("subscription_id").items()
        }
        self.subscription_id._message_log_batch(texts)

    def _get_execution_text(self):
        """Return the sentence for the subscription's history."""
        self.ensure_one()
        ended = self.env._(
            "%(what)s: service ends on %(date)s.",
            what=self._describe(),
            date=format_day(self.env, self.last_service_date),
        )
        if not self.credit_note_ids:
            return ended
        return self.env._(
            "%(ended)s Credit memo: %(credit)s.",
            ended=ended,
            credit=self.currency_id.format(self.credit_total),
        )

    def _get_preview_sentences(self):
        """Return in plain words what this plan leads to."""
        self.ensure_one()
        sentences = [
            self.env._(
                "Service ends on %s.", format_day(self.env, self.last_service_date)
            ),
            self._get_credit_sentence(),
        ]
        if self.is_extraordinary:
            sentences.append(
                self.env._(
                    "Extraordinary cancellation: notice periods and terms are ignored."
                )
            )
        return sentences

    def _get_credit_sentence(self):
        """Return the sentence about the credit memos, if any."""
        credits = self.line_ids._get_lines_to_credit()
        if not credits:
            return self.env._("No credit memo will be issued.")
        values = {
            "credit": self.currency_id.format(self.credit_total),
            "count": len(credits),
        }
        if not self._is_due_on_request():
            return self.env._(
                "The credit is computed on that day; as of today it would be "
                "%(credit)s.",
                **values,
            )
        if len(credits) > 1:
            return self.env._(
                "%(count)s credit memos of %(credit)s in total will be issued.",
                **values,
            )
        [lines] = credits.values()
        periods = [line._get_credited_period() for line in lines]
        return self.env._(
            "A credit memo of %(credit)s will be issued for %(first)s – %(last)s.",
            first=format_day(self.env, min(period.start for period in periods)),
            last=format_day(self.env, max(period.last_day for period in periods)),
            **values,
        )

    def _get_preview_warnings(self):
        """Return what the person should know before confirming."""
        self.ensure_one()
        # sudo: the names of the drafts only.
        drafts = (
            self.env["account.move.line"]
            .sudo()
            ._search_draft_billed(
                self.line_ids.subscription_line_id, self.effective_date
            )
            .move_id
        )
        if not drafts:
            return []
        return [
            self.env._(
                "Draft invoices exist for days after the end of service "
                "(%(drafts)s). Drafts are not credited: correct or delete them.",
                drafts=", ".join(drafts.mapped("display_name")),
            )
        ]

    def _render_preview(self):
        """Return the preview as HTML."""
        return self.env["ir.qweb"]._render(
            "subscription_cancellation.cancellation_preview",
            {
                "plan": self,
                # sudo: the invoice's number is part of the preview.
                "rows": self.line_ids.sudo(),
                "sentences": self._get_preview_sentences(),
                "warnings": self._get_preview_warnings(),
            },
        )

    def _as_dict(self):
        """Return the public form of a planned or real cancellation (contract)."""
        self.ensure_one()
        currency = self.currency_id
        return {
            "cancellation_id": self.id or False,
            "state": self._get_public_state(),
            "timing": self.timing,
            "effective_date": fields.Date.to_string(self.effective_date),
            "last_service_date": fields.Date.to_string(self.last_service_date),
            "currency": currency.name,
            "credit_untaxed": currency.round(self.credit_untaxed),
            "credit_tax": currency.round(self.credit_tax),
            "credit_total": currency.round(self.credit_total),
            "reduces_invoices": currency.round(self.reduces_invoices),
            "refundable": currency.round(self.refundable),
            "lines": [line._as_dict() for line in self.line_ids],
            "warnings": self._get_preview_warnings() if self.is_open else [],
        }

    def _get_public_state(self):
        """Return the state; of a plan, the one that confirming it would lead to."""
        if self.id:
            return self.state
        return "done" if self._is_due_on_request() else "scheduled"
