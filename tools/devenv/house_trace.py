"""The same walls while tests run: a pytest plugin, ``-p devenv.house_trace``.

Neither ``getattr`` nor a function that is given a record slips under it. What is found
is told at the end; tests take several times as long.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from .house import House, get_floor

ROOT = Path(__file__).parents[2] / "subscription_cancellation"
PREFIX = f"{ROOT}/"


class Trace:
    """What was called from a lower floor, without a hook there."""

    def __init__(self) -> None:
        house = House.read(ROOT)
        self.homes = house.homes
        #: What Odoo calls, too: its own method is below all floors.
        self.extended = house.extended
        self.floors: dict[str, int | None] = {}
        self.found: dict[tuple[str, str, str], int] = {}

    def get_floor(self, path: str) -> int | None:
        """Return the floor of a file of the addon, ``None`` of others."""
        if path not in self.floors:
            is_own = path.startswith(PREFIX)
            self.floors[path] = get_floor(path[len(PREFIX) :]) if is_own else None
        return self.floors[path]

    def __call__(self, frame, event, _argument) -> None:
        """Look at a call: the profiler's function."""
        if event != "call" or not frame.f_back:
            return
        high = self.get_floor(frame.f_code.co_filename)
        low = high and self.get_floor(frame.f_back.f_code.co_filename)
        if low is None or not high or high <= low:
            return
        name = frame.f_code.co_name
        home = self.homes.get(name)
        is_hook = home and get_floor(home) <= low
        if name.startswith("<") or name in self.extended or is_hook:
            return
        callee, caller = (
            code.co_filename[len(PREFIX) :]
            for code in (frame.f_code, frame.f_back.f_code)
        )
        key = (caller, callee, name)
        self.found[key] = self.found.get(key, 0) + 1


TRACE = Trace()


def pytest_collection_finish(session) -> None:
    """Begin."""
    sys.setprofile(TRACE)
    threading.setprofile(TRACE)


def pytest_terminal_summary(terminalreporter) -> None:
    """Tell what was found."""
    sys.setprofile(None)
    terminalreporter.section("calls of a higher floor")
    for (caller, callee, name), number in sorted(TRACE.found.items()):
        terminalreporter.line(f"{caller} -> {callee}: {name} ({number})")
