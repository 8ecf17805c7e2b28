"""Does all that a translator may do with awaits, tasks, contexts and threads, while it changes nothing: for tests in which
graphs are busy, and for the soak run (tests/soak).

getxattr user.busy.NAME answers with counts, as JSON; setxattr user.busy.cancel cancels the latest tasks of files.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
import zlib
from collections import Counter, deque
from typing import Any

import glupy
from glupy import Fd, GetxattrReply, Loc, Option, Translator, gather, sleep, to_thread

NAMES = 64  # kept with each folder
CANCELLED = 16  # tasks that are kept in order to be cancelled
KEPT = 32


class Known:
    """What is kept with an inode."""

    alive = 0

    def __init__(self) -> None:
        Known.alive += 1
        self.names: dict[str, tuple[Any, float]] = {}
        self.pending: Any = None
        self.settled = 0

    def __del__(self) -> None:
        Known.alive -= 1

    def remember(self, name: str, gfid: Any) -> None:
        """The latest NAMES names of a folder."""
        self.names.pop(name, None)
        self.names[name] = gfid, time.monotonic()
        while len(self.names) > NAMES:
            del self.names[next(iter(self.names))]


class Opened:
    """What is kept with an fd."""

    alive = 0

    def __init__(self) -> None:
        Opened.alive += 1
        self.reads = 0
        self.crc = 0

    def __del__(self) -> None:
        Opened.alive -= 1


class Busy(Translator):
    quiet = Option(float, default=0.2, min=0.0, help="seconds without a write after which a file has settled")
    pace = Option(int, default=8, min=1, help="one in so many fops does what costs more")

    inode_ctx = Known
    fd_ctx = Opened

    def init(self) -> None:
        self.turn = 0
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.waiting: deque[Any] = deque()
        self.long: deque[Any] = deque()
        self.kept: deque[Any] = deque(maxlen=KEPT)
        self.pending: deque[Any] = deque(maxlen=CANCELLED)
        self.every(0.05, self.settle)
        self.every(0.5, self.look)
        self.spawn(self.crawl())
        self.log.info("%s begins", self.name)

    def notify(self, event: glupy.Event, data: Any) -> None:
        self.counts["events"] += 1

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.counts["reconfigured"] += 1

    def stopping(self) -> None:
        self.log.info("%s stops", self.name)

    def fini(self) -> None:
        self.log.info("%s ends", self.name)

    def costly(self) -> bool:
        self.turn += 1
        return self.turn % self.pace == 0

    # What goes on in the background

    async def settle(self) -> None:
        """Lets those go on who wait, and cancels what began a while ago."""
        while self.waiting:
            self.waiting.popleft().set_result(None)
        self.long.append(self.spawn(self.endless()))
        while len(self.long) > CANCELLED:
            self.long.popleft().cancel()

    async def endless(self) -> None:
        """Ends by being cancelled."""
        self.counts["begun"] += 1
        try:
            await gather(sleep(1000), self.inner(), glupy.Future(), self.inner())
        finally:
            self.counts["closed"] += 1

    async def inner(self) -> None:
        self.counts["begun"] += 1
        try:
            await gather(sleep(2000), glupy.Future())
        finally:
            self.counts["closed"] += 1

    def look(self) -> None:
        """On a thread of its own."""
        with self.lock:
            self.counts["looks"] += 1
        for loc in list(self.kept):
            try:
                assert loc.gfid is not None and loc.inode.refs
            except ReferenceError:
                self.counts["gone"] += 1

    async def crawl(self) -> None:
        """Reads the root's entries, again and again."""
        table = await self.itable_ready()
        while True:
            root = Loc.from_inode(table.root)
            fd = Fd.create(root.inode)
            await self.child.opendir(root, fd)
            offset = 0
            while entries := (await self.child.readdirp(fd, 4096, offset)).entries:
                offset = entries[-1].d_off
            self.counts["crawls"] += 1
            await sleep(0.5)

    async def settled(self, inode: Any) -> None:
        """Once a file has not been written to for a while."""
        self.counts["debounces"] += 1
        await sleep(self.quiet)
        try:
            await self.child.stat(Loc.from_inode(inode))
        except OSError:
            self.counts["vanished"] += 1
        inode.ctx.settled += 1
        self.counts["settled"] += 1

    def touched(self, inode: Any) -> None:
        known = inode.ctx
        if known.pending:
            known.pending.cancel()
        known.pending = task = self.spawn(self.settled(inode))
        self.pending.append(task)

    # What is asked

    async def lookup(self, frame: Any, loc: Any, xdata: Any) -> Any:
        reply = await self.child.lookup(loc, xdata)
        if loc.parent:
            loc.parent.ctx.remember(loc.name, reply.buf.ia_gfid)
        return reply

    async def pause(self) -> None:
        await sleep(0)

    async def stat(self, frame: Any, loc: Any, xdata: Any) -> Any:
        if not self.costly():
            return self.child.stat(loc, xdata)
        reply, _, _ = await gather(self.child.stat(loc, xdata), self.pause(), self.child.statfs(loc))
        return reply

    async def fstat(self, frame: Any, fd: Any, xdata: Any) -> Any:
        fd.ctx.reads += 1
        return await self.child.fstat(fd, xdata)

    def setattr(self, frame: Any, loc: Any, stbuf: Any, valid: Any, xdata: Any) -> None:
        self.counts["setattrs"] += 1

    async def create(self, frame: Any, loc: Any, flags: Any, mode: Any, umask: Any, fd: Any, xdata: Any) -> Any:
        reply = await self.child.create(loc, flags, mode, umask, fd, xdata)
        fd.ctx.reads = 0
        loc.inode.ctx.settled = 0
        return reply

    async def open(self, frame: Any, loc: Any, flags: Any, fd: Any, xdata: Any) -> Any:
        reply = await self.child.open(loc, flags, fd, xdata)
        fd.ctx.reads = 0
        return reply

    async def readv(self, frame: Any, fd: Any, size: Any, offset: Any, flags: Any, xdata: Any) -> Any:
        if not self.costly():
            return self.child.readv(fd, size, offset, flags, xdata)
        reply = await self.child.readv(fd, size, offset, flags, xdata)
        fd.ctx.crc = await to_thread(zlib.crc32, memoryview(reply.data))
        return reply

    async def writev(self, frame: Any, fd: Any, vector: Any, offset: Any, flags: Any, xdata: Any) -> Any:
        reply = await self.child.writev(fd, vector, offset, flags, xdata)
        self.touched(fd.inode)
        return reply

    async def flush(self, frame: Any, fd: Any, xdata: Any) -> Any:
        if self.costly():
            future: Any = glupy.Future()
            self.waiting.append(future)
            await future
        return self.child.flush(fd, xdata)

    async def unlink(self, frame: Any, loc: Any, xflags: Any, xdata: Any) -> Any:
        file = loc.replace(gfid=loc.gfid)
        with frame.as_root():
            [answer] = await gather(self.child.getxattr(file, "trusted.busy"), return_exceptions=True)
        self.counts[type(answer).__name__] += 1
        return await self.child.unlink(loc, xflags, xdata)

    async def rename(self, frame: Any, oldloc: Any, newloc: Any, xdata: Any) -> Any:
        self.kept.append(oldloc)
        return await self.child.rename(oldloc, newloc, xdata)

    async def readdirp(self, frame: Any, fd: Any, size: Any, offset: Any, xdata: Any) -> Any:
        reply = await self.child.readdirp(fd, size, offset, xdata)
        for entry in reply.entries:
            if entry.inode is not None:
                fd.inode.ctx.remember(entry.d_name, entry.d_stat.ia_gfid)
        return reply

    @glupy.offload
    def statfs(self, frame: Any, loc: Any, xdata: Any) -> Any:
        return glupy.wait(self.child.statfs(loc, xdata))

    async def any_fop(self, frame: Any, call: Any) -> Any:
        return await call.wind()

    def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        if name != f"user.busy.{self.name}":
            return None
        return GetxattrReply({name: json.dumps(self.told()).encode()})

    def setxattr(self, frame: Any, loc: Any, dict: Any, flags: Any, xdata: Any) -> None:
        if "user.busy.cancel" in dict:
            for task in list(self.pending):
                self.counts["told to end"] += task.cancel()

    def told(self) -> dict[str, Any]:
        return {
            "known": Known.alive, "opened": Opened.alive, "waiting": len(self.waiting), "pending": len(self.pending),
            "blocks": sys.getallocatedblocks(), "objects": len(gc.get_objects()), "threads": threading.active_count(),
            "table": self.itable and self.itable.counts(), **self.counts,
        }

    # What ends

    def forget(self, inode: Any) -> None:
        self.counts["forgets"] += 1
        inode.ctx.names.clear()

    def release(self, fd: Any) -> None:
        self.counts["releases"] += 1

    def releasedir(self, fd: Any) -> None:
        self.counts["releasedirs"] += 1
