"""Programs that are not Python packages: found, or installed where that is possible."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from .settings import Settings
from .shell import Failure, run_logged, say, warn


@dataclass(frozen=True)
class Program:
    """A program by the names it goes by, and Debian's packages of it."""

    purpose: str
    names: tuple[str, ...]
    packages: tuple[str, ...]


CHROMIUM = Program(
    "browser tests and pictures",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    ("chromium",),
)
WKHTMLTOPDF = Program("PDF documents", ("wkhtmltopdf",), ("wkhtmltopdf",))
NODE = Program("formatting checks", ("npm",), ("nodejs", "npm"))


def find(program: Program) -> str | None:
    """The program's path."""
    return next(filter(None, map(shutil.which, program.names)), None)


def ensure(settings: Settings, program: Program) -> str:
    """The program's path, installed where it is missing; Failure if it can't be."""
    if not find(program) and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(settings, program)
    found = find(program)
    if not found:
        packages = " ".join(program.packages)
        raise Failure(
            f"{program.names[0]} is missing, which {program.purpose} need, "
            "and only root can install it",
            f"Install it (on Debian: apt-get install {packages}) and run it again",
        )
    return found


def want(settings: Settings, program: Program) -> None:
    """Like `ensure`, for what one can do without: a warning in place of the failure."""
    try:
        ensure(settings, program)
    except Failure as failure:
        warn(str(failure))


def _install(settings: Settings, program: Program) -> None:
    """Install Debian's packages of the program."""
    say(f"Installing {program.names[0]}")
    log = settings.state / "setup.log"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run_logged(["apt-get", "update", "-q"], log, "Reading the package list", env=env)
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends"]
    what = f"Installing {program.names[0]}"
    run_logged([*command, *program.packages], log, what, env=env)
