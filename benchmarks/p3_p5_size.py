"""P3, P5: what the size of the database costs."""

from __future__ import annotations

from odoo.fields import Command
from odoo.tools import SQL

from .clones import clone, without_indexes
from .database import Cost, Database, count, interleave
from .p1_p2_scheduled_action import BATCH, check_done, make_due
from .samples import create_billed, create_scheduled, put_off
from .table import Row
from .web import Browser

ROUNDS = 5
LINES, PERIODS = 2, 5
SUBSCRIPTIONS = {"small": 1_000, "large": 100_000}
ROWS = {"small": 100, "large": 100_000}


def measure(databases):
    """Yield what a full database costs against one that is nearly empty."""
    small, large = databases.small, databases.large
    sides = {
        "small": Side(small, SUBSCRIPTIONS["small"], ROWS["small"]),
        "large": Side(
            large, large.scale(SUBSCRIPTIONS["large"]), large.scale(ROWS["large"])
        ),
    }
    yield from _measure_executing(sides, small.scale(ROUNDS, 2))
    for side in sides.values():
        side.make_rows_due()
    yield from _measure_lists(sides, small.scale(ROUNDS, 2))
    sides["large"].print_plans()


def _measure_executing(sides, rounds):
    cost = interleave(rounds, {name: side.execute for name, side in sides.items()})
    yield Row(
        "P3",
        f"cost with {sides['large'].size} ÷ with {sides['small'].size}",
        cost["large"].seconds / cost["small"].seconds,
        "≤ 1.15",
        f"{cost['large'].seconds * 1000:.1f} ÷ {cost['small'].seconds * 1000:.1f} ms, "
        f"{cost['large'].queries:.1f} ÷ {cost['small'].queries:.1f} queries",
    )


def _measure_lists(sides, rounds):
    for label, method in (
        ("next batch that is due", "find_due"),
        ("portal list", "open_portal_list"),
        ("preview", "preview"),
    ):
        cost = interleave(
            rounds, {name: getattr(side, method) for name, side in sides.items()}
        )
        large, small = cost["large"], cost["small"]
        yield Row(
            "P5",
            f"queries of the {label}, {sides['large'].rows:,} rows ÷ "
            f"{sides['small'].rows:,}",
            large.queries / small.queries,
            "1.0",
            f"{large.queries:.0f} ÷ {small.queries:.0f} queries, "
            f"{large.seconds * 1000:.1f} ÷ {small.seconds * 1000:.1f} ms",
        )


class Side:
    """One database, filled to a size; all of it belongs to one customer."""

    def __init__(self, database: Database, subscriptions: int, rows: int) -> None:
        self.database = database
        self.rows = rows
        self.size = ""
        self._fill(subscriptions)
        self.browser = Browser(database.name, "visitor")

    def _fill(self, subscriptions: int) -> None:
        """Create the original, and copy it by SQL."""
        with self.database.environment() as env:
            put_off(env)
            self.original_id = create_scheduled(env).id
            self.running_id = create_billed(env, lines=LINES).id
            filling = create_scheduled(env, lines=LINES, periods=PERIODS)
            put_off(env)
            visitor = _create_visitor(env)
            self.visitor_id, self.partner_id = visitor.id, visitor.partner_id.id
            with without_indexes(env):
                clone(filling, subscriptions)
            self._give_to_visitor(env, filling)
        with self.database.environment() as env:
            env.cr.execute("ANALYZE")
            env.cr.execute(
                "SELECT count(*) FROM account_move_line"
                " WHERE display_type = 'product' AND subscription_line_id IS NOT NULL"
            )
            [(items,)] = env.cr.fetchall()
        self.size = f"{subscriptions:,} subscriptions, {items:,} invoice lines"

    def _give_to_visitor(self, env, filling) -> None:
        """Let so many rows of the portal list be one customer's."""
        env.cr.execute(
            "UPDATE sale_subscription SET partner_id = %s WHERE id IN ("
            " SELECT id FROM sale_subscription WHERE id > %s ORDER BY id LIMIT %s)",
            [self.partner_id, filling.id, self.rows],
        )

    def execute(self) -> Cost:
        """Execute a batch of due cancellations."""
        with self.database.environment() as env:
            original = env["sale.subscription"].browse(self.original_id)
            subscriptions = clone(original, BATCH)
            make_due(subscriptions)
            cost = count(env, env["subscription.cancellation"]._cron_execute_due, BATCH)
            check_done(subscriptions, BATCH)
        return cost

    def make_rows_due(self) -> None:
        """Let so many cancellations be due."""
        with self.database.environment() as env:
            env.cr.execute(
                "UPDATE subscription_cancellation SET due_at = '2020-01-01'"
                " WHERE id IN (SELECT id FROM subscription_cancellation"
                "  WHERE state = 'scheduled' LIMIT %s)",
                [self.rows],
            )
        with self.database.environment() as env:
            env.cr.execute("ANALYZE subscription_cancellation")

    def find_due(self) -> Cost:
        """Find and lock the next batch."""
        with self.database.environment() as env:
            cancellations = env["subscription.cancellation"]
            cost = count(env, lambda: cancellations._lock_due(BATCH))
            env.cr.rollback()
        return cost

    def open_portal_list(self) -> Cost:
        """Open the first page of a customer's list."""
        with self.database.environment() as env:
            return count(env, lambda: self.browser.get("/my/subscriptions"))

    def preview(self) -> Cost:
        """Preview the end of a subscription, with what is open of it."""
        with self.database.environment() as env:
            running = env["sale.subscription"].browse(self.running_id)
            cost = count(env, running.preview_cancellation)
            env.cr.rollback()
        return cost

    def print_plans(self) -> None:
        """Print how PostgreSQL finds what is due, and the rows of the list."""
        with self.database.environment() as env:
            cancellations = env["subscription.cancellation"]
            due = cancellations._get_due_domain()
            _explain(cancellations, due, order="due_at, id", limit=BATCH)
            subscriptions = env["sale.subscription"].with_user(self.visitor_id)
            own = [("partner_id", "child_of", self.partner_id)]
            _explain(subscriptions, own, order="date_start desc, id desc", limit=80)


def _create_visitor(env):
    """Return a portal user."""
    return env["res.users"].create(
        {
            "name": "Visitor",
            "login": "visitor",
            "password": "visitor",
            "group_ids": [Command.set(env.ref("base.group_portal").ids)],
        }
    )


def _explain(model, domain, **options) -> None:
    """Print the lines of a plan that say how rows are found."""
    query = model._search(domain, **options)
    model.env.cr.execute(SQL("EXPLAIN (ANALYZE, TIMING OFF) %s", query.select()))
    plan = [line for (line,) in model.env.cr.fetchall()]
    print(f"\n{model._name}, {domain}:")
    print("\n".join(plan))
