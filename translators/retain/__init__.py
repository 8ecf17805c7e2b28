"""Write once, keep until: files that can neither be changed nor removed before their time.

A file is committed by whoever may write to it, with a time in seconds since the epoch, a date or moment in ISO 8601 (UTC
where it names no zone), or the word forever:

    setfattr -n user.retain.until -v 2031-01-01 FILE
    getfattr -n user.retain.until --only-values FILE       # always as seconds since the epoch

and, with `commit-after`, by itself when nothing of it has been changed for so long; it is then kept for `period`.

From then on nobody changes the file's content, owner, mode, times and extended attributes any more, root included. Until its
time has come, nobody removes, renames, replaces or links it either; afterwards it may be removed or replaced, and still not be
changed. The time may be set to a later one, never to an earlier one, and not be taken away.

    setfattr -n user.retain.hold -v "case 4711" FILE       # root, or the user that keeper names
    setfattr -x user.retain.hold FILE

A hold keeps a file whatever its time is, committed or not, as long as the attribute is there. What is refused fails with
EPERM ("Operation not permitted").

    volume kept
        type user/retain
        option commit-after 1h
        option period 365d
        subvolumes brick
    end-volume

It belongs into every brick, above locks, where no client gets past it. Whatever GlusterFS itself does to heal a replica, to check for
bit rot or to rebalance passes, and takes the attributes along. Renaming a directory is allowed: its files are kept elsewhere.
Files in shards, and all but regular files, are never committed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Awaitable
from typing import Any

from glupy import INTERNAL, Call, Frame, Gfid, LoadError, Loc, Option, Translator, anew, nameless

from .state import ASKED, HOLD, LINKTO, OWN, UNTIL, State, foreign
from .times import wanted
from .turns import Turns

#: storage/posix takes "glusterfs.file.NAME", set on a directory, for the content of the file NAME.
CONTENT_NAME = "glusterfs.file."

#: Where DHT locks the files that a rename is about, and rebalance those that it moves.
RENAME_DOMAIN = "dht.file.migrate"

SET_ATIME_ONLY = 0x10  # of setattr's valid

BY_FILE = frozenset((
    "writev", "truncate", "ftruncate", "fallocate", "discard", "zerofill", "setattr", "fsetattr", "open",
))
XATTRS = frozenset(("setxattr", "fsetxattr", "removexattr", "fremovexattr"))


class Retain(Translator, fops=BY_FILE | XATTRS | {
    "copy_file_range", "unlink", "rename", "link", "create", "mknod", "put", "rmdir", "inodelk", "getxattr", "fgetxattr",
    "xattrop", "fxattrop",
}):
    commit_after = Option("time", default="0", help="how long a file is left alone until it is committed by itself; 0: never")
    period = Option("time", default="30d", min=1, help="how long files are kept that were committed by themselves")
    longest = Option("time", default="0", help="how far from now a time may be that users set; 0: as far as they like")
    keeper = Option(int, default=0, min=0, help="the user id that sets and removes holds; root may always")
    remembered = Option(int, default=65536, min=1, help="files whose state is remembered")

    def init(self) -> None:
        if self.side == "brick" and self.volume is not None and not self.above_locks():
            raise LoadError("it stands below features/locks, and does not see the lock by which a rename over a kept file that is on "
                            f"another brick is stopped: gluster volume set {self.volume} user.xlator.retain locks")
        self.turns = Turns(self.remembered)

    def above_locks(self) -> bool:
        layer = self.child
        while layer.type != "features/locks" and layer.children:
            layer = layer.children[0]
        return layer.type == "features/locks"

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.turns.known.limit = self.remembered
        self.turns.known.clear()  # commits_at goes by commit-after

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if frame.actor in INTERNAL:
            return self.internal(call) if call.name in XATTRS else None
        if call.name in BY_FILE:
            return self.change(frame, call) if changes(call) else None
        return getattr(self, f"on_{call.name.removeprefix('f')}")(frame, call)

    async def internal(self, call: Call) -> Any:
        """Heal or rebalance may bring the attributes of another brick."""
        try:
            return await call.wind()
        finally:
            self.turns.forget(call.gfid)

    # Changes of content and attributes

    async def change(self, frame: Frame, call: Call) -> Any:
        return await self.guarded(frame, call, [(located(call), True)])

    def on_copy_file_range(self, frame: Frame, call: Call) -> Awaitable[Any]:
        return self.guarded(frame, call, [(nameless(call["fd_out"].inode), True)])

    async def guarded(self, frame: Frame, call: Call, files: list[tuple[Loc, bool]]) -> Any:
        """Do it if the files allow it: each with whether its content is to change, or its names only."""
        gfids = await self.entered(frame, files)
        try:
            return await call.wind()
        finally:
            self.turns.leave(gfids)

    async def entered(self, frame: Frame, files: list[tuple[Loc, bool]]) -> list[Gfid]:
        """Be inside as a change of the files, if they allow it; which ones are to be left."""
        while True:
            commits = self.turns.commits
            states = [(await self.state_of(frame, loc), content) for loc, content in files]
            if any(state.fixed if content else state.stays for state, content in states):
                raise PermissionError
            gfids = [state.gfid for state, _ in states if state.gfid]
            if await self.turns.entered(gfids, commits):
                return gfids

    # Names

    def on_unlink(self, frame: Frame, call: Call) -> Awaitable[Any]:
        return self.guarded(frame, call, [(anew(call["loc"]), False)])

    def on_rename(self, frame: Frame, call: Call) -> Awaitable[Any]:
        return self.guarded(frame, call, [(anew(call["oldloc"]), False), (anew(call["newloc"]), False)])

    def on_link(self, frame: Frame, call: Call) -> Awaitable[Any]:
        return self.guarded(frame, call, [(nameless(call["oldloc"].inode), False)])

    def on_mknod(self, frame: Frame, call: Call) -> None:
        """storage/posix gives what is made the attributes in xdata."""
        if OWN & call["xdata"].keys():
            raise PermissionError

    def on_create(self, frame: Frame, call: Call) -> Awaitable[Any] | None:
        """Of a name that is there, it may truncate the file."""
        self.on_mknod(frame, call)
        if call["flags"] & os.O_EXCL:
            return None
        return self.guarded(frame, call, [(anew(call["loc"]), True)])

    def on_put(self, frame: Frame, call: Call) -> Awaitable[Any]:
        self.on_mknod(frame, call)
        if OWN & call["xattr"].keys():
            raise PermissionError
        return self.guarded(frame, call, [(anew(call["loc"]), True)])

    def on_inodelk(self, frame: Frame, call: Call) -> Any:
        """DHT renames over a file on another brick even if that brick refuses it: it has to be stopped before it begins."""
        taken = call["volume"] == RENAME_DOMAIN and call["flock"].l_type != fcntl.F_UNLCK
        return self.locked(frame, call) if taken else None

    async def locked(self, frame: Frame, call: Call) -> Any:
        if (await self.state_of(frame, located(call))).stays:
            raise PermissionError
        return call.wind()

    def on_rmdir(self, frame: Frame, call: Call) -> Any:
        """With flags, storage/posix would remove what is in the directory as well."""
        return call.wind(xflags=0) if call["xflags"] else None

    # Extended attributes

    async def on_getxattr(self, frame: Frame, call: Call) -> Any:
        if call["name"] == UNTIL:
            await self.state_of(frame, located(call))  # its time may have come
        return call.wind()

    async def on_setxattr(self, frame: Frame, call: Call) -> Any:
        given = call["dict"]
        if any(name.startswith(CONTENT_NAME) for name in given):
            raise PermissionError
        if not OWN & given.keys():
            return await self.guarded(frame, call, [(located(call), True)] if foreign(given) else [])
        await self.state_of(frame, located(call))  # its time may have come
        async with self.turns.closed(call.gfid):
            state = await self.state_now(frame, located(call))
            if not state.can_be_kept:
                raise OSError(errno.EOPNOTSUPP, "only regular files, and none in shards, are kept")
            if state.fixed and foreign(given) or HOLD in given and not self.keeps(frame):
                raise PermissionError
            changed = given.copy()
            if UNTIL in given:
                changed[UNTIL] = str(wanted(given[UNTIL], state.until, self.longest)).encode()
            return await call.wind(dict=changed)

    async def on_removexattr(self, frame: Frame, call: Call) -> Any:
        name = call["name"]
        if name != HOLD:
            return await self.guarded(frame, call, [(located(call), True)] if name == UNTIL or foreign([name]) else [])
        if not self.keeps(frame):
            raise PermissionError
        async with self.turns.closed(call.gfid):
            return await call.wind()

    async def on_xattrop(self, frame: Frame, call: Call) -> Any:
        """The way of replication, erasure coding and shards into a file: it says that something is about to be changed."""
        if (OWN | {LINKTO}) & call["xattr"].keys():
            raise PermissionError
        await self.state_of(frame, located(call))  # before its ctime is another one
        return call.wind()

    def keeps(self, frame: Frame) -> bool:
        """May who asks set and remove holds?"""
        return frame.uid in (0, self.keeper)

    # What a file's state is

    async def state_of(self, frame: Frame, loc: Loc) -> State:
        """Of a file; it is committed first if its time has come."""
        known = self.turns.known.get(loc.gfid) if not loc.name else None  # a name may stand for another file by now
        if known and time.time() < known.commits_at:
            return known
        commits = self.turns.commits
        state = await self.state_now(frame, loc)
        if time.time() >= state.commits_at:
            return await self.commit(frame, loc, state)
        self.turns.remember(state, commits)
        return state

    async def state_now(self, frame: Frame, loc: Loc) -> State:
        with frame.as_root():
            reply = await self.child.lookup(loc, ASKED).or_error()
        if reply.op_ret >= 0:
            return State.of(reply, self.commit_after)
        if reply.op_errno in (errno.ENOENT, errno.ESTALE):  # a new name, or a file that has none any more
            return State(loc.gfid)
        raise OSError(reply.op_errno, os.strerror(reply.op_errno))  # not known: not allowed

    async def commit(self, frame: Frame, loc: Loc, state: State) -> State:
        """Commit a file that has been left alone for long enough, unless somebody was faster."""
        plain = nameless((anew(loc) if loc.name else loc).inode, state.gfid)
        async with self.turns.closed(state.gfid):
            state = await self.state_now(frame, plain)
            if time.time() < state.commits_at:
                return state
            until = int(state.commits_at) + int(self.period)
            with frame.as_root():
                await self.child.setxattr(plain, {UNTIL: str(until).encode()}, 0)
        return State(state.gfid, until, state.hold, can_be_kept=True)


def changes(call: Call) -> bool:
    """Does this call of a fop that may change a file do so?"""
    if call.name == "open":
        return bool(call["flags"] & (os.O_ACCMODE | os.O_TRUNC))
    return "valid" not in call or call["valid"] != SET_ATIME_ONLY


def located(call: Call) -> Loc:
    return nameless(call.inode, call.gfid)
