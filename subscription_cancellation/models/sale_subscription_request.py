# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The doors of the contract: preview, request, revoke; who may, and why not."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ..formatting import format_day
from ..rights import is_user


class SaleSubscription(models.Model):
    """Request, preview and revoke the cancellation of a subscription."""

    _inherit = "sale.subscription"

    # === PUBLIC METHODS (contract; also called over JSON-2) === #

    @api.readonly
    def preview_cancellation(
        self,
        *,
        timing=None,
        requested_date=None,
        refund_mode=None,
        line_ids=None,
        reason_code=None,
        comment=None,
        cancel_day_billed=None,
        unpaid_invoices=None,
        unbilled_charges=None,
        credit_settlement=None,
        apply_credits=None,
        send_confirmation=None,
    ):
        """Tell what :meth:`request_cancellation` would do; write nothing.

        Same parameters, errors and result, with ``cancellation_id`` false.
        """
        options = self._pack_options(
            timing=timing,
            requested_date=requested_date,
            refund_mode=refund_mode,
            line_ids=line_ids,
            reason_code=reason_code,
            comment=comment,
            cancel_day_billed=cancel_day_billed,
            unpaid_invoices=unpaid_invoices,
            unbilled_charges=unbilled_charges,
            credit_settlement=credit_settlement,
            apply_credits=apply_credits,
            send_confirmation=send_confirmation,
        )
        return self._plan_cancellation(options, channel="api")._as_dict()

    def request_cancellation(
        self,
        *,
        timing=None,
        requested_date=None,
        refund_mode=None,
        line_ids=None,
        reason_code=None,
        comment=None,
        cancel_day_billed=None,
        unpaid_invoices=None,
        unbilled_charges=None,
        credit_settlement=None,
        apply_credits=None,
        send_confirmation=None,
        fingerprint=None,
    ):
        """Cancel this subscription, or some of its lines, now or on a later date.

        What is absent (``None``) comes from the cancellation policy.

        :param str timing: ``immediate``, ``end_of_period``, ``end_of_term``,
            ``earliest`` or ``specific_date``
        :param str requested_date: ``"YYYY-MM-DD"``, for ``specific_date``
        :param str refund_mode: ``none``, ``prorated`` or ``full``
        :param list line_ids: ids of ``sale.subscription.line``; absent: all lines
        :param str reason_code: code of a ``sale.subscription.close.reason``
        :param str comment: free text of the person who cancels
        :param bool cancel_day_billed: the cancellation day is a served, billed day
        :param str unpaid_invoices: ``keep``, ``collect`` (charge the saved payment
            method) or ``write_off``, once the subscription has ended
        :param str unbilled_charges: ``invoice`` drafts and elapsed days to the day, or
            ``drop`` them
        :param str credit_settlement: ``keep`` what exceeds what is due on the
            customer's account, or ``refund`` it to where the money came from
        :param bool apply_credits: credits and excess payments first pay the customer's
            other open invoices
        :param bool send_confirmation: the customer gets an e-mail
        :param str fingerprint: of the preview that was confirmed; where dates or
            amounts changed since, nothing is done and the error names what did
        :return: dict with ``cancellation_id``, ``state``, ``effective_date``
            (first day without service), ``last_service_date``, ``earliest_end`` (last
            day of service that keeps the policy's terms) and ``cancel_by`` (last day
            to ask for it), ``extraordinary``, ``approval_reason``, ``currency``,
            ``credit_untaxed``, ``credit_tax``, ``credit_total``,
            ``reduces_invoices``, ``refundable`` (amounts in that currency),
            ``lines``, one per billed line with its period and days, and
            ``settlement``, one per step: ``kind``, ``state``, ``amount``, ``currency``,
            ``document``, ``text``
        :raise UserError: an option, a date or the subscription's state forbids it
        :raise AccessError: the user may not cancel subscriptions
        :raise LockError: somebody else is cancelling the same subscription
        """
        options = self._pack_options(
            timing=timing,
            requested_date=requested_date,
            refund_mode=refund_mode,
            line_ids=line_ids,
            reason_code=reason_code,
            comment=comment,
            cancel_day_billed=cancel_day_billed,
            unpaid_invoices=unpaid_invoices,
            unbilled_charges=unbilled_charges,
            credit_settlement=credit_settlement,
            apply_credits=apply_credits,
            send_confirmation=send_confirmation,
        )
        return self._request_cancellation(options, "api", fingerprint)._as_dict()

    def revoke_cancellation(self):
        """Take back what is scheduled: the end of it all, else that of single lines.

        :return: dict like :meth:`request_cancellation`, state ``revoked``
        :raise UserError: nothing is scheduled, or its date is reached
        :raise AccessError: requested by somebody else, and not a manager
        """
        self._check_one()
        cancellations = self._get_open_cancellations()
        cancellations._revoke()
        return cancellations[:1]._as_dict()

    def postpone_cancellation(self, *, requested_date, charge_extension=None):
        """Move a scheduled cancellation to another date, earlier or later.

        :param str requested_date: ``"YYYY-MM-DD"``, the new day of cancellation
        :param bool charge_extension: invoice the days that this adds and no regular
            invoice covers, to the day and at once; absent: as it was, first off
        :return: dict like :meth:`request_cancellation`, state ``scheduled``; ``done``
            where the new date is today
        :raise UserError: nothing is scheduled, several lines end on dates of their
            own, the date is in the past or beyond the contract, or the policy does
            not allow a date of one's own
        :raise AccessError: requested by somebody else, and not a manager
        """
        self._check_one()
        cancellation = self._get_open_cancellations()
        if len(cancellation) > 1:
            raise UserError(
                self.env._(
                    "Several lines of subscription %(name)s end on dates of their own "
                    "(%(cancellations)s). Change the date on each cancellation.",
                    name=self.display_name,
                    cancellations=", ".join(cancellation.mapped("name")),
                )
            )
        cancellation._postpone(requested_date, charge_extension, channel="api")
        return cancellation._as_dict()

    def _get_open_cancellations(self):
        """Return the open end of it all, else those of single lines.

        :raise UserError: there is none
        """
        cancellations = self.cancellation_ids.filtered("is_open")
        if not cancellations:
            raise UserError(
                self.env._(
                    "There is no scheduled cancellation of subscription %(name)s to "
                    "change or revoke.",
                    name=self.display_name,
                )
            )
        return cancellations.filtered("is_whole") or cancellations

    # === REQUEST === #

    @api.model
    def _pack_options(self, **options):
        """Return the given options by name, without the absent ones."""
        return {name: value for name, value in options.items() if value is not None}

    def _plan_cancellation(self, options, channel):
        """Return the checked plan of a cancellation; nothing is written.

        :param dict options: given options by name (contract)
        :param str channel: the door it came through
        """
        self._check_one()
        self.check_access("read")
        self._check_can_cancel()
        return self.env["subscription.cancellation"]._plan(self, options, channel)

    def _request_cancellation(self, options, channel, fingerprint=None):
        """Make the cancellation and, where it is due, execute it.

        :param str fingerprint: of the preview the person confirmed, if any
        :return: the ``subscription.cancellation``
        """
        self._check_one()
        self.check_access("read")
        self._check_cancellation_access()
        self.lock_for_update()
        plan = self._plan_cancellation(options, channel)
        plan._check_fingerprint(fingerprint)
        return plan._confirm()

    def _check_one(self):
        """Raise a UserError unless this is one subscription (over the API: one id)."""
        if len(self) != 1:
            raise UserError(
                self.env._(
                    "Subscriptions are cancelled one at a time: give one id, not %s.",
                    len(self),
                )
            )

    def _check_cancellation_access(self):
        """Raise AccessError unless the user may cancel subscriptions."""
        if not is_user(self.env):
            raise AccessError(
                self.env._(
                    "You are not allowed to cancel subscriptions. Ask for the "
                    "“Subscription Cancellation: User” access right."
                )
            )

    def _check_can_cancel(self):
        """Raise a UserError that says why this subscription cannot be cancelled."""
        self.ensure_one()
        self._check_cancellation_access()
        reason = self._get_cannot_cancel_reason()
        if reason:
            raise UserError(reason)

    def _get_cannot_cancel_reason(self):
        """Return why Deactivate is not offered, or ``None``.

        One place for the button, the error and, later, the portal.
        """
        self.ensure_one()
        if self.cancellation_state == "cancelled":
            return self.env._(
                "Subscription %(name)s is already cancelled.", name=self.display_name
            )
        if not self.sale_subscription_line_ids:
            return self.env._(
                "Subscription %(name)s has no active line to cancel.",
                name=self.display_name,
            )
        if self._get_pending_cancellation():
            return self.env._(
                "A cancellation of subscription %(name)s already waits for approval "
                "(%(cancellation)s). Approve, refuse or revoke that one first.",
                name=self.display_name,
                cancellation=self._get_pending_cancellation().name,
            )
        if self.cancellation_date:
            return self.env._(
                "Subscription %(name)s is already cancelled: service ends on "
                "%(date)s. Revoke that cancellation first.",
                name=self.display_name,
                date=format_day(self.env, self.last_service_date),
            )
        return None

    def _get_pending_cancellation(self):
        """Return the cancellation of all of it that waits for approval, if any."""
        return self.cancellation_ids.filtered(
            lambda cancellation: (
                cancellation.is_whole and cancellation.state == "to_approve"
            )
        )[:1]
