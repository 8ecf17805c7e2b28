"""Negative lookup in the second form of the classic API: a class whose methods are registered by their names, from the
module `gluster`."""

from uuid import UUID

from gluster import *


def uuid2str(gfid):
    return str(UUID("".join(map("{0:02x}".format, gfid))))


class xlator(Translator):
    def __init__(self, c_this):
        self.requests = {}
        self.cache = {}
        Translator.__init__(self, c_this)

    def lookup_fop(self, frame, this, loc, xdata):
        pargfid = uuid2str(loc.contents.pargfid)
        if loc.contents.name in self.cache.get(pargfid, ()):
            print("short-circuiting %s" % loc.contents.name)
            dl.lookup_unwind(frame, 0, this, -1, 2, None, None, None, None)
            return 0
        self.requests[dl.get_id(frame)] = pargfid, loc.contents.name
        dl.lookup_wind(frame, POINTER(xlator_t)(), loc, xdata)
        return 0

    def lookup_cbk(self, frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent):
        pargfid, name = self.requests.pop(dl.get_id(frame))
        if op_ret == 0:
            self.cache.get(pargfid, set()).discard(name)
        elif op_errno == 2:
            self.cache.setdefault(pargfid, set()).add(name)
        dl.lookup_unwind(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent)
        return 0

    def create_fop(self, frame, this, loc, flags, mode, umask, fd, xdata):
        self.requests[dl.get_id(frame)] = uuid2str(loc.contents.pargfid), loc.contents.name
        dl.create_wind(frame, POINTER(xlator_t)(), loc, flags, mode, umask, fd, xdata)
        return 0

    def create_cbk(self, frame, cookie, this, op_ret, op_errno, fd, inode, buf, preparent, postparent, xdata):
        pargfid, name = self.requests.pop(dl.get_id(frame))
        if op_ret == 0:
            self.cache.get(pargfid, set()).discard(name)
        dl.create_unwind(frame, cookie, this, op_ret, op_errno, fd, inode, buf, preparent, postparent, xdata)
        return 0
