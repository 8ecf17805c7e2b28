"""Takes part in each fop that the bench sends with a plain `def` that lets it go on."""

from __future__ import annotations

from glupy import Buffer, Fd, Frame, Loc, Translator, Xdata


class Plain(Translator):
    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> None:
        return None

    def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> None:
        return None

    def open(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> None:
        return None

    def create(self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata) -> None:
        return None

    def readv(self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata) -> None:
        return None

    def writev(self, frame: Frame, fd: Fd, vector: Buffer, offset: int, flags: int, xdata: Xdata) -> None:
        return None

    def readdirp(self, frame: Frame, fd: Fd, size: int, offset: int, xdata: Xdata) -> None:
        return None

    def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> None:
        return None
