"""What the file system in memory is made of: nodes, who may do what to them, and what GlusterFS is told of them."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from glupy import Gfid, Iatt, IaType

READ, WRITE, SEARCH = os.R_OK, os.W_OK, os.X_OK

_TYPES: dict[int, int] = {
    IaType.IFREG: stat.S_IFREG, IaType.IFDIR: stat.S_IFDIR, IaType.IFLNK: stat.S_IFLNK, IaType.IFBLK: stat.S_IFBLK,
    IaType.IFCHR: stat.S_IFCHR, IaType.IFIFO: stat.S_IFIFO, IaType.IFSOCK: stat.S_IFSOCK,
}
_latest = 0
_places = itertools.count(3)  # behind . and ..

#: What setattr's argument valid says is to be set (GF_SET_ATTR_*).
SET_MODE, SET_UID, SET_GID, SET_ATIME, SET_MTIME, SET_ATIME_NOW, SET_MTIME_NOW = 0x1, 0x2, 0x4, 0x10, 0x20, 0x80, 0x100


def failure(number: int) -> OSError:
    """The error with an errno, as its own class."""
    return OSError(number, os.strerror(number))


def moment() -> int:
    """Nanoseconds since the epoch, by the test's time, which stands still: but no two changes are of one moment."""
    global _latest
    _latest = max(time.time_ns(), _latest + 1)
    return _latest


def begin() -> None:
    """Another test's time has nothing to do with the last one's."""
    global _latest
    _latest = 0


class Who(Protocol):
    """As whom a request acts: a Frame."""

    @property
    def uid(self) -> int: ...
    @property
    def gid(self) -> int: ...
    @property
    def groups(self) -> tuple[int, ...]: ...


@dataclass(eq=False)
class Node:
    """A file, a directory, a link, or something else that has a name."""

    gfid: Gfid
    ia_type: int
    prot: int
    uid: int
    gid: int
    rdev: int = 0
    nlink: int = 1
    data: bytearray = field(default_factory=bytearray)
    target: str = ""
    entries: dict[str, Node] = field(default_factory=dict)
    xattrs: dict[str, bytes] = field(default_factory=dict)
    parent: Node | None = None  # of a directory
    places: dict[str, int] = field(default_factory=dict)  # of its entries, for readdir: none comes twice
    atime: int = field(default_factory=moment)
    mtime: int = field(default_factory=moment)
    ctime: int = field(default_factory=moment)

    @property
    def is_dir(self) -> bool:
        return self.ia_type == IaType.IFDIR

    @property
    def size(self) -> int:
        if self.is_dir:
            return 4096
        return len(self.target.encode("utf-8", "surrogateescape")) if self.target else len(self.data)

    def iatt(self) -> Iatt:
        size = self.size
        (atime, atime_nsec), (mtime, mtime_nsec), (ctime, ctime_nsec) = (
            divmod(nsec, 10**9) for nsec in (self.atime, self.mtime, self.ctime))
        return Iatt(
            ia_gfid=self.gfid, ia_ino=self.gfid.ino, ia_type=self.ia_type, ia_prot=self.prot, ia_nlink=self.nlink,
            ia_uid=self.uid, ia_gid=self.gid, ia_rdev=self.rdev, ia_size=size, ia_blksize=4096,
            ia_blocks=(size + 511) // 512, ia_atime=atime, ia_atime_nsec=atime_nsec, ia_mtime=mtime,
            ia_mtime_nsec=mtime_nsec, ia_ctime=ctime, ia_ctime_nsec=ctime_nsec)

    # Changes

    def touch(self) -> None:
        """The content has changed."""
        self.mtime = self.ctime = moment()

    def resize(self, size: int) -> None:
        if size < 0:
            raise failure(errno.EINVAL)
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))
        self.touch()

    def write(self, offset: int, data: bytes) -> None:
        if data and len(self.data) < offset:
            self.resize(offset)
        self.data[offset:offset + len(data)] = data
        self.touch()

    def add(self, name: str, node: Node) -> None:
        """Give a node a name in this directory. nlink of what is no directory is the caller's."""
        self.entries[name] = node
        self.places[name] = next(_places)
        if node.is_dir:
            self.nlink += 1
            node.parent = self
        self.touch()

    def remove(self, name: str) -> Node:
        """Take a name out of this directory."""
        node = self.entries.pop(name)
        del self.places[name]
        if node.is_dir:
            self.nlink -= 1
        self.touch()
        return node

    def count(self, by: int) -> None:
        """It has more names now, or fewer."""
        self.nlink += by
        self.ctime = moment()

    def set_attributes(self, who: Who, asked: Iatt, valid: int) -> None:
        """setattr. Raises OSError."""
        if valid & (SET_MODE | SET_UID | SET_GID | SET_ATIME | SET_MTIME) and who.uid not in (0, self.uid):
            raise PermissionError
        if valid & SET_UID and who.uid != 0 and asked.ia_uid != self.uid:
            raise PermissionError
        if valid & SET_GID and who.uid != 0 and asked.ia_gid not in (who.gid, *who.groups):
            raise PermissionError
        if valid & (SET_ATIME_NOW | SET_MTIME_NOW) and who.uid != self.uid:
            self.check(who, WRITE)
        if valid & SET_MODE:
            self.prot = asked.ia_prot
        if valid & SET_UID:
            self.uid = asked.ia_uid
        if valid & SET_GID:
            self.gid = asked.ia_gid
        now = moment()
        if valid & SET_ATIME:
            self.atime = asked.ia_atime * 10**9 + asked.ia_atime_nsec
        if valid & SET_MTIME:
            self.mtime = asked.ia_mtime * 10**9 + asked.ia_mtime_nsec
        if valid & SET_ATIME_NOW:
            self.atime = now
        if valid & SET_MTIME_NOW:
            self.mtime = now
        self.ctime = now

    # Who may

    def may(self, who: Who, mask: int) -> bool:
        """Whether the mode's bits allow it, as the kernel reads them."""
        if who.uid == 0:
            return mask != SEARCH or self.is_dir or bool(self.prot & 0o111)
        if who.uid == self.uid:
            bits = self.prot >> 6
        elif self.gid in (who.gid, *who.groups):
            bits = self.prot >> 3
        else:
            bits = self.prot
        return mask & ~bits & 7 == 0

    def check(self, who: Who, mask: int) -> None:
        if not self.may(who, mask):
            raise failure(errno.EACCES)

    def check_entry(self, who: Who, name: str) -> None:
        """Whether a name may be taken out of this directory: its own mode says so, and of a sticky one the owners."""
        self.check(who, WRITE | SEARCH)
        if self.prot & stat.S_ISVTX and who.uid not in (0, self.uid, self.entries[name].uid):
            raise PermissionError


def dirent_type(node: Node) -> int:
    """d_type."""
    return _TYPES[node.ia_type] >> 12


def opened_for(flags: int) -> int:
    """What an open with these flags needs."""
    mask: int = {os.O_RDONLY: READ, os.O_WRONLY: WRITE}.get(flags & os.O_ACCMODE, READ | WRITE)
    return mask | (WRITE if flags & os.O_TRUNC else 0)


def check_name(name: str, taken: Collection[str]) -> None:
    if len(name.encode("utf-8", "surrogateescape")) > 255:
        raise failure(errno.ENAMETOOLONG)
    if name in taken:
        raise FileExistsError
