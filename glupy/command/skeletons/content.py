"""Keep the content of files in another form below than it has above: here each letter is another one, as in rot13.

    volume hidden
        type user/skeleton
        subvolumes brick
    end-volume

Each byte stands for itself, and a zero byte stays one. That is why most of the ways by which data goes need nothing
here: holes and what truncate, fallocate, discard and zerofill make are zeros on both sides, copy_file_range copies
what is right already, seek and sizes are the same. What changes sizes, or depends on the offset, as ciphers do, has
to handle all of these, or refuse them with OSError(errno.EOPNOTSUPP).
"""

from __future__ import annotations

import codecs
from typing import Any

from glupy import Buffer, Fd, Frame, Loc, ReadvReply, Translator, Xdata

# glupy: ignore data-paths: see above

_LATIN = bytes(range(256)).decode("latin-1")

#: By which bytes are replaced, on their way down and on their way up again.
DOWN = codecs.encode(_LATIN, "rot13").encode("latin-1")
UP = bytes(DOWN.index(byte) for byte in range(256))

#: By this key GlusterFS's own layers ask a lookup for the content of small files, past readv.
CONTENT = "glusterfs.content"


class Skeleton(Translator):
    async def readv(self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata) -> ReadvReply:
        reply = await self.child.readv(fd, size, offset, flags, xdata)
        return reply.replace(vector=bytes(reply.data).translate(UP))

    def writev(self, frame: Frame, fd: Fd, vector: Buffer, offset: int, flags: int, xdata: Xdata) -> Any:
        return self.child.writev(fd, bytes(vector).translate(DOWN), offset, flags, xdata)

    def put(
        self, frame: Frame, loc: Loc, mode: int, umask: int, flags: int, vector: Buffer, offset: int, xattr: Xdata,
        xdata: Xdata,
    ) -> Any:
        return self.child.put(loc, mode, umask, flags, bytes(vector).translate(DOWN), offset, xattr, xdata)

    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> Any:
        if CONTENT not in xdata:
            return None
        del xdata[CONTENT]  # then it is read
        return self.child.lookup(loc, xdata)
