# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The step that tells the customer."""

from odoo import models

from ..formatting import format_day


class SubscriptionCancellation(models.Model):
    """Tell the customer what ends, and when."""

    _inherit = "subscription.cancellation"

    def _get_confirmation_text(self):
        """Return what ends and when, in the language of the context."""
        self.ensure_one()
        values = {
            "name": self.subscription_id.display_name,
            "date": format_day(self.env, self.last_service_date),
        }
        if self.subscription_id.cancellation_state == "cancelled":
            text = self.env._("Service of subscription %(name)s ends on %(date)s.")
        else:
            lines = self.line_ids.subscription_line_id
            values["lines"] = ", ".join(lines.mapped("name"))
            text = self.env._(
                "Service of %(lines)s ends on %(date)s. The rest of subscription "
                "%(name)s goes on."
            )
        return text % values


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
        # What staff wrote is not for the customer.
        context = {"cancellation_for_customer": True}
        cancellation.with_context(**context).message_post_with_source(
            template.with_context(**context),
            subtype_xmlid="mail.mt_comment",
            partner_ids=partner.ids,
            force_send=False,
        )
        self._set_done(self.env._("E-mail to %s.", partner.email))
