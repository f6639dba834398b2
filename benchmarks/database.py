"""A database that is measured in, and how things are timed there."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Hashable, Iterator
from typing import NamedTuple

from odoo import sql_db
from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry


class Cost(NamedTuple):
    """What one thing costs."""

    seconds: float
    queries: float


class Database:
    """A database of the benchmark."""

    def __init__(self, conf: str, name: str, is_quick: bool) -> None:
        self.conf = conf
        self.name = name
        self.is_quick = is_quick

    def scale(self, number: int, quick: int | None = None) -> int:
        """Return a number, or what stands for it in a quick run: a tenth."""
        return (quick or max(number // 10, 1)) if self.is_quick else number

    @contextlib.contextmanager
    def environment(self, uid: int = SUPERUSER_ID) -> Iterator[Environment]:
        """A transaction that is committed in the end."""
        with Registry(self.name).cursor() as cr:
            yield Environment(cr, uid, {})


class Databases(NamedTuple):
    """What is measured in; thrown away afterwards."""

    #: Where most of it is measured
    small: Database
    #: With few subscriptions, and with many
    thousand: Database
    large: Database
    #: Without the addon, but with what it depends on
    bare: Database


def count(env: Environment, work: Callable[[], object], number: int = 1) -> Cost:
    """Return the cost of some work, for each of ``number`` things; cold cache."""
    env.flush_all()
    env.invalidate_all()
    queries, start = sql_db.sql_counter, time.perf_counter()
    work()
    env.flush_all()
    seconds = time.perf_counter() - start
    return Cost(seconds / number, (sql_db.sql_counter - queries) / number)


def interleave(
    rounds: int, sides: dict[Hashable, Callable[[], Cost]]
) -> dict[Hashable, Cost]:
    """Return the median cost of each side, measured in turn; one round warms up."""
    costs: dict[Hashable, list[Cost]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds + 1):
        # Neither side is always the first one.
        for name in reversed(names) if number % 2 else names:
            cost = sides[name]()
            if number:
                costs[name].append(cost)
    return {name: median(measured) for name, measured in costs.items()}


def median(costs: list[Cost]) -> Cost:
    """Return the median of time and queries."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))
