"""Anything, anywhere in one file, as fsx does it, and anything with names, as fsstress does it: each step's outcome is known."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import random
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BLOCK = 4096

#: Of fallocate(2). GlusterFS's mount takes FALLOC_FL_ZERO_RANGE for a plain fallocate: tests/testing/test_content.py has
#: zerofill.
KEEP_SIZE, PUNCH_HOLE = 0x1, 0x2

_libc = ctypes.CDLL(None, use_errno=True)


class Exerciser:
    """Does what fsx does: anything, anywhere in one file, and looks after each step at what it has to be."""

    LONGEST = 40_000

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.random = path, random.Random(seed)
        self.data = bytearray()
        self.done: list[tuple[Any, ...]] = []
        path.touch()

    def run(self, steps: int) -> None:
        ways = [self.write, self.write, self.write, self.append, self.direct, self.write_only, self.mapped, self.truncate,
                self.ftruncate, self.allocate, self.keep, self.punch, self.copy, self.renamed]
        for _ in range(steps):
            way = self.random.choice(ways)
            offset, length = self.random.randrange(self.LONGEST), self.random.choice((1, 15, 100, BLOCK, 3 * BLOCK + 7))
            if self.random.random() < 0.3:
                offset -= offset % BLOCK
            self.done.append((way.__name__, offset, length))
            with self.opened(os.O_RDWR) as fd:
                way(fd, offset, length)
            self.look()

    def look(self) -> None:
        with self.opened(os.O_RDONLY | self.random.choice((0, os.O_DIRECT))) as fd:
            found = self.read(fd, 0, (len(self.data) // BLOCK + 2) * BLOCK)
            assert found == self.data, self.done[-3:]
            assert os.fstat(fd).st_size == os.stat(self.path).st_size == len(self.data), self.done[-3:]
            try:
                data = os.lseek(fd, 0, os.SEEK_DATA)
            except OSError as error:
                assert error.errno == errno.ENXIO
                data = len(self.data)
            assert not any(self.data[:data]), self.done[-3:]

    @contextmanager
    def opened(self, flags: int) -> Iterator[int]:
        fd = os.open(self.path, flags)
        try:
            yield fd
        finally:
            os.close(fd)

    @staticmethod
    def read(fd: int, offset: int, length: int) -> bytes:
        """Into aligned memory, as O_DIRECT wants it."""
        with mmap.mmap(-1, max(length, BLOCK)) as memory:
            return memory[:os.preadv(fd, [memory], offset)]

    def put(self, offset: int, data: bytes) -> None:
        self.data.extend(bytes(max(0, offset - len(self.data))))
        self.data[offset:offset + len(data)] = data

    def write(self, fd: int, offset: int, length: int) -> None:
        data = self.random.randbytes(length)
        assert os.pwrite(fd, data, offset) == length
        self.put(offset, data)

    def append(self, fd: int, offset: int, length: int) -> None:
        data = self.random.randbytes(length)
        with self.opened(os.O_WRONLY | os.O_APPEND) as other:
            assert os.write(other, data) == length
        self.put(len(self.data), data)

    def write_only(self, fd: int, offset: int, length: int) -> None:
        with self.opened(os.O_WRONLY) as other:
            self.write(other, offset, length)

    def direct(self, fd: int, offset: int, length: int) -> None:
        offset, data = offset - offset % BLOCK, self.random.randbytes(-(-length // BLOCK) * BLOCK)
        with self.opened(os.O_RDWR | os.O_DIRECT) as other, mmap.mmap(-1, len(data)) as memory:
            memory[:] = data
            assert os.pwritev(other, [memory], offset) == len(data)
        self.put(offset, data)

    def mapped(self, fd: int, offset: int, length: int) -> None:
        if not self.data:
            return
        offset %= len(self.data)
        data = self.random.randbytes(min(length, len(self.data) - offset))
        with mmap.mmap(fd, len(self.data)) as memory:
            memory[offset:offset + len(data)] = data
            memory.flush()
        self.put(offset, data)

    def resized(self, size: int) -> None:
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))

    def truncate(self, fd: int, offset: int, length: int) -> None:
        os.truncate(self.path, offset)
        self.resized(offset)

    def ftruncate(self, fd: int, offset: int, length: int) -> None:
        os.ftruncate(fd, offset)
        self.resized(offset)

    def _fallocate(self, fd: int, mode: int, offset: int, length: int) -> None:
        if _libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def allocate(self, fd: int, offset: int, length: int) -> None:
        self._fallocate(fd, 0, offset, length)
        self.resized(max(offset + length, len(self.data)))

    def keep(self, fd: int, offset: int, length: int) -> None:
        self._fallocate(fd, KEEP_SIZE, offset, length)

    def punch(self, fd: int, offset: int, length: int) -> None:
        self._fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length)
        self.put(min(offset, len(self.data)), bytes(max(0, min(length, len(self.data) - offset))))

    def copy(self, fd: int, offset: int, length: int) -> None:
        source = self.random.randrange(self.LONGEST)
        if source < offset + length and offset < source + length:
            return  # the kernel refuses what overlaps
        data = bytes(self.data[source:source + length])
        done = 0
        while done < len(data):
            done += os.copy_file_range(fd, fd, len(data) - done, source + done, offset + done)
        if data:
            self.put(offset, data)

    def renamed(self, fd: int, offset: int, length: int) -> None:
        other = self.path.with_name("renamed")
        self.path.rename(other)
        other.rename(self.path)


class Namer:
    """Does what fsstress does: anything with names in one folder, and the same in another one, of which both tell the same.

    The second one is a plain folder, without what is tested in between.
    """

    NAMES = ("a", "b", "c", "d", "long" * 60)

    def __init__(self, path: Path, plain: Path, seed: int) -> None:
        self.tops, self.random = (path, plain), random.Random(seed)
        self.done: list[tuple[Any, ...]] = []

    def run(self, steps: int) -> None:
        ways = [self.create, self.create, self.mkdir, self.rename, self.rename, self.exchange, self.link, self.symlink, self.unlink,
                self.rmdir, self.truncate, self.chmod, self.chown, self.fifo, self.xattr]
        for _ in range(steps):
            way, one, other, number = self.random.choice(ways), self.name(), self.name(), self.random.randrange(1000)
            self.done.append((way.__name__, one, other, number))
            outcomes = [self.outcome(way, top, one, other, number) for top in self.tops]
            assert outcomes[0] == outcomes[1], (outcomes, self.done[-3:])
        trees = [self.tree(top) for top in self.tops]
        assert trees[0] == trees[1], self.done[-3:]

    def name(self) -> str:
        return "/".join(self.random.choices(self.NAMES, k=self.random.choice((1, 1, 2, 3))))

    @staticmethod
    def outcome(way: Callable[..., object], top: Path, one: str, other: str, number: int) -> str:
        try:
            way(top / one, top / other, number)
            return "ok"
        except OSError as error:
            return errno.errorcode[error.errno or 0]

    @staticmethod
    def tree(top: Path) -> dict[str, tuple[object, ...]]:
        """What is there, by path: of each what all file systems tell alike."""
        found: dict[str, tuple[object, ...]] = {}
        for path in sorted(top.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else \
                os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
            links = None if stat.S_ISDIR(status.st_mode) else status.st_nlink
            names = {} if stat.S_ISLNK(status.st_mode) else \
                {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith("user.")}
            found[str(path.relative_to(top))] = (status.st_mode, status.st_uid, links, content, names)
        return found

    @staticmethod
    def create(one: Path, other: Path, number: int) -> None:
        fd = os.open(one, os.O_RDWR | os.O_NONBLOCK | (0 if number % 2 else os.O_CREAT | os.O_TRUNC), 0o644)
        try:
            os.write(fd, bytes([number % 256]) * number)
        finally:
            os.close(fd)

    @staticmethod
    def mkdir(one: Path, other: Path, number: int) -> None:
        one.mkdir()

    @staticmethod
    def rename(one: Path, other: Path, number: int) -> None:
        """Not of a directory over a full one: storage/posix forgets its gfid before it finds that it cannot
        (gluster/glusterfs#2752, until GlusterFS 11.1)."""
        if not (one.is_dir() and other.is_dir() and any(other.iterdir())):
            one.rename(other)

    @classmethod
    def exchange(cls, one: Path, other: Path, number: int) -> None:
        """By way of a third name, as editors do."""
        third = one.with_name("third")
        one.rename(third)
        cls.rename(third, other, number)

    @staticmethod
    def link(one: Path, other: Path, number: int) -> None:
        os.link(one, other, follow_symlinks=False)

    @staticmethod
    def symlink(one: Path, other: Path, number: int) -> None:
        one.symlink_to(other.name)

    @staticmethod
    def unlink(one: Path, other: Path, number: int) -> None:
        one.unlink()

    @staticmethod
    def rmdir(one: Path, other: Path, number: int) -> None:
        one.rmdir()

    @staticmethod
    def truncate(one: Path, other: Path, number: int) -> None:
        os.truncate(one, number)

    @staticmethod
    def chmod(one: Path, other: Path, number: int) -> None:
        os.chmod(one, 0o700 | number % 64)

    @staticmethod
    def chown(one: Path, other: Path, number: int) -> None:
        os.chown(one, number % 4, -1, follow_symlinks=False)

    @staticmethod
    def fifo(one: Path, other: Path, number: int) -> None:
        os.mkfifo(one)

    @staticmethod
    def xattr(one: Path, other: Path, number: int) -> None:
        if number % 3:
            os.setxattr(one, "user.colour", b"%d" % number)
        else:
            os.removexattr(one, "user.colour")
