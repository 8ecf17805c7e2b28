"""Answers out of the inode table, and with data of its own."""

from __future__ import annotations

import json
from typing import Any

from glupy import (
    Buffer, Dirent, Gfid, GetxattrReply, Iatt, IaType, Loc, LookupReply, ReaddirpReply, ReadvReply, Translator,
)

#: The content of every file.
CONTENT = bytes(range(251)) * 1000


class Finds(Translator):
    def init(self) -> None:
        self.gfid = Gfid.random()

    async def find(self, path: str) -> Loc:
        """A path that the table may not know, part by part."""
        assert self.itable is not None
        loc = Loc.from_path(self.itable, path)
        if loc and loc.inode and loc.inode.linked:
            return loc
        loc = Loc.from_inode(self.itable.root)
        for name in path.strip("/").split("/"):
            loc = loc.child(name)
            reply = await self.child.lookup(loc, {"gfid-req": Gfid.random()})
            assert loc.parent is not None
            loc = loc.replace(inode=reply.inode.link(loc.parent, name, reply.buf), gfid=reply.buf.ia_gfid)
        return loc

    async def getxattr(self, frame: Any, loc: Loc, name: str, xdata: Any) -> Any:
        """user.find.PATH: what is known of it, as JSON."""
        if not name.startswith("user.find."):
            return self.child.getxattr(loc, name, xdata)
        try:
            found = await self.find(name.removeprefix("user.find."))
        except OSError as error:
            return GetxattrReply(dict={name: json.dumps({"errno": error.errno}).encode()})
        assert found.inode is not None
        buf = (await self.child.stat(found)).buf
        told = {
            "gfid": str(found.gfid), "handle": found.gfid.handle, "path": found.inode.path(), "size": buf.ia_size,
            "type": IaType(buf.ia_type).name, "ino": buf.ia_ino == found.gfid.ino, "refs": found.inode.refs,
            "table": found.inode.table.counts(),
        }
        return GetxattrReply(dict={name: json.dumps(told).encode()})

    async def readv(self, frame: Any, fd: Any, size: int, offset: int, flags: int, xdata: Any) -> ReadvReply:
        stbuf = (await self.child.fstat(fd)).buf
        buffer = Buffer.allocate(size)
        part = CONTENT[offset:offset + size]
        with memoryview(buffer) as view:
            view[:len(part)] = part
        return ReadvReply(buffer.part(0, len(part)), stbuf)

    async def lookup(self, frame: Any, loc: Loc, xdata: Any) -> Any:
        if loc.name != "made":
            return self.child.lookup(loc, xdata)
        return LookupReply(buf=self.attributes(), postparent=(await self.child.stat(Loc.from_inode(loc.parent))).buf)

    async def readdirp(self, frame: Any, fd: Any, size: int, offset: int, xdata: Any) -> ReaddirpReply:
        reply: ReaddirpReply = await self.child.readdirp(fd, size, offset, xdata)
        if offset == 0:
            reply.entries.insert(0, Dirent("made", d_stat=self.attributes(), d_off=1))
        return reply

    def attributes(self) -> Iatt:
        return Iatt(ia_gfid=self.gfid, ia_ino=self.gfid.ino, mode=IaType.IFREG.mode | 0o444, ia_nlink=1, ia_size=5)
