# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a rule reports."""

from decimal import Decimal
from typing import Any, NamedTuple


def translatable(source: str) -> str:
    """Return a sentence that whoever shows it may translate.

    Imported as ``_lt``, so that the export of translatable texts finds it.
    """
    return source


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
    #: Amounts in the currency of the document; texts of anything else; or nothing
    expected: Any = None
    found: Any = None

    @property
    def difference(self) -> Decimal | None:
        """Return by how much the amounts differ, ``None`` where it is about none."""
        amounts = (self.expected, self.found)
        if not all(isinstance(amount, Decimal) for amount in amounts):
            return None
        return self.found - self.expected

    def tell(self, translate=str) -> str:
        """Return the sentence, with its parameters filled in."""
        return translate(self.sentence) % self.parameters
