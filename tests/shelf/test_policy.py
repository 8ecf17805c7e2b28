"""translators/policy: who may do what, in which order, judged by which bytes, and what becomes of a broken file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import shipped
from support.bricks import Brick
from support.mounts import Mount, MountFailed
from support.volfiles import layer
from support.waiting import wait_until

from glupy import Fd, LoadError, Loc
from glupy.testing import Stage

pytestmark = pytest.mark.once

FILE = shipped.file("policy")
policy = shipped.module("policy")


@pytest.fixture
def guarded(translator: Any, tmp_path: Path) -> Any:
    """What makes a translator with these rules."""
    @contextmanager
    def made(rules: str, **options: Any) -> Iterator[Stage[Any]]:
        write(tmp_path / "rules", rules)
        with translator(FILE, file=tmp_path / "rules", **options) as t:
            yield t
    return made


def write(file: Path, rules: str) -> None:
    file.write_text(rules)
    file.chmod(0o644)


def denied(function: Any, *arguments: Any, error: int = errno.EACCES) -> None:
    with pytest.raises(OSError) as failed:
        function(*arguments)
    assert failed.value.errno == error


# Reading the file


@pytest.mark.parametrize(("text", "said"), [
    ("forbid uid=1", "line 1: a rule begins with allow, deny or record, not forbid"),
    ("allow uid=1\n\n# so\ndeny fop=wirtev", "line 4: fop: wirtev is no fop and no set of them; did you mean writev?"),
    ("deny uid=x\nallow\ndeny gid=5-4",
     "line 1: uid: expected a number, or a range such as 1000-1999, not x; line 3: gid: "),
    ("deny nmae=x", "line 1: there is no term nmae; did you mean name?"), ("deny name=", "line 1: name needs a value"),
    ("deny uid=1 uid=2", "uid is there twice"),
    ("deny internal=1", "internal takes no value"), ("deny at=6-7", "times of the day"),
    ("deny days=monday", "monday is none of mon, tue"), ("deny content=0x4d5", "expected a text such as %PDF"),
    ("deny content=4095:ab", "farther than the first 4096 bytes"),
    ("deny content=MZ fop=stat", "content= goes with these fops"),
    ("deny error=EACES", "EACES is no error; did you mean EACCES?"), ("allow error=EPERM", "error= goes with deny"),
])
def test_mistakes_have_their_lines(translator: Any, tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path / "rules", text)
    with pytest.raises(LoadError) as refused:
        translator(FILE, file=tmp_path / "rules").__enter__()
    assert said in str(refused.value) and str(tmp_path / "rules") in str(refused.value)


def test_a_file_that_others_can_write_to(translator: Any, tmp_path: Path) -> None:
    write(tmp_path / "rules", "allow")
    (tmp_path / "rules").chmod(0o666)
    with pytest.raises(LoadError, match="others than root can write to it"):
        translator(FILE, file=tmp_path / "rules").__enter__()


def test_no_file_at_the_start() -> None:
    with pytest.raises(MountFailed) as failed:
        with Mount([layer("policy", "features/glupy", module="policy", file="/nowhere/rules")]):
            pass
    assert "option file: /nowhere/rules: No such file or directory" in failed.value.log


def test_without_the_option_everything_is_allowed(translator: Any) -> None:
    with translator(FILE, expect=["option file is not given: everything is allowed"]) as t:
        t.write("/file", b"data")


def test_the_file_is_read_anew_and_a_broken_one_is_not(guarded: Any, tmp_path: Path) -> None:
    with guarded("deny fop=mkdir name=a", expect=["the rules from before hold"]) as t:
        denied(t.mkdir, "/a")
        t.mkdir("/b")
        write(tmp_path / "rules", "deny fop=mkdir name=c*\n")
        t.clock.advance(3)
        t.mkdir("/a")
        denied(t.mkdir, "/c1")
        write(tmp_path / "rules", "allow\ndeny fop=mkdri\n")
        t.clock.advance(3)
        denied(t.mkdir, "/c1")
        assert "line 2: fop: mkdri is no fop and no set of them; did you mean mkdir?" in t.log
        (tmp_path / "rules").unlink()
        t.clock.advance(6)
        denied(t.mkdir, "/c1")
        assert t.log.count("the rules from before hold") == 2  # once for each file, not each time it is looked at
        write(tmp_path / "rules", "allow")
        t.clock.advance(3)
        t.mkdir("/c1")


# Who, what and when


@pytest.mark.parametrize(("rules", "allowed"), [
    ("deny uid=7", False), ("deny uid=8", True), ("deny uid=1-9", False), ("deny uid=1-3|7", False),
    ("deny gid=70", False), ("deny gid=71", False), ("deny gid=72", True), ("deny client=host*", False),
    ("deny client=x*", True),
    ("deny name=file", False), ("deny name=*.c|fi*", False), ("deny name=dir", True), ("deny path=/dir/*", False),
    ("deny path=/file", True), ("deny fop=stat|open", False), ("deny fop=reading uid=7", False), ("deny fop=changing", True),
    ("allow uid=7\ndeny", True), ("deny\nallow uid=7", False), ("record\ndeny uid=7", False), ("record uid=7", True),
    ("deny uid=7 name=other", True), ("", True), ("  # deny\n", True), ("deny # uid=8", False),
])
def test_which(guarded: Any, rules: str, allowed: bool) -> None:
    with guarded("\n".join(f"{line} fop=stat" if "fop=" not in line and line[:1].strip("# ") and "#" not in line else line
                           for line in rules.splitlines()).replace("deny # uid=8", "deny fop=stat # uid=8")) as t:
        loc = Loc("/dir/file", inode=t.root)

        def stat() -> None:
            t.run(t.child.stat(loc), uid=7, gid=70, groups=[71], client="host-1")

        stat() if allowed else denied(stat)


def test_the_error_and_the_log(guarded: Any) -> None:
    with guarded("record fop=mkdir\n\ndeny fop=mkdir error=EROFS") as t:
        denied(t.mkdir, "/new", error=errno.EROFS)
        assert "recorded by line 1: mkdir of /new by uid 0" in t.log and "denied by line 3: mkdir of /new by uid 0" in t.log
        assert not t.asked("mkdir")


def test_a_dry_run_only_records(guarded: Any) -> None:
    with guarded("deny fop=mkdir\ndeny content=MZ", dry_run=True) as t:
        t.mkdir("/new")
        t.write("/file", b"MZ")
        assert "would be denied by line 1: mkdir of /new" in t.log and "would be denied by line 2: writev" in t.log


def test_heal_and_rebalance_are_left_alone(guarded: Any) -> None:
    for rules, spared in (("deny fop=stat", True), ("deny fop=stat internal", False)):
        with guarded(rules) as t:
            loc = Loc("/", inode=t.root)
            t.run(t.child.stat(loc), pid=-6) if spared else denied(lambda: t.run(t.child.stat(loc), pid=-6))


def test_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    night, weekend = policy.parsed("deny at=22:00-06:00\ndeny days=sat|sun at=08:00-09:00")
    for day, hour, found in ((0, 5, (True, False)), (0, 6, (False, False)), (5, 8, (False, True)), (6, 9, (False, False)),
                             (4, 8, (False, False)), (6, 22, (True, False))):
        now = SimpleNamespace(tm_wday=day, tm_hour=hour, tm_min=0)
        monkeypatch.setattr(policy.rules, "time", SimpleNamespace(time=lambda: 0.0, localtime=lambda _: now))  # noqa: B023
        assert (night.is_time(), weekend.is_time()) == found


# Ways around a rule about names


def test_a_blocked_name(guarded: Any) -> None:
    with guarded("deny name=*.exe fop=changing-names") as t:
        t.create("/a")
        for make in (lambda: t.create("/a.exe"), lambda: t.mkdir("/a.exe"), lambda: t.rename("/a", "/a.exe"),
                     lambda: t.link("/a", "/a.exe"), lambda: t.symlink("/a", "/a.exe"), lambda: t.mknod("/a.exe")):
            denied(make)


def test_an_open_that_truncates_is_a_truncate(guarded: Any) -> None:
    with guarded("deny fop=truncate") as t:
        t.create("/file")
        denied(lambda: t.run(t.child.open(t.loc("/file"), os.O_TRUNC | os.O_WRONLY, Fd.create(t.loc("/file").inode))))
        t.read("/file")


def test_removing_has_rename(guarded: Any) -> None:
    with guarded("deny fop=removing name=kept") as t:
        t.create("/kept")
        t.create("/other")
        denied(t.unlink, "/kept")
        denied(t.rename, "/kept", "/gone")
        denied(t.rename, "/other", "/kept")


# Content


RULES = "deny content=MZ\ndeny content=4:tar"


def test_content(guarded: Any) -> None:
    with guarded(RULES) as t:
        for data in (b"MZ", b"MZ and more", b"....tar"):
            t.create("/bad") if not t.exists("/bad") else None
            fd = t.fd("/bad")
            denied(lambda: t.run(t.child.writev(fd, data, 0, 0)))
            assert t.stored("/bad") == b""
            del fd
        t.write("/good", b"ZM....tar")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_content_in_parts_that_come_side_by_side(guarded: Any, order: tuple[int, int]) -> None:
    """What write-behind does: neither part is anything by itself, and both are under way at once."""
    with guarded("deny content=MZ") as t:
        t.create("/file")
        fd = t.fd("/file")
        hold = t.hold("writev")
        parts = [t.start(t.run, t.child.writev(fd, b"MZ"[index:index + 1], index, 0)) for index in order[:1]]
        hold.wait(1)
        parts += [t.start(t.run, t.child.writev(fd, b"MZ"[index:index + 1], index, 0)) for index in order[1:]]
        hold.release()
        assert parts[0].result().op_ret == 1
        denied(parts[1].result)
        assert t.stored("/file").strip(b"\0") == b"MZ"[order[0]:order[0] + 1]
        del fd, parts


def test_content_by_other_ways(guarded: Any) -> None:
    with guarded("deny content=0x4d5a00 fop=changing-data|rename|open") as t:
        t.write("/file", b"MZ")
        fd = t.fd("/file")
        for wind in (lambda: t.child.ftruncate(fd, 3), lambda: t.child.truncate(t.loc("/file"), 100),
                     lambda: t.child.fallocate(fd, 0, 0, 10), lambda: t.child.zerofill(fd, 2, 1),
                     lambda: t.child.writev(fd, b"x", 5, 0)):
            denied(lambda: t.run(wind()))  # noqa: B023
        assert t.stored("/file") == b"MZ"
        t.write("/source", b"..\0")
        source = t.fd("/source")
        denied(lambda: t.run(t.child.copy_file_range(source, 2, fd, 2, 1, 0)))
        t.append("/file", b"Z")
        del fd, source


def test_what_is_there_already(guarded: Any, tmp_path: Path) -> None:
    with guarded("allow") as t:
        t.write("/file", b"MZ")
        write(tmp_path / "rules", "deny content=MZ fop=open|rename")
        t.clock.advance(3)
        denied(t.read, "/file")
        denied(t.rename, "/file", "/other")


CHANGES = st.lists(st.one_of(
    st.tuples(st.just("writev"), st.integers(0, 12), st.binary(min_size=1, max_size=6)),
    st.tuples(st.just("truncate"), st.integers(0, 12), st.just(b"")),
    st.tuples(st.just("zerofill"), st.integers(0, 12), st.binary(min_size=1, max_size=6)),
    st.tuples(st.just("discard"), st.integers(0, 12), st.binary(min_size=1, max_size=6)),
    st.tuples(st.just("fallocate"), st.integers(0, 12), st.binary(min_size=1, max_size=6)),
), max_size=8)


@given(size=st.integers(1, 10), changes=CHANGES)
def test_the_first_bytes_are_foreseen(size: int, changes: list[tuple[str, int, bytes]]) -> None:
    """Against a whole file that the same is done to."""
    whole = b""
    for name, offset, data in changes:
        call = Call(name, offset, data)
        foreseen = policy.after(call, whole[:size], b"", size)
        whole = done(whole, name, offset, data)
        assert foreseen == whole[:size], name


def done(whole: bytes, name: str, offset: int, data: bytes) -> bytes:
    end = offset + len(data)
    if name == "truncate":
        return whole[:offset].ljust(offset, b"\0")
    if name == "fallocate":
        return whole.ljust(end, b"\0")
    new = whole[:offset].ljust(offset, b"\0") + (data if name == "writev" else bytes(len(data))) + whole[end:]
    return new[:len(whole)] if name == "discard" else new


class Call(dict):  # type: ignore[type-arg]
    """As much of a call as is looked at."""

    def __init__(self, name: str, offset: int, data: bytes) -> None:
        vector = SimpleNamespace(part=lambda start, stop: data[start:stop])
        super().__init__(offset=offset, len=len(data), vector=vector, flags=0, fd=SimpleNamespace(flags=0), keep_size=0)
        self.name = name


# On a mount and in a brick


def use(path: Path) -> None:
    (path / "file").write_bytes(b"data")
    denied((path / "file.exe").write_bytes, b"data")
    file = os.open(path / "other", os.O_CREAT | os.O_WRONLY)
    try:
        for offset in (3, 2, 1):
            os.pwrite(file, b"MZ.."[offset:offset + 1], offset)
        denied(lambda: (os.pwrite(file, b"M", 0), os.fsync(file)))
    finally:
        with suppress(OSError):  # what write-behind has kept
            os.close(file)
    # What came last is not there: write-behind sends parts in any order.
    assert (path / "other").read_bytes() in (b"\0Z..", b"M\0..")


@pytest.fixture
def rules(trusted: Path) -> Path:
    write(trusted / "rules", "deny name=*.exe\ndeny content=MZ\n")
    return trusted / "rules"


def test_on_a_mount(rules: Path) -> None:
    with Mount([layer("policy", "user/policy", file=rules)], expected=("0-glusterfs-fuse: ", "0-fuse: ")) as mount:
        use(mount.path)
        write(rules, "deny fop=mkdir")
        wait_until(lambda: f"{rules} is read anew: 1 rules" in mount.text(), "the new rules")
        denied(os.mkdir, mount.path / "new")
        (mount.path / "file.exe").write_bytes(b"MZ")


@pytest.mark.parametrize("above", [[], [layer("wb", "performance/write-behind")]])
def test_in_a_brick(rules: Path, above: list[Any]) -> None:
    with (
        Brick([layer("policy", "user/policy", file=rules)], expected=(" 0-server: ",)) as brick,
        Mount(above, bottom=[brick.client], expected=("0-client", "0-glusterfs-fuse: ", "0-fuse: ", "0-wb")) as mount,
    ):
        use(mount.path)
