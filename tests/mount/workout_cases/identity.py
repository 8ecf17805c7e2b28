"""What another user may do."""

from __future__ import annotations

import os
import stat

from .recorder import Recorder, content, make

NOBODY = 65534


def _become(user: int = NOBODY, group: int = NOBODY, groups: tuple[int, ...] = ()) -> None:
    """For good: a case has its process to itself."""
    os.setgroups(list(groups))
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def refused(do: Recorder) -> None:
    make("private", b"x", 0o600)
    make("readable", b"x", 0o644)
    os.mkdir("closed", 0o700)
    make("closed/file", b"x")
    os.mkdir("open", 0o755)
    make("open/file", b"x")
    _become()
    for name in ("private", "readable", "closed/file", "open/file"):
        do(content, name)
        do(os.open, name, os.O_WRONLY)
        do(os.truncate, name, 0)
        do(os.chmod, name, 0o777)
        do(os.chown, name, NOBODY, NOBODY)
        do(os.utime, name, ns=(1, 1))
        do(os.utime, name)
        do(os.setxattr, name, "user.a", b"1")
        do(os.getxattr, name, "user.a")
        do(os.unlink, name)
        do(os.rename, name, name + "2")
        do(os.link, name, "linked")
        do(os.access, name, os.R_OK)
        do(os.access, name, os.W_OK)
        do(os.stat, name)
    for name in ("new", "open/new", "closed/new"):
        do(os.mkdir, name)
        do(make, name)
        do(os.symlink, "x", name)
    do(os.listdir, "closed")
    do(os.listdir, "open")
    do(os.rmdir, "open")


def own_files(do: Recorder) -> None:
    os.mkdir("shared")
    os.chmod("shared", 0o777)
    _become()
    make("shared/mine", b"mine")
    os.mkdir("shared/dir")
    do(os.symlink, "mine", "shared/soft")
    do(os.mkfifo, "shared/fifo")
    do(os.mknod, "shared/device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    for name in ("mine", "dir", "soft", "fifo"):
        do(os.lstat, f"shared/{name}")
    do(os.chmod, "shared/mine", 0o4711)
    do(os.stat, "shared/mine")
    do(os.chown, "shared/mine", 0, -1)
    do(os.chown, "shared/mine", -1, 1)
    do(os.chown, "shared/mine", -1, NOBODY)
    do(os.setxattr, "shared/mine", "user.a", b"1")
    do(os.setxattr, "shared/mine", "trusted.a", b"1")
    do(os.listxattr, "shared/mine")
    do(os.rename, "shared/mine", "shared/dir/moved")
    do(content, "shared/dir/moved")
    os.chmod("shared/dir/moved", 0)
    do(content, "shared/dir/moved")
    do(os.unlink, "shared/dir/moved")


def sticky(do: Recorder) -> None:
    os.mkdir("tmp")
    os.chmod("tmp", 0o1777)
    make("tmp/roots", b"x", 0o666)
    os.chmod("tmp/roots", 0o666)
    _become()
    make("tmp/mine", b"y")
    do(os.unlink, "tmp/roots")
    do(os.rename, "tmp/roots", "tmp/other")
    do(os.rename, "tmp/mine", "tmp/roots")
    do.file(os.O_WRONLY, "tmp/roots", lambda fd: do(os.write, fd, b"allowed"))
    do(os.unlink, "tmp/mine")


def groups(do: Recorder) -> None:
    make("group", b"for the group", 0o640)
    os.chown("group", 0, 777)
    make("other", b"for others", 0o604)
    os.chown("other", 0, 777)
    _become(groups=(777,))
    do(content, "group")
    do(content, "other")
    do(os.open, "group", os.O_WRONLY)


def many_groups(do: Recorder) -> None:
    make("group", b"for the last group", 0o640)
    os.chown("group", 0, 5099)
    _become(groups=tuple(range(5000, 5100)))
    do(content, "group")


def descriptor_outlives_rights(do: Recorder) -> None:
    """Rights count when a file is opened, not when it is used."""
    make("file", b"secret", 0o600)
    fd = os.open("file", os.O_RDWR)
    _become()
    do(os.pread, fd, 100, 0)
    do(os.pwrite, fd, b"S", 0)
    do(os.ftruncate, fd, 3)
    do(os.fchmod, fd, 0o666)
    do(os.fstat, fd)
    do(os.open, "file", os.O_RDONLY)


def through_directories(do: Recorder) -> None:
    os.makedirs("a/b/c")
    make("a/b/c/file", b"x")
    os.chmod("a/b", 0o711)
    _become()
    do(content, "a/b/c/file")
    do(os.listdir, "a/b")
    do(os.listdir, "a/b/c")
    do(os.stat, "a/b/missing")


CASES = [refused, own_files, sticky, groups, many_groups, descriptor_outlives_rights, through_directories]
