"""Raises in every fop function, or in every callback, as the volume's name says; the root's lookup passes, without which no
graph comes up."""

from __future__ import annotations

from typing import Any

from gluster.glupy import *
from gluster.glupy import _calls

roots: set[int] = set()


def fop(name: str, raising: bool) -> Any:
    def method(self: Any, frame: Any, this: Any, *args: Any) -> int:
        if name == "lookup" and args[0].contents.path in (b"/", b"/."):
            roots.add(dl.get_id(frame))
        elif raising:
            raise ZeroDivisionError("on purpose")
        getattr(dl, f"wind_{name}")(frame, POINTER(xlator_t)(), *args)
        return 0

    return method


def callback(name: str) -> Any:
    def method(self: Any, frame: Any, *args: Any) -> int:
        if dl.get_id(frame) not in roots:
            raise ZeroDivisionError("on purpose")
        getattr(dl, f"unwind_{name}")(frame, *args)
        return 0

    return method


def xlator(c_this: int) -> Any:
    ending = cast(c_this, POINTER(xlator_t)).contents.name.decode()
    methods = {f"{name}_fop": fop(name, ending == "fop") for name in _calls.OPERATIONS}
    if ending == "cbk":
        methods |= {f"{name}_cbk": callback(name) for name in _calls.OPERATIONS}
    return type("xlator", (Translator,), methods)(c_this)
