"""Negative lookup in the first form of the classic API: decorated functions, which xlator.__init__ registers."""

from uuid import UUID

from gluster import *

missing = {}
asked = {}


def key_of(gfid):
    return str(UUID(bytes=bytes(gfid)))


@lookup_fop_t
def lookup_fop(frame, this, loc, xdata):
    parent, name = key_of(loc.contents.pargfid), loc.contents.name
    if name in missing.get(parent, ()):
        print("short-circuiting %s" % name)
        dl.unwind_lookup(frame, 0, this, -1, 2, None, None, None, None)
        return 0
    asked[dl.get_id(frame)] = parent, name
    dl.wind_lookup(frame, POINTER(xlator_t)(), loc, xdata)
    return 0


@lookup_cbk_t
def lookup_cbk(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent):
    parent, name = asked.pop(dl.get_id(frame))
    if op_ret == 0:
        missing.get(parent, set()).discard(name)
    elif op_errno == 2:
        missing.setdefault(parent, set()).add(name)
    dl.unwind_lookup(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent)
    return 0


@create_fop_t
def create_fop(frame, this, loc, flags, mode, umask, fd, xdata):
    asked[dl.get_id(frame)] = key_of(loc.contents.pargfid), loc.contents.name
    dl.wind_create(frame, POINTER(xlator_t)(), loc, flags, mode, umask, fd, xdata)
    return 0


@create_cbk_t
def create_cbk(frame, cookie, this, op_ret, op_errno, fd, inode, buf, preparent, postparent, xdata):
    parent, name = asked.pop(dl.get_id(frame))
    if op_ret == 0:
        missing.get(parent, set()).discard(name)
    dl.unwind_create(frame, cookie, this, op_ret, op_errno, fd, inode, buf, preparent, postparent, xdata)
    return 0


class xlator:
    def __init__(self, xl):
        dl.set_lookup_fop(xl, lookup_fop)
        dl.set_lookup_cbk(xl, lookup_cbk)
        dl.set_create_fop(xl, create_fop)
        dl.set_create_cbk(xl, create_cbk)
