"""Intercepts every fop and callback by the classic API, and prints every field of every structure that it is given, as
JSON."""

from __future__ import annotations

import ctypes
import json
from typing import Any

from gluster.glupy import *
from gluster.glupy import _calls


def shown(value: Any) -> Any:
    """A value of a field: what it points to is not followed."""
    if isinstance(value, (Structure, Union)):
        return {name: shown(getattr(value, name)) for name, *_ in value._fields_}
    if isinstance(value, Array):
        return bytes(value).hex() if value._type_ in (c_ubyte, c_char) else [shown(part) for part in value[:8]]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, ctypes._Pointer):
        return bool(value)
    return value


def followed(value: Any) -> Any:
    """A parameter: what it points to."""
    if isinstance(value, ctypes._Pointer):
        return shown(value.contents) if value else None
    return shown(value)


def fop(name: str) -> Any:
    def method(self: Any, frame: Any, this: Any, *args: Any) -> int:
        said = {"fop": name, "args": [followed(arg) for arg in args], "frame": followed(frame), "this": followed(this),
                "root": shown(frame.contents.root.contents), "unique": dl.get_rootunique(frame)}
        print("TRACE " + json.dumps(said))
        getattr(dl, f"{name}_wind")(frame, POINTER(xlator_t)(), *args)
        return 0

    return method


def callback(name: str) -> Any:
    def method(self: Any, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, *values: Any) -> int:
        said = {"cbk": name, "op_ret": op_ret, "op_errno": op_errno, "frame": followed(frame),
                # What a failure has where a success has a value is not to be followed.
                "values": [followed(value) if op_ret >= 0 else None for value in values],
                "unique": dl.get_rootunique(frame)}
        print("TRACE " + json.dumps(said))
        getattr(dl, f"{name}_unwind")(frame, cookie, this, op_ret, op_errno, *values)
        return 0

    return method


class xlator(Translator):
    for _name in _calls.OPERATIONS:
        locals().update({f"{_name}_fop": fop(_name), f"{_name}_cbk": callback(_name)})
