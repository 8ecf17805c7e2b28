"""Pick the translator's class among what a module defines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from glupy._core import FOPS
from glupy.api.translator import Translator
from glupy.errors import LoadError
from glupy.loading import fopcheck


def translator_class(module: ModuleType, file: Path) -> type[Translator]:
    """The Translator that a module defines: the one that is no base of another, or what __glupy__ names."""
    chosen: object = vars(module).get("__glupy__")
    if chosen is not None:
        if isinstance(chosen, type) and issubclass(chosen, Translator):
            return chosen
        raise LoadError(f"__glupy__ is {chosen!r}; expected a class based on glupy.Translator", file)
    own = [value for value in dict.fromkeys(filter(_is_class, vars(module).values())) if _defined_in(value, module)]
    found: list[type[Translator]] = [cls for cls in own if issubclass(cls, Translator)]
    leaves = [cls for cls in found if not any(cls is not other and issubclass(other, cls) for other in found)]
    if not leaves:
        raise LoadError(_no_class(own), file)
    if len(leaves) > 1:
        listed = " and ".join(f"{cls.__name__} (line {fopcheck.place(cls)[1]})" for cls in leaves)
        raise LoadError(f"more than one Translator class: {listed}; keep one, or choose with `__glupy__ = "
                        f"{leaves[-1].__name__}` at the end of the file", file)
    return leaves[0]


def _is_class(value: object) -> bool:
    return isinstance(value, type)


def _defined_in(cls: type, module: ModuleType) -> bool:
    return cls.__module__ == module.__name__ or cls.__module__.startswith(module.__name__ + ".")


def _no_class(own: Sequence[type]) -> str:
    """Why there is no Translator among the classes that a module defines."""
    for cls in own:
        for name in vars(cls):
            base, _, ending = name.rpartition("_")
            if base in FOPS and ending in ("fop", "cbk"):
                return (f"no Translator class: {cls.__name__}.{name} is named as in the classic API, which starts with "
                        "`from gluster.glupy import *`; here, import Translator from glupy and define "
                        f"`async def {base}(self, {', '.join(('frame', *FOPS[base]))})`")
    return ("no Translator class: define `class Name(Translator)`, with `from glupy import Translator`, in this file "
            "(an imported one does not count unless `__glupy__ = Name` chooses it)")
