# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a rule reports."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

#: What a finding means: an error, work for somebody, or something nobody can know.
WRONG, WAITING, UNSURE = "wrong", "waiting", "unsure"


class Text(str):
    """English that is translated where it is shown, as a sentence or inside of one."""

    __slots__ = ()


class Days(NamedTuple):
    """From a day to a day, both included."""

    first_day: date | None
    last_day: date | None


def translatable(source: str) -> Text:
    """Return a text that whoever shows it may translate.

    Imported as ``_lt``, so that the export of translatable texts finds it.
    """
    return Text(source)


def show(value, currency: str = "") -> str:
    """Return an amount, a day or a moment as people read it.

    :param currency: name of the currency, of an amount
    """
    if isinstance(value, Decimal):
        return f"{value:f} {currency}".rstrip()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "–" if value is None else str(value)


class Finding(NamedTuple):
    """Something that does not fit: one sentence, and the amounts if it is about any."""

    #: Name of the rule, the same as of its file
    rule: str
    #: English, with ``%(name)s`` for each of ``parameters``
    sentence: str
    parameters: dict
    cancellation_id: int | None = None
    cancellation: str = ""
    subscription_id: int | None = None
    subscription: str = ""
    #: ``account.move`` that the finding is about, else that of the cancellation
    move_id: int | None = None
    document: str = ""
    #: Amounts in the currency of the finding; numbers, days or texts; or nothing
    expected: Any = None
    found: Any = None
    #: ``res.currency`` of the amounts, where it is about any
    currency_id: int | None = None
    currency: str = ""
    kind: str = WRONG

    @property
    def difference(self) -> Decimal | None:
        """Return by how much the amounts differ, ``None`` where it is about none."""
        amounts = (self.expected, self.found)
        if not all(isinstance(amount, Decimal) for amount in amounts):
            return None
        return self.found - self.expected

    def tell(self, translate=str, show=show) -> str:
        """Return the sentence, with its parameters filled in.

        :param translate: callable with an English text
        :param show: callable with an amount, a day or a moment, and the currency
        """

        def fill_in(value):
            if isinstance(value, Days):
                return " – ".join(map(fill_in, value))
            if isinstance(value, tuple):
                return ", ".join(map(fill_in, value))
            if isinstance(value, Text):
                return translate(value)
            return show(value, self.currency)

        parameters = {name: fill_in(value) for name, value in self.parameters.items()}
        return translate(self.sentence) % parameters
