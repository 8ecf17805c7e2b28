"""Translators written for the first glupy: knowing one, and making it.

A module is a classic one if it has an `xlator` at its top that is no glupy.Translator, and uses gluster.glupy: `xlator`
is based on that one's Translator, or the module has its `dl` or itself among its names, as `import *` brings it. The
package gluster.glupy, and ctypes with it, is imported by such a module alone.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from glupy import _core
from glupy.api.translator import Translator
from glupy.errors import LoadError
from glupy.options import common, tolerance

if TYPE_CHECKING:  # not at run time: see importing.py
    from importlib.abc import MetaPathFinder

    from glupy._core import Instance
else:
    MetaPathFinder = object

#: What is said of a script that was written for the first glupy and imports this one.
HINT = ("a script written for the first glupy starts with `from gluster.glupy import *`, not with glupy: "
        "docs/porting-classic.md")
_STARS = re.compile(r"^\s*from\s+glupy\s+import\s+\*", re.MULTILINE)
_XLATOR = re.compile(r"^class\s+xlator\b", re.MULTILINE)


def misses(source: str) -> bool:
    """Does a script mean the first glupy's API, and not import it? Its `glupy` was gluster.glupy, at times by that name."""
    return bool(_STARS.search(source) and _XLATOR.search(source))


class Classic(Translator):
    """Stands for a classic translator where glupy needs a Translator of its own.

    xlator  the script's object
    """

    def __init__(self, instance: Instance, module: ModuleType) -> None:
        super().__init__(instance)
        self._module = module.__name__
        self._classic_callbacks: dict[str, Callable[..., Any]] = {}
        self.xlator: object = None

    def _glupy_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        # A classic script declares no options: it may read what the volfile has from this.contents.options.
        last = vars(self.common) if "common" in vars(self) else {}
        tolerated = tolerance.for_type(self._instance.type, last)
        values = common.split(texts, (), tolerated)[0]
        return {"options": dict(texts), "common": values, "_glupy_ignored": tolerated.ignored if tolerated else {}}


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


class _Finder(MetaPathFinder):
    """Finds gluster.glupy where another `gluster` package came first: in a program's own Python, glupy's folder may not
    be on the path."""

    folder = Path(__file__).resolve().parents[2] / "gluster"

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if fullname not in ("gluster", "gluster.glupy"):
            return None
        folder = self.folder if fullname == "gluster" else self.folder / "glupy"
        return importlib.util.spec_from_file_location(fullname, folder / "__init__.py",
                                                      submodule_search_locations=[str(folder)])


sys.meta_path.append(_Finder())
