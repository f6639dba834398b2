# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a customer can choose in the portal, and what is wrong with a choice."""

from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError

from ...arithmetic.proration import ONE_DAY
from ...const import CUSTOMER_COMMENT_LENGTH, TIMINGS
from ...formatting import format_day


class TimingChoice(NamedTuple):
    """A time that a customer may choose."""

    timing: str
    #: Last day of service; of a date of one's own: the first one that is possible.
    last_day: object
    #: Last possible day, for a date of one's own, where there is one.
    latest: object
    is_default: bool
    #: Last day on which to ask for this end, where the policy has terms
    cancel_by: object = False


class SaleSubscription(models.Model):
    """Offer times and reasons, and hold customers to them (E2)."""

    _inherit = "sale.subscription"

    # === WHAT IS OFFERED === #

    def _get_portal_timings(self):
        """Return what a customer may choose from: each keeps notice and minimum term.

        :return: list of :class:`TimingChoice`; each date is offered once
        """
        self.ensure_one()
        policy = self._get_portal_policy()
        options = self.env["subscription.cancellation"]._get_default_options(
            self, policy
        )
        choices = {}
        # Read once for all of them.
        contract = self._get_contract() if self._is_started() else None
        for timing, _label in self._get_portal_timing_names(policy, options["timing"]):
            choice = self._get_portal_timing(timing, options, policy, contract)
            if choice:
                key = timing if timing == "specific_date" else choice.last_day
                choices.setdefault(key, choice)
        return list(choices.values())

    def _get_portal_timing_names(self, policy, default):
        """Return the timings that the policy leaves to choose, its own one first."""
        timings = sorted(TIMINGS, key=lambda item: item[0] != default)
        if policy.allow_override_timing and self._is_started():
            return timings
        return timings[:1]

    def _get_portal_timing(self, timing, options, policy, contract):
        """Return the :class:`TimingChoice`, ``None`` where it is not possible."""
        Cancellation = self.env["subscription.cancellation"]
        is_default = timing == options["timing"]
        options = {**options, "timing": timing, "requested_date": False}
        try:
            end = Cancellation._get_effective_date(self, options, policy, contract)
        except UserError:
            return None
        last_day = end - ONE_DAY
        terms = Cancellation._prepare_term_dates(self, timing, policy, contract)
        earliest = terms["earliest_end_date"]
        contract_end = self._get_contract_end()
        if timing == "specific_date":
            last_day = max(filter(None, (self._today(), earliest)))
            latest = contract_end and contract_end - ONE_DAY * 2
            is_possible = not latest or last_day <= latest
            return is_possible and TimingChoice(timing, last_day, latest, is_default)
        if earliest and last_day < earliest and self._is_started():
            return None
        cancel_by = last_day == earliest and terms["cancel_by_date"]
        return TimingChoice(timing, last_day, False, is_default, cancel_by)

    def _get_portal_reasons(self):
        """Return the reasons that customers can choose from."""
        reasons = self.env["sale.subscription.close.reason"]
        return reasons.search([("portal_visible", "=", True)])

    # === CHECKS === #

    def _get_entry_errors(self, options):
        """Return what is wrong with the customer's options: a sentence by entry."""
        self.ensure_one()
        errors = {
            **self._get_timing_errors(options),
            "reason_id": self._get_reason_error(options),
            "comment": self._get_comment_error(options),
        }
        return {entry: error for entry, error in errors.items() if error}

    def _get_timing_errors(self, options):
        """Return what is wrong unless the time is one of those that are offered."""
        timing, day = options.get("timing"), options.get("requested_date")
        choices = {choice.timing: choice for choice in self._get_portal_timings()}
        choice = choices.get(timing)
        if not choice:
            return {"timing": self._get_no_choice_error(timing)}
        if timing == "specific_date":
            return {"requested_date": self._get_day_error(choice, day)}
        if not day:
            return {}
        if "specific_date" in choices:
            text = self.env._(
                "You entered a day, and chose another time. Choose “On another day”, "
                "or leave the day empty."
            )
            return {"requested_date": text}
        text = self.env._("A day of your own cannot be chosen. Choose one of these.")
        return {"timing": text}

    def _get_no_choice_error(self, timing):
        """Return why a time, or none, cannot be chosen."""
        try:
            if timing:
                # What they were shown may be older than a start that was put off.
                Cancellation = self.env["subscription.cancellation"]
                Cancellation._check_can_wait(self, timing)
        except UserError as error:
            return str(error)
        return self.env._("Choose when your subscription shall end.")

    def _get_day_error(self, choice, requested_date):
        """Return what is wrong with a day of one's own, or ``None``."""
        try:
            Cancellation = self.env["subscription.cancellation"]
            day = Cancellation._parse_date(requested_date)
        except UserError as error:
            return str(error)
        if not day:
            return self.env._("Choose the day on which it shall end.")
        if day < choice.last_day:
            return self.env._(
                "The earliest possible day is %s.",
                format_day(self.env, choice.last_day),
            )
        if choice.latest and day > choice.latest:
            return self.env._(
                "The latest possible day is %s.", format_day(self.env, choice.latest)
            )
        return None

    def _get_reason_error(self, options):
        """Return that a reason is missing, or ``None``."""
        if self._get_portal_policy().reason_required and not options.get("reason_id"):
            return self.env._("Please choose a reason.")
        return None

    def _get_comment_error(self, options):
        """Return that the comment is missing or too long, or ``None``."""
        comment = options.get("comment") or ""
        reasons = self.env["sale.subscription.close.reason"]
        reason = reasons.browse(options.get("reason_id") or [])
        try:
            if reason:
                reason._check_can_choose("portal", comment)
        except UserError as error:
            return str(error)
        if len(comment) > CUSTOMER_COMMENT_LENGTH:
            return self.env._(
                "Your comment is too long: please use up to %s characters.",
                CUSTOMER_COMMENT_LENGTH,
            )
        return None
