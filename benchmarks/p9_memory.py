"""P9: the memory of the scheduled action does not grow with what it does."""

from __future__ import annotations

import threading

from .clones import clone
from .database import Database
from .p1_p2_scheduled_action import check_done, make_due
from .samples import create_scheduled, put_off
from .table import Row
from .worker import Worker

DUE = 10_000
#: One of so many is credited.
CREDITED = 2
WARM = 500
SECONDS = 0.5


def measure(databases):
    """Yield the highest memory of the whole run against that of the first ones."""
    small = databases.small
    due = small.scale(DUE, 2_000)
    ids = _schedule(small, due)
    worker = Worker(small.conf, small.name)
    try:
        worker.wait_until_ready()
        worker.start()
        warm, seconds = _watch(small, worker, due)
        end = worker.get_peak_memory()
    finally:
        worker.stop()
    with small.environment() as env:
        check_done(env["sale.subscription"].browse(ids), due // CREDITED)
    yield Row(
        "P9",
        f"peak of memory over {due:,} cancellations ÷ over the first {WARM}",
        end / warm,
        "≤ 1.2",
        f"{end:.0f} ÷ {warm:.0f} MiB, one of {CREDITED} credited, "
        f"{due / seconds:.0f} per second",
    )


def _schedule(small: Database, due: int) -> list[int]:
    """Return the ids of subscriptions whose cancellation is due."""
    with small.environment() as env:
        put_off(env)
        credited = create_scheduled(env)
        uncredited = create_scheduled(env, refund_mode="none")
        put_off(env)
        subscriptions = clone(credited, due // CREDITED)
        subscriptions |= clone(uncredited, due - due // CREDITED)
        make_due(subscriptions)
        # In turn, so that every batch has some of both.
        env.cr.execute(
            "UPDATE subscription_cancellation"
            " SET due_at = due_at - random() * interval '1 hour'"
            " WHERE state = 'scheduled' AND due_at < now()"
        )
        return subscriptions.ids


def _watch(small: Database, worker: Worker, due: int) -> tuple[float, float]:
    """Return the memory when it is warm, and the seconds until it was done."""
    seconds: list[float] = []
    waiting = threading.Thread(target=lambda: seconds.append(worker.finish()))
    waiting.start()
    warm = 0.0
    while waiting.is_alive():
        waiting.join(SECONDS)
        if not warm and _count_due(small) <= due - WARM:
            warm = worker.get_peak_memory()
    return warm, seconds[0]


def _count_due(small: Database) -> int:
    with small.environment() as env:
        return env["subscription.cancellation"]._count_due()
