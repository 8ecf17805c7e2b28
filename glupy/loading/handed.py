"""Classes that stand in for files: a program that brings up a graph in its own process hands its translators over.

glupy.testing does. A volume asks for such a class as for any module, by option module, and nobody but this process's own
Python code can hand one over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glupy.api.translator import Translator
from glupy.errors import LoadError

_classes: dict[str, type[Translator]] = {}
_stores: dict[str, Path] = {}
_refused: dict[str, LoadError] = {}


@contextmanager
def over(name: str, cls: type[Translator], store: Path | None = None) -> Iterator[None]:
    """While this lasts, module `name` is this class, whose self.store is in that folder, else where the configuration says."""
    _classes[name] = cls
    if store is not None:
        _stores[name] = store
    try:
        yield
    finally:
        del _classes[name]
        _stores.pop(name, None)
        _refused.pop(name, None)


def under(name: str) -> type[Translator] | None:
    """The class that was handed over under a module's name."""
    return _classes.get(name)


def store_of(name: str) -> Path | None:
    """The folder that was handed over with it."""
    return _stores.get(name)


def refuse(name: str, error: LoadError) -> None:
    """It did not load: for whoever handed it over."""
    _refused[name] = error


def refusal(name: str) -> LoadError | None:
    """Why a class that was handed over did not load, if it did not."""
    return _refused.get(name)
