"""P4: the queries of a preview do not grow with the number of lines."""

from __future__ import annotations

from .database import count
from .samples import create_billed
from .table import Row

LINES = 100


def measure(databases):
    """Yield the queries of a preview with many lines against one with one."""
    small = databases.small
    with small.environment() as env:
        one, many = (create_billed(env, lines) for lines in (1, LINES))
        one_line, many_lines = (
            # What Odoo caches for good is read once; the least counts.
            min(count(env, work).queries for _attempt in range(3))
            for work in (one.preview_cancellation, many.preview_cancellation)
        )
        yield Row(
            "P4",
            f"queries of a preview, {LINES} lines ÷ 1 line",
            many_lines / one_line,
            "1.0",
            f"{many_lines:.0f} ÷ {one_line:.0f} queries",
        )
        env.cr.rollback()
