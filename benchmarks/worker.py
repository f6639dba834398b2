"""A worker process: executes what is due when it is told to.

    python -m benchmarks.worker ODOO_CONF DATABASE

writes "ready" when Odoo is loaded, starts on a line of its input, and writes how long
it took.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config


def main(conf: str, name: str) -> None:
    """Load Odoo, then do what is due, once per line of the input."""
    options = ["-c", conf, "-d", name, "--log-level=error"]
    config.parse_config(options, setup_logging=True)
    logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)
    registry = Registry(name)
    print("ready", flush=True)
    for _line in sys.stdin:
        start = time.perf_counter()
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            env["subscription.cancellation"]._cron_execute_due()
        print(time.perf_counter() - start, flush=True)


class Worker:
    """A worker process, seen from outside."""

    def __init__(self, conf: str, name: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", conf, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Return when Odoo is loaded."""
        self._read()

    def start(self) -> None:
        """Let it execute what is due."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def finish(self) -> float:
        """Return how many seconds it took, once it is done."""
        return float(self._read())

    def get_peak_memory(self) -> float:
        """Return the most resident memory that it has had, in MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as lines:
            [size] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        return int(size) / 1024

    def stop(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()

    def _read(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("A worker has died: its error is above.")
        return line


if __name__ == "__main__":
    main(*sys.argv[1:])
