"""A feed of changes: a line of JSON for each change of data, metadata or names, in order, in files that readers follow.

    volume watched
        type user/watch
        option keep 1GB
        subvolumes brick
    end-volume

    glupy watch VOLUME                                       # the feeds of this machine's bricks, merged, as they grow
    glupy watch VOLUME --json --cursor /var/lib/indexer/at   # from where it ended the last time

A line, here in several:

    {"seq": 4711, "time": "2026-11-27T15:30:00.439205+00:00", "fop": "rename", "gfid": "0f0a...", "path": "/dir/draft",
     "parent": "8c1e...", "name": "draft", "newparent": "8c1e...", "newname": "final", "newpath": "/dir/final", "uid": 1000,
     "gid": 1000, "pid": 4711, "host": "desk", "client": "2f7e..."}

What does not apply is left out. `parent` is the directory's gfid, pid the application's; bricks have host and client, too, that
tells glusterfs processes apart. Where they mean something there are offset, size (of what was asked for), mode, names (of
extended attributes) and internal (GlusterFS's own work). The path is one of the file's, and missing where the brick knows
none. The fop flush stands for the end of an open file that was written to.

A change is in the feed before whoever made it has the answer, and nothing waits for readers: they read files. Each brick has
a folder below `directory`, and in it files NUMBER.feed, named by the first number in them; when all together have more than
`keep`, the oldest goes. Numbers go up by one, but for a leap to a multiple of 2**32 after a crash of the machine.

What was on its way when the process was killed is in the feed from the next start on, with "uncertain": true, as it may have
been done or not. After a crash of the machine there is a line with "crash", and the last seconds may be missing, or with `sync
on` only what was not answered. What could not be written (disk full) is counted: {"seq": ..., "time": ..., "lost": 17}.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import glupy
from glupy import Cache, Call, Fd, Frame, IaType, Mutex, Option, Reply, Translator, Writer

from .feed import Feed
from .lines import Entry, described, encoded, internal, names_set, opened_to_change
from .paths import path_of
from .pending import ROOM

#: What the context of an open file says.
OPENED, WRITTEN = "opened", "written"

#: Seconds from one look at the disk to the next; names of extended attributes that a line has; lines that wait to be written.
FLUSH, SHOWN, QUEUE = 5, 20, 1000


class Watch(Translator, fops=glupy.CHANGING | {"open", "flush"}):
    directory = Option(Path, default=Path("/var/lib/glupy/watch"), help="where the feeds are; not in a volume")
    keep = Option("size", default="256MB", min=4096, help="of all files of one feed together; the oldest goes")
    size = Option("size", default="16MB", min=1024, help="of a file of a feed, when the next one begins")
    sync = Option(bool, default=False, help="a change is on the disk, and not only in the kernel, before it is answered")
    internal = Option(bool, default=False, help="also what GlusterFS does by itself: heal, rebalance, links of distribution")
    writes = Option(str, default="all", choices=("all", "first"), help="whether each write to an open file is in the feed")

    def init(self) -> None:
        where = str(self.brick_path).strip("/").replace("/", "-") if self.brick_path else self.side
        about = {"volume": self.volume, "brick": str(self.brick_path or ""), "host": os.uname().nodename}
        self.feed = Feed(self.directory / (self.volume or self.name) / where, about)
        self.records: Writer[bytes] = Writer(
            self, self.feed, limit=QUEUE, called="changes", missing=lambda count: encoded({"lost": count}))
        self.choose()
        self.one = Mutex("the feed")
        self.paths: Cache[str, str] = Cache(10_000, timeout=60)
        self.spawn(self.begun())  # begins when the layer is in use; a change may come first
        self.every(FLUSH, self.to_disk)

    def choose(self) -> None:
        """What follows from the options. Nobody waits for the disk but on the Writer's thread, where several share a wait."""
        self.feed.size, self.feed.keep, self.feed.sync = self.size, self.keep, self.sync
        self.records.direct = not self.sync

    async def begun(self) -> None:
        """Have the feed opened. Where that fails, the Writer says so when there is something to write."""
        async with self.one:
            if not self.feed.pending:
                with suppress(OSError):
                    await glupy.to_thread(self.feed.open)

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.choose()

    def reloaded(self, old: Watch) -> None:
        self.feed, self.records = old.feed, old.records

    def to_disk(self) -> None:
        self.feed.flush()

    def stopping(self) -> None:
        self.feed.settle()

    # The data path

    def any_fop(self, frame: Frame, call: Call) -> Any:
        fd = opened_to_change(call)
        if (call.name == "open" and not call["flags"] & os.O_TRUNC or call.name == "flush" and not (fd and fd.ctx)
                or self.writes == "first" and call.name in glupy.CHANGING_DATA and fd and fd.ctx == WRITTEN):
            return None
        names = names_set(call)
        own = internal(frame, call, names)
        return None if own and not self.internal else self.recorded(frame, call, fd, names, own)

    async def recorded(self, frame: Frame, call: Call, fd: Fd | None, names: list[str], own: bool) -> Reply:
        if not self.feed.pending:
            await self.begun()
        entry: Entry = {**described(frame, call), "names": names[:SHOWN] or None, "internal": own or None}
        await self.add_paths(frame, entry)
        body = encoded(entry)
        short = body if len(body) <= ROOM else encoded(entry, "path", "newpath", "names")
        pending = self.feed.pending
        slot = pending.begin(short) if pending else None
        reply: Reply = await call.wind().or_error()
        if reply.op_ret >= 0:
            self.moved(call, entry)
            if fd:  # an open file says whether its end is worth a line
                fd.ctx = WRITTEN if call.name in glupy.CHANGING_DATA else None if call.name == "flush" else fd.ctx or OPENED
            made = getattr(reply, "buf", None) if call.name in glupy.CHANGING_NAMES else None
            if made and str(made.ia_gfid) != entry.get("gfid"):
                body = encoded({**entry, "gfid": str(made.ia_gfid)})
            with suppress(OSError):  # it is counted; the volume goes on in any case
                await self.records.write(body)
        if pending:
            pending.end(slot)
        return reply

    async def add_paths(self, frame: Frame, entry: Entry) -> None:
        """Ask storage/posix for paths that the inode table does not know, as a brick's often does not."""
        for path, parent, name in (("path", "parent", "name"), ("newpath", "newparent", "newname")):
            if entry.get(path, "").startswith("/"):
                continue
            if parent in entry and name in entry:
                folder = await self.path_of(frame, entry[parent])
                entry[path] = f"{folder.rstrip('/')}/{entry[name]}" if folder else None
            else:
                entry[path] = await self.path_of(frame, entry["gfid"]) or None if path == "path" and "gfid" in entry else None

    async def path_of(self, frame: Frame, gfid: str) -> str:
        found: str | None = self.paths.get(gfid)
        if found is None and self.brick_path:
            found = self.paths[gfid] = await glupy.to_thread(path_of, Path(self.brick_path), gfid)
        return found or ""

    def moved(self, call: Call, entry: Entry) -> None:
        """Forget paths that hold no more."""
        inode = call["oldloc"].inode if call.name == "rename" else None
        if inode and inode.ia_type == IaType.IFDIR:
            self.paths.clear()
        elif call.name in ("rename", "unlink", "rmdir"):
            self.paths.pop(entry.get("gfid", ""), None)
