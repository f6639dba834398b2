"""P8: cancellations without a refund, against upstream's own close."""

from __future__ import annotations

from .clones import clone
from .database import Cost, Database, count, interleave
from .p1_p2_scheduled_action import check_done, make_due
from .samples import create_billed, create_scheduled, put_off
from .table import Row

ROUNDS = 5
BATCH = 100
ONE_BY_ONE = 30


def measure(databases):
    """Yield what ending without a credit costs against closing one by one."""
    small = databases.small
    sides = Sides(small, databases.bare)
    cost = interleave(
        small.scale(ROUNDS, 2),
        {"ours": sides.execute_due, "upstream": sides.close_one_by_one},
    )
    ours, upstream = cost["ours"], cost["upstream"]
    yield Row(
        "P8",
        "scheduled action without refund ÷ upstream's close one by one",
        ours.seconds / upstream.seconds,
        "≤ 0.5",
        f"{ours.seconds * 1000:.1f} ms and {ours.queries:.1f} queries ÷ "
        f"{upstream.seconds * 1000:.1f} ms and {upstream.queries:.1f}",
    )


class Sides:
    """What is compared; each call ends other subscriptions of the same kind."""

    def __init__(self, small: Database, bare: Database) -> None:
        self.database, self.bare = small, bare
        with bare.environment() as env:
            self.bare_id = create_billed(env).id
        with small.environment() as env:
            put_off(env)
            self.scheduled_id = create_scheduled(env, refund_mode="none").id
            put_off(env)

    def execute_due(self) -> Cost:
        """Ours: what is due, with its commits."""
        with self.database.environment() as env:
            original = env["sale.subscription"].browse(self.scheduled_id)
            subscriptions = clone(original, BATCH)
            make_due(subscriptions)
            cost = count(env, env["subscription.cancellation"]._cron_execute_due, BATCH)
            check_done(subscriptions, 0)
        return cost

    def close_one_by_one(self) -> Cost:
        """Upstream's method, for each a request of its own."""
        with self.bare.environment() as env:
            original = env["sale.subscription"].browse(self.bare_id)
            subscriptions = clone(original, ONE_BY_ONE)
            env.cr.commit()

            def close_all():
                for subscription in subscriptions:
                    subscription.close_subscription()
                    env.cr.commit()
                    env.invalidate_all()

            return count(env, close_all, ONE_BY_ONE)
