"""A pytest plugin: run one part of the tests (`-p devenv.shards --shard=1/4`)."""

from __future__ import annotations

import pytest

#: It wants a database in which no other test has committed anything.
FIRST = "test_empty_database.py"


def pytest_addoption(parser) -> None:
    """Which part: its number, and of how many."""
    parser.addoption("--shard", help="NUMBER/COUNT: run that part of the tests")


# Last, when what is deselected by other means is gone.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items) -> None:
    """Keep the files of this part; each file is in one, and their sizes are alike."""
    number, count = map(int, config.getoption("shard").split("/"))
    files: dict = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    parts = [set() for _part in range(count)]
    sizes = [0] * count
    for path, tests in sorted(files.items(), key=lambda file: (-len(file[1]), file[0])):
        smallest = sizes.index(min(sizes))
        parts[smallest].add(path)
        sizes[smallest] += len(tests)
    mine = parts[number - 1]
    config.hook.pytest_deselected(
        items=[item for item in items if item.path not in mine]
    )
    items[:] = [item for item in items if item.path in mine]
    items.sort(key=lambda item: item.path.name != FIRST)
