# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A cancellation as the customer reads it: before, and after."""

from odoo import models
from odoo.exceptions import UserError

from ...formatting import as_reference, format_day, in_language_of


class SubscriptionCancellation(models.Model):
    """Tell the customer what will happen, or has happened."""

    _name = "subscription.cancellation"
    _inherit = [
        "subscription.customer.link.mixin",
        "subscription.reference.mixin",
        "subscription.cancellation",
    ]

    def _get_portal_state(self):
        """Return the state in the customer's words."""
        self.ensure_one()
        if self.reactivated_date:
            return self.env._("Taken back")
        day = format_day(self.env, self.last_service_date)
        if self.state == "done" and (
            self.last_service_date >= self.subscription_id._today()
        ):
            return self.env._("Service ends on %s", day)
        texts = {
            "to_approve": self._get_checked_state(),
            "scheduled": self.env._("Service ends on %s", day),
            "failed": self.env._("Service ends on %s", day),
            "done": self.env._("Service ended on %s", day),
            "revoked": self.env._("Taken back"),
            "refused": self._get_refused_state(),
        }
        return texts[self.state]

    def _get_checked_state(self):
        if self._is_declared():
            return self.env._("Received; we check it")
        return self.env._("We check your request")

    def _get_refused_state(self):
        if self._is_declared():
            return self.env._("Received; without effect")
        return self.env._("Not accepted")

    def _get_checking_text(self):
        """Return that this is not decided yet, and where the answer comes."""
        self.ensure_one()
        if self._is_declared():
            return self.env._(
                "We have received your cancellation. We check it, and answer by e-mail."
            )
        return self.env._(
            "You asked us to cancel. We check your request and answer by e-mail."
        )

    def _format_day(self, day):
        """Return a day as the summary writes it, in the language of the context."""
        return format_day(self.env, day)

    def _get_reference(self):
        """Return the number for the customer."""
        self.ensure_one()
        return as_reference(self.name)

    def _get_report_base_filename(self):
        """Return how the PDF is called, wherever it is saved from.

        In the customer's language, as what is in it.
        """
        self.ensure_one()
        env = in_language_of(self.env, self.partner_id)
        return env._("Cancellation %s", self._get_reference())

    def _get_portal_scope(self):
        """Return what ends: all of it, or the names of lines."""
        self.ensure_one()
        if self.is_whole:
            return self.env._("The whole subscription")
        return ", ".join(self.line_ids.subscription_line_id.mapped("name"))

    def _get_retention_message(self):
        """Return the message that the customer reads before confirming, or none."""
        self.ensure_one()
        message = self.policy_id._get_retention_message(self.reason_id)
        return message.filtered(lambda one: one._can_be_offered(self))

    def _get_customer_sentences(self, outlook):
        """Return in plain words what this plan leads to.

        :param Outlook outlook: what is still to come
        """
        self.ensure_one()
        sentences = [self._get_end_sentence()]
        if outlook.credited.total or not self.paid_ahead:
            sentences.append(self._get_credit_sentence(outlook))
        sentences += [
            *self._get_paid_ahead_sentences(),
            *self._get_charge_sentences(outlook),
            *self._get_advance_sentences(),
        ]
        if self.state == "to_approve":
            sentences.append(
                self.env._("We check it first, and answer by e-mail.")
                if self._is_declared()
                else self.env._("We check your request first, and answer by e-mail.")
            )
        return sentences

    def _get_customer_parts(self, parts=None):
        """Return what will become of the money: tuples of text, amount, currency.

        :param list parts: of the settlement, where they are known already
        """
        self.ensure_one()
        parts = self._preview_settlement() if parts is None else parts
        told = [
            (self._tell_expected(part), part.amount, part.currency) for part in parts
        ]
        return [
            part for part in told if part[0] and not part[2].is_zero(part[1] or 0.0)
        ]

    # === WHAT WAS SHOWN === #

    def _check_as_shown(self, fingerprint):
        """Raise where the figures that the customer confirmed are no longer true.

        :param str fingerprint: of the preview
        :raise UserError: what has changed, for the page that shows the new figures
        """
        self.ensure_one()
        if fingerprint == self._fingerprint():
            return
        text = self.env._(
            "Nothing was cancelled yet: please check what this page shows, then "
            "confirm."
        )
        raise UserError(" ".join([*self._describe_changes_shown(fingerprint), text]))

    def _describe_changes_shown(self, fingerprint):
        """Return in sentences what differs from what the customer was shown.

        The page says what becomes of the money, in the customer's words.
        """
        new = self._get_facts()
        old = self._parse_fingerprint(fingerprint, new)
        old = {**old, **{name: new[name] for name in ("mode", "approval", "split")}}
        return [
            *self._describe_changed_terms(old, new),
            *self._describe_changed_rows(old["rows"], new["rows"]),
            *self._describe_changed_money(old, new),
        ]

    # === LINKS === #

    def _get_portal_url(self):
        """Return where the customer sees the subscription, without logging in.

        With a stand-in for the token, which only the customer's mail has.
        """
        self.ensure_one()
        return self.subscription_id._get_mailed_url()

    def _get_link_customer(self):
        # sudo: whoever writes to the customer need not read the subscription.
        return self.subscription_id.sudo().partner_id

    def _get_link_secrets(self):
        # sudo: for the customer, whoever has the mail sent.
        return {
            **self.subscription_id.sudo()._get_link_secrets(),
            **self.declaration_id.sudo()._get_link_secrets(),
        }
