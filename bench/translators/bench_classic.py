"""Takes part in each fop that the bench sends as a script for the first glupy does: a function and a callback."""

from __future__ import annotations

from typing import Any

from gluster.glupy import *


class xlator(Translator):
    def lookup_fop(self, frame: Any, this: Any, loc: Any, xdata: Any) -> int:
        dl.wind_lookup(frame, POINTER(xlator_t)(), loc, xdata)
        return 0

    def lookup_cbk(
        self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, inode: Any, buf: Any, xdata: Any,
        postparent: Any,
    ) -> int:
        dl.unwind_lookup(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent)
        return 0

    def stat_fop(self, frame: Any, this: Any, loc: Any, xdata: Any) -> int:
        dl.wind_stat(frame, POINTER(xlator_t)(), loc, xdata)
        return 0

    def stat_cbk(self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, buf: Any, xdata: Any) -> int:
        dl.unwind_stat(frame, cookie, this, op_ret, op_errno, buf, xdata)
        return 0

    def open_fop(self, frame: Any, this: Any, loc: Any, flags: Any, fd: Any, xdata: Any) -> int:
        dl.wind_open(frame, POINTER(xlator_t)(), loc, flags, fd, xdata)
        return 0

    def open_cbk(self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, fd: Any, xdata: Any) -> int:
        dl.unwind_open(frame, cookie, this, op_ret, op_errno, fd, xdata)
        return 0

    def create_fop(
        self, frame: Any, this: Any, loc: Any, flags: Any, mode: Any, umask: Any, fd: Any, xdata: Any,
    ) -> int:
        dl.wind_create(frame, POINTER(xlator_t)(), loc, flags, mode, umask, fd, xdata)
        return 0

    def create_cbk(
        self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, fd: Any, inode: Any, buf: Any,
        preparent: Any, postparent: Any, xdata: Any,
    ) -> int:
        dl.unwind_create(frame, cookie, this, op_ret, op_errno, fd, inode, buf, preparent, postparent, xdata)
        return 0

    def readv_fop(self, frame: Any, this: Any, fd: Any, size: Any, offset: Any, flags: Any, xdata: Any) -> int:
        dl.wind_readv(frame, POINTER(xlator_t)(), fd, size, offset, flags, xdata)
        return 0

    def readv_cbk(
        self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, vector: Any, count: Any, stbuf: Any,
        iobref: Any, xdata: Any,
    ) -> int:
        dl.unwind_readv(frame, cookie, this, op_ret, op_errno, vector, count, stbuf, iobref, xdata)
        return 0

    def writev_fop(
        self, frame: Any, this: Any, fd: Any, vector: Any, count: Any, offset: Any, flags: Any, iobref: Any,
        xdata: Any,
    ) -> int:
        dl.wind_writev(frame, POINTER(xlator_t)(), fd, vector, count, offset, flags, iobref, xdata)
        return 0

    def writev_cbk(
        self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, prebuf: Any, postbuf: Any,
        xdata: Any,
    ) -> int:
        dl.unwind_writev(frame, cookie, this, op_ret, op_errno, prebuf, postbuf, xdata)
        return 0

    def readdirp_fop(self, frame: Any, this: Any, fd: Any, size: Any, offset: Any, xdata: Any) -> int:
        dl.wind_readdirp(frame, POINTER(xlator_t)(), fd, size, offset, xdata)
        return 0

    def readdirp_cbk(
        self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, entries: Any, xdata: Any,
    ) -> int:
        dl.unwind_readdirp(frame, cookie, this, op_ret, op_errno, entries, xdata)
        return 0

    def getxattr_fop(self, frame: Any, this: Any, loc: Any, name: Any, xdata: Any) -> int:
        dl.wind_getxattr(frame, POINTER(xlator_t)(), loc, name, xdata)
        return 0

    def getxattr_cbk(
        self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, dict: Any, xdata: Any,
    ) -> int:
        dl.unwind_getxattr(frame, cookie, this, op_ret, op_errno, dict, xdata)
        return 0
