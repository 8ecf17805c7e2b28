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

import errno
import fcntl
import json
import mmap
import os
import struct
import time
import uuid
from collections import deque
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Lock
from typing import Any

import glupy
from glupy import Cache, Call, Fd, Frame, Gfid, IaType, Loc, Mutex, Option, Reply, Translator

Entry = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: Of GlusterFS's own work: what its layers put into xdata, and whose extended attributes nobody else's are.
INTERNAL_KEYS = ("glusterfs-internal-fop", "trusted.glusterfs.dht.linkto")
INTERNAL_NAMES = ("trusted.glusterfs.", "trusted.afr.", "trusted.ec.", "trusted.bit-rot.", "glusterfs.")

#: The fops through which an open file comes to be changed, and what its context says then.
THROUGH = glupy.CHANGING_DATA | {"create", "open", "flush"}
OPENED, WRITTEN = "opened", "written"

#: The argument of a fop that has the extended attributes to be set.
SETTING = {"setxattr": "dict", "fsetxattr": "dict", "xattrop": "xattr", "fxattrop": "xattr"}

#: What storage/posix answers with the paths of a gfid.
PATHS = "glusterfs.gfidtopath"

#: Seconds between two warnings, from one try to open a feed to the next, and from one look at the disk to the next.
WARNING, AGAIN, FLUSH = 60, 10, 5

#: Names of extended attributes that a line has, and sequence numbers from one leap to the next.
SHOWN, LEAP = 20, 1 << 32


class Watch(Translator, fops=glupy.CHANGING | {"open", "flush"}):
    directory = Option(Path, default=Path("/var/lib/glupy/watch"), help="where the feeds are; not in a volume")
    keep = Option("size", default="256MB", min=4096, help="of all files of one feed together; the oldest goes")
    size = Option("size", default="16MB", min=1024, help="of a file of a feed, when the next one begins")
    sync = Option(bool, default=False, help="a change is on the disk, and not only in the kernel, before it is answered")
    internal = Option(bool, default=False, help="also what GlusterFS does by itself: heal, rebalance, links of distribution")
    writes = Option(str, default="all", choices=("all", "first"), help="whether each write to an open file is in the feed")

    def init(self) -> None:
        self.journal: Journal | None = None
        self.one = Mutex("the feed")
        self.paths: Cache[str, str] = Cache(10_000, timeout=60)
        self.warned, self.failed, self.missed = -float(WARNING), -float(AGAIN), 0
        self.spawn(self.begun())  # begins when the layer is in use; a change may come first
        self.every(FLUSH, self.to_disk)

    async def begun(self) -> Journal | None:
        """The journal, once it is open; None: it cannot be opened."""
        async with self.one:
            if self.journal is None and time.monotonic() - self.failed >= AGAIN:
                try:
                    self.journal = await glupy.to_thread(self.opened)
                    self.journal.lost, self.missed = self.missed, 0
                except OSError as error:
                    self.failed = time.monotonic()
                    self.complain(error)
            return self.journal

    def opened(self) -> Journal:
        where = str(self.brick_path).strip("/").replace("/", "-") if self.brick_path else self.side
        folder = self.directory / (self.volume or self.name) / where
        about = {"volume": self.volume, "brick": str(self.brick_path or ""), "host": os.uname().nodename}
        return Journal(folder, self.size, self.keep, about)

    def reconfigured(self, changed: dict[str, Any]) -> None:
        if self.journal:
            self.journal.size, self.journal.keep = self.size, self.keep

    def reloaded(self, old: Watch) -> None:
        self.journal = old.journal
        if self.journal:
            self.journal.users += 1

    def to_disk(self) -> None:
        if self.journal:
            self.journal.flush()

    def stopping(self) -> None:
        if self.journal:
            self.journal.settle()

    def fini(self) -> None:
        if self.journal:
            self.journal.close()

    # The data path

    def any_fop(self, frame: Frame, call: Call) -> Any:
        fd = written(call)
        if (call.name == "open" and not call["flags"] & os.O_TRUNC or call.name == "flush" and not (fd and fd.ctx)
                or self.writes == "first" and call.name in glupy.CHANGING_DATA and fd and fd.ctx == WRITTEN):
            return None
        names = names_set(call)
        own = internal(frame, call, names)
        return None if own and not self.internal else self.recorded(frame, call, fd, names, own)

    async def recorded(self, frame: Frame, call: Call, fd: Fd | None, names: list[str], own: bool) -> Reply:
        journal = self.journal or await self.begun()
        entry: Entry = {**described(frame, call), "names": names[:SHOWN] or None, "internal": own or None}
        await self.add_paths(frame, entry)
        body = encoded(entry)
        short = body if len(body) <= ROOM else encoded(entry, "path", "newpath", "names")
        slot = journal.pending.begin(short) if journal else None
        reply: Reply = await call.wind().or_error()
        if reply.op_ret >= 0:
            self.moved(call, entry)
            if fd:  # an open file says whether its end is worth a line
                fd.ctx = WRITTEN if call.name in glupy.CHANGING_DATA else None if call.name == "flush" else fd.ctx or OPENED
            made = getattr(reply, "buf", None) if call.name in glupy.CHANGING_NAMES else None
            if made and str(made.ia_gfid) != entry.get("gfid"):
                body = encoded({**entry, "gfid": str(made.ia_gfid)})
            if journal:
                await self.record(journal, body)
            else:
                self.missed += 1
        if journal:
            journal.pending.end(slot)
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
        if found is None and self.itable:
            loc = Loc.from_gfid(self.itable, Gfid(gfid)).replace(gfid=Gfid(gfid))
            with frame.as_root():
                reply = await self.child.getxattr(loc, PATHS).or_error()
            value = reply.dict.get_as(PATHS, "bytes", b"") if reply.op_ret >= 0 else b""
            # Of a file with several names all are there, and but for the first not always right.
            found = self.paths[gfid] = os.fsdecode(value.rstrip(b"\0").partition(b":/")[0])
        return found or ""

    def moved(self, call: Call, entry: Entry) -> None:
        """Forget paths that hold no more."""
        inode = call["oldloc"].inode if call.name == "rename" else None
        if inode and inode.ia_type == IaType.IFDIR:
            self.paths.clear()
        elif call.name in ("rename", "unlink", "rmdir"):
            self.paths.pop(entry.get("gfid", ""), None)

    async def record(self, journal: Journal, body: bytes) -> None:
        """Have a change in the feed, or count it as lost. The volume goes on in any case."""
        try:
            number = journal.append(body)
            if self.sync and journal.synced < number:
                async with self.one:  # who waited for another's turn has been served by it
                    if journal.synced < number:
                        await glupy.to_thread(journal.flush)
        except OSError as error:
            self.complain(error)

    def complain(self, error: OSError) -> None:
        if time.monotonic() - self.warned >= WARNING:
            self.warned = time.monotonic()
            self.log.warning("changes are not in the feed: %s: %s", error.filename or self.directory, error.strerror)


# What a line says


def written(call: Call) -> Fd | None:
    """The open file through which data is changed; one that nobody has opened is none."""
    fd: Fd | None = call.get("fd_out") or call.fd
    return fd if fd and not fd.anonymous and call.name in THROUGH else None


def internal(frame: Frame, call: Call, names: list[str]) -> bool:
    """Is this no change of a user's?"""
    return (frame.actor in glupy.INTERNAL or call.name in ("xattrop", "fxattrop")
            or any(key in call["xdata"] for key in INTERNAL_KEYS)
            or bool(names) and all(name.startswith(INTERNAL_NAMES) for name in names))


def names_set(call: Call) -> list[str]:
    """The extended attributes that an operation sets or removes."""
    if call.name in SETTING:
        return list(call[SETTING[call.name]])
    return [call["name"]] if call.name in ("removexattr", "fremovexattr") else []


def described(frame: Frame, call: Call) -> Entry:
    """What is known of a change before it is done: plain values only."""
    loc, newloc, xdata, copied = call.loc, call.get("newloc"), call["xdata"], call.get("fd_out")
    gfid = copied.inode.gfid if copied else call.gfid or (xdata.get_as("gfid-req", "gfid") if "gfid-req" in xdata else None)
    path = copied.inode.path() if copied else call.path
    entry: Entry = {"fop": call.name, "gfid": str(gfid) if gfid else None, "path": path}
    if loc is not None and call.name in glupy.CHANGING_NAMES:
        entry.update(parent=str(loc.pargfid) if loc.pargfid else None, name=loc.name)
    if newloc is not None:
        entry.update(newparent=str(newloc.pargfid) if newloc.pargfid else None, newname=newloc.name,
                     newpath=newloc.path)
    client = frame.client
    entry.update(uid=frame.uid, gid=frame.gid, pid=frame.pid, host=client and client.host, client=client and client.uuid)
    entry["offset"] = call.get("off_out" if copied else "offset")
    entry["size"] = len(call["vector"]) if "vector" in call else call.get("len")
    mode = call["stbuf"].ia_prot if "stbuf" in call and call["valid"] & 1 else call.get("mode")
    entry["mode"] = None if mode is None else f"{mode & 0o7777:04o}"
    return {key: value for key, value in entry.items() if value is not None}


def encoded(entry: Entry, *without: str) -> bytes:
    """An entry as the end of a line, without what is None: the journal puts number and time before it."""
    return json.dumps({key: value for key, value in entry.items() if value is not None and key not in without}).encode()[1:]


# The journal: knows files and bytes, nothing of fops


class Journal:
    """Lines in files of bounded size, each with a number and a time; it goes on where the one before it ended, however.

    All may be called on any thread; append() takes one write(2), flush() waits for the disk. Raises OSError.
    """

    def __init__(self, folder: Path, size: int, keep: int, about: Entry) -> None:
        self.size, self.keep = size, keep
        self.lock, self.flushing = Lock(), Lock()  # the first is held during a write(2), but not while the disk is waited for
        self.file, self.offset, self.lost, self.synced, self.users = -1, 0, 0, 0, 1
        self.ended: list[int] = []  # files that are complete, and not known to be on the disk
        with ExitStack() as stack:
            self.folder, claim = claimed(folder)
            stack.callback(os.close, claim)
            identify(self.folder / "feed.json", about)
            self.state = os.open(self.folder / "state", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, self.state)
            stack.callback(lambda: os.close(self.file) if self.file >= 0 else None)
            self.begin()
            self.pending = Pending(self.folder / "pending")
            for body in self.pending.left():
                self.append(body[:-1] + b', "uncertain": true}')
            self.pending.clear()
            self.held = stack.pop_all()

    def begin(self) -> None:
        """Go on with numbers: after those that there are, or far behind all that there may have been."""
        before = os.pread(self.state, 100, 0).rstrip(b"\0").decode()
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.next, crashed = self.recover(), before not in ("", "settled", self.boot)
        if crashed:
            self.next = (self.next // LEAP + 1) * LEAP
        if crashed or self.file < 0:
            self.begin_file()
        self.mark(self.boot)
        if crashed:
            self.append(encoded({"crash": "the machine ended without the feed; what was last may be missing"}))

    def recover(self) -> int:
        """Open the last file, without what is no whole line at its end; the next number."""
        files = sorted(self.folder.glob("*.feed"))
        if not files:
            return 1
        number, self.offset = int(files[-1].stem), 0
        for line in files[-1].read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n") or not whole(line, number):
                break
            number, self.offset = number + 1, self.offset + len(line)
        self.file = os.open(files[-1], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.ftruncate(self.file, self.offset)
        return number

    def append(self, body: bytes) -> int:
        """Add a line; its number. Where that fails, it is counted as lost, which the next line that can be written says."""
        with self.lock:
            try:
                if self.settled:
                    self.mark(self.boot)
                at = (EPOCH + timedelta(microseconds=time.time_ns() // 1000)).isoformat(timespec="microseconds").encode()
                lines = [b'"lost": %d}' % self.lost, body] if self.lost else [body]
                self.write(b"".join(b'{"seq": %d, "time": "%s", %s\n' % (self.next + number, at, each)
                                    for number, each in enumerate(lines)))
            except OSError:
                self.lost += 1
                raise
            self.lost, self.next = 0, self.next + len(lines)
            if self.offset >= self.size:
                with suppress(OSError):  # it is tried again after the next line
                    self.begin_file()
            return self.next - 1

    def write(self, data: bytes) -> None:
        """All of it or nothing."""
        written = -1
        try:
            written = os.write(self.file, data)
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))
        except OSError:
            if written > 0:
                os.ftruncate(self.file, self.offset)
            raise
        self.offset += written

    def begin_file(self) -> None:
        file = os.open(self.folder / f"{self.next:020}.feed", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self.file >= 0:
            self.ended.append(self.file)
        self.ended.append(os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC))  # for the name
        self.file, self.offset, total = file, 0, self.size
        for each in sorted(self.folder.glob("*.feed"), reverse=True)[1:]:
            total += each.stat().st_size
            if total > self.keep:
                each.unlink()

    def flush(self) -> None:
        """All lines so far are on the disk afterwards."""
        with self.flushing, ExitStack() as stack:
            with self.lock:
                number, files = self.next - 1, [*self.ended, os.dup(self.file)] if self.file >= 0 else []
                self.ended = []
            for file in files:
                stack.callback(os.close, file)
                if number > self.synced:
                    os.fdatasync(file)
            self.synced = max(self.synced, number)

    def mark(self, state: str) -> None:
        """Remember how the end is to be taken: as that of a process under this boot, or as one with everything written."""
        os.pwrite(self.state, state.encode().ljust(100, b"\0"), 0)
        os.fsync(self.state)
        self.settled = state == "settled"

    def settle(self) -> None:
        """Nothing is missing if the machine ends now."""
        self.flush()
        with self.lock:
            if self.synced == self.next - 1:
                self.mark("settled")

    def close(self) -> None:
        """Let go of it; who was the last one ends it."""
        self.users -= 1
        if self.users:
            return
        with self.held:
            self.settle()
            self.file, file = -1, self.file
            os.close(file)


#: Bytes of a slot, the length in front of its body, bytes of that, and how many slots there are.
SLOT, LENGTH, SLOTS = 4096, struct.Struct("<H"), 256
ROOM = SLOT - LENGTH.size


class Pending:
    """What has begun and is not in the journal yet, in memory that is a file: it is there after the process was killed."""

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, SLOT * SLOTS)  # memory for which the disk has no room would be a SIGBUS
            self.map = mmap.mmap(file, SLOT * SLOTS)
        finally:
            os.close(file)
        self.free = deque(range(0, SLOT * SLOTS, SLOT))

    def begin(self, body: bytes) -> int | None:
        """Keep a body of up to ROOM bytes; where. None: so many have begun that there is no slot for it."""
        try:
            slot = self.free.popleft()
        except IndexError:
            return None
        self.map[slot + LENGTH.size:slot + LENGTH.size + len(body)] = body
        LENGTH.pack_into(self.map, slot, len(body))  # last: a slot without a length is empty
        return slot

    def end(self, slot: int | None) -> None:
        if slot is not None:
            LENGTH.pack_into(self.map, slot, 0)
            self.free.append(slot)

    def left(self) -> list[bytes]:
        """The bodies of all slots."""
        lengths = {slot: LENGTH.unpack_from(self.map, slot)[0] for slot in self.free}
        bodies = [self.map[slot + LENGTH.size:slot + LENGTH.size + length] for slot, length in lengths.items() if length]
        return [body for body in bodies if whole(b"{" + body)]

    def clear(self) -> None:
        for slot in self.free:
            LENGTH.pack_into(self.map, slot, 0)


def whole(line: bytes, number: int | None = None) -> bool:
    """Is it an object, and that of this number?"""
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and entry.get("seq") == number


def claimed(folder: Path) -> tuple[Path, int]:
    """The folder, or NAME.1, NAME.2 and so on where another process or interpreter has it; and the file that says so."""
    for number in range(1000):
        mine = Path(f"{folder}.{number}") if number else folder
        for each in reversed((mine, *mine.parents)):  # a brick has no umask
            if not each.is_dir():
                each.mkdir(0o700, exist_ok=True)
        file = os.open(mine / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return mine, file
        except OSError:
            os.close(file)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(folder))


def identify(path: Path, about: Entry) -> None:
    """Give a feed a name that no other has, for its readers' cursors."""
    if not path.exists():
        new = path.with_suffix(".new")
        new.touch(0o600)
        new.write_text(json.dumps({"id": uuid.uuid4().hex[:12], **about}) + "\n")
        os.rename(new, path)
