"""The packages: a wheel and a source archive of each addon, as OCA builds them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from . import configuration, python_env
from .databases import Databases, addon_files
from .settings import ADDON, GLUE, QUEUE_JOB, WHEEL_DATABASE, Settings
from .shell import Failure, run_logged, say

WHEELS, ARCHIVES = "*.whl", "*.tar.gz"


def build(settings: Settings) -> None:
    """dist/*.whl and dist/*.tar.gz, the wheels from the source archives."""
    dist = settings.root / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    command = [settings.python, "-m", "build", "--no-isolation", "-o", dist]
    for addon in settings.addons:
        say(f"Building the packages of {addon.name}")
        log = settings.state / "setup.log"
        run_logged([*command, addon], log, f"Building the packages of {addon.name}")
    for package in sorted(dist.iterdir()):
        say(f"{package.relative_to(settings.root)} is ready")


def check(settings: Settings, databases: Databases) -> None:
    """Install them with pip beside Odoo, and the addons without an addons path."""
    dist = settings.root / "dist"
    _install_root(settings)
    _install(settings, ARCHIVES, sorted(dist.glob(ARCHIVES)), settings.addons)
    python = _install(settings, WHEELS, sorted(dist.glob(WHEELS)), settings.addons)
    conf = configuration.write(settings, databases.connection, addons=False)
    databases.copy_template(WHEEL_DATABASE)
    databases.install_elsewhere(WHEEL_DATABASE, python, conf, ADDON, ADDON)
    databases.install_elsewhere(WHEEL_DATABASE, python, conf, QUEUE_JOB, GLUE)
    databases.drop(WHEEL_DATABASE)


def _install_root(settings: Settings) -> None:
    """``pip install .``: the main addon, as its own package is."""
    leftovers = ("build", f"odoo_addon_{ADDON}.egg-info")
    try:
        [addon] = (one for one in settings.addons if one.name == ADDON)
        _install(settings, "setup.py", [settings.root], [addon])
    finally:
        # Setuptools would package from there what was deleted since.
        for name in leftovers:
            shutil.rmtree(settings.root / name, ignore_errors=True)


def _install(
    settings: Settings, kind: str, found: Sequence[Path], addons: Sequence[Path]
) -> Path:
    """Install packages of one kind in an environment of their own; its Python."""
    say(f"Installing {kind} in an environment of its own")
    log = settings.state / "setup.log"
    environment = settings.state / "wheel-check"
    shutil.rmtree(environment, ignore_errors=True)
    run_logged([settings.python, "-m", "venv", environment], log, "Making a venv")
    site = python_env.site_packages(environment)
    ours = python_env.site_packages(settings.venv)
    odoo_path = (ours / python_env.LINK).read_text()
    (site / python_env.LINK).write_text(f"{ours}\n{odoo_path}")
    python = environment / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-build-isolation"]
    run_logged([*pip, *found], log, f"Installing {kind} with pip")
    for addon in addons:
        _require_all_files(addon, site / "odoo" / "addons" / addon.name)
    return python


def _require_all_files(addon: Path, installed: Path) -> None:
    """Refuse a package that lacks one of the addon's files."""
    wanted = {path.relative_to(addon) for path in addon_files(addon)}
    wanted.remove(Path("pyproject.toml"))
    missing = sorted(str(path) for path in wanted if not (installed / path).is_file())
    if missing:
        raise Failure(
            f"The package of {addon.name} lacks {', '.join(missing)}",
            "Add them to git: what it does not know is not packaged",
        )
