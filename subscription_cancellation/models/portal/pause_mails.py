# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the customer is told by e-mail of the subscription itself (D7)."""

import logging

import psycopg2

from odoo import models

from ..common import customer_mail

_logger = logging.getLogger(__name__)
PAUSED = "subscription_cancellation.mail_template_subscription_paused"


class SaleSubscription(models.Model):
    """Acknowledge what customers do in the portal and no cancellation tells of."""

    _inherit = "sale.subscription"

    def _tell_of_pause(self):
        """Tell the customer that they have paused it, where the policy says so.

        A failure stops nothing; the history tells of it.
        """
        self.ensure_one()
        if not self._get_portal_policy().send_confirmation:
            return
        # sudo: the mail is the customer's, who may not write subscriptions.
        if not self.sudo()._queue_pause_mail():
            self.sudo()._message_log(
                body=self.env._("The customer was not told of the pause by e-mail.")
            )

    def _queue_pause_mail(self):
        """Put the mail into the queue; return whether the customer gets it."""
        template = self.env.ref(PAUSED, raise_if_not_found=False)
        if not (template and self.partner_id.email_normalized):
            return False
        try:
            with self.env.cr.savepoint():
                return customer_mail.queue(self, template)
        except psycopg2.OperationalError:
            # Another transaction was faster: all of it is tried again.
            raise
        except Exception:
            _logger.exception("%s: the pause could not be told", self.display_name)
            return False

    def _get_paused_text(self):
        """Return from when to when it is paused, and what that means for the money."""
        self.ensure_one()
        sentences = [
            self.env._("You have paused subscription %s.", self.display_name),
            self._describe_pause(),
        ]
        pause = self._get_running_pause()
        if pause.credit_total:
            sentences.append(
                self.env._(
                    "%s of what is invoiced for the paused days is credited.",
                    pause.currency_id.format(pause.credit_total),
                )
            )
        sentences.append(self.env._("Nothing is invoiced for the pause."))
        if pause.date_to and self.recurring_next_date:
            sentences.append(self._describe_next_period(self.recurring_next_date))
        sentences.append(
            self.env._("To resume it earlier, please reply to this e-mail.")
        )
        return " ".join(filter(None, sentences))

    def _get_mailed_url(self):
        """Return where the customer sees this, without logging in.

        With a stand-in for the token, which only the customer's mail has.
        """
        self.ensure_one()
        # sudo: the address is for the customer, whoever has the mail sent.
        subscription = self.sudo()
        url = f"{subscription.get_base_url()}{subscription._get_share_url()}"
        return subscription._hide_links(url)
