# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A customer objects to a cancellation that was declared in their name."""

from odoo import fields, models
from odoo.exceptions import UserError

from ..formatting import format_day


class SubscriptionCancellationDeclaration(models.Model):
    """Take the cancellation back, or give a person the matter."""

    _inherit = "subscription.cancellation.declaration"

    def _object(self):
        """Record the objection, once; the contract goes on where it still can."""
        self.ensure_one()
        if not self._can_object():
            return
        declaration = self._for_responsible()
        declaration._set_state("objected", objected_at=fields.Datetime.now())
        note = declaration._take_back_cancellation()
        declaration._give_to_person(
            declaration.env._("The customer objected to a cancellation"), note
        )

    def _take_back_cancellation(self):
        """Revoke the cancellation if possible; return in words what came of it."""
        name = self.cancellation_id.name
        if not self.cancellation_id.is_open:
            return self.env._(
                "Cancellation %s is finished, so nothing was changed. Talk to the "
                "customer.",
                name,
            )
        try:
            with self.env.cr.savepoint():
                self.cancellation_id._revoke()
        except UserError as error:
            return self.env._("It could not be revoked: %s", error)
        return self.env._(
            "Cancellation %s was revoked; the subscription goes on. Somebody else may "
            "have declared it.",
            name,
        )

    def _can_object(self):
        """Return whether there is still something to object to.

        What has ended, too: a person then looks at it.
        """
        is_over = self.cancellation_id.state in ("revoked", "refused")
        return self.state == "matched" and not is_over

    def _get_objection_intro(self):
        """Return what was declared, for the customer."""
        return self.env._(
            "The cancellation of contract %(contract)s was declared on our "
            "cancellation page on %(moment)s.",
            contract=self.subscription_id.display_name,
            moment=self._get_received_text(),
        )

    def _get_objection_text(self):
        """Return what an objection would do, or has done, for the customer."""
        self.ensure_one()
        cancellation = self.cancellation_id
        if self.state == "matched" and cancellation.is_open:
            return self._get_end_text()
        if cancellation.state in ("revoked", "refused"):
            return self.env._("The contract goes on; nothing ends.")
        if cancellation.is_open:
            return self.env._("We look at it, and will get in touch with you.")
        return self.env._(
            "Service has ended on %(date)s. We will get in touch with you.",
            date=format_day(self.env, cancellation.last_service_date),
        )
