"""Extended attributes that it answers itself, with and without a method of its own beneath: option beneath."""

from __future__ import annotations

import errno
from typing import Any

import glupy
from glupy import Translator


class Virtual(Translator):
    def init(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        self.asked: list[Any] = []

    @glupy.xattr("user.v.text", "user.v.*", who="anyone", listed=["user.v.text"])
    async def open_to_all(self, frame: Any, loc: Any, name: str) -> Any:
        self.asked.append((loc.path, loc.gfid, name))
        if name == "user.v.none":
            return None
        if name == "user.v.fails":
            raise OSError(errno.EDQUOT, "")
        if name == "user.v.size":
            return str((await self.child.stat(loc)).buf.ia_size)
        return self.kept.get((str(loc.gfid), name), b"nothing")

    @open_to_all.setter(who="root")
    def keep(self, frame: Any, loc: Any, name: str, value: bytes | None) -> None:
        if value is None:
            del self.kept[str(loc.gfid), name]
        else:
            self.kept[str(loc.gfid), name] = value

    @glupy.xattr("trusted.v", listed=True)
    def for_root(self, frame: Any, loc: Any, name: str) -> str:
        return "ünï"


class WithMethods(Virtual):
    """And methods of its own, to which all else goes."""

    async def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        if name == "user.own":
            return glupy.GetxattrReply({name: b"own"})
        return self.child.getxattr(loc, name, xdata)

    def setxattr(self, frame: Any, loc: Any, dict: Any, flags: int, xdata: Any) -> None:
        self.asked.append(sorted(dict))

    @glupy.offload
    def fgetxattr(self, frame: Any, fd: Any, name: Any, xdata: Any) -> Any:
        return glupy.wait(self.child.fgetxattr(fd, name, xdata))


class WithAny(Virtual):
    """And a handler of all fops."""

    def any_fop(self, frame: Any, call: Any) -> Any:
        self.asked.append(call.name)
        return call.wind()


class WithOffloadedAny(Virtual):
    @glupy.offload
    def any_fop(self, frame: Any, call: Any) -> Any:
        self.asked.append(call.name)
        return glupy.wait(call.wind())


__glupy__ = Virtual
