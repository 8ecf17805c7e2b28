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

The data path never waits for the file or who listens: lines stand in a queue of bounded length, from which a Writer takes
them. What finds it full, or cannot be written, is counted; {"time": ..., "dropped": 17} stands in its
place as soon as lines are taken again, and the log has a warning, at most one a minute. A process that is killed loses what
is in the queue.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import glupy
from glupy import Buffer, Call, Fd, Flock, Frame, Iatt, Loc, Option, Reply, Translator, Writer, Xdata

Entry = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

ALL = glupy.READING | glupy.OPENING | glupy.CHANGING | glupy.SYNCING | glupy.LOCKING

#: Entries of a list that are shown.
SHOWN = 20

#: Seconds that a listener may keep the Writer.
LISTENER = 5

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
        self.wanted = glupy.fops_named(self.only, ALL)
        self.lines: Writer[Entry] = Writer(self, self.chosen_output(), encode=encoded, limit=self.queue, full="drop",
                                           size=self.size, keep=self.keep, missing=missing)

    def chosen_output(self) -> Any:
        if self.file:
            return Path(f"{self.file}.{self.interpreter}") if self.interpreter else self.file
        return Socket(self.socket) if self.socket else Log(self.log.info)

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.wanted = glupy.fops_named(self.only, ALL)
        self.lines.limit = self.queue
        self.lines.rotate_at(self.size, self.keep)
        self.lines.output = self.chosen_output()

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
            self.lines.put({"time": at, "us": took // 1000, "fop": call.name, "path": path, **described(frame, call, reply)})
        return reply


# What a line says


def missing(count: int) -> Entry:
    return {"time": time.time_ns(), "dropped": count}


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


# Where lines go, if not to a file. Used on the Writer's thread alone, which may block.


class Log:
    def __init__(self, say: Callable[..., None]) -> None:
        self.say = say

    def __str__(self) -> str:
        return "the log"

    def append(self, lines: list[bytes]) -> int:
        for line in lines:
            self.say("%s", line.decode().rstrip())
        return len(lines)

    def close(self) -> None:
        pass


class Socket:
    """A stream to whoever listens at a path, begun anew when it has broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stream: socket.socket | None = None

    def __str__(self) -> str:
        return str(self.path)

    def append(self, lines: list[bytes]) -> int:
        if self.stream is None:
            self.stream = self.connected()
        for number, line in enumerate(lines):
            try:
                self.stream.sendall(line)
            except OSError:  # after half a line, perhaps: who listens sees the stream end
                self.close()
                if not number:
                    raise
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
