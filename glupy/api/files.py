"""Files: what a translator does with files itself, on one of its children: whole operations, built of winds."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, overload

from glupy._core import Fd, Future, Gfid, Loc
from glupy.api.places import Places, Where, fresh, meanwhile, parts_of, wanted

if TYPE_CHECKING:
    from glupy._core import Child, Dirent, Iatt, Instance

    class _Translator(Protocol):
        """Of a Translator, what is needed here."""

        child: Child
        _instance: Instance

T = TypeVar("T")
_Data: TypeAlias = "bytes | bytearray | memoryview"
_Found: TypeAlias = "list[tuple[Loc, Iatt]]"  # in the class, list is a method
_Parts: TypeAlias = "list[str]"

#: Bytes in one read or write, and in one portion of a directory.
_PORTION = 128 << 10
#: Of read(), in bytes.
_LIMIT = 16 << 20
#: How often something is begun anew that others keep changing.
_ATTEMPTS = 100


class _Raise:
    """Stands for "no default"."""


_RAISE = _Raise()


class Files:
    """The files of a volume or brick as a child of a translator has them. self.files is that of self.child;
    Files(self, self.children[1]) that of another one.

    Where a path is expected, str or bytes from the volume's root ("/a/b"; what is no UTF-8 is as os.fsdecode() has it), a Loc
    will do: of what there is, such as a fop was given or another method gave, or, where something is made, of an entry
    (directory.child("name")). Symbolic links are not followed.

    Everything is done as whoever the coroutine acts for: the caller of the fop, in `with frame.as_root():` root, in the
    background root. Each method is several operations, in between which others may change what it works on: it then raises
    what they made of it, such as FileNotFoundError, and what it was to make or remove and others have made or removed counts
    as its own where that was allowed (exist_ok, missing_ok). In the background it waits for the inode table where there is
    none yet.

    Besides what is said with the methods, they raise OSError as the child does, ValueError for a path with . or .. or NUL in
    it, and ReferenceError once the graph is gone.
    """

    def __init__(self, translator: _Translator, child: Child | None = None) -> None:
        self._child: Child = translator.child if child is None else child
        self._places = Places(self._child, translator._instance)
        self._making: dict[tuple[Gfid, str | None], Future[None]] = {}  # directories, by their own directory and name

    async def lookup(self, where: Where) -> Loc:
        """What is there, as a Loc that any fop takes. FileNotFoundError, NotADirectoryError."""
        return (await self._places.find(where))[0]

    async def stat(self, where: Where) -> Iatt:
        """Its attributes. FileNotFoundError, NotADirectoryError."""
        return (await self._places.find(where))[1]

    async def exists(self, where: Where) -> bool:
        """Whether there is something, which a symbolic link that leads nowhere is."""
        try:
            await self._places.find(where)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    # Directories

    async def mkdir(self, where: Where, mode: int = 0o755, *, parents: bool = False, exist_ok: bool = False) -> Loc:
        """Make a directory and give its Loc.

        mode      its permission bits; no umask applies
        parents   make the directories on the way, too, where they are missing (of a path)
        exist_ok  a directory that is there already will do

        FileExistsError, FileNotFoundError, NotADirectoryError.
        """
        if not isinstance(where, Loc):
            parts = parts_of(where)
            if not parts and exist_ok:
                return await self._places.root()
            if parents and len(parts) > 1:
                where = (await self._way(parts[:-1], mode)).child(parts[-1])
        return await self._made(await self._places.entry(where), mode, exist_ok)

    async def _way(self, parts: _Parts, mode: int) -> Loc:
        """The directories on the way to something, made where they are missing."""
        loc = await self._places.root()
        for part in parts:
            loc = await self._made(loc.child(part), mode, True)
        return loc

    async def _made(self, loc: Loc, mode: int, exist_ok: bool) -> Loc:
        """One after the other for one entry, as the kernel has it on a mount: what distribute makes of two who make one
        directory at once may be an EIO."""
        mine: Future[None] = Future()
        entry = loc.pargfid, loc.name
        while (other := self._making.setdefault(entry, mine)) is not mine:
            await other
        try:
            return await self._made_alone(loc, mode, exist_ok)
        finally:
            del self._making[entry]
            mine.set_result(None)

    async def _made_alone(self, loc: Loc, mode: int, exist_ok: bool) -> Loc:
        for _ in range(_ATTEMPTS if exist_ok else 1):
            if exist_ok:
                try:
                    found, buf = await self._places.look(loc)
                    if not buf.is_dir():
                        raise FileExistsError(errno.EEXIST, "is there, and no directory", loc.path)
                    if await self._places.settled(found):
                        return found
                    loc = fresh(loc)
                    continue
                except FileNotFoundError:
                    loc = fresh(loc)
            try:
                reply = await self._child.mkdir(loc, mode, 0, wanted())
            except FileExistsError:
                if not exist_ok:
                    raise
                loc = fresh(loc)
            else:
                return self._places.known(loc, reply.inode, reply.buf)
        raise FileExistsError(errno.EEXIST, "is made and removed again and again", loc.path)

    async def scan(self, where: Where) -> AsyncIterator[Dirent]:
        """`async for entry in files.scan("/folder"):` the entries of a directory, without . and .., read by portions: so for
        directories of any size. d_stat has the attributes where the child gives them, and else a null ia_gfid.
        NotADirectoryError, FileNotFoundError."""
        fd = await self._opened_directory(await self.lookup(where))
        offset = 0
        while entries := (await self._child.readdirp(fd, _PORTION, offset)).entries:
            for entry in entries:
                offset = entry.d_off
                if entry.d_name not in (".", ".."):
                    yield entry

    async def list(self, where: Where) -> list[Dirent]:
        """All of them at once, in the child's order."""
        return [entry async for entry in self.scan(where)]

    async def walk(self, where: Where) -> AsyncIterator[tuple[Loc, Iatt]]:
        """Everything below a directory, that itself first and each directory before what is in it, with its attributes. What
        others remove meanwhile may be left out."""
        start, buf = await self._places.find(where)
        yield start, buf
        waiting = [start] if buf.is_dir() else []
        while waiting:
            directory = waiting.pop()
            try:
                async for entry in self.scan(directory):
                    try:
                        loc, buf = await self._places.look(directory.child(entry.d_name))
                    except FileNotFoundError:
                        continue
                    yield loc, buf
                    if buf.is_dir():
                        waiting.append(loc)
            except FileNotFoundError:
                continue

    async def _opened_directory(self, loc: Loc) -> Fd:
        assert loc.inode is not None
        fd = Fd.create(loc.inode)
        await self._child.opendir(loc, fd)
        return fd

    # Contents

    async def read(self, where: Where, limit: int = _LIMIT) -> bytes:
        """The whole content of a file. OSError(EFBIG) where it has more than `limit` bytes (16 MiB); IsADirectoryError,
        FileNotFoundError."""
        fd = await self._opened(await self._regular(where), os.O_RDONLY)
        found: list[bytes] = []
        length = 0
        while data := await self._portion(fd, length):
            found.append(data)
            length += len(data)
            if length > limit:
                raise OSError(errno.EFBIG, f"has more than {limit} bytes")
        return b"".join(found)

    async def _portion(self, fd: Fd, offset: int) -> bytes:
        return bytes((await self._child.readv(fd, _PORTION, offset, 0)).vector)

    async def write(self, where: Where, data: _Data, mode: int = 0o644, *, atomic: bool = False) -> Loc:
        """Give a file this content, and give its Loc. What is there is overwritten; what is missing is made.

        mode    the permission bits of a file that is made; no umask applies
        atomic  write to another name in the same directory (".glupy-" and a number) and rename that: readers see the old
                content or the new one, also after a crash. What is there is replaced by a new file, which has `mode`, the
                caller as its owner, and none of the old one's attributes

        IsADirectoryError, FileNotFoundError where the directory is missing.
        """
        if atomic:
            return await self._replaced(where, data, mode)
        loc, fd = await self._writable(where, mode)
        await self._filled(fd, data)
        return loc

    async def _replaced(self, where: Where, data: _Data, mode: int) -> Loc:
        goal = await self._places.entry(where)
        if goal.parent is None:
            raise ValueError("an atomic write needs a Loc with a directory and a name")
        beside = Loc.from_inode(goal.parent).child(f".glupy-{Gfid.random()}")
        loc, fd = await self._created(beside, mode)
        try:
            await self._filled(fd, data)
            await self._child.fsync(fd, 0)
            return await self.rename(loc, goal)
        except BaseException:
            await self.remove(loc, missing_ok=True)
            raise

    async def _writable(self, where: Where, mode: int) -> tuple[Loc, Fd]:
        """A file, empty and open to write: the one that is there, or a new one."""
        for _ in range(_ATTEMPTS):
            try:
                loc = await self._regular(where)
                fd = await self._opened(loc, os.O_WRONLY)
                await self._child.ftruncate(fd, 0)
                return loc, fd
            except FileNotFoundError:
                pass
            try:
                return await self._created(fresh(await self._places.entry(where)), mode)
            except FileExistsError:
                where = fresh(where) if isinstance(where, Loc) else where
                await meanwhile()
        raise FileExistsError(errno.EEXIST, "is made and removed again and again")

    async def _created(self, loc: Loc, mode: int) -> tuple[Loc, Fd]:
        assert loc.inode is not None
        fd = Fd.create(loc.inode)
        reply = await self._child.create(loc, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, 0, fd, wanted())
        return self._places.known(loc, reply.inode, reply.buf), reply.fd or fd

    async def _regular(self, where: Where) -> Loc:
        loc, buf = await self._places.find(where)
        if buf.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a directory", loc.path)
        if not buf.is_file():
            raise OSError(errno.EINVAL, "is no regular file", loc.path)
        return loc

    async def _opened(self, loc: Loc, flags: int) -> Fd:
        assert loc.inode is not None
        fd = Fd.create(loc.inode)
        await self._child.open(loc, flags, fd)
        return fd

    async def _filled(self, fd: Fd, data: _Data) -> None:
        for start in range(0, len(data), _PORTION):
            await self._written(fd, bytes(data[start:start + _PORTION]), start)
        await self._child.flush(fd)

    async def _written(self, fd: Fd, data: bytes, offset: int) -> None:
        """All of it: a child may write less."""
        while data:
            count = (await self._child.writev(fd, data, offset, 0)).op_ret
            if count <= 0:
                raise OSError(errno.EIO, "nothing was written")
            data, offset = data[count:], offset + count

    async def copy(self, source: Where, target: Where, mode: int | None = None) -> Loc:
        """Copy a file's content, of any size, over that of another one, which is made where it is missing, and give its Loc.
        Holes and extended attributes are not copied.

        mode  the permission bits of a file that is made; None: the source's

        As read() and write() raise; OSError(EINVAL) for a file onto itself.
        """
        origin = await self._regular(source)
        buf = (await self._child.stat(origin)).buf
        reading = await self._opened(origin, os.O_RDONLY)
        try:
            if (await self.stat(target)).ia_gfid == buf.ia_gfid:
                raise OSError(errno.EINVAL, "is the same file")
        except FileNotFoundError:
            pass
        loc, writing = await self._writable(target, stat.S_IMODE(buf.mode) if mode is None else mode)
        offset = 0
        while data := await self._portion(reading, offset):
            await self._written(writing, data, offset)
            offset += len(data)
        await self._child.flush(writing)
        return loc

    # Names

    async def rename(self, source: Where, target: Where) -> Loc:
        """Give something another name, and give its new Loc. What has that name is replaced, as by rename(2).
        FileNotFoundError."""
        old, buf = await self._places.find(source)
        new = await self._places.entry(target)
        try:
            new, replaced = (await self._places.look(fresh(new)))[0], True
        except FileNotFoundError:
            new, replaced = new.replace(inode=None, gfid=None), False
        reply = await self._child.rename(old, new)
        if new.inode == old.inode:
            return new  # two names of one file: rename(2) leaves both
        if replaced:
            self._places.gone(new)
        self._places.gone(old)
        moved = new.replace(inode=old.inode, gfid=old.gfid)
        return self._places.known(moved, old.inode, reply.buf if reply.buf.ia_gfid else buf)

    async def remove(self, where: Where, *, missing_ok: bool = False) -> None:
        """Remove a file or an empty directory. FileNotFoundError unless missing_ok; OSError(ENOTEMPTY)."""
        try:
            loc, buf = await self._places.find(where)
            await self._removed(loc, buf)
        except FileNotFoundError:
            if not missing_ok:
                raise

    async def _removed(self, loc: Loc, buf: Iatt) -> None:
        try:
            await (self._child.rmdir(loc, 0) if buf.is_dir() else self._child.unlink(loc, 0))
        except OSError as error:
            if error.errno not in (0, errno.ESTALE):
                raise
            # Where two remove one thing at once, storage/posix fails for one of them, and may not say why.
            await self._places.look(fresh(loc))
            raise OSError(error.errno or errno.EIO, "cannot be removed", loc.path) from error
        self._places.gone(loc)

    async def remove_tree(self, where: Where, *, missing_ok: bool = False) -> None:
        """Remove something and, if it is a directory, all that is in it. What others remove meanwhile is no error; where they
        put new things into a directory again and again, it is OSError(ENOTEMPTY). FileNotFoundError unless missing_ok."""
        try:
            loc, buf = await self._places.find(where)
        except FileNotFoundError:
            if missing_ok:
                return
            raise
        waiting = [(loc, buf, 0)]
        while waiting:
            loc, buf, attempts = waiting.pop()
            inside = await self._emptied(loc) if buf.is_dir() else []
            if inside:
                waiting += [(loc, buf, attempts), *((below, its, 0) for below, its in inside)]
                continue
            try:
                await self._removed(loc, buf)
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempts == _ATTEMPTS:
                    raise
                waiting.append((loc, buf, attempts + 1))

    async def _emptied(self, directory: Loc) -> _Found:
        """Remove the files of a directory's first portion that has directories in it, or of all: those directories."""
        found: _Found = []
        try:
            fd = await self._opened_directory(directory)
            offset = 0
            while not found and (entries := (await self._child.readdirp(fd, _PORTION, offset)).entries):
                offset = entries[-1].d_off
                for entry in entries:
                    if entry.d_name not in (".", ".."):
                        found += await self._removed_unless_directory(directory.child(entry.d_name))
        except FileNotFoundError:
            pass
        return found

    async def _removed_unless_directory(self, entry: Loc) -> _Found:
        try:
            loc, buf = await self._places.look(entry)
            if buf.is_dir():
                return [(loc, buf)]
            await self._removed(loc, buf)
        except FileNotFoundError:
            pass
        return []

    # Extended attributes

    @overload
    async def getxattr(self, where: Where, name: str) -> bytes: ...

    @overload
    async def getxattr(self, where: Where, name: str, default: T) -> bytes | T: ...

    async def getxattr(self, where: Where, name: str, default: object = _RAISE) -> object:
        """The value of an extended attribute; `default`, if one is given, where the file has none of that name, and else
        OSError(ENODATA). FileNotFoundError."""
        loc = await self.lookup(where)
        reply = await self._child.getxattr(loc, name).or_error()
        if reply.op_ret >= 0 and reply.dict is not None and name in reply.dict:
            return reply.dict.get_as(name, "bytes")
        missing = reply.op_ret >= 0 or reply.op_errno == errno.ENODATA
        if missing and default is not _RAISE:
            return default
        number = errno.ENODATA if missing else reply.op_errno
        raise OSError(number, os.strerror(number), loc.path)

    async def setxattr(self, where: Where, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute; flags as for os.setxattr(). FileNotFoundError."""
        await self._child.setxattr(await self.lookup(where), {name: bytes(value)}, flags)

    async def removexattr(self, where: Where, name: str, *, missing_ok: bool = False) -> None:
        """Remove one. OSError(ENODATA) unless missing_ok; FileNotFoundError."""
        try:
            await self._child.removexattr(await self.lookup(where), name)
        except OSError as error:
            if not missing_ok or error.errno != errno.ENODATA:
                raise
