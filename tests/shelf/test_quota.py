"""translators/quota: limits that are counted exactly, over memory and over storage/posix."""

from __future__ import annotations

import errno
import hmac
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.waiting import wait_until

from glupy.testing import real_graph, translator

pytestmark = pytest.mark.once

QUOTA = Path(__file__).resolve().parents[2] / "translators/quota/__init__.py"
LIMIT, USAGE, RECOUNT = "user.quota.limit", "user.quota.usage", "trusted.quota.recount"
HEAL = -6


def settled(t: Any) -> None:
    """No count is on its way."""
    wait_until(lambda: t.getxattr("/", RECOUNT) == b"exact", "the count")


def limit(t: Any, what: str, text: str) -> None:
    """Of a directory, or ".user.1000" and the like."""
    path, name = ("/", LIMIT + what) if what.startswith(".") else (what, LIMIT)
    t.setxattr(path, name, text.encode())
    settled(t)


def used(t: Any, what: str) -> tuple[int, int]:
    path, name = ("/", USAGE + what) if what.startswith(".") else (what, USAGE)
    words = t.getxattr(path, name).decode().split()
    return int(words[0].removeprefix("bytes=")), int(words[1].removeprefix("files="))


def refused(way: Callable[[], object]) -> None:
    with pytest.raises(OSError) as caught:
        way()
    assert caught.value.errno == errno.EDQUOT


@pytest.fixture(params=["memory", "posix"])
def direct(request: pytest.FixtureRequest) -> Iterator[Any]:
    """What is wound comes as it is, not through write-behind."""
    start: Any = real_graph if request.param == "posix" else translator
    with start(QUOTA) as graph:
        graph.mkdir("/dir", 0o777)
        settled(graph)
        yield graph


@pytest.fixture(params=["memory", "brick", "posix"])
def t(request: pytest.FixtureRequest) -> Iterator[Any]:
    start: Any = real_graph if request.param == "posix" else translator
    with start(QUOTA, brick=request.param == "brick") as graph:
        graph.mkdir("/dir", 0o777)
        settled(graph)
        yield graph


def test_a_directory(t: Any) -> None:
    t.write("/dir/before", b"12345")
    limit(t, "/dir", "bytes=20 files=3")
    assert used(t, "/dir") == (5, 1)
    t.write("/dir/file", b"0123456789")
    assert used(t, "/dir") == (15, 2)
    refused(lambda: t.write("/dir/third", b"123456"))
    assert used(t, "/dir") == (15, 3) and t.read("/dir/third") == b""
    refused(lambda: t.write("/dir/fourth", b""))
    refused(lambda: t.symlink("x", "/dir/link"))
    t.append("/dir/third", b"12345")
    assert used(t, "/dir") == (20, 3)
    t.unlink("/dir/file")
    assert used(t, "/dir") == (10, 2)
    t.write("/outside", bytes(1000))
    t.rename("/dir/before", "/before")
    assert used(t, "/dir") == (5, 1)
    refused(lambda: t.rename("/outside", "/dir/outside"))
    refused(lambda: t.link("/outside", "/dir/outside"))
    t.removexattr("/dir", LIMIT)
    t.rename("/outside", "/dir/outside")
    with pytest.raises(OSError):
        t.getxattr("/dir", USAGE)


def test_issues_78_596_and_713_users_and_groups(t: Any) -> None:
    limit(t, ".user.1000", "bytes=10 files=2")
    limit(t, ".group.100", "bytes=15")
    limit(t, ".user.default", "files=1")
    user = t.user(1000, 100)
    user.write("/dir/file", b"0123456789")
    refused(lambda: user.append("/dir/file", b"1"))
    assert used(t, ".user.1000") == used(t, ".group.100") == (10, 1)
    t.user(1001, 100).write("/dir/other", b"01234")
    refused(lambda: t.user(1001, 100).write("/dir/more", b""))
    refused(lambda: t.write("/dir/file", b"0123456789more"))  # it is empty now
    t.write("/root's", bytes(100))
    refused(lambda: t.chown("/root's", 1000, 0))
    refused(lambda: t.chown("/dir/file", 1001, 100))
    t.chown("/dir/file", 0, 0)
    assert used(t, ".user.1000") == (0, 0) and used(t, ".group.100") == (5, 1) and used(t, ".user.0") == (100, 2)


def test_a_directory_that_gives_its_group(t: Any) -> None:
    limit(t, ".group.100", "files=1")
    t.chown("/dir", 0, 100)
    t.chmod("/dir", 0o2777)
    t.user(1000, 5).write("/dir/file", b"data")
    assert used(t, ".group.100") == (4, 1) and used(t, ".group.5") == (0, 0)
    refused(lambda: t.user(1000, 5).write("/dir/second", b""))


def test_issue_3021_hard_links(t: Any) -> None:
    t.mkdir("/dir/inner")
    t.mkdir("/other")
    limit(t, "/dir", "bytes=100")
    limit(t, "/other", "bytes=100")
    limit(t, "/dir/inner", "bytes=100")
    t.write("/dir/inner/file", bytes(60))
    for name in ("/dir/second", "/dir/inner/third", "/other/fourth"):
        t.link("/dir/inner/file", name)
        assert used(t, "/dir") == used(t, "/dir/inner") == (60, 1)
    assert used(t, "/other") == (60, 1)
    refused(lambda: t.append("/other/fourth", bytes(41)))
    t.unlink("/dir/inner/file")
    assert used(t, "/dir/inner") == (60, 1)
    t.rename("/dir/inner/third", "/dir/third")
    assert used(t, "/dir/inner") == (0, 0) and used(t, "/dir") == (60, 1)
    t.unlink("/dir/second")
    t.unlink("/dir/third")
    assert used(t, "/dir") == (0, 0) and used(t, "/other") == (60, 1) and used(t, ".user.0") == (60, 1)


def test_links_from_before(t: Any) -> None:
    t.mkdir("/other")
    t.write("/dir/file", bytes(60))
    for name in ("/dir/second", "/other/third", "/fourth"):
        t.link("/dir/file", name)
    limit(t, "/dir", "bytes=100")
    limit(t, "/other", "bytes=100")
    assert used(t, "/dir") == used(t, "/other") == (60, 1)
    t.unlink("/dir/file")
    assert used(t, "/dir") == (60, 1)
    t.unlink("/dir/second")
    assert used(t, "/dir") == (0, 0) and used(t, "/other") == (60, 1)


def test_every_way_to_grow(direct: Any) -> None:
    t = direct
    limit(t, "/dir", "bytes=100")
    t.write("/dir/file", bytes(50))
    t.write("/source", bytes(200))
    fd, source = t.fd("/dir/file"), t.fd("/source")
    grows: list[Callable[[int], Any]] = [
        lambda end: t.child.writev(fd, b"x", end - 1, 0), lambda end: t.child.truncate(t.loc("/dir/file"), end),
        lambda end: t.child.ftruncate(fd, end), lambda end: t.child.fallocate(fd, 0, 10, end - 10),
        lambda end: t.child.zerofill(fd, 10, end - 10), lambda end: t.child.copy_file_range(source, 0, fd, 10, end - 10, 0),
    ]
    for number, grow in enumerate(grows):
        refused(lambda grow=grow: t.run(grow(101)))
        assert used(t, "/dir") == (50, 1), number
        t.run(grow(100))
        assert used(t, "/dir") == (100, 1), number
        t.run(t.child.discard(fd, 0, 100))
        assert used(t, "/dir") == (100, 1)
        t.run(t.child.ftruncate(fd, 50))
        assert used(t, "/dir") == (50, 1)
    with pytest.raises(OSError) as caught:
        t.run(t.child.fallocate(fd, 1, 0, 1000))
    assert caught.value.errno == errno.EOPNOTSUPP
    t.run(t.child.fallocate(fd, 1, 0, 50))
    with t.open("/dir/file", os.O_WRONLY | os.O_TRUNC, 0o644):
        assert used(t, "/dir") == (0, 1)


def test_open_without_a_name(t: Any) -> None:
    """It still takes its room, and goes on to be limited."""
    limit(t, "/dir", "bytes=100")
    for ending in (lambda: t.unlink("/dir/file"), lambda: t.rename("/other", "/dir/file")):
        t.write("/other", b"")
        with t.open("/dir/file", os.O_RDWR | os.O_CREAT, 0o644) as file:
            file.write(bytes(60))
            file.fsync()
            ending()
            assert used(t, "/dir")[0] == 60
            refused(lambda: t.write("/dir/second", bytes(41)))
        wait_until(lambda: used(t, "/dir")[0] == 0, "the file to go")
        for name in set(t.names("/dir")):
            t.unlink(f"/dir/{name}")


def test_directories(t: Any) -> None:
    t.mkdir("/dir/a")
    t.mkdir("/other")
    limit(t, "/dir", "files=3")
    t.mkdir("/dir/a/b")
    t.write("/dir/a/b/file", b"data")
    assert used(t, "/dir") == (4, 1)
    for old, new in (("/dir/a", "/other/a"), ("/other", "/dir/other")):
        with pytest.raises(OSError) as caught:
            t.rename(old, new)
        assert caught.value.errno == errno.EXDEV
    t.rename("/dir/a/b", "/dir/b")
    t.write("/dir/b/second", b"data")
    assert used(t, "/dir") == (8, 2)
    t.rename("/dir", "/renamed")
    t.write("/renamed/b/third", b"")
    refused(lambda: t.write("/renamed/a/fourth", b""))


def test_df(t: Any) -> None:
    limit(t, "/dir", "bytes=40960 files=10")
    t.mkdir("/dir/inner")
    limit(t, "/dir/inner", "bytes=81920")
    t.write("/dir/inner/file", bytes(8192))
    for path in ("/dir", "/dir/inner", "/dir/inner/file"):
        found = t.run(t.child.statfs(t.loc(path))).buf
        assert (found.f_blocks * found.f_frsize, found.f_bfree * found.f_frsize) == (40960, 32768)
        assert (found.f_bavail * found.f_frsize, found.f_files, found.f_ffree) == (32768, 10, 9)
    assert t.run(t.child.statfs(t.loc("/"))).buf.f_files > 1000


def test_heal_is_counted_and_not_refused(direct: Any) -> None:
    t = direct
    limit(t, "/dir", "bytes=10 files=1")
    t.write("/dir/file", b"0123456789")
    t.run(t.child.mknod(t.loc("/dir/healed"), 0o100644, 0, 0, t.new()), pid=HEAL)
    fd = t.fd("/dir/healed")
    t.run(t.child.writev(fd, b"data", 0, 0), pid=HEAL)
    assert used(t, "/dir") == (14, 2)
    refused(lambda: t.run(t.child.writev(fd, b"longer", 0, 0)))
    t.run(t.child.setxattr(t.loc("/dir/healed"), {"trusted.quota.label": b""}, 0), pid=HEAL)
    assert used(t, "/dir") == (14, 2)


def test_a_directory_that_dht_brings_with_its_limit(direct: Any) -> None:
    """To a new brick: it holds at once, and nobody else sets one in this way."""
    t = direct
    with pytest.raises(PermissionError):
        t.run(t.child.mkdir(t.loc("/dir/other"), 0o755, 0, {**t.new(), "user.quota.limit": b"bytes=1"}), uid=1000)
    t.run(t.child.mkdir(t.loc("/brought"), 0o755, 0, {**t.new(), "user.quota.limit": b"bytes=10"}))
    t.write("/brought/file", b"0123456789")
    refused(lambda: t.append("/brought/file", b"!"))
    assert used(t, "/brought") == (10, 1)


def test_links_of_dht_are_no_files(direct: Any) -> None:
    t = direct
    limit(t, "/dir", "files=1")
    linkto = "trusted.glusterfs.dht.linkto"
    xdata = {**t.new(), linkto: b"other"}
    t.run(t.child.mknod(t.loc("/dir/file"), 0o101000, 0, 0, xdata))
    t.run(t.child.setxattr(t.loc("/dir/file"), {linkto: b"other"}, 0))
    assert used(t, "/dir") == (0, 0)
    t.run(t.child.writev(t.fd("/dir/file"), b"data", 0, 0), pid=-3)
    assert used(t, "/dir") == (4, 1)
    t.run(t.child.removexattr(t.loc("/dir/file"), linkto), pid=-3)
    assert used(t, "/dir") == (4, 1)


def test_soft_limits(t: Any) -> None:
    limit(t, "/dir", "soft-bytes=10 soft-files=2")
    t.expect("soft limit")
    for number, entries in enumerate((0, 1, 1, 1)):
        (t.append if number else t.write)("/dir/file", bytes(1 if number else 10))
        assert t.log.count("beyond its soft limit") == entries
    t.truncate("/dir/file", 0)
    t.append("/dir/file", bytes(11))
    assert t.log.count("beyond its soft limit") == 2


def test_what_a_limit_may_be(t: Any) -> None:
    for name, text in ((LIMIT, "bytes=x"), (LIMIT, "blocks=1"), (LIMIT, "bytes=1 bytes=2"), (LIMIT + ".user.x", "bytes=1"),
                       (LIMIT + ".user.01", "bytes=1"), (LIMIT + ".client.1", "bytes=1")):
        with pytest.raises(OSError) as caught:
            t.setxattr("/", name, text.encode())
        assert caught.value.errno == errno.EINVAL
    with pytest.raises(PermissionError):
        t.user(1000).setxattr("/dir", LIMIT, b"bytes=1")
    with pytest.raises(OSError):
        t.setxattr("/dir", LIMIT + ".user.1", b"bytes=1")
    t.write("/file", b"")
    with pytest.raises(NotADirectoryError):
        t.setxattr("/file", LIMIT, b"bytes=1")
    limit(t, "/dir", " bytes=1MB  soft-files=1k ")
    assert t.user(1000).getxattr("/dir", LIMIT) == b"bytes=1MB soft-files=1k"
    assert t.user(1000).getxattr("/dir", USAGE) == b"bytes=0 files=0 of bytes=1MB soft-files=1k"


def test_what_fails_below_is_not_counted(direct: Any) -> None:
    t = direct
    limit(t, "/dir", "bytes=100 files=2")
    t.write("/dir/file", bytes(10))
    t.script("writev", "create", "mknod", "unlink", "rename", "link", "truncate", answer=OSError(errno.EIO, ""))
    ways: list[Callable[[], object]] = [
        lambda: t.write("/dir/new", b"data"), lambda: t.unlink("/dir/file"), lambda: t.rename("/dir/file", "/x"),
        lambda: t.link("/dir/file", "/dir/x"), lambda: t.truncate("/dir/file", 50), lambda: t.append("/dir/file", b"data"),
    ]
    for way in ways:
        with pytest.raises(OSError):
            way()
        assert used(t, "/dir") == (10, 1)


def test_issue_740_racing_to_the_limit() -> None:
    """Many are inside at once, and none goes beyond."""
    with translator(QUOTA) as t:
        limit(t, "/", "bytes=100 files=50")
        for number in range(8):
            t.create(f"/{number}")
        fds = [t.fd(f"/{number}") for number in range(8)]
        hold = t.hold("writev")
        calls = [t.start(t.run, t.child.writev(fd, bytes(30), 0, 0)) for fd in fds]
        wait_until(lambda: sum(call.done for call in calls) == 5, "those that are refused")
        assert used(t, "/") == (90, 8)
        hold.release()
        results = [failure(call) for call in calls]
        assert results.count(errno.EDQUOT) == 5 and results.count(None) == 3
        assert used(t, "/") == (90, 8)


def failure(call: Any) -> int | None:
    try:
        call.result()
    except OSError as error:
        return error.errno
    return None


def test_counted_anew_after_a_crash(tmp_path: Path) -> None:
    """What was written down of the first process does not outlive it here: all is found on the disk."""
    with real_graph(QUOTA, tmp_path) as t:
        t.mkdir("/dir")
        t.mkdir("/dir/inner")
        t.mkdir("/other")
        limit(t, "/dir", "bytes=100 files=3")
        limit(t, ".user.1000", "files=1")
        t.write("/dir/inner/file", bytes(60))
        t.link("/dir/inner/file", "/dir/second")
        t.link("/dir/inner/file", "/other/third")
        t.chown("/dir/second", 1000, 1000)
    (tmp_path / "dir/inner/behind").write_bytes(b"")  # storage/posix gives it a gfid when it is found
    with real_graph(QUOTA, tmp_path) as t:
        settled(t)
        t.expect("ia_gfid is null|is not counted")
        assert used(t, "/dir")[0] == 60 and used(t, ".user.1000") == (60, 1)
        refused(lambda: t.chown("/dir/inner/behind", 1000, 1000))
        refused(lambda: t.truncate("/other/third", 101))
        t.unlink("/dir/second")
        t.unlink("/dir/inner/file")
        assert used(t, "/dir")[0] == 0 and used(t, ".user.1000") == (60, 1)


def test_limits_hold_for_what_is_met_before_it_is_counted(tmp_path: Path) -> None:
    with real_graph(QUOTA, tmp_path) as t:
        t.mkdir("/dir")
        limit(t, "/dir", "bytes=100")
        t.write("/dir/file", bytes(60))
    with real_graph(QUOTA, tmp_path, brick=True) as t:
        hold = t.hold("readdirp")
        t.connect()
        hold.wait()
        refused(lambda: t.truncate("/dir/file", 101))
        assert used(t, "/dir") == (60, 1)
        hold.release()
        settled(t)
        assert used(t, "/dir") == (60, 1)


def test_changes_while_it_counts() -> None:
    """A count stops in the middle; what has moved from where it has yet to look to where it has been is counted."""
    with translator(QUOTA) as t:
        for name in ("/a", "/z", "/z/deep"):
            t.mkdir(name)
        limit(t, "/", "bytes=1000")
        for name in ("/a/one", "/z/one", "/z/two", "/z/three", "/z/deep/file"):
            t.write(name, bytes(10))
        hold = t.hold("readdirp")
        t.setxattr("/", RECOUNT, b"1")
        for _ in range(4):  # the root and its end, /a and its end
            hold.wait()
            hold.release(0)
        hold.wait()
        t.rename("/z/one", "/a/moved")
        t.link("/z/two", "/a/two")
        t.unlink("/z/three")
        t.truncate("/z/two", 15)
        t.rename("/z/deep", "/a/deep")
        t.write("/a/new", bytes(10))
        assert used(t, "/") == (55, 5)
        hold.release()
        settled(t)
        assert used(t, "/") == (55, 5)


def test_another_version_goes_on_with_the_books() -> None:
    """It is to count what the old one has not, which stops; what is inside of the old one goes on in the same books."""
    with translator(QUOTA) as t, translator(QUOTA, volume="new") as new:
        settled(new)
        t.mkdir("/dir")
        limit(t, "/dir", "bytes=100")
        t.write("/dir/file", bytes(10))
        hold = t.hold("readdirp")
        t.setxattr("/", RECOUNT, b"1")
        hold.wait()
        new.translator.reloaded(t.translator)
        assert new.translator.wanted.is_set()
        t.append("/dir/file", bytes(10))
        hold.release()
        (key,) = new.translator.ledger.limits
        assert new.translator.ledger.usage(key) == (20, 1)
        assert t.getxattr("/", RECOUNT) == b"counting", "the old one has not ended it"


def test_what_another_brick_has(tmp_path: Path) -> None:
    """Believed of who has the key, as an answer to what was said, and once."""
    key = tmp_path / "key"
    key.write_text("a secret of some length\n")
    key.chmod(0o600)
    with translator(QUOTA, key=key) as t:
        limit(t, "/", "bytes=100")
        t.write("/file", bytes(10))

        def said(secret: bytes = b"a secret of some length", **changed: Any) -> bytes:
            report = json.loads(t.run(t.child.getxattr(t.loc("/"), "trusted.quota.report")).dict["trusted.quota.report"])
            (name,) = report["used"]
            assert report["used"][name] == [10, 1]
            text = json.dumps({"challenge": report["challenge"], "elsewhere": {name: [50, 5]}, **changed}).encode()
            return hmac.new(secret, text, "sha256").hexdigest().encode() + b" " + text

        def tell(message: bytes) -> None:
            t.setxattr("/", "trusted.quota.elsewhere", message)

        for message in (said(b"another"), said(challenge="0" * 32), said().replace(b"50", b"10"), b"", b"x y"):
            with pytest.raises(PermissionError):
                tell(message)
        assert used(t, "/") == (10, 1)
        message, late = said(), said()
        tell(message)
        assert used(t, "/") == (60, 6)
        refused(lambda: t.append("/file", bytes(41)))
        with pytest.raises(PermissionError):
            tell(message)
        t.clock.advance(61)
        with pytest.raises(PermissionError):
            tell(late)


# A model

FOLDERS = {"/": (), "/a": ("/a",), "/a/b": ("/a", "/a/b"), "/c": (), "/d": ("/d",)}
PATHS = [f"{folder.rstrip('/')}/{name}" for folder in FOLDERS for name in ("x", "y")]
LIMITS = {"/a": (100, 4), "/a/b": (60, 3), "/d": (50, 2), ".user.1000": (80, 3), ".group.100": (90, 4)}


class File:
    def __init__(self, uid: int, gid: int) -> None:
        self.uid, self.gid, self.size = uid, gid, 0
        self.names: set[str] = set()

    def keys(self) -> set[str]:
        above = {key for name in self.names for key in FOLDERS[os.path.dirname(name)]}
        return above | {f".user.{self.uid}", f".group.{self.gid}"}


class Model:
    def __init__(self) -> None:
        self.files: dict[str, File] = {}

    def used(self, key: str) -> tuple[int, int]:
        files = {file for file in self.files.values() if key in file.keys()}
        return sum(file.size for file in files), len(files)

    def allowed(self, keys: set[str], size: int, files: int) -> bool:
        over = [key for key in keys & LIMITS.keys() if size > 0 or files > 0
                if self.used(key)[0] + size > LIMITS[key][0] or self.used(key)[1] + files > LIMITS[key][1]]
        return not over

    def make(self, path: str, uid: int, gid: int) -> bool:
        new = File(uid, gid)
        new.names.add(path)
        if not self.allowed(new.keys(), 0, 1):
            return False
        self.files[path] = new
        return True

    def resize(self, path: str, size: int) -> bool:
        file = self.files[path]
        if not self.allowed(file.keys(), size - file.size, 0):
            return False
        file.size = size
        return True

    def change(self, file: File, names: set[str], uid: int, gid: int) -> bool:
        """A file's names or owner."""
        new = File(uid, gid)
        new.names = names
        if not self.allowed(new.keys() - file.keys(), file.size, 1):
            return False
        file.names, file.uid, file.gid = names, uid, gid
        return True


def step(t: Any, model: Model, kind: str, path: str, other: str, number: int) -> None:
    """One operation: it does to the volume what it does to the model."""
    file = model.files.get(path)
    if kind == "recount":
        t.setxattr("/", RECOUNT, b"1")
        return
    if kind == "create":
        uid, gid = (0, 0) if number % 2 else (1000, 100)
        if file is None:
            tried(model.make(path, uid, gid), lambda: t.user(uid, gid).create(path))
        return
    if file is None:
        return
    if kind in ("truncate", "write", "append", "fallocate", "zerofill"):
        end = {"truncate": number, "append": file.size + number}.get(kind, max(file.size, number + 5))
        fd = t.fd(path)
        ways = {"truncate": lambda: t.truncate(path, number), "write": lambda: t.run(t.child.writev(fd, b"12345", number, 0)),
                "append": lambda: t.append(path, bytes(number)),
                "fallocate": lambda: t.run(t.child.fallocate(fd, 0, number, 5)),
                "zerofill": lambda: t.run(t.child.zerofill(fd, number, 5))}
        if kind != "append" or number:
            tried(model.resize(path, end), ways[kind])
    elif kind == "punch":
        t.run(t.child.discard(t.fd(path), 0, number + 1))
    elif kind == "chown":
        uid, gid = (0, 100) if number % 2 else (1000, 0)
        tried(model.change(file, set(file.names), uid, gid), lambda: t.chown(path, uid, gid))
    elif kind == "unlink":
        t.unlink(path)
        file.names.discard(path)
        del model.files[path]
    elif kind == "link" and other not in model.files:
        if tried(model.change(file, file.names | {other}, file.uid, file.gid), lambda: t.link(path, other)):
            model.files[other] = file
    elif kind == "rename":
        replaced = model.files.get(other)
        if replaced is file:
            t.rename(path, other)
        elif tried(model.change(file, file.names - {path} | {other}, file.uid, file.gid), lambda: t.rename(path, other)):
            if replaced:
                replaced.names.discard(other)
            model.files[other] = model.files.pop(path)


def tried(allowed: bool, way: Callable[[], object]) -> bool:
    if allowed:
        way()
    else:
        refused(way)
    return allowed


KINDS = ["create", "create", "create", "truncate", "write", "append", "fallocate", "zerofill", "punch", "chown", "unlink",
         "link", "rename", "rename", "recount"]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(PATHS), st.sampled_from(PATHS), st.integers(0, 70)),
                 max_size=40)


def compare(t: Any, model: Model) -> None:
    for key in LIMITS:
        assert used(t, key) == model.used(key), key


def test_against_a_model() -> None:
    with translator(QUOTA) as t:
        prepare(t)

        @given(STEPS)
        @settings(max_examples=25 if os.environ.get("GLUPY_SANITIZE") else 60, deadline=None,
                  suppress_health_check=[HealthCheck.too_slow])
        def run(steps: list[tuple[str, str, str, int]]) -> None:
            model = Model()
            try:
                for kind, path, other, number in steps:
                    step(t, model, kind, path, other, number)
                    compare(t, model)
                settled(t)
                compare(t, model)
            finally:
                for path in PATHS:
                    if t.exists(path):
                        t.unlink(path)
            compare(t, Model())

        run()


def prepare(t: Any) -> None:
    for folder in FOLDERS:
        if folder != "/":
            t.mkdir(folder, 0o777)
    for key, (size, files) in LIMITS.items():
        limit(t, key, f"bytes={size} files={files}")
    t.chmod("/", 0o777)
