"""P6: two worker processes against one, with one journal and with two."""

from __future__ import annotations

import contextlib
import functools
import threading
import time

from .clones import clone
from .database import Cost, Database, interleave
from .p1_p2_scheduled_action import check_done, make_due
from .samples import create_scheduled, get_journal, put_off
from .table import Row
from .worker import Worker

ROUNDS = 3
#: Whole batches for both: an odd one would leave one of the two without work.
DUE = 400
QUICK_DUE = 200
#: Seconds between two looks at who waits.
PAUSE = 0.05
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
    waits = {name: Waits(small) for name in JOURNALS}

    def execute(name: str, number: int) -> Cost:
        with waits[name] if number == 2 else contextlib.nullcontext():
            return _execute(small, originals[name], due, workers[:number])

    cost = interleave(
        small.scale(ROUNDS, 1),
        {
            (name, number): functools.partial(execute, name, number)
            for name in JOURNALS
            for number in (1, 2)
        },
    )
    for name in ("two", "one"):
        two, one = (1 / cost[name, number].seconds for number in (2, 1))
        yield Row(
            "P6",
            f"two workers ÷ one, {name} journal{'s' * (name == 'two')}",
            two / one,
            "≥ 1.7" if name == "two" else "",
            f"{two:.1f} ÷ {one:.1f} cancellations per second; of their time the two "
            f"waited {waits[name].get_share():.0%} for each other's locks",
        )


class Waits:
    """How much of their time two workers wait for a lock: looked at again and again."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waiting = self.looks = 0

    def __enter__(self) -> None:
        self.is_over = threading.Event()
        self.watcher = threading.Thread(target=self._watch)
        self.watcher.start()

    def __exit__(self, *_error) -> None:
        self.is_over.set()
        self.watcher.join()

    def _watch(self) -> None:
        while not self.is_over.wait(PAUSE):
            with self.database.environment() as env:
                env.cr.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
                [(waiting,)] = env.cr.fetchall()
            self.looks += 1
            self.waiting += waiting

    def get_share(self) -> float:
        """Return the share of the time of both."""
        return self.waiting / (2 * max(self.looks, 1))


def _create(small: Database, codes: list[str]) -> list[int]:
    """Return one subscription to copy for each journal."""
    with small.environment() as env:
        subscriptions = env["sale.subscription"]
        for code in codes:
            journal = get_journal(env, code)
            subscriptions |= create_scheduled(env, journal=journal)
        put_off(env)
        return subscriptions.ids


def _execute(small: Database, original_ids, due: int, workers: list[Worker]) -> Cost:
    """Let these workers execute what is due."""
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
    return Cost(seconds / due, 0)
