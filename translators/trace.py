"""Write down each operation with its arguments, its result and how long it took: one line of JSON each.

    volume traced
        type user/trace
        option file /var/log/glusterfs/trace.json
        option slower 0.1
        subvolumes brick
    end-volume

A line, here in several:

    {"time": "2026-11-27T15:30:00.439205+00:00", "us": 812, "fop": "writev", "path": "/draft", "gfid": "0f0a...",
     "uid": 1000, "gid": 1000, "pid": 4711, "client": null, "args": {"fd": {"flags": 2}, "vector": {"bytes": 12},
     "offset": 0, "flags": 0}, "result": 12}

time is when the operation came, us how many microseconds went by until its answer. args has each argument: data only by its
number of bytes, xdata and extended attributes only by their names. result is what GlusterFS calls op_ret (0, a number of bytes
or of entries) or the name of an error; "attributes" is what the reply says of the file. client is that of a brick.

Lines go to `file`, or to `socket`, a local stream socket on which somebody listens; without both to GlusterFS's log, at
INFO. When a file has `size`, it becomes FILE.1, what was that FILE.2, and so on up to `keep`.

Only operations that pass all filters are written: only, uid, path, internal, errors, slower. All options can be changed
while the graph is up. `option enabled off`, which every translator has, takes it out of the way: no operation enters
Python then.

The data path never waits for the file or who listens: lines stand in a queue of bounded length, from which a thread of the
translator's own writes. What finds it full, or cannot be written, is counted; {"time": ..., "dropped": 17} stands in its
place as soon as lines are taken again, and the log has a warning, at most one a minute. A process that is killed loses what
is in the queue.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Protocol

import glupy
from glupy import Buffer, Call, Fd, Flock, Frame, Iatt, Loc, Option, Reply, Translator, Xdata

Entry = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

ALL = glupy.READING | glupy.OPENING | glupy.CHANGING | glupy.SYNCING | glupy.LOCKING

#: Lines written at once, and entries of a list that are shown.
BATCH, SHOWN = 500, 20

#: Seconds that the end waits for lines to be taken, that a listener may keep the writer, and between two warnings.
PATIENCE, LISTENER, WARNING = 3, 5, 60

#: Fields of replies that say what a file is like, the first that a reply has.
ATTRIBUTES = ("buf", "stbuf", "postbuf", "postop_stbuf")


class Fops(Option[str]):
    """The option `only`, which is refused where it names none."""

    def parse(self, text: str) -> str:
        glupy.fops_named(text, ALL)
        return text


class Trace(Translator):
    file = Option(Path, default=None, help="where to write; a name of this machine's, not of the volume's")
    socket = Option(Path, default=None, help="a local stream socket to write to, if not to a file")
    size = Option("size", default="64MB", min=4096, help="of a file that is complete, and gives its name to the next")
    keep = Option(int, default=4, min=0, max=1000, help="how many complete files there are")
    only = Fops(str, default="all", help="which: names and patterns of fops, all, reading, opening, changing, "
                "changing-data, changing-metadata, changing-names, removing, syncing, locking, with | in between")
    uid = Option(int, default=-1, min=-1, help="of this user alone; -1: of all")
    path = Option(str, default="*", help="whose path fits this pattern, in which * stands also for slashes")
    internal = Option(bool, default=True, help="also what GlusterFS does by itself: heal, rebalance")
    errors = Option(bool, default=False, help="only those that fail")
    slower = Option(float, default=0.0, min=0.0, help="only those that take so many seconds or more")
    queue = Option(int, default=10000, min=1, help="how many lines may wait to be written")

    def init(self) -> None:
        self.fops = ALL
        self.changed = Condition()  # guards the next four; never held while anything is written or awaited
        self.pending: deque[Entry] = deque()
        self.dropped = 0  # since the last line that said so
        self.idle = True  # nothing is being written
        self.ending = False
        self.warned = -float(WARNING)
        self.choose()
        self.writer = Thread(target=self.write_all, name="trace", daemon=True)
        self.writer.start()

    def choose(self) -> None:
        """What follows from the options."""
        self.wanted = glupy.fops_named(self.only, ALL)
        self.output = self.chosen_output()

    def chosen_output(self) -> Output:
        if self.file:
            place = Path(f"{self.file}.{self.interpreter}") if self.interpreter else self.file
            return Files(place, self.size, self.keep)
        if self.socket:
            return Socket(self.socket)
        return Log(self.log.info)

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.choose()  # the writer closes the old output

    def stopping(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.idle and not self.pending, PATIENCE)

    def fini(self) -> None:
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        self.writer.join(PATIENCE)

    # The data path

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if (call.name not in self.wanted or self.uid not in (-1, frame.uid) or not (self.internal or frame.pid >= 0)
                or (self.path != "*" and not fnmatchcase(call.path or "", self.path))):
            return None
        return self.traced(frame, call)

    async def traced(self, frame: Frame, call: Call) -> Reply:
        at, begin, path = time.time_ns(), time.monotonic_ns(), call.path
        reply: Reply = await call.wind().or_error()
        took = time.monotonic_ns() - begin
        if took >= self.slower * 10**9 and (reply.op_ret < 0 or not self.errors):
            self.record({"time": at, "us": took // 1000, "fop": call.name, "path": path, **described(frame, call, reply)})
        return reply

    def record(self, entry: Entry) -> None:
        with self.changed:
            if self.ending or len(self.pending) >= self.queue:
                self.dropped += 1
            else:
                self.pending.append(entry)
            self.changed.notify_all()

    # The writer's thread

    def write_all(self) -> None:
        ended, output = False, self.output
        while not ended:
            with self.changed:
                self.idle = True
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.pending or self.ending)
                self.idle = False
                entries = [self.pending.popleft() for _ in range(min(len(self.pending), BATCH))]
                ended = self.ending and not self.pending
                if self.dropped:
                    entries.insert(0, {"time": time.time_ns(), "dropped": self.dropped})
                    self.dropped = 0
            if output is not self.output:
                output.close()
                output = self.output
            self.write_out(output, entries)
        output.close()

    def write_out(self, output: Output, entries: list[Entry]) -> None:
        try:
            taken, why = output.take([encoded(entry) for entry in entries]), "more were waiting than option queue lets"
        except OSError as error:
            taken, why = 0, error.strerror or str(error)
        missing = sum(entry.get("dropped", 1) for entry in entries[taken:])
        with self.changed:
            self.dropped += missing
        lost = missing or sum(entry.get("dropped", 0) for entry in entries)
        if lost and time.monotonic() - self.warned >= WARNING:
            self.warned = time.monotonic()
            self.log.warning("%d operations are not in the trace (%s): %s", lost, output, why)


# What a line says


def described(frame: Frame, call: Call, reply: Reply) -> Entry:
    """Plain values only: what waits in the queue must keep no inode and no data alive."""
    entry: Entry = {
        "gfid": str(call.gfid) if call.gfid else None, "uid": frame.uid, "gid": frame.gid, "pid": frame.pid,
        "client": frame.client,
        "args": {name: plain(call[name]) for name in call if name != "xdata" or call[name]},
        "result": reply.op_ret if reply.op_ret >= 0 else errno.errorcode.get(reply.op_errno, str(reply.op_errno)),
    }
    for name in ATTRIBUTES if reply.op_ret >= 0 else ():
        if hasattr(reply, name):
            entry["attributes"] = plain(getattr(reply, name))
            break
    return entry


def plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, Buffer)):
        return {"bytes": len(value)}
    if isinstance(value, Loc):
        return {"path": value.path, "gfid": str(value.gfid) if value.gfid else None}
    if isinstance(value, Fd):
        return {"flags": value.flags, "anonymous": value.anonymous, "gfid": str(value.inode.gfid)}
    if isinstance(value, Xdata):
        return sorted(value)[:SHOWN]
    if isinstance(value, Iatt):
        return {"gfid": str(value.ia_gfid), "mode": oct(value.mode), "uid": value.ia_uid, "gid": value.ia_gid,
                "size": value.ia_size, "nlink": value.ia_nlink}
    if isinstance(value, Flock):
        return {name: getattr(value, name) for name in ("l_type", "l_whence", "l_start", "l_len", "l_pid")}
    return str(value)[:200]


def encoded(entry: Entry) -> bytes:
    """An entry as a line."""
    at = EPOCH + timedelta(microseconds=entry["time"] // 1000)
    return json.dumps({**entry, "time": at.isoformat(timespec="microseconds")}).encode() + b"\n"


# Where lines go. Used by the writer's thread alone, which may block.


class Output(Protocol):
    def take(self, lines: list[bytes]) -> int:
        """Write whole lines, the first first; how many got in. Raises OSError where none did."""

    def close(self) -> None: ...


class Log:
    def __init__(self, say: Callable[..., None]) -> None:
        self.say = say

    def __str__(self) -> str:
        return "the log"

    def take(self, lines: list[bytes]) -> int:
        for line in lines:
            self.say("%s", line.decode().rstrip())
        return len(lines)

    def close(self) -> None:
        pass


class Files:
    """A file, and those that were complete before it: FILE.1 the latest of them."""

    def __init__(self, path: Path, size: int, keep: int) -> None:
        self.path, self.size, self.keep = path, size, keep

    def __str__(self) -> str:
        return str(self.path)

    def take(self, lines: list[bytes]) -> int:
        data = b"".join(lines)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            before = os.fstat(file).st_size
            written = os.write(file, data)
            whole = data.rfind(b"\n", 0, written) + 1
            if whole < written:  # the disk is full: no half lines
                os.ftruncate(file, before + whole)
        finally:
            os.close(file)
        if before + whole >= self.size:
            self.rotate()
        return data.count(b"\n", 0, whole)

    def rotate(self) -> None:
        names = [self.path, *(Path(f"{self.path}.{number + 1}") for number in range(self.keep))]
        for older, newer in zip(reversed(names), reversed(names[:-1])):
            with suppress(FileNotFoundError):
                os.rename(newer, older)
        if not self.keep:
            os.unlink(self.path)

    def close(self) -> None:
        pass


class Socket:
    """A stream to whoever listens at a path, begun anew when it has broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: socket.socket | None = None

    def __str__(self) -> str:
        return str(self.path)

    def take(self, lines: list[bytes]) -> int:
        if self.stream is None:
            self.stream = self.connected()
        for number, line in enumerate(lines):
            try:
                self.stream.sendall(line)
            except OSError:  # after half a line, perhaps: who listens sees the stream end
                self.close()
                return number
        return len(lines)

    def connected(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(LISTENER)
        try:
            stream.connect(str(self.path))
        except OSError:
            stream.close()
            raise
        return stream

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None
