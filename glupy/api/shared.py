"""What the interpreters that serve a translator have in common.

With `option interpreters` module globals, class attributes and `self` exist once in each interpreter, and so do the
locks of `threading`. A Shared is the same everywhere in the process: plain values by name, copied in and out.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any

from glupy import _core

__all__ = ["Shared"]


class Shared:
    """Values by name, common to all interpreters of this process.

    namespace  who uses one and the same namespace has the same values, in whatever translator; they stay until the
               process ends. `self.shared` of a Translator is one that this translator alone has, in all its
               interpreters, and that ends with its graph.

    Names are str. Values are what marshal knows: None, bool, int, float, complex, str, bytes, and tuples, lists, sets,
    frozensets and dicts of such; anything else is a ValueError. Each get() makes a new copy, so that changing what it
    gave changes nothing here. All methods can be called on any thread and block nobody: each copies the value once, in
    or out, under a lock that is held for no more than that or a comparison.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default where there is none."""
        data = _core._shared_get(self.namespace, name)
        return default if data is None else marshal.loads(data)

    def set(self, name: str, value: Any) -> None:
        """Put a value in place, whatever was there. To base a value on the one before, use change()."""
        _core._shared_swap(self.namespace, name, ..., _dumps(value))

    def setdefault(self, name: str, value: Any) -> Any:
        """The value that is there, or this one, which is put there then: of all who call it at once, one wins."""
        fresh = _dumps(value)
        while not _core._shared_swap(self.namespace, name, None, fresh):
            data = _core._shared_get(self.namespace, name)
            if data is not None:
                return marshal.loads(data)
        return marshal.loads(fresh)

    def change(self, name: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        """Replace the value by what function makes of it; returns the new value. One step for all others: where another
        one has changed the value meanwhile, function is called again, with the new one. It gets default where there is
        no value. What it raises comes out, and nothing has changed."""
        while True:
            data = _core._shared_get(self.namespace, name)
            value = function(default if data is None else marshal.loads(data))
            if _core._shared_swap(self.namespace, name, data, _dumps(value)):
                return value

    def add(self, name: str, number: Any = 1) -> Any:
        """Add to a number, which is 0 where there is none; returns the sum."""
        return self.change(name, lambda value: value + number, 0)

    def pop(self, name: str, default: Any = None) -> Any:
        """Take a value away: it, or the default where there is none. Of all who call it at once, one gets it."""
        while (data := _core._shared_get(self.namespace, name)) is not None:
            if _core._shared_swap(self.namespace, name, data, None):
                return marshal.loads(data)
        return default

    def keys(self) -> list[str]:
        """The names that have a value now, in no order."""
        return _core._shared_keys(self.namespace)

    def __contains__(self, name: str) -> bool:
        return _core._shared_get(self.namespace, name) is not None

    def __repr__(self) -> str:
        return f"Shared({self.namespace!r})"


def _dumps(value: Any) -> bytes:
    """The value as bytes, in which equal contents are equal: without references between its parts."""
    return marshal.dumps(value, 2)
