# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""After how many days without payment a policy ends a subscription."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...arithmetic.proration import to_units

#: What is more is a typing error.
MAX_OVERDUE_DAYS = 3650


class SubscriptionCancellationPolicy(models.Model):
    """End what stays unpaid, and warn before."""

    _inherit = "subscription.cancellation.policy"

    cancel_overdue_days = fields.Integer(
        string="Cancel After (Days Overdue)",
        help="A subscription is cancelled automatically when one of its invoices is "
        "not paid so many days after its due date. 0: never.",
    )
    overdue_warning_days = fields.Integer(
        string="Warn Before (Days)",
        help="So many days before the automatic cancellation, the customer gets a "
        "mail about the unpaid invoice. 0: no mail.",
    )

    cancel_overdue_tolerance = fields.Float(
        string="Overdue Tolerance (%)",
        digits=(5, 2),
        default=1.0,
        help="What is overdue of an invoice, net of the customer's open credits and "
        "payments, has no consequences up to this percentage of it; nor has the "
        "smallest unit of its currency.",
    )

    @api.constrains("cancel_overdue_tolerance")
    def _check_overdue_tolerance(self):
        for policy in self:
            if not 0.0 <= policy.cancel_overdue_tolerance <= 100.0:
                raise ValidationError(
                    self.env._(
                        "The overdue tolerance of policy “%(name)s” cannot be "
                        "%(percent)s %%: enter a percentage from 0 to 100.",
                        name=policy.name,
                        percent=policy.cancel_overdue_tolerance,
                    )
                )

    @api.constrains("cancel_overdue_days", "overdue_warning_days")
    def _check_overdue_days(self):
        for policy in self:
            cancel, warning = policy.cancel_overdue_days, policy.overdue_warning_days
            if not 0 <= warning <= cancel <= MAX_OVERDUE_DAYS:
                raise ValidationError(
                    self.env._(
                        "Policy “%(name)s” cannot cancel %(cancel)s days after the due "
                        "date and warn %(warning)s days before that: enter numbers "
                        "from 0 to %(limit)s, and for the warning no more days than "
                        "there are until the cancellation.",
                        name=policy.name,
                        cancel=cancel,
                        warning=warning,
                        limit=MAX_OVERDUE_DAYS,
                    )
                )

    @api.model
    def _search_overdue(self):
        """Return the policies that end what stays unpaid.

        Only of the channels that show the setting; a forced one may be archived.
        """
        archived_too = self.with_context(active_test=False)
        return archived_too.search(
            [("cancel_overdue_days", ">", 0), ("channel", "in", ("any", "system"))]
        )

    def _get_days_until_first_step(self):
        """Return after how many days the first of these policies warns or cancels."""
        return min(
            policy.cancel_overdue_days - policy.overdue_warning_days for policy in self
        )

    def _get_overdue_tolerance_units(self, invoice):
        """Return what may stay unpaid of an invoice, in units of its currency."""
        self.ensure_one()
        amount = abs(invoice.amount_total) * self.cancel_overdue_tolerance / 100.0
        return max(to_units(amount, invoice.currency_id.rounding), 1)

    def _get_overdue_dates(self, since):
        """Return when the customer is warned and when the subscription is cancelled.

        :param date since: the day from which the days count
        :return: two dates, the first ``None`` where there is no warning
        """
        self.ensure_one()
        cancel_date = since + timedelta(days=self.cancel_overdue_days)
        notice = self.overdue_warning_days
        return notice and cancel_date - timedelta(days=notice) or None, cancel_date
