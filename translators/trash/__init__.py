"""A bin for each user: removed and replaced files can be had back for some time.

What a user removes, or replaces by a rename, is from then on in the directory /.trash/UID of the volume, under its name with
the file's gfid behind, and nobody but this user and root can look into it:

    ls /.trash/1000                                            # report.odt.0f0a8f5e-...
    setfattr -n user.trash.restore -v report.odt.0f0a8f5e-... /.trash/1000
    getfattr -n user.trash.origin --only-values /.trash/1000/report.odt.0f0a8f5e-...

The first attribute puts a file back to where it was, under the name that it had, unless there is one by now; the user has to
be allowed to make it there. `mv` puts it anywhere else. What is removed out of the bin is gone.

    volume binned
        type user/trash
        option age 30d
        option total 100GB
        option at-once *.tmp,*.o
        subvolumes brick
    end-volume

Only a file's last name is kept: another one of several hard links is just removed. `truncated on` has files copied there,
too, before they are truncated. What is older than `age` goes, and then the oldest until no more than `total` is left, both
every `interval`. Files larger than `file-size`, names that match `at-once`, symbolic links and the like, files in shards,
and whatever GlusterFS itself removes (heal, rebalance) never get there. If the bin cannot take a file, it is removed all
the same, and the log says so.

It belongs into every brick, above index, so that heal brings to a brick that was away what its bin has missed. Where a file was
is remembered by its directory's gfid, so a brick that has just started needs no paths, and a directory that was renamed meanwhile
is found.
"""

from __future__ import annotations

import errno
import os
import time
from fnmatch import fnmatchcase
from typing import Any

from glupy import (
    INTERNAL, Call, Failure, Fd, Frame, GetxattrReply, Gfid, Iatt, IaType, Inode, Loc, Option, SetxattrReply, Translator, Xdata,
    anew, fail, nameless,
)

from .bins import Bins, User
from .keeping import copied, linked
from .links import LINKTO, is_link
from .names import TOP_ID, bin_user
from .restoring import restored, shown_origin

RESTORE, ORIGIN_SHOWN = "user.trash.restore", "user.trash.origin"
SHARD = "trusted.glusterfs.shard.block-size"
SHARDS = Gfid("be318638-e8a0-4c6d-977d-7a937aa84806")  # features/shard's own directory

#: DHT's, with root as the user, where it replaces a file that lies on another brick than the one that is renamed. Who does it
#: is not known then: the file's owner, most likely.
AS_ROOT_PID = -4


class Trash(Translator, fops={
    "unlink", "rename", "rmdir", "truncate", "ftruncate", "open", "setxattr", "getxattr",
}):
    age = Option("time", default="30d", help="what was removed longer ago is gone; 0: never for this reason")
    file_size = Option("size", default="0", help="larger files are removed at once; 0: however large they are")
    total = Option("size", default="0", help="how much is kept on this brick, of all users; 0: as much as there is")
    at_once = Option(str, default="", help="patterns of names that are removed at once, with commas in between")
    truncated = Option(bool, default=False, help="copy files there before they are truncated")
    interval = Option("time", default="10min", min=1, help="how often it is looked for what is too old or too much")

    def init(self) -> None:
        self.bins = Bins(self)
        self.every(self.interval, self.clean)

    def any_fop(self, frame: Frame, call: Call) -> Any:
        return None if frame.actor in INTERNAL else getattr(self, f"on_{call.name}")(frame, call)

    # Nobody looks into another's bin: the directory's mode says so to the kernel of a mount; not every client has one

    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> Failure | None:
        return self.owner_only(frame, loc.pargfid)

    def opendir(self, frame: Frame, loc: Loc, fd: Fd, xdata: Xdata) -> Failure | None:
        return self.owner_only(frame, fd.inode.gfid)

    def owner_only(self, frame: Frame, folder: Gfid | None) -> Failure | None:
        return fail(errno.EACCES) if bin_user(folder) not in (None, TOP_ID, frame.uid) and frame.uid != 0 else None

    # What is kept

    def concerns(self, loc: Loc) -> bool:
        """Might what has this name be kept?"""
        return bool(loc.name) and bin_user(loc.pargfid) is None and loc.pargfid != SHARDS and not self.goes_at_once(loc.name)

    def goes_at_once(self, name: str | None) -> bool:
        return any(fnmatchcase(name or "", pattern.strip()) for pattern in self.at_once.split(",") if pattern.strip())

    def wanted(self, buf: Iatt, found: Xdata) -> bool:
        """Is a file one to be kept?"""
        limit = min((size for size in (self.file_size, self.total) if size), default=None)
        kept = (limit is None or buf.ia_size <= limit) and not is_link(buf, found) and SHARD not in found
        return kept and buf.ia_type == IaType.IFREG

    # What is removed

    def on_unlink(self, frame: Frame, call: Call) -> Any:
        return self.removed(frame, call, call["loc"]) if self.concerns(call["loc"]) else None

    def on_rename(self, frame: Frame, call: Call) -> Any:
        if bin_user(call["oldloc"].gfid) is not None or bin_user(call["newloc"].gfid) is not None:
            return fail(errno.EPERM)
        return self.removed(frame, call, call["newloc"]) if self.concerns(call["newloc"]) else None

    def on_rmdir(self, frame: Frame, call: Call) -> Any:
        return fail(errno.EPERM) if bin_user(call["loc"].gfid) is not None else None

    async def removed(self, frame: Frame, call: Call, loc: Loc) -> Any:
        """One after the other for the names of a file, of which only the last one counts."""
        if loc.inode is None or not loc.gfid:  # a name that there is not yet
            return await self.moved_out(frame, call, loc)
        async with loc.inode.lock():
            return await self.moved_out(frame, call, loc)

    async def moved_out(self, frame: Frame, call: Call, loc: Loc) -> Any:
        """Give the file another name, in the bin, before it loses its last one."""
        kept = await self.kept(frame, call, loc)
        try:
            return await call.wind()
        except OSError:
            if kept:
                with frame.as_root():
                    await self.child.unlink(kept, 0).or_error()
            raise

    async def kept(self, frame: Frame, call: Call, loc: Loc) -> Loc | None:
        """Link what has this name into the bin, if it is to be kept; where it is there."""
        with frame.as_root():
            found = await self.child.lookup(anew(loc), {LINKTO: 0, SHARD: 0}).or_error()
            if found.op_ret < 0 or found.buf.ia_nlink != 1 or not self.wanted(found.buf, found.xdata):
                return None
            if "oldloc" in call and call["oldloc"].gfid == found.buf.ia_gfid:
                return None
            try:
                inode = found.inode.link(None, None, found.buf)
                unknown = frame.pid == AS_ROOT_PID
                user = User(found.buf.ia_uid, found.buf.ia_gid) if unknown else User(frame.uid, frame.gid)
                if LINKTO in found.xdata:  # rebalance is copying it, and empties it afterwards, wherever it is by then
                    await copied(self.bins, user, inode, loc, found.buf.replace(ia_prot=found.buf.ia_prot & 0o777))
                    return None
                return await linked(self.bins, user, inode, loc)
            except OSError as error:
                self.log.warning("%s is removed and not kept: %s", loc.path, str(error))
                return None

    # What is truncated

    def on_truncate(self, frame: Frame, call: Call) -> Any:
        return self.cut(frame, call, call["loc"].inode, call["offset"]) if self.truncated else None

    def on_ftruncate(self, frame: Frame, call: Call) -> Any:
        return self.cut(frame, call, call["fd"].inode, call["offset"]) if self.truncated else None

    def on_open(self, frame: Frame, call: Call) -> Any:
        return self.cut(frame, call, call["loc"].inode, 0) if self.truncated and call["flags"] & os.O_TRUNC else None

    async def cut(self, frame: Frame, call: Call, inode: Inode, size: int) -> Any:
        with frame.as_root():
            found = await self.child.lookup(nameless(inode), {LINKTO: 0, SHARD: 0}).or_error()
            if found.op_ret >= 0 and found.buf.ia_size > size and self.wanted(found.buf, found.xdata):
                where = Loc.from_inode(inode)
                try:
                    if not self.goes_at_once(where.name or "file"):
                        await copied(self.bins, User(frame.uid, frame.gid), inode, where, found.buf)
                except OSError as error:
                    self.log.warning("%s is truncated and not kept: %s", call.path, str(error))
        return call.wind()

    # What is put back

    def on_setxattr(self, frame: Frame, call: Call) -> Any:
        user = bin_user(call.gfid)
        if user is None or RESTORE not in call["dict"]:
            return None
        if frame.uid not in (0, user):
            return fail(errno.EACCES)
        name = call["dict"].get_as(RESTORE, "bytes").rstrip(b"\0").decode("utf-8", "surrogateescape")
        return self.restore(frame, call["loc"], name)

    async def restore(self, frame: Frame, folder: Loc, name: str) -> SetxattrReply:
        await restored(self.bins, frame, folder, name)
        return SetxattrReply()

    def on_getxattr(self, frame: Frame, call: Call) -> Any:
        return self.show_origin(frame, call) if call["name"] == ORIGIN_SHOWN else None

    async def show_origin(self, frame: Frame, call: Call) -> GetxattrReply:
        with frame.as_root():
            return GetxattrReply(dict={ORIGIN_SHOWN: await shown_origin(self.bins, call["loc"])})

    # What goes

    async def clean(self) -> None:
        """Remove what is too old, and then the oldest of what is too much."""
        await self.itable_ready()
        kept = await self.bins.all()
        used, now = sum(file.size for file in kept), time.time()
        for file in kept:
            if not (self.age and now - file.ctime >= self.age or self.total and used > self.total):
                break
            await self.bins.remove(file)
            used -= file.size
