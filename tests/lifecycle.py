# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A database of its own that the addon comes to, and leaves again.

Installing, upgrading and uninstalling are done by real processes, as on a server.
"""

import json
import subprocess
import sys
from pathlib import Path

from odoo.tools import config

ROOT = Path(__file__).resolve().parents[1]
ADDON = "subscription_cancellation"
QUIET = ["--no-http", "--max-cron-threads=0", "--log-level=warn"]

sys.path.insert(0, str(ROOT / "tools"))


class Life:
    """One database, from before the addon to after it."""

    def __init__(self, name):
        from devenv.databases import Databases
        from devenv.postgres import server
        from devenv.settings import Settings

        settings = Settings()
        self.databases = Databases(settings, server(settings))
        self.name = name

    # === DATABASES === #

    def begin(self):
        """Make the database: what the addon depends on, and no addon."""
        self.databases.copy_template(self.name)

    def begin_like(self, other):
        """Make the database as another one is now."""
        self.databases.duplicate(other.name, self.name)

    def end(self):
        """Remove the database."""
        self.databases.drop(self.name)

    def get_version(self):
        """Return which version of the addon is installed."""
        query = "SELECT latest_version FROM ir_module_module WHERE name = %s"
        [(version,)] = self._query(query, ADDON)
        return version

    def claim_version(self, version):
        """Let Odoo believe that another version is installed."""
        query = "UPDATE ir_module_module SET latest_version = %s WHERE name = %s"
        self._query(query, version, ADDON)

    def _query(self, statement, *parameters):
        connection = self.databases.connection
        return connection.query(statement, parameters, database=self.name)

    # === PROCESSES === #

    def odoo(self, *arguments):
        """Run Odoo's command line until it has loaded the modules.

        :raise AssertionError: it fails, or logs a warning or worse
        """
        command = [
            sys.executable,
            "-m",
            "odoo",
            "-c",
            config["config"],
            "-d",
            self.name,
        ]
        self._run([*command, *arguments, "--stop-after-init", *QUIET])

    def do(self, job, **options):
        """Let a process do a job of :mod:`lifecycle_worker`; return its result."""
        command = [sys.executable, "-m", "tests.lifecycle_worker", config["config"]]
        output = self._run([*command, self.name, job, json.dumps(options)])
        return json.loads(output.splitlines()[-1])

    def _run(self, command):
        """Run a program; return what it prints."""
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode or " WARNING " in done.stderr or " ERROR " in done.stderr:
            raise AssertionError(f"{command} failed:\n{done.stderr[-5000:]}")
        return done.stdout
