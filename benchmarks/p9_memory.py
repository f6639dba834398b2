"""P9: the memory of the scheduled action does not grow with what it does."""

from __future__ import annotations

import threading

from .clones import clone
from .database import Database
from .p1_p2_scheduled_action import make_due
from .samples import create_scheduled, put_off
from .table import Row
from .worker import Worker

DUE = 10_000
#: One of so many is credited.
CREDITED = 20
WARM = 500
SECONDS = 0.5


def measure(databases):
    """Yield the memory in the end against that after the first ones."""
    small = databases.small
    due = small.scale(DUE, 2_000)
    _schedule(small, due)
    worker = Worker(small.conf, small.name)
    try:
        worker.wait_until_ready()
        worker.start()
        warm, seconds = _watch(small, worker, due)
        end = worker.get_memory()
    finally:
        worker.stop()
    yield Row(
        "P9",
        f"memory after {due:,} cancellations ÷ after {WARM}",
        end / warm,
        "≤ 1.2",
        f"{end:.0f} ÷ {warm:.0f} MiB, one of {CREDITED} credited, "
        f"{due / seconds:.0f} per second",
    )


def _schedule(small: Database, due: int) -> None:
    with small.environment() as env:
        put_off(env)
        credited = create_scheduled(env)
        uncredited = create_scheduled(env, refund_mode="none")
        put_off(env)
        make_due(
            clone(credited, due // CREDITED) | clone(uncredited, due - due // CREDITED)
        )
        # In turn, so that every batch has some of both.
        env.cr.execute(
            "UPDATE subscription_cancellation"
            " SET due_at = due_at - random() * interval '1 hour'"
            " WHERE state = 'scheduled' AND due_at < now()"
        )


def _watch(small: Database, worker: Worker, due: int) -> tuple[float, float]:
    """Return the memory when it is warm, and the seconds until it was done."""
    seconds: list[float] = []
    waiting = threading.Thread(target=lambda: seconds.append(worker.finish()))
    waiting.start()
    warm = 0.0
    while waiting.is_alive():
        waiting.join(SECONDS)
        if not warm and _count_due(small) <= due - WARM:
            warm = worker.get_memory()
    assert not _count_due(small)
    return warm, seconds[0]


def _count_due(small: Database) -> int:
    with small.environment() as env:
        return env["subscription.cancellation"]._count_due()
