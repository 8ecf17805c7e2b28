"""A script as the first glupy ran it: it takes part in lookup and stat, and lets both pass.

The same work as `translators/bench_classic.py`, which glupy's classic API runs. Here the functions are ctypes closures
that `xlators/original.c` calls, and they wind and unwind through ctypes.
"""

from __future__ import annotations

from ctypes import CDLL, CFUNCTYPE, POINTER, Structure, c_int, c_long
from pathlib import Path
from typing import Any


class call_frame_t(Structure): ...
class xlator_t(Structure): ...
class loc_t(Structure): ...
class dict_t(Structure): ...
class inode_t(Structure): ...
class iatt_t(Structure): ...


CALL = [POINTER(call_frame_t), POINTER(xlator_t), POINTER(loc_t), POINTER(dict_t)]
REPLY = [POINTER(call_frame_t), c_long, POINTER(xlator_t), c_int, c_int]
VALUES = {
    "lookup": [POINTER(inode_t), POINTER(iatt_t), POINTER(dict_t), POINTER(iatt_t)],
    "stat": [POINTER(iatt_t), POINTER(dict_t)],
}

#: The closures and the library: to be kept for as long as they may be called.
kept: list[Any] = []


def lookup_cbk(unwind: Any) -> Any:
    def cbk(
        frame: Any, cookie: int, this: Any, op_ret: int, op_errno: int, inode: Any, buf: Any, xdata: Any, postparent: Any,
    ) -> int:
        unwind(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent)
        return 0

    return cbk


def stat_cbk(unwind: Any) -> Any:
    def cbk(frame: Any, cookie: int, this: Any, op_ret: int, op_errno: int, buf: Any, xdata: Any) -> int:
        unwind(frame, cookie, this, op_ret, op_errno, buf, xdata)
        return 0

    return cbk


CALLBACKS = {"lookup": lookup_cbk, "stat": stat_cbk}


def script(name: str, wind: Any, unwind: Any) -> tuple[Any, Any]:
    """A fop function and its callback."""

    def fop(frame: Any, this: Any, loc: Any, xdata: Any) -> int:
        wind(frame, POINTER(xlator_t)(), loc, xdata)
        return 0

    return fop, CALLBACKS[name](unwind)


def register(library: Path) -> None:
    """Give the translator in `library` its functions."""
    dl = CDLL(str(library))
    for name, values in VALUES.items():
        wind, unwind = getattr(dl, f"original_wind_{name}"), getattr(dl, f"original_unwind_{name}")
        wind.restype, wind.argtypes = None, CALL
        unwind.restype, unwind.argtypes = None, [*REPLY, *values]
        fop, cbk = script(name, wind, unwind)
        closures = CFUNCTYPE(c_int, *CALL)(fop), CFUNCTYPE(c_int, *REPLY, *values)(cbk)
        getattr(dl, f"original_set_{name}")(*closures)
        kept.extend([dl, closures])
