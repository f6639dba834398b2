# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The PostgreSQL server crashes, or is restarted, and comes back.

Only a server of this machine can be had down: the embedded one is.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg2

from odoo import sql_db

#: How long the server may take to come back, in seconds.
PATIENCE = 120


def connect():
    """Return a connection to the server that belongs to no test, once it answers."""
    _name, info = sql_db.connection_info_for("postgres")
    info = {key: value for key, value in info.items() if key != "dsn"}
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection = psycopg2.connect(**info)
        except psycopg2.OperationalError:
            # "not yet accepting connections", "in recovery mode", no socket.
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            connection.autocommit = True
            return connection


def wait_until_back():
    """Wait until the server answers, and forget the connections it has dropped."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with contextlib.closing(connect()) as connection:
                connection.cursor().execute("SELECT 1")
            break
        except psycopg2.OperationalError:
            # It had not yet noticed that it must recover.
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
    sql_db.close_all()


def kill_backend(pid):
    """Kill the process that serves a connection: PostgreSQL recovers from a crash.

    It then drops all connections and starts anew from its log.
    """
    if _get_program(pid).name != "postgres":
        raise RuntimeError(f"PostgreSQL's process {pid} is not one of this machine")
    os.kill(pid, signal.SIGKILL)


def restart():
    """Restart the server while others work, as an administrator does."""
    with contextlib.closing(connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW data_directory")
        data = Path(cursor.fetchone()[0])
    postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
    owner = data.stat()
    log = data.parent / "restart.log"
    log.touch()
    os.chown(log, owner.st_uid, owner.st_gid)
    subprocess.run(
        [
            _get_program(postmaster).with_name("pg_ctl"),
            *("restart", "-w", "-s", "-m", "fast", "-D", data, "-l", log),
        ],
        check=True,
        cwd="/",
        env={key: text for key, text in os.environ.items() if key[:2] != "PG"},
        timeout=PATIENCE,
        # PostgreSQL refuses to be run by root.
        **_become(owner),
    )
    wait_until_back()


def _become(owner):
    if owner.st_uid == os.geteuid():
        return {}
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def _get_program(pid):
    return Path(f"/proc/{pid}/exe").resolve(strict=True)
