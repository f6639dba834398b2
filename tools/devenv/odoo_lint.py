"""A pytest plugin that points Odoo's own test_lint at the addons of this repository.

Used as `pytest -p devenv.odoo_lint …/test_lint/tests`. Left to itself test_lint reads
all of Odoo and of the virtual environment, for many minutes, and fails on what is not
ours to mend.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from .settings import Settings

OURS = {
    path.parent.name: path.parent for path in Settings().root.glob("*/__manifest__.py")
}


@pytest.fixture(autouse=True)
def _only_our_sources() -> Iterator[None]:
    """Show the tests no addons but ours, and pylint no source but theirs."""
    from odoo import tools
    from odoo.modules import Manifest

    manifests = [Manifest.for_addon(name) for name in OURS]
    with (
        patch.object(Manifest, "all_addon_manifests", lambda: manifests),
        patch.object(tools.config, "root_path", manifests[0].path),
    ):
        yield


@pytest.fixture(autouse=True)
def _only_our_files(request) -> Iterator[None]:
    """Look for conflict markers in our files; the folder holds others, too."""
    check_file = getattr(request.cls, "check_file", None)
    if not check_file:
        yield
        return

    def check_ours(self, name: str) -> None:
        if any(name.startswith(f"{folder}/") for folder in OURS.values()):
            check_file(self, name)

    with patch.object(request.cls, "check_file", check_ours):
        yield


@pytest.fixture(autouse=True)
def _only_our_methods(request) -> Iterator[None]:
    """Forgive other addons the signatures and docstrings of their methods."""
    if request.cls.__name__ not in ("TestLintOverrideSignatures", "TestDocstring"):
        yield
        return
    original = request.cls.subTest

    @contextlib.contextmanager
    def sub_test(self, module: str, **parameters):
        with (
            original(self, module=module, **parameters),
            contextlib.nullcontext()
            if module in OURS
            else contextlib.suppress(AssertionError, TypeError),
        ):
            yield

    with patch.object(request.cls, "subTest", sub_test):
        yield


@pytest.fixture(autouse=True)
def _only_our_fields(request) -> Iterator[None]:
    """Ask for an index only on fields that our addons declare or extend."""
    ignored = getattr(request.module, "BTREE_INDEX_IGNORE_FIELDS", None)
    if ignored is None:
        yield
        return
    from odoo.modules.registry import Registry
    from odoo.tests.common import get_db_name

    foreign = {
        str(field)
        for model in Registry(get_db_name()).values()
        for field in model._fields.values()
        if not OURS.keys() & set(field._modules)
    }
    with patch.object(
        request.module, "BTREE_INDEX_IGNORE_FIELDS", {*ignored, *foreign}
    ):
        yield
