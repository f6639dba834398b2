# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What mails and the summary say, in the customer's words and language (D7)."""

from odoo import models

from ...arithmetic.proration import ONE_DAY
from ...formatting import format_day, format_moment
from ..settlement.outlook import ExpectedPart


class SubscriptionCancellation(models.Model):
    """Say what ends when, and what that means for the customer's money.

    The language is the one of the context.
    """

    _inherit = "subscription.cancellation"

    # === SERVICE === #

    def _get_service_name(self):
        """Return what it is about: the subscription, or lines of it."""
        self.ensure_one()
        name = self.subscription_id.display_name
        if self._is_about_everything():
            return self.env._("subscription %s", name)
        return self.env._(
            "%(lines)s of subscription %(name)s",
            lines=", ".join(self.line_ids.subscription_line_id.mapped("name")),
            name=name,
        )

    def _is_about_everything(self):
        """Return whether this ends, or would have ended, the subscription itself."""
        if self.state == "done":
            return self.is_whole or bool(self.stage_before_id)
        if self.state == "scheduled":
            return self._ends_everything()
        return self.is_whole

    def _get_confirmation_text(self):
        """Return what ends and when."""
        self.ensure_one()
        subscription, end = self.subscription_id, self.last_service_date
        values = {
            "service": self._get_service_name(),
            "date": format_day(self.env, end),
        }
        if subscription.date_start and end < subscription.date_start:
            return self.env._("Service of %(service)s does not begin.") % values
        if end < subscription._today():
            text = self.env._("Service of %(service)s ended on %(date)s.")
        else:
            text = self.env._("Service of %(service)s ends on %(date)s.")
        sentences = [text % values]
        if not self._is_about_everything():
            sentences.append(self.env._("The rest of the subscription goes on."))
        return " ".join(sentences)

    def _get_request_text(self):
        """Return what was declared and when it was received."""
        self.ensure_one()
        return self.env._(
            "On %(date)s we received your cancellation of %(service)s. You want "
            "service to end on %(end)s.",
            date=format_moment(self.env, self.request_date, self.company_id),
            service=self._get_service_name(),
            end=format_day(self.env, self.last_service_date),
        )

    def _get_reactivation_text(self):
        """Return that service goes on, and what is invoiced."""
        self.ensure_one()
        subscription = self.subscription_id
        sentences = [
            self.env._(
                "You have reactivated subscription %s. Service goes on.",
                subscription.display_name,
            )
        ]
        # sudo: the figures only, of invoices that whoever prints need not open.
        memos = self.sudo().credit_note_ids
        invoices = memos.reversal_move_ids.filtered(lambda move: move.state == "posted")
        if invoices:
            currency = invoices[0].currency_id
            sentences.append(
                self.env._(
                    "What we had credited is invoiced again: %(amount)s (%(names)s).",
                    amount=currency.format(sum(invoices.mapped("amount_total"))),
                    names=", ".join(invoices.mapped("name")),
                )
            )
        if subscription.recurring_next_date:
            sentences.append(
                self.env._(
                    "The next invoice comes on %s.",
                    format_day(self.env, subscription.recurring_next_date),
                )
            )
        return " ".join(sentences)

    def _get_move_text(self):
        """Return from when to when the end was moved."""
        self.ensure_one()
        return self.env._(
            "Service of %(service)s now ends on %(new)s, not on %(old)s.",
            service=self._get_service_name(),
            new=format_day(self.env, self.last_service_date),
            old=format_day(self.env, self._get_last_day_before_move()),
        )

    def _get_last_day_before_move(self):
        """Return the last day of service before the date was changed, or ``None``."""
        self.ensure_one()
        first_day = self.moved_from_date
        return first_day - ONE_DAY if first_day else None

    def _get_extension_text(self):
        """Return what is charged for the days that moving added, or ``None``."""
        invoices = self._get_extension_invoices()
        if not invoices:
            return None
        return self.env._(
            "The days that this adds are charged: invoice %(names)s of %(amount)s.",
            names=", ".join(invoices.mapped("name")),
            amount=invoices[0].currency_id.format(sum(invoices.mapped("amount_total"))),
        )

    def _get_refusal_text(self):
        """Return that the request was not accepted."""
        self.ensure_one()
        values = {
            "service": self._get_service_name(),
            "date": format_day(
                self.env, self.subscription_id._to_local_date(self.request_date)
            ),
        }
        if self._is_declared():
            text = self.env._(
                "We have checked the cancellation of %(service)s that we received on "
                "%(date)s: it is without effect."
            )
        else:
            text = self.env._(
                "We could not accept the cancellation of %(service)s that was "
                "requested on %(date)s."
            )
        text %= values
        goes_on = self.env._("Service goes on as before.")
        return f"{text} {goes_on}" if self._is_service_going_on() else text

    def _get_revocation_text(self):
        """Return that service goes on."""
        self.ensure_one()
        return self.env._(
            "The cancellation of %(service)s for %(date)s is revoked. Service goes on, "
            "and so do its invoices, as if nothing had been requested.",
            service=self._get_service_name(),
            date=format_day(self.env, self.last_service_date),
        )

    # === MONEY === #

    def _get_credit_text(self):
        """Return what was credited, or was paid for an order and is left of it."""
        self.ensure_one()
        if not self.credit_total and self.paid_ahead:
            return self.env._(
                "%s of what you paid for your order are not invoiced.",
                self.currency_id.format(self.paid_ahead),
            )
        if not self.credit_total:
            return self.env._("Nothing is credited.")
        text = self.env._("We credit you %s for the days that you no longer use.")
        if self.refund_mode == "full":
            text = self.env._("We credit you %s.")
        if "draft" in self.credit_note_ids.mapped("state"):
            text = self.env._("We will credit you %s, once that is checked.")
        return text % self.currency_id.format(self.credit_total)

    def _get_expected_text(self):
        """Return what is to be credited on the day service ends, as of now."""
        self.ensure_one()
        sentences = [self._get_credited_in_advance_text()]
        if self.refund_mode == "none":
            sentences.append(self.env._("Nothing will be credited."))
        else:
            sentences.append(self._get_expected_credit_text())
        return " ".join(filter(None, sentences))

    def _get_credited_in_advance_text(self):
        """Return what was credited when this was scheduled, or ``None``."""
        if not self.credit_total:
            return None
        return self.env._(
            "We credit you %s for periods that were billed in advance.",
            self.currency_id.format(self.credit_total),
        )

    def _get_expected_credit_text(self):
        """Return what is still to be charged and credited, as of now."""
        outlook = self._get_outlook()
        sentences = [self._tell_expected_credit(outlook)]
        if outlook.last_charge and self._ends_everything():
            day = format_day(self.env, outlook.last_charge)
            sentences.append(self.env._("You will not be charged after %s.", day))
        elif outlook.last_charge:
            sentences += self._get_charge_sentences(outlook)
        return " ".join(sentences)

    def _tell_expected_credit(self, outlook):
        """Return what is to be credited, as of now."""
        credit = outlook.credited.total
        if not credit:
            return self.env._(
                "No invoice covers days after the end of service, so nothing will be "
                "credited."
            )
        text = self.env._(
            "If nothing changes until then, we will credit you %s for the days that "
            "you no longer use."
        )
        if self.refund_mode == "full":
            text = self.env._("If nothing changes until then, we will credit you %s.")
        return text % outlook.currency.format(credit)

    def _get_expected_parts(self):
        """Return what is still invoiced, and what will become of the money, as of now.

        :return: list of :class:`ExpectedPart`
        """
        self.ensure_one()
        parts = self._tell_upcoming(self._get_outlook())
        for part in self._get_plan()._preview_settlement():
            text = self._tell_expected(part)
            if text:
                parts.append(ExpectedPart(text, part.amount, part.currency))
        return parts

    def _tell_expected(self, part):
        """Return a :class:`SettlementPart` in the customer's words, or ``None``."""
        tell = getattr(self, f"_tell_expected_{part.kind}", None)
        return tell and tell(part)

    def _tell_expected_unbilled(self, part):
        if part.is_left_to_order:
            return self.env._("Will be invoiced with your order %s", part.order.name)
        if part.state == "skipped":
            return self.env._("Not invoiced any more")
        return self.env._("Will be invoiced for served days")

    def _tell_expected_reduce(self, part):
        return self.env._("Will reduce invoice %s", part.credited.name)

    def _tell_expected_apply_credits(self, part):
        if not part.source:
            return self.env._("Will pay what is invoiced now")
        return self.env._("Will be paid on invoice %s", part.source.name)

    def _tell_expected_collect(self, part):
        if not part.token:
            return self._tell_expected_due(part)
        if not part.source:
            return part.text
        return self.env._(
            "Invoice %(invoice)s: will be charged to %(method)s",
            invoice=part.source.name,
            method=part.token._get_method_name(),
        )

    def _tell_expected_write_off(self, part):
        # How the company values what it is owed is none of the customer's business.
        return self._tell_expected_due(part)

    def _tell_expected_due(self, part):
        return self.env._("Invoice %s: stays due", part.source.name)

    def _tell_expected_refund(self, part):
        if part.payment:
            return self.env._("Paid back")
        if not part.transaction:
            return self.env._("Will be paid back")
        method = part.transaction._get_method_name()
        return self.env._(
            "Will be refunded to %s, and usually arrives within 5 to 10 working days",
            method,
        )

    def _tell_expected_keep(self, part):
        if part.credited or part.paid_order:
            return self.env._("Will be kept as credit on your account")
        return self._tell_expected_due(part)
