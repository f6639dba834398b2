# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Processes that are killed, and a database that can be had again as it was."""

import json
import subprocess
import sys
from pathlib import Path

from odoo import sql_db
from odoo.tools import config

from . import databases

ROOT = Path(__file__).parents[2]
EXECUTE, SETTLE = "_cron_execute_due", "_cron_run_steps"


class Stage:
    """A database that can be had again as it was, and processes that work on it."""

    def __init__(self, source, name="faults"):
        self.source = source
        self.database = f"{source}_{name}"
        #: By scheduled action: a copy of the database as it was before that one.
        self.copies = {
            EXECUTE: f"{source}_{name}_due",
            SETTLE: f"{source}_{name}_executed",
        }
        self.ledger = None
        self.worker = None
        #: How the last job's processes ended.
        self.exit_codes = []

    # === DATABASES === #

    def keep(self, action):
        """Keep the database as it is before a scheduled action."""
        self.wait_until_left()
        databases.copy(self.database, self.copies[action])

    def reset(self, action, ledger):
        """Begin anew before an action, with a provider that was never called."""
        self.ledger = str(ledger)
        ledger.touch()
        databases.copy(self.copies[action], self.database)

    def wait_until_left(self):
        """Wait until PostgreSQL has noticed that a process was killed."""
        databases.wait_until_left(self.database)

    # === PROCESSES === #

    def start(self, **options):
        """Prepare the database, and the process that all others come from.

        :param options: of ``fault_worker.prepare``
        """
        sql_db.close_db(self.source)
        # With queue_job, a thread of this process looks for jobs again and again.
        databases.disconnect(self.source)
        databases.copy(self.source, self.database)
        command = ["-m", "tests.fault_worker", config["config"], self.database]
        self.worker = subprocess.Popen(
            [sys.executable, *command, self.source],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.do("prepare", **options)
        self.keep(EXECUTE)

    def stop(self):
        """End the processes and remove the databases."""
        if self.worker:
            self.worker.stdin.close()
            self.worker.wait()
            self.worker.stdout.close()
        for database in (self.database, *self.copies.values()):
            databases.drop(database)

    def do(self, job, exit_code=0, **options):
        """Let a process of its own do a job; return its result.

        :param exit_code: what it has to end with; ``None``: whatever; several: one of
            these
        """
        self.worker.stdin.write(json.dumps({"job": job, **options}) + "\n")
        self.worker.stdin.flush()
        answer = json.loads(self.worker.stdout.readline())
        self.exit_codes = answer["exit_codes"]
        allowed = exit_code if isinstance(exit_code, set) else {exit_code}
        if exit_code is not None and not allowed.issuperset(self.exit_codes):
            raise AssertionError(f"{job} ended with {answer}")
        return answer["result"]

    def run(self, job="run", **options):
        """Execute and settle what is due, in one process."""
        return self.do(job, ledger=self.ledger, **options)

    def kill(self, number, **options):
        """Do the same, and kill the process at a moment."""
        self.run(kill_at=number, exit_code=-9, **options)
        self.wait_until_left()

    def read_ledger(self, key):
        """Return what was written down under ``key``, in order."""
        entries = map(json.loads, Path(self.ledger).read_text().splitlines())
        return [entry for entry in entries if key in entry]
