"""Awaits one wind in a Mutex that nobody else wants: an instance's own, or that of the inode."""

from __future__ import annotations

from glupy import Frame, Loc, Mutex, Option, StatReply, Translator, Xdata


class Locked(Translator):
    of_inode = Option(bool, default=False)

    def init(self) -> None:
        self.mutex = Mutex("bench")

    async def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> StatReply:
        async with loc.inode.lock() if self.of_inode and loc.inode else self.mutex:
            return await self.child.stat(loc, xdata)
