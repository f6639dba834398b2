"""The floors of the addon: who calls whom, read from the source without Odoo.

A file calls its own floor and lower ones. Where a lower floor has to tell a higher one,
it calls a hook: a method that is defined there, too, and that the higher floor
overrides. So a call counts as one of the lowest floor that defines its name.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

#: From the ground up; the second one are the files beside the folders.
FLOORS = (
    "arithmetic",
    ".",
    "models/common",
    "models/accounting",
    "ledger",
    "models/subscription",
    "models/policy",
    "models/cancellation",
    "models/settlement",
    "models/words",
    "models/messages",
    "models/events",
    "models/lifecycle",
    "models/overdue",
    "models/portal",
    "models/declarations",
    "models/analysis",
    "books",
    "wizards",
    "report",
    "controllers",
)
#: What Odoo calls when the addon comes and goes: above all.
FRONT = ("__init__.py", "hooks.py", "uninstall.py", "obsolete.py")
#: Folders without code of the running addon.
ELSEWHERE = {"migrations", "demo", "static", "tests"}
#: Calls that stay, by file and name: why.
EXCEPTIONS: dict[tuple[str, str], str] = {}
#: The most files that one model may be spread over.
MOST_FILES = 10
#: The same for those that are spread over more, and why; it may only become less.
WIDE_MODELS: dict[str, tuple[int, str]] = {
    "subscription.cancellation": (38, "dates, money, words and verbs are apart"),
    "sale.subscription": (31, "each floor extends the subscriptions of the host"),
    "account.move": (13, "each floor extends the documents that it is about"),
}
LONGEST_FILE = 600


class Call(NamedTuple):
    """A call of a method, or an import, from one file to another."""

    caller: str
    callee: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.caller}:{self.line} calls {self.name} of {self.callee}"


class Model(NamedTuple):
    """Where the methods of a model are."""

    name: str
    files: list[str]
    methods: int


def get_floor(name: str) -> int:
    """Return the number of the floor that a file is on."""
    if name in FRONT:
        return len(FLOORS)
    folders = [folder.as_posix() for folder in Path(name).parents]
    return next(FLOORS.index(folder) for folder in folders if folder in FLOORS)


class Source:
    """One file: what it defines, calls and imports."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.tree = ast.parse(text)
        self.classes = [one for one in self.tree.body if isinstance(one, ast.ClassDef)]

    @property
    def functions(self) -> Iterator[ast.FunctionDef]:
        """All functions and methods."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield node

    @property
    def methods(self) -> Iterator[tuple[str | None, ast.FunctionDef]]:
        """The methods, with the model that they are of, ``None`` for plain classes."""
        for one in self.classes:
            model = _get_model(one)
            for node in one.body:
                if isinstance(node, ast.FunctionDef):
                    yield model, node

    @property
    def calls(self) -> Iterator[tuple[str, int]]:
        """The names of the methods that are called here, with their lines."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr, node.lineno

    def get_imports(self, known: set[str]) -> Iterator[tuple[str, int]]:
        """Yield the files of the addon that are imported here, with the lines."""
        for node in ast.walk(self.tree):
            if not (isinstance(node, ast.ImportFrom) and node.level):
                continue
            folder = Path(self.name).parents[node.level - 1]
            module = folder / (node.module or "").replace(".", "/")
            for path in (module, *(module / alias.name for alias in node.names)):
                if (name := f"{path.as_posix()}.py") in known:
                    yield name, node.lineno


def _get_model(node: ast.ClassDef) -> str | None:
    """Return the name of the model that a class defines or extends."""
    values = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
            if isinstance(target, ast.Name) and target.id in ("_name", "_inherit"):
                values[target.id] = ast.literal_eval(statement.value)
    name = values.get("_name") or values.get("_inherit")
    return name if isinstance(name, str) else None


def _calls_super(node: ast.FunctionDef) -> bool:
    """Return whether a method extends another one of the same name."""
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == node.name
        and isinstance(call.func.value, ast.Call)
        and getattr(call.func.value.func, "id", "") == "super"
        for call in ast.walk(node)
    )


class House:
    """All files of the addon."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources = list(sources)
        self.names = {source.name for source in self.sources}

    @classmethod
    def read(cls, root: Path) -> House:
        """Return the house in a folder."""
        return cls(
            Source(path.relative_to(root).as_posix(), path.read_text())
            for path in sorted(root.rglob("*.py"))
            if not ELSEWHERE & set(path.relative_to(root).parts)
        )

    @cached_property
    def extended(self) -> set[str]:
        """The names of the methods that only extend one of Odoo."""
        own, extended = set(), set()
        for source in self.sources:
            for _model, node in source.methods:
                (extended if _calls_super(node) else own).add(node.name)
        return extended - own

    @cached_property
    def homes(self) -> dict[str, str]:
        """The file of the lowest floor that defines a private method, by its name.

        Not of those that only extend a method of Odoo: a call of it is one of Odoo.
        """
        files = defaultdict(set)
        for source in self.sources:
            for _model, node in source.methods:
                if node.name.startswith("_") and not node.name.startswith("__"):
                    files[node.name].add(source.name)
        return {
            name: min(found, key=lambda file: (get_floor(file), file))
            for name, found in files.items()
            if name not in self.extended
        }

    @cached_property
    def calls(self) -> list[Call]:
        """The calls from one file to another."""
        calls = []
        for source in self.sources:
            defined = {node.name for _model, node in source.methods}
            for name, line in source.calls:
                home = self.homes.get(name)
                if home and home != source.name and name not in defined:
                    calls.append(Call(source.name, home, name, line))
        return calls

    @cached_property
    def imports(self) -> list[Call]:
        """The imports of one file by another."""
        return [
            Call(source.name, name, "import", line)
            for source in self.sources
            if not source.name.endswith("__init__.py")
            for name, line in source.get_imports(self.names)
            if name != source.name
        ]

    def get_upward(self) -> list[Call]:
        """Return the calls and imports of a higher floor."""
        return [
            call
            for call in (*self.calls, *self.imports)
            if get_floor(call.callee) > get_floor(call.caller)
            and (call.caller, call.name) not in EXCEPTIONS
        ]

    def get_largest_cycle(self) -> list[str]:
        """Return the largest set of files that all reach each other by calls."""
        edges = defaultdict(set)
        for call in (*self.calls, *self.imports):
            edges[call.caller].add(call.callee)
        return max(_find_cycles(edges), key=len, default=[])

    @cached_property
    def models(self) -> list[Model]:
        """The models, the most spread one first."""
        files, names = defaultdict(set), defaultdict(set)
        for source in self.sources:
            for model, node in source.methods:
                if model:
                    files[model].add(source.name)
                    names[model].add(node.name)
        models = [Model(name, sorted(files[name]), len(names[name])) for name in files]
        return sorted(models, key=lambda model: (-len(model.files), model.name))

    @cached_property
    def lengths(self) -> list[int]:
        """The lines of the bodies of all functions, without their docstrings."""
        return sorted(
            node.end_lineno - _skip_docstring(node)
            for source in self.sources
            for node in source.functions
        )

    def get_undocumented(self) -> list[str]:
        """Return the public functions and methods without a docstring."""
        return [
            f"{source.name}:{node.lineno} {node.name}"
            for source in self.sources
            for _model, node in source.methods
            if not node.name.startswith("_")
            and not ast.get_docstring(node)
            and not _calls_super(node)
        ]

    def get_long_files(self) -> list[str]:
        """Return the files with too many lines."""
        return [
            source.name
            for source in self.sources
            if len(source.text.splitlines()) > LONGEST_FILE
        ]

    def tell(self) -> Iterator[str]:
        """Yield the lines of a table of how the house is built."""
        upward, cycle = self.get_upward(), self.get_largest_cycle()
        calls = len(self.calls) + len(self.imports)
        core = next(one for one in self.models if one.name.endswith(".cancellation"))
        others = [model for model in self.models if model is not core]
        tenth = quantiles(self.lengths, n=10)[-1]
        longest = max(len(source.text.splitlines()) for source in self.sources)
        rows = (
            ("calls and imports of a higher floor", f"{len(upward)} of {calls}"),
            ("files in the largest cycle", len(cycle)),
            (
                f"methods of {core.name}; files",
                f"{core.methods}; {len(core.files)}",
            ),
            (f"files of {others[0].name}, the next one", len(others[0].files)),
            (
                "lines of a method: median, 90th percentile, longest",
                f"{median(self.lengths):.0f}, {tenth:.0f}, {self.lengths[-1]}",
            ),
            ("lines of the longest file", longest),
            ("public methods without a docstring", len(self.get_undocumented())),
        )
        width = max(len(label) for label, _value in rows)
        for label, value in rows:
            yield f"{label:{width}}  {value}"
        for call in upward:
            yield str(call)


def _skip_docstring(node: ast.FunctionDef) -> int:
    """Return the last line before the body of a function."""
    body = node.body
    if ast.get_docstring(node):
        return body[0].end_lineno
    return body[0].lineno - 1


def _find_cycles(edges: dict[str, set[str]]) -> Iterable[list[str]]:
    """Yield the sets of files that reach each other: Tarjan's algorithm."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        numbers[name] = lowest[name] = len(numbers)
        stack.append(name)
        for other in sorted(edges.get(name, ())):
            if other not in numbers:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], numbers[other])
        if lowest[name] == numbers[name]:
            index = stack.index(name)
            found.append(stack[index:])
            del stack[index:]

    for name in sorted(edges):
        if name not in numbers:
            visit(name)
    return found
