# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The doors of the contract: preview, request, revoke; who may, and why not."""

from odoo import api, models
from odoo.exceptions import UserError

from ...api_docs import ANSWER, ERRORS, KEYS, LOCKED, OPTIONS, documented
from ...callers import forget_context


class SaleSubscription(models.Model):
    """Request, preview and revoke the cancellation of a subscription."""

    _inherit = "sale.subscription"

    # === PUBLIC METHODS (contract; also called over JSON-2) === #

    @api.readonly
    @documented(OPTIONS, ANSWER, ERRORS)
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
        """Tell what ``request_cancellation`` would do with these options, to the cent.

        Nothing is written. What is absent (``None``) comes from the cancellation
        policy. Give the ``fingerprint`` of the answer to ``request_cancellation`` to
        make sure that what was seen is what is done.
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

    @documented(OPTIONS, KEYS, ANSWER, ERRORS, LOCKED)
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
        idempotency_key=None,
    ):
        """Cancel this subscription, or some of its lines, now or on a later date.

        What is absent (``None``) comes from the cancellation policy; an override that
        the policy does not allow is refused. All of it is done, or nothing.
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
        return self._answer_once(
            idempotency_key,
            options,
            lambda: self._request_cancellation(options, "api", fingerprint),
        )

    def revoke_cancellation(self):
        """Take back what is scheduled: the end of it all, else that of single lines.

        Billing goes on as if nothing had happened.

        :rtype: dict
        :return: like ``request_cancellation``, with state ``revoked``
        :raise UserError: status 422; nothing is scheduled, or its date is reached
        :raise AccessError: status 403; requested by somebody else, and the user is not
            a cancellation manager
        :raise MissingError: status 404; there is no such subscription
        :raise LockError: status 409; somebody else is changing it: try again
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
        :rtype: dict
        :return: like ``request_cancellation``, with state ``scheduled``; ``done`` where
            the new date is today
        :raise UserError: status 422; nothing is scheduled, several lines end on dates
            of their own, the date is in the past or beyond the contract, or the policy
            does not allow a date of one's own
        :raise AccessError: status 403; requested by somebody else, and the user is not
            a cancellation manager
        :raise MissingError: status 404; there is no such subscription
        :raise LockError: status 409; somebody else is changing it: try again
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
        cancellations = self._filter_open_cancellations()
        if not cancellations:
            raise UserError(
                self.env._(
                    "There is no scheduled cancellation of subscription %(name)s to "
                    "change or revoke.",
                    name=self.display_name,
                )
            )
        return cancellations

    # === REQUEST === #

    @api.model
    def _pack_options(self, **options):
        """Return the given options by name, without the absent ones."""
        return {name: value for name, value in options.items() if value is not None}

    def _plan_cancellation(self, options, channel, is_said=True, policy=None):
        """Return the checked plan of a cancellation; nothing is written.

        :param dict options: given options by name (contract)
        :param str channel: the door it came through
        :param bool is_said: reason and comment are there, where they have to be
        :param policy: the one that applies (sudo), where somebody has just found it
        """
        self._check_one()
        self.check_access("read")
        self._check_can_cancel()
        subscription = forget_context(self)
        Cancellation = subscription.env["subscription.cancellation"]
        return Cancellation._plan(subscription, options, channel, is_said, policy)

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
