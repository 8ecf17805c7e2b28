"""How a file gets out of a bin, to where it was, and what is said of where that is."""

from __future__ import annotations

import errno
import os

from glupy import Child, Frame, Gfid, Loc, anew, nameless

from .bins import Bins
from .links import LINKTO, is_link
from .names import ORIGIN
from .replicas import missed


async def restored(bins: Bins, frame: Frame, folder: Loc, name: str) -> None:
    """Put a file back, as its user. Of those that are not here, or only as a link of DHT's, another brick knows."""
    child = bins.child
    assert folder.inode is not None
    loc = Loc.from_inode(folder.inode).child(name)
    found = await child.lookup(loc, {ORIGIN: 0, LINKTO: 0}).or_error()
    if found.op_ret < 0 and found.op_errno == errno.ENOENT:
        return
    if found.op_ret >= 0 and is_link(found.buf, found.xdata):
        return
    place = found.xdata.get_as(ORIGIN, "bytes", b"") if found.op_ret >= 0 else b""
    if len(place) < 17:
        raise OSError(errno.ENODATA, "nothing says where it was")
    inode = found.inode.link(None, None, found.buf)
    parent = await child.lookup(bins.nameless(Gfid(place[:16])))
    directory = parent.inode.link(None, None, parent.buf)
    goal = Loc.from_inode(directory).child(place[16:], inode)
    with frame.as_root():
        away = await bins.away(folder.inode.gfid)
        await missed(child, folder.inode, name, away)
        await missed(child, directory, goal.name or "", away)
    await put_back(child, loc.replace(gfid=inode.gfid), goal)
    with frame.as_root():
        await child.removexattr(nameless(inode), ORIGIN).or_error()


async def put_back(child: Child, source: Loc, goal: Loc) -> None:
    """By link(), which never replaces what is there. But of a file that was replaced by a rename, storage/posix goes on
    believing that it has that name, in an attribute trusted.gfid2path.*, and refuses it as a new one."""
    if await exists(child, goal):
        raise FileExistsError
    linked = await child.link(nameless(source.inode, source.gfid), goal).or_error()
    if linked.op_ret >= 0:
        await child.unlink(source, 0)
    elif linked.op_errno == errno.EEXIST and not await exists(child, goal):
        await child.rename(source, anew(goal))
    else:
        raise OSError(linked.op_errno, os.strerror(linked.op_errno))


async def exists(child: Child, loc: Loc) -> bool:
    return (await child.lookup(anew(loc)).or_error()).op_ret >= 0


async def shown_origin(bins: Bins, loc: Loc) -> bytes:
    """Where a file was: the path of its directory, where that is known here, else its gfid."""
    place: bytes = (await bins.child.getxattr(loc, ORIGIN)).dict.get_as(ORIGIN, "bytes")
    known = bins.table.find(Gfid(place[:16]))
    path = known.path() if known else None
    where = (path or f"<gfid:{Gfid(place[:16])}>").rstrip("/")
    return os.fsencode(where) + b"/" + place[16:]
