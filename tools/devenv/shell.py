"""Running other programs, and saying in one sentence what went wrong."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

GIGABYTE = 1 << 30


class Failure(Exception):
    """A step that cannot go on: what failed, and what the reader can do about it."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}.")


def say(text: str) -> None:
    """Tell the user which step is under way."""
    print(f"· {text}", flush=True)


def warn(text: str) -> None:
    """Tell the user what will be missing, and go on."""
    print(f"! {text}", flush=True)


def run_logged(
    command: Sequence[str | Path],
    log: Path,
    what: str,
    remedy: str = "Run the same command again; it continues where it stopped",
    **options,
) -> None:
    """Run a step's command, its output appended to `log`; `options` of subprocess.

    Raises Failure with the last lines of that output when the command fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a+", encoding="utf-8", errors="replace") as output:
        output.write(f"\n$ {' '.join(map(str, command))}\n")
        output.flush()
        start = output.tell()
        code = _call(command, output, options)
        output.seek(start)
        tail = output.read().splitlines()[-15:]
    if code:
        print("\n".join(tail), flush=True)
        raise Failure(f"{what} failed (all of its output is in {log})", remedy)


def _call(command: Sequence[str | Path], output: TextIO, options: dict) -> int:
    """The command's exit status; 127 when there is no such program."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            **options,
        ).returncode
    except FileNotFoundError as error:
        output.write(f"{error}\n")
        return 127


def output_of(command: Sequence[str | Path]) -> str:
    """What a command prints; nothing when it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def require_disk_space(folder: Path, gigabytes: float, purpose: str) -> None:
    """Refuse to start what would fill the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < gigabytes:
        raise Failure(
            f"{purpose} needs {gigabytes:g} GB on the disk of {folder}, "
            f"and {free:.1f} GB are free",
            "Make room and run the same command again",
        )


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file: what must not be done by two commands at once.

    Downloads in the cache of all checkouts; environment and templates in one checkout.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another command")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
