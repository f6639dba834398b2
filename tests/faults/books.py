# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The one place where a test of faults has the books of a database checked."""

import psycopg2

from odoo import sql_db

from odoo.addons.subscription_cancellation import books

from .sizes import say


def check_books(database):
    """Raise AssertionError where a cent of a database's ledger does not fit.

    :param str database: nobody is at work in it
    """
    _name, info = sql_db.connection_info_for(database)
    connection = psycopg2.connect(**info)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        summary = books.check_books(connection.cursor())
    finally:
        connection.close()
    say(
        f"books: {summary.cancellations} cancellations and {summary.credit_memos}"
        f" credit memos checked, {len(summary.findings)} findings"
    )
    assert summary.cancellations, "there is nothing to check"
    assert not summary.findings, "\n".join(map(str, summary.findings))
