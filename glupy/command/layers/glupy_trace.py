"""A line in the log for each operation that passes, as strace writes one for each system call.

`glupy run --trace` puts one above the translator and one below it.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import Any

from glupy import Buffer, Call, Dirents, Fd, Frame, Iatt, Loc, Reply, Translator, Xdata
from glupy._core import FOPS

#: What a line has of data.
SHOWN = 32

#: Seconds after which a line says that an operation has no answer yet.
LATE = 2.0

#: The fops whose flags are those of open().
_OPENING = ("open", "create", "put", "readv", "writev")
_ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR")
_FLAGS = tuple((name, getattr(os, name)) for name in (
    "O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DIRECTORY", "O_NOFOLLOW", "O_DIRECT"))


class Trace(Translator):
    def init(self) -> None:
        self.pending: dict[Call, float] = {}  # calls that no line has told of yet
        self.every(LATE / 2, self.tell_late)

    async def any_fop(self, frame: Frame, call: Call) -> Reply:
        begun = self.pending[call] = time.monotonic()
        text = f"{described(call)} uid={frame.uid} [{frame.unique}]"
        try:
            reply: Reply = await call.wind()
        except OSError as error:
            number = error.errno or 0
            self.tell(call, text, f"-1 {errno.errorcode.get(number)} ({os.strerror(number)})", begun)
            raise
        self.tell(call, text, answer(reply), begun)
        return reply

    def tell(self, call: Call, text: str, outcome: str, begun: float) -> None:
        self.pending.pop(call, None)
        self.log.info("%s = %s <%.6f>", text, outcome, time.monotonic() - begun)

    def tell_late(self) -> None:
        """Tell of operations that wait for long."""
        now = time.monotonic()
        for call in [call for call, begun in list(self.pending.items()) if now - begun > LATE]:
            if self.pending.pop(call, None) is not None:
                self.log.info("%s <no answer yet>", described(call))


def described(call: Call) -> str:
    """An operation and its arguments."""
    names = FOPS[call.name]
    shown = [argument(call.name, name, value) for name, value in zip(names, call.args) if name != "xdata" or value]
    return f"{call.name}({', '.join(shown)})"


def argument(fop: str, name: str, value: Any) -> str:
    """One of them."""
    if name == "flags" and fop in _OPENING:
        rest = [flag for flag, bits in _FLAGS if value & bits == bits]
        return "|".join([_ACCESS[value & 3] if value & 3 < 3 else "3", *rest])
    if name in ("mode", "umask"):
        return f"{stat.S_IMODE(value):04o}"
    return plain(value)


def plain(value: Any) -> str:
    """Any value."""
    match value:
        case Loc():
            return repr(value.path or f"<gfid:{value.gfid}>")
        case Fd():
            inode = value.inode
            return f"{'anonymous ' if value.anonymous else ''}fd of {inode.path() if inode.linked else 'what is made'}"
        case Buffer() | bytes():
            data = bytes(value)
            return f"{data[:SHOWN]!r}{'...' if len(data) > SHOWN else ''} {len(data)} bytes"
        case Xdata():
            return f"{{{', '.join(value)}}}"
        case Iatt():
            return f"{{{stat.filemode(value.mode)} {value.ia_uid}:{value.ia_gid} {value.ia_size} bytes}}"
        case Dirents():
            return f"[{', '.join(repr(entry.d_name) for entry in value)}]"
        case _:
            return repr(value)


def answer(reply: Reply) -> str:
    """What a reply says: its number, and the first of its fields that tells something."""
    fields = [getattr(reply, name) for name in getattr(type(reply), "__match_args__") if name != "xdata"]
    told = next((plain(value) for value in fields if isinstance(value, (Iatt, Dirents, Buffer, str))), "")
    return f"{reply.op_ret} {told}".rstrip()
