# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The policy that applies to a subscription, and why."""

from odoo import models


class SaleSubscription(models.Model):
    """Know the policy that applies, and why."""

    _inherit = "sale.subscription"

    def _map_policies(self, channel="backend"):
        """Return the policy of each of these subscriptions for a channel."""
        # sudo: the policy decides also for users who may not read it.
        Policy = self.env["subscription.cancellation.policy"].sudo()
        return Policy._map_subscriptions(self, channel)

    def _get_responsible(self, channel="backend"):
        """Return who looks after this: the agent, else the company's managers. A hook.

        :param str channel: whose policy says which managers
        """
        self.ensure_one()
        agent = self.user_id._filter_responsible(self.company_id)
        policy = self._map_policies(channel)[self]
        return agent or policy._get_approvers_in(self.company_id)

    def _get_forced_policy(self):
        """Return the policy set on the subscription, else on its template."""
        # sudo: as in _map_policies.
        forced = self.sudo()
        own = forced.cancellation_policy_id
        template = forced.template_id.cancellation_policy_id
        return own or template.filtered(
            lambda policy: policy.company_id in forced.company_id.parent_ids
        )

    def _describe_policy(self, policy):
        """Return the name of the policy that applies, and why it does."""
        return self.env._(
            "%(policy)s (%(reason)s)",
            policy=policy.name,
            reason=self._get_policy_reason(policy),
        )

    def _get_policy_reason(self, policy):
        """Return why a policy applies."""
        if self.cancellation_policy_id:
            return self.env._("set on this subscription")
        if self._get_forced_policy():
            return self.env._("set on its template")
        if not policy.id:
            return self.env._("no policy of the company matches")
        channels = dict(policy._fields["channel"]._description_selection(self.env))
        return self.env._(
            "the first one that matches: channel %(channel)s, %(scope)s",
            channel=channels[policy.channel],
            scope=self.env._("with a condition")
            if policy._get_subscription_domain()
            else self.env._("all subscriptions"),
        )

    def _get_portal_policy(self):
        """Return the policy for customers of this subscription."""
        return self._map_policies("portal")[self]
