# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""From a request to a plan: options, checks, scope, money. Nothing is written."""

from datetime import date, datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.i18n import format_list

from ...callers import DATE_FORMAT, LAST_YEAR, is_id, is_text, quote
from ...const import POLICY_OPTIONS
from ...formatting import format_day
from ...ledger.credit_scope import CreditScope

#: What callers may send for an option. How each kind is called: ``_get_kind_names``.
TEXT, DAY, LIST, SWITCH = str, (str, date), list, (bool, type(None))
OPTION_TYPES = {
    "timing": TEXT,
    "requested_date": DAY,
    "refund_mode": TEXT,
    "line_ids": LIST,
    "reason_code": TEXT,
    "comment": TEXT,
    "cancel_day_billed": bool,
    "unpaid_invoices": TEXT,
    "unbilled_charges": TEXT,
    "credit_settlement": TEXT,
    "apply_credits": bool,
    "send_confirmation": bool,
    "charge_extension": SWITCH,
}
#: Options that are one of a list.
CHOICES = (
    "timing",
    "refund_mode",
    "unpaid_invoices",
    "unbilled_charges",
    "credit_settlement",
)


class SubscriptionCancellation(models.Model):
    """Plan a cancellation: what was asked for, checked, with its dates and figures."""

    _inherit = "subscription.cancellation"

    # === PLAN === #

    @api.model
    def _plan(self, subscription, options, channel, is_said=True, policy=None):
        """Return a virtual cancellation with everything a real one would have.

        :param subscription: one ``sale.subscription``
        :param dict options: options of the contract that were given
        :param str channel: the door it came through
        :param bool is_said: reason and comment are as they have to be; else they are
            still to come, and the figures do not wait for them
        :param policy: the one that applies (sudo), where somebody has just found it
        :raise UserError: an option is unknown, contradictory or out of range
        """
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        policy = policy or Policy._for_subscription(subscription, channel)
        then = subscription._as_of(self._get_declaration(options).received_at)
        defaults = self._get_default_options(then, policy)
        asked, options = options, {**defaults, **options}
        self._check_options(then, options, policy)
        effective_date = self._get_effective_date(then, options, policy)
        lines, cascaded = self._get_lines_to_end(subscription, options, effective_date)
        replaced = lines._get_open_cancellations()
        scope = CreditScope(
            lines,
            effective_date,
            options["refund_mode"],
            replaced._get_extension_invoices(),
        )
        [rows] = self.env["subscription.cancellation.line"]._compute_rows([scope])
        for row in rows:
            row["is_cascaded"] = row["subscription_line_id"] in cascaded.ids
        plan = self.new(
            {
                **self._prepare_request(subscription, options, channel),
                "policy_id": policy._origin.id,
                "is_whole": not options.get("line_ids"),
                "effective_date": effective_date,
                "post_credit_memos": policy.post_credit_memos,
                "advance_credit": policy.advance_credit,
                "currency_id": self._get_currency(subscription, rows).id,
                "line_ids": [Command.create(row) for row in rows],
            }
        )
        if "effective_date" not in asked:
            plan._apply_policy(policy, asked, defaults)
            if is_said:
                plan._check_said()
        plan._complete_plan()
        return plan

    def _complete_plan(self):
        """Let this plan tell what else it leads to, as of now. A hook."""

    def _plan_anew(self, effective_date, lines=None):
        """Return a virtual copy of this request, with what it would credit now.

        :param date effective_date: first day without service
        :param lines: ``sale.subscription.line``; absent: those of the request
        """
        self.ensure_one()
        if lines is None:
            lines = self.line_ids.subscription_line_id
        scope = CreditScope(
            lines, effective_date, self.refund_mode, self._get_extension_invoices()
        )
        [rows] = self.env["subscription.cancellation.line"]._compute_rows([scope])
        cascaded = self.line_ids.filtered("is_cascaded").subscription_line_id
        for row in rows:
            row["is_cascaded"] = row["subscription_line_id"] in cascaded.ids
        names = [
            "subscription_id",
            "partner_id",
            "policy_id",
            "is_whole",
            "state",
            "approval_reason",
            "requested_date",
            "post_credit_memos",
            "advance_credit",
            *POLICY_OPTIONS,
        ]
        return self.new(
            {
                **self._convert_to_write({name: self[name] for name in names}),
                "effective_date": effective_date,
                "currency_id": self._get_currency(self.subscription_id, rows).id,
                "line_ids": [Command.create(row) for row in rows],
            }
        )

    def _apply_policy(self, policy, asked, defaults):
        """Hold this plan to the policy; the end of a term, nobody's wish, is not.

        :param dict asked: the options that were given
        :param dict defaults: what applies where nothing is asked for
        :raise UserError: an override is not allowed
        """
        if self.declaration_id:
            # A right of the customer, which needs no leave.
            defaults = {name: self[name] for name in defaults}
        policy._check_overrides(asked, defaults)
        # sudo: when it was received decides, whoever may read it.
        then = self.subscription_id._as_of(self.declaration_id.sudo().received_at)
        self.update(self._prepare_term_dates(then, self.timing, policy))
        # What the subscription was changed to is an override, too.
        rules = {**policy._get_option_values(), "timing": defaults["timing"]}
        overrides = policy._get_overrides({**defaults, **asked}, rules)
        self._demand_approval(policy._get_approval_reasons(self, overrides))

    def _check_said(self):
        """Raise where reason and comment are not as they have to be."""
        problem = self._get_said_problem()
        if problem:
            raise UserError(problem)

    def _get_said_problem(self):
        """Return what is wrong with the reason or the comment of a plan, or ``None``.

        What the public page declares is a right of the customer: it needs no reason.
        """
        problem = self.reason_id._get_cannot_choose_reason(self.channel, self.comment)
        if self.declaration_id or problem:
            return problem
        return self._get_policy()._get_reason_problem(self.reason_id)

    @api.model
    def _get_default_options(self, subscription, policy):
        """Return the options that apply where nothing else is asked for."""
        defaults = policy._get_option_values()
        if subscription.refund_mode_override:
            defaults["refund_mode"] = subscription.refund_mode_override
        if not subscription._is_started():
            # The only timing there is before service begins.
            defaults["timing"] = "immediate"
        return defaults

    @api.model
    def _prepare_request(self, subscription, options, channel):
        """Return what was asked for, by whom and when."""
        reason = self._get_reason(options)
        declaration = self._get_declaration(options)
        return {
            "subscription_id": subscription.id,
            "partner_id": subscription.partner_id.id,
            "channel": channel,
            **{name: options[name] for name in POLICY_OPTIONS},
            "requested_date": options.get("requested_date"),
            "declaration_id": declaration.id,
            "reason_id": reason.id,
            "comment": options.get("comment"),
            "request_date": declaration.received_at or fields.Datetime.now(),
            "requested_by_id": self.env.uid,
        }

    @api.model
    def _get_declaration(self, options):
        """Return what was declared on the public page (sudo), if this comes from it.

        It takes effect when it is received, whoever processes it when.
        """
        # sudo: when it was received decides, whoever may read it.
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        return declarations.browse(options.get("declaration_id") or [])

    @api.model
    def _get_reason(self, options):
        """Return the reason that was given, by code or (dialog) by id, or none."""
        reasons = self.env["sale.subscription.close.reason"]
        if options.get("reason_code"):
            return reasons._from_code(options["reason_code"])
        return reasons.browse(options.get("reason_id") or [])

    @api.model
    def _get_billed_currency(self, rows):
        """Return the currency of the credited invoices, empty without any."""
        billed = [row["currency_id"] for row in rows if row["origin_line_id"]]
        return self.env["res.currency"].browse(billed[:1])

    @api.model
    def _get_currency(self, subscription, rows):
        """Return the currency of the credited invoices, else of the next one.

        That is the one of an order which is still to invoice what it has sold.
        """
        billed = self._get_billed_currency(rows)
        if billed:
            return billed
        lines = self.env["sale.subscription.line"].browse(
            row["subscription_line_id"] for row in rows
        )
        # sudo: the currency of orders that whoever cancels need not open.
        sold = self.env["sale.order.line"].sudo()._search_sold(lines)
        open_lines = sold.filtered(lambda line: line._get_share_not_posted() > 0)
        return (
            open_lines.currency_id[:1].with_env(self.env)
            or subscription._get_invoice_currency()
        )

    @api.model
    def _get_lines_to_end(self, subscription, options, effective_date):
        """Return the lines that end and, of those, the ones nobody chose.

        A line that already ends, no later, is left to that cancellation. Where that
        one only waits for approval it holds nothing back from what is executed now.

        :param dict options: ``line_ids`` are ids of chosen lines, absent for all
        :raise UserError: a chosen line already ends, or failed to
        """
        lines = subscription.sale_subscription_line_ids
        line_ids = options.get("line_ids")
        is_due = self._is_due_at_once(subscription, options, effective_date)
        chosen = lines.filtered(lambda line: line.id in (line_ids or []))
        if line_ids is not None:
            lines = chosen._with_addons()
        for row in lines.cancellation_line_ids.filtered("is_open"):
            if row.cancellation_id.state == "failed":
                row.cancellation_id._raise_failed_before()
            if row.cancellation_id.effective_date > effective_date:
                continue
            if row.subscription_line_id in chosen:
                row._raise_already_cancelled()
            if not (is_due and row.cancellation_id.state == "to_approve"):
                lines -= row.subscription_line_id
        return lines, (lines - chosen if chosen else lines.browse())

    # === CHECKS OF A REQUEST === #

    @api.model
    def _check_options(self, subscription, options, policy):
        """Raise a UserError for values that make no sense; parse the date."""
        for name, value in options.items():
            self._check_type(name, value)
        for name in CHOICES:
            self._check_choice(name, options[name])
        self._check_line_ids(subscription, options.get("line_ids"))
        options["requested_date"] = self._parse_date(options.get("requested_date"))
        self._check_dates(subscription, options, policy)

    @api.model
    def _check_type(self, name, value):
        """Raise where a caller sent another kind of value than the option takes."""
        kind = OPTION_TYPES.get(name, object)
        is_bad_text = isinstance(value, str) and not is_text(value)
        if not isinstance(value, kind) or is_bad_text:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a value for %(name)s: use %(wanted)s.",
                    value=quote(value),
                    name=name,
                    wanted=self._get_kind_names()[kind],
                )
            )

    @api.model
    def _get_kind_names(self):
        """Return what each kind of value is called in an error."""
        text, switch = self.env._("a text"), self.env._("true or false")
        return {
            TEXT: text,
            DAY: self.env._("a date in the form YYYY-MM-DD"),
            LIST: self.env._("a list of subscription line ids"),
            bool: switch,
            SWITCH: switch,
            object: text,
        }

    @api.model
    def _check_choice(self, name, value):
        known = [key for key, _label in self._fields[name].selection]
        if value not in known:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a value for %(name)s: use one of %(known)s.",
                    value=quote(value),
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
        foreign = [
            line_id
            for line_id in line_ids
            if not is_id(line_id) or line_id not in known
        ]
        if foreign:
            raise UserError(
                self.env._(
                    "Subscription %(name)s has no active line with the id %(ids)s; "
                    "its active lines are %(known)s.",
                    name=subscription.display_name,
                    ids=quote(", ".join(sorted(map(quote, foreign)))),
                    known=", ".join(
                        map(str, subscription.sale_subscription_line_ids.ids)
                    ),
                )
            )

    @api.model
    def _parse_date(self, value):
        """Return a date from a date or from ``"YYYY-MM-DD"``."""
        if not value or isinstance(value, date):
            return value or False
        try:
            day = datetime.strptime(value, DATE_FORMAT).date()
        except ValueError:
            raise UserError(
                self.env._(
                    "“%(value)s” is not a date: use the form YYYY-MM-DD.",
                    value=quote(value),
                )
            ) from None
        if day.year > LAST_YEAR:
            raise UserError(
                self.env._(
                    "%(value)s is too far away: choose a date before the year "
                    "%(year)s.",
                    value=format_day(self.env, day),
                    year=LAST_YEAR + 1,
                )
            )
        return day

    def _get_policy(self):
        """Return the policy that applied, else the built-in default."""
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        return self.sudo().policy_id or Policy._get_built_in(self.company_id)

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

    def _demand_approval(self, reasons):
        """Let a plan wait for approval where there is a reason to.

        :param list reasons: in words
        """
        self.ensure_one()
        if reasons:
            reason = format_list(self.env, reasons)
            self.update({"state": "to_approve", "approval_reason": reason})

    # === WHAT WILL BE DONE === #

    def _get_plan(self):
        """Return what this would lead to as of now; itself, where that is stored."""
        self.ensure_one()
        if not self.id or self.state not in ("scheduled", "to_approve"):
            return self
        return self._plan_execution()

    def _plan_execution(self):
        """Return a plan of what executing this would lead to as of now (B8)."""
        # sudo: the figures only, as whoever requested this was shown them.
        engine = self.sudo()
        lines = engine._get_lines_ending_now() - engine._get_lines_awaiting_approval()
        return engine._plan_anew(engine.effective_date, lines)

    def _get_lines_awaiting_approval(self):
        """Return lines that another request ends before, if somebody approves it.

        Told are the figures as if so, like in the preview. On its day this ends them.
        """
        active = self.subscription_id.sale_subscription_line_ids
        if self._is_due_on_request():
            return active.browse()
        rows = active.cancellation_line_ids.filtered(
            lambda row: (
                row.cancellation_id.state == "to_approve"
                and row.is_open
                and row.cancellation_id.effective_date <= self.effective_date
            )
        )
        return (rows - self.line_ids).subscription_line_id
