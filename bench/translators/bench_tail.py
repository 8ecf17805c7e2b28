"""Takes part in each fop that the bench sends with a plain `def` that returns a wind: a tail wind."""

from __future__ import annotations

from glupy import (
    Buffer, CreateReply, Fd, Frame, GetxattrReply, Loc, LookupReply, OpenReply, ReaddirpReply, ReadvReply, StatReply,
    Translator, Wind, WritevReply, Xdata,
)


class Tail(Translator):
    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> Wind[LookupReply]:
        return self.child.lookup(loc, xdata)

    def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> Wind[StatReply]:
        return self.child.stat(loc, xdata)

    def open(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> Wind[OpenReply]:
        return self.child.open(loc, flags, fd, xdata)

    def create(
        self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata,
    ) -> Wind[CreateReply]:
        return self.child.create(loc, flags, mode, umask, fd, xdata)

    def readv(self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata) -> Wind[ReadvReply]:
        return self.child.readv(fd, size, offset, flags, xdata)

    def writev(
        self, frame: Frame, fd: Fd, vector: Buffer, offset: int, flags: int, xdata: Xdata,
    ) -> Wind[WritevReply]:
        return self.child.writev(fd, vector, offset, flags, xdata)

    def readdirp(self, frame: Frame, fd: Fd, size: int, offset: int, xdata: Xdata) -> Wind[ReaddirpReply]:
        return self.child.readdirp(fd, size, offset, xdata)

    def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> Wind[GetxattrReply]:
        return self.child.getxattr(loc, name, xdata)
