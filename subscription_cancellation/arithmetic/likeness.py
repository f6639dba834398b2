# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What numbers and addresses are compared by: what people and PDFs do is forgiven.

Hyphens, spaces, marks and case of a number do not count, nor words before it. Letters
are the same composed or not. No ORM.
"""

import itertools
import re
import unicodedata
from contextlib import suppress

import idna

from odoo.tools import email_split

NOT_ASCII = re.compile(r"[^A-Za-z0-9]+")
ANY_MARKS = re.compile(r"[\W_]+")
#: Words before a number that are left out, at most; who writes more means something.
MOST_WORDS = 12


def get_key(text):
    """Return letters and digits of a number, by which it is compared.

    :param str text: as it was typed, or as it is on file
    :rtype: str
    """
    return "".join(_get_runs(text))


def get_keys(text):
    """Return what a text may mean: all of it, or without the words before the number.

    :param str text: as it was typed, e.g. "Contract no. SUB-00012"
    :rtype: list[str]
    :return: the longest first; empty without any letter or digit
    """
    runs = _get_runs(text)
    words = list(itertools.takewhile(_has_no_digit, runs))
    if len(words) == len(runs):
        return ["".join(runs)] if runs else []
    return ["".join(runs[count:]) for count in range(min(len(words), MOST_WORDS) + 1)]


def get_ascii_key(key):
    """Return of a key what a database compares, whatever its language is."""
    return NOT_ASCII.sub("", key)


def get_tail(text, length=4):
    """Return the last few characters of a number that stand together on file, too."""
    runs = _get_runs(text)
    return get_ascii_key(runs[-1])[-length:] if runs else ""


def get_pattern(text):
    """Return what finds a reference in a database whichever marks stand in it.

    :param str text: all or part of it, e.g. " CAN - 2026 - 00067"
    :return: for ``ilike``, where each mark or blank is one of any kind; a text without
        letters and digits as it is
    """
    runs = ANY_MARKS.split(unicodedata.normalize("NFKC", text))
    return "_".join(filter(None, runs)) or text


def _get_runs(text):
    """Return the letters and digits of a text, where they stand together."""
    text = unicodedata.normalize("NFKC", text or "")
    kept = (char for char in text if unicodedata.category(char) != "Cf")
    # Not ``lower``: what of it is ASCII has to be what the database makes of it.
    folded = "".join(char.lower() if len(char.lower()) == 1 else char for char in kept)
    groups = itertools.groupby(folded, str.isalnum)
    return ["".join(group) for is_alnum, group in groups if is_alnum]


def _has_no_digit(run):
    return not any(char.isdigit() for char in run)


# === ADDRESSES === #


def split_addresses(text):
    """Return the e-mail addresses in a field, which may hold several.

    :param str text: e.g. "ann@azure.example; Bob <bob@azure.example>"
    :rtype: list[str]
    """
    return [compose(address) for address in email_split(text or "")]


def get_address_key(address):
    """Return what an e-mail address is compared by: its domain in one form.

    :param str address: one address, without a name
    :rtype: str
    """
    local, _at, domain = compose(address).lower().rpartition("@")
    # One that cannot exist is compared as it is.
    with suppress(idna.IDNAError, UnicodeError):
        domain = idna.encode(domain, uts46=True).decode()
    return f"{local}@{domain}"


def compose(text):
    """Return a text with composed letters and without what nobody sees."""
    text = unicodedata.normalize("NFC", text)
    return "".join(char for char in text if unicodedata.category(char) != "Cf").strip()
