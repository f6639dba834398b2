"""Databases: a template of everything below the addon, and copies of it with the addon.

A database is finished when it carries our comment; one without is the rest of an
interrupted attempt and is made again.
"""

from __future__ import annotations

import ast
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from .postgres import Embedded, External
from .settings import ADDON, Settings
from .shell import Failure, locked, require_disk_space, run_logged, say

LONGEST_NAME = 63
# For tests and demo, not needed by the addon: a provider that moves no money.
PROVIDER = "payment_demo"
# For tests, not needed by the addon either: coupons, gift cards and e-wallets.
LOYALTY = "sale_loyalty"


class Databases:
    """The databases of one server, with their files."""

    def __init__(self, settings: Settings, server: Embedded | External) -> None:
        self.settings = settings
        self.server = server
        self.connection = server.connection

    # === WHAT IS ASKED FOR === #

    def create(self, name: str, demo: bool = False, extra: Sequence[str] = ()) -> None:
        """A fresh database with the addon and `extra`, in place of any old one."""
        self.copy_template(name, demo)
        self._install(name, [ADDON, *extra], demo)
        self._mark(name, addon_fingerprint(self.settings))

    def copy_template(self, name: str, demo: bool = False) -> None:
        """A fresh database with what the addon depends on, in place of any old one."""
        self._check_name(name)
        # Another command would remove a template that it does not need, or copy it
        # at the same time, which PostgreSQL refuses.
        with locked(self.settings.state / "templates.lock"):
            template = self._ensure_template(demo)
            say(f"Creating the database {name}" + demo * " with demo data")
            self.drop(name)
            self._copy(template, name)

    def duplicate(self, source: str, name: str) -> None:
        """A copy of a database that nobody is connected to, in place of any old one."""
        self._check_name(name)
        self.drop(name)
        self._copy(source, name)

    def install_elsewhere(
        self, name: str, python: Path, conf: Path, module: str, expected: str
    ) -> None:
        """Install a module as another environment finds it; `expected` comes too."""
        self._run_odoo([python, "-m", "odoo", "-c", conf], name, "--init", module)
        self._require_installed(name, [expected])

    def ensure_current(self, name: str) -> None:
        """The demo database: made when missing, upgraded when the addon changed."""
        found, wanted = self._mark_of(name), addon_fingerprint(self.settings)
        if found is None:
            self.create(name, demo=True)
        elif found != wanted:
            say("The addon changed: upgrading the demo database")
            self._odoo(name, "--update", ADDON)
            self._mark(name, wanted)

    def drop(self, name: str) -> None:
        """Remove a database and its files, if there are any."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        shutil.rmtree(self._filestore(name), ignore_errors=True)

    def run_scheduled_actions(self, name: str) -> None:
        """Have a running Odoo look at once what is due in a database."""
        self.connection.query("SELECT pg_notify('cron_trigger', %s)", (name,))

    # === TEMPLATES === #

    def _ensure_template(self, demo: bool) -> str:
        """What the addon depends on, installed once for each set of versions."""
        modules = [*manifest(self.settings)["depends"], PROVIDER]
        if not demo:
            modules.append(LOYALTY)
        name = self._template_name(modules, demo)
        if self._mark_of(name) is None:
            require_disk_space(self.settings.state, 1, "A new database")
            say(
                f"Installing Odoo with {len(modules)} addons, once"
                + demo * " (demo data)"
            )
            self._drop_templates(name.rpartition("_")[0])
            self._install(name, modules, demo)
            self._mark(name, "template")
        return name

    def _template_name(self, modules: list[str], demo: bool) -> str:
        """A name that changes with everything the template's content depends on."""
        digest = hashlib.sha256(repr((modules, demo)).encode())
        digest.update((self.settings.venv / "complete").read_bytes())
        kind = "demo" if demo else "plain"
        return f"template_{self.settings.checkout_id}_{kind}_{digest.hexdigest()[:12]}"

    def _drop_templates(self, prefix: str) -> None:
        """Remove the templates of other versions, and unfinished ones."""
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in self.connection.query(query, (prefix,)):
            self.drop(name)

    # === STEPS === #

    def _check_name(self, name: str) -> None:
        """Refuse what PostgreSQL or a path would misread."""
        if (
            not name.replace("_", "").replace("-", "").isalnum()
            or len(name) > LONGEST_NAME
        ):
            raise Failure(
                f"{name!r} is no name for a database", "Use letters, digits, _ and -"
            )

    def _copy(self, template: str, name: str) -> None:
        """Copy a database and its files."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        if self._filestore(template).is_dir():
            shutil.copytree(self._filestore(template), self._filestore(name))

    def _install(self, name: str, modules: Sequence[str], demo: bool) -> None:
        """Install modules into a database."""
        self._odoo(name, "--init", ",".join(modules), *_demo_option(demo))
        self._require_installed(name, modules)

    def _require_installed(self, name: str, modules: Sequence[str]) -> None:
        """Odoo only logs a module it does not find; here that is a failure."""
        rows = self.connection.query(
            "SELECT name FROM ir_module_module WHERE state = 'installed'", database=name
        )
        missing = sorted(set(modules) - {row[0] for row in rows})
        if missing:
            raise Failure(
                f"Odoo did not install {', '.join(missing)}",
                f"See {self.settings.state}/setup.log",
            )

    def _odoo(self, name: str, *arguments: str) -> None:
        """Run this checkout's Odoo on a database until its modules are loaded."""
        odoo = [self.settings.venv / "bin" / "odoo", "-c", self.settings.conf]
        self._run_odoo(odoo, name, *arguments)

    def _run_odoo(self, odoo: Sequence[str | Path], name: str, *arguments: str) -> None:
        """Run an Odoo command line on a database until its modules are loaded."""
        quiet = ["--no-http", "--max-cron-threads=0", "--log-level=warn"]
        run_logged(
            [*odoo, "-d", name, *arguments, "--stop-after-init", *quiet],
            self.settings.state / "setup.log",
            f"Odoo on the database {name}",
            "Mend what its output says and run the same command again",
        )

    # === SMALL THINGS === #

    def _filestore(self, name: str) -> Path:
        """Where Odoo keeps a database's files."""
        return self.settings.data_dir / "filestore" / name

    def _mark(self, name: str, text: str) -> None:
        """Declare a database finished."""
        self._execute(
            "COMMENT ON DATABASE {} IS %s", name, parameters=(f"devenv {text}",)
        )

    def _mark_of(self, name: str) -> str | None:
        """What a finished database was marked with; None when there is none."""
        rows = self.connection.query(
            "SELECT shobj_description(oid, 'pg_database')"
            " FROM pg_database WHERE datname = %s",
            (name,),
        )
        comment = rows[0][0] if rows else None
        return comment.removeprefix("devenv ") if comment else None

    def _execute(self, statement: str, *names: str, parameters=()) -> None:
        """Execute a statement with quoted names in place of {}."""
        from psycopg2 import sql

        quoted = sql.SQL(statement).format(*map(sql.Identifier, names))
        self.connection.query(quoted, parameters)


def _demo_option(demo: bool) -> tuple[str, ...]:
    """Odoo 19 installs demo data only where it is told to."""
    return ("--with-demo",) if demo else ()


def manifest(settings: Settings) -> dict:
    """The addon's manifest."""
    path = settings.addon / "__manifest__.py"
    if not path.is_file():
        raise Failure(f"{path} is missing", "Check the clone out completely")
    return ast.literal_eval(path.read_text(encoding="utf-8"))


def addon_files(addon: Path) -> list[Path]:
    """An addon's files, compiled ones aside."""
    files = sorted(path for path in addon.rglob("*") if path.is_file())
    return [path for path in files if "__pycache__" not in path.parts]


def addon_fingerprint(settings: Settings) -> str:
    """A hash of the addon's files and of what is installed."""
    digest = hashlib.sha256((settings.venv / "complete").read_bytes())
    for path in addon_files(settings.addon):
        digest.update(f"{path.relative_to(settings.root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
