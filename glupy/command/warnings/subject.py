"""What warnings are about: a translator's class, and the sources of its modules."""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Union

from glupy.api.translator import Translator
from glupy.command.reading import Reading

_IGNORE = re.compile(r"#\s*glupy:\s*ignore\s+([\w-]+(?:\s*,\s*[\w-]+)*)")

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Place:
    file: Path
    line: int


@dataclass(frozen=True)
class Module:
    """One source file."""

    file: Path
    tree: ast.Module
    ignored: tuple[tuple[int, str, bool], ...]  # line, name, whether the line has code: then for it alone

    def at(self, node: ast.stmt | ast.expr) -> Place:
        return Place(self.file, node.lineno)

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS))


class Subject:
    """A translator to be warned of."""

    def __init__(self, translator: Reading) -> None:
        assert translator.cls is not None
        self.translator = translator
        self.cls: type[Translator] = translator.cls
        self.handled = {*translator.own_fops, *translator.any_fops}
        self.written = [name for name in translator.own_fops if not _comes_with_glupy(self.cls, name)]

    @cached_property
    def modules(self) -> list[Module]:
        return [_module(file) for file in self.translator.source.files()]

    @cached_property
    def place(self) -> Place:
        """Where the class begins."""
        try:
            return Place(Path(inspect.getfile(self.cls)), inspect.findsource(self.cls)[1] + 1)
        except (OSError, TypeError, IndexError, SyntaxError):
            return Place(self.translator.source.file, 1)

    def class_nodes(self) -> Iterator[tuple[Module, ast.ClassDef]]:
        """The statements of the translator's class and of its bases, as far as its own modules have them."""
        names = {cls.__name__ for cls in self.cls.__mro__ if cls not in Translator.__mro__}
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef) and node.name in names:
                    yield module, node

    def methods(self) -> Iterator[tuple[Module, Function]]:
        """The translator's methods."""
        for module, node in self.class_nodes():
            for statement in node.body:
                if isinstance(statement, FUNCTIONS):
                    yield module, statement

    def ignored_names(self) -> Iterator[tuple[Place, str]]:
        for module in self.modules:
            for line, name, _ in module.ignored:
                yield Place(module.file, line), name

    def silenced(self, name: str, place: Place) -> bool:
        """Whether a comment says that this is meant so."""
        return any(ignored == name and (line == place.line or not own)
                   for module in self.modules if module.file == place.file for line, ignored, own in module.ignored)


def _comes_with_glupy(cls: type[Translator], name: str) -> bool:
    """Whether a method is that of a base class of glupy's (Content), which sees to what belongs to it."""
    return next(base for base in cls.__mro__ if name in vars(base)).__module__.startswith("glupy.api.")


def inside(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """All that runs with some statements; not what is in the functions that they define."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _module(file: Path) -> Module:
    source = file.read_bytes()
    ignored = []
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        match = _IGNORE.search(token.string) if token.type == tokenize.COMMENT else None
        if match:
            own = bool(token.line[:token.start[1]].strip())
            ignored += [(token.start[0], name.strip(), own) for name in match[1].split(",")]
    return Module(file, ast.parse(source, str(file)), tuple(ignored))
