"""`.venv/bin/odoo`, and pytest's hook: Odoo with the embedded server brought up first.

Installed into the virtual environment (tools/pyproject.toml), so that the documented
commands work whether or not the server happens to be running.
"""

from __future__ import annotations

import configparser
from pathlib import Path

from .postgres import Embedded
from .settings import Settings


def main() -> None:
    """The Odoo command line."""
    _start_embedded_server(Settings().conf)
    import odoo.cli

    odoo.cli.main()


def pytest_configure(config) -> None:
    """Before tests on our configuration: see that its server runs."""
    name = config.getoption("--odoo-config", default=None)
    if name and Path(name).resolve() == Settings().conf:
        _start_embedded_server(Settings().conf)


def _start_embedded_server(conf: Path) -> None:
    """Start the embedded server if it is the one to use; `make stop` ends it."""
    parser = configparser.RawConfigParser()
    parser.read(conf)
    server = Embedded(Settings())
    configured = parser.get("options", "db_host", fallback="")
    if configured == server.connection.host and server.start():
        server.keep_running()
