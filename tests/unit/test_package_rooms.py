"""The Python package's rooms: its modules import each other one way, and `import glupy` brings no more than it needs.

All imports count: also those in functions, and those for type checkers.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import glupy

pytestmark = pytest.mark.once

#: Where they are installed, with what the build makes: glupy itself, and the classic API beside it.
PACKAGES = tuple(Path(glupy.__file__).resolve().parent.parent / name for name in ("glupy", "gluster"))


class Import(NamedTuple):
    """One module imports another one."""

    user: str
    used: str
    place: str  # file:line


class Tree:
    """The modules of packages, and what they import of each other.

    A room is a folder directly in `glupy`, the package `gluster`, or a module beside the rooms.
    """

    def __init__(self, *packages: Path) -> None:
        self.files: dict[str, Path] = {}
        self.top = {package.name: package.parent for package in packages}
        for package in packages:
            for file in sorted((*package.rglob("*.pyi"), *package.rglob("*.py"))):  # a stub for what is written in C
                self.files[self._name(file)] = file
        self.imports = [found for name in self.files for found in self._imports(name)]

    def _name(self, file: Path) -> str:
        root = next(parent for parent in file.parents if parent in self.top.values())
        parts = file.relative_to(root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _imports(self, name: str) -> list[Import]:
        file = self.files[name]
        shown = file.relative_to(self.top[name.partition(".")[0]])
        package = name if file.stem == "__init__" else name.rpartition(".")[0]
        found = {}
        for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
            for wanted in _wanted(node, package):
                for used in self._loaded(name, wanted):
                    found.setdefault(used, Import(name, used, f"{shown}:{node.lineno}"))
        return list(found.values())

    def _loaded(self, user: str, wanted: str) -> list[str]:
        """The modules that an import of `wanted` runs: it, or what it is a name in; and the packages around it, but for
        those that the importer is in."""
        if wanted.partition(".")[0] not in self.top:
            return []
        while wanted not in self.files:
            wanted = wanted.rpartition(".")[0]
        parts = wanted.split(".")
        around = [".".join(parts[:count]) for count in range(1, len(parts))]
        return [wanted, *(package for package in around if not f"{user}.".startswith(f"{package}."))]

    def room(self, module: str) -> str:
        parts = module.split(".")
        return ".".join(parts[:2] if parts[0] == "glupy" else parts[:1])

    def may_use(self) -> dict[str, set[str] | None]:
        """Of each room that is a folder, the rooms that the end of its docstring names; None where it names none."""
        allowed: dict[str, set[str] | None] = {}
        for name, file in self.files.items():
            if file.stem == "__init__" and name == self.room(name) and name != "glupy":
                said = ast.get_docstring(ast.parse(file.read_bytes())) or ""
                end = re.search(r"^May use: ([\w., \n]+)\.\s*$", said, re.M)
                allowed[name] = set(re.split(r",\s+", end[1])) if end else None
        return allowed

    def wrong(self) -> str:
        """All that is wrong, for whoever has to put it right; empty if nothing is."""
        return "\n\n".join(filter(None, (_circle(self.imports), *self._doors())))

    def _doors(self) -> list[str]:
        allowed, said = self.may_use(), []
        for room in (room for room, uses in allowed.items() if uses is None):
            said.append(f"{room} does not say what it may import. End the docstring of its __init__.py with a "
                        "paragraph that names the rooms it needs: `May use: glupy.errors, ... .`")
        doors = {(place, self.room(user), self.room(used)): (user, used)
                 for user, used, place in reversed(self.imports)}  # an import of both a package and its module, once
        for (place, room, other), (user, used) in reversed(doors.items()):
            uses = allowed.get(room)
            if uses is not None and other != room and other not in uses:
                said.append(f"{place}: {user} imports {used}, and {room} may not use {other}. Have {other} or a room "
                            "above both give it what it needs, or move the code to a room that may; if the arrow is "
                            f"right, name {other} under `May use:` in the __init__.py of {room}.")
        for room, uses in allowed.items():
            said += [f"{room} says that it may use {name}, which there is not. Correct `May use:` in its __init__.py."
                     for name in sorted(uses or ()) if name not in set(map(self.room, self.files))]
        try:
            TopologicalSorter({room: uses or () for room, uses in allowed.items()}).prepare()
        except CycleError as error:
            said.append(f"These rooms may use each other, in a circle: {' <- '.join(error.args[1])}. Which of them is "
                        "to know nothing of the others? Take them out of `May use:` in its __init__.py.")
        return said


def _wanted(node: ast.AST, package: str) -> list[str]:
    """What a statement imports, by whole names; `package` is where its module stands."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        around = package.split(".")
        base = ".".join((*around[: len(around) - node.level + 1], *filter(None, (node.module,))))
    return [base if alias.name == "*" else f"{base}.{alias.name}" for alias in node.names]


def _circle(imports: list[Import]) -> str:
    graph: dict[str, set[str]] = {}
    for user, used, _ in imports:
        graph.setdefault(user, set()).add(used)
    try:
        TopologicalSorter(graph).prepare()
        return ""
    except CycleError as error:
        circle = error.args[1][::-1]  # each imports the next
    places = {(user, used): place for user, used, place in imports}
    steps = "\n".join(f"    {places[step]}: {step[0]} imports {step[1]}" for step in zip(circle, circle[1:]))
    return ("These modules import each other in a circle, so none can be read, tested or changed without the others:\n"
            f"{steps}\n"
            "Take one of the imports out: move what both need into a module below them, or have the lower one be given "
            "what it calls, as an argument or a function to register. An import inside a function, or for type "
            "checkers alone, is one, too.")


@pytest.fixture(scope="module")
def tree():
    return Tree(*PACKAGES)


def test_one_way(tree):
    wrong = tree.wrong()
    assert not wrong, wrong


def test_all_modules_are_looked_at(tree):
    assert tree.may_use().keys() > {"glupy.loading", "glupy.options", "gluster"}
    assert tree.files.keys() > {"glupy", "glupy._core", "glupy._fops", "glupy.loading.trust", "gluster.glupy._structs"}
    assert {("glupy.api.translator", "glupy._fops"), ("glupy.loading.trust", "glupy.errors"),
            ("gluster.glupy._calls", "glupy._core")} <= {each[:2] for each in tree.imports}


# The check itself


HOUSE = {
    "__init__.py": "from glupy.high.top import thing",
    "low/__init__.py": '"""Low.\n\nMay use: glupy.errors.\n"""',
    "low/base.py": "import os\nfrom glupy.errors import Error",
    "high/__init__.py": '"""High.\n\nMay use: glupy.errors,\nglupy.low.\n"""',
    "high/top.py": "from ..low import base\nfrom . import side",
    "high/side.py": "import glupy.low.base",
    "errors.py": "class Error(Exception): pass",
}


@pytest.fixture
def wrong(tmp_path):
    """What the check says of a small package with these files changed."""
    def wrong(**changed):
        files = {key.replace("__", "/", 1) + ".py": text for key, text in changed.items()}
        for name, text in {**HOUSE, **files}.items():
            file = tmp_path / "glupy" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return Tree(tmp_path / "glupy").wrong()
    return wrong


def test_good_house(wrong):
    assert wrong() == ""


@pytest.mark.parametrize("statement", [
    "from glupy.high import top", "from glupy.high.top import thing", "import glupy.high.top as top",
    "from . import top", "from .top import thing", "def late():\n    from glupy.high.top import thing",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from glupy.high.top import thing"])
def test_circle_in_a_room(wrong, statement):
    said = wrong(high__side=statement)
    line = 1 + statement.count("\n")
    assert f"glupy/high/side.py:{line}: glupy.high.side imports glupy.high.top\n" in said
    assert "glupy/high/top.py:2: glupy.high.top imports glupy.high.side\n" in said
    assert said.startswith("These modules import each other in a circle") and "may not use" not in said


def test_circle_through_what_the_package_shows(wrong):
    said = wrong(high__side="import os\nfrom glupy import thing")
    assert "glupy/high/side.py:2: glupy.high.side imports glupy\n" in said
    assert "glupy/__init__.py:1: glupy imports glupy.high.top\n" in said


def test_circle_through_a_package_around(wrong):
    said = wrong(errors="from glupy.low.base import x",
                 low____init__='"""May use: glupy.errors."""\nimport glupy.errors')
    assert "glupy.errors imports glupy.low" in said


def test_closed_door(wrong):
    said = wrong(low__base="import os\n\nimport glupy.high.side", high__side="")
    assert said.startswith("glupy/low/base.py:3: glupy.low.base imports glupy.high.side, and glupy.low may not use "
                           "glupy.high. ")
    assert "circle" not in said


def test_room_without_a_word(wrong):
    assert wrong(low____init__='"""Low."""').startswith("glupy.low does not say what it may import.")


def test_unknown_room(wrong):
    assert "glupy.low says that it may use glupy.lower, which there is not." in wrong(
        low____init__='"""May use: glupy.errors, glupy.lower."""')


def test_doors_both_ways(wrong):
    said = wrong(low____init__='"""May use: glupy.errors, glupy.high."""')
    assert said.startswith("These rooms may use each other, in a circle: ") and "glupy.low <- glupy.high" in said


# What is loaded


@pytest.mark.parametrize("module", ["glupy", "glupy._runtime"])
def test_imports_what_translators_need_alone(module):
    """In GlusterFS's processes all that is imported stays in memory, in each interpreter: nothing but the standard
    library, and of that nothing that command lines are made with."""
    code = f"""
        import sys
        before = set(sys.modules)
        import {module}
        print(*sorted(sys.modules.keys() - before))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], text=True, capture_output=True, check=True)
    loaded = done.stdout.split()
    assert module in loaded
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {"glupy"}
    unwanted = ("argparse", "ctypes", "gluster", "glupy.command", "glupy.testing")
    assert [name for name in loaded if f"{name}.".startswith(tuple(f"{each}." for each in unwanted))] == []
