"""Where a public name is defined: its node in a source or stub, with the signature and the comment before it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import glupy
from glupy import _core

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign | ast.Assign


class Source:
    """A module's text, read."""

    def __init__(self, file: Path) -> None:
        self.lines = file.read_text(encoding="utf-8").splitlines()
        self.tree = ast.parse("\n".join(self.lines))

    def find(self, name: str) -> list[Definition]:
        """The definitions of a name at the module's level: several where it is overloaded."""
        return list(_named(self.tree.body, name))

    def comment(self, node: ast.stmt) -> str:
        """The lines `#: ...` above a definition."""
        found = []
        for line in reversed(self.lines[:node.lineno - 1]):
            if not line.strip().startswith("#:"):
                break
            found.append(line.strip()[2:].strip())
        return " ".join(reversed(found))


def _named(body: list[ast.stmt], name: str) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            yield node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            yield node
        elif isinstance(node, ast.Assign) and any(isinstance(each, ast.Name) and each.id == name for each in node.targets):
            yield node
        elif isinstance(node, ast.If):  # what type checkers see
            yield from _named(node.body, name)


_STUB = Source(Path(glupy.__file__).with_name("_core.pyi"))
_read: dict[str, Source] = {}


def _sources(name: str) -> Iterator[Source]:
    """The stub for what C defines; else those modules of the package that define it."""
    if name in vars(_core):
        yield _STUB
        return
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and module.__name__.startswith("glupy.") and name in vars(module):
            file = inspect.getsourcefile(module)
            if file and module.__name__ not in _read:
                _read[module.__name__] = Source(Path(file))
            if file:
                yield _read[module.__name__]


def defined(name: str) -> tuple[Source, list[Definition]]:
    """Where glupy.NAME is defined."""
    for source in _sources(name):
        if nodes := source.find(name):
            return source, nodes
    raise LookupError(f"glupy.{name} is defined nowhere that can be read")


def members(node: ast.ClassDef) -> dict[str, list[Any]]:
    """The public members of a class as they are written, in order: definitions by name."""
    found: dict[str, list[Any]] = {}
    for each in node.body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(each.name, []).append(each)
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            found.setdefault(each.target.id, []).append(each)
    return {name: nodes for name, nodes in found.items() if not name.startswith("_")}


def signature(node: Any, name: str) -> str:
    """A definition as one reads it: NAME(ARGUMENTS) -> TYPE, or NAME: TYPE."""
    if isinstance(node, ast.AnnAssign):
        return f"{name}: {ast.unparse(node.annotation)}"
    if is_property(node):
        return f"{name}: {ast.unparse(node.returns)}" if node.returns else name
    arguments = ast.unparse(_without_self(node))
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{'await ' if isinstance(node, ast.AsyncFunctionDef) else ''}{name}({arguments}){result}"


def is_property(node: Any) -> bool:
    """Whether it reads like an attribute."""
    return any(isinstance(each, ast.Name) and each.id == "property" for each in getattr(node, "decorator_list", ()))


def _without_self(node: ast.FunctionDef) -> ast.arguments:
    arguments = node.args
    for group in (arguments.posonlyargs, arguments.args):
        if group and group[0].arg in ("self", "cls"):
            kept = [each for each in group if each is not group[0]]
            copy = ast.arguments(**{field: getattr(arguments, field) for field in arguments._fields})
            if group is arguments.posonlyargs:
                copy.posonlyargs = kept
            else:
                copy.args = kept
            return copy
    return arguments


def constructor(node: ast.ClassDef) -> Any:
    """What makes an object of a class, where authors may: its __new__ or __init__; None where there is none."""
    for wanted in ("__new__", "__init__"):
        for each in node.body:
            if isinstance(each, ast.FunctionDef) and each.name == wanted:
                each.returns = None
                return each
    return None
