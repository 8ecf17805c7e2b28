"""A pass-through file system in pyfuse3 (`stacked.py SOURCE MOUNTPOINT`): what one would write instead of a translator.

It stands on top of a mounted volume, so that each operation goes through the kernel twice. As much of a file system as
the bench of mounts asks for, and nothing remembered beyond what pyfuse3 needs.
"""

from __future__ import annotations

import errno
import os
import stat as modes
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyfuse3
import trio


@contextmanager
def errors() -> Iterator[None]:
    """Let OSError reach the application."""
    try:
        yield
    except OSError as error:
        raise pyfuse3.FUSEError(error.errno or errno.EIO) from None


class Stacked(pyfuse3.Operations):  # type: ignore[misc]
    """Inodes are the paths below the source, by numbers of our own."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.paths: dict[int, bytes] = {pyfuse3.ROOT_INODE: os.fsencode(source)}
        self.numbers = {path: number for number, path in self.paths.items()}
        self.looked_up: defaultdict[int, int] = defaultdict(int)
        self.last = pyfuse3.ROOT_INODE

    def attributes(self, number: int, found: os.stat_result) -> pyfuse3.EntryAttributes:
        entry = pyfuse3.EntryAttributes()
        for name in ("st_mode", "st_nlink", "st_uid", "st_gid", "st_rdev", "st_size", "st_atime_ns", "st_mtime_ns",
                     "st_ctime_ns"):
            setattr(entry, name, getattr(found, name))
        entry.st_ino, entry.st_blksize, entry.st_blocks = number, 4096, (found.st_size + 511) // 512
        entry.entry_timeout = entry.attr_timeout = entry.generation = 0
        return entry

    def known(self, path: bytes) -> int:
        """The number of a path that was looked up."""
        number = self.numbers.get(path)
        if number is None:
            self.last += 1
            number = self.numbers[path] = self.last
            self.paths[number] = path
        self.looked_up[number] += 1
        return number

    async def lookup(self, parent: int, name: bytes, ctx: Any = None) -> pyfuse3.EntryAttributes:
        path = os.path.join(self.paths[parent], name)
        with errors():
            found = os.lstat(path)
        return self.attributes(self.known(path), found)

    async def forget(self, inodes: list[tuple[int, int]]) -> None:
        for number, count in inodes:
            self.looked_up[number] -= count
            if self.looked_up[number] <= 0 and number != pyfuse3.ROOT_INODE:
                path = self.paths.pop(number, None)
                if path is not None and self.numbers.get(path) == number:
                    del self.numbers[path]
                del self.looked_up[number]

    async def getattr(self, inode: int, ctx: Any = None) -> pyfuse3.EntryAttributes:
        with errors():
            return self.attributes(inode, os.lstat(self.paths[inode]))

    async def create(self, parent: int, name: bytes, mode: int, flags: int, ctx: Any) -> Any:
        path = os.path.join(self.paths[parent], name)
        with errors():
            fd = os.open(path, flags | os.O_CREAT | os.O_TRUNC, modes.S_IMODE(mode))
            return pyfuse3.FileInfo(fh=fd), self.attributes(self.known(path), os.fstat(fd))

    async def open(self, inode: int, flags: int, ctx: Any) -> Any:
        with errors():
            return pyfuse3.FileInfo(fh=os.open(self.paths[inode], flags))

    async def read(self, fd: int, offset: int, length: int) -> bytes:
        with errors():
            return os.pread(fd, length, offset)

    async def write(self, fd: int, offset: int, data: bytes) -> int:
        with errors():
            return os.pwrite(fd, data, offset)

    async def release(self, fd: int) -> None:
        with errors():
            os.close(fd)

    async def unlink(self, parent: int, name: bytes, ctx: Any) -> None:
        path = os.path.join(self.paths[parent], name)
        with errors():
            os.unlink(path)
        self.numbers.pop(path, None)


def main() -> None:
    _, source, mountpoint = sys.argv
    options = {*pyfuse3.default_options, "fsname=stacked"}
    options.discard("default_permissions")
    pyfuse3.init(Stacked(source), mountpoint, options)
    try:
        trio.run(pyfuse3.main)
    finally:
        pyfuse3.close()


main()
