# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the customer is told after a cancellation: what comes next, and the way back."""

from odoo import models

from ...arithmetic.proration import ONE_DAY
from ...formatting import format_day


class SubscriptionCancellation(models.Model):
    """Say what comes next, where the mail went, and what way back there is."""

    _inherit = "subscription.cancellation"

    def _get_next_sentences(self):
        """Return the sentences below the state, on the customer's page."""
        self.ensure_one()
        sentences = [
            self._get_service_sentence(),
            self._get_mail_sentence(),
            self._get_way_back_sentence(),
        ]
        return [sentence for sentence in sentences if sentence]

    def _get_service_sentence(self):
        """Return what happens to the service, or ``None`` where the state says it."""
        if self.state == "to_approve":
            return self.env._(
                "We check your cancellation. Until we have answered, service goes on."
            )
        if self.state in ("revoked", "refused") or self.reactivated_date:
            if self._is_service_going_on():
                return self.env._("Service goes on, and so do its invoices.")
            return None
        if self.state != "done":
            return self.env._(
                "Service goes on until %s, and ends then without anything you have to "
                "do.",
                format_day(self.env, self.last_service_date),
            )
        return None

    def _get_mail_sentence(self):
        """Return where the mail went, or that there is none; ``None``: none is due."""
        address = self.partner_id.email
        if self.told_date:
            day = self.subscription_id._to_local_date(self.told_date)
            return self.env._(
                "We wrote to %(address)s about it on %(day)s.",
                address=address,
                day=format_day(self.env, day),
            )
        if not self.send_confirmation or self.state in ("revoked", "refused"):
            return None
        if not self.partner_id.email_normalized:
            return self.env._(
                "We have no e-mail address of yours: please save this page as a PDF."
            )
        confirmations = self.step_ids.filtered(lambda step: step.kind == "confirm")
        if "pending" in confirmations.mapped("state"):
            return self.env._(
                "The confirmation goes to %s in the next few minutes.", address
            )
        return None

    def _can_end_later(self):
        """Return whether the customer can choose a later end on another page."""
        subscription = self.subscription_id
        return self.is_open and (
            self == subscription._get_portal_extendable()
            and bool(subscription._get_portal_extensions())
        )

    def _get_way_back_sentence(self):
        """Return until when the customer can take this back, or ``None``."""
        subscription = self.subscription_id
        if self in subscription._get_portal_revocable():
            if self.state == "to_approve":
                return self.env._("You can take it back until we have answered.")
            return self.env._(
                "You can take it back until %s.",
                format_day(self.env, self.last_service_date),
            )
        if self.state != "done" or self.reactivated_date:
            return None
        is_closing = self in subscription._get_closing_cancellations()
        if is_closing and not subscription._get_portal_cannot_reactivate_reason():
            return self._get_reactivation_sentence()
        if self._get_cannot_undo_reason():
            return None
        return self.env._(
            "If this was a mistake, write to us until %s: we can undo it.",
            format_day(self.env, self.undo_until_date),
        )

    def _get_reactivation_sentence(self):
        """Return where the customer can let it go on, and until when."""
        contract_end = self.subscription_id._get_contract_end()
        if not contract_end:
            return self.env._("You can reactivate it on the page of the subscription.")
        return self.env._(
            "You can reactivate it on the page of the subscription until %s.",
            format_day(self.env, contract_end - ONE_DAY),
        )
