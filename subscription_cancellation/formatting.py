# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How dates are written in sentences for people."""

from markupsafe import escape

from odoo.tools import format_date, format_datetime


def format_day(env, day):
    """Return ``day`` with the month spelled out, in the language of ``env``."""
    return format_date(env, day, date_format="long")


def format_moment(env, moment, company):
    """Return date and time in the language of ``env`` and a company's time zone.

    :param datetime moment: in UTC
    """
    zone = company.partner_id.tz or "UTC"
    return format_datetime(env, moment, tz=zone, dt_format="long")


def as_note(text):
    """Return a sentence for the note of an activity, which is HTML.

    Names of customers and lines are in it, and errors with anything in them.
    """
    return escape(text)


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
