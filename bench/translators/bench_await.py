"""Takes part in each fop that the bench sends with a coroutine that awaits one wind."""

from __future__ import annotations

from glupy import (
    Buffer, CreateReply, Fd, Frame, GetxattrReply, Loc, LookupReply, OpenReply, ReaddirpReply, ReadvReply, StatReply,
    Translator, WritevReply, Xdata,
)


class Await(Translator):
    async def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> LookupReply:
        return await self.child.lookup(loc, xdata)

    async def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> StatReply:
        return await self.child.stat(loc, xdata)

    async def open(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> OpenReply:
        return await self.child.open(loc, flags, fd, xdata)

    async def create(
        self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata,
    ) -> CreateReply:
        return await self.child.create(loc, flags, mode, umask, fd, xdata)

    async def readv(self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata) -> ReadvReply:
        return await self.child.readv(fd, size, offset, flags, xdata)

    async def writev(
        self, frame: Frame, fd: Fd, vector: Buffer, offset: int, flags: int, xdata: Xdata,
    ) -> WritevReply:
        return await self.child.writev(fd, vector, offset, flags, xdata)

    async def readdirp(self, frame: Frame, fd: Fd, size: int, offset: int, xdata: Xdata) -> ReaddirpReply:
        return await self.child.readdirp(fd, size, offset, xdata)

    async def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> GetxattrReply:
        return await self.child.getxattr(loc, name, xdata)
