"""Access: a request's way to the stored blocks of one file. Whoever uses it holds the blocks (Spans)."""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from glupy._core import Fd, Iatt
from glupy.api.content_file import ContentFile, coded

if TYPE_CHECKING:
    import logging

    from glupy._core import Child, Frame, Identity, Inode, WritevReply, Xdata

R = TypeVar("R")

#: Flags of an fd by which the layer below would put blocks elsewhere than asked for, or want them aligned.
_OF_NO_USE = os.O_APPEND | os.O_DIRECT


class Coder(Protocol):
    """What is needed of a Content."""

    block_size: ClassVar[int]
    child: Child
    log: logging.Logger

    def encode(self, file: ContentFile, offset: int, data: bytes) -> bytes: ...
    def decode(self, file: ContentFile, offset: int, data: bytes) -> bytes: ...


def flags_of(fd: Fd) -> int:
    """How a file was opened: as noted then, for the fds of layers above need not say it."""
    return fd.flags if fd.ctx is None else int(fd.ctx)


class Access:
    """One request's. Its fd is used where that can read, or write where it is told; else, and where there is none, an
    anonymous one, as root: who may do what has been settled when the file was opened."""

    def __init__(self, layer: Coder, frame: Frame, file: ContentFile, inode: Inode, fd: Fd | None = None) -> None:
        self.layer, self.frame, self.file, self.fd = layer, frame, file, fd
        self.inode = inode
        self._anonymous: Fd | None = None

    # Which fd

    @property
    def reading(self) -> Fd:
        fd = self.fd
        if fd is None or not fd.anonymous and (flags_of(fd) & os.O_ACCMODE == os.O_WRONLY or flags_of(fd) & os.O_DIRECT):
            return self.anonymous
        return fd

    @property
    def writing(self) -> Fd:
        fd = self.fd
        return self.anonymous if fd is None or not fd.anonymous and flags_of(fd) & _OF_NO_USE else fd

    @property
    def anonymous(self) -> Fd:
        if self._anonymous is None:
            self._anonymous = Fd.of(self.inode)
        return self._anonymous

    def acting(self, fd: Fd) -> nullcontext[None] | Identity:
        """As whom to wind with an fd."""
        if fd is self.fd:
            return nullcontext()
        return self.frame.as_root()

    def check_readable(self) -> None:
        """OSError(EBADF) where the fd was opened to write only."""
        if self.fd is not None and not self.fd.anonymous and flags_of(self.fd) & os.O_ACCMODE == os.O_WRONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def check_writable(self) -> None:
        """OSError(EBADF) where the fd was opened to read only, and that is known: without a note, 0 may be what nobody has
        set."""
        fd = self.fd
        if fd is not None and not fd.anonymous and fd.ctx is not None and flags_of(fd) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    # Blocks

    async def stat(self) -> Iatt:
        fd = self.fd or self.anonymous
        with self.acting(fd):
            return (await self.layer.child.fstat(fd)).buf

    async def plain(self, offset: int, size: int) -> bytes:
        """The content of blocks, from the beginning of one on; the last may be short, and ends the file."""
        fd, stored = self.reading, b""
        while len(stored) < size:
            with self.acting(fd):
                reply = await self.layer.child.readv(fd, size - len(stored), offset + len(stored), 0)
            if not len(reply.data):
                raise OSError(errno.EIO, f"{self.file.gfid} ends at {offset + len(stored)}, and should not")
            stored += bytes(reply.data)
        return self.decoded(offset, stored)

    async def put(self, offset: int, plain: bytes, flags: int = 0, xdata: Xdata | None = None) -> WritevReply:
        """Give whole blocks a content."""
        stored = self.encoded(offset, plain)
        fd, done = self.writing, 0
        flags = flags & ~_OF_NO_USE | (flags_of(self.fd) & (os.O_SYNC | os.O_DSYNC) if self.fd else 0)
        while True:
            with self.acting(fd):
                reply = await self.layer.child.writev(fd, stored[done:], offset + done, flags, xdata)
            done += reply.op_ret
            if done >= len(stored):
                return reply
            if reply.op_ret <= 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    def encoded(self, offset: int, plain: bytes) -> bytes:
        return coded(self.layer.encode, self.file, self.layer.block_size, offset, plain)

    def decoded(self, offset: int, stored: bytes) -> bytes:
        return coded(self.layer.decode, self.file, self.layer.block_size, offset, stored)

    # Changes

    async def write(self, offset: int, data: bytes, size: int, flags: int = 0, xdata: Xdata | None = None) -> WritevReply:
        """Put bytes anywhere into a file that has a size. What they leave of the blocks that they touch stays; and so does the
        file's last block, if the file grows beyond it, at another length."""
        block = self.layer.block_size
        end = offset + len(data)
        first, last, tail = offset - offset % block, (end - 1) - (end - 1) % block, size - size % block
        before = await self.plain(first, min(block, size - first)) if first < offset and first < size else b""
        behind = b""
        if end < min(last + block, size):
            same = before if before and first == last else await self.plain(last, min(block, size - last))
            behind = same[end - last:]
        body = before[:offset - first].ljust(offset - first, b"\0") + data + behind
        apart = size % block and tail < first  # the last block so far is not among those that are written
        kept = await self.plain(tail, size - tail) if apart else body[tail - first:size - first] if tail >= first else b""
        try:
            if apart:
                await self.put(tail, kept.ljust(block, b"\0"), flags)
            return await self.put(first, body, flags, xdata)
        except OSError:
            if end > size:
                await self.mend(size, tail, kept)
            raise

    async def resized(self, size: int, new: int, wind: Callable[[], Awaitable[R]]) -> tuple[R, Iatt | None]:
        """Have a wind give the file another size: its reply, and what the file is afterwards where that was not yet all. The
        block in which the smaller of the two sizes lies has another length then."""
        block, edge = self.layer.block_size, min(size, new)
        start = edge - edge % block
        if edge == start or size == new:
            return await wind(), None
        old = await self.plain(start, min(block, size - start))
        reply = await wind()
        length = min(block, new - start)
        try:
            return reply, (await self.put(start, old[:length].ljust(length, b"\0"))).postbuf
        except OSError:
            await self.mend(size, start, old)
            raise

    async def mend(self, size: int, start: int, plain: bytes) -> None:
        """After a failure: the file has its former size, and its last block, from `start` on, this content."""
        fd = self.anonymous
        try:
            with self.frame.as_root():
                await self.layer.child.ftruncate(fd, size)
            if plain:
                await self.put(start, plain)
        except OSError as error:
            self.layer.log.error("%s: what had been written before it failed could not be taken back (%s): the block at %d "
                                 "may be lost", self.file.gfid, error, start)
