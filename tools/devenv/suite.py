"""`make test`: the suite in parts, several at once, each with a database of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

from . import configuration
from .databases import Databases
from .pytest_run import PytestRun
from .settings import GLUE, SHOP, TEST_DATABASE, Settings
from .shell import Failure, say

#: More parts than processes, so that at the end none waits long for another.
SHARDS = 4
#: Folders of tests that need a database of another kind: how that is made.
OWN_DATABASES = {
    "queue_job": {"extra": [GLUE]},
    "shop": {"extra": [SHOP]},
    "demo": {"demo": True},
    "website": {"extra": ["website"]},
}
SECONDS_BETWEEN_LOOKS = 0.5


def run(settings: Settings, databases: Databases) -> int:
    """Every test, in as many processes as there are cores; 1: not all passed."""
    waiting = _prepare(settings, databases)
    jobs = _get_jobs()
    say(f"Running the tests, {jobs} of {len(waiting)} parts at once")
    verdict, running = 0, []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                part = waiting.pop(0)
                running.append(part)
                part.start()
            time.sleep(SECONDS_BETWEEN_LOOKS)
            for part in [part for part in running if part.has_ended()]:
                running.remove(part)
                verdict |= part.finish()
    finally:
        for part in running:
            part.run.kill()
    return verdict


class Part:
    """A process of pytest that prints into a file, which is shown when it has ended."""

    def __init__(self, run: PytestRun, log: Path) -> None:
        self.run = run
        self.log = log

    def start(self) -> None:
        """Begin."""
        say(f"{self.log.stem} begins; tail -f {self.log}")
        with open(self.log, "wb") as output:
            self.run.start(output)

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self.run.process.poll() is not None

    def finish(self) -> int:
        """Show what it has printed; returns 1 when not all passed."""
        say(f"{self.log.stem} has ended")
        verdict = self.run.finish()
        print(self.log.read_text(errors="replace"), flush=True)
        return verdict


def _prepare(settings: Settings, databases: Databases) -> list[Part]:
    """The parts, with their databases, the longest first."""
    databases.create(TEST_DATABASE)
    others = [f"--ignore=tests/{folder}" for folder in OWN_DATABASES]
    parts = []
    for number in range(1, SHARDS + 1):
        name = f"{TEST_DATABASE}_{number}"
        databases.duplicate(TEST_DATABASE, name)
        shard = ["-p", "devenv.shards", f"--shard={number}/{SHARDS}"]
        parts.append((name, ["tests", *others, *shard]))
    for folder, wanted in OWN_DATABASES.items():
        name = f"{TEST_DATABASE}_{folder}"
        databases.create(name, **wanted)
        parts.append((name, [f"tests/{folder}"]))
    return [
        _get_part(settings, number, name, arguments)
        for number, (name, arguments) in enumerate(parts)
    ]


def _get_part(settings: Settings, number: int, name: str, arguments: list) -> Part:
    """One part, which has a port of its own."""
    conf = configuration.copy(settings, name, port=settings.port + number)
    log = settings.state / f"{name}.log"
    return Part(PytestRun(settings, name, arguments, conf), log)


def _get_jobs() -> int:
    """How many processes run at once."""
    text = os.environ.get("JOBS") or str(os.cpu_count() or 1)
    if not text.isdigit() or int(text) < 1:
        raise Failure(f"JOBS={text} is not a number of processes", "Give 1 or more")
    return int(text)
