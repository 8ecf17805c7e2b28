"""Operations that change what is used: what they may need is held, and settled by what has become of the file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Any

from glupy import INTERNAL, Call, Frame, Gfid, Iatt, IaType, Inode

from .counting import Counting
from .known import LIMIT
from .labels import LINKTO, entries, entries_of, name_key, of_directory, parent_of
from .ledger import Charge, Limit, text_of

#: Where replies have the attributes that the file has afterwards.
AFTERWARDS = ("postbuf", "postop_stbuf", "statpost", "postbuf_dst", "buf")
SET_UID, SET_GID = 0x2, 0x4


class Changing(Counting):
    # Changes of a file

    async def change(self, frame: Frame, call: Call, inode: Inode | None) -> Any:
        await self.ready.wait()
        gfid = call.gfid if inode is None or not inode.gfid else inode.gfid
        if not gfid:
            return await call.wind()
        async with self.turns(b"\1" + bytes(gfid)):
            old = await self.load(frame, gfid)
            if old is None:
                try:
                    return await call.wind()
                finally:
                    self.folders.pop(gfid)  # it may have another group now
            return await self.changed(frame, call, gfid, old)

    async def changed(self, frame: Frame, call: Call, gfid: Gfid, old: Charge) -> Any:
        keys, size, files = wanted(call, old)
        if call.get("keep_size") and call["offset"] + call["len"] > old.size and self.limited(frame, keys):
            raise OSError(errno.EOPNOTSUPP, "room behind a file's end is not counted")
        with self.ledger.hold(keys, size, files, frame.actor not in INTERNAL) as hold:
            try:
                reply = await call.wind()
            except OSError:
                self.settle(gfid, old, await self.now(frame, gfid, old, None), hold)
                raise
            buf = next((getattr(reply, name) for name in AFTERWARDS if hasattr(reply, name)), None)
            self.settle(gfid, old, await self.now(frame, gfid, old, buf), hold)
            return reply

    def limited(self, frame: Frame, keys: Iterable[str]) -> bool:
        limits = [self.ledger.limit(key) for key in keys]
        return frame.actor not in INTERNAL and any(limit and limit.bytes is not None for limit in limits)

    async def now(self, frame: Frame, gfid: Gfid, old: Charge, buf: Iatt | None) -> Charge:
        """What a file is counted with after a change: by what the reply says, else by looking."""
        if buf is not None and buf.ia_gfid == gfid:
            return old._replace(uid=buf.ia_uid, gid=buf.ia_gid, size=buf.ia_size)
        found = await self.found(frame, self.nameless(gfid)) if gfid not in self.ledger.gone else None
        return Charge.of(found.buf, found.xdata)._replace(label=old.label) if found else old

    # Names

    async def make(self, frame: Frame, call: Call) -> Any:
        await self.ready.wait()
        loc, above = call["loc"], parent_of(call["loc"])
        key = name_key(loc)
        async with self.turns(key):
            there = await self.found(frame, self.named(loc)) if call.name in ("create", "put") else None
            if there and there.buf.ia_type != IaType.IFDIR:
                gfid = there.buf.ia_gfid
                async with self.turns(b"\1" + bytes(gfid)):
                    old = await self.load(frame, gfid)
                    return await (self.changed(frame, call, gfid, old) if old else call.wind())
            folder = await self.folder(frame, above)
            charge = Charge(frame.uid, frame.gid if folder.gid is None else folder.gid, made_size(call),
                            entries(key, folder.limited), LINKTO in call["xdata"])
            with self.ledger.hold(charge.keys(), charge.size, charge.files, frame.actor not in INTERNAL) as hold:
                reply = await call.wind()
                buf = reply.buf
                new = charge._replace(uid=buf.ia_uid, gid=buf.ia_gid, size=buf.ia_size, label=frozenset())
                folder = await self.folder(frame, above)  # a count may have come by
                new = await self.labelled(frame, buf.ia_gfid, new, entries(key, folder.limited))
                self.settle(buf.ia_gfid, None, new, hold)
                return reply

    async def on_mkdir(self, frame: Frame, call: Call) -> Any:
        """To a brick that lacks a directory DHT brings it with all its attributes, a limit among them."""
        await self.ready.wait()
        text = call["xdata"].get_as(LIMIT, "bytes", None)
        if text is not None and frame.uid:
            raise PermissionError
        limit = None if text is None else Limit.read(text_of(text))
        async with self.turns(name_key(call["loc"])):
            reply = await call.wind()
            limited = (await self.folder(frame, parent_of(call["loc"]))).limited
            if limit:
                limited |= {bytes(reply.buf.ia_gfid)}
                self.ledger.limits[of_directory(bytes(reply.buf.ia_gfid))] = limit
            if limited and not await self.write_label(frame, reply.buf.ia_gfid, limited):
                self.wanted.set()
            self.folders.pop(reply.buf.ia_gfid)
            return reply

    async def on_rmdir(self, frame: Frame, call: Call) -> Any:
        """With flags, storage/posix removes what is in it as well."""
        await self.ready.wait()
        reply = await call.wind()
        if call["xflags"]:
            self.wanted.set()
        return reply

    async def on_unlink(self, frame: Frame, call: Call) -> Any:
        await self.ready.wait()
        key = name_key(call["loc"])
        async with self.turns(key):
            found = await self.found(frame, self.named(call["loc"]))
            if found is None or found.buf.ia_type == IaType.IFDIR:
                return await call.wind()
            gfid = found.buf.ia_gfid
            async with self.turns(b"\1" + bytes(gfid)):
                old = await self.load(frame, gfid)
                reply = await call.wind()
                await self.name_gone(frame, gfid, old, key)
                return reply

    async def name_gone(self, frame: Frame, gfid: Gfid, old: Charge | None, key: bytes) -> None:
        """A file has lost a name: the last one, or one of several. While it is open, it is still there."""
        if old is None:
            return
        if await self.found(frame, self.nameless(gfid)):
            self.settle(gfid, old, await self.labelled(frame, gfid, old, old.label - entries_of(key, old.label)))
            return
        inode = self.table().find(gfid)
        if inode is not None and inode.fd_count:
            self.settle(gfid, old, old)
            self.ledger.gone[gfid] = old
            inode.ctx = True  # forget() is called
        else:
            self.settle(gfid, old, None)

    def forget(self, inode: Inode) -> None:
        old = self.ledger.gone.pop(inode.gfid, None)
        if old:
            self.settle(inode.gfid, old, None)

    async def on_link(self, frame: Frame, call: Call) -> Any:
        await self.ready.wait()
        gfid, key = call["oldloc"].gfid, name_key(call["newloc"])
        async with self.turns(key, b"\1" + bytes(gfid)):
            old = await self.load(frame, gfid)
            return await (self.renamed(frame, call, gfid, old, None, key) if old else call.wind())

    async def on_rename(self, frame: Frame, call: Call) -> Any:
        await self.ready.wait()
        old_key, new_key = name_key(call["oldloc"]), name_key(call["newloc"])
        async with self.turns(old_key, new_key):
            source = await self.found(frame, self.named(call["oldloc"]))
            if source is None:
                return await call.wind()
            gfid = source.buf.ia_gfid
            if source.buf.ia_type == IaType.IFDIR:
                return await self.directory_renamed(frame, call, gfid)
            target = await self.found(frame, self.named(call["newloc"]))
            other = target.buf.ia_gfid if target else gfid
            async with self.turns(b"\1" + bytes(gfid), b"\1" + bytes(other)):
                old, replaced = await self.load(frame, gfid), await self.load(frame, other)
                if old is None or target and other == gfid:
                    return await call.wind()
                reply = await self.renamed(frame, call, gfid, old, old_key, new_key)
                if target:
                    await self.name_gone(frame, other, replaced, new_key)
                return reply

    async def renamed(self, frame: Frame, call: Call, gfid: Gfid, old: Charge, old_key: bytes | None, new_key: bytes) -> Any:
        """A file gets a name, and may lose another one."""
        above = parent_of(call["newloc"])
        kept = old.label - entries_of(old_key, old.label) if old_key else old.label
        gains = old._replace(label=kept | entries(new_key, (await self.folder(frame, above)).limited)).keys() - old.keys()
        with self.ledger.hold(gains, old.size, old.files, frame.actor not in INTERNAL) as hold:
            reply = await call.wind()
            label = kept | entries(new_key, (await self.folder(frame, above)).limited)
            self.settle(gfid, old, await self.labelled(frame, gfid, old, label), hold)
            return reply

    async def directory_renamed(self, frame: Frame, call: Call, gfid: Gfid) -> Any:
        """What is below it would have to be counted for others: mv copies it instead."""
        limited = (await self.folder(frame, parent_of(call["newloc"]))).limited
        if limited != (await self.folder(frame, parent_of(call["oldloc"]))).limited:
            if frame.actor not in INTERNAL:
                raise OSError(errno.EXDEV, "the limited directories above are others")
            self.wanted.set()
        reply = await call.wind()
        if self.ledger.fresh is not None:
            self.queue.append((gfid, limited))  # it may have left where it was to be counted
        return reply


def wanted(call: Call, old: Charge) -> tuple[set[str], int, int]:
    """Whose use a change of a file may increase, and by how much at most."""
    get = call.get
    if call.name in ("setattr", "fsetattr"):
        valid, stbuf = call["valid"], call["stbuf"]
        new = old._replace(uid=stbuf.ia_uid if valid & SET_UID else old.uid, gid=stbuf.ia_gid if valid & SET_GID else old.gid)
        return new.keys() - old.keys(), old.size, old.files
    end = 0
    if call.name == "writev":
        appends = (call["fd"].flags | call["flags"]) & os.O_APPEND
        end = (old.size if appends else call["offset"]) + len(call["vector"])
    elif call.name in ("truncate", "ftruncate"):
        end = call["offset"]
    elif call.name == "zerofill" or call.name == "fallocate" and not get("keep_size"):
        end = call["offset"] + call["len"]
    elif call.name == "copy_file_range":
        end = call["off_out"] + call["len"]
    elif call.name == "put":
        end = made_size(call)
    size = max(0, end - old.size)
    return old.keys(), size, 1 - old.files if size else 0


def made_size(call: Call) -> int:
    """How long what is made will be."""
    if call.name == "symlink":
        return len(os.fsencode(call["linkname"]))
    return int(call["offset"]) + len(call["vector"]) if call.name == "put" else 0
