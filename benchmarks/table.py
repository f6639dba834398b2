"""What is printed."""

from __future__ import annotations

import os
import platform
from typing import NamedTuple

import odoo

from .database import Database


class Row(NamedTuple):
    """A measured ratio."""

    id: str
    name: str
    ratio: float
    target: str
    remark: str


def print_rows(rows: list[Row]) -> None:
    """Print the table, as Markdown."""
    print("| | Ratio | Measured | Target | Remark |\n|---|---|---|---|---|")
    for row in rows:
        target = row.target or "–"
        print(f"| {row.id} | {row.name} | {row.ratio:.2f} | {target} | {row.remark} |")


def print_machine(database: Database) -> None:
    """Print what it was measured on."""
    with database.environment() as env:
        server = env.cr.connection.server_version
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(
        f"\n{_get_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"Odoo {odoo.release.version}, PostgreSQL {server // 10000}.{server % 10000}, "
        f"Python {platform.python_version()}{', quick' * database.is_quick}\n"
    )


def _get_processor() -> str:
    """Return the processor's name, where the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(
                line.partition(":")[2].strip()
                for line in lines
                if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.machine()
