# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Go through the books of a database, some subscriptions at a time."""

from dataclasses import dataclass, field

from . import queries
from .ledger import Ledger, Reader
from .rules import RULES, requests

#: Subscriptions that are read at once: what bounds the memory.
CHUNK = 500


@dataclass
class Summary:
    """What was checked, and what does not fit."""

    cancellations: int = 0
    credit_memos: int = 0
    findings: list = field(default_factory=list)


def check_books(cursor, companies=None, since=None, chunk=CHUNK, rules=RULES):
    """Derive the books of cancellations anew; return the :class:`Summary`.

    Reads only. One transaction of isolation level REPEATABLE READ sees one state.

    :param cursor: of psycopg2, or of Odoo
    :param list companies: ids of ``res.company``; absent: all
    :param date since: only subscriptions with a cancellation executed since; absent:
        all, those that wait included
    :param int chunk: subscriptions to read at once
    :param rules: functions that take a :class:`Ledger` and yield findings
    """
    reader = Reader(cursor)
    summary = Summary(findings=list(requests.check(reader, companies)))
    for ledger in _read_ledgers(reader, companies, since, chunk):
        summary.cancellations += len(ledger.cancellations)
        summary.credit_memos += sum(
            1
            for move in ledger.moves
            if move.move_type == "out_refund"
            and move.cancellation_id in ledger.cancellation
        )
        for rule in rules:
            summary.findings += rule(ledger)
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
