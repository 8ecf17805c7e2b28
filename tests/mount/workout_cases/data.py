"""Bytes: open flags, reads and writes of every size, holes, allocation, copies, mappings."""

from __future__ import annotations

import fcntl
import mmap
import os
import random

from . import libc
from .recorder import Recorder, content, make, pattern

SIZES = (1, 2, 3, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 131071, 131072, 131073, 1048576, 1048577, 8 << 20)


def _write_all(fd: int, data: bytes, offset: int) -> None:
    while data:
        done = os.pwrite(fd, data, offset)
        data, offset = data[done:], offset + done


def _read_all(fd: int, size: int, offset: int) -> bytes:
    pieces = []
    while size and (piece := os.pread(fd, size, offset)):
        pieces.append(piece)
        size, offset = size - len(piece), offset + len(piece)
    return b"".join(pieces)


def open_flags(do: Recorder) -> None:
    make("file", b"content")
    os.mkdir("dir")
    os.symlink("file", "soft")
    os.symlink("made", "dangling")
    read, write, both, create = os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_CREAT
    flags = {
        read, write, both, both | create, create | os.O_EXCL | both, os.O_TRUNC | read, os.O_APPEND | write,
        os.O_DIRECTORY, os.O_DIRECTORY | both, os.O_NOFOLLOW, os.O_PATH, os.O_SYNC | write, os.O_DSYNC | write,
        os.O_NOATIME, os.O_NONBLOCK | both, os.O_DIRECTORY | create, os.O_TMPFILE | both, 3, os.O_TRUNC | both,
    }  # fmt: skip
    for name in ("file", "dir", "soft", "dangling", "missing", "file/x", "missing/x", "dir/new"):
        for flag in sorted(flags):
            fd = do(os.open, name, flag, 0o640)
            if fd is not None:
                do(os.fstat, fd)
                do.note("flags", fcntl.fcntl(fd, fcntl.F_GETFL))
                os.close(fd)
    do(os.listdir, ".")
    do(os.listdir, "dir")


def wrong_descriptors(do: Recorder) -> None:
    make("file", b"content")
    reader, writer, directory = os.open("file", os.O_RDONLY), os.open("file", os.O_WRONLY), os.open(".", os.O_RDONLY)
    for fd in (reader, writer, directory):
        do(os.read, fd, 10)
        do(os.write, fd, b"x")
        do(os.pread, fd, 10, -1)
        do(os.lseek, fd, -1, os.SEEK_SET)
        do(os.ftruncate, fd, 3)
        do(os.fsync, fd)
        do(libc.fallocate, fd, 0, 0, 10)
        do(os.listdir, fd)
    do(os.read, 800, 10)


def truncated_by_open(do: Recorder) -> None:
    make("file", b"long content")
    keeper = os.open("file", os.O_RDWR)
    do.file(os.O_WRONLY | os.O_TRUNC, "file", lambda fd: do(os.write, fd, b"new"))
    do(os.pread, keeper, 100, 0)
    do(os.fstat, keeper)


def sizes(do: Recorder) -> None:
    for size in SIZES:
        data = pattern(size, size)
        fd = os.open("file", os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o644)
        _write_all(fd, data, 0)
        do(_read_all, fd, size + 10, 0)
        os.close(fd)
        do.note("as written", content("file") == data)
        do(os.stat, "file")


def odd_offsets(do: Recorder) -> None:
    generator = random.Random(1)
    fd = os.open("file", os.O_CREAT | os.O_RDWR, 0o644)
    model = bytearray()
    for turn in range(120):
        size, offset = generator.choice(SIZES[:14]), generator.randrange(600_000)
        data = pattern(size, turn)
        _write_all(fd, data, offset)
        model.extend(bytes(max(0, offset + size - len(model))))
        model[offset : offset + size] = data
        start, length = generator.randrange(len(model)), generator.randrange(1, 300_000)
        do.note("read back", _read_all(fd, length, start) == model[start : start + length])
    os.close(fd)
    do(content, "file")
    do.note("all as written", content("file") == model)


def whole_life(do: Recorder) -> None:
    """Random operations on one file, held against a model in memory."""
    generator = random.Random(2)
    fd = os.open("file", os.O_CREAT | os.O_RDWR, 0o644)
    model = bytearray()
    for turn in range(250):
        action = generator.randrange(6)
        offset, size = generator.randrange(100_000), generator.randrange(1, 20_000)
        if action <= 1:
            data = pattern(size, turn)
            _write_all(fd, data, offset)
            model.extend(bytes(max(0, offset + size - len(model))))
            model[offset : offset + size] = data
        elif action == 2:
            os.ftruncate(fd, offset)
            model[offset:] = b""
            model.extend(bytes(offset - len(model)))
        elif action == 3:
            libc.fallocate(fd, libc.FALLOC_PUNCH_HOLE | libc.FALLOC_KEEP_SIZE, offset, size)
            end = min(len(model), offset + size)
            if end > offset:
                model[offset:end] = bytes(end - offset)
        elif action == 4:
            os.close(fd)
            fd = os.open("file", os.O_RDWR)
        else:
            do.note("part", _read_all(fd, size, offset) == model[offset : offset + size])
    do.note("size", os.fstat(fd).st_size == len(model))
    do.note("whole", content("file") == model)
    do(content, "file")


def end_of_file(do: Recorder) -> None:
    make("file", b"0123456789")
    fd = os.open("file", os.O_RDWR)
    for size, offset in ((100, 0), (100, 5), (5, 9), (5, 10), (5, 11), (5, 1 << 40), (0, 0), (0, 100)):
        do(os.pread, fd, size, offset)
    do(os.pwrite, fd, b"", 100)
    do(os.fstat, fd)
    do(os.pwrite, fd, b"x", 20)
    do(os.pread, fd, 100, 0)
    do(os.pwrite, fd, b"x", 2**63 - 1)
    for offset, whence in ((0, os.SEEK_END), (-3, os.SEEK_END), (100, os.SEEK_SET), (-200, os.SEEK_CUR), (5, 99)):
        do(os.lseek, fd, offset, whence)
    do(os.read, fd, 10)


def vectors(do: Recorder) -> None:
    fd = os.open("file", os.O_CREAT | os.O_RDWR, 0o644)
    pieces = [pattern(size, size) for size in (1, 0, 4096, 3, 100_000, 77)]
    do(os.writev, fd, pieces)
    do(os.pwritev, fd, pieces, 13)
    do(os.pwritev, fd, [b"x"] * 1024, 50)
    do(os.pwritev, fd, [b"x"] * 1025, 50)
    for lengths in ((1,), (3, 5, 7), (100, 0, 50_000), (200_000, 10)):
        buffers = [bytearray(length) for length in lengths]
        do(os.preadv, fd, buffers, 11)
        do.note("buffers", b"".join(buffers))
    do(content, "file")


def append(do: Recorder) -> None:
    one, two = (os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644) for _ in range(2))
    for number in range(20):
        os.write(one, b"one %d\n" % number)
        os.write(two, b"two %d\n" % number)
    do(os.pwrite, one, b"always at the end\n", 0)
    do(os.lseek, one, 0, os.SEEK_CUR)
    do(content, "log")


def direct(do: Recorder) -> None:
    make("file", pattern(65536))
    fd = do(os.open, "file", os.O_RDWR | os.O_DIRECT)
    if fd is None:
        return
    memory = mmap.mmap(-1, 16384)
    for offset in (0, 4096, 61440, 65536, 100):
        do(os.preadv, fd, [memory], offset)
        do.note("data", bytes(memory))
    memory[:] = pattern(16384, 5)
    do(os.pwritev, fd, [memory], 8192)
    do(os.pwrite, fd, b"unaligned", 3)
    do(content, "file")


def holes(do: Recorder) -> None:
    fd = os.open("file", os.O_CREAT | os.O_RDWR, 0o644)
    for offset in (0, 1 << 20, (3 << 20) + 5, 1 << 33):
        os.pwrite(fd, pattern(5000, offset % 1000), offset)
    os.fsync(fd)
    do(os.fstat, fd)
    do.note("sparse", os.fstat(fd).st_blocks * 512 < 1 << 20)
    for offset in (0, 100, 8192, 1 << 20, (1 << 20) + 9000, 3 << 20, 1 << 33, (1 << 33) + 5000, 1 << 34, -1):
        do(os.lseek, fd, offset, os.SEEK_DATA)
        do(os.lseek, fd, offset, os.SEEK_HOLE)
        do(os.pread, fd, 3000, max(offset, 0))


def allocate(do: Recorder) -> None:
    keep, punch, zero = libc.FALLOC_KEEP_SIZE, libc.FALLOC_PUNCH_HOLE, libc.FALLOC_ZERO_RANGE
    modes = (0, keep, punch | keep, punch, zero, zero | keep, libc.FALLOC_COLLAPSE, libc.FALLOC_INSERT, 1 << 10)
    for mode in modes:
        for offset, length in ((1000, 5000), (18000, 10000), (0, 4096), (50_000, 1), (0, 0), (-1, 10), (10, -1)):
            make("file", pattern(20_000))
            fd = os.open("file", os.O_RDWR)
            do(libc.fallocate, fd, mode, offset, length)
            do(os.fstat, fd)
            do(_read_all, fd, 100_000, 0)
            os.close(fd)


def copy_range(do: Recorder) -> None:
    make("from", pattern(300_000))
    make("to", pattern(1000, 2))
    source, target = os.open("from", os.O_RDONLY), os.open("to", os.O_RDWR)
    for count, start, to in ((100, 0, 0), (70_000, 5, 500), (400_000, 0, 0), (10, 299_995, 3), (10, 300_000, 0),
            (10, 1 << 40, 0), (0, 0, 0)):
        done = do(os.copy_file_range, source, target, count, start, to)
        do.note("copied", done)
        do(content, "to")
    do(os.copy_file_range, target, source, 10, 0, 0)
    do(os.copy_file_range, target, target, 100, 0, 50)
    do(os.copy_file_range, source, target, 100)
    do(os.sendfile, target, source, 0, 50_000)
    do(content, "to")


def splice(do: Recorder) -> None:
    make("from", pattern(50_000))
    source, target = os.open("from", os.O_RDONLY), os.open("to", os.O_CREAT | os.O_RDWR, 0o644)
    reader, writer = os.pipe()
    do(os.splice, source, writer, 30_000, 7)
    do(os.splice, reader, target, 30_000, None, 11)
    do(content, "to")


def sync(do: Recorder) -> None:
    os.mkdir("dir")
    for flags in (os.O_RDWR, os.O_RDWR | os.O_SYNC, os.O_RDWR | os.O_DSYNC):
        fd = os.open("dir/file", flags | os.O_CREAT, 0o644)
        os.write(fd, pattern(10_000))
        do(os.fsync, fd)
        do(os.fdatasync, fd)
        do(os.fstat, fd)
        os.close(fd)
    directory = os.open("dir", os.O_RDONLY)
    do(os.fsync, directory)
    do(os.fdatasync, directory)


def map_read(do: Recorder) -> None:
    data = pattern(100_000)
    make("file", data)
    fd = os.open("file", os.O_RDONLY)
    with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as memory:
        do.note("mapped", bytes(memory))
        do.note("slice", memory[70_000:70_100])
    do(mmap.mmap, fd, 0, prot=mmap.PROT_WRITE | mmap.PROT_READ)


def map_write(do: Recorder) -> None:
    make("file", bytes(50_000))
    fd = os.open("file", os.O_RDWR)
    with mmap.mmap(fd, 0) as memory:
        memory[10:20] = b"0123456789"
        memory[40_000:44_000] = pattern(4000)
        do(memory.flush)
        do(content, "file")
        os.pwrite(fd, b"by write", 100)
        do.note("seen in the map", memory[95:115])
        memory[49_990:] = b"x" * 10
    os.fsync(fd)
    do(content, "file")
    private = mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE)
    private[:5] = b"local"
    do(os.pread, fd, 5, 0)


def unlinked(do: Recorder) -> None:
    fd = os.open("file", os.O_CREAT | os.O_RDWR, 0o644)
    other = os.open("file", os.O_RDONLY)
    os.write(fd, b"before")
    os.unlink("file")
    do(os.pwrite, fd, pattern(200_000), 3)
    do(_read_all, other, 300_000, 0)
    do(os.ftruncate, fd, 10)
    do(os.pread, other, 100, 0)
    do(os.fsync, fd)
    do(os.setxattr, fd, "user.a", b"1")
    do(os.getxattr, fd, "user.a")
    do(os.utime, fd, ns=(1, 2))
    make("file", b"another")
    do(os.pread, fd, 100, 0)
    do(content, "file")
    do.close(fd)
    do.close(other)


def temporary(do: Recorder) -> None:
    fd = do(os.open, ".", os.O_TMPFILE | os.O_RDWR, 0o600)
    if fd is not None:
        do(os.write, fd, b"x")
        do(os.fstat, fd)
        do(os.link, f"/proc/self/fd/{fd}", "named", follow_symlinks=True)
    do(os.listdir, ".")


def many_open(do: Recorder) -> None:
    files = [os.open(f"f{number}", os.O_CREAT | os.O_RDWR, 0o644) for number in range(300)]
    for number, fd in enumerate(files):
        os.write(fd, b"file %d" % number)
    do.note("all", [os.pread(fd, 100, 0) for fd in files])
    for fd in files:
        os.close(fd)
    do.note("sizes", [os.stat(f"f{number}").st_size for number in range(300)])


CASES = [
    open_flags, wrong_descriptors, truncated_by_open, sizes, odd_offsets, whole_life, end_of_file, vectors, append,
    direct, holes, allocate, copy_range, splice, sync, map_read, map_write, unlinked, temporary, many_open,
]
