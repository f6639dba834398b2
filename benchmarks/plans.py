"""How PostgreSQL finds what the measured code asks for."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from odoo import sql_db
from odoo.tools import SQL

#: What has fewer rows may be read whole.
MANY = 10_000
SEQUENTIAL = re.compile(r"Seq Scan on (\w+)")


@contextlib.contextmanager
def explained(big_tables: set[str]) -> Iterator[list[str]]:
    """Explain every query of this process; collect what reads a big table whole."""
    found: list[str] = []
    execute = sql_db.Cursor.execute

    def explain_and_execute(cursor, query, params=None, log_exceptions=True):
        code = query.code if isinstance(query, SQL) else query
        if str(code).lstrip().upper().startswith("SELECT"):
            if isinstance(query, SQL):
                execute(cursor, SQL("EXPLAIN %s", query))
            else:
                execute(cursor, f"EXPLAIN {query}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            if big_tables.intersection(SEQUENTIAL.findall(plan)):
                found.append(f"{' '.join(str(code).split())[:300]}\n{plan}")
        return execute(cursor, query, params, log_exceptions)

    sql_db.Cursor.execute = explain_and_execute
    try:
        yield found
    finally:
        sql_db.Cursor.execute = execute


def get_big_tables(env) -> set[str]:
    """Return the names of the tables with many rows, as PostgreSQL estimates them."""
    env.cr.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s"
        " AND relnamespace = current_schema::regnamespace",
        [MANY],
    )
    return {name for (name,) in env.cr.fetchall()}
