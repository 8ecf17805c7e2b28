"""What a test names: a class or a file, options as keywords; and what a volfile takes for them."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glupy import LoadError, Translator
from glupy._core import FOPS
from glupy.loading import choosing, fopcheck

_serial = itertools.count(1)


@dataclass(frozen=True)
class Wish:
    """What a test asks for; see glupy.testing.translator()."""

    cls: type[Any]
    name: str
    expect: tuple[str, ...] = ()
    keeps: int = 0
    patience: float = 20.0
    options: dict[str, str] = field(default_factory=dict)
    brick: bool = False


def wish(given: type[Any] | str | os.PathLike[str], volume: str | None, expect: Iterable[str], keeps: int, patience: float,
         brick: bool, options: dict[str, object]) -> Wish:
    """What is asked for by those arguments. Raises LoadError."""
    cls = translator_class(given)
    return Wish(cls, volume or volume_name(cls), tuple(expect), keeps, patience, option_texts(options), brick)


def translator_class(given: type[Any] | str | os.PathLike[str]) -> type[Any]:
    """The class that is meant, and it can be loaded as far as can be said before it is made. Raises LoadError."""
    cls = given if isinstance(given, type) else from_file(given)
    if issubclass(cls, Translator):  # GlusterFS does not bear every graph in this process that it could not make
        fopcheck.check_class(cls, FOPS)
    return cls


def volume_name(cls: type) -> str:
    """A class's name, as volumes are named."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()


def option_texts(options: dict[str, object]) -> dict[str, str]:
    """Keywords, as options of a volfile."""
    return {key.replace("_", "-"): text(value) for key, value in options.items()}


def text(value: object) -> str:
    """An option as a volfile has it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(os.fspath(value) if isinstance(value, os.PathLike) else value)


def placed(cls: type[Any], place: list[Any]) -> type[Any]:
    """The same class, whose object puts itself into the place once its init() has been called."""
    def init(self: Any) -> Any:
        begun = cls.init(self)
        place.append(self)
        return begun

    return type(cls.__name__, (cls,), {"init": init, "__module__": cls.__module__, "__doc__": cls.__doc__,
                                       "__qualname__": cls.__qualname__})


def modules_of(cls: type[Any]) -> set[str]:
    """The modules that an author's class is made of, with those of a package."""
    own = {base.__module__ for base in cls.__mro__ if base is not object and not base.__module__.startswith("glupy.")
           and base.__module__ in sys.modules}
    return own | {name for name in sys.modules if name.startswith(tuple(f"{module}." for module in own))}


def from_file(path: str | os.PathLike[str]) -> type[Any]:
    """The translator in a file. Raises LoadError."""
    file = Path(path).resolve()
    if not file.is_file():
        raise LoadError("no such file", file)
    return choosing.translator_class(_imported(file), file)


def _imported(file: Path) -> Any:
    name = f"glupy_testing_file_{next(_serial)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise LoadError("is no Python file", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise LoadError(f"importing it failed: {type(error).__name__}: {error}", file) from error
    return module
