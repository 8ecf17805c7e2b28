"""Content: the base class of translators that change what files contain, such as encryption."""

from __future__ import annotations

import errno
import os
import stat
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from glupy import _core
from glupy.api.cluster_lock import ClusterLock, on_client
from glupy.api.content_access import Access, flags_of
from glupy.api.content_file import ContentFile
from glupy.api.spans import END, Span
from glupy.api.translator import Translator
from glupy.options.option import Option

if TYPE_CHECKING:
    from glupy._core import Buffer, Fd, Frame, Gfid, Iatt, Inode, Loc, Wind, Xdata

#: By this key GlusterFS's own layers ask for the content of small files, past readv (GF_CONTENT_KEY); and by names that begin
#: so storage/posix gives and takes whole files as extended attributes of their directory.
_CONTENT, _FILES = "glusterfs.content", "glusterfs.file."

#: So much at most of what copy_file_range is asked for; who asked asks again.
_COPIED, _PORTION = 4 << 20, 1 << 20

Need = Callable[[int], tuple[int, int]]  # from a file's size to the blocks that are to be held


class Content(Translator):
    """A translator that stores what files contain in another form, block by block.

    An author defines encode() and decode(), and this class does the rest: what begins or ends inside of a block is read,
    changed and written; the last block of a file, which may be a short one, is encoded anew when the file's size changes; and
    nobody meets a block of which another request has only written a part. Lengths do not change, so sizes, seeks and listings
    are the same on both sides, and are left alone.

    block_size  on the class: how many bytes are encoded at a time, at offsets that are multiples of it
    mark        on the class: the name of an extended attribute that each file is given when it is made ("trusted.NAME"), with
                what new_mark() says. Files without it are passed through unchanged, as those are that were there before; None:
                no file has one, and all are encoded

    A block of zeros is stored as zeros and a stored block of zeros is not decoded: so holes need no care. `inode.ctx` and
    `fd.ctx` are this class's: what is to be remembered of a file goes into its ContentFile's `own`.
    """

    block_size: ClassVar[int] = 4096
    mark: ClassVar[str | None] = None

    cluster_locks = Option(bool, default=True, help="on a client of a volume: lock blocks against other clients")

    inode_ctx = ContentFile

    def __init_subclass__(cls, **others: Any) -> None:
        super().__init_subclass__(**others)
        if not isinstance(cls.block_size, int) or cls.block_size < 1:
            raise ValueError(f"{cls.__name__}.block_size is {cls.block_size!r}: expected a number of bytes")

    # What an author defines

    @abstractmethod
    def encode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        """What is stored for a block of a file: as many bytes, and others for other data of that length.

        offset  of the block in the file, a multiple of block_size
        data    block_size bytes; fewer, and at least one, of the last block. They are all zeros only where encode() has just
                made zeros of something else, which is to be told from a hole

        The same arguments give the same result. What it raises is logged, and EIO for the application.
        """
        raise NotImplementedError

    @abstractmethod
    def decode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        """The way back: decode(file, offset, encode(file, offset, data)) == data, for any data."""
        raise NotImplementedError

    def new_mark(self, gfid: Gfid) -> bytes:
        """The mark of a file that is about to be made, which never changes. On a brick each replica makes its own: without
        something that is the same on all of them, heal copies the whole file each time that it compares."""
        return b"1"

    # Reading

    async def readv(
        self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata,
    ) -> _core.ReadvReply | Wind[_core.ReadvReply]:
        access = await self._access(frame, fd)
        if self._is_plain(access.file):
            return self.child.readv(fd, size, offset, flags, xdata)
        access.check_readable()
        block = self.block_size
        first, stop = offset // block, -(-(offset + size) // block)
        start, used, stored = first * block, access.reading, b""
        async with self._held(access, first, stop, alone=False):
            while True:
                wanted = (stop - first) * block - len(stored)
                with access.acting(used):
                    reply = await self.child.readv(used, wanted, start + len(stored), flags & ~os.O_DIRECT, xdata)
                stored += bytes(reply.data)
                if len(reply.data) in (0, wanted) or start + len(stored) >= reply.stbuf.ia_size:
                    break
        content = access.decoded(start, stored)[offset - start:offset - start + size]
        return reply.replace(vector=content)

    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> Wind[_core.LookupReply] | None:
        return self.child.lookup(loc, _without_content(xdata)) if _CONTENT in xdata else None

    def readdirp(self, frame: Frame, fd: Fd, size: int, offset: int, xdata: Xdata) -> Wind[_core.ReaddirpReply] | None:
        return self.child.readdirp(fd, size, offset, _without_content(xdata)) if _CONTENT in xdata else None

    # Writing

    async def writev(
        self, frame: Frame, fd: Fd, vector: Buffer, offset: int, flags: int, xdata: Xdata,
    ) -> _core.WritevReply | Wind[_core.WritevReply]:
        access = await self._access(frame, fd)
        if self._is_plain(access.file) or not len(vector):
            return self.child.writev(fd, vector, offset, flags, xdata)
        access.check_writable()
        data = bytes(vector)
        append = bool(flags_of(fd) & os.O_APPEND) and not fd.anonymous
        async with self._changing(access, self._at_end if append else self._written(offset, len(data))) as before:
            size = before.ia_size
            start = size if append else offset
            reply = await access.write(start, data, size, flags, xdata)
            access.file._glupy_size = max(size, start + len(data))
        return reply.replace(prebuf=before, op_ret=len(data))

    async def put(
        self, frame: Frame, loc: Loc, mode: int, umask: int, flags: int, vector: Buffer, offset: int, xattr: Xdata,
        xdata: Xdata,
    ) -> _core.PutReply:
        """As storage/posix does it: the file is made, written, and given its attributes, one after the other."""
        assert loc.inode is not None and loc.parent is not None
        fd = _core.Fd.create(loc.inode)
        made = await self.create(frame, loc, flags & ~os.O_ACCMODE | os.O_RDWR, mode, umask, fd, xdata)
        inode = made.inode.link(loc.parent, loc.name or "", made.buf)
        file = _core.Fd.of(inode)
        with frame.as_root():
            written = self.writev(frame, file, _core.Buffer(bytes(vector)), offset, 0, _core.Xdata())
            await _awaited(written)
            if len(xattr):
                await self.child.fsetxattr(file, xattr, 0)
            buf = (await self.child.fstat(file)).buf
        return _core.PutReply(made.inode, buf, made.preparent, made.postparent, made.xdata)

    async def zerofill(
        self, frame: Frame, fd: Fd, offset: int, len: int, xdata: Xdata,
    ) -> _core.ZerofillReply | Wind[_core.ZerofillReply]:
        access = await self._access(frame, fd)
        if self._is_plain(access.file) or not len:
            return self.child.zerofill(fd, offset, len, xdata)
        access.check_writable()
        async with self._changing(access, self._written(offset, len)) as before:
            size = before.ia_size
            for start, count, whole in self._pieces(offset, len):
                if whole:
                    await self._zeroed(access, start, count, size, xdata)
                else:
                    await access.write(start, bytes(count), size)
                size = max(size, start + count)
            return _core.ZerofillReply(before, await access.stat())

    async def _zeroed(self, access: Access, start: int, count: int, size: int, xdata: Xdata) -> None:
        """Have the child fill whole blocks."""
        fd = access.writing

        async def fill() -> None:
            with access.acting(fd):
                await self.child.zerofill(fd, start, count, xdata)
        await (access.resized(size, start + count, fill) if start > size else fill())

    async def discard(
        self, frame: Frame, fd: Fd, offset: int, len: int, xdata: Xdata,
    ) -> _core.DiscardReply | Wind[_core.DiscardReply]:
        access = await self._access(frame, fd)
        if self._is_plain(access.file) or not len:
            return self.child.discard(fd, offset, len, xdata)
        access.check_writable()
        async with self._changing(access, lambda size: self._blocks(offset, len)) as before:
            size = before.ia_size
            for start, count, whole in self._pieces(offset, min(len, max(0, size - offset))):
                if whole:
                    await self.child.discard(fd, start, count, xdata)
                else:
                    await access.write(start, bytes(count), size)
            return _core.DiscardReply(before, await access.stat())

    async def copy_file_range(
        self, frame: Frame, fd_in: Fd, off_in: int, fd_out: Fd, off_out: int, len: int, flags: int, xdata: Xdata,
    ) -> _core.CopyFileRangeReply:
        """By reading and writing, since what is stored depends on the file and the place. Where several interpreters serve the
        translator the other file's blocks are held in another one: EOPNOTSUPP, and who asked reads and writes."""
        if self.common.interpreters > 1:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        before = (await self.child.fstat(fd_out)).buf
        done, asked, after = 0, min(len, _COPIED), before
        while True:
            portion = min(_PORTION, asked - done)
            read = await _awaited(self.readv(frame, fd_in, portion, off_in + done, 0, _core.Xdata()))
            count = read.op_ret
            if count:
                written = await _awaited(self.writev(frame, fd_out, read.data, off_out + done, 0, _core.Xdata()))
                after = written.postbuf
            done += count
            if count < portion or done >= asked:
                return _core.CopyFileRangeReply(read.stbuf, before, after, op_ret=done)

    # Sizes

    async def truncate(self, frame: Frame, loc: Loc, offset: int, xdata: Xdata) -> Any:
        assert loc.inode is not None
        return await self._truncated(await self._access(frame, None, loc.inode), offset,
                                     lambda: self.child.truncate(loc, offset, xdata))

    async def ftruncate(self, frame: Frame, fd: Fd, offset: int, xdata: Xdata) -> Any:
        return await self._truncated(await self._access(frame, fd), offset, lambda: self.child.ftruncate(fd, offset, xdata))

    async def _truncated(self, access: Access, new: int, wind: Callable[[], Wind[Any]]) -> Any:
        if self._is_plain(access.file):
            return wind()
        async with self._changing(access, lambda size: (min(new, size) // self.block_size, END)) as before:
            reply, after = await access.resized(before.ia_size, new, wind)
        return reply if after is None else reply.replace(postbuf=after)

    async def fallocate(
        self, frame: Frame, fd: Fd, keep_size: int, offset: int, len: int, xdata: Xdata,
    ) -> _core.FallocateReply | Wind[_core.FallocateReply]:
        access, end = await self._access(frame, fd), offset + len
        if keep_size or self._is_plain(access.file):
            return self.child.fallocate(fd, keep_size, offset, len, xdata)
        async with self._changing(access, self._written(offset, len)) as before:
            reply, after = await access.resized(before.ia_size, max(end, before.ia_size),
                                                lambda: self.child.fallocate(fd, keep_size, offset, len, xdata))
        return reply if after is None else reply.replace(postop_stbuf=after)

    # Opening and making

    def open(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> Any:
        fd.ctx = flags
        return self._opened_empty(frame, loc, flags, fd, xdata) if flags & os.O_TRUNC else None

    async def _opened_empty(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> _core.OpenReply:
        assert loc.inode is not None
        async with self._held(await self._access(frame, None, loc.inode), 0, END, alone=True):
            return await self.child.open(loc, flags, fd, xdata)

    async def create(
        self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata,
    ) -> _core.CreateReply:
        """A file of that name may be there by now. What empties it is not to come in between the steps of a write to it."""
        fd.ctx = flags
        reply = await self.child.create(loc, flags & ~os.O_TRUNC, mode, umask, fd, self._marked(xdata))
        if flags & os.O_TRUNC and reply.buf.ia_size and loc.parent is not None:
            inode = reply.inode.link(loc.parent, loc.name or "", reply.buf)
            async with self._held(await self._access(frame, None, inode), 0, END, alone=True):
                with frame.as_root():
                    emptied = await self.child.ftruncate(_core.Fd.of(inode), 0)
            reply = reply.replace(buf=emptied.postbuf)
        return reply

    def mknod(self, frame: Frame, loc: Loc, mode: int, rdev: int, umask: int, xdata: Xdata) -> Any:
        if self.mark is None or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            return None
        return self.child.mknod(loc, mode, rdev, umask, self._marked(xdata))

    def icreate(self, frame: Frame, loc: Loc, mode: int, xdata: Xdata) -> None:
        if self.mark is not None:  # storage/posix gives what it makes in this way no attributes
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    def _marked(self, xdata: Xdata) -> Xdata:
        if self.mark is not None:
            xdata[self.mark] = self.new_mark(xdata.get_as("gfid-req", "gfid", None) or _core.Gfid.null())
        return xdata

    # Extended attributes

    def setxattr(self, frame: Frame, loc: Loc, dict: Xdata, flags: int, xdata: Xdata) -> None:
        self._check_names(dict)

    def fsetxattr(self, frame: Frame, fd: Fd, dict: Xdata, flags: int, xdata: Xdata) -> None:
        self._check_names(dict)

    def removexattr(self, frame: Frame, loc: Loc, name: str, xdata: Xdata) -> None:
        self._check_names((name,))

    def fremovexattr(self, frame: Frame, fd: Fd, name: str, xdata: Xdata) -> None:
        self._check_names((name,))

    def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> Any:
        if name is not None and name.startswith(_FILES):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return self._listed(self.child.getxattr(loc, name, xdata)) if name is None and self.mark is not None else None

    def fgetxattr(self, frame: Frame, fd: Fd, name: str | None, xdata: Xdata) -> Any:
        return self._listed(self.child.fgetxattr(fd, name, xdata)) if name is None and self.mark is not None else None

    async def _listed(self, wind: Wind[Any]) -> Any:
        """Heal and rebalance copy what is listed; the mark of a file is that of the place where it is."""
        reply = await wind
        reply.dict.pop(self.mark, None)
        return reply

    def _check_names(self, names: Iterable[str]) -> None:
        for name in names:
            if name == self.mark:
                raise PermissionError
            if name.startswith(_FILES):
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    # Which file, and its blocks

    async def _access(self, frame: Frame, fd: Fd | None, inode: Inode | None = None) -> Access:
        found = fd.inode if inode is None and fd is not None else inode
        assert found is not None
        file: ContentFile = found.ctx
        file.gfid = file.gfid or found.gfid
        access = Access(self, frame, file, found, fd)
        if self.mark is not None and not file._glupy_looked:
            with frame.as_root():
                reply = await self.child.fgetxattr(fd or access.anonymous, self.mark).or_error()
            if reply.op_ret < 0 and reply.op_errno != errno.ENODATA:
                raise OSError(reply.op_errno, os.strerror(reply.op_errno))
            file.mark = reply.dict.get_as(self.mark, "bytes", None) if reply.op_ret >= 0 and reply.dict is not None else None
            file._glupy_looked = True
        return access

    def _is_plain(self, file: ContentFile) -> bool:
        return self.mark is not None and file.mark is None

    def _blocks(self, offset: int, length: int) -> tuple[int, int]:
        return offset // self.block_size, -(-(offset + length) // self.block_size)

    def _written(self, offset: int, length: int) -> Need:
        """What a write needs: its blocks; where the file grows, all from its last block on."""
        block, blocks = self.block_size, self._blocks(offset, length)
        return lambda size: (min(offset, size) // block, END) if offset + length > size else blocks

    def _at_end(self, size: int) -> tuple[int, int]:
        return size // self.block_size, END

    def _pieces(self, offset: int, length: int) -> list[tuple[int, int, bool]]:
        """What begins or ends inside of a block, and the whole blocks between: beginning, length, whether they are whole."""
        block, end = self.block_size, offset + length
        cuts = [offset, *(cut for cut in (-(-offset // block) * block, end // block * block) if offset < cut < end), end]
        spans = [(start, stop - start) for start, stop in zip(cuts, cuts[1:]) if start < stop]
        return [(start, count, not start % block and not count % block) for start, count in spans]

    @asynccontextmanager
    async def _changing(self, access: Access, need: Need) -> AsyncIterator[Iatt]:
        """Hold the blocks that are needed of a file of its size, which is known only when they are held: what it is then."""
        first, stop = need(access.file._glupy_size)
        tried = 0
        while True:
            async with self._held(access, first, stop, alone=True) as span:
                before = await access.stat()
                wanted = need(before.ia_size)
                access.file._glupy_size = before.ia_size
                if first <= wanted[0] and wanted[1] <= stop:
                    access.file._glupy_spans.narrow(span, *wanted)
                    yield before
                    return
            tried += 1
            first, stop = wanted if tried < 3 else (0, END)

    @asynccontextmanager
    async def _held(self, access: Access, first: int, stop: int, alone: bool) -> AsyncIterator[Span]:
        """Hold blocks: alone to change them, together with others to read them."""
        spans = access.file._glupy_spans
        span = await spans.take(first, stop, alone)
        try:
            if not (self.cluster_locks and self._clustered):
                yield span
            else:
                domain, length = f"glupy.content.{type(self).__name__}", 0 if stop == END else (stop - first) * self.block_size
                lock = ClusterLock(self.child, access.inode, domain, first * self.block_size, length, alone)
                async with lock.held(self.spawn):
                    yield span
        finally:
            spans.give_back(span)

    @cached_property
    def _clustered(self) -> bool:
        """Others may change the same files on their way through other processes."""
        return on_client(self.child)


def _without_content(xdata: Xdata) -> Xdata:
    """Then it is read."""
    del xdata[_CONTENT]
    return xdata


async def _awaited(answer: Any) -> Any:
    """What a method's answer comes to, if that is a wind of its own."""
    reply = await answer
    return await reply if isinstance(reply, _core.Wind) else reply
