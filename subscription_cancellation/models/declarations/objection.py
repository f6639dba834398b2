# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A customer objects to a cancellation that was declared in their name."""

import secrets

from odoo import fields, models
from odoo.exceptions import UserError

from ...formatting import format_day


class SubscriptionCancellationDeclaration(models.Model):
    """Take the cancellation back, or give a person the matter."""

    _name = "subscription.cancellation.declaration"
    _inherit = [
        "subscription.customer.link.mixin",
        "subscription.cancellation.declaration",
    ]

    def _get_link_customer(self):
        return self.subscription_id.partner_id

    def _get_link_secrets(self):
        # sudo: nobody reads the token; it is for the customer.
        return {
            declaration.objection_token: declaration._get_link_stand_in()
            for declaration in self.sudo()
        }

    def _get_objection_url(self):
        """Return the address to object, with a stand-in for what makes it work."""
        stand_in = self._get_link_stand_in()
        return f"{self.get_base_url()}/cancel-contract/object/{stand_in}"

    def _renew_objection_links(self):
        """Let the address of none of these work any more that somebody knows."""
        for declaration in self:
            declaration.objection_token = secrets.token_urlsafe(32)

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
                self.cancellation_id._revoke_by_customer()
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


class SaleSubscription(models.Model):
    """Who had the contract before does not object to its end any more."""

    _inherit = "sale.subscription"

    def _renew_links(self):
        result = super()._renew_links()
        # sudo: nobody may read or write the addresses.
        declarations = self.env["subscription.cancellation.declaration"].sudo()
        declared = declarations.search([("subscription_id", "in", self.ids)])
        declared._renew_objection_links()
        return result
