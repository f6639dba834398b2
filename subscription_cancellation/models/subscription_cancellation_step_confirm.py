# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The step that tells the customer."""

from odoo import models


class SubscriptionCancellationStep(models.Model):
    """Confirm by e-mail."""

    _inherit = "subscription.cancellation.step"

    def _do_confirm(self):
        """Queue the confirmation, with the summary as a PDF."""
        cancellation = self.cancellation_id
        partner = cancellation.partner_id
        if not partner.email:
            self._skip(self.env._("%s has no e-mail address.", partner.display_name))
            return
        template = self.env.ref(
            "subscription_cancellation.mail_template_cancellation_done", False
        )
        if not template:
            self._skip(self.env._("The e-mail template was deleted."))
            return
        cancellation.message_post_with_source(
            template,
            subtype_xmlid="mail.mt_comment",
            partner_ids=partner.ids,
            force_send=False,
        )
        self._set_done(self.env._("Sent to %s.", partner.email))
