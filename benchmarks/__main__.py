"""Measures the addon and prints its ratios to bare Odoo, upstream, or itself.

    python -m benchmarks -c ODOO_CONF SMALL THOUSAND LARGE BARE [--quick] [--only P1,P3]

SMALL, THOUSAND and LARGE are databases with the addon, BARE is one without it. All are
thrown away afterwards: everything is committed, as in production.
"""

from __future__ import annotations

import argparse
import logging
import time

from odoo.tools import config

from . import (
    p1_p2_scheduled_action,
    p3_p5_size,
    p4_preview_queries,
    p6_workers,
    p7_dialog,
    p8_no_refund,
    p9_memory,
    p12_night,
)
from .database import Database, Databases
from .table import Row, print_machine, print_rows

#: What is measured, in this order; each module's `measure` yields rows.
MODULES = {
    "P1": p1_p2_scheduled_action,
    "P2": p1_p2_scheduled_action,
    "P4": p4_preview_queries,
    "P7": p7_dialog,
    "P8": p8_no_refund,
    "P6": p6_workers,
    "P9": p9_memory,
    "P12": p12_night,
    "P3": p3_p5_size,
    "P5": p3_p5_size,
}


def main() -> None:
    """Measure what was asked for, and print the table."""
    options = parse_options()
    config.parse_config(
        ["-c", options.conf, "-d", options.small, "--log-level=error"],
        setup_logging=True,
    )
    # Recovered from by the code that is measured.
    logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)
    databases = Databases(
        *(
            Database(options.conf, name, options.quick)
            for name in (options.small, options.thousand, options.large, options.bare)
        )
    )
    rows = measure(options.only, databases)
    print_machine(databases.small)
    print_rows(sorted(rows))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("-c", dest="conf", required=True, help="Odoo configuration")
    parser.add_argument("small", help="database for most of it")
    parser.add_argument("thousand", help="database for a thousand subscriptions")
    parser.add_argument("large", help="database that is filled up")
    parser.add_argument("bare", help="database without the addon")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument(
        "--only",
        type=lambda text: [name for name in text.upper().split(",") if name],
        default=[],
        help="for example P1,P3",
    )
    return parser.parse_args()


def measure(only: list[str], databases: Databases) -> list[Row]:
    """Return the rows of the chosen ratios; what is measured together runs once."""
    names = only or list(MODULES)
    rows = []
    for module in dict.fromkeys(MODULES[name] for name in names):
        start = time.perf_counter()
        for row in module.measure(databases):
            if row.id in names:
                rows.append(row)
                print(f"{row.id} {row.ratio:.2f}: {row.name}, {row.remark}", flush=True)
        print(f"({time.perf_counter() - start:.0f} s)", flush=True)
    return rows


if __name__ == "__main__":
    main()
