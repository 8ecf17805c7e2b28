"""Remember where symbolic links lead, and answer without asking the brick.

    volume fast
        type user/skeleton
        subvolumes brick
    end-volume

What a link says cannot change: another one of its name is another inode. So what is remembered stands in the inode's
context, needs no time limit, and is forgotten with the inode. A cache of what can change has to see every change
pass, or to ask again after a time; translators/negative_lookup.py of glupy's does both.
"""

from __future__ import annotations

from glupy import Frame, Loc, ReadlinkReply, Translator, Xdata


class Skeleton(Translator):
    async def readlink(self, frame: Frame, loc: Loc, size: int, xdata: Xdata) -> ReadlinkReply:
        known: ReadlinkReply | None = loc.inode.ctx if loc.inode else None
        if known is not None and known.op_ret <= size:
            return known.replace()
        self.log.debug("%s is asked where %r leads", self.child.name, loc.path)
        reply = await self.child.readlink(loc, size, xdata)
        if loc.inode and reply.op_ret < size:  # else it may be cut short
            loc.inode.ctx = reply.replace(xdata={})
        return reply
