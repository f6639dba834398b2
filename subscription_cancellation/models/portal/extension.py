# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Let what a customer has cancelled end later (B17)."""

from odoo import fields, models
from odoo.exceptions import UserError

from ...arithmetic.proration import ONE_DAY
from ...formatting import format_day

#: How many later ends are offered.
EXTENSIONS = 3


class SaleSubscription(models.Model):
    """Offer the ends of later periods, where the policy allows them."""

    _inherit = "sale.subscription"

    def _get_portal_extendable(self):
        """Return the cancellation of all of it that the customer may put off, or none.

        Entered by the customer, and by a policy that leaves the time to choose.
        """
        self.ensure_one()
        cancellation = self._get_portal_revocable().filtered(
            lambda one: one.is_whole and not one._get_cannot_postpone_reason()
        )[:1]
        if not cancellation:
            # Without a query for the policy
            return cancellation
        policy = self._get_portal_policy()
        has_choice = policy.allow_override_timing or policy.timing == "specific_date"
        return cancellation.filtered(lambda _one: policy.portal_extend and has_choice)

    def _get_portal_extensions(self):
        """Return the later days of service that a customer can choose: period ends."""
        cancellation = self._get_portal_extendable()
        boundary = self.recurring_next_date
        if not cancellation or not boundary or self._is_in_trial():
            return []
        contract_end = self._get_contract_end()
        days = []
        while len(days) < EXTENSIONS and (not contract_end or boundary < contract_end):
            if boundary > cancellation.effective_date:
                days.append(boundary - ONE_DAY)
            boundary = self._get_next_invoice_date(boundary)
        return days

    def _get_extension_terms(self):
        """Return what has to be the same when a later end is confirmed."""
        end = self._get_portal_extendable().effective_date
        return f"{end}/{self.amount_total:.3f}"

    def _describe_extension(self):
        """Return in a sentence what ending later costs."""
        return self.env._(
            "Until then it costs %s, invoiced as before.",
            self._describe_portal_price(self.recurring_total, self.amount_total),
        )

    def _extend_for_customer(self, day, terms):
        """Let the subscription end later, as the customer has confirmed it.

        :param str day: last day of service, one of those that are offered
        :param str terms: fingerprint of what was shown
        :raise UserError: that is not offered (any more)
        """
        self.ensure_one()
        self.lock_for_update()
        days = {
            fields.Date.to_string(one): one for one in self._get_portal_extensions()
        }
        if day not in days or terms != self._get_extension_terms():
            raise UserError(
                self.env._(
                    "This offer is not available any more, so nothing was changed. "
                    "Please look at it again."
                )
            )
        cancellation = self._get_portal_extendable()
        wish = days[day] if cancellation.cancel_day_billed else days[day] + ONE_DAY
        cancellation._postpone(wish, channel="portal")

    def _get_extended_text(self):
        """Return until when service goes on now."""
        return self.env._(
            "Service now ends on %s.", format_day(self.env, self.last_service_date)
        )
