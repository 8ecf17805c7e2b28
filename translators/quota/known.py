"""What a brick knows of its files and directories, and turns with them."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from glupy import Cache, Flag, Frame, Future, Gfid, IaType, InodeTable, Loc, Option, Translator, anew

from .labels import LABEL, LINKTO, of_directory, parent_of, parts
from .ledger import Charge, Hold, Ledger, Limit, text_of

LIMIT = "user.quota.limit"
ASKED = dict.fromkeys((LABEL, LIMIT, LINKTO), 0)

SETGID = 0o2000


class Folder(NamedTuple):
    """What a directory does to what is made in it."""

    limited: frozenset[bytes]  # the limited directories that it is in, or is
    gid: int | None  # whose its files become, if not their maker's


class Known(Translator):
    remembered = Option(int, default=65536, min=1, help="files, and directories, whose state is remembered")

    def init(self) -> None:
        self.ledger = Ledger()
        self.known: Cache[Gfid, Charge] = Cache(self.remembered)
        self.folders: Cache[Gfid, Folder] = Cache(self.remembered)
        self.taken: dict[bytes, Future[None]] = {}  # whose turn it is with a name, a file or a directory
        self.queue: deque[tuple[Gfid, frozenset[bytes]]] = deque()  # directories to be counted, with what is above them
        self.clean = False  # what is written down says that it is exact
        self.ready, self.wanted = Flag("quota's start"), Flag("a count")
        self.superseded = False  # another version of these files counts

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.known.limit = self.folders.limit = self.remembered

    def reloaded(self, old: Known) -> None:
        """What is inside goes on in the same books."""
        for name in ("ledger", "known", "folders", "taken", "queue", "ready", "wanted"):
            setattr(self, name, getattr(old, name))
        old.superseded = True
        if self.ledger.fresh is not None:
            self.wanted.set()

    # One after the other

    @asynccontextmanager
    async def turns(self, *keys: bytes) -> AsyncIterator[None]:
        """Have names, files or directories to oneself. Names are taken before files, these before directories, and several of
        a kind together, so nobody waits for one who waits."""
        mine: Future[None] = Future()  # glupy: ignore future: settled below, in a finally
        mine_are: list[bytes] = []
        try:
            for key in sorted(set(keys)):
                while (other := self.taken.setdefault(key, mine)) is not mine:
                    await other
                mine_are.append(key)
            yield
        finally:
            for key in mine_are:
                del self.taken[key]
            mine.set_result(None)

    # What a file is counted with

    def table(self) -> InodeTable:
        table = self.itable
        assert table is not None  # of a request there is always one
        return table

    def nameless(self, gfid: Gfid) -> Loc:
        return Loc(gfid=gfid, inode=self.table().find(gfid) or self.table().new())

    def named(self, loc: Loc) -> Loc:
        """What has this name now, which need not be what the caller has found there."""
        return anew(loc).replace(pargfid=parent_of(loc))

    async def found(self, frame: Frame | None, loc: Loc) -> Any:
        """A lookup's reply, or None where there is nothing. Raises OSError for what else is wrong."""
        if frame:
            with frame.as_root():
                found = await self.child.lookup(loc, ASKED).or_error()
        else:
            found = await self.child.lookup(loc, ASKED).or_error()
        if found.op_ret >= 0:
            return found
        if found.op_errno in (errno.ENOENT, errno.ESTALE):
            return None
        raise OSError(found.op_errno, os.strerror(found.op_errno))

    async def load(self, frame: Frame, gfid: Gfid) -> Charge | None:
        """What a file is counted with, from now on also where it is counted anew; None: it is no file. In its turn only."""
        charge = self.ledger.gone.get(gfid) or self.known.get(gfid)
        if charge is None:
            found = await self.found(frame, self.nameless(gfid))
            if found is None or found.buf.ia_type == IaType.IFDIR:
                return None
            charge = self.known[gfid] = Charge.of(found.buf, found.xdata)
        if self.ledger.fresh is not None and gfid not in self.ledger.scanned:
            await self.learn(frame, {entry[8:] for entry in charge.label})
            self.ledger.settle(gfid, charge, charge)
        return charge

    async def learn(self, frame: Frame | None, limited: Iterable[bytes]) -> None:
        """The limits of directories, of which a count that goes on may not have come to all."""
        for gfid in limited:
            if self.ledger.fresh is not None and of_directory(gfid) not in self.ledger.limits:
                found = await self.found(frame, self.nameless(Gfid(gfid)))
                text = found.xdata.get_as(LIMIT, "bytes", None) if found else None
                if text:
                    self.ledger.limits[of_directory(gfid)] = Limit.read(text_of(text))

    def settle(self, gfid: Gfid, old: Charge | None, new: Charge | None, hold: Hold | None = None) -> None:
        if new:
            self.known[gfid] = new
        else:
            self.known.pop(gfid)
        for key in self.ledger.settle(gfid, old, new, hold):
            size, files = self.ledger.usage(key)
            text = limit.text if (limit := self.ledger.limit(key)) else "none"
            self.log.warning("%s is beyond its soft limit: %d bytes and %d files of %s", key, size, files, text)
        if self.clean:  # somebody goes on after the end
            self.clean = False
            self.spawn(self.save())

    async def labelled(self, frame: Frame | None, gfid: Gfid, old: Charge, label: frozenset[bytes]) -> Charge:
        """A file with another label. One that cannot be written down is found by the next count."""
        if label != old.label and not await self.write_label(frame, gfid, label):
            self.wanted.set()
        return old._replace(label=label)

    async def write_label(self, frame: Frame | None, gfid: Gfid, label: frozenset[bytes]) -> bool:
        wind: Any = self.child.setxattr(self.nameless(gfid), {LABEL: b"".join(sorted(label))}, 0)
        if frame:
            with frame.as_root():
                reply = await wind.or_error()
        else:
            reply = await wind.or_error()
        if reply.op_ret < 0:
            self.log.error("%s has no label: %s", gfid, os.strerror(reply.op_errno))
        return bool(reply.op_ret >= 0)

    async def folder(self, frame: Frame | None, gfid: Gfid) -> Folder:
        folder = self.folders.get(gfid)
        if folder is None:
            async with self.turns(b"\2" + bytes(gfid)):
                found = await self.found(frame, self.nameless(gfid))
                if found is None:
                    raise FileNotFoundError
                folder = self.folders[gfid] = Folder(
                    parts(found.xdata.get_as(LABEL, "bytes", b""), 16),
                    found.buf.ia_gid if found.buf.mode & SETGID else None)
            await self.learn(frame, folder.limited)
        return folder

    async def save(self) -> None:
        """Write down what is used, for the case of a crash."""
        await self.store.set("books", self.ledger.saved(False))
