"""Tests other than the suite, and linters."""

from __future__ import annotations

import os
from pathlib import Path

from .databases import Databases
from .pytest_run import PytestRun
from .python_env import python
from .settings import GLUE, LINT_DATABASE, Settings
from .shell import Failure, say


def run_fuzz(settings: Settings, database: str) -> int:
    """The tests that hypothesis drives, with many more examples than `make test`."""
    os.environ.setdefault("FUZZ_EXAMPLES", "5000")
    seed = os.environ.get("FUZZ_SEED")
    options = [f"--hypothesis-seed={seed}"] if seed else []
    return run_pytest(settings, database, "tests", "-m", "hypothesis", *options)


def run_faults(settings: Settings, database: str) -> int:
    """The tests of faults and of clocks, with many more of each than `make test`."""
    os.environ["FAULTS"] = "long"
    name = os.environ.get("FAULT")
    tests = _find_faults(settings.root / "tests")
    if name and name not in tests:
        raise Failure(
            f"There is no fault called {name}", f"FAULT is {', '.join(tests)}"
        )
    chosen = [tests[name]] if name else tests.values()
    say("Running the long form of the fault tests")
    return run_pytest(settings, database, "-s", *chosen)


def _find_faults(folder: Path) -> dict[str, Path]:
    """The tests of faults by their names."""
    prefix = "test_faults_"
    named = {
        path.stem.removeprefix(prefix): path for path in folder.glob(f"{prefix}*.py")
    }
    # At numbered moments, not at random ones; and what a clock can do.
    others = {"moments": folder / "test_faults.py", "clock": folder / "test_clock.py"}
    return dict(sorted({**named, **others}.items()))


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

    databases.create(LINT_DATABASE, extra=[GLUE, "test_lint"])
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
    return run_pytest(
        settings, LINT_DATABASE, f"--rootdir={settings.root}", *options, tests
    )


def run_pytest(settings: Settings, database: str, *arguments: str | Path) -> int:
    """Run tests in the foreground; returns 1 when not all passed."""
    return PytestRun(settings, database, arguments).run()
