# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the customer is told by e-mail, and when (D7)."""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import CHANNELS_OF_PEOPLE
from ...failures import explain
from ..common import customer_mail

_logger = logging.getLogger(__name__)

#: The e-mail template of each event.
TEMPLATES = {
    event: f"subscription_cancellation.mail_template_cancellation_{event}"
    for event in (
        "requested",
        "scheduled",
        "done",
        "moved",
        "refused",
        "revoked",
        "reactivated",
        "reminder",
    )
}


class SubscriptionCancellation(models.Model):
    """Tell the customer, once, in their language, with the summary as a PDF.

    The mail is queued in the transaction of what it tells, so that it goes out if and
    only if that is stored. A mail that cannot be made or sent stops nothing.
    """

    _inherit = "subscription.cancellation"

    told_date = fields.Datetime(
        string="Customer Told On",
        readonly=True,
        help="When the last e-mail about this cancellation was sent to the customer.",
    )
    can_send_confirmation = fields.Boolean(compute="_compute_can_send_confirmation")

    # === COMPUTE METHODS === #

    @api.depends("state", "reactivated_date", "line_ids.subscription_line_id")
    def _compute_can_send_confirmation(self):
        for cancellation in self:
            reason = cancellation._get_cannot_send_confirmation_reason()
            cancellation.can_send_confirmation = not reason

    # === TELL === #

    def _send_confirmation(self, event):
        """Tell the customers of these about an event, where they are to be told.

        :param str event: a key of :data:`TEMPLATES`
        """
        for cancellation in self:
            if cancellation._is_customer_to_be_told(event):
                cancellation._tell_or_note(cancellation._get_event_to_tell(event))

    def _is_customer_to_be_told(self, event):
        """Return whether the customer gets a mail about ``event``."""
        if not self.send_confirmation:
            return False
        if event == "requested":
            # Who declared it on the public page has a receipt.
            return self.channel == "portal" and not self.declaration_id
        is_known = bool(self.told_date) or self.channel == "portal"
        if event == "revoked":
            return is_known and self._get_policy().confirm_revoked
        if event == "refused":
            # Nobody waits for an answer to what was requested automatically.
            return is_known or self.channel in CHANNELS_OF_PEOPLE
        # Who lets it go on in the back office tells the customer.
        return event != "reactivated"

    def _acknowledge(self, event):
        """Tell the customer what they have done themselves, unless that was told.

        :param str event: ``revoked`` or ``reactivated``
        """
        for cancellation in self._as_engine():
            is_told = cancellation._is_customer_to_be_told(event)
            if cancellation.send_confirmation and not is_told:
                cancellation._tell_or_note(event)

    def _get_event_to_tell(self, event):
        """Return the event in the customer's eyes.

        A new date of what they never heard of is simply the date.
        """
        return "scheduled" if event == "moved" and not self.told_date else event

    def _tell_or_note(self, event):
        """Queue the mail; where that is impossible, say so on the record."""
        reason = self._get_cannot_tell_reason(event)
        if reason:
            self._log(self.env._("The customer was not told by e-mail: %s", reason))
            return
        try:
            with self.env.cr.savepoint():
                self._queue_mail(event)
        except psycopg2.OperationalError:
            # Another transaction was faster: all of it is tried again.
            raise
        except Exception as error:
            _logger.exception("%s: the customer could not be told", self.name)
            self._notify_responsible(
                self.env._("The customer was not told"),
                self.env._(
                    "The e-mail about cancellation %(name)s could not be made: "
                    "%(error)s When that is solved, choose Send Confirmation.",
                    name=self.name,
                    error=explain(self.env, error),
                ),
            )

    def _get_cannot_tell_reason(self, event):
        """Return why no mail can be sent about ``event``, or ``None``."""
        partner = self.partner_id
        if not partner.email_normalized:
            return self.env._("%s has no e-mail address.", partner.display_name)
        if not partner.active:
            return self.env._("%s is archived.", partner.display_name)
        if not self._get_mail_template(event):
            return self.env._("The e-mail template was deleted.")
        return None

    def _get_mail_template(self, event):
        """Return the template for ``event``; empty where somebody deleted it."""
        template = self.env.ref(TEMPLATES[event], raise_if_not_found=False)
        return template or self.env["mail.template"]

    def _queue_mail(self, event):
        """Put the mail into the queue, and have that sent once this is committed."""
        self.ensure_one()
        if customer_mail.queue(self, self._get_mail_template(event)):
            self.told_date = fields.Datetime.now()

    # === SEND AGAIN === #

    def action_send_confirmation(self):
        """Send the customer the mail that fits the present state (button).

        :raise UserError: there is nothing to tell, or no e-mail address
        :raise AccessError: the user may not cancel subscriptions
        """
        self.ensure_one()
        self.check_access("read")
        self.subscription_id._check_cancellation_access()
        reason = self._get_cannot_send_confirmation_reason()
        event = self._get_event_of_state()
        reason = reason or self._get_cannot_tell_reason(event)
        if reason:
            raise UserError(reason)
        engine = self._as_engine()
        engine._queue_mail(event)
        note = self.env._("E-mail to %s.", self.partner_id.email)
        # Else the step would send it once more.
        engine.step_ids.filtered(
            lambda step: step.kind == "confirm" and step.state != "done"
        )._set_done(note)
        engine._log(
            self.env._("Confirmation sent on request. %(note)s", note=note),
        )

    def _get_event_of_state(self):
        """Return what there is to tell as things are, or ``None``."""
        self.ensure_one()
        if self.state == "scheduled":
            return "moved" if self.moved_from_date else "scheduled"
        if self.state == "revoked":
            return "revoked" if self._is_service_going_on() else None
        if self.state == "done":
            return None if self.reactivated_date else "done"
        return "refused" if self.state == "refused" else None

    def _is_service_going_on(self):
        """Return whether the lines of this run on, as far as anybody has decided."""
        lines = self.line_ids.subscription_line_id
        return bool(lines) and all(
            line.active and not line.cancellation_date for line in lines
        )

    def _get_cannot_send_confirmation_reason(self):
        """Return why there is nothing to send by hand, or ``None``."""
        self.ensure_one()
        if self._get_event_of_state():
            return None
        if self.state == "to_approve":
            return self.env._(
                "Cancellation %s waits for approval: approve or refuse it first.",
                self.name,
            )
        return self.env._(
            "Cancellation %s changes nothing for the customer as things are, so there "
            "is nothing to confirm.",
            self.name,
        )
