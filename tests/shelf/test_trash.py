"""translators/trash: what is removed can be had back, over memory, over storage/posix, on a mount, and on a brick."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until
from test_bricks import CLIENT, SERVER, volume

from glupy import Gfid
from glupy.testing import real_graph, translator

pytestmark = [pytest.mark.once, pytest.mark.first_system]

TRASH = Path(__file__).resolve().parents[2] / "translators/trash/__init__.py"
RESTORE, ORIGIN = "user.trash.restore", "user.trash.origin"
#: What storage/posix says of a name that it has not forgotten: see put_back().
GFID2PATH = (r"posix-gfid-path\.c|posix-entry-ops\.c.*posix_link",)
HEAL, REBALANCE = -6, -3


def binned(t: Any, uid: int = 0) -> dict[str, bytes]:
    """What is in a user's bin: names without the gfid behind, and contents."""
    folder = f"/.trash/{uid}"
    return {name[:-37]: t.read(f"{folder}/{name}") for name in t.names(folder)} if t.exists(folder) else {}


def restore(t: Any, name: str, uid: int = 0) -> None:
    (found,) = (entry for entry in t.names(f"/.trash/{uid}") if entry[:-37] == name)
    t.setxattr(f"/.trash/{uid}", RESTORE, os.fsencode(found))


@pytest.fixture(params=["memory", "brick", "posix"])
def t(request: pytest.FixtureRequest) -> Iterator[Any]:
    start: Any = real_graph if request.param == "posix" else translator
    with start(TRASH, brick=request.param != "memory") as graph:
        graph.mkdir("/dir", 0o777)
        graph.write("/dir/file", b"data")
        yield graph


def test_issue_65_nothing_is_made_before_it_is_needed(t: Any) -> None:
    assert not t.exists("/.trash")
    t.unlink("/dir/file")
    assert t.exists("/.trash/0")


def test_issue_571_restored(t: Any) -> None:
    t.unlink("/dir/file")
    assert t.names("/dir") == [] and binned(t) == {"file": b"data"}
    restore(t, "file")
    assert t.read("/dir/file") == b"data" and binned(t) == {}
    assert t.stat("/dir/file").st_nlink == 1
    t.unlink("/dir/file")
    assert binned(t) == {"file": b"data"}


def test_replaced_by_a_rename(t: Any) -> None:
    t.write("/new", b"new")
    t.rename("/new", "/dir/file")
    assert t.read("/dir/file") == b"new" and binned(t) == {"file": b"data"}
    with pytest.raises(FileExistsError):
        restore(t, "file")
    assert t.read("/dir/file") == b"new" and binned(t) == {"file": b"data"}
    t.rename("/dir/file", "/dir/aside")
    t.expect(*GFID2PATH)
    restore(t, "file")
    assert t.read("/dir/file") == b"data" and binned(t) == {} and t.stat("/dir/file").st_nlink == 1
    for _ in range(3):
        t.unlink("/dir/file")
        (entry,) = t.names("/.trash/0")
        t.setxattr("/.trash/0", RESTORE, entry.encode())
        assert t.read("/dir/file") == b"data"


def test_moved_out_by_mv(t: Any) -> None:
    t.unlink("/dir/file")
    (name,) = t.names("/.trash/0")
    t.rename(f"/.trash/0/{name}", "/dir/again")
    assert t.read("/dir/again") == b"data" and binned(t) == {}


def test_only_the_last_hard_link(t: Any) -> None:
    t.link("/dir/file", "/second")
    t.unlink("/dir/file")
    assert binned(t) == {} and t.read("/second") == b"data"
    t.unlink("/second")
    assert binned(t) == {"second": b"data"}
    restore(t, "second")
    assert t.read("/second") == b"data"


def test_two_last_names_at_once() -> None:
    """Each saw that there was another one."""
    with translator(TRASH) as t:
        t.write("/a", b"data")
        t.link("/a", "/b")
        t.mkdir("/warm")
        hold = t.hold("unlink")
        first = t.start(t.unlink, "/a")
        hold.wait()
        t.forget()
        second = t.start(t.unlink, "/b")
        wait_until(lambda: t.asked("lookup", "/b"), "the second one")
        hold.release()
        first.result()
        second.result()
        assert binned(t) == {"b": b"data"}


def test_removed_out_of_the_bin_it_is_gone(t: Any) -> None:
    t.unlink("/dir/file")
    (name,) = t.names("/.trash/0")
    t.unlink(f"/.trash/0/{name}")
    assert binned(t) == {}


def test_bins_stay(t: Any) -> None:
    t.unlink("/dir/file")
    for way in (lambda: t.rmdir("/.trash/0"), lambda: t.rename("/.trash", "/other"), lambda: t.rename("/.trash/0", "/other")):
        with pytest.raises(OSError):
            way()
    assert binned(t) == {"file": b"data"}


NAMES = ["x" * 255, "ü" * 127, b"\xff\xfe latin".decode("utf-8", "surrogateescape"), "a\nb", "Ω" * 120 + "end", ".hidden"]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name(t: Any, name: str) -> None:
    t.write(f"/dir/{name}", b"special")
    t.unlink(f"/dir/{name}")
    (kept,) = t.names("/.trash/0")
    assert len(os.fsencode(kept)) <= 255 and os.fsencode(name).startswith(os.fsencode(kept)[:-37])
    t.setxattr("/.trash/0", RESTORE, os.fsencode(kept))
    assert t.read(f"/dir/{name}") == b"special"


def test_each_has_a_bin_that_nobody_else_looks_into() -> None:
    with translator(TRASH) as t:
        t.mkdir("/dir", 0o777)
        for uid in (1000, 1001):
            t.user(uid).write(f"/dir/of{uid}", b"secret")
            t.user(uid).unlink(f"/dir/of{uid}")
        assert t.user(1000).names("/.trash/1000") and binned(t, 1001) == {"of1001": b"secret"}
        (name,) = t.names("/.trash/1001")
        for way in (lambda who: who.names("/.trash/1001"), lambda who: who.read(f"/.trash/1001/{name}"),
                    lambda who: who.unlink(f"/.trash/1001/{name}"), lambda who: who.names("/.trash"),
                    lambda who: who.setxattr("/.trash/1001", RESTORE, name.encode())):
            with pytest.raises(PermissionError):
                way(t.user(1000))
        assert t.stat("/.trash/1001").st_mode & 0o7777 == 0o700
        t.user(1001).setxattr("/.trash/1001", RESTORE, name.encode())
        assert t.read("/dir/of1001") == b"secret" and t.stat("/dir/of1001").st_uid == 1001


def test_who_may_not_remove_gets_nothing() -> None:
    with translator(TRASH) as t:
        t.mkdir("/dir", 0o755)
        t.write("/dir/file", b"data")
        with pytest.raises(PermissionError):
            t.user(1000).unlink("/dir/file")
        assert binned(t, 1000) == {} and t.read("/dir/file") == b"data" and t.stat("/dir/file").st_nlink == 1


def test_who_may_not_write_there_any_more_restores_nothing() -> None:
    with translator(TRASH) as t:
        t.mkdir("/dir", 0o777)
        t.user(1000).write("/dir/file", b"data")
        t.user(1000).unlink("/dir/file")
        t.chmod("/dir", 0o755)
        (name,) = t.names("/.trash/1000")
        with pytest.raises(PermissionError):
            t.user(1000).setxattr("/.trash/1000", RESTORE, name.encode())
        assert binned(t, 1000) == {"file": b"data"}


def test_open_while_it_is_removed(t: Any) -> None:
    with t.open("/dir/file", os.O_RDWR) as file:
        t.unlink("/dir/file")
        file.write(b"more", 4)
        file.fsync()
        assert file.read(8, 0) == b"datamore"
    assert binned(t) == {"file": b"datamore"}


def test_a_directory_that_was_renamed_meanwhile(t: Any) -> None:
    t.unlink("/dir/file")
    t.rename("/dir", "/moved")
    restore(t, "file")
    assert t.read("/moved/file") == b"data"


def test_a_directory_that_is_gone(t: Any) -> None:
    t.unlink("/dir/file")
    t.rmdir("/dir")
    with pytest.raises(OSError) as caught:
        restore(t, "file")
    assert caught.value.errno in (errno.ENOENT, errno.ESTALE)
    assert binned(t) == {"file": b"data"}


def test_where_it_was(t: Any) -> None:
    t.unlink("/dir/file")
    (name,) = t.names("/.trash/0")
    place = t.getxattr(f"/.trash/0/{name}", ORIGIN)
    assert place == b"/dir/file" or place == f"<gfid:{t.loc('/dir').inode.gfid}>/file".encode()


def test_what_other_bricks_have_is_no_error(t: Any) -> None:
    t.unlink("/dir/file")
    t.setxattr("/.trash/0", RESTORE, b"nothing of this brick")
    with pytest.raises(OSError):
        t.getxattr("/dir", ORIGIN)


@pytest.mark.parametrize("pid", [HEAL, REBALANCE])
def test_issue_1120_heal_and_rebalance_remove_for_good(t: Any, pid: int) -> None:
    """By gfid and name, without any path, as they come on a brick."""
    t.write("/new", b"new")
    t.run(t.child.rename(t.loc("/new"), t.loc("/dir/file")), pid=pid)
    t.run(t.child.unlink(t.loc("/dir/file"), 0), pid=pid)
    assert not t.exists("/.trash")


def test_links_of_dht_and_shards_are_not_kept(t: Any) -> None:
    t.create("/dir/link")
    t.setxattr("/dir/link", "trusted.glusterfs.dht.linkto", b"other-brick\0")
    t.setxattr("/dir/file", "trusted.glusterfs.shard.block-size", b"\0\0\0\0\4\0\0\0")
    t.write("/dir/half", b"what rebalance has copied so fa")
    t.setxattr("/dir/half", "trusted.glusterfs.dht.linkto", b"other-brick\0")
    t.chmod("/dir/half", 0o1000)
    for name in ("link", "file", "half"):
        t.unlink(f"/dir/{name}")
    assert not t.exists("/.trash")


def test_restored_where_the_bin_has_a_link_of_dht(t: Any) -> None:
    """As when somebody has looked for it: what was removed lies where it lay, and DHT would have its new name on this brick."""
    t.unlink("/dir/file")
    (name,) = t.names("/.trash/0")
    t.removexattr(f"/.trash/0/{name}", "trusted.trash.origin")
    with pytest.raises(OSError, match="No data available"):
        restore(t, "file")
    t.truncate(f"/.trash/0/{name}", 0)
    t.chmod(f"/.trash/0/{name}", 0o1000)
    t.setxattr(f"/.trash/0/{name}", "trusted.glusterfs.dht.linkto", b"other-brick\0")
    restore(t, "file")  # the other brick does
    assert t.names("/.trash/0") == [name] and not t.exists("/dir/file")


def test_removed_while_rebalance_moves_it(t: Any) -> None:
    """Rebalance marks a file, copies it, and empties what it has open. So what is in the bin is another file."""
    t.setxattr("/dir/file", "trusted.glusterfs.dht.linkto", b"other-brick\0")
    t.chmod("/dir/file", 0o3640)
    gfid = t.loc("/dir/file").gfid
    t.unlink("/dir/file")
    assert binned(t) == {"file": b"data"}
    (name,) = t.names("/.trash/0")
    assert t.loc(f"/.trash/0/{name}").gfid != gfid
    restore(t, "file")
    assert t.read("/dir/file") == b"data" and t.stat("/dir/file").st_mode & 0o7777 == 0o640


def test_what_a_replica_misses_that_is_away(trusted: Path) -> None:
    """Replication says so of the directory that loses the name, and heal looks for it in the bin as well; or where it is again."""
    one, other, once = "trusted.afr.vol-client-1", "trusted.afr.vol-client-2", struct.pack(">3I", 0, 0, 1)

    def missed() -> list[bytes | None]:
        return [os.getxattr(folder, other) if other in os.listxattr(folder) else None
                for folder in (trusted, trusted / ".trash", trusted / ".trash/0")]

    with real_graph(TRASH, trusted, brick=True) as t:
        t.mkdir("/dir")
        for name in ("first", "second"):
            t.write(f"/dir/{name}", b"data")
        os.setxattr(trusted / "dir", one, bytes(12))
        os.setxattr(trusted / "dir", other, once)
        t.unlink("/dir/first")
        assert missed() == [once] * 3 and not any(one in os.listxattr(folder) for folder in trusted.glob(".trash/**/"))
        os.setxattr(trusted / "dir", other, bytes(12))
        t.unlink("/dir/second")
        assert missed() == [once] * 3
        restore(t, "first")
        assert missed() == [once, once, struct.pack(">3I", 0, 0, 2)]
        assert os.getxattr(trusted / "dir", other) == once


def test_what_is_no_file(t: Any) -> None:
    t.symlink("file", "/dir/soft")
    t.mkdir("/dir/sub")
    t.unlink("/dir/soft")
    t.rmdir("/dir/sub")
    assert not t.exists("/.trash")


def test_patterns_and_size() -> None:
    with translator(TRASH, at_once="*.tmp, ~*", file_size="1KB") as t:
        for name, size in (("a.tmp", 1), ("~b", 1), ("big", 1025), ("kept", 1024)):
            t.write(f"/{name}", bytes(size))
            t.unlink(f"/{name}")
        assert list(binned(t)) == ["kept"]


def test_age() -> None:
    with translator(TRASH, age="1d") as t:
        for name in ("first", "second"):
            t.write(f"/{name}", b"data")
            t.unlink(f"/{name}")
            assert "first" in binned(t)
            t.clock.advance(43200 + 1000)
        assert set(binned(t)) == {"second"}
        t.clock.advance(43200)
        assert binned(t) == {}


def test_issue_877_total_size_the_oldest_go_first() -> None:
    with translator(TRASH, total="10KB", brick=True) as t:
        t.mkdir("/dir", 0o777)
        for number in range(20):
            t.user(1000 + number % 2).write(f"/dir/{number:02}", bytes(1024))
            t.user(1000 + number % 2).unlink(f"/dir/{number:02}")
            t.clock.advance(2)
        t.clock.advance(700)
        assert sorted({**binned(t, 1000), **binned(t, 1001)}) == [f"{number:02}" for number in range(10, 20)]


def test_a_bin_that_does_not_work() -> None:
    with translator(TRASH, expect=["is removed and not kept"]) as t:
        t.write("/file", b"data")
        t.script(link=OSError(errno.ENOSPC, ""))
        t.unlink("/file")
        assert not t.exists("/file") and binned(t) == {}


def test_somebody_elses_directory() -> None:
    """What is in the bin's place is not ours: its rights would be another's to set."""
    with translator(TRASH, expect=["there is another directory"]) as t:
        t.mkdir("/.trash", 0o777)
        t.write("/file", b"data")
        t.unlink("/file")
        assert t.names("/.trash") == []


def test_a_removal_that_fails() -> None:
    with translator(TRASH) as t:
        t.write("/file", b"data")
        t.script(unlink=[OSError(errno.EIO, "")])
        with pytest.raises(OSError):
            t.unlink("/file")
        assert binned(t) == {} and t.read("/file") == b"data" and t.stat("/file").st_nlink == 1


@pytest.mark.parametrize("way", ["truncate", "shorter", "open", "ftruncate"])
def test_truncated(way: str) -> None:
    for brick in (False, True):
        with translator(TRASH, truncated=True, brick=brick) as t:
            t.write("/file", b"data" * 1000, 0o640)
            t.chown("/file", 7, 8)
            if way in ("truncate", "shorter"):
                t.truncate("/file", 0 if way == "truncate" else 100)
            elif way == "open":
                t.open("/file", os.O_WRONLY | os.O_TRUNC).close()
            else:
                with t.open("/file", os.O_RDWR) as file:
                    file.truncate(1)
            assert list(binned(t).values()) == [b"data" * 1000]
            (name,) = t.names("/.trash/0")
            found = t.stat(f"/.trash/0/{name}")
            assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o640, 7, 8)
            t.truncate("/file", 5000)
            assert len(t.names("/.trash/0")) == 1, "longer is not shorter"


def test_not_truncated(t: Any) -> None:
    t.truncate("/dir/file", 0)
    assert not t.exists("/.trash")


# Any order of anything, against a model

STEPS = st.lists(st.tuples(st.sampled_from(("write", "unlink", "rename", "link", "restore", "empty")),
                           st.sampled_from("abc"), st.sampled_from("abc")), max_size=30)


@pytest.mark.long
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(STEPS)
def test_against_a_model(steps: list[tuple[str, str, str]]) -> None:
    """No content is lost but by emptying the bin: names lead to it, or it is in there under its last name."""
    with translator(TRASH) as t:
        names: dict[str, bytes] = {}
        kept: dict[bytes, str] = {}

        def gone(name: str) -> None:
            content = names.pop(name)
            if content not in names.values():
                kept[content] = name

        for number, (what, one, other) in enumerate(steps):
            if what == "write" and one not in names:
                names[one] = str(number).encode()
                t.write(f"/{one}", names[one])
            elif what == "unlink" and one in names:
                t.unlink(f"/{one}")
                gone(one)
            elif what == "rename" and one in names and one != other and names.get(other) != names[one]:
                t.rename(f"/{one}", f"/{other}")
                if other in names:
                    gone(other)
                names[other] = names.pop(one)
            elif what == "link" and one in names and other not in names:
                t.link(f"/{one}", f"/{other}")
                names[other] = names[one]
            elif what == "restore" and kept:
                content = min(kept)
                (entry,) = (name for name in t.names("/.trash/0") if t.read(f"/.trash/0/{name}") == content)
                try:
                    t.setxattr("/.trash/0", RESTORE, entry.encode())
                    assert kept[content] not in names
                    names[kept.pop(content)] = content
                except FileExistsError:
                    assert kept[content] in names
            elif what == "empty" and kept:
                for entry in t.names("/.trash/0"):
                    t.unlink(f"/.trash/0/{entry}")
                kept.clear()
        assert {name: t.read(f"/{name}") for name in t.names("/") if name != ".trash"} == names
        found = {t.read(f"/.trash/0/{name}"): name[:-37] for name in t.names("/.trash/0")} if t.exists("/.trash") else {}
        assert found == kept


# Through the kernel, over storage/posix


def as_user(uid: int, *command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], user=uid, group=uid, extra_groups=[], capture_output=True, text=True)


def through_the_kernel(top: Path) -> None:
    os.mkdir(top / "dir")
    os.chmod(top / "dir", 0o777)
    (top / "dir/file").write_bytes(b"data")
    os.chown(top / "dir/file", 1000, 1000)
    (top / "dir/new").write_bytes(b"new")
    assert as_user(1000, "rm", top / "dir/file").returncode == 0
    os.rename(top / "dir/new", top / "dir/other")
    folder = top / ".trash/1000"
    (entry,) = os.listdir(folder)
    assert (folder / entry).read_bytes() == b"data" and os.stat(folder).st_uid == 1000
    assert "Permission denied" in as_user(1001, "ls", folder).stderr
    assert as_user(1000, "ls", folder).stdout.strip() == entry
    code = "import os, sys; os.setxattr(sys.argv[1], 'user.trash.restore', sys.argv[2].encode())"
    assert as_user(1000, "python3", "-c", code, folder, entry).returncode == 0
    assert (top / "dir/file").read_bytes() == b"data" and os.listdir(folder) == []


USUAL = (r"Permission denied|Operation not permitted|remote operation failed",)


def test_on_a_mount() -> None:
    with Mount([layer("binned", "user/trash")], expected=USUAL) as mount:
        through_the_kernel(mount.path)


def test_on_a_brick() -> None:
    with volume([layer("acl", "features/access-control"), layer("binned", "user/trash")], [], *USUAL) as (_, mount):
        through_the_kernel(mount.path)


def test_issue_4188_a_brick_that_has_just_started_knows_no_paths() -> None:
    """The client knows the file, the brick has forgotten all: what was removed goes back to where it was."""
    brick = Brick([layer("binned", "user/trash")], expected=(*SERVER, *USUAL))
    with brick:
        with Mount([], bottom=[brick.client], brick=brick.directory, expected=(*CLIENT, *USUAL)) as mount:
            os.makedirs(mount.path / "a/b")
            (mount.path / "a/b/file").write_bytes(b"data")
            folder = os.open(mount.path / "a/b", os.O_RDONLY)
            os.stat("file", dir_fd=folder)
            restart(brick)
            wait_until(lambda: removed(folder), "the client to be connected again")
            os.close(folder)
            (entry,) = os.listdir(mount.path / ".trash/0")
            assert entry.startswith("file.")
            restart(brick)
            wait_until(lambda: restored(mount.path / ".trash/0", entry), "the client to be connected again")
            assert (mount.path / "a/b/file").read_bytes() == b"data"


def restart(brick: Brick) -> None:
    brick.process.kill()
    brick.process.wait()
    brick.process = subprocess.Popen(["glusterfsd", "-N", "-f", brick.volfile, "-l", brick.log], env=brick.environment,
                                     stderr=subprocess.DEVNULL)


def removed(folder: int) -> bool:
    try:
        os.unlink("file", dir_fd=folder)
    except OSError as error:
        assert error.errno == errno.ENOTCONN
        return False
    return True


def restored(folder: Path, entry: str) -> bool:
    try:
        os.setxattr(folder, RESTORE, entry.encode())
    except OSError as error:
        assert error.errno == errno.ENOTCONN
        return False
    return True


def test_names_in_the_bin_are_the_same_on_each_replica(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        with real_graph(TRASH, tmp_path / str(number), truncated=True) as t:
            gfid = Gfid("11111111-2222-3333-4444-555555555555")
            t.run(t.child.mknod(t.loc("/file"), 0o100644, 0, 0, {"gfid-req": gfid}))
            t.unlink("/file")
            found.append([t.names("/.trash/0"), t.loc("/.trash").inode.gfid, t.loc("/.trash/0").inode.gfid])
    assert found[0] == found[1]
