"""Answers with more than was asked for, by the classic API."""

from __future__ import annotations

from typing import Any

from gluster.glupy import *

NULL = POINTER(xlator_t)()


class xlator(Translator):
    def readv_fop(self, frame: Any, this: Any, fd: Any, size: int, offset: int, flags: int, xdata: Any) -> int:
        asked = str(path_of(fd.contents.inode)).rpartition("/")[2] in ("asked", "tail", "made")
        dl.wind_readv(frame, NULL, fd, 2 * size if asked else size, offset, flags, xdata)
        return 0

    def readlink_cbk(self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, path: Any, buf: Any,
                     xdata: Any) -> int:
        dl.unwind_readlink(frame, cookie, this, 10000 if op_ret > 0 else op_ret, op_errno,
                           b"t" * 10000 if op_ret > 0 else None, buf, xdata)
        return 0

    def writev_cbk(self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, prebuf: Any, postbuf: Any,
                   xdata: Any) -> int:
        dl.unwind_writev(frame, cookie, this, op_ret + 10, op_errno, prebuf, postbuf, xdata)
        return 0
