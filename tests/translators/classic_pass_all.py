"""Intercepts every fop by the classic API and passes it on, in the way that the option `how` names:

both   functions and callbacks, which unwind what they are given
rebuilt  the same, with structures of the script's own in the place of those it is given, so that nothing goes as it came
fops, callbacks   one of the two alone
"""

from __future__ import annotations

from typing import Any

from gluster.glupy import *
from gluster.glupy import _calls

COPIED = (loc_t, iatt_t, statvfs_t, gf_flock_t, gf_lease_t)


def copies(values: Any) -> list[Any]:
    """The same values at other addresses, where C has them by value."""
    return [byref(type(value.contents).from_buffer_copy(value.contents))
            if getattr(type(value), "_type_", None) in COPIED and value else value for value in values]


def fop(name: str, change: Any) -> Any:
    wind = getattr(dl, f"wind_{name}")

    def method(self: Any, frame: Any, this: Any, *args: Any) -> int:
        wind(frame, POINTER(xlator_t)(), *change(args))
        return 0

    return method


def callback(name: str, change: Any) -> Any:
    unwind = getattr(dl, f"unwind_{name}")

    def method(self: Any, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, *values: Any) -> int:
        unwind(frame, cookie, this, op_ret, op_errno, *change(values))
        return 0

    return method


def made(how: str) -> type:
    change = copies if how == "rebuilt" else list
    methods: dict[str, Any] = {}
    for name in _calls.OPERATIONS:
        if how != "callbacks":
            methods[f"{name}_fop"] = fop(name, change)
        if how != "fops":
            methods[f"{name}_cbk"] = callback(name, change)
    return type("xlator", (Translator,), methods)


def xlator(c_this: int) -> Any:
    name = cast(c_this, POINTER(xlator_t)).contents.name
    return made(name.decode())(c_this)
