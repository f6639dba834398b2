# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo servers as they run in production: their scheduler, workers and job runner."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from odoo.tools import config

#: Two jobs at once, of whatever kind.
CHANNELS = "root:2"
HOST = "127.0.0.1"
ODOO = Path(sys.executable).with_name("odoo")


class Server:
    """A real server on a database, in processes of its own."""

    def __init__(self, database, log, workers, http_port):
        """Start it.

        :param log: path of its log file
        :param int workers: processes that answer requests; 0: threads of one process
        """
        environment = {
            **os.environ,
            "ODOO_QUEUE_JOB_CHANNELS": CHANNELS,
            "ODOO_QUEUE_JOB_HOST": HOST,
            "ODOO_QUEUE_JOB_PORT": str(http_port),
        }
        options = {
            "config": config["config"],
            "database": database,
            "load": "base,web,queue_job",
            "workers": workers,
            "max-cron-threads": 1,
            "http-port": http_port,
            "gevent-port": find_free_port(),
            "logfile": log,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self.process = subprocess.Popen(
            [ODOO, *arguments], env=environment, start_new_session=True
        )

    def kill(self):
        """Kill all of its processes, if it runs: there is nothing after it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def find_free_port():
    """Return the number of a port that nobody listens on."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return one.getsockname()[1]


def run_in_shell(database, code):
    """Let a new process of Odoo execute Python code, in which ``env`` is defined."""
    options = [f"--config={config['config']}", f"--database={database}", "--no-http"]
    subprocess.run(
        [ODOO, "shell", *options, "--log-level=error"],
        input=f"{code}\nenv.cr.commit()\n",
        stdout=subprocess.DEVNULL,
        text=True,
        check=True,
    )
