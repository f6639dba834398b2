# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A request that somebody has to approve first."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...callers import is_manager
from ...const import APPROVAL_ACTIVITY, POLICY_OPTIONS
from ...formatting import as_note
from ..common.activities import drop_activities


class SubscriptionCancellation(models.Model):
    """Wait for approval, be approved, or be refused."""

    _inherit = "subscription.cancellation"

    approval_reason = fields.Char(
        string="Needs Approval Because",
        readonly=True,
        help="Why the policy wanted this cancellation to be approved.",
    )
    decision_user_id = fields.Many2one(
        comodel_name="res.users",
        string="Decided By",
        readonly=True,
        ondelete="restrict",
    )
    decision_date = fields.Datetime(string="Decided On", readonly=True)
    decision_comment = fields.Text(string="Decision", readonly=True)
    refusal_message = fields.Text(
        string="Message to the Customer",
        readonly=True,
        help="What the customer was told with the refusal.",
    )
    can_decide = fields.Boolean(compute="_compute_can_decide")
    expected_credit = fields.Monetary(
        readonly=True,
        help="What was to be credited, tax included, when approval was asked for.",
    )
    told_credit = fields.Monetary(
        string="Credit",
        compute="_compute_told_credit",
        help="What is credited, tax included; while this waits for approval, what is "
        "to be expected.",
    )
    overrides = fields.Text(
        string="Differs From the Policy",
        compute="_compute_overrides",
        help="The options that are not as the policy has them now.",
    )

    @api.depends_context("uid")
    @api.depends("state", "requested_by_id")
    def _compute_can_decide(self):
        for cancellation in self:
            cancellation.can_decide = (
                cancellation.state == "to_approve"
                and not cancellation._get_cannot_decide_reason()
            )

    @api.depends("state", "expected_credit", "credit_total")
    def _compute_told_credit(self):
        for cancellation in self:
            is_waiting = cancellation.state == "to_approve"
            cancellation.told_credit = (
                cancellation.expected_credit
                if is_waiting
                else cancellation.credit_total
            )

    @api.depends_context("lang")
    @api.depends("policy_id", "subscription_id", *POLICY_OPTIONS)
    def _compute_overrides(self):
        self.check_access("read")
        for cancellation in self:
            # sudo: for whoever may read this one, but not stages and policies.
            overrides = cancellation.sudo()._describe_overrides()
            cancellation.overrides = "\n".join(overrides)

    def _describe_overrides(self):
        """Return each option that differs from the policy, and what that one says."""
        self.ensure_one()
        policy = self._get_policy()
        rules = policy._get_option_values()
        # What has not started has no other timing.
        defaults = self._get_default_options(self.subscription_id, policy)
        rules["timing"] = defaults["timing"]
        own = {name: self[name] for name in POLICY_OPTIONS}
        return [
            self.env._(
                "%(option)s: %(value)s (policy: %(rule)s)",
                option=policy._fields[name]._description_string(self.env),
                value=self._get_option_text(name, own[name]),
                rule=self._get_option_text(name, rules[name]),
            )
            for name in policy._get_overrides(own, rules)
        ]

    @api.model
    def _get_option_text(self, name, value):
        """Return the value of an option in words."""
        field = self._fields[name]
        if field.type == "boolean":
            return self.env._("yes") if value else self.env._("no")
        return dict(field._description_selection(self.env)).get(value, "")

    # === ASK === #

    def _ask_for_approval(self):
        """Give the approvers something to do, and the amount it is about."""
        self.ensure_one()
        self.expected_credit = self._get_expected_credit()
        note = self.env._(
            "%(what)s needs approval: %(reason)s.",
            what=self._describe(),
            reason=self.approval_reason,
        )
        approvers = self.policy_id._get_approvers_in(self.company_id)
        if not self.policy_id.allow_own_approval:
            approvers -= self.requested_by_id
        for user in approvers:
            self.activity_schedule(
                APPROVAL_ACTIVITY, note=as_note(note), user_id=user.id
            )

    def _get_expected_credit(self):
        """Return what is to be credited, as of now, in the currency of this."""
        outlook = self._get_outlook()
        return outlook.currency._convert(
            outlook.credited.total,
            self.currency_id,
            self.company_id,
            self.effective_date,
        )

    def _hold_above_limit(self):
        """Let those wait for approval whose credit has grown beyond the limit.

        :return: those that wait now, and those of which that cannot be told: they
            have failed
        """
        held = self.browse()
        for cancellation in self._as_engine():
            if not cancellation._has_limit():
                continue
            is_known = cancellation._try_or_fail(cancellation._hold_if_above_limit)
            if not is_known or cancellation.state == "to_approve":
                held |= cancellation
        return held.with_env(self.env)

    def _has_limit(self):
        """Return whether the credit may still turn out to need an approval."""
        return bool(self.policy_id.approval_above and not self.decision_user_id)

    def _hold_if_above_limit(self):
        """Let this one wait for approval if its credit has grown beyond the limit.

        An invoice that was made since the request may be credited, too.

        :return: whether it waits now
        """
        if not self._has_limit():
            return False
        plan = self._plan_anew(self.effective_date)
        reasons = self.policy_id._get_amount_reasons(plan)
        if not reasons:
            return False
        self._set_state("to_approve", approval_reason=reasons[0])
        self._ask_for_approval()
        self._log_step({self: [self._get_waiting_sentence()]}, self._get_documents())
        if self.send_confirmation and self.told_date:
            self._tell_or_note("requested")
        return True

    # === DECIDE === #

    def action_decide(self):
        """Open the dialog to approve or refuse (button)."""
        self.ensure_one()
        self._check_can_decide()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._(
                "Approve or refuse %(cancellation)s – %(customer)s",
                cancellation=self.name,
                customer=self.partner_id.display_name,
            ),
            "res_model": "subscription.cancellation.decision",
            "view_mode": "form",
            "target": "new",
            "context": {
                "dialog_size": "extra-large",
                "default_cancellation_id": self.id,
            },
        }

    def _approve(self, comment=None):
        """Approve: execute where the date is reached, else schedule.

        The effective date stays the requested one: the customer does not pay for the
        time the decision took.
        """
        engine = self._decide("scheduled", comment)
        sentences = engine._get_approved_sentences()
        if engine._is_due_on_request():
            engine._log_step({engine: sentences}, engine._get_documents())
            engine._execute()
        else:
            engine._schedule(sentences)

    def _refuse(self, comment, message=None):
        """Refuse: the subscription goes on as if nothing had been requested.

        :param str comment: why, for the record
        :param str message: what the customer is told besides
        """
        if not (comment or "").strip():
            raise UserError(
                self.env._("Say why cancellation %s is refused.", self.name)
            )
        engine = self._decide("refused", comment)
        known = engine._get_documents()
        engine.refusal_message = (message or "").strip() or False
        lines = engine.line_ids.subscription_line_id
        engine._take_back_advance()
        lines._set_end(False)
        engine._charge_left_out_days()
        engine._log_step({engine: [engine._get_refused_sentence()]}, known)
        engine._send_confirmation("refused")

    def _decide(self, state, comment):
        """Record the decision; return the record for the engine."""
        self.ensure_one()
        self._check_can_decide()
        engine = self._as_engine()
        engine.subscription_id.lock_for_update()
        engine._set_state(
            state,
            decision_user_id=self.env.uid,
            decision_date=fields.Datetime.now(),
            decision_comment=(comment or "").strip() or False,
        )
        drop_activities(engine, APPROVAL_ACTIVITY)
        return engine

    def _check_can_decide(self):
        """Raise where this cannot be decided, or not by this user."""
        self.ensure_one()
        if self.state != "to_approve":
            raise UserError(
                self.env._("Cancellation %s does not wait for approval.", self.name)
            )
        reason = self._get_cannot_decide_reason()
        if reason:
            raise AccessError(reason)

    def _get_cannot_decide_reason(self):
        """Return why this user may not approve or refuse, or ``None``."""
        self.ensure_one()
        if self.env.su:
            return None
        if not is_manager(self.env):
            return self.env._(
                "Only a cancellation manager can approve or refuse cancellation %s.",
                self.name,
            )
        is_own = self.requested_by_id == self.env.user
        if is_own and not self.policy_id.allow_own_approval:
            return self.env._(
                "You requested cancellation %(name)s yourself; the policy “%(policy)s” "
                "wants another manager to decide.",
                name=self.name,
                policy=self.policy_id.name,
            )
        return None


class SubscriptionCancellationPolicy(models.Model):
    """Say why a planned cancellation needs approval."""

    _inherit = "subscription.cancellation.policy"

    def _get_approval_reasons(self, plan, overrides):
        self.ensure_one()
        reasons = super()._get_approval_reasons(plan, overrides)
        if self.approval_always:
            reasons.append(self.env._("every cancellation needs approval"))
        reasons += self._get_amount_reasons(plan)
        if self.approval_on_override and overrides:
            reasons.append(
                self.env._(
                    "it differs from the policy in %s", self._get_labels(overrides)
                )
            )
        if self.approval_on_backdating and plan._is_backdated():
            reasons.append(self.env._("service ends in the past"))
        return reasons

    def _get_amount_reasons(self, plan):
        """Return in a list that the credit is above the limit, if it is."""
        if not self._is_above_limit(plan):
            return []
        limit = self.currency_id.format(self.approval_above)
        return [self.env._("the credit is above %s", limit)]

    def _is_above_limit(self, plan):
        """Return whether the credit exceeds the limit, where there is one.

        With that of invoices still to come: what is scheduled is decided about before
        the customer relies on it.
        """
        limit = self.approval_above
        if not limit:
            return False
        outlook = plan._get_outlook(())
        credit = outlook.currency._convert(
            outlook.credited.total,
            self.currency_id,
            self.company_id,
            plan.subscription_id._today(),
        )
        return self.currency_id.compare_amounts(credit, limit) > 0

    def _get_labels(self, options):
        """Return the labels of option fields, in the user's language."""
        names = [name for name in POLICY_OPTIONS if name in options]
        labels = [self._fields[name]._description_string(self.env) for name in names]
        return ", ".join(f"“{label}”" for label in labels)
