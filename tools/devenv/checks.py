"""Tests, linters and the package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from xml.etree import ElementTree

from . import configuration, python_env
from .databases import Databases, addon_files
from .python_env import python
from .settings import LINT_DATABASE, WHEEL_DATABASE, Settings
from .shell import Failure, run_logged, say

DEMO_TESTS = Path("tests") / "demo"


def run_suite(settings: Settings, database: str) -> int:
    """All tests but those of the demo data; a skipped test is a failure."""
    say("Running the tests")
    return _pytest(settings, database, "tests", f"--ignore={DEMO_TESTS}")


def run_demo_suite(settings: Settings, database: str) -> int:
    """The tests of the demo data, in a database that has it."""
    say("Running the tests of the demo data")
    return _pytest(settings, database, DEMO_TESTS)


def run_fuzz(settings: Settings, database: str) -> int:
    """The tests that hypothesis drives, with many more examples than `make test`."""
    os.environ.setdefault("FUZZ_EXAMPLES", "5000")
    seed = os.environ.get("FUZZ_SEED")
    options = [f"--hypothesis-seed={seed}"] if seed else []
    return _pytest(settings, database, "tests", "-m", "hypothesis", *options)


def check_books(
    settings: Settings, databases: Databases, name: str, since: str | None
) -> int:
    """The addon's checker, without Odoo: 1 where a cent does not fit."""
    say(f"Checking the books of {name}")
    server = databases.connection
    environment = {
        **os.environ,
        "PGHOST": server.host,
        "PGPORT": server.port,
        "PGUSER": server.user,
        "PGPASSWORD": server.password,
        "PYTHONPATH": str(settings.addon),
    }
    options = ["--since", since] if since else []
    return python(settings, "-m", "books", name, *options, env=environment)


def run_pre_commit(settings: Settings) -> int:
    """The hooks of .pre-commit-config.yaml on every file."""
    say("Running pre-commit")
    return python(settings, "-m", "pre_commit", "run", "--all-files")


def run_odoo_lint(settings: Settings, databases: Databases) -> int:
    """Odoo's own test_lint, told to look at our addons only."""
    from odoo.modules import Manifest

    databases.create(LINT_DATABASE, extra=("test_lint",))
    say("Running Odoo's test_lint")
    tests = Path(Manifest.for_addon("test_lint").path) / "tests"
    # pre-commit runs a newer eslint than this test can call.
    options = [
        "--import-mode=importlib",
        "-p",
        "devenv.odoo_lint",
        "-k",
        "not TestESLint",
    ]
    return _pytest(
        settings, LINT_DATABASE, f"--rootdir={settings.root}", *options, tests
    )


def build_wheel(settings: Settings) -> int:
    """dist/*.whl, from a clean build folder."""
    for folder in ("build", "dist"):
        shutil.rmtree(settings.root / folder, ignore_errors=True)
    say("Building the wheel")
    command = [
        settings.python,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "-o",
        "dist",
    ]
    log = settings.state / "setup.log"
    run_logged(command, log, "Building the wheel", cwd=settings.root)
    shutil.rmtree(settings.root / "build", ignore_errors=True)
    (made,) = (settings.root / "dist").glob("*.whl")
    say(f"{made.relative_to(settings.root)} is ready")
    return 0


def check_wheel(settings: Settings, databases: Databases) -> int:
    """Install the wheel with pip beside Odoo, and the addon without an addons path."""
    say("Installing the wheel in an environment of its own")
    log = settings.state / "setup.log"
    environment = settings.state / "wheel-check"
    shutil.rmtree(environment, ignore_errors=True)
    run_logged([settings.python, "-m", "venv", environment], log, "Making a venv")
    site = python_env.site_packages(environment)
    ours = python_env.site_packages(settings.venv)
    odoo_path = (ours / python_env.LINK).read_text()
    (site / python_env.LINK).write_text(f"{ours}\n{odoo_path}")
    (wheel,) = (settings.root / "dist").glob("*.whl")
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", wheel]
    run_logged(pip, log, "Installing the wheel with pip")
    _require_all_files(settings, site)
    conf = configuration.write(settings, databases.connection, addons=False)
    databases.copy_template(WHEEL_DATABASE)
    databases.install_elsewhere(WHEEL_DATABASE, environment / "bin" / "python", conf)
    databases.drop(WHEEL_DATABASE)
    return 0


def _require_all_files(settings: Settings, site: Path) -> None:
    """Refuse a wheel that lacks one of the addon's files."""
    packed = site / "odoo" / "addons" / settings.addon.name
    wanted = {path.relative_to(settings.addon) for path in addon_files(settings)}
    missing = sorted(str(path) for path in wanted if not (packed / path).is_file())
    if missing:
        raise Failure(f"The wheel lacks {', '.join(missing)}", "Mend setup.py")


def _pytest(settings: Settings, database: str, *arguments: str | Path) -> int:
    """Run pytest-odoo; returns 1 when anything failed, was skipped, or nothing ran."""
    report = settings.state / f"report-{database}.xml"
    report.unlink(missing_ok=True)
    odoo = [
        f"--odoo-config={settings.conf}",
        f"--odoo-database={database}",
        "--odoo-http",
    ]
    options = ["-p", "no:cacheprovider", "-ra", f"--junitxml={report}"]
    # test_lint looks for pylint on the path.
    path = f"{settings.python.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    command = ["-m", "pytest", *odoo, *options, *arguments]
    code = python(settings, *command, env=environment)
    skipped = _skipped(report)
    if skipped:
        say(f"{skipped} skipped, which counts as failed here: every test must run")
    return 1 if code or skipped else 0


def _skipped(report: Path) -> int:
    """How many tests pytest skipped."""
    if not report.is_file():
        return 0
    suites = ElementTree.parse(report).iter("testsuite")
    return sum(int(suite.get("skipped", 0)) for suite in suites)
