"""The virtual environment: Odoo's requirements, the addons we depend on, test tools."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .settings import Settings
from .shell import require_disk_space, run_logged, say

LINK = "odoo_source.pth"
METADATA = "Metadata-Version: 2.1\nName: odoo\nVersion: 19.0\n"
RUN_REQUIREMENTS = ("requirements.txt", "tools/requirements-odoo.txt")
TEST_REQUIREMENTS = ("tools/requirements-dev.txt",)


def ensure(settings: Settings, odoo_root: Path, tests: bool) -> None:
    """Make or complete `.venv`, with or without what only tests and checks need."""
    _ensure_base(settings, odoo_root)
    done = settings.venv / "complete-for-tests"
    if tests and not done.is_file():
        _install(settings, TEST_REQUIREMENTS, "Installing test tools")
        done.touch()


def _ensure_base(settings: Settings, odoo_root: Path) -> None:
    """What Odoo needs; nothing to do when the environment fits its requirements."""
    stamp, wanted = settings.venv / "complete", _fingerprint(settings, odoo_root)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    require_disk_space(settings.root, 2, "The virtual environment with its databases")
    _create(settings, wanted)
    _link_odoo(settings, odoo_root)
    _install(settings, RUN_REQUIREMENTS, "Installing Python packages")
    _install_tools(settings)
    stamp.write_text(wanted)


def continue_inside(settings: Settings) -> None:
    """Go on in the virtual environment's Python, where psycopg2 is."""
    if Path(sys.prefix).resolve() != settings.venv.resolve():
        os.execv(settings.python, [str(settings.python), *sys.argv])


def site_packages(environment: Path) -> Path:
    """Where a virtual environment keeps its packages."""
    return next(environment.glob("lib/python3.*/site-packages"), environment / "lib")


def _fingerprint(settings: Settings, odoo_root: Path) -> str:
    """What the environment's content depends on."""
    digest = hashlib.sha256(f"{odoo_root} {sys.version}".encode())
    for name in (*RUN_REQUIREMENTS, *TEST_REQUIREMENTS, "tools/pyproject.toml"):
        digest.update((settings.root / name).read_bytes())
    return digest.hexdigest()


def _create(settings: Settings, wanted: str) -> None:
    """A new environment; one that was interrupted on the same way is gone on with."""
    begun = settings.venv / "begun"
    if begun.is_file() and begun.read_text() == wanted:
        return
    say("Creating the virtual environment")
    shutil.rmtree(settings.venv, ignore_errors=True)
    run_logged(
        [sys.executable, "-m", "venv", settings.venv],
        settings.state / "setup.log",
        "Creating the virtual environment",
        "Install Python's venv module (on Debian: apt-get install python3-venv)",
    )
    begun.write_text(wanted)


def _link_odoo(settings: Settings, odoo_root: Path) -> None:
    """Make `import odoo` find the source, and pip see that Odoo 19.0 is installed.

    Debian's own metadata would have pip build psycopg2 beside psycopg2-binary.
    """
    site = site_packages(settings.venv)
    (site / LINK).write_text(f"{odoo_root}\n")
    metadata = site / "odoo-19.0.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(METADATA)


def _install(settings: Settings, names: tuple[str, ...], what: str) -> None:
    """The packages of some lists, in the pinned versions."""
    say(what)
    _pip(settings, what, *(f"--requirement={settings.root / name}" for name in names))


def _install_tools(settings: Settings) -> None:
    """The `odoo` command and pytest's hook (launcher.py)."""
    options = [
        "--no-deps",
        "--no-build-isolation",
        "--editable",
        settings.root / "tools",
    ]
    _pip(settings, "Installing the project's own tools", *options)


def _pip(settings: Settings, what: str, *arguments: str | Path) -> None:
    """Run pip's install."""
    pip = [settings.python, "-m", "pip", "install", "--quiet"]
    run_logged(
        [*pip, "--disable-pip-version-check", *arguments],
        settings.state / "setup.log",
        what,
        "Check the network and run the same command again",
    )


def python(settings: Settings, *arguments: str | Path, **options) -> int:
    """Run the environment's Python in the foreground; returns its exit status."""
    return subprocess.run(
        [settings.python, *arguments], cwd=settings.root, check=False, **options
    ).returncode
