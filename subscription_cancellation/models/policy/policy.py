# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from ast import literal_eval

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import mute_logger

from ...const import CHANNELS, POLICY_OPTIONS, REFUND_MODES, TIMINGS
from ...failures import explain


class SubscriptionCancellationPolicy(models.Model):
    """What a company does by default when a subscription is cancelled."""

    _name = "subscription.cancellation.policy"
    _description = "Subscription Cancellation Policy"
    _order = "sequence, id"
    _check_company_auto = True
    # Those of a head company are for its branches, too.
    _check_company_domain = models.check_company_domain_parent_of

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10, help="The first policy that matches applies.")
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    channel = fields.Selection(
        selection=[("any", "Any"), *CHANNELS],
        default="any",
        required=True,
        help="Where the cancellation is requested.",
    )
    subscription_domain = fields.Char(
        string="Subscriptions",
        default="[]",
        help="Which subscriptions this policy is for; empty: all of the company, and "
        "of its branches.",
    )
    timing = fields.Selection(
        selection=TIMINGS,
        string="When",
        default="immediate",
        required=True,
        help="When service ends unless the person who cancels chooses otherwise.",
    )
    allow_override_timing = fields.Boolean(
        string="When: May Be Overridden", default=True
    )
    refund_mode = fields.Selection(
        selection=REFUND_MODES,
        default="prorated",
        required=True,
        help="What is credited of the periods that are already billed.",
    )
    allow_override_refund_mode = fields.Boolean(
        string="Refund Mode: May Be Overridden", default=True
    )
    cancel_day_billed = fields.Boolean(
        string="Cancellation day is billed",
        default=True,
        help="On: the day of cancellation is still a served, billed day; service "
        "ends with it. Off: it is already the first day without service.",
    )
    allow_override_cancel_day_billed = fields.Boolean(
        string="Cancellation Day: May Be Overridden", default=True
    )
    post_credit_memos = fields.Boolean(
        default=True,
        help="Off: credit memos stay drafts until an accountant posts them; they "
        "are listed under Credit Memos to Review.",
    )
    reason_required = fields.Boolean(
        help="Nobody cancels through this policy without a reason."
    )

    unreachable_note = fields.Char(
        string="Note",
        compute="_compute_unreachable_note",
        help="Says that another policy always comes first.",
    )

    # === COMPUTE METHODS === #

    @api.depends("sequence", "channel", "company_id", "subscription_domain")
    def _compute_unreachable_note(self):
        for policy in self:
            first = policy._origin._get_preceding()
            policy.unreachable_note = bool(first) and self.env._(
                "Applies only where it is forced: “%s” comes first and is for all "
                "subscriptions.",
                first.name,
            )

    def _get_preceding(self):
        """Return the policy before this one that leaves nothing to it, or none."""
        if not self.active:
            return self.browse()
        channels = {"any", self.channel}
        before = self.search([("company_id", "=", self.company_id.id)])
        for policy in before:
            if policy == self:
                break
            if policy.channel in channels and not policy._get_subscription_domain():
                return policy
        return self.browse()

    # === CONSTRAINTS === #

    @api.constrains("subscription_domain")
    def _check_subscription_domain(self):
        for policy in self:
            try:
                policy._try_subscription_domain()
            except (
                UserError,
                ValueError,
                KeyError,
                TypeError,
                SyntaxError,
                psycopg2.Error,
            ) as error:
                is_refused = isinstance(error, psycopg2.Error)
                raise ValidationError(
                    self.env._(
                        "The condition of policy “%(name)s” is not valid: %(error)s "
                        "Choose the subscriptions again.",
                        name=policy.name,
                        error=explain(self.env, error) if is_refused else error,
                    )
                ) from error

    def _try_subscription_domain(self):
        """Evaluate the condition in both ways it may be: in Python and in SQL."""
        subscriptions = self.env["sale.subscription"].sudo()
        domain = Domain(self._get_subscription_domain())
        domain.validate(subscriptions)
        with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
            subscriptions.search(domain, limit=1)
        subscriptions.search([], limit=1).filtered_domain(domain)

    # === WHICH POLICY APPLIES === #

    @api.model
    def _for_subscription(self, subscription, channel="backend"):
        """Return the policy that applies to one subscription."""
        return self._map_subscriptions(subscription, channel)[subscription]

    @api.model
    def _map_subscriptions(self, subscriptions, channel="backend"):
        """Return the policy of each subscription.

        The one forced on it or on its template, else the first of its company whose
        channel and condition match, else of the company above that, else a virtual
        record with the built-in defaults; nothing is written.

        :param str channel: the door through which they are cancelled
        :return: dict of policies by subscription
        """
        policies = {}
        for company, left in subscriptions.grouped("company_id").items():
            for subscription in left:
                forced = subscription._get_forced_policy()
                if forced:
                    policies[subscription] = forced
                    left -= subscription
            for policy in self._search_channel(company, channel):
                matching = policy._filter_subscriptions(left)
                policies.update(dict.fromkeys(matching, policy))
                left -= matching
            policies.update(dict.fromkeys(left, self._get_built_in(company)))
        return policies

    @api.model
    def _get_built_in(self, company):
        """Return the built-in default of a company, a virtual record."""
        return self.new(
            {"name": self.env._("Built-in default"), "company_id": company.id}
        )

    @api.model
    def _search_channel(self, company, channel):
        """Return the policies of a company for a channel, in their order.

        Those of a branch come first, then those of the company above it.
        """
        companies = company.parent_ids
        policies = self.search(
            [("company_id", "in", companies.ids), ("channel", "in", ("any", channel))]
        )
        depths = {one: depth for depth, one in enumerate(companies)}
        return policies.sorted(lambda policy: -depths[policy.company_id])

    def _filter_subscriptions(self, subscriptions):
        """Return those of ``subscriptions`` that meet this policy's condition."""
        self.ensure_one()
        try:
            # sudo: the condition decides also for users who may not read its fields.
            matching = subscriptions.sudo().filtered_domain(
                self._get_subscription_domain()
            )
            return matching.sudo(subscriptions.env.su)
        except (ValueError, KeyError, TypeError, SyntaxError) as error:
            raise UserError(
                self.env._(
                    "The condition of cancellation policy “%(name)s” cannot be "
                    "evaluated (%(error)s). Ask a cancellation manager to mend it.",
                    name=self.name,
                    error=error,
                )
            ) from error

    def _get_subscription_domain(self):
        """Return the condition as a domain; empty: all subscriptions."""
        return literal_eval((self.subscription_domain or "").strip() or "[]")

    # === OPTIONS === #

    def _get_option_values(self):
        """Return the default of every option, by option name."""
        self.ensure_one()
        return {option: self[option] for option in POLICY_OPTIONS}

    @api.model
    def _get_overrides(self, options, defaults):
        """Return the names of the options that differ from their default.

        :param dict options: what was asked for
        :param dict defaults: what applies where nothing is asked for
        """
        return [
            option
            for option in POLICY_OPTIONS
            if options.get(option, defaults[option]) != defaults[option]
        ]

    def _check_overrides(self, options, defaults):
        """Raise where an option differs from its default and may not."""
        for option in self._get_overrides(options, defaults):
            if not self[f"allow_override_{option}"]:
                field = self._fields[option]
                raise UserError(
                    self.env._(
                        "The cancellation policy “%(policy)s” does not allow another "
                        "value for “%(option)s” (%(name)s) than “%(default)s”. Leave "
                        "it out, or ask a cancellation manager.",
                        policy=self.name,
                        option=field._description_string(self.env),
                        name=option,
                        default=field.convert_to_export(defaults[option], self),
                    )
                )

    def _check_reason(self, reason):
        """Raise where this policy wants a reason and there is none."""
        problem = self._get_reason_problem(reason)
        if problem:
            raise UserError(problem)

    def _get_reason_problem(self, reason):
        """Return that this policy wants a reason, where there is none, or ``None``."""
        if not self.reason_required or reason:
            return None
        return self.env._(
            "The cancellation policy “%(policy)s” requires a reason. Choose one.",
            policy=self.name,
        )
