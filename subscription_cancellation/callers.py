# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who calls, what of their context counts, and what they may send."""

# === WHO === #

USER_GROUP = "subscription_cancellation.subscription_cancellation_group_user"
MANAGER_GROUP = "subscription_cancellation.subscription_cancellation_group_manager"


def is_user(env):
    """Return whether the user of ``env`` may cancel subscriptions."""
    return env.su or env.user.has_group(USER_GROUP)


def is_manager(env):
    """Return whether the user of ``env`` sets policies, approves and overrides."""
    return env.su or env.user.has_group(MANAGER_GROUP)


# === THEIR CONTEXT === #

#: What of it counts: how to speak to them, and for which companies they work.
CONTEXT = ("lang", "tz", "allowed_company_ids")


def forget_context(records):
    """Return records without what a dialog, a client or a program keeps in its context.

    Whoever calls chooses the options: default values, archived records, or the
    switches of Odoo's own imports would change what is ended and credited.
    """
    context = records.env.context
    known = {name: context[name] for name in CONTEXT if name in context}
    return records.with_env(records.env(context=known))


# === WHAT THEY SEND === #

#: Ids are 32-bit integers.
LAST_ID = 2**31 - 1
#: So many characters of what was sent are repeated in an error.
LONGEST_ECHO = 200
DATE_FORMAT = "%Y-%m-%d"
#: What is later is a typing error.
LAST_YEAR = 2199


def is_text(value):
    """Return whether this is a text without characters that PostgreSQL cannot store."""
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
