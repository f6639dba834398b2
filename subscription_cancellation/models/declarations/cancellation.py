# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A cancellation that was declared on the public page, and may be objected to."""

from odoo import models


class SubscriptionCancellation(models.Model):
    """Come from a declaration on the public page."""

    _inherit = "subscription.cancellation"

    def _get_objection_url(self):
        """Return the address to object to this, ``False`` where there is none.

        For mails to the customer: only who reads them knows the address, which has a
        stand-in everywhere else.
        """
        if not (self.declaration_id and self.is_open):
            return False
        return self.declaration_id._get_objection_url()


class SubscriptionCancellationPolicy(models.Model):
    """Have a person look at what was declared, where it is not clear."""

    _inherit = "subscription.cancellation.policy"

    def _get_approval_reasons(self, plan, overrides):
        reasons = super()._get_approval_reasons(plan, overrides)
        if plan.declaration_id:
            reasons += plan.declaration_id._get_person_reasons(plan, self)
        return reasons
