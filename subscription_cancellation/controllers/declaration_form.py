# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The entries of the public cancellation page: cleaned, and what is wrong with them."""

import re
import unicodedata
from datetime import date, datetime, timedelta

from odoo import fields
from odoo.tools import email_normalize

from ..arithmetic.likeness import compose
from ..callers import DATE_FORMAT, LAST_YEAR
from ..const import DECLARATION_LIMITS

#: What is echoed of an entry that is too long, so that it can be shortened.
ECHOED = 4
KINDS = ("ordinary", "extraordinary")
ENDS = ("earliest", "date")
EMAILS = ("contract_email", "confirmation_email")
#: The day may have begun elsewhere.
ONE_DAY = timedelta(days=1)
LINE_BREAKS = "\n\t"


def clean(value, is_multiline=False):
    """Return what was typed as harmless text: no control characters, trimmed.

    :param value: of the request; anything but a text (an upload, say) is no entry
    """
    if not isinstance(value, str):
        return ""
    value = unicodedata.normalize("NFC", value)
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in value if _is_printable(char, is_multiline))
    return kept.strip() if is_multiline else re.sub(r"\s+", " ", kept).strip()


def _is_printable(char, is_multiline):
    """Return whether a character is kept: line breaks become spaces later."""
    if char in LINE_BREAKS:
        return True
    return unicodedata.category(char) not in ("Cc", "Cs")


class DeclarationForm:
    """What somebody entered on the page.

    ``entries`` are the texts to show again, ``errors`` a sentence by entry, in the
    language of ``env``; :meth:`get_values` are those of the declaration.
    """

    def __init__(self, env, post=None):
        self.env = env
        post = post or {}
        self.errors = {}
        self.entries = {
            "kind": post.get("kind", KINDS[0]),
            "end": post.get("end", ENDS[0]),
            **{
                name: clean(post.get(name), name == "extraordinary_reason")
                for name in DECLARATION_LIMITS
            },
        }
        for name in EMAILS:
            # What nobody sees of what was pasted would be part of the address.
            self.entries[name] = compose(self.entries[name])

    def check(self):
        """Fill ``errors``; return whether there are none."""
        self._check_lengths()
        self._check_kind()
        self._check_present("customer_name", self.env._("Enter your name."))
        self._check_present(
            "contract_reference",
            self.env._(
                "Enter the number of the contract or of the order. If you do not know "
                "it, say in words which contract you mean."
            ),
        )
        self._check_end()
        for name in EMAILS:
            self._check_email(name)
        return not self.errors

    def get_values(self):
        """Return the values of the declaration, of checked entries."""
        entries = self.entries
        is_extraordinary = entries["kind"] == "extraordinary"
        wants_earliest = entries["end"] == "earliest"
        return {
            "kind": entries["kind"],
            "extraordinary_reason": is_extraordinary
            and entries["extraordinary_reason"],
            "customer_name": entries["customer_name"],
            "contract_reference": entries["contract_reference"],
            "contract_email": email_normalize(entries["contract_email"]),
            "wants_earliest": wants_earliest,
            "desired_date": not wants_earliest and self._parse_date(),
            "confirmation_email": email_normalize(entries["confirmation_email"]),
        }

    # === CHECKS === #

    def _check_lengths(self):
        for name, limit in DECLARATION_LIMITS.items():
            length = len(self.entries[name])
            if length > limit:
                self.entries[name] = self.entries[name][: ECHOED * limit]
                self.errors[name] = self.env._(
                    "This may have up to %(limit)s characters; yours has %(length)s. "
                    "Shorten it.",
                    limit=limit,
                    length=length,
                )

    def _check_kind(self):
        if self.entries["kind"] not in KINDS:
            self.entries["kind"] = KINDS[0]
            self.errors["kind"] = self.env._("Choose the kind of cancellation.")
        if self.entries["kind"] == "extraordinary":
            self._check_present(
                "extraordinary_reason",
                self.env._("Give the reason of the extraordinary cancellation."),
            )

    def _check_present(self, name, message):
        if not self.entries[name]:
            self.errors.setdefault(name, message)

    def _check_email(self, name):
        """Want one address and nothing else, so that nothing is sent elsewhere."""
        entry = self.entries[name]
        self._check_present(
            name, self.env._("Enter an e-mail address, e.g. name@example.com.")
        )
        normalized = email_normalize(entry) or ""
        if name not in self.errors and normalized.lower() != entry.lower():
            self.errors[name] = self.env._(
                "“%s” is not an e-mail address. Enter one like name@example.com.", entry
            )

    def _check_end(self):
        if self.entries["end"] not in ENDS:
            self.entries["end"] = ENDS[0]
            self.errors["end"] = self.env._("Choose when the contract is to end.")
        elif self.entries["end"] == "earliest" and self.entries["desired_date"]:
            self.errors["end"] = self.env._(
                "You entered a date, and chose the earliest possible one. Choose “On a "
                "later date”, or leave the date empty."
            )
        if self.entries["end"] == "date" and "desired_date" not in self.errors:
            message = self._get_date_error()
            if message:
                self.errors["desired_date"] = message

    def _get_date_error(self):
        """Return what is wrong with the date, or ``None``."""
        if not self.entries["desired_date"]:
            return self.env._(
                "Enter the date on which the contract is to end, or choose the "
                "earliest possible date."
            )
        day = self._parse_date()
        if not day:
            return self.env._(
                "“%s” is not a date. Enter it as year-month-day, e.g. 2026-12-31.",
                self.entries["desired_date"],
            )
        if day < fields.Date.today() - ONE_DAY or day > date(LAST_YEAR, 12, 31):
            return self.env._(
                "Enter a date that lies in the future, before the year %s, or choose "
                "the earliest possible date.",
                LAST_YEAR + 1,
            )
        return None

    def _parse_date(self):
        """Return the date that was entered; ``False`` where it is none."""
        try:
            return datetime.strptime(self.entries["desired_date"], DATE_FORMAT).date()
        except ValueError:
            return False
