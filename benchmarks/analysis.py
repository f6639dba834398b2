"""Measures the cancellation analysis with 100,000 cancellations.

    python benchmarks/analysis.py -c .odoo/odoo.conf -d NAME

One cancelled subscription is made by the product itself. SQL copies it, with other
dates, plans, products, reasons and so on; nothing of that is committed. Then every
query of the dashboard runs for this year, and the pivot by reason and month over all
years, and times and query plans are printed.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
from datetime import date, timedelta
from typing import NamedTuple

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

CANCELLATIONS = 100_000
#: Rows per cancellation: a second line every other time, each credited on one invoice.
SECOND_LINE_EVERY = 2
YEARS = 3
CUSTOMERS, PRODUCTS, PLANS = 5_000, 60, 6
ROUNDS = 3
DASHBOARD = "subscription_cancellation.spreadsheet_dashboard_cancellations"
REPORT = "subscription.cancellation.report"


class Query(NamedTuple):
    """What a pivot or a chart asks for."""

    name: str
    domain: list
    groupby: list[str]
    measures: list[str]
    model: str = REPORT


def main(arguments: list[str]) -> None:
    """Connect, measure, print, and undo everything."""
    config.parse_config(arguments, setup_logging=True)
    logging.getLogger("odoo").setLevel(logging.WARNING)
    with Registry(config["db_name"][0]).cursor() as cr:
        print_results(run(Environment(cr, SUPERUSER_ID, {"tracking_disable": True})))
        cr.rollback()


def run(env: Environment, cancellations: int = CANCELLATIONS) -> list[tuple]:
    """Fill the database and return name, seconds, and plan of each query.

    The caller rolls back.
    """
    Filler(env).fill(cancellations)
    return [measure(env, query) for query in get_queries(env)]


# === QUERIES === #


def get_queries(env: Environment) -> list[Query]:
    """Return the dashboard's queries of this year, and the pivot of all years."""
    snapshot = json.loads(env.ref(DASHBOARD).spreadsheet_data)
    today = date.today()
    year = [("date", ">=", today.replace(month=1, day=1)), ("date", "<=", today)]
    queries = [
        *map(read_pivot, snapshot["pivots"].values()),
        *(
            read_chart(figure["id"], figure["data"])
            for sheet in snapshot["sheets"]
            for figure in sheet["figures"]
            if figure["data"]["type"].startswith("odoo_")
        ),
    ]
    return [
        *(query._replace(domain=[*query.domain, *year]) for query in queries),
        Query(
            "pivot: reason x month, all years",
            [],
            ["reason_id", "date:month"],
            ["cancellation_count:count_distinct", "lost_monthly_revenue:sum"],
        ),
    ]


def read_pivot(pivot: dict) -> Query:
    """Return what a pivot of the dashboard asks for."""
    return Query(
        f"pivot: {pivot['name']}",
        pivot["domain"],
        [":".join(filter(None, get_groupby(row))) for row in pivot["rows"]],
        [f"{one['fieldName']}:{one['aggregator']}" for one in pivot["measures"]],
        pivot["model"],
    )


def get_groupby(row: dict) -> tuple:
    """Return field and granularity."""
    return row["fieldName"], row.get("granularity")


def read_chart(name: str, chart: dict) -> Query:
    """Return what a chart of the dashboard asks for."""
    measure = chart["metaData"]["measure"]
    aggregator = "count_distinct" if measure.endswith("_count") else "sum"
    return Query(
        f"chart: {name}",
        chart["searchParams"]["domain"],
        chart["metaData"]["groupBy"],
        [f"{measure}:{aggregator}"],
    )


def measure(env: Environment, query: Query) -> tuple:
    """Return name, median seconds, and the lines of the query plan."""
    seconds = []
    for _round in range(ROUNDS):
        env.invalidate_all()
        start = time.perf_counter()
        env[query.model]._read_group(query.domain, query.groupby, query.measures)
        seconds.append(time.perf_counter() - start)
    # The last query that was sent, as it was sent.
    sent = env.cr.query.decode()
    options = "ANALYZE, COSTS OFF, TIMING OFF"
    env.cr.execute(f"EXPLAIN ({options}) {sent}")
    plan = [line for (line,) in env.cr.fetchall()]
    return query.name, statistics.median(seconds), plan


# === DATA === #


class Filler:
    """A cancelled subscription, copied many times by SQL."""

    def __init__(self, env: Environment) -> None:
        self.env = env

    def fill(self, number: int) -> None:
        """Make ``number`` cancelled subscriptions."""
        self.make_master_data()
        subscription = self.make_one()
        self.env.flush_all()
        self.copy_subscriptions(subscription, number)
        self.copy_cancellations(subscription.cancellation_ids, number)
        self.env.invalidate_all()

    def make_master_data(self) -> None:
        """Make customers, products and plans."""
        env = self.env
        countries = env["res.country"].search([], limit=20)
        self.customers = env["res.partner"].create(
            [
                {"name": f"Bench {number}", "country_id": countries[number % 20].id}
                for number in range(CUSTOMERS)
            ]
        )
        self.products = env["product.product"].create(
            [
                {"name": f"Bench {number}", "type": "service", "subscribable": True}
                for number in range(PRODUCTS)
            ]
        )
        self.plans = env["sale.subscription.template"].create(
            [{"name": f"Bench {number}"} for number in range(PLANS)]
        )
        self.reasons = env["sale.subscription.close.reason"].search([])

    def make_one(self):
        """Return a cancelled subscription of one line, made by the product."""
        start = date.today() - timedelta(days=10)
        subscription = self.env["sale.subscription"].create(
            {
                "partner_id": self.customers[0].id,
                "pricelist_id": self.env["product.pricelist"].search([], limit=1).id
                or self.env["product.pricelist"].create({"name": "Bench"}).id,
                "template_id": self.plans[0].id,
                "sale_subscription_line_ids": [
                    Command.create(
                        {"product_id": self.products[0].id, "price_unit": 31.0}
                    )
                ],
            }
        )
        subscription.action_start_subscription()
        subscription.write({"date_start": start, "recurring_next_date": start})
        subscription.request_cancellation(timing="immediate", send_confirmation=False)
        return subscription

    def copy_subscriptions(self, subscription, number: int) -> None:
        """Copy it, and its line once or twice."""
        line = subscription.archived_line_ids
        self.first = self.get_last_id("sale_subscription")
        self.first_line = self.get_last_id("sale_subscription_line")
        self.copy(
            "sale_subscription",
            subscription,
            number,
            id=SQL("%s + n", self.first),
            partner_id=self.pick(self.customers, "n"),
            template_id=self.pick(self.plans, "n / 7"),
        )
        self.copy(
            "sale_subscription_line",
            line,
            number + number // SECOND_LINE_EVERY,
            id=SQL("%s + n", self.first_line),
            sale_subscription_id=self.get_owner(self.first, number),
            product_id=self.pick(self.products, "n / 3"),
        )

    def copy_cancellations(self, cancellation, number: int) -> None:
        """Copy it, over some years, with other reasons and outcomes."""
        self.first_cancellation = self.get_last_id("subscription_cancellation")
        day = SQL("CURRENT_DATE - (n * 7919) %% %s + 30", 365 * YEARS)
        self.copy(
            "subscription_cancellation",
            cancellation,
            number,
            id=SQL("%s + n", self.first_cancellation),
            subscription_id=SQL("%s + n", self.first),
            partner_id=self.pick(self.customers, "n"),
            reason_id=self.pick(self.reasons, "n / 11"),
            effective_date=day,
            request_date=SQL("(%s - 14)::timestamp", day),
            subscribed_since=SQL("%s - (n * 31) %% 1500", day),
            channel=SQL("(ARRAY['backend', 'portal', 'api', 'system'])[1 + n %% 4]"),
            state=SQL("CASE WHEN n %% 8 = 0 THEN 'revoked' ELSE 'done' END"),
        )
        self.copy(
            "subscription_cancellation_line",
            cancellation.line_ids[0],
            number + number // SECOND_LINE_EVERY,
            id=SQL("%s + n", self.get_last_id("subscription_cancellation_line")),
            cancellation_id=self.get_owner(self.first_cancellation, number),
            subscription_line_id=SQL("%s + n", self.first_line),
            monthly_revenue=SQL("10 + n %% 90"),
            credited=SQL("n %% 40"),
            refunded=SQL("n %% 20"),
            written_off=SQL("n %% 5"),
        )

    def copy(self, table: str, record, number: int, **columns) -> None:
        """Insert ``number`` copies of a record; ``n`` counts from 1."""
        pairs = SQL(", ").join(
            SQL("%s, %s", name, value) for name, value in columns.items()
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s
                SELECT copied.*
                FROM %(table)s one, generate_series(1, %(number)s) n,
                    LATERAL jsonb_populate_record(
                        one, jsonb_build_object(%(pairs)s)
                    ) copied
                WHERE one.id = %(id)s
                """,
                table=SQL.identifier(table),
                pairs=pairs,
                number=number,
                id=record.id,
            )
        )
        # Else foreign keys are looked up as in the small table of before.
        self.env.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))

    def get_last_id(self, table: str) -> int:
        """Return the highest id."""
        self.env.cr.execute(
            SQL("SELECT COALESCE(MAX(id), 0) FROM %s", SQL.identifier(table))
        )
        return self.env.cr.fetchone()[0]

    @staticmethod
    def get_owner(first: int, number: int) -> SQL:
        """Return the id of the n-th of ``number`` copies; second lines begin anew."""
        return SQL("%s + 1 + (n - 1) %% %s", first, number)

    @staticmethod
    def pick(records, number: str) -> SQL:
        """Return one of the records, by a number."""
        return SQL(
            "(%s::int[])[1 + (%s) %% %s]", records.ids, SQL(number), len(records)
        )


def print_results(results: list[tuple]) -> None:
    """Print the times, then the plans."""
    print(
        f"\nOdoo {odoo.release.version}, {CANCELLATIONS:,} cancellations, made by SQL"
    )
    print(f"Median of {ROUNDS}, in milliseconds; the dashboard for this year\n")
    for name, seconds, _plan in results:
        print(f"{seconds * 1000:8.0f}  {name}")
    print(f"{sum(row[1] for row in results[:-1]) * 1000:8.0f}  the whole dashboard")
    for name, _seconds, plan in results:
        print(f"\n--- {name}")
        print("\n".join(plan))


if __name__ == "__main__":
    main(sys.argv[1:])
