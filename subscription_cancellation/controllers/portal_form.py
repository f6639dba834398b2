# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What a customer entered to cancel: read, and asked back where it contradicts."""

from ..const import CUSTOMER_COMMENT_LENGTH

#: Entries, with the longest text that is shown again so that it can be corrected.
ENTRIES = {
    "scope": 10,
    "timing": 20,
    "requested_date": 20,
    "reason_id": 10,
    "comment": 4 * CUSTOMER_COMMENT_LENGTH,
    "key": 64,
}
SCOPES = ("whole", "lines")
#: Of ticked items; their ids are shorter.
MAX_LINES, ID_LENGTH = 1000, 10


class CancellationForm:
    """The entries of one customer about one subscription.

    ``entries`` are the texts to show again.
    """

    def __init__(self, subscription, entries, line_ids=()):
        """Read what was sent, cut to what can be meant.

        :param subscription: ``sale.subscription``
        :param entries: mapping of texts by entry
        :param list line_ids: of the ticked items, as texts
        """
        self.subscription = subscription
        self.env = subscription.env
        self.entries = {
            **{name: _clean(entries.get(name), ENTRIES[name]) for name in ENTRIES},
            "line_ids": [_clean(one, ID_LENGTH) for one in line_ids[:MAX_LINES]],
        }

    # === WHAT IT STANDS FOR === #

    def plan(self):
        """Return the checked plan; nothing is written.

        :raise EntriesError: the entries cannot be; a sentence for each
        :raise UserError: it cannot be cancelled like this, in the customer's words
        """
        return self.subscription._plan_for_customer(*self.read_options())

    def read_options(self):
        """Return the options that the entries stand for, and contradictions.

        :return: tuple of a dict of options and one of sentences by entry
        """
        errors = {}
        options = {
            "timing": self.entries["timing"],
            "requested_date": self.entries["requested_date"],
            "comment": self.entries["comment"].strip(),
            "line_ids": self._read_lines(errors),
            "reason_id": self._read_reason(errors),
        }
        return {name: value for name, value in options.items() if value}, errors

    def _read_lines(self, errors):
        """Return the ids of the ticked items, ``None`` for the whole subscription."""
        scope, ticked = self.entries["scope"], self.entries["line_ids"]
        if scope == "whole" and not ticked:
            return None
        try:
            line_ids = [int(line_id) for line_id in ticked]
        except ValueError:
            line_ids = []
        if scope == "whole":
            errors["scope"] = self.env._(
                "You ticked items and chose the whole subscription. Choose what you "
                "mean: all of it, or only these items."
            )
        elif scope not in SCOPES or not line_ids:
            errors["scope"] = self.env._("Choose what shall end.")
        return line_ids

    def _read_reason(self, errors):
        """Return the id of the chosen reason, ``None`` where there is none."""
        chosen = self.entries["reason_id"]
        if not chosen:
            return None
        # sudo: the reasons that customers may choose are no secret.
        reasons = self.subscription.sudo()._get_portal_reasons()
        known = {str(reason.id): reason.id for reason in reasons}
        if chosen not in known:
            errors["reason_id"] = self.env._("Choose one of the reasons.")
        return known.get(chosen)


def _clean(value, limit):
    """Return a text as the database can hold it, with the line breaks of Unix."""
    text = value if isinstance(value, str) else ""
    return text.replace("\x00", "").replace("\r\n", "\n")[:limit]
