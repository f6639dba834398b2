# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What other software sends can be anything: what of it PostgreSQL can store."""

#: Ids are 32-bit integers.
LAST_ID = 2**31 - 1
#: So many characters of what was sent are repeated in an error.
LONGEST_ECHO = 200


def is_text(value):
    """Return whether this is a text without characters that cannot be stored."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        # Half a character: JSON has "\ud800", UTF-8 has nothing for it.
        return False
    return True


def is_id(value):
    """Return whether this can be the id of a record; ``True`` is no 1."""
    return type(value) is int and 0 < value <= LAST_ID


def quote(value):
    """Return what was sent as text that an answer can hold, cut where it is long."""
    text = str(value).encode(errors="backslashreplace").decode()
    return text if len(text) <= LONGEST_ECHO else f"{text[: LONGEST_ECHO - 1]}…"
