"""Keeps an inode and an fd where scripts of other graphs find them, and winds and answers with what it finds there.

The file's name says what is to be done: stat or open of it, or reading a folder of that name.
"""

from __future__ import annotations

import sys
from typing import Any

from gluster.glupy import *

NULL = POINTER(xlator_t)()

#: Of whichever graph kept something last: the modules of two volumes share nothing but this.
strays: dict[str, Any] = vars(sys).setdefault("strays", {})


def own_loc(loc: Any, **fields: Any) -> Any:
    """A copy of a loc, with other inodes."""
    own = loc_t()
    own.path, own.gfid = loc.contents.path, loc.contents.gfid
    own.inode, own.parent = (fields.get(name, getattr(loc.contents, name)) for name in ("inode", "parent"))
    return pointer(own)


@stat_fop_t
def stat_fop(frame: Any, this: Any, loc: Any, xdata: Any) -> int:
    name = loc.contents.name
    if name == b"keep":
        strays["inode"] = dl.inode_ref(loc.contents.inode)
        strays["fd"] = dl.fd_create(loc.contents.inode, 1)
    elif name == b"drop":
        dl.fd_unref(strays.pop("fd"))
        dl.inode_unref(strays.pop("inode"))
    stray = strays.get("inode")
    own = {b"inode": {"inode": stray}, b"both": {"inode": stray, "parent": stray}, b"parent": {"parent": stray}}.get(name)
    dl.wind_stat(frame, NULL, loc if own is None else own_loc(loc, **own), xdata)
    return 0


@open_fop_t
def open_fop(frame: Any, this: Any, loc: Any, flags: int, fd: Any, xdata: Any) -> int:
    if loc.contents.name == b"answer":
        dl.unwind_open(frame, 0, this, 0, 0, strays["fd"], None)
    else:
        dl.wind_open(frame, NULL, loc, flags, strays["fd"] if loc.contents.name == b"fd" else fd, xdata)
    return 0


@lookup_fop_t
def lookup_fop(frame: Any, this: Any, loc: Any, xdata: Any) -> int:
    dl.wind_lookup(frame, NULL, loc, xdata)
    return 0


@lookup_cbk_t
def lookup_cbk(frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, inode: Any, buf: Any, xdata: Any,
               postparent: Any) -> int:
    dl.unwind_lookup(frame, cookie, this, op_ret, op_errno, strays.get("inode", inode), buf, xdata, postparent)
    return 0


@readdirp_fop_t
def readdirp_fop(frame: Any, this: Any, fd: Any, size: int, offset: int, xdata: Any) -> int:
    dl.wind_readdirp(frame, NULL, fd, size, offset, xdata)
    return 0


@readdirp_cbk_t
def readdirp_cbk(frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, entries: Any, xdata: Any) -> int:
    if "inode" in strays:
        entry = cast(entries.contents.list.next, POINTER(gf_dirent_t))
        entry.contents.inode = strays["inode"]
    dl.unwind_readdirp(frame, cookie, this, op_ret, op_errno, entries, xdata)
    return 0


class xlator:
    def __init__(self, xl: Any) -> None:
        for name in ("stat_fop", "open_fop", "lookup_fop", "lookup_cbk", "readdirp_fop", "readdirp_cbk"):
            getattr(dl, f"set_{name}")(xl, globals()[name])
