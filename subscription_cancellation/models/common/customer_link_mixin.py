# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Links that act for the customer are whole in the customer's mail, and only there."""

from odoo import models

#: How that begins which stands in a link where its secret was. Also in migrations.
STAND_IN = "only-in-the-mail"
#: Odoo's own name for the group of the customer alone.
CUSTOMER = "portal_customer"


class SubscriptionCancellationLinkMixin(models.AbstractModel):
    """Records whose messages hold links of the customer.

    Messages are stored with a stand-in for the secret, and read by whoever may read
    the record. What is sent to the customer has the secret again.
    """

    _name = "subscription.customer.link.mixin"
    _description = "Messages with Links of the Customer"

    def _get_link_customer(self):
        """Return the ``res.partner`` whose mails have the links."""
        raise NotImplementedError

    def _get_link_secrets(self):
        """Return the secrets of the links and what stands for each, as a dict."""
        raise NotImplementedError

    def _get_link_stand_in(self):
        """Return what stands for the secret of this record's own link.

        One message may hold links of several records: none is the beginning of
        another one's, and records of two models may have the same ID.
        """
        self.ensure_one()
        return f"{STAND_IN}-{self._table}-{self.id}-"

    def _hide_links(self, text):
        """Return a text (HTML) without the secrets."""
        for secret, stand_in in self._get_link_secrets().items():
            text = text.replace(secret, stand_in)
        return text

    def _show_links(self, text):
        """Return a text (HTML) with the secrets, for the customer only."""
        for secret, stand_in in self._get_link_secrets().items():
            text = text.replace(stand_in, secret)
        return text

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        customer = self and self._get_link_customer()
        if not customer or CUSTOMER in {name for name, _is_member, _data in groups}:
            return groups
        alone = {"active": True, "has_button_access": False}
        return [(CUSTOMER, lambda data: data["id"] == customer.id, alone), *groups]

    def _notify_by_email_render_layout(
        self, message, recipients_group, msg_vals=False, render_values=None
    ):
        body = super()._notify_by_email_render_layout(
            message, recipients_group, msg_vals=msg_vals, render_values=render_values
        )
        if recipients_group.get("notification_group_name") != CUSTOMER:
            return body
        return self._show_links(body)
