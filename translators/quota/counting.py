"""Finding out what is used when a brick starts: by what was written down, or by counting while others go on."""

from __future__ import annotations

import errno

from glupy import Fd, Gfid, Iatt, IaType, Inode, Loc, Option, nameless

from .known import LIMIT, Known
from .labels import LABEL, entries, entries_of, name_key, of_directory, parts
from .ledger import Charge, Limit, key_of, text_of


class Counting(Known):
    interval = Option("time", default="1min", min=1, help="how often totals are written down for the case of a crash")

    def init(self) -> None:
        super().init()
        self.spawn(self.begin, restart="on-failure")
        self.every(self.interval, self.save)

    async def begin(self) -> None:
        """Find out what is known, and count when it has to be."""
        if not self.ready.is_set():
            await self.itable_ready()
            saved = await self.store.get("books")
            exact = saved is not None and self.ledger.load(saved)
            await self.read_root()
            await self.save()
            if not exact:
                self.ledger.begin_count()
                self.wanted.set()
            self.ready.set()
        while not self.superseded:
            await self.wanted.wait()
            if self.superseded:
                break
            self.wanted.clear()
            try:
                await self.count()
            except BaseException:
                self.wanted.set()
                raise
            await self.save()

    async def read_root(self) -> None:
        """The limits of users and groups."""
        found = (await self.child.getxattr(self.nameless(Gfid.root()), None)).dict
        limits = {key: limit for key, limit in self.ledger.limits.items() if key.startswith("dir:")}
        for name in found:
            if name.startswith(LIMIT + "."):
                limits[key_of(name.removeprefix(LIMIT))] = Limit.read(text_of(found.get_as(name, "bytes")))
        self.ledger.limits = limits

    async def count(self) -> None:
        """Count all there is. Each operation counts the files that it meets itself, so none is missed or counted twice."""
        if self.ledger.fresh is None:
            self.ledger.begin_count()
        self.queue.append((Gfid.root(), frozenset()))
        while self.queue and not self.superseded:
            await self.count_directory(*self.queue.popleft())
        if not self.wanted.is_set() and not self.superseded:
            self.ledger.end_count()

    async def count_directory(self, gfid: Gfid, above: frozenset[bytes]) -> None:
        async with self.turns(b"\2" + bytes(gfid)):
            found = await self.found(None, self.nameless(gfid))
            if found is None:
                return
            limit = found.xdata.get_as(LIMIT, "bytes", None)
            limited = above | {bytes(gfid)} if limit else above
            if limit:
                self.ledger.limits[of_directory(bytes(gfid))] = Limit.read(text_of(limit))
            label = parts(found.xdata.get_as(LABEL, "bytes", b""), 16)
            if limited != label and not await self.write_label(None, gfid, limited):
                raise OSError(errno.EIO, "a directory cannot be labelled")
            self.folders.pop(gfid)
        inode = found.inode.link(None, None, found.buf)
        fd = Fd.create(inode)
        await self.child.opendir(nameless(inode), fd)
        offset = 0
        while portion := (await self.child.readdirp(fd, 1 << 16, offset)).entries:
            for entry in portion:
                if entry.d_name not in (".", ".."):
                    await self.count_name(inode, entry.d_name, entry.d_stat, limited)
            offset = portion[-1].d_off

    async def count_name(self, folder: Inode, name: str, buf: Iatt, limited: frozenset[bytes]) -> None:
        loc = Loc.from_inode(folder).child(name)
        try:
            if not buf.ia_gfid:  # it is just being made
                async with self.turns(name_key(loc)):
                    seen = await self.found(None, self.named(loc))
                buf = seen.buf if seen else buf
            if buf.ia_type == IaType.IFDIR:
                self.queue.append((buf.ia_gfid, limited))
            elif buf.ia_gfid:
                await self.count_file(loc, buf.ia_gfid, limited)
        except OSError as error:
            self.log.warning("%s is not counted: %s", loc.path, error.strerror)

    async def count_file(self, loc: Loc, gfid: Gfid, limited: frozenset[bytes]) -> None:
        key = name_key(loc)
        async with self.turns(key, b"\1" + bytes(gfid)):
            found = await self.found(None, self.named(loc))
            if found is None or found.buf.ia_gfid != gfid:
                return  # who gave it the name has counted it
            old = self.known.get(gfid) or Charge.of(found.buf, found.xdata)
            keep = old.label if found.buf.ia_nlink > 1 and gfid in self.ledger.scanned else frozenset()
            label = keep - entries_of(key, keep) | entries(key, limited)
            self.settle(gfid, old, await self.labelled(None, gfid, old, label))

    async def stopping(self) -> None:
        if self.ready.is_set() and not self.wanted.is_set():
            await self.store.set("books", self.ledger.saved(True))
            self.clean = True
