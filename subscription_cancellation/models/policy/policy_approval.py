# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which cancellations a policy wants somebody to approve, and who may."""

from odoo import fields, models


class SubscriptionCancellationPolicy(models.Model):
    """Ask for approval: always, or in the cases that are ticked."""

    _inherit = "subscription.cancellation.policy"

    currency_id = fields.Many2one(related="company_id.currency_id")
    approval_always = fields.Boolean(string="Every Cancellation Needs Approval")
    approval_above = fields.Monetary(
        help="A credit above this amount, tax included, needs approval. 0: no limit.",
    )
    approval_on_override = fields.Boolean(
        help="Needs approval where anything differs from what this policy says.",
    )
    approval_on_backdating = fields.Boolean(
        help="Needs approval where service ends in the past.",
    )
    declaration_needs_person = fields.Boolean(
        string="Public Page: a Person Decides",
        help="What is declared on the public cancellation page needs approval. Off: "
        "what matches a subscription is scheduled at the earliest date. Extraordinary "
        "cancellations always need approval.",
    )
    allow_own_approval = fields.Boolean(
        help="A manager may approve what they requested themselves.",
    )
    approver_ids = fields.Many2many(
        comodel_name="res.users",
        relation="subscription_cancellation_policy_approver_rel",
        domain=lambda self: [
            (
                "all_group_ids",
                "in",
                self.env.ref(
                    "subscription_cancellation.subscription_cancellation_group_manager"
                ).ids,
            )
        ],
        help="The cancellation managers who are asked; empty: all of them.",
    )

    def _get_approvers(self):
        """Return the users who are asked to approve."""
        self.ensure_one()
        chosen = self.approver_ids._filter_responsible(self.company_id)
        return chosen or self._get_managers(self.company_id)

    def _get_approvers_in(self, company):
        """Return the users who are asked to approve what is about a company.

        :param company: the policy's, or a branch of it: who does not work there sees
            nothing of it
        """
        approvers = self._get_approvers()
        if company == self.company_id:
            return approvers
        managers = self._get_managers(company)
        approvers |= self.approver_ids or managers
        return approvers._filter_responsible(company) or managers

    def _get_managers(self, company):
        """Return the cancellation managers who work in a company."""
        managers = self.env.ref(
            "subscription_cancellation.subscription_cancellation_group_manager"
        ).all_user_ids
        return managers._filter_responsible(company)

    def _get_approval_reasons(self, plan, overrides):
        """Return in words why a plan needs approval, if it does. A hook.

        :param plan: virtual ``subscription.cancellation``
        :param list overrides: names of the options that differ from the policy
        """
        return []
