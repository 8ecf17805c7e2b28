"""Keep a record of who changed what: one line of JSON for each operation that changes data, metadata or names.

    volume recorded
        type user/audit
        option file /var/log/glusterfs/audit.json
        subvolumes brick
    end-volume

A line, here in several:

    {"time": "2026-11-23T15:30:00.439205+00:00", "client": "CTX_ID:...", "pid": 4711, "uid": 1000, "gid": 1000,
     "fop": "rename", "path": "/draft", "newpath": "/final", "gfid": "0f0a...", "result": "ok"}

time is when the operation came, in UTC; lines stand in the order in which operations ended. client is the identity of the
client on a brick and null elsewhere, pid the process's id on its own machine (negative for GlusterFS's own). path may be
null or start with <gfid:...>, as usual on bricks: gfid says what file it is. result is "ok" or an errno's name. Where
they mean something there are also bytes (what was really written), offset, len, mode, name, names, linkname and set.

The data path never waits for the file. What is to be written stands in a queue of bounded length, from which a thread
of the translator's own writes it. What finds the queue full, or cannot be written (disk full), is counted, and as soon as
the file takes lines again, one says {"time": ..., "dropped": 17}; GlusterFS's log has a warning once in `report`. So
operations = lines with a fop + the sum of dropped. Lines are handed to the kernel, not synced; when the process is killed,
those that are still in the queue are lost.

The file is opened anew when its name leads elsewhere: it may be renamed at any time, as logrotate does, without a signal.
It must not lie in the volume itself, whose changes it records.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import glupy
from glupy import Call, Frame, LoadError, Option, Reply, Translator, Wind

Entry = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: Lines written at once.
BATCH = 500

#: Seconds that fini() gives a file that takes no more lines.
PATIENCE = 10

#: Arguments worth recording, under their own names, of the fops that have them.
DETAILS = ("offset", "len", "mode", "name", "linkname")

#: What setattr may set: the bit of its argument valid (GF_SET_ATTR_MODE, ...), and the fields of its stbuf.
SETTABLE = ((1, "ia_prot"), (2, "ia_uid"), (4, "ia_gid"), (0x10, "ia_atime"), (0x20, "ia_mtime"))

#: Operations that come back with the number of bytes that were moved.
COUNTED = frozenset(("writev", "readv", "copy_file_range"))


class Audit(Translator):
    file = Option(Path, help="where to write; a name of this machine's, not of the volume's")
    queue = Option(int, default=10000, min=1, help="how many operations may wait to be written")
    reads = Option(bool, default=False, help="record also what looks only: lookups, opens, reads")
    report = Option("time", default="1min", min=1, help="how often the log says that operations were dropped")

    def init(self) -> None:
        self.fops = glupy.CHANGING | {"open"}  # an open may truncate
        if self.reads:
            self.fops |= glupy.READING | glupy.OPENING
        try:
            self.output = Output(self.file)
        except OSError as error:
            raise LoadError(f"option file: {self.file} cannot be opened: {error.strerror}") from None
        self.changed = Condition()  # guards the next five; never held while anything is written or awaited
        self.pending: deque[Entry] = deque()
        self.dropped = 0  # since the file last said so
        self.unlogged = 0  # dropped since the log last said so
        self.ending = False
        self.next_warning = 0.0
        self.writer = Thread(target=self.write, name="audit", daemon=True)
        self.writer.start()

    def fini(self) -> None:
        with self.changed:
            self.ending = True
            self.changed.notify()
        self.writer.join(PATIENCE)
        with self.changed:
            missing = self.dropped + len(self.pending)
        if missing:
            self.log.error("%d operations are missing in %s", missing, self.file)

    # The data path

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if call.name == "open" and not self.reads and not call["flags"] & os.O_TRUNC:
            return None
        return self.recorded(frame, call)

    async def recorded(self, frame: Frame, call: Call) -> Reply:
        entry = described(frame, call)
        try:
            reply: Reply = await call.wind()
        except OSError as error:
            entry["result"] = errno.errorcode.get(error.errno or 0, str(error.errno))
            self.record(entry)
            raise
        entry["result"] = "ok"
        if call.name in COUNTED:
            entry["bytes"] = reply.op_ret
        if not entry["gfid"] and call.name in glupy.CHANGING_NAMES and hasattr(reply, "buf"):
            entry["gfid"] = str(reply.buf.ia_gfid)  # of what was made just now
        self.record(entry)
        return reply

    def record(self, entry: Entry) -> None:
        with self.changed:
            if not self.ending and len(self.pending) < self.queue:
                self.pending.append(entry)
                self.changed.notify()
                return
            self.dropped += 1
            self.unlogged += 1
        self.warn()  # here, because a writer that is stuck cannot

    # The writer's thread

    def write(self) -> None:
        ended = False
        while not ended:
            with self.changed:
                self.changed.wait_for(lambda: self.pending or self.ending, self.until_warning())
                entries = [self.pending.popleft() for _ in range(min(len(self.pending), BATCH))]
                ended = self.ending and not self.pending
                if self.dropped and (entries or ended):
                    entries.insert(0, {"time": time.time_ns(), "dropped": self.dropped})
                    self.dropped = 0
            if entries:
                self.write_out(entries)
            self.warn()

    def write_out(self, entries: list[Entry]) -> None:
        """Write entries, and count again what did not get into the file."""
        lost = entries[self.output.append([encoded(entry) for entry in entries]):]
        with self.changed:
            self.dropped += sum(entry.get("dropped", 1) for entry in lost)
            self.unlogged += sum("fop" in entry for entry in lost)

    def until_warning(self) -> float | None:
        """Seconds until the log is to say something; None: there is nothing to say."""
        return max(0.0, self.next_warning - time.monotonic()) if self.unlogged else None

    def warn(self) -> None:
        with self.changed:
            if self.until_warning() != 0.0:
                return
            self.next_warning = time.monotonic() + self.report
            missing, self.unlogged = self.unlogged, 0
        self.log.warning("%d operations are not recorded in %s: %s", missing, self.file,
                         self.output.failure or f"more than {self.queue} were waiting to be written")


def described(frame: Frame, call: Call) -> Entry:
    """What is known before the operation is done. Only plain values: what is kept of a call must keep no inode alive."""
    entry: Entry = {
        "time": time.time_ns(), "client": frame.client, "pid": frame.pid, "uid": frame.uid, "gid": frame.gid,
        "fop": call.name, "path": call.path, "gfid": str(call.gfid) if call.gfid else None,
    }
    if "newloc" in call:
        entry["newpath"] = call["newloc"].path
    for name in DETAILS:
        if name in call:
            entry[name] = call[name]
    if call.name in ("setxattr", "fsetxattr", "xattrop", "fxattrop"):
        entry["names"] = list(call["dict"] if "dict" in call else call["xattr"])
    if "stbuf" in call:
        entry["set"] = {field: getattr(call["stbuf"], field) for bit, field in SETTABLE if call["valid"] & bit}
    return entry


def encoded(entry: Entry) -> bytes:
    """An entry as a line of the file."""
    at = EPOCH + timedelta(microseconds=entry["time"] // 1000)
    return json.dumps({**entry, "time": at.isoformat(timespec="microseconds")}).encode() + b"\n"


class Output:
    """A file to which whole lines are appended, and which may be renamed or removed meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure = ""  # what the last write failed with
        self.file = self.open()

    def open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def append(self, lines: list[bytes]) -> int:
        """Append lines; how many got in. The others did not, not even in part."""
        data = b"".join(lines)
        whole = written = 0
        self.failure = ""
        try:
            self.follow_name()
            while written < len(data):
                written += os.write(self.file, data[written:])
                whole = data.rfind(b"\n", 0, written) + 1
        except OSError as error:
            self.failure = error.strerror or str(error)
            self.cut(written - whole)
        return data.count(b"\n", 0, whole)

    def cut(self, count: int) -> None:
        """Take back the beginning of a line."""
        with suppress(OSError):  # what is no regular file cannot be cut
            os.ftruncate(self.file, os.fstat(self.file).st_size - count)

    def follow_name(self) -> None:
        """Go on in another file if the name leads to another, or to none."""
        with suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self.path), os.fstat(self.file)):
                return
        other = self.open()
        os.close(self.file)
        self.file = other
