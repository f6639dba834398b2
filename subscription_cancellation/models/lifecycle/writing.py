# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How a subscription is made and changed: what is checked, and what follows from it."""

import uuid

from odoo import api, models
from odoo.exceptions import UserError

from ...engine import DATES, PAUSES, is_engine, let_write

#: Upstream's flag of a pause, and until when it is.
PAUSE_FLAGS = {"is_paused", "paused_until"}


class SaleSubscription(models.Model):
    """One ``create`` and one ``write``, whose order is as it is written here."""

    _inherit = "sale.subscription"

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = self._add_pricelists(vals_list)
        subscriptions = super().create([_without_pause(vals) for vals in vals_list])
        subscriptions._check_created(vals_list)
        for subscription, vals in zip(subscriptions, vals_list, strict=True):
            subscription._switch_pause(vals)
        subscriptions._skip_trial_days()
        return subscriptions

    def write(self, vals):
        others = vals if is_engine(self, PAUSES) else _without_pause(vals)
        first_periods = self._map_first_periods(vals)
        terms = self._map_terms(vals)
        customers = self._map_customers(vals)
        self._check_stage_change(others)
        self._check_guarded_fields(others)
        self._check_follows(others)
        dates = self._get_dates_to_keep(others)
        starts = self._get_starts_to_keep(others)
        ends = self._get_ends_to_keep(others)
        moved = let_write(self, DATES) if "stage_id" in others else self
        # Before the pause, as it checks the rights.
        result = super(SaleSubscription, moved).write(others)
        if "stage_id" in others:
            self._check_not_archived()
        for subscription, kept in dates.items():
            if subscription._is_in_progress():
                # Not a change of its own: what else follows must not follow from it.
                super(SaleSubscription, subscription).write(kept)
        for subscription, days in starts.items():
            subscription._check_start_kept(*days)
        for subscription, end in ends.items():
            subscription._check_plan_not_shorter(end)
        if others.keys() != vals.keys():
            for subscription in self:
                subscription._switch_pause(vals)
        for subscription, customer in customers.items():
            if subscription.partner_id != customer:
                subscription._renew_links()
        for subscription, term in terms.items():
            subscription._revoke_where_renewed(*term)
        self._move_first_periods(vals, first_periods)
        return result

    def _check_created(self, vals_list):
        """Raise where a new one is what only the engine makes of one."""
        self.filtered("cancellation_policy_id")._check_may_force_policy()
        self._check_not_archived()
        for subscription, vals in zip(self, vals_list, strict=True):
            if not vals.get("in_progress", True):
                subscription._check_not_running()

    def _check_follows(self, vals):
        """Raise where somebody writes what follows from something else."""
        if {"cancellation_state", "cancellation_date"} & vals.keys():
            raise UserError(
                self.env._(
                    "The status of a subscription follows from its cancellations: use "
                    "Deactivate or Revoke."
                )
            )
        if "overdue_failure_date" in vals and not self.env.su:
            raise UserError(
                self.env._("When somebody was told of a failure is not set by hand.")
            )

    def _map_customers(self, vals):
        """Return the customers of these as they are, where they may change."""
        if "partner_id" not in vals:
            return {}
        return {subscription: subscription.partner_id for subscription in self}

    def _renew_links(self):
        """Let no link work any more that acts for the customer. A hook."""
        self.ensure_one()
        # sudo: whoever changes the customer need not be allowed to cancel.
        self.sudo().access_token = str(uuid.uuid4())


def _without_pause(vals):
    """Return values without those that pause or resume."""
    return {name: value for name, value in vals.items() if name not in PAUSE_FLAGS}
