"""Arguments for every fop and values for every reply field, about objects that glupytest/sink knows."""

from __future__ import annotations

import fcntl
import os
from typing import Any

import glupy
from glupy import (
    Buffer, Dirent, Dirents, Fd, Flock, Gfid, Iatt, Inode, InodeTable, Lease, Loc, LockEntry, LockList, Statvfs, Xdata,
)

FILE, DIRECTORY = 1, 2
GF_LK_SETLK = 6
LOCK = Flock(l_type=fcntl.F_WRLCK, l_start=10, l_len=20, l_pid=os.getpid(), l_owner=b"owner")
IATT_FIELDS = {
    "preparent", "postparent", "preoldparent", "postoldparent", "prenewparent", "postnewparent", "prebuf", "postbuf",
    "stbuf", "preop_stbuf", "postop_stbuf", "prebuf_dst", "postbuf_dst",
}


def linked(table: InodeTable, name: str, ia_type: int) -> Inode:
    """The inode of a file or directory below the root, in the table."""
    found = table.grep(table.root, name)
    if found is None:
        buf = Iatt(ia_gfid=Gfid.random(), ia_type=ia_type, ia_prot=0o644)
        found = table.new().link(table.root, name, buf)
    assert found is not None
    return found


def loc_of(table: InodeTable, name: str, ia_type: int = FILE) -> Loc:
    """Where a file is that exists."""
    return Loc(f"/{name}", inode=linked(table, name, ia_type), parent=table.root)


def new_loc(table: InodeTable, name: str) -> Loc:
    """Where a file is to be. Its gfid is known before, so that two winds give the same reply."""
    return Loc(f"/{name}", inode=table.new(), parent=table.root, gfid=Gfid.random())


NEW = {"mknod", "mkdir", "symlink", "create", "put", "icreate"}
OF_DIRECTORY = {"opendir", "readdir", "readdirp", "fsyncdir", "rmdir"}


def argument(fop: str, name: str, table: InodeTable) -> Any:
    """A value for an argument of a fop, other than the one that stands for `nothing`."""
    directory = fop in OF_DIRECTORY
    match name:
        case "loc" | "oldloc" if fop in NEW:
            return new_loc(table, "newfile")
        case "loc" | "oldloc":
            return loc_of(table, "dir" if directory else "file", DIRECTORY if directory else FILE)
        case "newloc":
            return new_loc(table, "newname")
        case "fd" | "fd_in" | "fd_out":
            inode = linked(table, "dir" if directory else f"file{name}", DIRECTORY if directory else FILE)
            return Fd.create(inode, os.getpid())
        case "stbuf":
            return Iatt(ia_uid=7, ia_gid=8, ia_prot=0o600)
        case "dict" | "xattr":
            return Xdata({"user.a": b"1", "user.b": b"two"})
        case "xdata":
            return Xdata({"asked": fop})
        case "flock":
            return LOCK
        case "lease":
            return Lease(cmd=1, lease_type=2, lease_id=bytes(range(16)), lease_flags=3)
        case "locklist":
            return LockList([LockEntry(LOCK, "client", 1)])
        case "vector":
            return Buffer(b"payload")
    return SCALARS[name]


SCALARS: dict[str, Any] = {
    "args": None, "basename": "entry", "cmd": GF_LK_SETLK, "datasync": 1, "flag": 2, "flags": os.O_RDWR,
    "key": "volume", "keep_size": 1, "len": 4096, "linkname": "target", "mask": os.R_OK, "mode": 0o100640,
    "name": "user.a", "off_in": 1,
    "off_out": 2, "offset": 0, "op": 3, "optype": 0, "rdev": 0x105, "size": 4096, "type": 1, "umask": 0o22, "valid": 3,
    "volume": "domain", "what": 0, "xflags": 0,
}


def arguments(fop: str, table: InodeTable) -> tuple[Any, ...]:
    """Arguments for a wind of a fop."""
    return tuple(argument(fop, name, table) for name in glupy.FOPS[fop])


def reply_type(fop: str) -> Any:
    """The reply type of a fop: stat's is StatReply."""
    return getattr(glupy, "".join(part.capitalize() for part in fop.split("_")) + "Reply")


def reply_field(fop: str, name: str, table: InodeTable) -> Any:
    """A value for a field of a fop's reply, other than what stands there when it is left out."""
    if name in IATT_FIELDS or (name == "buf" and fop != "statfs"):
        return Iatt(ia_gfid=Gfid.random(), ia_type=FILE, ia_prot=0o640, ia_size=len(name), ia_nlink=1)
    match name:
        case "buf":
            return Statvfs(f_bsize=512, f_blocks=1000, f_namemax=255)
        case "inode":
            return linked(table, "answered", FILE)
        case "fd":
            return Fd.create(linked(table, "answered", FILE), os.getpid())
        case "dict" | "xattr":
            return Xdata({"user.answered": b"yes"})
        case "xdata":
            return Xdata({"answered": fop})
        case "path" | "spec_data":
            return "some text"
        case "vector":
            return Buffer([b"some ", b"data"])
        case "flock":
            return Flock(l_type=fcntl.F_RDLCK, l_start=5, l_len=6, l_pid=7, l_owner=b"other")
        case "entries":
            stat = Iatt(ia_gfid=Gfid.random(), ia_type=FILE)
            return Dirents([Dirent("one", d_off=1, d_type=8, d_stat=stat), Dirent("two", d_off=2, dict={"k": 1})])
        case "weak_checksum":
            return 0xDEADBEEF
        case "strong_checksum":
            return bytes(range(32))
        case "offset":
            return 1 << 40
        case "lease":
            return Lease(cmd=3, lease_type=1, lease_id=bytes(16), lease_flags=0)
        case "locklist":
            return LockList([LockEntry(LOCK, "one", 1), LockEntry(LOCK, "two", 2)])
        case "data":
            return None
    raise AssertionError(f"{fop}: no value for {name}")


def whole_reply(fop: str, table: InodeTable) -> Any:
    """A reply with every field given."""
    made = reply_type(fop)
    return made(**{name: reply_field(fop, name, table) for name in made.__match_args__})
