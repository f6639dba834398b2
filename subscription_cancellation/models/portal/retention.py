# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a customer is offered before cancelling."""

from dateutil.relativedelta import relativedelta

from odoo import models
from odoo.exceptions import UserError


class SubscriptionCancellationRetention(models.Model):
    """Offer what makes sense, and what a pause would come to."""

    _inherit = "subscription.cancellation.retention"

    def _can_be_offered(self, plan):
        """Return whether this makes sense for what somebody is about to cancel.

        :param plan: virtual ``subscription.cancellation``
        """
        if self.kind != "pause":
            return True
        subscription = plan.subscription_id
        # A pause is one of the whole subscription.
        if not (plan.is_whole and subscription._is_started()):
            return False
        try:
            self._plan_pause(subscription)
        except UserError:
            return False
        return True

    def _plan_pause(self, subscription):
        """Return what the pause that is offered leads to, as of today.

        Where nothing is credited, its months count from the end of what is paid.
        """
        is_credited = subscription._is_pause_credited(subscription._get_portal_policy())
        start = subscription._get_first_paused_day(is_credited)
        return subscription._plan_pause(
            start + relativedelta(months=self.pause_months), "portal"
        )
