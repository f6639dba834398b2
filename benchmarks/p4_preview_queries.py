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
        for create, name in (
            (create_billed, "alike"),
            (_create_mixed, "add-ons, two periods, one line gone"),
        ):
            one, many = (_count_queries(create(env, lines)) for lines in (1, LINES))
            yield Row(
                "P4",
                f"queries of a preview, {LINES} lines ÷ 1 line, {name}",
                many / one,
                "1.0",
                f"{many:.0f} ÷ {one:.0f} queries",
            )
        env.cr.rollback()


def _create_mixed(env, lines: int):
    """Return a subscription of which a line has ended and the others are related."""
    subscription = create_billed(env, lines + 1, periods=2)
    gone, parent, *addons = subscription.sale_subscription_line_ids
    subscription.request_cancellation(timing="immediate", line_ids=gone.ids)
    for addon in addons:
        addon.parent_line_id = parent
    return subscription


def _count_queries(subscription) -> float:
    """Return the queries of a preview; what Odoo caches for good is read before."""
    work = subscription.preview_cancellation
    return min(count(subscription.env, work).queries for _attempt in range(3))
