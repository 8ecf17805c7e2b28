"""Keep a record of who changed what: one line of JSON for each operation that changes data, metadata or names.

    volume recorded
        type user/audit
        option file /var/log/glusterfs/audit.json
        subvolumes brick
    end-volume

A line, here in several:

    {"time": "2026-11-23T15:30:00.439205+00:00", "actor": "user", "client": "CTX_ID:...", "pid": 4711, "uid": 1000,
     "gid": 1000, "fop": "rename", "path": "/draft", "newpath": "/final", "gfid": "0f0a...", "result": "ok"}

time is when the operation came, in UTC; lines stand in the order in which operations ended. actor is on
whose behalf it was done: user, self-heal, rebalance, brick and others (frame.actor). client is the identity of the
client on a brick and null elsewhere, pid the process's id on its own machine (negative for GlusterFS's own). path may be
null or start with <gfid:...>, as usual on bricks: gfid says what file it is. result is "ok" or an errno's name. Where
they mean something there are also bytes (what was really written), offset, len, mode, name, names, linkname and set.

The data path never waits for the file. What is to be written stands in a queue of bounded length, from which a Writer takes
it. What finds the queue full, or cannot be written (disk full), is counted, and as soon as the file takes lines again, one
says {"time": ..., "dropped": 17}; GlusterFS's log has a warning once in `report`. So operations = lines with a fop + the sum
of dropped. Lines are handed to the kernel, not synced; when the process is killed, those that are still in the queue are
lost. With `option durable on` an operation is answered when its line is on the disk, and fails with the error where it cannot
be.

The file is opened anew when its name leads elsewhere: it may be renamed at any time, as logrotate does, without a signal. With
`size` it is given another name by itself. It must not lie in the volume itself, whose changes it records. `option chain on`
has each line hold the hash of the one before, so that `glupy verify` finds what was removed or changed later.
"""

from __future__ import annotations

import errno
import json
import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import glupy
from glupy import Call, Frame, LoadError, Option, Reply, Translator, Writer

Entry = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

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
    durable = Option(bool, default=False, help="answer when the line is on the disk, with the error where it cannot be")
    chain = Option(bool, default=False, help="each line holds the hash of the one before, for `glupy verify`")
    size = Option("size", default="0", help="of a file that is complete, and gives its name to the next; 0: however large")
    keep = Option(int, default=4, min=0, max=1000, help="how many complete files there are")

    def init(self) -> None:
        self.fops = glupy.CHANGING | {"open"}  # an open may truncate
        if self.reads:
            self.fops |= glupy.READING | glupy.OPENING
        self.records = Writer(self, self.file, encode=encoded, limit=self.queue, full="wait" if self.durable else "drop",
                              sync=self.durable, size=self.size, keep=self.keep, chain=self.chain, report=self.report,
                              missing=lambda count: {"time": time.time_ns(), "dropped": count})
        try:
            self.records.open()
        except OSError as error:
            raise LoadError(f"option file: {self.file} cannot be opened: {error.strerror}") from None

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.records.limit, self.records.report = self.queue, self.report
        self.records.rotate_at(self.size, self.keep)

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if call.name == "open" and not self.reads and not call["flags"] & os.O_TRUNC:
            return None
        return self.recorded(frame, call)

    async def recorded(self, frame: Frame, call: Call) -> Reply:
        entry = described(frame, call)
        reply: Reply = await call.wind().or_error()
        if reply.op_ret < 0:
            entry["result"] = errno.errorcode.get(reply.op_errno, str(reply.op_errno))
        else:
            entry["result"] = "ok"
            if call.name in COUNTED:
                entry["bytes"] = reply.op_ret
            if not entry["gfid"] and call.name in glupy.CHANGING_NAMES and hasattr(reply, "buf"):
                entry["gfid"] = str(reply.buf.ia_gfid)  # of what was made just now
        if self.durable:
            await self.records.write(entry)
        else:
            self.records.put(entry)
        return reply


def described(frame: Frame, call: Call) -> Entry:
    """What is known before the operation is done. Only plain values: what is kept of a call must keep no inode alive."""
    entry: Entry = {
        "time": time.time_ns(), "actor": frame.actor, "client": frame.client, "pid": frame.pid, "uid": frame.uid,
        "gid": frame.gid, "fop": call.name, "path": call.path, "gfid": str(call.gfid) if call.gfid else None,
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
