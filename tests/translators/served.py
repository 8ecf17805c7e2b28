"""Keeps with each open file what was written, in the interpreter that serves it; getxattr user.counts gives the sums."""

from __future__ import annotations

from typing import Any

from glupy import Fd, GetxattrReply, Translator


class Served(Translator):
    async def create(self, frame: Any, loc: Any, flags: int, mode: int, umask: int, fd: Fd, xdata: Any) -> Any:
        reply = await self.child.create(loc, flags, mode, umask, fd, xdata)
        fd.ctx = [0]
        self.shared.add("create")
        return reply

    async def writev(self, frame: Any, fd: Fd, vector: Any, offset: int, flags: int, xdata: Any) -> Any:
        reply = await self.child.writev(fd, vector, offset, flags, xdata)
        self.shared.add(f"writev {self.interpreter}")
        if fd.ctx is None:
            self.shared.add("missing")
        else:
            fd.ctx[0] += reply.op_ret
        return reply

    def release(self, fd: Fd) -> None:
        self.log.info("released in %d, %d bytes", self.interpreter, fd.ctx[0])
        self.shared.add("release")

    def getxattr(self, frame: Any, loc: Any, name: str, xdata: Any) -> Any:
        if name != "user.counts":
            return self.child.getxattr(loc, name, xdata)
        counts = {key: self.shared.get(key) for key in self.shared.keys()}
        return GetxattrReply({name: repr({"missing": 0, **counts}).encode()})
