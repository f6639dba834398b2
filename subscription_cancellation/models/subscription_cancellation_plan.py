# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""From a request to a cancellation: options, checks, dates, money, confirmation."""

import hashlib
import json
from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..formatting import format_day
from ..proration import first_day_without_service
from .subscription_cancellation import ENGINE
from .subscription_cancellation_line import CreditScope

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


class SubscriptionCancellation(models.Model):
    """Plan a cancellation, check what was asked for, and confirm it."""

    _inherit = "subscription.cancellation"

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
        policy = Policy._for_subscription(subscription, channel)
        defaults = self._get_default_options(subscription, policy)
        options = {**defaults, **options}
        self._check_options(subscription, options)
        policy._check_overrides(options, defaults)
        effective_date = self._get_effective_date(subscription, options)
        lines, cascaded = self._get_lines_to_end(
            subscription, options.get("line_ids"), effective_date
        )
        scope = CreditScope(lines, effective_date, options["refund_mode"])
        [rows] = self.env["subscription.cancellation.line"]._compute_rows([scope])
        request = self._prepare_request(subscription, options, channel)
        policy._check_reason(request["reason_id"])
        return self.new(
            {
                **request,
                "is_whole": not options.get("line_ids"),
                "effective_date": effective_date,
                "post_credit_memos": policy.post_credit_memos,
                "currency_id": self._get_currency(subscription, rows).id,
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
    def _get_default_options(self, subscription, policy):
        """Return the options that apply where nothing else is asked for."""
        defaults = policy._get_option_values()
        if subscription.refund_mode_override:
            defaults["refund_mode"] = subscription.refund_mode_override
        return defaults

    @api.model
    def _prepare_request(self, subscription, options, channel):
        """Return what was asked for, by whom and when."""
        reason = self._get_reason(options)
        if reason:
            reason._check_can_choose(channel, options.get("comment"))
        return {
            "subscription_id": subscription.id,
            "channel": channel,
            "timing": options["timing"],
            "requested_date": options.get("requested_date"),
            "refund_mode": options["refund_mode"],
            "cancel_day_billed": options["cancel_day_billed"],
            "reason_id": reason.id,
            "comment": options.get("comment"),
            "request_date": fields.Datetime.now(),
            "requested_by_id": self.env.uid,
        }

    @api.model
    def _get_reason(self, options):
        """Return the reason that was given, by code or (dialog) by id, or none."""
        reasons = self.env["sale.subscription.close.reason"]
        if options.get("reason_code"):
            return reasons._from_code(options["reason_code"])
        return reasons.browse(options.get("reason_id") or [])

    @api.model
    def _get_currency(self, subscription, rows):
        """Return the currency of the credited invoices, else of the next one."""
        billed = [row["currency_id"] for row in rows if row["origin_line_id"]]
        currencies = self.env["res.currency"]
        return currencies.browse(billed[:1]) or subscription._get_invoice_currency()

    @api.model
    def _get_lines_to_end(self, subscription, line_ids, effective_date):
        """Return the lines that end and, of those, the ones nobody chose.

        A line that already ends, no later, is left to that cancellation.

        :param list line_ids: ids of chosen lines, or ``None`` for all
        :raise UserError: a chosen line already ends, or failed to
        """
        lines = subscription.sale_subscription_line_ids
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
            lines -= row.subscription_line_id
        return lines, (lines - chosen if chosen else lines.browse())

    @api.model
    def _get_effective_date(self, subscription, options):
        """Return the first day without service."""
        if options.get("effective_date"):
            return options["effective_date"]
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
        engine = self.sudo().with_context(cancellation_engine=ENGINE)
        # Read first: taking over may delete rows, which empties the ORM's cache and
        # with it this virtual record.
        values, is_due = self._prepare_confirmation(), self._is_due_on_request()
        engine._take_over_lines()
        cancellation = engine.create(values)
        cancellation._set_line_dates()
        if is_due:
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
        """Free the lines of this plan whose scheduled end is later.

        A line has one open cancellation: the one with the earliest date.
        """
        lines = self.line_ids.subscription_line_id
        for row in lines.cancellation_line_ids.filtered("is_open"):
            row.cancellation_id._release_line(row)

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

    def _release_line(self, row):
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
            lines._set_end(cancellation.effective_date)

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
