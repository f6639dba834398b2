"""P6: two worker processes against one, with one journal and with two."""

from __future__ import annotations

import statistics
import time

from .clones import clone
from .database import Database
from .p1_p2_scheduled_action import check_done, make_due
from .samples import create_scheduled, get_journal, put_off
from .table import Row
from .worker import Worker

ROUNDS = 2
DUE = 400
QUICK_DUE = 200
#: Codes of the journals that what is due was invoiced in, in turn.
JOURNALS = {"one": ["INV"], "two": ["INV", "BM2"]}


def measure(databases):
    """Yield how much faster two workers are than one."""
    small = databases.small
    workers = [Worker(small.conf, small.name) for _number in range(2)]
    try:
        for worker in workers:
            worker.wait_until_ready()
        yield from _measure(small, workers)
    finally:
        for worker in workers:
            worker.stop()


def _measure(small: Database, workers: list[Worker]):
    originals = {name: _create(small, codes) for name, codes in JOURNALS.items()}
    due = small.scale(DUE, QUICK_DUE)
    seconds: dict = {}
    for _round in range(small.scale(ROUNDS, 1)):
        for name, original_ids in originals.items():
            for number in (1, 2):
                took = _execute(small, original_ids, due, workers[:number])
                seconds.setdefault((name, number), []).append(took)
    rate = {key: due / statistics.median(took) for key, took in seconds.items()}
    for name in ("two", "one"):
        yield Row(
            "P6",
            f"two workers ÷ one, {name} journal{'s' * (name == 'two')}",
            rate[name, 2] / rate[name, 1],
            "≥ 1.7" if name == "two" else "",
            f"{rate[name, 2]:.1f} ÷ {rate[name, 1]:.1f} cancellations per second",
        )


def _create(small: Database, codes: list[str]) -> list[int]:
    """Return one subscription to copy for each journal."""
    with small.environment() as env:
        subscriptions = env["sale.subscription"]
        for code in codes:
            journal = get_journal(env, code)
            subscriptions |= create_scheduled(env, journal=journal)
        put_off(env)
        return subscriptions.ids


def _execute(small: Database, original_ids, due: int, workers: list[Worker]) -> float:
    """Return how long it takes these workers to execute what is due."""
    with small.environment() as env:
        originals = env["sale.subscription"].browse(original_ids)
        subscriptions = clone(originals, due // len(originals))
        make_due(subscriptions)
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.finish()
    seconds = time.perf_counter() - start
    with small.environment() as env:
        check_done(subscriptions.with_env(env), due)
    return seconds
