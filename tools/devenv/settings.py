"""Where things are, and what the environment says about them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from .shell import Failure

ADDON = "subscription_cancellation"
# Installs itself where OCA queue_job is, which the addon does not need.
QUEUE_JOB, GLUE = "queue_job", "subscription_cancellation_queue_job"
# Customers buy subscriptions there; the addon does not need it either.
SHOP = "website_sale"
DEMO_DATABASE = "subscription_demo"
TEST_DATABASE = "subscription_test"
BENCH_DATABASE = "subscription_bench"
LINT_DATABASE = "subscription_lint"
WHEEL_DATABASE = "subscription_wheel"


@dataclass(frozen=True)
class Settings:
    """This checkout's paths; what set-up makes is below `state` and `venv`."""

    root: Path = Path(__file__).resolve().parents[2]

    @property
    def state(self) -> Path:
        """The git-ignored folder of configuration, databases, logs and reports."""
        return self.root / ".odoo"

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's Python."""
        return self.venv / "bin" / "python"

    @property
    def conf(self) -> Path:
        """The Odoo configuration."""
        return self.state / "odoo.conf"

    @property
    def data_dir(self) -> Path:
        """Odoo's data folder (filestore and sessions)."""
        return self.state / "data"

    @property
    def addon(self) -> Path:
        """The addon's folder."""
        return self.root / ADDON

    @property
    def addons(self) -> tuple[Path, ...]:
        """The folders of all addons of this repository."""
        return self.addon, self.root / GLUE

    @property
    def cache(self) -> Path:
        """Downloads shared by all checkouts of this user."""
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(base) / "subscription-cancellation"

    @property
    def port(self) -> int:
        """The HTTP port asked for, 8069 unless told."""
        text = os.environ.get("PORT") or "8069"
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise Failure(
                f"PORT={text} is not a port number", "Give one from 1 to 65535"
            )
        return int(text)

    @property
    def checkout_id(self) -> str:
        """A short name that is this checkout's own."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:8]
