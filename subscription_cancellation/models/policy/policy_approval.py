# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which cancellations a policy wants somebody to approve, and who may."""

from odoo import fields, models

from ...const import POLICY_OPTIONS


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

    def _get_approval_reasons(self, plan, overrides):
        """Return in words why a planned cancellation needs approval, if it does.

        :param plan: virtual ``subscription.cancellation``
        :param list overrides: names of the options that differ from the policy
        """
        self.ensure_one()
        reasons = []
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
        if plan.declaration_id:
            reasons += plan.declaration_id._get_person_reasons(plan, self)
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
