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
import struct
import time
import uuid
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from glupy import (
    INTERNAL, Call, Failure, Fd, Frame, GetxattrReply, Gfid, Iatt, IaType, Inode, InodeTable, Loc, Option,
    SetxattrReply, Translator, Xdata, anew, fail, nameless,
)

TOP = ".trash"
RESTORE, ORIGIN_SHOWN = "user.trash.restore", "user.trash.origin"
ORIGIN = "trusted.trash.origin"  # 16 bytes of the directory's gfid, then the name
LINKTO, SHARD = "trusted.glusterfs.dht.linkto", "trusted.glusterfs.shard.block-size"

#: Replication's counts, in a file or directory, of what a replica that is away has missed of it: data, metadata, entries.
PENDING, DIRTY, COUNTS = "trusted.afr.", "trusted.afr.dirty", struct.Struct(">3I")
ADD_ARRAY, NAME_MADE = 0, "glusterfs.xattrop-entry-create"  # GF_XATTROP_ADD_ARRAY, GF_XATTROP_ENTRY_IN_KEY

#: The gfids of our directories, the same on all bricks and known without a lookup: these bytes, and the user's id.
PREFIX = uuid.UUID("5b6f1d0e-8a43-4c51-9d27-e60300000000").bytes[:12]
TOP_ID = 0xFFFFFFFF
SHARDS = Gfid("be318638-e8a0-4c6d-977d-7a937aa84806")  # features/shard's own directory

#: DHT's, with root as the user, where it replaces a file that lies on another brick than the one that is renamed. Who does it
#: is not known then: the file's owner, most likely.
AS_ROOT_PID = -4

NAME_MAX = 255
TRIES = 100
CHUNK = 1 << 20
SET_MODE_AND_OWNER = 0x7
LINK_MODE = 0o1000  # of DHT's links


def bin_gfid(uid: int) -> Gfid:
    return Gfid(PREFIX + struct.pack(">I", uid))


def bin_user(gfid: Gfid | None) -> int | None:
    """Whose bin a directory is; None: it is none."""
    raw = bytes(gfid) if gfid else b""
    return int(struct.unpack(">I", raw[12:])[0]) if raw[:12] == PREFIX else None


def entry_name(name: str, gfid: Gfid, number: int = 0) -> str:
    """What a file is called in the bin: the same on each replica, and never too long."""
    ending = f"~{number}.{gfid}".encode() if number else f".{gfid}".encode()
    return (os.fsencode(name)[:NAME_MAX - len(ending)] + ending).decode("utf-8", "surrogateescape")


class Kept(NamedTuple):
    """A file in a bin."""

    ctime: float  # since when it is there, about
    name: str
    size: int
    bin: Inode


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

    # What is removed

    def on_unlink(self, frame: Frame, call: Call) -> Any:
        return self.removed(frame, call, call["loc"]) if self.concerns(call["loc"]) else None

    def on_rename(self, frame: Frame, call: Call) -> Any:
        if bin_user(call["oldloc"].gfid) is not None or bin_user(call["newloc"].gfid) is not None:
            return fail(errno.EPERM)
        return self.removed(frame, call, call["newloc"]) if self.concerns(call["newloc"]) else None

    def on_rmdir(self, frame: Frame, call: Call) -> Any:
        return fail(errno.EPERM) if bin_user(call["loc"].gfid) is not None else None

    def concerns(self, loc: Loc) -> bool:
        """Might what has this name be kept?"""
        return bool(loc.name) and bin_user(loc.pargfid) is None and loc.pargfid != SHARDS and not self.goes_at_once(loc.name)

    def goes_at_once(self, name: str | None) -> bool:
        return any(fnmatchcase(name or "", pattern.strip()) for pattern in self.at_once.split(",") if pattern.strip())

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
        user, group = frame.uid, frame.gid
        with frame.as_root():
            found = await self.child.lookup(anew(loc), {LINKTO: 0, SHARD: 0}).or_error()
            if found.op_ret < 0 or found.buf.ia_nlink != 1 or not self.wanted(found.buf, found.xdata):
                return None
            if "oldloc" in call and call["oldloc"].gfid == found.buf.ia_gfid:
                return None
            try:
                inode = found.inode.link(None, None, found.buf)
                unknown = frame.pid == AS_ROOT_PID
                uid, gid = (found.buf.ia_uid, found.buf.ia_gid) if unknown else (user, group)
                if LINKTO in found.xdata:  # rebalance is copying it, and empties it afterwards, wherever it is by then
                    await self.copy(uid, gid, loc.replace(inode=inode), found.buf.replace(ia_prot=found.buf.ia_prot & 0o777))
                    return None
                away = await self.away(above(loc))
                folder = await self.bin(uid, gid, away)
                await self.child.setxattr(nameless(inode), {ORIGIN: origin(loc)}, 0)
                return await self.placed(inode, folder, loc.name or "", away)
            except OSError as error:
                self.log.warning("%s is removed and not kept: %s", loc.path, str(error))
                return None

    async def placed(self, inode: Inode, folder: Inode, name: str, away: dict[str, bytes]) -> Loc:
        """Give a file another name in a bin. One that it had there before may be refused it: see put_back()."""
        file = nameless(inode)
        for number in range(TRIES):
            goal = Loc.from_inode(folder).child(entry_name(name, inode.gfid, number), inode)
            await self.missed(folder, goal.name or "", away)
            reply = await self.child.link(file, goal).or_error()
            if reply.op_ret >= 0:
                return goal
            if reply.op_errno != errno.EEXIST:
                break
        raise OSError(reply.op_errno, os.strerror(reply.op_errno))

    def wanted(self, buf: Iatt, found: Xdata) -> bool:
        """Is a file one to be kept?"""
        limit = min((size for size in (self.file_size, self.total) if size), default=None)
        link = LINKTO in found and (not buf.ia_size or buf.ia_prot == LINK_MODE)  # or what rebalance has copied so far
        return buf.ia_type == IaType.IFREG and (limit is None or buf.ia_size <= limit) and not link and SHARD not in found

    # What replicas miss that are away

    async def away(self, gfid: Gfid) -> dict[str, bytes]:
        """What to add to the counts of a directory in which we change a name: those of one that is just being changed for a client
        say who does not hear of it."""
        found = await self.child.getxattr(Loc(gfid=gfid, inode=self.table().find(gfid) or self.table().new()), None).or_error()
        counts = {name: found.dict.get_as(name, "bytes") for name in (found.dict if found.op_ret >= 0 else ())
                  if name.startswith(PENDING) and name != DIRTY}
        return {name: COUNTS.pack(0, 0, 1) for name, count in counts.items() if len(count) == COUNTS.size and any(count)}

    async def missed(self, folder: Inode, name: str, away: dict[str, bytes]) -> None:
        """Have heal look for a name that we are about to change, in which replication takes no part."""
        if away:
            await self.child.xattrop(Loc(inode=folder, gfid=folder.gfid), ADD_ARRAY, away, {NAME_MADE: name}).or_error()

    # Bins

    def table(self) -> InodeTable:
        table = self.itable
        assert table is not None  # of a request there is always one
        return table

    async def bin(self, uid: int, gid: int, away: dict[str, bytes]) -> Inode:
        """A user's bin, made when it is first needed."""
        top = await self.directory(self.table().root, TOP, TOP_ID, Iatt(ia_prot=0o711), away)
        return await self.directory(top, str(uid), uid, Iatt(ia_prot=0o700, ia_uid=uid, ia_gid=gid), away)

    async def directory(self, parent: Inode, name: str, number: int, owner: Iatt, away: dict[str, bytes]) -> Inode:
        gfid = bin_gfid(number)
        known = self.table().find(gfid)
        if known is not None:
            return known
        loc = Loc.from_inode(parent).child(name)
        reply: Any = await self.child.lookup(loc).or_error()
        if reply.op_ret < 0 and reply.op_errno == errno.ENOENT:
            await self.missed(parent, name, away)
            reply = await self.child.mkdir(loc, owner.ia_prot, 0, {"gfid-req": gfid}).or_error()
            if reply.op_ret < 0 and reply.op_errno == errno.EEXIST:  # another request was faster
                reply = await self.child.lookup(loc).or_error()
        if reply.op_ret < 0:
            raise OSError(reply.op_errno, f"{TOP}: {os.strerror(reply.op_errno)}")
        if reply.buf.ia_gfid != gfid:
            raise OSError(errno.EEXIST, f"there is another directory {TOP} or in it than ours")
        if reply.buf.ia_uid != owner.ia_uid:
            await self.child.setattr(loc.replace(gfid=gfid), owner, SET_MODE_AND_OWNER)
        inode: Inode = reply.inode.link(parent, name, reply.buf)
        return inode

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
                try:
                    await self.copy(frame.uid, frame.gid, Loc.from_inode(inode), found.buf)
                except OSError as error:
                    self.log.warning("%s is truncated and not kept: %s", call.path, str(error))
        return call.wind()

    async def copy(self, uid: int, gid: int, where: Loc, buf: Iatt) -> None:
        """Copy a file into the bin. The copy's gfid has to be the same on all replicas."""
        name, inode = where.name or "file", where.inode
        if inode is None or self.goes_at_once(name):
            return
        text = f"{buf.ia_gfid} {buf.ia_mtime} {buf.ia_mtime_nsec} {buf.ia_size}"
        gfid = Gfid(uuid.uuid5(uuid.UUID(bytes=bytes(bin_gfid(TOP_ID))), text))
        away = await self.away(above(where))
        folder = await self.bin(uid, gid, away)
        loc = Loc.from_inode(folder).child(entry_name(name, gfid))
        await self.missed(folder, loc.name or "", away)
        fd = Fd.create(loc.inode or self.table().new())
        made = await self.child.create(loc, os.O_RDWR | os.O_EXCL, 0o600, 0, fd, {"gfid-req": gfid})
        copied = loc.replace(inode=made.inode.link(folder, loc.name or "", made.buf), gfid=gfid)
        try:
            offset = 0
            while offset < buf.ia_size:
                data = (await self.child.readv(Fd.of(inode), min(CHUNK, buf.ia_size - offset), offset, 0)).vector
                if not len(data):
                    break
                await self.child.writev(made.fd, data, offset, 0)
                offset += len(data)
            if where.name:
                await self.child.setxattr(copied, {ORIGIN: origin(where)}, 0)
            await self.child.setattr(copied, buf, SET_MODE_AND_OWNER)
        except OSError:
            await self.child.unlink(copied, 0).or_error()
            raise

    # What is put back

    def on_setxattr(self, frame: Frame, call: Call) -> Any:
        user = bin_user(call.gfid)
        if user is None or RESTORE not in call["dict"]:
            return None
        if frame.uid not in (0, user):
            return fail(errno.EACCES)
        value = call["dict"].get_as(RESTORE, "bytes").rstrip(b"\0").decode("utf-8", "surrogateescape")
        return self.restored(frame, call["loc"], value)

    async def restored(self, frame: Frame, folder: Loc, name: str) -> SetxattrReply:
        """Put a file back. Of those that are not here another brick knows."""
        assert folder.inode is not None
        loc = Loc.from_inode(folder.inode).child(name)
        found = await self.child.lookup(loc, {ORIGIN: 0}).or_error()
        if found.op_ret < 0 and found.op_errno == errno.ENOENT:
            return SetxattrReply()
        place = found.xdata.get_as(ORIGIN, "bytes", b"") if found.op_ret >= 0 else b""
        if len(place) < 17:
            raise OSError(errno.ENODATA, "nothing says where it was")
        inode = found.inode.link(None, None, found.buf)
        gfid = Gfid(place[:16])
        parent = await self.child.lookup(Loc(gfid=gfid, inode=self.table().find(gfid) or self.table().new()))
        directory = parent.inode.link(None, None, parent.buf)
        goal = Loc.from_inode(directory).child(place[16:], inode)
        with frame.as_root():
            away = await self.away(folder.inode.gfid)
            await self.missed(folder.inode, name, away)
            await self.missed(directory, goal.name or "", away)
        await self.put_back(loc.replace(gfid=inode.gfid), goal)
        with frame.as_root():
            await self.child.removexattr(nameless(inode), ORIGIN).or_error()
        return SetxattrReply()

    async def put_back(self, source: Loc, goal: Loc) -> None:
        """By link(), which never replaces what is there. But of a file that was replaced by a rename, storage/posix goes on
        believing that it has that name, in an attribute trusted.gfid2path.*, and refuses it as a new one."""
        if await self.exists(goal):
            raise FileExistsError
        linked = await self.child.link(nameless(source.inode, source.gfid), goal).or_error()
        if linked.op_ret >= 0:
            await self.child.unlink(source, 0)
        elif linked.op_errno == errno.EEXIST and not await self.exists(goal):
            await self.child.rename(source, anew(goal))
        else:
            raise OSError(linked.op_errno, os.strerror(linked.op_errno))

    async def exists(self, loc: Loc) -> bool:
        return (await self.child.lookup(anew(loc)).or_error()).op_ret >= 0

    def on_getxattr(self, frame: Frame, call: Call) -> Any:
        return self.origin(frame, call) if call["name"] == ORIGIN_SHOWN else None

    async def origin(self, frame: Frame, call: Call) -> GetxattrReply:
        """Where a file was: the path of its directory, where that is known here, else its gfid."""
        with frame.as_root():
            place = (await self.child.getxattr(call["loc"], ORIGIN)).dict.get_as(ORIGIN, "bytes")
        known = self.table().find(Gfid(place[:16]))
        path = known.path() if known else None
        where = (path or f"<gfid:{Gfid(place[:16])}>").rstrip("/")
        return GetxattrReply(dict={ORIGIN_SHOWN: os.fsencode(where) + b"/" + place[16:]})

    # What goes

    async def clean(self) -> None:
        """Remove what is too old, and then the oldest of what is too much."""
        await self.itable_ready()
        kept = [file for name in await self.kept_in(bin_gfid(TOP_ID)) if name.name.isdigit()
                for file in await self.kept_in(bin_gfid(int(name.name)))]
        kept.sort(key=lambda file: file[:2])
        used, now = sum(file.size for file in kept), time.time()
        for file in kept:
            if not (self.age and now - file.ctime >= self.age or self.total and used > self.total):
                break
            loc = Loc.from_inode(file.bin).child(file.name)
            found = await self.child.lookup(loc).or_error()
            if found.op_ret >= 0:
                await self.child.unlink(loc.replace(gfid=found.buf.ia_gfid), 0).or_error()
            used -= file.size

    async def kept_in(self, gfid: Gfid) -> list[Kept]:
        """What is in a directory of ours, if it is there."""
        found = await self.child.lookup(Loc(gfid=gfid, inode=self.table().find(gfid) or self.table().new())).or_error()
        if found.op_ret < 0:
            return []
        inode = found.inode.link(None, None, found.buf)
        fd = Fd.create(inode)
        await self.child.opendir(nameless(inode), fd)
        listed: list[Kept] = []
        offset = 0
        while portion := (await self.child.readdirp(fd, 1 << 16, offset)).entries:
            listed += [Kept(entry.d_stat.ia_ctime + entry.d_stat.ia_ctime_nsec / 1e9, entry.d_name, entry.d_stat.ia_size, inode)
                       for entry in portion if entry.d_name not in (".", "..")]
            offset = portion[-1].d_off
        return listed


def above(loc: Loc) -> Gfid:
    """The directory that a name is in."""
    return loc.pargfid or (loc.parent.gfid if loc.parent else Gfid.root())


def origin(loc: Loc) -> bytes:
    """Where a name is, as an extended attribute."""
    return bytes(above(loc)) + os.fsencode(loc.name or "")
