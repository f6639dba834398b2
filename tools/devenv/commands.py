"""The commands, one function each; `make NAME` runs the one called NAME."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator

from . import (
    checks,
    configuration,
    demo,
    odoo_source,
    packages,
    python_env,
    suite,
    system_packages,
    translations,
)
from .databases import Databases
from .house import House
from .postgres import Embedded, server
from .settings import (
    ADDON,
    BENCH_DATABASE,
    DEMO_DATABASE,
    GLUE,
    SHOP,
    TEST_DATABASE,
    Settings,
)
from .shell import Failure, locked, say


def run(settings: Settings) -> int:
    """start Odoo with demo data; Ctrl-C stops it"""
    demo.require_free_port(settings.port)
    with prepared(settings, tests=False) as databases:
        system_packages.want(settings, system_packages.WKHTMLTOPDF)
        databases.ensure_current(DEMO_DATABASE)
        say("Starting Odoo")
        demo.serve(settings, databases)
    return 0


def test(settings: Settings) -> int:
    """run the whole suite in fresh databases, JOBS= processes at once"""
    with prepared(settings) as databases:
        system_packages.ensure(settings, system_packages.CHROMIUM)
        system_packages.ensure(settings, system_packages.WKHTMLTOPDF)
        return suite.run(settings, databases)


def db(settings: Settings) -> int:
    """make a fresh database: DB=name, DEMO=1, GLUE=1 with queue_job, SHOP=1"""
    name = _required("DB", "make db DB=trial")
    with prepared(settings) as databases:
        extra = [GLUE] * _asked("GLUE") + [SHOP] * _asked("SHOP")
        databases.create(name, demo=_asked("DEMO"), extra=extra)
        databases.server.keep_running()
    say(f"{name} is ready: .venv/bin/odoo -c .odoo/odoo.conf -d {name}")
    return 0


def lint(settings: Settings) -> int:
    """run pre-commit on all files, and Odoo's own checks on the addon"""
    with prepared(settings) as databases:
        system_packages.ensure(settings, system_packages.NODE)
        return checks.run_pre_commit(settings) | checks.run_odoo_lint(
            settings, databases
        )


def bench(settings: Settings) -> int:
    """run the benchmarks in fresh databases: BENCH=P1,P3 for some, QUICK=1"""
    names = [
        f"{BENCH_DATABASE}{suffix}" for suffix in ("", "_thousand", "_large", "_bare")
    ]
    options = ["-c", settings.conf, *names, "--only", os.environ.get("BENCH", "")]
    if os.environ.get("QUICK", "") not in ("", "0"):
        options.append("--quick")
    with prepared(settings) as databases:
        databases.create(names[0])
        databases.duplicate(names[0], names[1])
        databases.duplicate(names[0], names[2])
        databases.copy_template(names[3])
        try:
            return python_env.python(settings, "-m", "benchmarks", *options)
        finally:
            for name in names:
                databases.drop(name)


def wheel(settings: Settings) -> int:
    """build dist/*.whl and dist/*.tar.gz, and check that they install"""
    with prepared(settings) as databases:
        packages.build(settings)
        packages.check(settings, databases)
    return 0


def house(settings: Settings) -> int:
    """tell how the addon is built: floors, cycles, sizes; 1 where a wall is broken"""
    built = House.read(settings.addon)
    for line in built.tell():
        print(line)
    return bool(built.get_upward())


def fuzz(settings: Settings) -> int:
    """run the property tests with many examples: FUZZ_EXAMPLES, FUZZ_SEED"""
    with prepared(settings) as databases:
        databases.create(TEST_DATABASE)
        return checks.run_fuzz(settings, TEST_DATABASE)


def faults(settings: Settings) -> int:
    """run the long form of the fault tests: FAULT (kill, storm, …), FAULTS_SEED"""
    with prepared(settings) as databases:
        system_packages.ensure(settings, system_packages.WKHTMLTOPDF)
        databases.create(TEST_DATABASE)
        return checks.run_faults(settings, TEST_DATABASE)


def i18n(settings: Settings) -> int:
    """write the .pot file anew, and bring the .po files up to it"""
    with prepared(settings) as databases:
        databases.create(TEST_DATABASE, extra=[GLUE])
        for addon in (ADDON, GLUE):
            translations.update(settings, TEST_DATABASE, addon)
    return 0


def screenshots(settings: Settings) -> int:
    """make the README's pictures from the running demo"""
    demo.require_free_port(settings.port)
    with prepared(settings) as databases:
        browser = system_packages.ensure(settings, system_packages.CHROMIUM)
        databases.ensure_current(DEMO_DATABASE)
        with demo.running(settings) as odoo:
            demo.wait_until_it_answers(settings, odoo)
            databases.run_scheduled_actions(DEMO_DATABASE)
            script = ["tools/screenshots.py", "--browser", browser]
            url = f"http://localhost:{settings.port}"
            return python_env.python(settings, *script, "--url", url)


def check_books(settings: Settings) -> int:
    """derive the books of a database anew: DB=name, SINCE=YYYY-MM-DD"""
    name = _required("DB", "make check-books DB=trial")
    with prepared(settings, tests=False) as databases:
        return checks.check_books(settings, databases, name, os.environ.get("SINCE"))


def stop(settings: Settings) -> int:
    """stop the embedded PostgreSQL server"""
    Embedded(settings).stop()
    return 0


def clean(settings: Settings) -> int:
    """remove what set-up made; downloads stay in the cache"""
    Embedded(settings).remove()
    for name in (".odoo", ".venv", "dist"):
        shutil.rmtree(settings.root / name, ignore_errors=True)
    return 0


def _asked(name: str) -> bool:
    """Whether an option is set in the environment."""
    return os.environ.get(name, "") not in ("", "0")


COMMANDS: dict[str, Callable[[Settings], int]] = {
    command.__name__.replace("_", "-"): command
    for command in (
        run,
        test,
        db,
        lint,
        bench,
        wheel,
        fuzz,
        faults,
        house,
        i18n,
        screenshots,
        check_books,
        stop,
        clean,
    )
}


def _required(variable: str, example: str) -> str:
    """The value of an environment variable that a command cannot do without."""
    value = os.environ.get(variable)
    if not value:
        raise Failure("No database name was given", f"Say for example: {example}")
    return value


@contextlib.contextmanager
def prepared(settings: Settings, tests: bool = True) -> Iterator[Databases]:
    """Everything installed, the server up; what we started is stopped after."""
    odoo_root = odoo_source.ensure(settings)
    with locked(settings.state / "setup.lock"):
        python_env.ensure(settings, odoo_root, tests)
    python_env.continue_inside(settings)
    database_server = server(settings)
    with locked(settings.state / "setup.lock"):
        database_server.start()
    try:
        configuration.write(settings, database_server.connection)
        yield Databases(settings, database_server)
    finally:
        database_server.stop_if_unused()


def main() -> int:
    """Run the command named on the command line; one sentence when it cannot go on."""
    parser = argparse.ArgumentParser(description="Set up, run and test the addon.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__)
    arguments = parser.parse_args()
    # However we are stopped, what we started is stopped, too.
    for number in demo.STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        return COMMANDS[arguments.command](Settings())
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
