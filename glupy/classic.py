"""Translators written for the first glupy: knowing one, and making it.

A module is a classic one if it has an `xlator` at its top that is no glupy.Translator, and uses gluster.glupy: `xlator`
is based on that one's Translator, or the module has its `dl` or itself among its names, as `import *` brings it. The
package gluster.glupy, and ctypes with it, is imported by such a module alone.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from glupy import _core, common
from glupy.errors import LoadError
from glupy.translator import Translator

if TYPE_CHECKING:
    from glupy._core import Instance


class Classic(Translator):
    """Stands for a classic translator where glupy needs a Translator of its own.

    xlator  the script's object
    """

    def __init__(self, instance: Instance, module: ModuleType) -> None:
        super().__init__(instance)
        self._module = module.__name__
        self._classic_callbacks: dict[str, Callable[..., Any]] = {}
        self.xlator: object = None

    def _read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        # A classic script declares no options: it may read what the volfile has from this.contents.options.
        return {"options": dict(texts), "common": common.split(texts)[0]}


def is_classic(module: ModuleType) -> bool:
    """Was this module written for the first glupy?"""
    package = sys.modules.get("gluster.glupy")
    xlator = vars(module).get("xlator")
    if package is None or not callable(xlator):
        return False
    if isinstance(xlator, type) and issubclass(xlator, (Translator, package.Translator)):
        return issubclass(xlator, package.Translator)
    return any(value in (package, package.dl, sys.modules["gluster"])
               for value in vars(module).values() if isinstance(value, (ModuleType, type(package.dl))))


def make(module: ModuleType, instance: Instance, file: Path) -> tuple[Translator, dict[str, Callable[..., Any] | None]]:
    """The translator of a classic module, and its fop functions; None for a fop of which it has the callback alone.

    Raises LoadError, and what the module's `xlator` raises."""
    calls = sys.modules["gluster.glupy._calls"]
    translator = Classic(instance, module)
    address = _core._classic_this(instance)
    registration = calls.registrations[address] = calls.Registration()
    try:
        translator.xlator = module.xlator(address)
    finally:
        del calls.registrations[address]
    if not registration.fops and not registration.callbacks:
        raise LoadError("xlator has registered no fop: its __init__ has to call Translator.__init__(self, c_this) or "
                        "dl.set_NAME_fop", file)
    translator._classic_callbacks = registration.callbacks
    return translator, {**dict.fromkeys(registration.callbacks), **registration.fops}


class _Finder(importlib.abc.MetaPathFinder):
    """Finds gluster.glupy where another `gluster` package came first: in a program's own Python, glupy's folder may not
    be on the path."""

    folder = Path(__file__).resolve().parent.parent / "gluster"

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname not in ("gluster", "gluster.glupy"):
            return None
        folder = self.folder if fullname == "gluster" else self.folder / "glupy"
        return importlib.util.spec_from_file_location(fullname, folder / "__init__.py",
                                                      submodule_search_locations=[str(folder)])


sys.meta_path.append(_Finder())
