# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A process that runs the scheduled actions again and again.

    python -m tests.faults.scheduler ODOO_CONF DATABASE

until its input ends; then it writes the number of rounds, and one line per error.
"""

import logging
import sys
import threading

from psycopg2 import OperationalError

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config

#: Model and method.
ACTIONS = (
    ("subscription.cancellation", "_cron_execute_due"),
    ("sale.subscription", "cron_subscription_management"),
    ("subscription.cancellation", "_cron_run_steps"),
)


class Errors(logging.Handler):
    """Keep what upstream's scheduled action only logs."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(" ".join(self.format(record).split()))


def main(conf, database):
    config.parse_config(["-c", conf, "-d", database, "--log-level=critical"])
    registry = Registry(database)
    errors = Errors()
    logging.getLogger("odoo.addons.subscription_cancellation").addHandler(errors)
    logging.getLogger("odoo.addons.subscription_cancellation").setLevel(logging.ERROR)
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    print("ready", flush=True)
    rounds = 0
    while not ended.wait(0.3):
        rounds += 1
        for model, method in ACTIONS:
            _run(registry, model, method, errors)
    print("\n".join([str(rounds), *errors.lines]), flush=True)


def _wait_for_end(ended):
    sys.stdin.read()
    ended.set()


def _run(registry, model, method, errors):
    """Run one scheduled action in a transaction of its own, as the scheduler does."""
    try:
        with registry.cursor() as cr:
            getattr(Environment(cr, SUPERUSER_ID, {})[model], method)()
    except OperationalError:
        # A conflict: the scheduler runs it again.
        return
    except Exception as error:
        errors.lines.append(f"{method}: {error!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
