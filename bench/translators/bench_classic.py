"""Takes part in each fop that the bench sends as a script for the first glupy does: a function and a callback."""

from __future__ import annotations

from typing import Any

from gluster.glupy import *

FOPS = ("lookup", "stat", "open", "create", "readv", "writev", "readdirp", "getxattr")


def fop(name: str) -> Any:
    wind = getattr(dl, f"wind_{name}")

    def method(self: Any, frame: Any, this: Any, *args: Any) -> int:
        wind(frame, POINTER(xlator_t)(), *args)
        return 0

    return method


def callback(name: str) -> Any:
    unwind = getattr(dl, f"unwind_{name}")

    def method(self: Any, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, *values: Any) -> int:
        unwind(frame, cookie, this, op_ret, op_errno, *values)
        return 0

    return method


class xlator(Translator):
    locals().update({f"{name}_fop": fop(name) for name in FOPS} | {f"{name}_cbk": callback(name) for name in FOPS})
