# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A process that runs the scheduled actions again and again.

    python -m tests.faults.scheduler ODOO_CONF DATABASE [NAME=VALUE…]

until its input ends; then it writes the number of rounds, and one line per error.
``batch_size=1`` lets ours do one at a time; ``days=100`` is so many days later.
"""

import contextlib
import logging
import sys
import threading
from datetime import datetime, timedelta

import freezegun
from psycopg2 import OperationalError

from odoo.api import SUPERUSER_ID, Environment
from odoo.modules.registry import Registry
from odoo.tools import config

#: Model and method; whether it is ours.
ACTIONS = (
    ("subscription.cancellation", "_cron_execute_due", True),
    ("sale.subscription", "cron_subscription_management", False),
    ("subscription.cancellation", "_cron_run_steps", True),
)


class Errors(logging.Handler):
    """Keep what upstream's scheduled action only logs."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(" ".join(self.format(record).split()))


def main(conf, database, *options):
    config.parse_config(["-c", conf, "-d", database, "--log-level=critical"])
    options = {name: int(value) for name, _is, value in _split(options)}
    registry = Registry(database)
    errors = Errors()
    logging.getLogger("odoo.addons.subscription_cancellation").addHandler(errors)
    logging.getLogger("odoo.addons.subscription_cancellation").setLevel(logging.ERROR)
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    print("ready", flush=True)
    with _travel(options.pop("days", 0)):
        rounds = _repeat(registry, ended, errors, options)
    print("\n".join([str(rounds), *errors.lines]), flush=True)


def _split(options):
    return [option.partition("=") for option in options]


def _travel(days):
    """Let the clock run from another day on."""
    if not days:
        return contextlib.nullcontext()
    return freezegun.freeze_time(
        datetime.now() + timedelta(days=days), tick=True, ignore=["threading"]
    )


def _repeat(registry, ended, errors, options):
    """Run the scheduled actions until the end; return how often."""
    rounds = 0
    while not ended.wait(0.3):
        rounds += 1
        for model, method, is_ours in ACTIONS:
            own = options if is_ours else {}
            _run(registry, errors, model, method, **own)
    return rounds


def _wait_for_end(ended):
    sys.stdin.read()
    ended.set()


def _run(registry, errors, model, method, **options):
    """Run one scheduled action in a transaction of its own, as the scheduler does."""
    try:
        with registry.cursor() as cr:
            getattr(Environment(cr, SUPERUSER_ID, {})[model], method)(**options)
    except OperationalError:
        # A conflict: the scheduler runs it again.
        return
    except Exception as error:
        errors.lines.append(" ".join(f"{method}: {error!r}".split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
