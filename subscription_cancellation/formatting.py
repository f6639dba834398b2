# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How dates and foreign values are written in sentences for people."""

from odoo.tools import format_date


def format_day(env, day):
    """Return ``day`` with the month spelled out, in the language of ``env``."""
    return format_date(env, day, date_format="long")


def is_text(value):
    """Return whether ``value`` is a text that can be stored and sent.

    JSON may have NUL and halves of characters, which neither a database nor UTF-8 has.
    """
    return isinstance(value, str) and "\x00" not in value and quote(value) == value


def quote(value):
    """Return what a caller sent as a text that can be part of an answer."""
    return str(value).encode(errors="replace").decode()


def format_charged_days(env, period, total):
    """Return the days of a partial period as invoice lines tell them.

    :param Period period: the days
    :param int total: days of the whole billing period
    """
    return env._(
        "%(first)s – %(last)s (%(days)s of %(total)s days)",
        first=format_day(env, period.start),
        last=format_day(env, period.last_day),
        days=period.days,
        total=total,
    )
