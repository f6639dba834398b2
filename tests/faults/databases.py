# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Databases that are copied, broken and thrown away."""

import contextlib
import os
import shutil
import time
from pathlib import Path

import psycopg2
from psycopg2 import sql

from odoo import sql_db
from odoo.tools import config

from . import postgresql

#: How often to wait for a backend whose client was killed, a tenth of a second each.
PATIENCE = 200


def execute(statement, *names, parameters=()):
    """Execute a statement about databases; return its rows if it has any."""
    connection = postgresql.connect()
    try:
        cursor = connection.cursor()
        quoted = sql.SQL(statement).format(*map(sql.Identifier, names))
        cursor.execute(quoted, parameters)
        return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def drop(database):
    """Remove a database, if there is one."""
    # WITH (FORCE): the backend of a killed process may not have noticed yet.
    execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)


def disconnect(database):
    """End what others have open in a database."""
    execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
        parameters=[database],
    )


def copy(source, database):
    """Make a database like another one."""
    drop(database)
    execute("CREATE DATABASE {} TEMPLATE {}", database, source)


def make_durable(database):
    """Let a crash of the server lose nothing of a database that was committed.

    The server of the tests does not wait for its log. And in a fresh copy a sequence
    counts some numbers without logging them, as its original had done: after a crash
    it would give them again, unless a checkpoint comes first.
    """
    execute("ALTER DATABASE {} SET synchronous_commit = 'on'", database)
    execute("CHECKPOINT")


def wait_until_left(database):
    """Wait until PostgreSQL has noticed that a process was killed."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = %s"
    for _attempt in range(PATIENCE):
        # PostgreSQL may be about to notice that it has crashed.
        with contextlib.suppress(psycopg2.OperationalError):
            if not execute(query, parameters=[database]):
                return
        time.sleep(0.1)
    raise TimeoutError(f"Somebody stays connected to {database}")


def copy_with_files(source, database):
    """Make a database like another one, its filestore included."""
    sql_db.close_db(source)
    copy(source, database)
    drop_files(database)
    files = Path(config.filestore(source))
    if files.is_dir():
        shutil.copytree(files, config.filestore(database), copy_function=os.link)


def drop_files(database):
    """Remove a database's filestore."""
    shutil.rmtree(config.filestore(database), ignore_errors=True)
