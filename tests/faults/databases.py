# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Databases that are copied, broken and thrown away."""

import os
import shutil
import time
from pathlib import Path

import psycopg2
from psycopg2 import sql

from odoo import sql_db
from odoo.tools import config

#: How often to wait for a backend whose client was killed, a tenth of a second each.
PATIENCE = 200


def execute(statement, *names, parameters=()):
    """Execute a statement about databases; return its rows if it has any."""
    _name, info = sql_db.connection_info_for("postgres")
    info = {key: value for key, value in info.items() if key != "dsn"}
    connection = psycopg2.connect(**info)
    connection.autocommit = True
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


def wait_until_left(database):
    """Wait until PostgreSQL has noticed that a process was killed."""
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = %s"
    for _attempt in range(PATIENCE):
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
