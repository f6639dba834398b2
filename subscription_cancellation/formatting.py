# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How dates are written in sentences for people."""

import re

from babel.dates import format_skeleton
from markupsafe import Markup, escape

from odoo.tools import babel_locale_parse, format_date, format_datetime, get_lang

#: Days from today of which nobody asks in which year they are.
NEAR_DAYS = 300

#: The first of a month, which is an ordinal number in French.
FRENCH_FIRST = re.compile(
    r"(?<![\w.,/-])1(?=\s(?:janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc))"
)
#: Italian articles before a day that is spoken with a vowel; tags may be in between.
ITALIAN_ARTICLE = re.compile(
    r"\b(il|al|dal|del|nel|sul)\s+((?:<[^<>]*>\s*)*)"
    r"(?=(?:1|8|11)\s(?:gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic))",
    re.IGNORECASE,
)
TAG = re.compile(r"<[^<>]*>")


def in_language_of(env, partner):
    """Return the environment to write to a customer in, whoever executes it."""
    return env(context={**env.context, "lang": partner.lang or env.lang})


def format_day(env, day):
    """Return ``day`` with the month spelled out, in the language of ``env``."""
    return refine_dates(format_date(env, day, date_format="long"), env.lang)


def format_short_day(env, day, today):
    """Return ``day`` in short, without the year where only one can be meant.

    :param date today: the day that it is compared with
    """
    skeleton = "MMMd" if abs((day - today).days) < NEAR_DAYS else "yMMMd"
    locale = babel_locale_parse(get_lang(env).code)
    return refine_dates(format_skeleton(skeleton, day, locale=locale), env.lang)


def format_days(env, first, last, date_format="long"):
    """Return some days in a row; a single one is not written twice.

    :param date first: first of them
    :param date last: last of them
    :param str date_format: the language's own one where it is ``None``
    """
    days = [
        refine_dates(format_date(env, day, date_format=date_format), env.lang)
        for day in (first, last)
    ]
    if first == last:
        return days[0]
    return env._("%(first)s – %(last)s", first=days[0], last=days[1])


def format_moment(env, moment, company):
    """Return date and time in the language of ``env`` and a company's time zone.

    :param datetime moment: in UTC
    """
    zone = company.partner_id.tz or "UTC"
    text = format_datetime(env, moment, tz=zone, dt_format="long")
    return refine_dates(text, env.lang)


def refine_dates(text, lang):
    """Return a text with its dates as they are said: “1er juillet”, “l'8 luglio”.

    Only where all of it is put together the article stands before the date.

    :param text: may be HTML
    :param str lang: of the text; where it is not known, its articles tell Italian
    """
    kind = type(text) if isinstance(text, Markup) else str
    language = (lang or "it")[:2]
    if language == "fr":
        text = FRENCH_FIRST.sub("1er", text)
    if language == "it":
        text = ITALIAN_ARTICLE.sub(_elide, text)
    return kind(text)


def _elide(match):
    """Return an Italian article as it is before a vowel; “del” becomes “dell'”."""
    article, between = match.groups()
    elided = article[:-1] if article.lower() == "il" else article
    stem = "L" if article == "Il" else "l" if article.lower() == "il" else elided + "l"
    return f"{stem}'{''.join(TAG.findall(between))}"


def as_note(text):
    """Return a sentence for the note of an activity, which is HTML.

    Names of customers and lines are in it, and errors with anything in them.
    """
    return escape(refine_dates(text, None))


def format_charged_days(env, period, total):
    """Return the days of a partial period as invoice lines tell them.

    :param Period period: the days
    :param int total: days of the whole billing period
    """
    return env._(
        "%(period)s (%(days)s of %(total)s days)",
        period=format_days(env, period.start, period.last_day),
        days=period.days,
        total=total,
    )
