"""Limits for users, groups and directories, in bytes and in files, counted exactly.

Limits are extended attributes that root sets: of a directory on itself, of users and groups on the volume's root:

    setfattr -n user.quota.limit -v "bytes=100GB files=1000000" DIRECTORY
    setfattr -n user.quota.limit.user.1000 -v "bytes=10GB soft-bytes=9GB" ROOT
    setfattr -n user.quota.limit.group.100 -v "bytes=1TB" ROOT
    setfattr -n user.quota.limit.user.default -v "bytes=5GB" ROOT            # of all users but root that have none
    setfattr -x user.quota.limit DIRECTORY

What would go beyond fails with EDQUOT ("Disk quota exceeded"), whoever does it. Beyond a soft limit the log warns. `df` on a
limited directory shows its limit. Anybody reads what is used:

    getfattr -n user.quota.usage --only-values DIRECTORY                      # bytes=52428800 files=1 of bytes=100GB
    getfattr -n user.quota.usage.user.1000 --only-values ROOT

    volume limited
        type user/quota
        subvolumes brick
    end-volume

Bytes are what `ls -l` says: a file's length, holes included. Files are all but directories. A file with several names counts
once for its user, its group and each limited directory that it has a name in, however deep.

It belongs into every brick, above access-control, and counts what is there. After a crash it counts anew in the background,
while files are written. With a key that all bricks share, limits hold for the whole volume: quota_exchange, on a client that
has the key, tells the bricks of one another's totals. Directories with files are not renamed into or out of limited ones
(EXDEV, so that mv copies).
"""

from __future__ import annotations

import errno
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

import glupy
from glupy import Answer, Cache, Call, Frame, Gfid, IaType, Loc, Option, StatfsReply, Xdata

from .changing import Changing
from .known import LIMIT
from .labels import LABEL, LINKTO, of_directory, parts
from .ledger import Limit, key_of, text_of

USAGE, RECOUNT = "user.quota.usage", "trusted.quota.recount"
REPORT, ELSEWHERE = "trusted.quota.report", "trusted.quota.elsewhere"

#: storage/posix takes "glusterfs.file.NAME", set on a directory, for the content of the file NAME.
CONTENT_NAME = "glusterfs.file."

CHANGES = frozenset((
    "writev", "truncate", "ftruncate", "fallocate", "discard", "zerofill", "setattr", "fsetattr", "copy_file_range", "open",
))
MAKES = frozenset(("create", "mknod", "symlink", "put"))
NAMES = frozenset(("mkdir", "unlink", "rmdir", "link", "rename"))
XATTRS = frozenset(("setxattr", "fsetxattr", "removexattr", "fremovexattr"))


class Quota(Changing, fops=CHANGES | MAKES | NAMES | XATTRS):
    key = Option(str, default="",
                 help="a file with a secret that all bricks and quota_exchange have; none: each brick for itself")

    def init(self) -> None:
        super().init()
        self.challenges: Cache[str, bool] = Cache(64, 60)  # words that have been said, each for one answer

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if call.name in XATTRS:
            names = call["dict"].keys() if "dict" in call else {call["name"]}
            if any(name.startswith(CONTENT_NAME) for name in names):
                raise OSError(errno.EOPNOTSUPP, "a file made in this way would not be counted")
            return self.change(frame, call, call.inode) if LINKTO in names else None
        if call.name in CHANGES:
            if call.name == "open" and not call["flags"] & os.O_TRUNC:
                return None
            return self.change(frame, call, call["fd_out"].inode if "fd_out" in call else call.inode)
        return self.make(frame, call) if call.name in MAKES else getattr(self, f"on_{call.name}")(frame, call)

    # df

    async def statfs(self, frame: Frame, loc: Loc, xdata: Xdata) -> Answer[StatfsReply]:
        reply = await self.child.statfs(loc, xdata)
        if not self.ready.is_set() or not loc.gfid:
            return reply
        found = await self.found(frame, self.nameless(loc.gfid))
        if found is None:
            return reply
        width = 16 if found.buf.ia_type == IaType.IFDIR else 24
        keys = {of_directory(entry[-16:]) for entry in parts(found.xdata.get_as(LABEL, "bytes", b""), width)}
        free = [(limit, self.ledger.usage(key)) for key in keys if (limit := self.ledger.limits.get(key))]
        buf, unit = reply.buf, reply.buf.f_frsize or 4096
        sizes = [(limit.bytes - used[0], limit.bytes) for limit, used in free if limit.bytes is not None]
        if sizes:
            left, size = min(sizes)
            left = max(0, left // unit)
            buf = buf.replace(f_blocks=size // unit, f_bfree=left, f_bavail=min(left, buf.f_bavail))
        counts = [(limit.files - used[1], limit.files) for limit, used in free if limit.files is not None]
        if counts:
            left, count = min(counts)
            left = max(0, left)
            buf = buf.replace(f_files=count, f_ffree=left, f_favail=min(left, buf.f_favail))
        if (sizes or counts) and self.key:
            reply.xdata.set("quota-deem-statfs", 1, "int8")  # these are the volume's: DHT does not add them up
        return reply.replace(buf=buf)

    # What is set and asked for by extended attributes

    @glupy.xattr(LIMIT, LIMIT + ".*", who="anyone")
    async def limit_of(self, frame: Frame, loc: Loc, name: str) -> bytes:
        with frame.as_root():
            return bytes((await self.child.getxattr(loc, name)).dict.get_as(name, "bytes"))

    @limit_of.setter(who="root")
    async def set_limit(self, frame: Frame, loc: Loc, name: str, value: bytes | None) -> None:
        await self.ready.wait()
        limit = None if value is None else Limit.read(text_of(value))
        here = self.nameless(loc.gfid)
        if name == LIMIT:
            key, folder = of_directory(bytes(loc.gfid)), await self.folder(frame, await self.directory(frame, loc.gfid))
        else:
            key, folder = key_of(name.removeprefix(LIMIT)), None
            if loc.gfid != Gfid.root():
                raise OSError(errno.EINVAL, "limits of users and groups are set on the volume's root")
        with frame.as_root():
            if limit is None:
                await self.child.removexattr(here, name)
            else:
                await self.child.setxattr(here, {name: limit.text.encode()}, 0)
        if limit is None:
            self.ledger.limits.pop(key, None)
        else:
            self.ledger.limits[key] = limit
        if limit and folder and bytes(loc.gfid) not in folder.limited:
            self.wanted.set()
        await self.save()

    async def directory(self, frame: Frame, gfid: Gfid) -> Gfid:
        found = await self.found(frame, self.nameless(gfid))
        if found is None or found.buf.ia_type != IaType.IFDIR:
            raise NotADirectoryError
        return gfid

    @glupy.xattr(USAGE, USAGE + ".*", who="anyone")
    def usage_of(self, frame: Frame, loc: Loc, name: str) -> str | None:
        key = of_directory(bytes(loc.gfid)) if name == USAGE else key_of(name.removeprefix(USAGE))
        limit = self.ledger.limit(key)
        if limit is None and name == USAGE:
            return None
        size, files = self.ledger.usage(key)
        return f"bytes={size} files={files}" + (f" of {limit.text}" if limit else "")

    @glupy.xattr(RECOUNT)
    def counting(self, frame: Frame, loc: Loc, name: str) -> str:
        return "counting" if self.wanted.is_set() or not self.ready.is_set() or self.ledger.fresh is not None else "exact"

    @counting.setter
    def count_anew(self, frame: Frame, loc: Loc, name: str, value: bytes | None) -> None:
        self.wanted.set()

    @glupy.xattr(LABEL)
    def label_of(self, frame: Frame, loc: Loc, name: str) -> None:
        """Each brick writes its own: what heal brings from another one is left aside."""

    @label_of.setter
    def set_label(self, frame: Frame, loc: Loc, name: str, value: bytes | None) -> None:
        pass

    # The other bricks

    @glupy.xattr(REPORT)
    def report(self, frame: Frame, loc: Loc, name: str) -> str | None:
        """What is used here of what is limited, and a word that the answer has to know."""
        if not self.key or not self.ready.is_set():
            return None
        challenge = secrets.token_hex(16)
        self.challenges[challenge] = True
        with self.ledger.lock:
            used = {key: amount for key, amount in self.ledger.used.items() if self.ledger.limit(key)}
        return json.dumps({"challenge": challenge, "used": used})

    @glupy.xattr(ELSEWHERE)
    def elsewhere_of(self, frame: Frame, loc: Loc, name: str) -> str:
        return json.dumps(self.ledger.elsewhere)

    @elsewhere_of.setter
    async def set_elsewhere(self, frame: Frame, loc: Loc, name: str, value: bytes | None) -> None:
        """Taken from nobody but who has the key, once, and as an answer to what this brick has said within a minute."""
        secret = await glupy.to_thread(secret_of, self.key) if self.key else None
        sign, _, text = (value or b"").rstrip(b"\0").partition(b" ")
        if not secret or not hmac.compare_digest(sign, hmac.new(secret, text, "sha256").hexdigest().encode()):
            raise PermissionError
        said = json.loads(text)
        if not self.challenges.pop(said["challenge"], False):
            raise PermissionError
        self.ledger.elsewhere = {key: (size, files) for key, (size, files) in said["elsewhere"].items()}


def secret_of(file: str) -> bytes:
    """A key that somebody else may read is none. Raises OSError."""
    with Path(file).open("rb") as opened:
        found = os.fstat(opened.fileno())
        secret = opened.read().strip()
    if found.st_mode & 0o077 or found.st_uid != os.geteuid() or len(secret) < 16:
        raise OSError(errno.EPERM, f"{file}: a key has 16 bytes or more, and nobody else may read it")
    return secret


__glupy__ = Quota
