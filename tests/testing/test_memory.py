"""The file system in memory: what an application may rely on, through libgfapi."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from glupy import FOPS, Translator
from glupy.testing import Stage, translator
from glupy.testing.memory import Memory
from support import calls


class Nothing(Translator):
    """All fops pass."""


@pytest.fixture
def t() -> Iterator[Stage[Nothing]]:
    with translator(Nothing) as t:
        yield t


@contextmanager
def raises(number: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno == number


def test_contents(t):
    big = bytes(range(256)) * 2000
    t.write("/file", big)
    assert t.read("/file") == big
    with t.open("/file", os.O_RDWR) as file:
        assert file.read(4, 256) == b"\0\1\2\3"
        file.write(b"hole", len(big) + 10)
        assert file.stat().st_size == len(big) + 14
        file.truncate(3)
    assert t.read("/file") == b"\0\1\2"
    t.append("/file", b"end")
    assert t.read("/file") == b"\0\1\2end"
    t.truncate("/file", 10)
    assert t.read("/file") == b"\0\1\2end\0\0\0\0"
    t.write("/file", "anew")
    assert t.read("/file") == b"anew"


def test_create(t):
    t.create("/file", 0o600)
    status = t.stat("/file")
    assert (stat.S_ISREG(status.st_mode), stat.S_IMODE(status.st_mode), status.st_size, status.st_nlink) == (True, 0o600, 0, 1)
    with raises(errno.EEXIST):
        t.create("/file")
    with raises(errno.ENOENT):
        t.create("/none/file")
    with raises(errno.ENOTDIR):
        t.create("/file/file")
    with raises(errno.ENAMETOOLONG):
        t.create("/" + 256 * "x")
    with raises(errno.ENOENT):
        t.read("/none")


def test_directories(t):
    t.mkdir("/a")
    t.mkdir("/a/b")
    t.write("/a/file", b"")
    assert (t.names(), t.names("/a"), t.names("/a/b")) == (["a"], ["b", "file"], [])
    assert t.stat("/a").st_nlink == 3
    with raises(errno.ENOTEMPTY):
        t.rmdir("/a")
    with raises(errno.ENOTDIR):
        t.rmdir("/a/file")
    with raises(errno.EISDIR):
        t.unlink("/a/b")
    with raises(errno.EISDIR):
        t.open("/a", os.O_RDWR)
    t.rmdir("/a/b")
    t.unlink("/a/file")
    t.rmdir("/a")
    assert t.names() == [] and t.stat("/").st_nlink == 2


def test_many_names_come_once_each(t):
    names = [f"name{number:04}" for number in range(1000)]
    for name in names:
        t.mknod(f"/{name}")
    assert t.names() == names
    assert t.asked("readdirp") > 1


def test_names_go_while_they_are_read(t):
    for number in range(500):
        t.mknod(f"/{number}")
    for name in t.names():
        t.unlink(f"/{name}")
    assert t.names() == []


def test_links(t):
    t.write("/file", b"data")
    t.link("/file", "/other")
    assert t.stat("/file").st_nlink == 2 and t.stat("/file").st_ino == t.stat("/other").st_ino
    t.unlink("/file")
    assert t.read("/other") == b"data" and t.stat("/other").st_nlink == 1
    t.symlink("other", "/link")
    assert t.readlink("/link") == "other" and t.read("/link") == b"data"
    assert stat.S_ISLNK(t.lstat("/link").st_mode) and stat.S_ISREG(t.stat("/link").st_mode)
    assert not t.exists("/file") and t.exists("/link")
    t.mkdir("/d")
    with raises(errno.EPERM):
        t.run(t.child.link(t.loc("/d"), t.loc("/e")))


def test_rename(t):
    t.write("/a", b"a")
    t.write("/b", b"b")
    t.mkdir("/d")
    t.rename("/a", "/b")
    assert t.read("/b") == b"a" and t.names() == ["b", "d"]
    t.rename("/b", "/d/c")
    assert t.names() == ["d"] and t.read("/d/c") == b"a"
    t.mkdir("/e")
    t.rename("/d", "/e/d")
    assert t.stat("/e").st_nlink == 3 and t.stat("/").st_nlink == 3
    with raises(errno.EINVAL):
        t.rename("/e", "/e/d/e")
    t.mkdir("/f")
    with raises(errno.ENOTEMPTY):
        t.rename("/f", "/e")
    with raises(errno.EISDIR):
        t.rename("/e/d/c", "/f")
    t.link("/e/d/c", "/g")
    t.rename("/e/d/c", "/g")  # two names of one file: nothing happens
    assert t.names("/e/d") == ["c"] and t.read("/g") == b"a"


def test_an_open_file_outlives_its_names(t):
    t.write("/file", b"data")
    with t.open("/file", os.O_RDWR) as file:
        t.unlink("/file")
        assert file.read() == b"data" and file.stat().st_nlink == 0
        with raises(errno.ENOENT):
            t.stat("/file")


def test_attributes(t):
    t.write("/file", b"x")
    t.chmod("/file", 0o604)
    t.chown("/file", 5, 6)
    t.utime("/file", (10**9 + 5, 2 * 10**9 + 6))
    status = t.stat("/file")
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o604, 5, 6)
    assert (status.st_atime_ns, status.st_mtime_ns) == (10**9 + 5, 2 * 10**9 + 6)
    t.mknod("/fifo", stat.S_IFIFO | 0o600)
    assert stat.S_ISFIFO(t.stat("/fifo").st_mode)


def test_xattrs(t):
    t.write("/file", b"x")
    t.setxattr("/file", "user.one", b"1\0\2")
    t.setxattr("/file", "user.two", b"22")
    assert t.getxattr("/file", "user.one") == b"1\0\2" and t.listxattr("/file") == ["user.one", "user.two"]
    with raises(errno.EEXIST):
        t.setxattr("/file", "user.one", b"", os.XATTR_CREATE)
    with raises(errno.ENODATA):
        t.setxattr("/file", "user.three", b"", os.XATTR_REPLACE)
    t.removexattr("/file", "user.one")
    with raises(errno.ENODATA):
        t.getxattr("/file", "user.one")
    with raises(errno.ENODATA):
        t.removexattr("/file", "user.one")


def test_permissions(t):
    alice, bob, friend = t.user(1000, 1000), t.user(1001), t.user(1002, groups=[1000])
    with raises(errno.EACCES):
        alice.create("/file")
    t.mkdir("/home", 0o755)
    t.chown("/home", 1000, 1000)
    alice.write("/home/file", b"hers", 0o640)
    status = t.stat("/home/file")
    assert (status.st_uid, status.st_gid) == (1000, 1000)
    assert friend.read("/home/file") == b"hers"
    for refused in (lambda: bob.read("/home/file"), lambda: friend.append("/home/file", b""),
                    lambda: friend.unlink("/home/file"), lambda: bob.create("/home/other")):
        with raises(errno.EACCES):
            refused()
    with raises(errno.EPERM):
        bob.chmod("/home/file", 0o777)
    with raises(errno.EPERM):
        alice.chown("/home/file", 1001, 1000)
    t.mkdir("/tmp")
    t.chmod("/tmp", 0o1777)
    alice.create("/tmp/hers")
    with raises(errno.EPERM):
        bob.unlink("/tmp/hers")
    alice.unlink("/tmp/hers")


def test_fops_on_fds(t):
    t.write("/file", b"0123456789")
    t.write("/to", b"")

    async def wind():
        await t.child.discard(one, 2, 3)
        await t.child.zerofill(one, 8, 4)
        await t.child.fallocate(one, 0, 0, 15)
        await t.child.fallocate(one, 1, 0, 99)
        copied = await t.child.copy_file_range(one, 5, two, 1, 100, 0)
        hole, data = await t.child.seek(one, 3, 1), await t.child.seek(one, 3, 0)
        return copied.op_ret, hole.offset, data.offset

    one, two = t.fd("/file"), t.fd("/to")
    assert t.run(wind()) == (10, 15, 3)
    assert t.read("/file") == b"01\0\0\0" + b"567" + bytes(7)
    assert t.read("/to") == b"\0" + b"567" + bytes(7)


def test_put(t):
    t.run(t.child.put(t.loc("/new"), 0o100600, 0, 0, b"content", 0, {"user.a": b"1"}, t.new()))
    assert t.read("/new") == b"content" and t.getxattr("/new", "user.a") == b"1"


def test_nothing_is_made_without_a_gfid(t):
    with raises(errno.EPERM):
        t.run(t.child.mkdir(t.loc("/new"), 0o755, 0))
    t.run(t.child.mkdir(t.loc("/new"), 0o755, 0, t.new()))
    assert t.names() == ["new"]


@pytest.mark.parametrize("fop", sorted(FOPS.keys() - vars(Memory).keys() - {"compound"}))
def test_what_it_cannot_do_is_not_supported(t, fop):
    table = t.root.table
    with raises(errno.EOPNOTSUPP):
        t.run(getattr(t.child, fop)(*calls.arguments(fop, table)))


def test_statfs(t):
    t.write("/file", bytes(5000))
    before = t.run(t.child.statfs(t.loc("/"))).buf
    t.write("/other", bytes(5000))
    after = t.run(t.child.statfs(t.loc("/"))).buf
    assert (before.f_bfree - after.f_bfree, before.f_ffree - after.f_ffree) == (2, 1)
