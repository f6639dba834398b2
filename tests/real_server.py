# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A real Odoo server in a process of its own, on the test database.

What it is asked to do is really committed, and stays in the test database.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import requests

from odoo.api import SUPERUSER_ID, Environment
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name
from odoo.tools import config

START_SECONDS = 120
ROOT = Path(__file__).resolve().parents[1]


class RealServer:
    """One server; use :func:`running`."""

    def __init__(self, database, *options):
        self.port = get_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = Path(tempfile.mkdtemp(prefix="odoo-server-")) / "server.log"
        self.command = [
            str(Path(sys.executable).parent / "odoo"),
            f"--config={config['config']}",
            f"--database={database}",
            f"--http-port={self.port}",
            "--max-cron-threads=0",
            "--log-level=warn",
            f"--logfile={self.log}",
            *options,
        ]
        self.process = None

    def start(self):
        """Start it and wait until it answers."""
        # In a process group of its own, so that a kill reaches its workers.
        self.process = subprocess.Popen(self.command, cwd=ROOT, start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                if requests.get(f"{self.url}/web/health", timeout=10).ok:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise RuntimeError(f"The server did not start:\n{self.read_log()[-3000:]}")

    def stop(self, number=signal.SIGTERM):
        """Stop it, or kill it with another signal."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        self.process.wait(timeout=60)

    def read_log(self):
        """Return what it has logged."""
        return self.log.read_text() if self.log.is_file() else ""


def get_free_port():
    """Return the number of a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealServerCase(BaseCase):
    """Tests with a running server, and committed subscriptions."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = cls.prepare_database()
        cls.registry = Registry(cls.database)
        cls.server = RealServer(cls.database)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def prepare_database(cls):
        """Return the name of the database to work in: a hook."""
        return get_db_name()

    def committed(self, work):
        """Run ``work(env)`` in a transaction of its own; commit; return its result."""
        with self.registry.cursor() as cr:
            return work(Environment(cr, SUPERUSER_ID, {}))

    def create_key(self, *groups):
        """Return an API key of a new user with these groups (xml ids)."""

        def create(env):
            user = env["res.users"].create(
                {
                    "name": "Robot",
                    "login": f"robot-{time.monotonic_ns()}",
                    "group_ids": [Command.set([env.ref(group).id for group in groups])],
                }
            )
            keys = env["res.users.apikeys"].with_user(user)
            return keys._generate("rpc", "test", datetime.now() + timedelta(days=1))

        return self.committed(create)

    def create_billed(self):
        """Return the id of a running subscription, billed for the running month."""
        return self.committed(lambda env: _create_billed(env).id)


def _create_billed(env):
    product = env["product.product"].create(
        {"name": "Plan", "type": "service", "list_price": 31.0}
    )
    subscription = env["sale.subscription"].create(
        {
            "partner_id": env["res.partner"].create({"name": "Robot Inc"}).id,
            "pricelist_id": env["product.pricelist"].create({"name": "P"}).id,
            "template_id": env["sale.subscription.template"]
            .create({"name": "Monthly"})
            .id,
            "sale_subscription_line_ids": [Command.create({"product_id": product.id})],
        }
    )
    subscription.action_start_subscription()
    start = subscription._today() - timedelta(days=5)
    subscription.write({"date_start": start, "recurring_next_date": start})
    subscription.generate_invoice()
    subscription.invoice_ids._post()
    return subscription
