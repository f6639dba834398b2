# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What browsers never send to our pages, and programs do."""

from werkzeug.exceptions import BadRequest

from odoo.http import request

#: Entries that our own pages made: letters and digits of ASCII. Python compares
#: nothing else in constant time.
TOKENS = ("access_token", "csrf_token", "fingerprint", "key", "nonce")


def is_token(value):
    """Return whether an entry can be one that a page of ours holds, or is absent."""
    return not value or (isinstance(value, str) and value.isascii())


def check_entries():
    """Refuse a request with an uploaded file, or with a token that is none.

    :raise BadRequest: status 400; the page says what to do
    """
    params = request.get_http_params()
    is_text = all(isinstance(value, str) for value in params.values())
    if is_text and all(is_token(params.get(name)) for name in TOKENS):
        return
    raise BadRequest(
        request.env._(
            "This address or form is damaged. Open the page anew from the link that "
            "you have, or log in."
        )
    )
