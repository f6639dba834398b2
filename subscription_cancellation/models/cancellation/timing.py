# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""When service ends: every timing, the policy's terms, and dates that cannot be."""

from odoo import api, models
from odoo.exceptions import UserError

from ...arithmetic.proration import ONE_DAY, first_day_without_service
from ...arithmetic.terms import NoTermError, Terms, cancel_by, earliest_end
from ...formatting import format_day, format_short_day


class SubscriptionCancellation(models.Model):
    """Find the effective date of a request."""

    _inherit = "subscription.cancellation"

    # === EFFECTIVE DATE === #

    @api.model
    def _get_effective_date(self, subscription, options, policy, contract=None):
        """Return the first day without service.

        :param Contract contract: of the subscription, where it is known already
        """
        if options.get("effective_date"):
            return options["effective_date"]
        today = subscription._today()
        if not subscription._is_started():
            return today
        if options["timing"] in ("immediate", "specific_date"):
            wish = options.get("requested_date") or today
            return first_day_without_service(wish, options["cancel_day_billed"])
        return self._get_ordinary_end(subscription, options["timing"], policy, contract)

    @api.model
    def _get_ordinary_end(self, subscription, timing, policy, contract=None):
        """Return the first day without service that keeps the policy's terms."""
        contract_end = subscription._get_contract_end()
        if timing == "end_of_term" and contract_end:
            return contract_end
        if subscription._is_in_trial() and timing != "end_of_term":
            if timing == "end_of_billed":
                return subscription._get_end_of_billed()
            return subscription._get_end_of_period()
        terms, contract = self._get_terms(subscription, timing, policy, contract)
        try:
            return earliest_end(subscription._today(), terms, contract) + ONE_DAY
        except NoTermError:
            self._raise_no_term(subscription, policy)

    @api.model
    def _get_terms(self, subscription, timing, policy, contract=None):
        """Return the :class:`Terms` to keep, and the :class:`Contract` they are for."""
        terms = policy._get_terms().for_timing(timing)
        contract = contract or subscription._get_contract()
        if timing == "end_of_billed":
            # All that is billed counts as one period.
            contract = contract._replace(period_end=None)
        return terms, contract

    @api.model
    def _raise_no_term(self, subscription, policy):
        """Say that there is no term at the end of which service could end."""
        raise UserError(
            self.env._(
                "Subscription %(name)s has no fixed term, so it cannot end with one. "
                "Choose another time, or ask a cancellation manager to set a minimum "
                "term on the cancellation policy “%(policy)s”.",
                name=subscription.display_name,
                policy=policy.name,
            )
        )

    # === EVERY TIMING === #

    @api.model
    def _get_timing_choices(self, subscription, policy, cancel_day_billed):
        """Return when service would end with each timing, or why it cannot.

        :param subscription: one ``sale.subscription``
        :param policy: the ``subscription.cancellation.policy`` that applies (sudo)
        :param bool cancel_day_billed: the day of cancellation is served
        :return: dict by timing of ``{"day": text, "problem": text}``, either empty
        """
        is_started = subscription._is_started()
        contract = subscription._get_contract() if is_started else None
        return {
            timing: self._get_timing_choice(
                subscription,
                {"timing": timing, "cancel_day_billed": cancel_day_billed},
                policy,
                contract,
            )
            for timing, _label in self._fields["timing"].selection
        }

    @api.model
    def _get_timing_choice(self, subscription, options, policy, contract):
        """Return the last day of service with one timing, or why it cannot be.

        :param Contract contract: of the subscription; ``None``: it has not started
        """
        timing, day, problem = options["timing"], "", ""
        if not contract:
            if timing != "immediate":
                problem = self.env._("not before service has started")
        elif timing != "specific_date":
            try:
                end = self._get_effective_date(subscription, options, policy, contract)
                today = subscription._today()
                day = format_short_day(self.env, end - ONE_DAY, today)
            except UserError:
                problem = self._get_no_term_text(timing)
        return {"day": day, "problem": problem}

    @api.model
    def _get_no_term_text(self, timing):
        """Return in a few words why there is no such end, and who can change that."""
        if timing == "end_of_term":
            return self.env._("no fixed term")
        return self.env._("no fixed term; ask a cancellation manager")

    # === WHAT THE TERMS WOULD ALLOW === #

    @api.model
    def _prepare_term_dates(self, subscription, timing, policy, contract=None):
        """Return the earliest end that keeps the terms, and until when to ask for it.

        Empty where there are no terms to keep: in a trial, before the start, and
        where the policy has none.

        :param Contract contract: of the subscription, where it is known already
        """
        none = {"earliest_end_date": False, "cancel_by_date": False}
        is_free = not subscription._is_started() or subscription._is_in_trial()
        if is_free or policy._get_terms() == Terms():
            return none
        terms, contract = self._get_terms(subscription, timing, policy, contract)
        try:
            last_day = earliest_end(subscription._today(), terms, contract)
        except NoTermError:
            return none
        return {
            "earliest_end_date": last_day,
            "cancel_by_date": cancel_by(last_day, terms, contract),
        }

    def _ignores_terms(self):
        """Return whether service ends before notice and terms of the policy allow."""
        self.ensure_one()
        earliest = self.earliest_end_date
        return bool(earliest and self.last_service_date < earliest)

    def _is_backdated(self):
        """Return whether service ends before the day of the request."""
        self.ensure_one()
        today = self.subscription_id._as_of(self.request_date)._today()
        return bool(self.requested_date and self.requested_date < today)

    # === CHECKS === #

    @api.model
    def _check_dates(self, subscription, options, policy):
        """Raise where timing, date and the subscription's dates do not fit."""
        timing, day = options["timing"], options["requested_date"]
        name = subscription.display_name
        self._check_can_wait(subscription, timing)
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
            self._check_requested_date(subscription, day, policy.allow_backdating)

    @api.model
    def _check_can_wait(self, subscription, timing):
        """Raise where a later end is asked for of what has not started yet."""
        if timing != "immediate" and not subscription._is_started():
            raise UserError(
                self.env._(
                    "Subscription %(name)s has not started yet; it can only be "
                    "cancelled immediately.",
                    name=subscription.display_name,
                )
            )

    @api.model
    def _check_requested_date(self, subscription, day, allow_past=False):
        """Raise where the chosen day is not within the life of the subscription."""
        today = False if allow_past else subscription._today()
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
                    end=format_day(self.env, contract_end - ONE_DAY),
                )
            )

    # === NOW, OR ON ITS DATE === #

    def _is_due_on_request(self):
        """Return whether this executes at once rather than on its date."""
        return self._is_due_at_once(self.subscription_id, self, self.effective_date)

    @api.model
    def _is_due_at_once(self, subscription, request, effective_date):
        """Return whether a request executes at once rather than on its date.

        :param request: its ``timing`` and ``requested_date``, a dict or a record
        """
        today = subscription._today()
        wish = request["requested_date"]
        return (
            request["timing"] == "immediate"
            or effective_date <= today
            or bool(wish and wish <= today)
        )

    def _get_end_of_charges(self):
        """Return the first day that is not charged: nor is any beyond a fixed term."""
        contract_end = self.subscription_id._get_contract_end()
        return min(filter(None, (self.effective_date, contract_end)))
