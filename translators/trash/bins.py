"""The bins: /.trash and a directory for each user in it, which are made when they are first needed."""

from __future__ import annotations

import errno
import os
from typing import Any, NamedTuple

from glupy import Fd, Gfid, Iatt, Inode, InodeTable, Loc, Translator, nameless

from .names import TOP, TOP_ID, bin_gfid
from .replicas import missed, who_is_away

SET_MODE_AND_OWNER = 0x7


class User(NamedTuple):
    """Whose bin it is."""

    uid: int
    gid: int


class Kept(NamedTuple):
    """A file in a bin."""

    ctime: float  # since when it is there, about
    name: str
    size: int
    bin: Inode


class Bins:
    """The bins of a brick. Who calls acts as root."""

    def __init__(self, layer: Translator) -> None:
        self.layer, self.child = layer, layer.child

    @property
    def table(self) -> InodeTable:
        table = self.layer.itable
        assert table is not None  # of a request there is always one
        return table

    def nameless(self, gfid: Gfid) -> Loc:
        return Loc(gfid=gfid, inode=self.table.find(gfid) or self.table.new())

    async def away(self, folder: Gfid) -> dict[str, bytes]:
        """Which replicas are away, for whoever changes a name in this directory and then one in a bin."""
        return await who_is_away(self.child, self.nameless(folder))

    async def of(self, user: User, away: dict[str, bytes]) -> Inode:
        """A user's bin."""
        top = await self.directory(self.table.root, TOP, TOP_ID, Iatt(ia_prot=0o711), away)
        owner = Iatt(ia_prot=0o700, ia_uid=user.uid, ia_gid=user.gid)
        return await self.directory(top, str(user.uid), user.uid, owner, away)

    async def directory(self, parent: Inode, name: str, number: int, owner: Iatt, away: dict[str, bytes]) -> Inode:
        gfid = bin_gfid(number)
        known = self.table.find(gfid)
        if known is not None:
            return known
        loc = Loc.from_inode(parent).child(name)
        reply: Any = await self.child.lookup(loc).or_error()
        if reply.op_ret < 0 and reply.op_errno == errno.ENOENT:
            await missed(self.child, parent, name, away)
            reply = await self.child.mkdir(loc, owner.ia_prot, 0, {"gfid-req": gfid}).or_error()
            if reply.op_ret < 0 and reply.op_errno == errno.EEXIST:  # another request was faster
                reply = await self.child.lookup(loc).or_error()
        if reply.op_ret < 0:
            raise OSError(reply.op_errno, f"{TOP}: {os.strerror(reply.op_errno)}")
        if reply.buf.ia_gfid != gfid:
            raise OSError(errno.EEXIST, f"there is another directory {TOP} or in it than ours")
        if reply.buf.ia_uid != owner.ia_uid:
            await self.child.setattr(loc.replace(gfid=gfid), owner, SET_MODE_AND_OWNER)
        inode: Inode = reply.inode.link(parent, name, reply.buf)
        return inode

    async def all(self) -> list[Kept]:
        """All that is kept, of all users, the oldest first."""
        kept = [file for folder in await self.inside(bin_gfid(TOP_ID)) if folder.name.isdigit()
                for file in await self.inside(bin_gfid(int(folder.name)))]
        return sorted(kept, key=lambda file: file[:2])

    async def inside(self, gfid: Gfid) -> list[Kept]:
        """What is in a directory of ours, if it is there."""
        found = await self.child.lookup(self.nameless(gfid)).or_error()
        if found.op_ret < 0:
            return []
        inode = found.inode.link(None, None, found.buf)
        fd = Fd.create(inode)
        await self.child.opendir(nameless(inode), fd)
        listed: list[Kept] = []
        offset = 0
        while portion := (await self.child.readdirp(fd, 1 << 16, offset)).entries:
            listed += [Kept(entry.d_stat.ia_ctime + entry.d_stat.ia_ctime_nsec / 1e9, entry.d_name, entry.d_stat.ia_size, inode)
                       for entry in portion if entry.d_name not in (".", "..")]
            offset = portion[-1].d_off
        return listed

    async def remove(self, file: Kept) -> None:
        """Remove a file, which may be gone by now."""
        loc = Loc.from_inode(file.bin).child(file.name)
        found = await self.child.lookup(loc).or_error()
        if found.op_ret >= 0:
            await self.child.unlink(loc.replace(gfid=found.buf.ia_gfid), 0).or_error()
