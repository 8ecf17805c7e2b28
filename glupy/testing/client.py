"""What an application does to the graph: files by path, through libgfapi, as anybody."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol, TypeVar

from glupy.testing import gfapi
from glupy.testing.callers import Identity

T = TypeVar("T")

_BLOCK = 1 << 17


class Calls(Protocol):
    """Where a client's calls go: a graph."""

    @property
    def fs(self) -> int: ...
    def call(self, doing: str, function: Callable[[], T]) -> T: ...
    def opened(self, file: File) -> None: ...
    def closed(self, file: File) -> None: ...
    def number(self, identity: Identity) -> int: ...


class File:
    """An open file. A context manager; close() raises what GlusterFS has kept for it."""

    def __init__(self, client: Client, fd: int, path: str) -> None:
        self._client, self._fd, self.path = client, fd, path
        client._graph.opened(self)

    def __repr__(self) -> str:
        return f"<open file {self.path}>"

    def _call(self, name: str, *arguments: Any) -> Any:
        if not self._fd:
            raise ValueError(f"{self.path} is closed")
        return self._client._raw(name, self._fd, *arguments, path=self.path)

    def read(self, size: int = -1, offset: int | None = None) -> bytes:
        """That many bytes, or all, from here or from an offset."""
        if offset is not None:
            self.seek(offset)
        buffer, data = ctypes.create_string_buffer(_BLOCK), b""
        while size < 0 or len(data) < size:
            count = self._call("read", buffer, _BLOCK if size < 0 else min(_BLOCK, size - len(data)), 0)
            if not count:
                break
            data += buffer.raw[:count]
        return data

    def write(self, data: bytes, offset: int | None = None) -> int:
        """Write all, in one request if it is no more than 128 KiB."""
        if offset is not None:
            self.seek(offset)
        written = 0
        while written < len(data):
            part = bytes(data[written:written + _BLOCK])
            written += self._call("write", ctypes.c_char_p(part), len(part), 0)
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._call("lseek", offset, whence))

    def truncate(self, size: int) -> None:
        self._call("ftruncate", size, None, None)

    def fsync(self) -> None:
        self._call("fsync", None, None)

    def stat(self) -> os.stat_result:
        found = gfapi.Stat()
        self._call("fstat", ctypes.byref(found))
        return found.result()

    def close(self) -> None:
        if self._fd:
            try:
                self._call("close")
            finally:
                self._fd = 0
                self._client._graph.closed(self)

    def __enter__(self) -> File:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Client:
    """Somebody who uses the file system: root, unless made by user(). All methods raise OSError as an application gets it."""

    def __init__(self, graph: Calls, identity: Identity | None = None) -> None:
        self._graph = graph
        self.identity = identity or Identity.of(pid=os.getpid())

    def user(self, uid: int = 0, gid: int | None = None, groups: Iterable[int] = (), pid: int | None = None, *,
             lk_owner: bytes | None = None, client: str | None = None) -> Client:
        """Somebody else: what is done through the result is done with these ids, and for that client of a brick."""
        return Client(self._graph, Identity.of(pid=os.getpid() if pid is None else pid, uid=uid, gid=gid, groups=groups,
                                               lk_owner=lk_owner, client=client))

    # The calls

    def _raw(self, name: str, *arguments: Any, path: str = "") -> Any:
        who = self.identity
        pid = self._graph.number(who) if who.lk_owner or who.client is not None else who.pid

        def call() -> Any:
            _become(self._graph.fs, who, pid)
            return gfapi.call(name, *arguments, path=path)
        return self._graph.call(f"{name} {path}".strip(), call)

    def _call(self, name: str, path: str | os.PathLike[str], *arguments: Any) -> Any:
        path = os.fspath(path)
        return self._raw(name, self._graph.fs, path, *arguments, path=path)

    # Files

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o644) -> File:
        """Open a file, or create it where flags have O_CREAT, as open(2)."""
        fd = self._call("creat", path, flags, mode) if flags & os.O_CREAT else self._call("open", path, flags)
        return File(self, fd, path)

    def create(self, path: str, mode: int = 0o644) -> None:
        """An empty file that is not there yet."""
        self.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode).close()

    def write(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        """A file with this content, which is all of it then."""
        data = data.encode() if isinstance(data, str) else data
        with self.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC, mode) as file:
            file.write(data)

    def append(self, path: str, data: bytes) -> None:
        with self.open(path, os.O_WRONLY | os.O_APPEND) as file:
            file.write(data)

    def read(self, path: str) -> bytes:
        with self.open(path) as file:
            return file.read()

    def truncate(self, path: str, size: int) -> None:
        self._call("truncate", path, size)

    # Names

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        self._call("mkdir", path, mode)

    def mknod(self, path: str, mode: int = 0o100644, device: int = 0) -> None:
        self._call("mknod", path, mode, device)

    def symlink(self, target: str, path: str) -> None:
        self._raw("symlink", self._graph.fs, target, path, path=path)

    def readlink(self, path: str) -> str:
        buffer = ctypes.create_string_buffer(4096)
        size = self._call("readlink", path, buffer, len(buffer))
        return os.fsdecode(buffer.raw[:size])

    def link(self, old: str, new: str) -> None:
        self._call("link", old, new)

    def rename(self, old: str, new: str) -> None:
        self._call("rename", old, new)

    def unlink(self, path: str) -> None:
        self._call("unlink", path)

    def rmdir(self, path: str) -> None:
        self._call("rmdir", path)

    def names(self, path: str = "/") -> list[str]:
        """The names in a directory, sorted, read with attributes (readdirp)."""
        directory = self._call("opendir", path)
        try:
            return sorted(set(self._entries(directory, path)) - {".", ".."})
        finally:
            self._raw("closedir", directory, path=path)

    def _entries(self, directory: int, path: str) -> Iterator[str]:
        found = gfapi.Stat()
        while True:
            ctypes.set_errno(0)
            try:
                address = self._raw("readdirplus", directory, ctypes.byref(found), path=path)
            except OSError as error:
                if error.errno:
                    raise
                return
            yield os.fsdecode(gfapi.Dirent.from_address(address).d_name)

    # Attributes

    def stat(self, path: str) -> os.stat_result:
        """Of what a link leads to."""
        found = gfapi.Stat()
        self._call("stat", path, ctypes.byref(found))
        return found.result()

    def lstat(self, path: str) -> os.stat_result:
        found = gfapi.Stat()
        self._call("lstat", path, ctypes.byref(found))
        return found.result()

    def exists(self, path: str) -> bool:
        try:
            self.lstat(path)
        except FileNotFoundError:
            return False
        return True

    def access(self, path: str, mask: int = os.F_OK) -> None:
        """Raises PermissionError where it may not be done."""
        self._call("access", path, mask)

    def chmod(self, path: str, mode: int) -> None:
        self._call("chmod", path, mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        self._call("lchown", path, uid, gid)

    def utime(self, path: str, ns: tuple[int, int]) -> None:
        """Times of access and change, in nanoseconds."""
        times = (ctypes.c_int64 * 4)(*(part for time in ns for part in divmod(time, 10**9)))
        self._call("utimens", path, times)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        self._call("lsetxattr", path, name, ctypes.c_char_p(value), len(value), flags)

    def getxattr(self, path: str, name: str) -> bytes:
        size = self._call("lgetxattr", path, name, None, 0)
        buffer = ctypes.create_string_buffer(size + 1)
        size = self._call("lgetxattr", path, name, buffer, size)
        return buffer.raw[:size]

    def listxattr(self, path: str) -> list[str]:
        size = self._call("llistxattr", path, None, 0)
        buffer = ctypes.create_string_buffer(size + 1)
        size = self._call("llistxattr", path, buffer, size)
        return sorted(os.fsdecode(name) for name in buffer.raw[:size].split(b"\0") if name)

    def removexattr(self, path: str, name: str) -> None:
        self._call("lremovexattr", path, name)


def _become(fs: int, who: Identity, pid: int) -> None:
    """libgfapi keeps it with the thread."""
    gfapi.call("setfsuid", who.uid)
    gfapi.call("setfsgid", who.gid)
    gfapi.call("setfsgroups", len(who.groups), (ctypes.c_uint32 * len(who.groups))(*who.groups))
    gfapi.call("setfspid", fs, pid)
