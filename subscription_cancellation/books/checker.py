# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Go through the books of a database, some subscriptions at a time."""

from dataclasses import dataclass, field
from datetime import date

from . import queries
from .finding import UNSURE, WAITING
from .ledger import Ledger, Reader
from .rules import RULES, requests

#: Subscriptions that are read at once: what bounds the memory.
CHUNK = 500


@dataclass
class Summary:
    """What was checked, what does not fit, and what else is to be known."""

    cancellations: int = 0
    credit_memos: int = 0
    #: What does not fit.
    findings: list = field(default_factory=list)
    #: What is right so far, but waits for somebody.
    waiting: list = field(default_factory=list)
    #: What may be right: it cannot be derived any more.
    unsure: list = field(default_factory=list)

    @property
    def all(self):
        """Return all that there is to tell, errors first."""
        return [*self.findings, *self.waiting, *self.unsure]

    def add(self, findings):
        """Sort findings in by what they mean."""
        lists = {WAITING: self.waiting, UNSURE: self.unsure}
        for finding in findings:
            lists.get(finding.kind, self.findings).append(finding)


def check_books(
    cursor, companies=None, since=None, chunk=CHUNK, rules=RULES, today=None
):
    """Derive the books of cancellations anew; return the :class:`Summary`.

    Reads only. One transaction of isolation level REPEATABLE READ sees one state.

    :param cursor: of psycopg2, or of Odoo
    :param list companies: ids of ``res.company``; absent: all
    :param date since: only subscriptions with a cancellation executed since; absent:
        all, those that wait included
    :param int chunk: subscriptions to read at once
    :param rules: functions that take a :class:`Ledger` and yield findings
    :param date today: by which it is known what is overdue; absent: the present day
    """
    reader = Reader(cursor, today or date.today())
    summary = Summary()
    summary.add(requests.check(reader, companies))
    for ledger in _read_ledgers(reader, companies, since, chunk):
        summary.cancellations += len(ledger.cancellations)
        summary.credit_memos += sum(
            1
            for move in ledger.moves
            if move.move_type == "out_refund"
            and move.cancellation_id in ledger.cancellation
        )
        for rule in rules:
            summary.add(rule(ledger))
    return summary


def _read_ledgers(reader, companies, since, chunk):
    after = 0
    while ids := [
        row.subscription_id
        for row in reader.fetch(
            queries.SUBSCRIPTION_IDS,
            after=after,
            companies=companies,
            since=since,
            limit=chunk,
        )
    ]:
        after = ids[-1]
        yield Ledger(reader, ids)
