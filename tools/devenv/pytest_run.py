"""One process of pytest-odoo."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from .settings import Settings
from .shell import say


class PytestRun:
    """Tests in a database; failed when one fails or is skipped, or none runs."""

    def __init__(
        self,
        settings: Settings,
        database: str,
        arguments: Sequence[str | Path],
        conf: Path | None = None,
    ) -> None:
        """:param conf: another Odoo configuration than `settings.conf`"""
        self.settings = settings
        self.database = database
        self.arguments = arguments
        self.conf = conf or settings.conf
        self.report = settings.state / f"report-{database}.xml"
        self.process: subprocess.Popen | None = None

    def start(self, output: IO | None = None) -> None:
        """Begin; `output` takes what pytest prints."""
        self.report.unlink(missing_ok=True)
        odoo = [
            f"--odoo-config={self.conf}",
            f"--odoo-database={self.database}",
            "--odoo-http",
        ]
        options = ["-p", "no:cacheprovider", "-ra", f"--junitxml={self.report}"]
        # test_lint looks for pylint on the path.
        path = f"{self.settings.python.parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            [self.settings.python, "-m", "pytest", *odoo, *options, *self.arguments],
            cwd=self.settings.root,
            env={**os.environ, "PATH": path},
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
        )

    def finish(self) -> int:
        """Wait for its end; returns 1 when one failed, was skipped, or none ran."""
        code = self.process.wait()
        skipped = self._count_skipped()
        if skipped:
            say(f"{skipped} skipped, which counts as failed here: every test must run")
        return 1 if code or skipped else 0

    def run(self) -> int:
        """Run in the foreground."""
        self.start()
        try:
            return self.finish()
        finally:
            self.kill()

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _count_skipped(self) -> int:
        if not self.report.is_file():
            return 0
        suites = ElementTree.parse(self.report).iter("testsuite")
        return sum(int(suite.get("skipped", 0)) for suite in suites)
