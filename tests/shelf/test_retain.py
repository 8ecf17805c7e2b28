"""translators/retain: every way around it that there is, over memory, on a mount, and on a brick."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import shipped
from support.bricks import Brick, as_glusterd_has_it
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until
from test_bricks import SERVER, volume

from glupy import Fd, Gfid, Iatt
from glupy.testing import real_graph, translator

pytestmark = [pytest.mark.once, pytest.mark.first_system]

RETAIN = shipped.file("retain")
UNTIL, HOLD = "user.retain.until", "user.retain.hold"
DAY = 86400
HEAL = -6


def keep(t: Any, path: str = "/file", days: float = 10) -> None:
    t.setxattr(path, UNTIL, str(int(time.time() + t.clock.now + days * DAY)).encode())


@pytest.fixture(params=[False, True], ids=["mount", "brick"])
def t(request: pytest.FixtureRequest) -> Iterator[Any]:
    with translator(RETAIN, brick=request.param) as graph:
        graph.write("/file", b"data")
        graph.write("/other", b"other")
        yield graph


# Each way around it: (what, does it only concern the name, which is free once the time has come?)


def put(t: Any) -> None:
    t.run(t.child.put(t.loc("/file"), 0o644, 0, os.O_TRUNC, b"new", 0, {}, t.new()))


def fop(name: str, *arguments: Any) -> Callable[[Any], None]:
    """A fop on an open file, which was opened when that was allowed."""
    return lambda t: t.run(getattr(t.child, name)(opened(t), *arguments))


def opened(t: Any, path: str = "/file") -> Fd:
    return Fd.of(t.loc(path).inode)


def create_over(t: Any) -> None:
    loc = t.loc("/file")
    t.run(t.child.create(loc, os.O_RDWR | os.O_TRUNC, 0o644, 0, Fd.create(loc.inode), t.new()))


CONTENT: dict[str, Callable[[Any], None]] = {
    "append": lambda t: t.append("/file", b"more"),
    "truncate": lambda t: t.truncate("/file", 0),
    "longer": lambda t: t.truncate("/file", 100),
    "ftruncate": fop("ftruncate", 0),
    "issue_123_truncate_at_open": lambda t: t.open("/file", os.O_WRONLY | os.O_TRUNC).close(),
    "read_only_but_truncating": lambda t: t.open("/file", os.O_RDONLY | os.O_TRUNC).close(),
    "open_for_writing": lambda t: t.open("/file", os.O_RDWR).close(),
    "fallocate": fop("fallocate", 0, 0, 1000),
    "discard": fop("discard", 0, 2),
    "zerofill": fop("zerofill", 0, 2),
    "copy_file_range": lambda t: t.run(t.child.copy_file_range(opened(t, "/other"), 0, opened(t), 0, 3, 0)),
    "create_over": create_over,
    "put": put,
    "chmod": lambda t: t.chmod("/file", 0o777),
    "chown": lambda t: t.chown("/file", 1, 1),
    "times": lambda t: t.utime("/file", (0, 0)),
    "fsetattr": fop("fsetattr", Iatt(ia_mtime=0), 0x20),
    "another_xattr": lambda t: t.setxattr("/file", "user.colour", b"red"),
    "acl": lambda t: t.setxattr("/file", "system.posix_acl_access", b"x"),
    "remove_an_xattr": lambda t: t.removexattr("/file", "user.kept"),
    "remove_many": lambda t: t.run(t.child.removexattr(t.loc("/file"), "", {"user.kept": b""})),
    "fremovexattr": fop("fremovexattr", "user.kept"),
    "looks_like_a_link_of_dht": lambda t: t.setxattr("/file", "trusted.glusterfs.dht.linkto", b"x"),
    "take_the_time_away": lambda t: t.removexattr("/file", UNTIL),
    "take_it_away_by_fd": fop("fremovexattr", UNTIL),
    "shorten": lambda t: t.setxattr("/file", UNTIL, str(int(t.getxattr("/file", UNTIL)) - 1).encode()),
    "shorten_by_fd": fop("fsetxattr", {UNTIL: b"1"}, 0),
    "add_to_it": lambda t: t.run(t.child.xattrop(t.loc("/file"), 0, {UNTIL: b"\0\0\0\1"})),
    "by_an_xattr_of_its_directory": lambda t: t.setxattr("/", "glusterfs.file.file", b"new"),
}
NAMES: dict[str, Callable[[Any], None]] = {
    "unlink": lambda t: t.unlink("/file"),
    "rename": lambda t: t.rename("/file", "/new"),
    "issue_310_rename_over": lambda t: t.rename("/other", "/file"),
    "link": lambda t: t.link("/file", "/new"),
}


def prepared(t: Any) -> None:
    t.setxattr("/file", "user.kept", b"as it is")


def untouched(t: Any) -> None:
    assert t.stored("/file") == b"data"
    assert t.getxattr("/file", "user.kept") == b"as it is"
    assert (t.stat("/file").st_mode & 0o7777, t.stat("/file").st_nlink) == (0o644, 1)


@pytest.mark.parametrize("way", [*CONTENT, *NAMES])
def test_no_way_around_it(t: Any, way: str) -> None:
    prepared(t)
    keep(t)
    with pytest.raises(PermissionError):
        (CONTENT | NAMES)[way](t)
    untouched(t)
    assert t.read("/file") == b"data"


@pytest.mark.parametrize("way", [*CONTENT, *NAMES])
def test_nor_around_a_hold(t: Any, way: str) -> None:
    prepared(t)
    keep(t)
    t.setxattr("/file", HOLD, b"case 4711")
    t.clock.advance(11 * DAY)
    with pytest.raises(PermissionError):
        (CONTENT | NAMES)[way](t)
    untouched(t)


@pytest.mark.parametrize("way", CONTENT)
def test_content_stays_as_it_is_when_the_time_has_come(t: Any, way: str) -> None:
    prepared(t)
    keep(t)
    t.clock.advance(11 * DAY)
    with pytest.raises(PermissionError):
        CONTENT[way](t)
    untouched(t)


@pytest.mark.parametrize("way", NAMES)
def test_when_the_time_has_come_the_name_is_free(t: Any, way: str) -> None:
    keep(t)
    t.clock.advance(11 * DAY)
    NAMES[way](t)


@pytest.mark.parametrize("way", [way for way in (CONTENT | NAMES) if way not in (
    "put", "create_over", "fremovexattr", "take_the_time_away", "take_it_away_by_fd", "shorten", "shorten_by_fd", "add_to_it",
    "by_an_xattr_of_its_directory", "remove_many")])
def test_what_is_not_kept_may_be_changed(t: Any, way: str) -> None:
    """Each of the ways is one: it would lead there."""
    prepared(t)
    (CONTENT | NAMES)[way](t)


def test_a_write_that_needs_no_open() -> None:
    """On an anonymous fd."""
    with translator(RETAIN) as t:
        t.write("/file", b"data")
        keep(t)
        with pytest.raises(PermissionError):
            t.run(t.child.writev(opened(t), b"new", 0, 0))
        assert t.stored("/file") == b"data"


@pytest.mark.parametrize("flags", [os.O_RDWR, os.O_WRONLY | os.O_APPEND])
def test_files_that_were_open_before(t: Any, flags: int) -> None:
    with t.open("/file", flags) as file:
        keep(t)
        with pytest.raises(PermissionError):
            file.write(b"more")
            file.fsync()
        with pytest.raises(PermissionError):
            file.truncate(0)
        with suppress(PermissionError):
            file.close()
    assert t.stored("/file") == b"data"


def test_every_hard_link(t: Any) -> None:
    t.link("/file", "/second")
    keep(t, "/second")
    for name in ("/file", "/second"):
        with pytest.raises(PermissionError):
            t.unlink(name)
        with pytest.raises(PermissionError):
            t.append(name, b"x")


def test_its_directory(t: Any) -> None:
    t.mkdir("/dir")
    t.write("/dir/file", b"data")
    keep(t, "/dir/file")
    with pytest.raises(OSError):
        t.rmdir("/dir")
    with pytest.raises(OSError):
        t.run(t.child.rmdir(t.loc("/dir"), 1))
    t.rename("/dir", "/moved")
    assert t.read("/moved/file") == b"data"
    with pytest.raises(PermissionError):
        t.unlink("/moved/file")


def test_prolonged(t: Any) -> None:
    keep(t, days=10)
    before = int(t.getxattr("/file", UNTIL))
    keep(t, days=20)
    assert 0 <= int(t.getxattr("/file", UNTIL)) - before - 10 * DAY < 600  # the real time goes on between the two
    t.clock.advance(15 * DAY)
    with pytest.raises(PermissionError):
        t.unlink("/file")
    t.setxattr("/file", UNTIL, b"forever")
    t.clock.advance(1000 * DAY)
    with pytest.raises(PermissionError):
        t.unlink("/file")


def test_created_with_the_attribute(t: Any) -> None:
    """It might say anything then."""
    with pytest.raises(PermissionError):
        t.run(t.child.mknod(t.loc("/new"), 0o100644, 0, 0, {**t.new(), UNTIL: b"99"}))
    with pytest.raises(PermissionError):
        t.run(t.child.put(t.loc("/new"), 0o644, 0, 0, b"x", 0, {HOLD: b"x"}, t.new()))


@pytest.mark.parametrize(("value", "seconds"), [
    (b"2100-01-01", 4102444800), (b"2100-01-01T01:00:00+01:00", 4102444800), (b"2100-01-01T00:00:00Z", 4102444800),
    (b"4102444800\0", 4102444800), (b"forever", 2**63 - 1),
])
def test_times_that_can_be_set(t: Any, value: bytes, seconds: int) -> None:
    t.setxattr("/file", UNTIL, value)
    assert int(t.getxattr("/file", UNTIL)) == seconds


@pytest.mark.parametrize("value", [b"", b"soon", b"-5", b"1", b"1999-01-01", b"9" * 30, b"1e9", b"\xff", "²".encode()])
def test_times_that_cannot(t: Any, value: bytes) -> None:
    with pytest.raises(OSError) as caught:
        t.setxattr("/file", UNTIL, value)
    assert caught.value.errno == errno.EINVAL
    t.write("/file", b"still free")


def test_how_far_away() -> None:
    with translator(RETAIN, longest="30d") as t:
        t.write("/file", b"data")
        for days in (31, 10**6):
            with pytest.raises(OSError):
                keep(t, days=days)
        keep(t, days=29)


def test_only_files(t: Any) -> None:
    t.mkdir("/dir")
    for name in (UNTIL, HOLD):
        with pytest.raises(OSError) as caught:
            t.setxattr("/dir", name, b"forever")
        assert caught.value.errno == errno.EOPNOTSUPP


def test_files_in_shards_are_refused(t: Any) -> None:
    """Their content is in other files, which this would not keep."""
    t.setxattr("/file", "trusted.glusterfs.shard.block-size", b"\0\0\0\0\4\0\0\0")
    with pytest.raises(OSError) as caught:
        keep(t)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_who_may_hold() -> None:
    with translator(RETAIN, keeper=7) as t:
        t.write("/file", b"data", 0o666)
        with pytest.raises(PermissionError):
            t.user(8).setxattr("/file", HOLD, b"x")
        t.user(7).setxattr("/file", HOLD, b"x")
        with pytest.raises(PermissionError):
            t.unlink("/file")
        with pytest.raises(PermissionError):
            t.user(8).removexattr("/file", HOLD)
        t.user(7).removexattr("/file", HOLD)
        t.append("/file", b"free again")
        t.unlink("/file")


@pytest.mark.parametrize("pid", [-1, -2, -4])
def test_who_is_no_healer(t: Any, pid: int) -> None:
    """Geo-replication, a client without root-squash: they do what users do."""
    keep(t)
    with pytest.raises(PermissionError):
        t.run(t.child.unlink(t.loc("/file"), 0), pid=pid)


@pytest.mark.parametrize("pid", [-3, HEAL, -7])
def test_heal_and_rebalance(t: Any, pid: int) -> None:
    keep(t)
    t.run(t.child.writev(opened(t), b"heal", 0, 0), pid=pid)
    t.run(t.child.setattr(t.loc("/file"), Iatt(ia_mtime=5), 0x20), pid=pid)
    t.run(t.child.setxattr(t.loc("/file"), {UNTIL: b"4102444800"}, 0), pid=pid)
    assert t.getxattr("/file", UNTIL) == b"4102444800"
    t.run(t.child.rename(t.loc("/file"), t.loc("/healed")), pid=pid)
    t.run(t.child.unlink(t.loc("/healed"), 0), pid=pid)


def test_what_heal_brings_counts_at_once(t: Any) -> None:
    t.append("/file", b"!")  # its state is remembered now
    t.run(t.child.setxattr(t.loc("/file"), {UNTIL: b"4102444800"}, 0), pid=HEAL)
    with pytest.raises(PermissionError):
        t.append("/file", b"!")


def test_what_is_left_where_a_file_was_before_rebalance(t: Any) -> None:
    keep(t)
    t.run(t.child.setxattr(t.loc("/file"), {"trusted.glusterfs.dht.linkto": b"b\0"}, 0), pid=-3)
    with pytest.raises(PermissionError):
        t.unlink("/file")
    t.run(t.child.truncate(t.loc("/file"), 0), pid=-3)
    t.unlink("/file")


# Commitment by time


@pytest.fixture(params=[False, True], ids=["mount", "brick"])
def quiet(request: pytest.FixtureRequest) -> Iterator[Any]:
    with translator(RETAIN, commit_after="1h", period="10d", brick=request.param) as graph:
        graph.write("/file", b"data")
        yield graph


def test_left_alone(quiet: Any) -> None:
    quiet.clock.advance(3500)
    quiet.append("/file", b"!")
    quiet.clock.advance(3500)
    quiet.append("/file", b"!")
    quiet.clock.advance(3700)
    with pytest.raises(PermissionError):
        quiet.append("/file", b"!")
    assert quiet.stored("/file") == b"data!!"
    quiet.clock.advance(9 * DAY)
    with pytest.raises(PermissionError):
        quiet.unlink("/file")
    quiet.clock.advance(DAY)
    quiet.unlink("/file")


def test_when_it_is_asked_for_it_is_shown(quiet: Any) -> None:
    with pytest.raises(OSError):
        quiet.getxattr("/file", UNTIL)
    quiet.clock.advance(3700)
    left = int(quiet.getxattr("/file", UNTIL)) - (time.time() + quiet.clock.now)
    assert 9 * DAY < left < 10 * DAY


def test_times_that_users_set_do_not_count(quiet: Any) -> None:
    quiet.utime("/file", (0, 0))
    quiet.append("/file", b"!")
    quiet.utime("/file", (10**18 * 5, 10**18 * 5))
    quiet.clock.advance(3700)
    with pytest.raises(PermissionError):
        quiet.append("/file", b"!")


def test_replication_touches_a_file_before_it_writes(quiet: Any) -> None:
    """The ctime that its xattrop makes must not count."""
    quiet.clock.advance(3700)
    with suppress(OSError):  # memory has no xattrop
        quiet.run(quiet.child.xattrop(quiet.loc("/file"), 0, {"trusted.afr.dirty": bytes(12)}))
    quiet.run(quiet.child.setattr(quiet.loc("/file"), Iatt(ia_prot=0o600), 1), pid=HEAL)
    with pytest.raises(PermissionError):
        quiet.append("/file", b"!")


def test_a_change_on_its_way_is_waited_for() -> None:
    """When the attribute is set, nothing more is written."""
    with translator(RETAIN) as t:
        t.write("/file", b"data")
        hold = t.hold("writev")
        writing = t.start(t.run, t.child.writev(opened(t), b"late", 0, 0))
        hold.wait()
        keeping = t.start(keep, t)
        wait_until(lambda: t.translator.turns.closing, "the attribute's setting to wait")
        assert not keeping.done and not t.asked("setxattr", "/file")
        hold.release()
        writing.result()
        keeping.result()
        assert t.stored("/file") == b"late"


# Any order of anything, against a model

STEPS = st.lists(st.one_of(
    st.tuples(st.just("keep"), st.integers(1, 6)), st.tuples(st.just("wait"), st.integers(1, 4)),
    st.tuples(st.sampled_from(("append", "unlink", "replace", "hold", "release", "write")), st.just(0)),
), max_size=25)


@pytest.mark.long
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(STEPS)
@example([("write", 0), ("keep", 2), ("wait", 2), ("replace", 0)])
def test_against_a_model(steps: list[tuple[str, int]]) -> None:
    with translator(RETAIN) as t:
        content: bytes | None = None
        until: int | None = None
        hold, start = False, int(time.time()) - 1000  # so that what is kept until a day is free on that day
        day = 0
        for what, number in steps:
            exists, kept = content is not None, hold or until is not None
            stays = hold or until is not None and day < until
            allowed = {"keep": exists and number + day >= (until or 0), "wait": True, "append": exists and not kept,
                       "unlink": exists and not stays, "replace": not stays, "hold": exists, "release": exists and hold,
                       "write": not kept}[what]
            try:
                if what == "keep":
                    t.setxattr("/file", UNTIL, str(start + (day + number) * DAY).encode())
                elif what == "wait":
                    t.clock.advance(number * DAY)
                elif what == "append":
                    t.append("/file", b"+") if exists else t.unlink("/file")
                elif what == "unlink":
                    t.unlink("/file")
                elif what == "replace":
                    t.write("/new", b"new")
                    t.rename("/new", "/file")
                elif what == "hold":
                    t.setxattr("/file", HOLD, b"x")
                elif what == "release":
                    t.removexattr("/file", HOLD)
                else:
                    t.write("/file", b"written")
                assert allowed, (what, steps)
            except OSError:
                assert not allowed, (what, steps)
                continue
            if what == "keep":
                until = day + number
            elif what == "wait":
                day += number
            elif what == "append":
                content = (content or b"") + b"+"
            elif what in ("unlink", "replace"):
                content, until, hold = (None if what == "unlink" else b"new"), None, False
            elif what in ("hold", "release"):
                hold = what == "hold"
            else:
                content = b"written"
        assert t.exists("/file") == (content is not None)
        assert content is None or t.stored("/file") == content


# Through the kernel, over storage/posix


def ways(top: Path, opened: int) -> dict[str, Callable[[], object]]:
    file = top / "file"
    return {
        "write": lambda: file.write_bytes(b"new"), "truncate": lambda: os.truncate(file, 0), "unlink": file.unlink,
        "append": lambda: os.open(file, os.O_WRONLY | os.O_APPEND), "rename": lambda: file.rename(top / "new"),
        "rename over": lambda: (top / "other").rename(file), "link": lambda: os.link(file, top / "new"),
        "mode": lambda: os.fchmod(opened, 0o777), "times": lambda: os.utime(file, (0, 0)),
        "xattr": lambda: os.setxattr(file, "user.x", b"x"), "remove": lambda: os.removexattr(file, UNTIL),
        "shorten": lambda: os.setxattr(file, UNTIL, b"4102444799"), "owner": lambda: os.chown(file, 1, 1),
        "truncate what was open before": lambda: os.ftruncate(opened, 0),
        "write to what was open before": lambda: os.write(opened, b"new"),
    }


def through_the_kernel(top: Path) -> None:
    (top / "file").write_bytes(b"data")
    (top / "other").write_bytes(b"other")
    opened = os.open(top / "file", os.O_RDWR)
    os.setxattr(top / "file", UNTIL, b"2100-01-01")
    for name, way in ways(top, opened).items():
        with pytest.raises(OSError) as caught:
            way()
        assert caught.value.errno == errno.EPERM, name
    os.close(opened)
    assert (top / "file").read_bytes() == b"data"
    assert os.getxattr(top / "file", UNTIL) == b"4102444800"


REFUSED = r"Operation not permitted|remote operation failed"


def test_on_a_mount() -> None:
    with Mount([layer("kept", "user/retain")], expected=(REFUSED,)) as mount:
        through_the_kernel(mount.path)


def test_on_a_brick() -> None:
    with volume([layer("kept", "user/retain")], [], REFUSED) as (_, mount):
        through_the_kernel(mount.path)


def test_below_locks_it_is_refused() -> None:
    layers = [layer("kept", "user/retain", subvolumes="brick"), layer("again", "features/locks")]
    with pytest.raises(AssertionError, match="gluster volume set vol user.xlator.retain locks"):
        with as_glusterd_has_it(Brick(layers, expected=SERVER)):
            pass
    with as_glusterd_has_it(Brick([layer("kept", "user/retain")], expected=SERVER)):
        pass


def test_over_storage_posix() -> None:
    with real_graph(RETAIN, commit_after="1h", brick=True) as t:
        t.write("/file", b"data")
        t.append("/file", b"!")
        t.clock.advance(3700)
        for way in ("append", "unlink"):
            with pytest.raises(PermissionError):
                (CONTENT | NAMES)[way](t)
        with pytest.raises(PermissionError):
            t.setxattr("/", "glusterfs.file.file", b"new")
        assert t.read("/file") == b"data!"
        assert isinstance(t.loc("/file").gfid, Gfid)
