"""Metadata: modes, owners, times, sizes, the file system's own figures."""

from __future__ import annotations

import fcntl
import os
import struct
import time

from .recorder import Recorder, elsewhere, make

SECOND = 1_000_000_000


def chmod(do: Recorder) -> None:
    make("file")
    os.mkdir("dir")
    os.symlink("file", "soft")
    for name in ("file", "dir", "soft", "missing", "file/x"):
        for mode in (0, 0o777, 0o4755, 0o2755, 0o1777, 0o644):
            do(os.chmod, name, mode)
            do(os.stat, name)
    fd = os.open("file", os.O_RDONLY)
    do(os.fchmod, fd, 0o600)
    do(os.fstat, fd)
    os.unlink("file")
    do(os.fchmod, fd, 0o640)  # no fstat: the kernel's cache answers, or a stat by gfid that is stale, as time will have it
    do.close(fd)


def chown(do: Recorder) -> None:
    make("file")
    os.chmod("file", 0o6755)
    os.symlink("file", "soft")
    for owner in ((1, 2), (-1, 3), (4, -1), (-1, -1), (0, 0), (2**31, 2**31), (2**32 - 2, 2**32 - 2)):
        do(os.chown, "file", *owner)
        do(os.stat, "file")
    do(os.lchown, "soft", 5, 6)
    do(os.lstat, "soft")
    do(os.stat, "file")
    do(os.chown, "soft", 7, 8)
    do(os.stat, "file")
    do(os.chown, "missing", 1, 1)
    fd = os.open("file", os.O_RDONLY)
    do(os.fchown, fd, 9, 10)
    do(os.fstat, fd)
    do.close(fd)


def utime(do: Recorder) -> None:
    make("file")
    os.mkdir("dir")
    os.symlink("file", "soft")
    for atime, mtime in ((0, 0), (1, 2), (SECOND + 123456789, 2 * SECOND + 987654321), (4 * 10**18, 4 * 10**18),
            (-SECOND, -1)):
        for name in ("file", "dir"):
            do(os.utime, name, ns=(atime, mtime))
            value = os.stat(name)
            do.note("times", (value.st_atime_ns, value.st_mtime_ns))
    do(os.utime, "soft", ns=(5 * SECOND, 6 * SECOND), follow_symlinks=False)
    do.note("of the link", os.lstat("soft").st_mtime_ns)
    do(os.utime, "missing")
    fd = os.open("file", os.O_RDONLY)
    do(os.utime, fd, ns=(7 * SECOND, 8 * SECOND))
    do.note("of the descriptor", os.fstat(fd).st_mtime_ns)
    do(os.utime, "file")
    do.note("now", abs(os.stat("file").st_mtime - time.time()) < 30)
    do.close(fd)


def times_move(do: Recorder) -> None:
    """Which times an operation moves."""
    make("file", b"x")
    os.mkdir("dir")
    os.mkdir("other")

    def moved(name: str, label: str, action: object) -> None:
        os.utime(name, ns=(SECOND, SECOND))
        before = os.stat(name)
        time.sleep(0.012)
        action()  # type: ignore[operator]
        after = os.stat(name)
        do.note(label, (after.st_mtime_ns != before.st_mtime_ns, after.st_ctime_ns != before.st_ctime_ns))

    moved("dir", "create in dir", lambda: make("dir/f"))
    moved("dir", "unlink in dir", lambda: os.unlink("dir/f"))
    moved("dir", "mkdir in dir", lambda: os.mkdir("dir/d"))
    moved("dir", "rename out of dir", lambda: os.rename("dir/d", "other/d"))
    moved("other", "rename into dir", lambda: os.rename("other/d", "other/e"))
    moved("file", "write", lambda: make("file", b"y"))
    moved("file", "truncate", lambda: os.truncate("file", 100))
    moved("file", "chmod", lambda: os.chmod("file", 0o600))
    moved("file", "link", lambda: os.link("file", "second"))
    moved("file", "setxattr", lambda: os.setxattr("file", "user.a", b"1"))
    moved("file", "stat", lambda: os.stat("file"))


def truncate(do: Recorder) -> None:
    make("file", b"0123456789")
    os.mkdir("dir")
    for name in ("file", "dir", "missing", "file/x"):
        for size in (5, 0, 70_000, 3, 2**40, -1, 2**62):
            do(os.truncate, name, size)
            do(os.stat, name)
    os.truncate("file", 20)
    with open("file", "rb") as file:
        do(file.read)
    fd, reader = os.open("file", os.O_RDWR), os.open("file", os.O_RDONLY)
    for size in (5, 4096, 0, 10, -1):
        do(os.ftruncate, fd, size)
        do(os.fstat, fd)
    do(os.ftruncate, reader, 1)
    os.unlink("file")
    do(os.ftruncate, fd, 77)
    do(os.pread, reader, 100, 0)


def access(do: Recorder) -> None:
    os.mkdir("dir")
    for mode in (0, 0o400, 0o200, 0o100, 0o777):
        make(f"m{mode:o}", mode=0o600)
        os.chmod(f"m{mode:o}", mode)
        for asked in (os.F_OK, os.R_OK, os.W_OK, os.X_OK):
            do(os.access, f"m{mode:o}", asked)
    do(os.access, "dir", os.X_OK)
    do(os.access, "missing", os.F_OK)


def statfs(do: Recorder) -> None:
    make("file")
    os.mkdir("dir")
    for name in (".", "file", "dir", "missing"):
        do(os.statvfs, name)
    fd = os.open("file", os.O_RDONLY)
    do(os.fstatvfs, fd)


def umask(do: Recorder) -> None:
    for mask in (0, 0o022, 0o077, 0o777):
        os.umask(mask)
        place = f"u{mask:o}"
        make(f"{place}f", mode=0o666)
        os.mkdir(f"{place}d", 0o777)
        os.mkfifo(f"{place}p", 0o666)
        for kind in "fdp":
            do(os.lstat, place + kind)


def setgid_directory(do: Recorder) -> None:
    os.mkdir("dir")
    os.chown("dir", 0, 1234)
    os.chmod("dir", 0o2775)
    make("dir/file")
    os.mkdir("dir/sub")
    os.symlink("x", "dir/soft")
    for name in ("dir/file", "dir/sub", "dir/soft"):
        do(os.lstat, name)


def setuid_cleared_by_write(do: Recorder) -> None:
    make("file", b"x")
    os.chmod("file", 0o6777)

    def write_as_another() -> None:
        os.setresuid(65534, 65534, 65534)
        os.write(os.open("file", os.O_WRONLY), b"changed")

    do.note("written", elsewhere(write_as_another))
    do(os.stat, "file")
    os.chmod("file", 0o6777)
    os.chown("file", 1, 1)
    do(os.stat, "file")


def ioctls(do: Recorder) -> None:
    make("file", b"x")
    for name in ("file", "."):
        fd = os.open(name, os.O_RDONLY)
        for request in (0x80086601, 0x5413, 0x541B, 0x12345678):  # FS_IOC_GETFLAGS, TIOCGWINSZ, FIONREAD, none
            do(fcntl.ioctl, fd, request, struct.pack("q", 0))
        os.close(fd)


CASES = [
    chmod, chown, utime, times_move, truncate, access, statfs, umask, setgid_directory, setuid_cleared_by_write,
            ioctls,
]
