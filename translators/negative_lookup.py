"""Remember which names do not exist, and answer for them without asking the brick.

Programs look for files that are not there all the time: along search paths, for configuration files and caches. Each
such lookup normally goes all the way down. This translator remembers the pair (directory, name) of a lookup that ended
in ENOENT and answers the next one itself, until an operation that passes through it makes the name, or `timeout` ends.

    volume fast
        type user/negative_lookup
        option limit 100000
        subvolumes brick
    end-volume

Directories are remembered by gfid: a renamed one takes its names along, and a removed one's names only wait for their
turn to be dropped, because its gfid does not come back. On a brick every change passes through here. On a client, what
other clients make is not seen before `timeout`: choose it as you would for performance/nl-cache.

A lookup's ENOENT may be on its way up while a create for the same name goes down and comes back. What it says is stale
then and must not be remembered: `changes` counts what was made, and a lookup counts only if nothing was meanwhile.
"""

from __future__ import annotations

import errno
from collections.abc import Coroutine
from threading import Lock
from typing import Any, TypeVar

from glupy import (
    Buffer, Cache, CreateReply, Failure, Fd, Frame, Gfid, LinkReply, Loc, LookupReply, MkdirReply, MknodReply,
    NamelinkReply, Option, PutReply, RenameReply, Reply, SymlinkReply, Translator, Wind, Xdata, fail,
)

R = TypeVar("R", bound=Reply)
Name = tuple[Gfid, str]

MISSING = fail(errno.ENOENT)


def name_of(loc: Loc) -> Name | None:
    """Directory and name that a loc stands for; None for one that goes by gfid alone, and for the root."""
    return (loc.pargfid, loc.name) if loc.pargfid and loc.name else None


class NegativeLookup(Translator):
    limit = Option(int, default=65536, min=1, help="names remembered; the one not asked for longest is dropped first")
    timeout = Option("time", default="1min", min=1, help="how long a name is taken to be missing")

    def init(self) -> None:
        self.missing: Cache[Name, bool] = Cache(self.limit, self.timeout)
        self.lock = Lock()  # what is learned is noted on many threads; never held while anything is awaited
        self.changes = [0] * 4096  # by hash of the name

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.missing.limit, self.missing.timeout = self.limit, self.timeout

    def fini(self) -> None:
        self.log.info("%d lookups answered here, %d asked of %s, %d names remembered",
                      self.missing.hits, self.missing.misses, self.child.name, len(self.missing))

    def lookup(
        self, frame: Frame, loc: Loc, xdata: Xdata,
    ) -> Failure | Coroutine[Any, Any, LookupReply] | None:
        name = name_of(loc)
        if name is None:
            return None
        if self.missing.get(name):
            return MISSING
        return self.ask(name, loc, xdata)

    async def ask(self, name: Name, loc: Loc, xdata: Xdata) -> LookupReply:
        slot = hash(name) % len(self.changes)
        before = self.changes[slot]
        reply = await self.child.lookup(loc, xdata).or_error()
        if reply.op_ret < 0 and reply.op_errno == errno.ENOENT:
            with self.lock:
                if self.changes[slot] == before:
                    self.missing[name] = True
        return reply

    async def made(self, loc: Loc, wind: Wind[R]) -> R:
        """Await what makes a name. Forget it afterwards, on failure too: EEXIST means it is there, ENOTCONN nothing."""
        try:
            return await wind
        finally:
            name = name_of(loc)
            with self.lock:
                self.changes[hash(name) % len(self.changes)] += 1
                if name:
                    self.missing.pop(name)

    async def create(
        self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata,
    ) -> CreateReply:
        return await self.made(loc, self.child.create(loc, flags, mode, umask, fd, xdata))

    async def mkdir(self, frame: Frame, loc: Loc, mode: int, umask: int, xdata: Xdata) -> MkdirReply:
        return await self.made(loc, self.child.mkdir(loc, mode, umask, xdata))

    async def mknod(self, frame: Frame, loc: Loc, mode: int, rdev: int, umask: int, xdata: Xdata) -> MknodReply:
        return await self.made(loc, self.child.mknod(loc, mode, rdev, umask, xdata))

    async def symlink(self, frame: Frame, linkname: str, loc: Loc, umask: int, xdata: Xdata) -> SymlinkReply:
        return await self.made(loc, self.child.symlink(linkname, loc, umask, xdata))

    async def link(self, frame: Frame, oldloc: Loc, newloc: Loc, xdata: Xdata) -> LinkReply:
        return await self.made(newloc, self.child.link(oldloc, newloc, xdata))

    async def rename(self, frame: Frame, oldloc: Loc, newloc: Loc, xdata: Xdata) -> RenameReply:
        return await self.made(newloc, self.child.rename(oldloc, newloc, xdata))

    async def namelink(self, frame: Frame, loc: Loc, xdata: Xdata) -> NamelinkReply:
        return await self.made(loc, self.child.namelink(loc, xdata))

    async def put(
        self, frame: Frame, loc: Loc, mode: int, umask: int, flags: int, vector: Buffer, offset: int, xattr: Xdata,
        xdata: Xdata,
    ) -> PutReply:
        return await self.made(loc, self.child.put(loc, mode, umask, flags, vector, offset, xattr, xdata))
