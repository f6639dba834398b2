"""P3, P5: what the size of the database costs."""

from __future__ import annotations

from functools import partial

from odoo.fields import Command

from .clones import clone, without_indexes
from .database import Cost, Database, count, interleave
from .p1_p2_scheduled_action import BATCH, PAID, check_done, make_due
from .plans import MANY, explained, get_big_tables
from .samples import create_billed, create_scheduled, put_off
from .table import Row
from .web import Browser

ROUNDS = 5
LINES, PERIODS = 2, 5
SUBSCRIPTIONS = {"small": 1_000, "large": 100_000}
ROWS = {"small": 100, "large": 100_000}
#: So many of these are one more that is paid online, and one that is paid by bank.
PART_PAID = 10
#: Of the list in the portal.
SORTINGS = ("newest", "name", "next", "end")
#: What a customer has whose list is explained; the other one has nearly all rows.
FEW = 100


def measure(databases):
    """Yield what a full database costs against one that is nearly empty."""
    small, large = databases.thousand, databases.large
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
    yield sides["large"].explain()


def _measure_executing(sides, rounds):
    for paid, label in PAID.items():
        cost = interleave(
            rounds,
            {name: partial(side.execute, paid) for name, side in sides.items()},
        )
        large, small = cost["large"], cost["small"]
        yield Row(
            "P3",
            f"cost with {sides['large'].size} ÷ with {sides['small'].size}, {label}",
            large.seconds / small.seconds,
            "≤ 1.15",
            f"{large.seconds * 1000:.1f} ÷ {small.seconds * 1000:.1f} ms, "
            f"{large.queries:.1f} ÷ {small.queries:.1f} queries",
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
    """One database, filled to a size; so many rows belong to one customer."""

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
            self.original_ids = {
                paid: create_scheduled(env, paid=paid).id for paid in PAID
            }
            self.running_id = create_billed(env, lines=LINES).id
            filling = create_scheduled(env, lines=LINES, periods=PERIODS)
            paid_ones = [
                create_scheduled(env, paid=paid) for paid in PAID if paid is not None
            ]
            put_off(env)
            with without_indexes(env):
                clone(filling, subscriptions + FEW)
                for original in paid_ones:
                    clone(original, subscriptions // PART_PAID)
            for login, number in (("visitor", self.rows), ("neighbour", FEW)):
                _give(env, _create_customer(env, login), filling, number)
        with self.database.environment() as env:
            env.cr.execute("ANALYZE")
            number = env["sale.subscription"].search_count([])
            env.cr.execute(
                "SELECT count(*) FROM account_move_line"
                " WHERE display_type = 'product' AND subscription_line_id IS NOT NULL"
            )
            [(items,)] = env.cr.fetchall()
        self.size = f"{number:,} subscriptions, {items:,} invoice lines"

    def execute(self, paid: str | None) -> Cost:
        """Execute a batch of due cancellations of invoices that were paid like this."""
        with self.database.environment() as env:
            original = env["sale.subscription"].browse(self.original_ids[paid])
            subscriptions = clone(original, BATCH)
            make_due(subscriptions)
            cost = count(env, env["subscription.cancellation"]._cron_execute_due, BATCH)
            check_done(subscriptions, BATCH, paid)
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

    def explain(self) -> Row:
        """Look at how PostgreSQL finds all this."""
        with self.database.environment() as env:
            big_tables = get_big_tables(env)
        with explained(big_tables) as read_whole:
            self.find_due()
            self.preview()
            browser = Browser(self.database.name, "neighbour")
            for sorting in SORTINGS:
                browser.get(f"/my/subscriptions?sortby={sorting}")
        print("\n\n".join(read_whole))
        return Row(
            "P5",
            "queries of these that read a big table whole",
            len(read_whole),
            "0",
            f"of {len(big_tables)} tables with more than {MANY:,} rows",
        )


def _create_customer(env, login: str):
    """Return the partner of a new portal user."""
    user = env["res.users"].create(
        {
            "name": login,
            "login": login,
            "password": login,
            "group_ids": [Command.set(env.ref("base.group_portal").ids)],
        }
    )
    return user.partner_id


def _give(env, partner, filling, number: int) -> None:
    """Let so many copies that still are the original customer's be this one's."""
    env.cr.execute(
        "UPDATE sale_subscription SET partner_id = %s WHERE id IN ("
        " SELECT id FROM sale_subscription WHERE id > %s AND partner_id NOT IN ("
        "  SELECT partner_id FROM res_users) ORDER BY id LIMIT %s)",
        [partner.id, filling.id, number],
    )
