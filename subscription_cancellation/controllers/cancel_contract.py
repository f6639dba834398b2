# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The public cancellation page: no login, one page, a receipt.

German law (§ 312k BGB) and French law (L. 215-1-1 Code de la consommation) want it.
Whatever is declared, the answer is the same: this file only stores it. Whether there
is such a contract is looked up later, by a scheduled action.
"""

import re
import secrets
import time
from datetime import timedelta

from odoo import SUPERUSER_ID, http
from odoo.http import request
from odoo.tools import consteq, hmac

from ..const import DECLARATION_LIMITS
from ..failures import TooManyDeclarationsError
from .declaration_form import DeclarationForm
from .entries import is_token

PATH = "/cancel-contract"
#: People do not see this field; programs that fill in every field do.
HONEYPOT = "company_homepage"
NONCE = re.compile(r"[\w-]{16,64}", re.ASCII)
#: Seconds since 1970.
MOMENT = re.compile(r"\d{1,12}", re.ASCII)
#: How long a page may lie open before it is sent.
PAGE_LIFETIME = timedelta(days=7)
LARGEST_ID = 2**31 - 1
#: For pages whose address is a secret.
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class CancelContract(http.Controller):
    """Take declarations, show receipts, take objections."""

    # === THE PAGE === #

    @http.route(
        [PATH, f"{PATH}/<int:company_id>"],
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
        # Checked below, without a session: that takes cookies, and it expires.
        csrf=False,
    )
    def cancel_contract(self, company_id=None, **post):
        """Show the page, or store what was entered and lead to the receipt."""
        company = self._get_company(company_id)
        if not company.cancellation_page_enabled:
            return self._not_found()
        if request.httprequest.method != "POST":
            return self._render_form(company, DeclarationForm(request.env))
        form = DeclarationForm(request.env, post)
        if not self._is_from_our_page(post):
            return self._render_form(company, form, post, is_expired=True)
        if not form.check():
            return self._render_form(company, form, post)
        return self._receive(company, form, post)

    def _receive(self, company, form, post):
        """Store the declaration; answer with the way to its receipt."""
        # sudo: the public may declare, and nothing else.
        declarations = request.env["subscription.cancellation.declaration"].sudo()
        try:
            token = declarations._receive(
                form.get_values(),
                company,
                nonce=self._get_nonce(post),
                client_address=request.httprequest.remote_addr,
                is_spam=bool(post.get(HONEYPOT)),
            )
        except TooManyDeclarationsError:
            return self._render_form(company, form, post, is_limited=True)
        return self._redirect(f"{PATH}/receipt/{token}")

    def _render_form(self, company, form, post=None, **values):
        """Return the page, with what was entered and what is wrong with it."""
        status = 429 if values.get("is_limited") else 422 if post else 200
        values = {
            "is_expired": False,
            "is_limited": False,
            **values,
            "entries": form.entries,
            "errors": form.errors,
            "honeypot": HONEYPOT,
            "limits": DECLARATION_LIMITS,
            "nonce": self._get_nonce(post or {}),
            "page_token": self._make_page_token(),
            **self._name_addressee(company),
        }
        return request.render(
            "subscription_cancellation.cancel_contract",
            values,
            status=status,
            headers={"Cache-Control": "no-cache"},
        )

    def _name_addressee(self, company):
        """Return how the pages know whom one declares to, and whose they are.

        On a website, the latter is always that of the website.
        """
        return {"addressee": company, "res_company": company}

    def _get_company(self, company_id):
        """Return the company (sudo) that the page is of, if there is one."""
        # sudo: name and address of a company are public here, its switch is needed.
        companies = request.env["res.company"].sudo()
        if not isinstance(company_id, int):
            # A field of that name in the form is not the path.
            return companies.browse(companies._get_public_company().id)
        return companies.browse(min(company_id, LARGEST_ID)).exists()

    def _get_nonce(self, post):
        """Return what makes two clicks on the same page one declaration."""
        nonce = post.get("nonce")
        is_ours = isinstance(nonce, str) and NONCE.fullmatch(nonce)
        return nonce if is_ours else secrets.token_urlsafe(16)

    def _is_from_our_page(self, post):
        """Return whether the page was ours, and is not too old.

        Where it was not, what was entered is shown again: it must not be lost.
        """
        token, nonce = post.get("csrf_token"), post.get("nonce")
        if not (is_token(token) and is_token(nonce)):
            return False
        until = (token or "").rpartition("o")[2]
        is_fresh = MOMENT.fullmatch(until) and int(until) >= time.time()
        return bool(is_fresh) and consteq(token, self._make_page_token(until))

    def _make_page_token(self, until=None):
        """Return what shows that a page is ours: signed, so that no cookie is needed.

        :param str until: seconds since 1970; absent: as long as a page made now is good
        """
        until = until or str(int(time.time() + PAGE_LIFETIME.total_seconds()))
        # sudo: the secret of the database, which signs it.
        signature = hmac(request.env(su=True), PATH, until)
        return f"{signature}o{until}"

    # === THE RECEIPT === #

    @http.route(
        f"{PATH}/receipt/<string:token>",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET"],
    )
    def receipt(self, token, **_post):
        """Show what was declared and when; nothing of what became of it."""
        declaration = self._get_declaration("access_token", token)
        if not declaration:
            return self._not_found()
        company = declaration.company_id
        values = {"declaration": declaration, **self._name_addressee(company)}
        return request.render(
            "subscription_cancellation.cancel_contract_receipt", values, headers=PRIVATE
        )

    @http.route(
        f"{PATH}/receipt/<string:token>/text",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET"],
    )
    def receipt_text(self, token, **_post):
        """Return the receipt as a text file, to be kept."""
        declaration = self._get_declaration("access_token", token)
        if not declaration:
            return self._not_found()
        name = declaration._get_reference()
        return request.make_response(
            declaration._get_receipt_text(),
            headers={
                **PRIVATE,
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}.txt"',
            }.items(),
        )

    # === THE OBJECTION === #

    @http.route(
        f"{PATH}/object/<string:token>",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
        # The address is the secret; whoever has it may act.
        csrf=False,
    )
    def objection(self, token, **_post):
        """Show what would end, and a button; only the button acts.

        Mail programs open the links of a mail to scan them.
        """
        declaration = self._get_declaration("objection_token", token)
        if not declaration:
            return self._not_found()
        subscription = declaration.subscription_id
        # What belongs to no contract (yet) is nobody's to protect.
        cannot_act_reason = subscription and subscription._get_cannot_act_reason(
            request.env.user
        )
        if request.httprequest.method == "POST" and not cannot_act_reason:
            # The engine acts, not the visitor.
            declaration.with_user(SUPERUSER_ID)._object()
            return self._redirect(f"{PATH}/object/{token}")
        values = {
            "declaration": declaration,
            **self._name_addressee(declaration.company_id),
            "cannot_act_reason": cannot_act_reason,
        }
        return request.render(
            "subscription_cancellation.cancel_contract_objection",
            values,
            headers=PRIVATE,
        )

    def _redirect(self, path):
        """Return the way to a page, in the language of this one."""
        return request.redirect(request.env["ir.http"]._url_for(path))

    def _get_declaration(self, field, token):
        """Return the declaration (sudo) of a secret address, if there is one."""
        # sudo: whoever knows the token may see this declaration.
        declarations = request.env["subscription.cancellation.declaration"].sudo()
        if "\x00" in token:
            return declarations
        return declarations.search([(field, "=", token)], limit=1)

    def _not_found(self):
        """Return the page of the status 404, without a hint why.

        Raised as an error, Odoo would look for a file at that address first, and
        break at some characters.
        """
        company = self._get_company(None)
        return request.render(
            "subscription_cancellation.page_error",
            self._name_addressee(company),
            status=404,
        )
