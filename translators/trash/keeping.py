"""How a file gets into a bin: by another name, or as a copy. OSError: it is not there."""

from __future__ import annotations

import errno
import os

from glupy import Fd, Iatt, Inode, Loc, nameless

from .bins import SET_MODE_AND_OWNER, Bins, User
from .names import ORIGIN, above, copy_gfid, entry_name, origin
from .replicas import missed

TRIES = 100
CHUNK = 1 << 20


async def linked(bins: Bins, user: User, inode: Inode, where: Loc) -> Loc:
    """Give a file another name in a bin; where it is there. One that it had there before may be refused it: see put_back()."""
    away = await bins.away(above(where))
    folder = await bins.of(user, away)
    file = nameless(inode)
    await bins.child.setxattr(file, {ORIGIN: origin(where)}, 0)
    for number in range(TRIES):
        goal = Loc.from_inode(folder).child(entry_name(where.name or "", inode.gfid, number), inode)
        await missed(bins.child, folder, goal.name or "", away)
        reply = await bins.child.link(file, goal).or_error()
        if reply.op_ret >= 0:
            return goal
        if reply.op_errno != errno.EEXIST:
            break
    raise OSError(reply.op_errno, os.strerror(reply.op_errno))


async def copied(bins: Bins, user: User, inode: Inode, where: Loc, buf: Iatt) -> None:
    """Copy a file into a bin. The copy's gfid has to be the same on all replicas."""
    gfid = copy_gfid(f"{buf.ia_gfid} {buf.ia_mtime} {buf.ia_mtime_nsec} {buf.ia_size}")
    away = await bins.away(above(where))
    folder = await bins.of(user, away)
    loc = Loc.from_inode(folder).child(entry_name(where.name or "file", gfid))
    await missed(bins.child, folder, loc.name or "", away)
    fd = Fd.create(loc.inode or bins.table.new())
    made = await bins.child.create(loc, os.O_RDWR | os.O_EXCL, 0o600, 0, fd, {"gfid-req": gfid})
    copy = loc.replace(inode=made.inode.link(folder, loc.name or "", made.buf), gfid=gfid)
    try:
        offset = 0
        while offset < buf.ia_size:
            data = (await bins.child.readv(Fd.of(inode), min(CHUNK, buf.ia_size - offset), offset, 0)).vector
            if not len(data):
                break
            await bins.child.writev(made.fd, data, offset, 0)
            offset += len(data)
        if where.name:
            await bins.child.setxattr(copy, {ORIGIN: origin(where)}, 0)
        await bins.child.setattr(copy, buf, SET_MODE_AND_OWNER)
    except OSError:
        await bins.child.unlink(copy, 0).or_error()
        raise
