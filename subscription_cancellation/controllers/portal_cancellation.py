# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Cancelling in the portal: choose, check, confirm, and take back."""

from uuid import uuid4

from psycopg2.errors import LockNotAvailable

from odoo import http
from odoo.exceptions import LockError, UserError
from odoo.http import request

from ..models.sale_subscription_portal import COMMENT_LENGTH
from .portal import URL, SubscriptionPortal

CANCEL_URL = f"{URL}/<int:subscription_id>/cancel"
#: Fields of the form, with the longest value that is kept.
FORM_FIELDS = {
    "scope": 10,
    "timing": 20,
    "requested_date": 10,
    "reason_id": 10,
    "comment": COMMENT_LENGTH + 1,
}


class SubscriptionPortalCancellation(SubscriptionPortal):
    """One form, one page to check it, one button.

    POST routes check the CSRF token themselves: whoever comes back to a page of
    yesterday is asked to begin again instead of being shown an error.
    """

    # === CHOOSE === #

    @http.route(CANCEL_URL, type="http", auth="public", website=True, methods=["GET"])
    def portal_cancel_form(
        self, subscription_id, access_token=None, line=None, **_kwargs
    ):
        """Ask what shall end, and when."""
        subscription, redirect = self._get_subscription_or_login(
            subscription_id, access_token
        )
        if redirect:
            return redirect
        form = {"scope": "lines", "line_ids": [line]} if line else {}
        return self._render_cancel_form(subscription, access_token, form)

    def _render_cancel_form(self, subscription, access_token, form, problem=None):
        """Return the form, filled with what was entered."""
        policy = subscription._get_portal_policy()
        cannot = subscription._get_portal_cannot_cancel_reason()
        timings = [] if cannot else subscription._get_portal_timings()
        default = next((one.timing for one in timings if one.is_default), None)
        values = self._get_subscription_values(
            subscription,
            access_token,
            form={
                "scope": "whole",
                "line_ids": [],
                "timing": default or (timings and timings[0].timing),
                **form,
            },
            problem=problem,
            cannot_cancel_reason=cannot,
            timings=timings,
            reasons=subscription._get_portal_reasons(),
            reason_required=policy.reason_required,
            comment_length=COMMENT_LENGTH,
        )
        return request.render("subscription_cancellation.portal_cancel_form", values)

    # === CHECK === #

    @http.route(
        CANCEL_URL,
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
        csrf=False,
    )
    def portal_cancel_preview(self, subscription_id, access_token=None, **post):
        """Show what it would lead to; nothing is changed."""
        subscription, redirect = self._begin(subscription_id, access_token, post)
        if redirect:
            return redirect
        form = self._read_form(post)
        try:
            options = self._get_options(form)
            plan = subscription._plan_for_customer(options)
            return self._render_preview(subscription, access_token, form, plan)
        except UserError as error:
            return self._render_cancel_form(
                subscription, access_token, form, str(error)
            )

    def _render_preview(self, subscription, access_token, form, plan, changed=None):
        """Return the page with dates and amounts, and the button that cancels."""
        message = plan._get_retention()
        parts = plan._preview_settlement()
        outlook = plan._get_outlook(parts)
        values = self._get_subscription_values(
            subscription,
            access_token,
            form=form,
            plan=plan,
            rows=plan.line_ids._get_telling(),
            upcoming=plan._tell_upcoming(outlook),
            credit_rows=plan._get_rows_to_show(outlook),
            sentences=plan._get_customer_sentences(outlook),
            parts=plan._get_customer_parts(parts),
            warnings=[
                *plan._get_left_out_warnings(),
                *plan._get_unbilled_warnings(parts),
            ],
            fingerprint=plan._fingerprint(parts),
            key=form.get("key") or uuid4().hex,
            retention=message,
            changed=changed,
        )
        return request.render("subscription_cancellation.portal_cancel_preview", values)

    def _read_form(self, post):
        """Return the entries of the form as text, cut to what can be meant."""
        form = {
            name: str(post.get(name) or "").replace("\x00", "")[:limit]
            for name, limit in FORM_FIELDS.items()
        }
        form["line_ids"] = request.httprequest.form.getlist("line_ids")[:1000]
        form["key"] = str(post.get("key") or "").replace("\x00", "")[:64]
        return form

    def _get_options(self, form):
        """Return the options that the form stands for.

        :raise UserError: in the customer's words
        """
        options = {"timing": form["timing"]}
        if form["requested_date"]:
            options["requested_date"] = form["requested_date"]
        if form["comment"].strip():
            options["comment"] = form["comment"].strip()
        if form["scope"] == "lines":
            options["line_ids"] = self._get_line_ids(form)
        if form["reason_id"]:
            options["reason_id"] = self._get_reason_id(form)
        return options

    def _get_line_ids(self, form):
        if not form["line_ids"]:
            raise UserError(request.env._("Choose what shall end."))
        try:
            return [int(line_id) for line_id in form["line_ids"]]
        except ValueError:
            raise UserError(request.env._("Choose what shall end.")) from None

    def _get_reason_id(self, form):
        # sudo: the reasons that customers may choose are no secret.
        reasons = request.env["sale.subscription"].sudo()._get_portal_reasons()
        known = {str(reason.id): reason.id for reason in reasons}
        if form["reason_id"] not in known:
            raise UserError(request.env._("Choose one of the reasons."))
        return known[form["reason_id"]]

    # === CONFIRM === #

    @http.route(
        f"{CANCEL_URL}/confirm",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
        csrf=False,
    )
    def portal_cancel_confirm(self, subscription_id, access_token=None, **post):
        """Cancel as it was shown; where that changed, show it again."""
        subscription, redirect = self._begin(subscription_id, access_token, post)
        if redirect:
            return redirect
        form = self._read_form(post)
        fingerprint = str(post.get("fingerprint") or "-")
        try:
            with request.env.cr.savepoint():
                cancellation = subscription._request_for_customer(
                    self._get_options(form), fingerprint, form["key"]
                )
        except (LockError, LockNotAvailable):
            return self._back(subscription, access_token, "busy")
        except UserError as error:
            return self._render_refusal(subscription, access_token, form, str(error))
        request.session["subscription_message"] = "cancelled"
        return request.redirect(
            subscription._get_cancellation_url(cancellation, access_token)
        )

    def _render_refusal(self, subscription, access_token, form, reason):
        """Return the page that fits after a confirmation could not be taken.

        Already cancelled, by this page or another one: say so. Else the new figures,
        to be confirmed again.
        """
        subscription.invalidate_recordset()
        # The page that was sent is used up.
        form["key"] = ""
        if subscription._get_portal_cannot_cancel_reason():
            return self._back(subscription, access_token, "already")
        try:
            plan = subscription._plan_for_customer(self._get_options(form))
        except UserError as error:
            return self._render_cancel_form(
                subscription, access_token, form, str(error)
            )
        return self._render_preview(subscription, access_token, form, plan, reason)

    # === TAKE BACK, GO ON, PAUSE === #

    @http.route(
        f"{URL}/<int:subscription_id>/<any(revoke,reactivate,pause):verb>",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
        csrf=False,
    )
    def portal_change_mind(self, subscription_id, verb, access_token=None, **post):
        """Take a cancellation back, let go on what has ended, or pause instead."""
        subscription, redirect = self._begin(subscription_id, access_token, post)
        if redirect:
            return redirect
        try:
            with request.env.cr.savepoint():
                self._change_mind(subscription, verb, post)
        except LockError:
            return self._back(subscription, access_token, "busy")
        except UserError as error:
            return self._back(subscription, access_token, str(error))
        return self._back(subscription, access_token, verb)

    def _change_mind(self, subscription, verb, post):
        if verb == "pause":
            message_id = str(post.get("retention_id") or "")
            messages = subscription._get_portal_policy().retention_ids
            subscription._pause_for_customer(
                messages.filtered(lambda one: str(one.id) == message_id),
                str(post.get("terms") or ""),
            )
        elif verb == "revoke":
            cancellation_id = str(post.get("cancellation_id") or "")
            subscription._revoke_for_customer(
                subscription.cancellation_ids.filtered(
                    lambda one: str(one.id) == cancellation_id
                )
            )
        else:
            subscription._reactivate_for_customer()

    # === RESULT === #

    @http.route(
        f"{URL}/<int:subscription_id>/cancellations/<int:cancellation_id>",
        type="http",
        auth="public",
        website=True,
        methods=["GET"],
    )
    def portal_cancellation(
        self,
        subscription_id,
        cancellation_id,
        access_token=None,
        report_type=None,
        download=False,
        **_kwargs,
    ):
        """Show what was requested and what has become of it, also as a PDF."""
        subscription, redirect = self._get_subscription_or_login(
            subscription_id, access_token
        )
        if redirect:
            return redirect
        cancellation = subscription._get_portal_cancellations().filtered(
            lambda one: one.id == cancellation_id
        )
        if not cancellation:
            return request.redirect(subscription._get_portal_page_url(access_token))
        if report_type in ("html", "pdf", "text"):
            request.update_context(cancellation_for_customer=True)
            return self._show_report(
                model=cancellation,
                report_type=report_type,
                report_ref="subscription_cancellation"
                ".subscription_cancellation_report_summary",
                download=download,
            )
        values = self._get_subscription_values(
            subscription,
            access_token,
            cancellation=cancellation,
            cannot_revoke_reason=subscription._get_portal_cannot_revoke_reason(),
        )
        return request.render("subscription_cancellation.portal_cancellation", values)

    # === EVERY POST === #

    @http.route(
        [
            f"{CANCEL_URL}/confirm",
            f"{URL}/<int:subscription_id>/<any(revoke,reactivate,pause):verb>",
        ],
        type="http",
        auth="public",
        website=True,
        methods=["GET"],
    )
    def portal_come_back(self, subscription_id, access_token=None, **_kwargs):
        """Show the subscription to whoever comes back to the address of a button."""
        subscription, redirect = self._get_subscription_or_login(
            subscription_id, access_token
        )
        return redirect or request.redirect(
            subscription._get_portal_page_url(access_token)
        )

    def _begin(self, subscription_id, access_token, post):
        """Return the subscription, or where to go instead.

        :return: tuple of ``sale.subscription`` and response, one of them ``None``
        """
        subscription, redirect = self._get_subscription_or_login(
            subscription_id, access_token
        )
        if redirect:
            return None, redirect
        if not request.validate_csrf(post.get("csrf_token")):
            return None, self._back(subscription, access_token, "expired")
        reason = subscription._get_cannot_act_reason(request.env.user)
        if reason:
            return None, self._back(subscription, access_token, reason)
        return subscription, None

    def _back(self, subscription, access_token, message):
        """Return to the subscription's page, which says what happened."""
        request.session["subscription_message"] = message
        return request.redirect(subscription._get_portal_page_url(access_token))
