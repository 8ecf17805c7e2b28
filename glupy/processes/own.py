"""Functions and classes of a translator's module, on their way to a process of multiprocessing's.

That module is in this process alone, under a name of its own. A child that was forked has it, too; one that was started anew
has not, and a Pool of such would wait for ever while they die of it. So what stands for the function there says what is wrong
when it is called.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any, NoReturn

from glupy.logs import owners


def mind() -> None:
    """Once multiprocessing is in use."""
    reduction: Any = sys.modules.get("multiprocessing.reduction")
    if reduction and not hasattr(reduction.ForkingPickler, "reducer_override"):
        reduction.ForkingPickler.reducer_override = _reduced


def _reduced(pickler: object, thing: Any) -> Any:
    if isinstance(thing, (type, FunctionType)) and thing.__module__ and thing.__module__.startswith(owners.PREFIX):
        return found, (thing.__module__, thing.__qualname__)
    return NotImplemented


def found(module: str, name: str) -> Any:
    """What is meant, in a process that has it."""
    thing: Any = sys.modules.get(module)
    if thing is None:
        return Missing(module, name)
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


class Missing:
    """Stands for a function or class in a process that has not its module."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"{self.name} stands in a translator's file, which a process that multiprocessing starts by 'spawn' or 'forkserver' "
            "does not have: put it into a module that Python finds by itself (pip, or a virtual environment), or use "
            "multiprocessing.get_context('fork')")
