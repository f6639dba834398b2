# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Cancelling in the portal: choose, check, confirm, and take back."""

from uuid import uuid4

from psycopg2.errors import LockNotAvailable

from odoo import http
from odoo.exceptions import LockError, UserError
from odoo.http import content_disposition, request

from ..const import CUSTOMER_COMMENT_LENGTH, REASON_COMMENT_LENGTH
from .portal import URL, SubscriptionPortal
from .portal_form import CancellationForm

CANCEL_URL = f"{URL}/<int:subscription_id>/cancel"
#: What was entered when a login had expired, until somebody logs in again.
KEPT = "subscription_entries"


def write_references(subscription, text):
    """Return a text with the numbers of cancellations as customers read them."""
    for cancellation in subscription.cancellation_ids:
        text = text.replace(cancellation.name, cancellation._get_reference())
    return text


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
        form = self._take_kept_form(subscription)
        if form:
            return self._show_after_expiry(access_token, form)
        entries = {"scope": "lines", "line_ids": [line]} if line else {}
        return self._render_cancel_form(subscription, access_token, entries)

    def _render_cancel_form(self, subscription, access_token, entries, error=None):
        """Return the form, filled with what was entered.

        :param UserError error: why it could not be taken, if any
        """
        policy = subscription._get_portal_policy()
        cannot = subscription._get_portal_cannot_cancel_reason()
        timings = [] if cannot else subscription._get_portal_timings()
        default = next((one.timing for one in timings if one.is_default), None)
        reasons = subscription._get_portal_reasons()
        errors = getattr(error, "errors", {})
        values = self._get_subscription_values(
            subscription,
            access_token,
            form={
                "scope": "whole",
                "line_ids": [],
                "timing": default or (timings and timings[0].timing),
                **entries,
            },
            problem=error and write_references(subscription, str(error)),
            errors={
                name: write_references(subscription, errors[name]) for name in errors
            },
            cannot_cancel_reason=cannot,
            timings=timings,
            reasons=reasons,
            telling_reasons=reasons.filtered("comment_required"),
            reason_required=policy.reason_required,
            comment_length=CUSTOMER_COMMENT_LENGTH,
            reason_comment_length=REASON_COMMENT_LENGTH,
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
        """Show what it would lead to, or the form again; nothing is changed."""
        subscription, answer = self._begin_form(subscription_id, access_token, post)
        if answer:
            return answer
        form = self._read_form(subscription, post)
        if post.get("change"):
            return self._render_cancel_form(subscription, access_token, form.entries)
        return self._show_form(access_token, form)

    def _show_form(self, access_token, form, changed=None):
        """Return the summary of what was entered, or the form with what is wrong.

        :param str changed: why the summary is shown, where nobody asked for it
        """
        subscription = form.subscription
        try:
            plan = form.plan()
            return self._render_preview(
                subscription, access_token, form.entries, plan, changed
            )
        except UserError as error:
            return self._render_cancel_form(
                subscription, access_token, form.entries, error
            )

    def _render_preview(self, subscription, access_token, form, plan, changed=None):
        """Return the page with dates and amounts, and the button that cancels."""
        message = plan._get_retention_message()
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

    def _read_form(self, subscription, post):
        """Return the :class:`CancellationForm` of what was sent."""
        line_ids = request.httprequest.form.getlist("line_ids")
        return CancellationForm(subscription, post, line_ids)

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
        subscription, answer = self._begin_form(subscription_id, access_token, post)
        if answer:
            return answer
        form = self._read_form(subscription, post)
        fingerprint = str(post.get("fingerprint") or "-")
        try:
            with request.env.cr.savepoint():
                cancellation = subscription._request_for_customer(
                    *form.read_options(), fingerprint, form.entries["key"]
                )
        except (LockError, LockNotAvailable):
            return self._back(subscription, access_token, "busy")
        except UserError as error:
            return self._render_refusal(access_token, form, str(error))
        request.session["subscription_message"] = "cancelled"
        return request.redirect(
            subscription._get_cancellation_url(cancellation, access_token)
        )

    def _render_refusal(self, access_token, form, reason):
        """Return the page that fits after a confirmation could not be taken.

        Already cancelled, by this page or another one: say so. Else the new figures,
        to be confirmed again.
        """
        form.subscription.invalidate_recordset()
        reason = write_references(form.subscription, reason)
        # The page that was sent is used up.
        form.entries["key"] = ""
        if form.subscription._get_portal_cannot_cancel_reason():
            return self._back(form.subscription, access_token, "already")
        return self._show_form(access_token, form, reason)

    # === AN EXPIRED SESSION === #

    def _begin_form(self, subscription_id, access_token, post):
        """Return the subscription, or the page to show instead; entries are kept.

        :return: tuple of ``sale.subscription`` and response, one of them ``None``
        """
        subscription, redirect = self._get_subscription_or_login(
            subscription_id, access_token, page="/cancel"
        )
        if redirect:
            if request.env.user._is_public():
                self._keep_form(subscription_id, post)
            return None, redirect
        answer = self._refuse_employee(subscription, access_token)
        if not answer and not request.validate_csrf(post.get("csrf_token")):
            form = self._read_form(subscription, post)
            answer = self._show_after_expiry(access_token, form)
        return subscription, answer

    def _keep_form(self, subscription_id, post):
        """Remember what was entered until the visitor has logged in again."""
        form = self._read_form(request.env["sale.subscription"], post)
        request.session[KEPT] = {"id": subscription_id, **form.entries}

    def _take_kept_form(self, subscription):
        """Return the form with what was entered before a login, once, or ``None``."""
        kept = request.session.get(KEPT)
        if not kept or kept["id"] != subscription.id:
            return None
        del request.session[KEPT]
        return CancellationForm(subscription, kept, kept["line_ids"])

    def _show_after_expiry(self, access_token, form):
        """Return the summary of what was entered, to be confirmed in this session."""
        text = request.env._(
            "Your session has expired, so nothing was changed. Please check what you "
            "entered, then confirm."
        )
        return self._show_form(access_token, form, text)

    # === TAKE BACK, GO ON, PAUSE === #

    @http.route(
        f"{URL}/<int:subscription_id>/<any(revoke,extend,reactivate,pause):verb>",
        type="http",
        auth="public",
        website=True,
        methods=["POST"],
        csrf=False,
    )
    def portal_change_mind(self, subscription_id, verb, access_token=None, **post):
        """Take a cancellation back, end later or not at all, or pause instead."""
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
            subscription._pause_for_customer(
                str(post.get("retention_id") or ""),
                str(post.get("terms") or ""),
                *self._read_form(subscription, post).read_options(),
            )
        elif verb == "revoke":
            cancellation_id = str(post.get("cancellation_id") or "")
            subscription._revoke_for_customer(
                subscription.cancellation_ids.filtered(
                    lambda one: str(one.id) == cancellation_id
                )
            )
        elif verb == "extend":
            subscription._extend_for_customer(
                str(post.get("day") or ""), str(post.get("terms") or "")
            )
        else:
            subscription._reactivate_for_customer(str(post.get("terms") or ""))

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

    def _get_http_headers(self, model, report_type, report, download):
        """Call the file as it is called in the mail."""
        headers = super()._get_http_headers(model, report_type, report, download)
        if model._name == "subscription.cancellation" and report_type == "pdf":
            headers["Content-Disposition"] = content_disposition(
                f"{model._get_report_base_filename()}.pdf",
                disposition_type="attachment" if download else "inline",
            )
        return headers

    # === EVERY POST === #

    @http.route(
        [
            f"{CANCEL_URL}/confirm",
            f"{URL}/<int:subscription_id>/<any(revoke,extend,reactivate,pause):verb>",
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
        return subscription, self._refuse_employee(subscription, access_token)

    def _refuse_employee(self, subscription, access_token):
        """Return the subscription's page with why the visitor may not act, or not."""
        reason = subscription._get_cannot_act_reason(request.env.user)
        return self._back(subscription, access_token, reason) if reason else None

    def _back(self, subscription, access_token, message):
        """Return to the subscription's page, which says what happened."""
        message = write_references(subscription, message)
        request.session["subscription_message"] = message
        return request.redirect(subscription._get_portal_page_url(access_token))
