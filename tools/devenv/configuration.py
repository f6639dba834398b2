"""`.odoo/odoo.conf`: what every Odoo of this checkout runs with."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from .postgres import Connection
from .settings import Settings


def write(settings: Settings, connection: Connection, addons: bool = True) -> Path:
    """Write the configuration for the server and port in force now; returns its path.

    Without `addons` it is another file that leaves this repository's addons out.
    """
    parser = configparser.RawConfigParser()
    parser["options"] = {
        # Core finds its own addons, and those installed with pip.
        "addons_path": str(settings.root),
        "data_dir": str(settings.data_dir),
        "db_host": connection.host,
        "db_port": connection.port or "False",
        "db_user": connection.user,
        "db_maxconn": "32",
        "http_interface": "127.0.0.1",
        "http_port": str(settings.port),
        "list_db": "False",
        "workers": "0",
        "max_cron_threads": "0",
        # One process serves everything here; Odoo's limits are for many workers.
        "limit_memory_soft": "0",
        "limit_memory_hard": "0",
        "limit_time_cpu": "3600",
        "limit_time_real": "3600",
    }
    if connection.password:
        parser["options"]["db_password"] = connection.password
    conf = settings.conf
    if not addons:
        del parser["options"]["addons_path"]
        conf = conf.with_name("odoo-without-addons.conf")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return _save(parser, conf)


def copy(settings: Settings, name: str, port: int) -> Path:
    """The configuration in force, with another port, in a file of its own."""
    parser = configparser.RawConfigParser()
    parser.read(settings.conf)
    parser["options"]["http_port"] = str(port)
    return _save(parser, settings.conf.with_name(f"{name}.conf"))


def _save(parser: configparser.RawConfigParser, conf: Path) -> Path:
    """Write a file that nobody else can read: it may have a password."""
    new = conf.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        parser.write(file)
    return new.rename(conf)
