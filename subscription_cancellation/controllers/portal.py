# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Subscriptions in the customer portal: list and detail."""

from urllib.parse import urlencode

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.portal.controllers.portal import CustomerPortal, pager

from .entries import check_entries

URL = "/my/subscriptions"
#: Of what is searched for; what is longer is no name.
SEARCH_LENGTH = 100


class SubscriptionPortal(CustomerPortal):
    """Show customers their own subscriptions, and nobody else's (E2)."""

    def _prepare_portal_layout_values(self):
        values = super()._prepare_portal_layout_values()
        # For screen readers; Odoo's own layout leaves it to the website app.
        lang = request.env.lang or "en_US"
        return {"html_data": {"lang": lang.replace("_", "-")}, **values}

    # === HOME === #

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "subscription_count" in counters:
            Subscription = request.env["sale.subscription"]
            values["subscription_count"] = (
                Subscription.search_count(self._get_subscription_domain())
                if Subscription.has_access("read")
                else 0
            )
        return values

    def _get_subscription_domain(self):
        """Return which subscriptions are the visitor's: those of their company."""
        partner = request.env.user.partner_id.commercial_partner_id
        return Domain("partner_id", "child_of", partner.ids)

    # === LIST === #

    def _get_subscription_sortings(self):
        return {
            "newest": {
                "label": request.env._("Newest"),
                "order": "date_start desc, id desc",
            },
            "name": {"label": request.env._("Name"), "order": "name, id"},
            "next": {
                "label": request.env._("Next Invoice"),
                "order": "recurring_next_date, id",
            },
            "end": {
                "label": request.env._("End of Service"),
                "order": "cancellation_date, id",
            },
        }

    def _get_subscription_filters(self):
        state = "cancellation_state"
        return {
            "all": {"label": request.env._("All"), "domain": Domain.TRUE},
            "active": {
                "label": request.env._("Active"),
                "domain": Domain(state, "in", ("active", "trial")),
            },
            "ending": {
                "label": request.env._("Cancelled, Still Running"),
                "domain": Domain(state, "=", "non_renewing"),
            },
            "ended": {
                "label": request.env._("Ended"),
                "domain": Domain(state, "=", "cancelled"),
            },
        }

    def _get_subscription_inputs(self):
        return {"all": {"input": "all", "label": request.env._("Search")}}

    def _get_searched(self, search):
        """Return which of the visitor's subscriptions have a text in their names."""
        if not search:
            return Domain.TRUE
        # sudo: plans and lines of subscriptions that the visitor may read.
        subscriptions = request.env["sale.subscription"].sudo()
        return subscriptions._search_for_customer(
            search, self._get_subscription_domain()
        )

    @http.route([URL, f"{URL}/page/<int:page>"], type="http", auth="user", website=True)
    def portal_my_subscriptions(
        self, page=1, sortby=None, filterby=None, search=None, **_kwargs
    ):
        """List the visitor's subscriptions."""
        check_entries()
        Subscription = request.env["sale.subscription"]
        sortings = self._get_subscription_sortings()
        filters = self._get_subscription_filters()
        sortby = sortby if sortby in sortings else "newest"
        filterby = filterby if filterby in filters else "all"
        search = (search or "").replace("\x00", "").strip()[:SEARCH_LENGTH]
        domain = self._get_subscription_domain() & filters[filterby]["domain"]
        domain &= self._get_searched(search)
        may_read = Subscription.has_access("read")
        page_values = pager(
            url=URL,
            total=Subscription.search_count(domain) if may_read else 0,
            # One in the query is none of the addresses that the pager makes.
            page=page if isinstance(page, int) else 1,
            step=self._items_per_page,
            url_args={"sortby": sortby, "filterby": filterby, "search": search},
        )
        subscriptions = (
            Subscription.search(
                domain,
                order=sortings[sortby]["order"],
                limit=self._items_per_page,
                offset=page_values["offset"],
            )
            if may_read
            else Subscription
        )
        request.session["my_subscriptions_history"] = subscriptions.ids[:100]
        values = {
            **self._prepare_portal_layout_values(),
            # sudo: plans and lines of subscriptions that the visitor may read.
            "subscriptions": subscriptions.sudo(),
            "page_name": "subscription",
            "pager": page_values,
            "default_url": URL,
            "searchbar_sortings": sortings,
            "sortby": sortby,
            "searchbar_filters": filters,
            "filterby": filterby,
            "searchbar_inputs": self._get_subscription_inputs(),
            "search_in": "all",
            "search": search,
        }
        return request.render(
            "subscription_cancellation.portal_my_subscriptions", values
        )

    # === DETAIL === #

    def _get_subscription(self, subscription_id, access_token=None):
        """Return the subscription for its customer, and for nobody else.

        By login, or by the token of a link that we sent. Employees who may read it use
        the back office, where their own rights count.

        :raise AccessError: neither; :raise MissingError: there is none
        """
        subscription = self._document_check_access(
            "sale.subscription", subscription_id, access_token
        )
        token = subscription.access_token
        has_link = access_token and token and consteq(token, access_token)
        if not has_link and not subscription.filtered_domain(
            self._get_subscription_domain()
        ):
            raise AccessError(request.env._("This is somebody else's subscription."))
        # What is done is done by the visitor, with the rights of the engine.
        owned = subscription.with_user(request.env.user).sudo()
        return owned.with_company(subscription.company_id)

    def _get_subscription_or_login(self, subscription_id, access_token=None, page=None):
        """Return the subscription, or where to go instead.

        Who is not logged in may be its customer, whose session expired: the login
        leads back.

        :param str page: to come back to, e.g. ``"/cancel"``; absent: the one that was
            asked for, of a button the subscription
        :raise BadRequest: the token, or another entry, is nothing that we sent
        """
        check_entries()
        try:
            return self._get_subscription(subscription_id, access_token), None
        except (AccessError, MissingError):
            if not request.env.user._is_public():
                return None, request.redirect("/my")
            is_page = request.httprequest.method == "GET"
            path = f"{URL}/{subscription_id}{page or ''}"
            if is_page and not page:
                path = self._get_path_asked_for()
            return None, request.redirect_query("/web/login", {"redirect": path})

    def _get_path_asked_for(self):
        """Return address and query of this request, without the token of a link."""
        asked = request.httprequest
        query = {
            name: value for name, value in asked.args.items() if name != "access_token"
        }
        return f"{asked.path}?{urlencode(query)}" if query else asked.path

    def _get_subscription_values(self, subscription, access_token, **values):
        """Return what every page of a subscription shows."""
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "subscription",
            "subscription": subscription,
            "res_company": subscription.company_id,
            **values,
        }
        values = self._get_page_view_values(
            subscription, access_token, values, "my_subscriptions_history", False
        )
        # Else a customer who is logged in could read the chatter and not answer.
        values["token"] = subscription._portal_ensure_token()
        # Of what was tried in vain no session is left.
        busy = "busy" if request.params.get("busy") else None
        values["message"] = request.session.pop("subscription_message", busy)
        return values

    @http.route(
        f"{URL}/<int:subscription_id>", type="http", auth="public", website=True
    )
    def portal_subscription(self, subscription_id, access_token=None, **_kwargs):
        """Show one subscription."""
        subscription, redirect = self._get_subscription_or_login(
            subscription_id, access_token
        )
        if redirect:
            return redirect
        values = self._get_subscription_values(
            subscription,
            access_token,
            cannot_cancel_reason=subscription._get_portal_cannot_cancel_reason(),
            cannot_revoke_reason=subscription._get_portal_cannot_revoke_reason(),
            cannot_reactivate_reason=(
                subscription._get_portal_cannot_reactivate_reason()
            ),
        )
        return request.render("subscription_cancellation.portal_subscription", values)
