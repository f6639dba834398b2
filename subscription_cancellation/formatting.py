# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How dates are written in sentences for people."""

import re
from collections.abc import Mapping
from functools import cached_property

from babel.dates import format_skeleton
from markupsafe import Markup, escape

from odoo.tools import babel_locale_parse, format_date, format_datetime, get_lang
from odoo.tools.translate import CodeTranslations, code_translations

#: Days from today of which nobody asks in which year they are.
NEAR_DAYS = 300

#: The first of a month, which is an ordinal number in French.
FRENCH_FIRST = re.compile(
    r"(?<![\w.,/-])1(?=\s(?:janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc))"
)
#: Italian articles before a day that is spoken with a vowel; tags may be in between.
ITALIAN_ARTICLE = re.compile(
    r"\b(il|al|dal|del|nel|sul)((?:\s|<[^<>]*>)+)"
    r"(?=(?:1|8|11)\s(?:gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic))",
    re.IGNORECASE,
)
TAG = re.compile(r"<[^<>]*>")
#: Where a translation leaves the article to the day that it is filled with.
ARTICLE_OF_VALUE = re.compile(r"\b(?:il|al|dal|del|nel|sul) %", re.IGNORECASE)
MODULE = "subscription_cancellation"
ITALIAN = "it_IT"


def in_language_of(env, partner):
    """Return the environment to write to a customer in, whoever executes it."""
    return env(context={**env.context, "lang": partner.lang or env.lang})


def as_reference(name):
    """Return the number of a document as customers read it everywhere.

    In pages, in mails, in the PDF, and in names of files, which have no slashes.
    """
    return name.replace("/", "-")


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


class Sentence(str):
    """A translation that writes the dates in it as they are said."""

    def __mod__(self, values):
        return refine_dates(super().__mod__(values), ITALIAN)


class ItalianSentences(Mapping):
    """The translations of this addon by their terms, as Odoo looks them up.

    Read when the first one is needed. Only those are :class:`Sentence` that are filled
    with values before anybody gets them.
    """

    def __getitem__(self, term):
        return self._sentences[term]

    def __iter__(self):
        return iter(self._sentences)

    def __len__(self):
        return len(self._sentences)

    @cached_property
    def _sentences(self):
        texts = CodeTranslations().get_python_translations(MODULE, ITALIAN)
        return {
            term: Sentence(text) if ARTICLE_OF_VALUE.search(text) else text
            for term, text in texts.items()
        }


def say_dates_in_sentences():
    """Have errors, messages and the API say dates right, too: all that is no page.

    They are put together in many places, and each by Odoo: with these translations.
    """
    code_translations.python_translations[MODULE, ITALIAN] = ItalianSentences()


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
