"""Answers with more than was asked for: what a file's name says, by Python or by what is wound."""

from __future__ import annotations

from typing import Any

from glupy import Buffer, CopyFileRangeReply, GetxattrReply, Iatt, ReadlinkReply, ReadvReply, Translator, WritevReply


def name_of(fd: Any) -> str:
    return (fd.inode.path() or "").rpartition("/")[2]


class AnswersMore(Translator):
    async def readv(self, frame: Any, fd: Any, size: int, offset: int, flags: int, xdata: Any) -> Any:
        match name_of(fd):
            case "made":
                reply = await self.child.readv(fd, size, offset, flags, xdata)
                pieces = [b"0123456789" * 1000] * 30 if offset == 0 else []
                return ReadvReply(vector=Buffer(pieces), stbuf=reply.stbuf)
            case "asked":
                return await self.child.readv(fd, 2 * size, offset, flags, xdata)
            case "tail":
                return self.child.readv(fd, 2 * size, offset, flags, xdata)
        return self.child.readv(fd, size, offset, flags, xdata)

    def readlink(self, frame: Any, loc: Any, size: int, xdata: Any) -> Any:
        return ReadlinkReply(path="t" * 10000, buf=Iatt()) if (loc.path or "").endswith("link") else None

    async def writev(self, frame: Any, fd: Any, vector: Any, offset: int, flags: int, xdata: Any) -> Any:
        reply = await self.child.writev(fd, vector, offset, flags, xdata)
        if name_of(fd) != "written":
            return reply
        return WritevReply(op_ret=reply.op_ret + 10, prebuf=reply.prebuf, postbuf=reply.postbuf)

    def copy_file_range(self, frame: Any, fd_in: Any, off_in: int, fd_out: Any, off_out: int, len: int, flags: int,
                        xdata: Any) -> Any:
        return CopyFileRangeReply(op_ret=len + 10)

    def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        return GetxattrReply({name: bytes(70000)}) if name == "user.long" else None
