# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""``python -m books DATABASE``, from the folder of the addon: check, print, exit.

Needs Python and psycopg2 only, no Odoo; nothing is written. The server is that of the
usual ``PGHOST``, ``PGPORT``, ``PGUSER`` and ``PGPASSWORD``. The exit status is 1 where
something does not fit, 2 where the database cannot be read.
"""

import argparse
import sys
from datetime import date

import psycopg2

from .checker import check_books
from .finding import show

COLUMNS = ("kind", "rule", "document", "subscription", "currency")
AMOUNTS = ("expected", "found", "difference")


def main():
    """Check the database of the command line."""
    arguments = _parse_arguments()
    try:
        summary = _check(arguments)
    except psycopg2.Error as error:
        reason = str(error).strip().splitlines()[0]
        sys.stderr.write(f"{arguments.database} cannot be checked: {reason}\n")
        return 2
    sys.stdout.writelines(f"{line}\n" for line in _describe(summary))
    return 1 if summary.findings else 0


def _check(arguments):
    """Check in one transaction that writes nothing and sees one state."""
    connection = psycopg2.connect(dbname=arguments.database)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        return check_books(connection.cursor(), since=arguments.since)
    finally:
        connection.close()


def _parse_arguments():
    parser = argparse.ArgumentParser(
        prog="books", description="Derive the books of cancellations anew."
    )
    parser.add_argument("database", help="name of the database")
    parser.add_argument(
        "--since",
        type=date.fromisoformat,
        help="only subscriptions with a cancellation executed since, YYYY-MM-DD",
    )
    return parser.parse_args()


def _describe(summary):
    """Yield the lines to print."""
    for finding in summary.all:
        values = [getattr(finding, name) for name in COLUMNS]
        amounts = [getattr(finding, name) for name in AMOUNTS]
        values += ["" if amount is None else show(amount) for amount in amounts]
        yield " | ".join(values)
        yield f"    {finding.tell()}"
    yield ", ".join(_summarize(summary))


def _summarize(summary):
    """Yield the parts of the last line: what came of it, and what was checked."""
    checked = (
        f"{summary.cancellations} cancellations, {summary.credit_memos} credit memos "
        "checked"
    )
    outcome = "The books are correct"
    if summary.findings:
        outcome = f"{len(summary.findings)} findings"
    elif summary.unsure:
        outcome = "All that can be derived is correct"
    yield f"{outcome}: {checked}"
    if summary.unsure:
        yield f"{len(summary.unsure)} could not be derived"
    if summary.waiting:
        yield f"{len(summary.waiting)} wait for somebody"


if __name__ == "__main__":
    sys.exit(main())
