"""Read a translator without a graph: import its file and say what loading it would, up to init()."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from glupy._core import FOPS, Instance
from glupy.api.translator import FACTORIES, OPTIONAL, Translator
from glupy.command.sources import Source
from glupy.errors import LoadError
from glupy.loading import choosing, classic, finding, fopcheck, importing, venv
from glupy.options import common, option
from glupy.options.option import Option


@dataclass(frozen=True)
class Reading:
    """A translator as its file has it. Valid as long as the `with` of read() lasts."""

    source: Source
    module: ModuleType
    cls: type[Translator] | None  # None: it is written for the first glupy, and tells little of itself

    @property
    def documentation(self) -> str:
        """What the module says of itself, or else the class."""
        return inspect.cleandoc(self.module.__doc__ or (self.cls and vars(self.cls).get("__doc__")) or "")

    @property
    def options(self) -> dict[str, Option[Any]]:
        """Declared by the class, by the name that a volfile gives them."""
        return option.declared(self.cls) if self.cls else {}

    @property
    def own_fops(self) -> list[str]:
        """The fops with a method of their own, in GlusterFS's order."""
        return [name for name in FOPS if hasattr(self.cls, name)] if self.cls else []

    @property
    def any_fops(self) -> list[str]:
        """Those that any_fop handles. What init() may make of them is not known here."""
        if not self.cls or not hasattr(self.cls, fopcheck.ANY):
            return []
        handled = FOPS if self.cls.fops is None else list(self.cls.fops)
        return [name for name in FOPS if name in handled and not hasattr(self.cls, name)]

    @property
    def hooks(self) -> list[str]:
        """What else glupy calls, and contexts."""
        if not self.cls:
            return []
        names = ("init", "fini", "notify", "reconfigured", *OPTIONAL, *FACTORIES)
        return [name for name in names if getattr(self.cls, name) is not getattr(Translator, name)]

    def check_options(self, texts: Mapping[str, str]) -> None:
        """Refuse options as the start of a graph would. Raises LoadError."""
        if self.cls:
            own = option.declared(self.cls)
            option.read(own, common.split(texts, own)[1], self.cls.__name__)


@contextlib.contextmanager
def read(source: Source) -> Iterator[Reading]:
    """Import a translator's file and check its class as loading does. Raises LoadError.

    What the file prints goes to stderr: stdout is for what the command has to say."""
    environment = finding.configuration().venv
    with contextlib.redirect_stdout(sys.stderr):
        if environment:
            venv.use(environment)
        owner = cast(Instance, SimpleNamespace(name=source.name))
        module = importing.import_private(source.name, source.file, owner)
    try:
        cls = None if classic.is_classic(module) else _class(module, source)
        yield Reading(source, module, cls)
    finally:
        importing.forget(module.__name__)


def _class(module: ModuleType, source: Source) -> type[Translator]:
    cls = choosing.translator_class(module, source.file)
    fopcheck.check_class(cls, FOPS)
    blank = object.__new__(cls)  # methods can be looked at before anything has begun
    fopcheck.with_any_fop(blank, fopcheck.bound_fops(blank, FOPS), FOPS)
    return cls

