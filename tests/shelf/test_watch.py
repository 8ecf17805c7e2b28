"""translators/watch: each change has its line, in order, whatever crashes or fills up."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count as numbers
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import control
from support.bricks import Brick
from support.feeds import FILE, fops, journal, lines, read, watch
from support.four_bricks import cluster
from support.graph import Graph
from support.mounts import Mount
from support.plain import differences
from support.volfiles import layer
from support.waiting import wait_until
from test_bricks import CLIENT, SERVER

import glupy
from glupy import Gfid, Loc
from glupy.command.feeds.files import Folder, folders
from glupy.command.feeds.record import LEAP, Record
from glupy.testing import translator

pytestmark = pytest.mark.once

HEAL = -6


@contextmanager
def replaced(module: Any, **values: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(module, name, value)
        yield


# What is in a feed


@pytest.mark.parametrize("brick", [False, True])
def test_what_a_line_says(brick: bool, tmp_path: Path) -> None:
    with translator(FILE, directory=tmp_path, brick=brick) as t:
        t.mkdir("/dir", 0o750)
        t.user(0, 1001, pid=4711).write("/dir/file", b"data")
        t.rename("/dir/file", "/dir/other")
        t.chmod("/dir/other", 0o600)
        t.setxattr("/dir/other", "user.colour", b"red")
        t.read("/dir/other")
        with pytest.raises(FileNotFoundError):
            t.unlink("/dir/none")
        t.unlink("/dir/other")
        root, made = str(t.root.gfid), str(t.loc("/dir").gfid)
    found = lines(tmp_path)
    assert [line["fop"] for line in found] == ["mkdir", "create", "writev", "flush", "rename", "setattr", "setxattr", "unlink"]
    mkdir, create, write, flush, rename, setattr_, setxattr, unlink = found
    assert [line["seq"] for line in found] == list(range(1, 9))
    assert (mkdir["parent"], mkdir["name"], mkdir["gfid"], mkdir["mode"]) == (root, "dir", made, "0750")
    assert (create["parent"], create["name"], create["pid"]) == (made, "file", 4711)
    assert (write["offset"], write["size"]) == (0, 4)
    assert (rename["name"], rename["newparent"], rename["newname"]) == ("file", made, "other")
    assert setattr_["mode"] == "0600" and setxattr["names"] == ["user.colour"]
    assert {line["gfid"] for line in found[1:]} == {create["gfid"]} and unlink["name"] == "other"
    if brick:
        assert {line["host"] for line in found} == {"test"}
    else:
        assert (create["path"], create["gid"], rename["newpath"]) == ("/dir/file", 1001, "/dir/other")
        assert not any("host" in line for line in found)


def test_a_path_is_asked_for_where_the_brick_knows_none(real_graph: Any, tmp_path: Path) -> None:
    with real_graph(FILE, directory=tmp_path, brick=True) as t:
        t.mkdir("/one")
        t.mkdir("/one/two")
        t.write("/one/two/file", b"data")
        t.rename("/one", "/other")
        t.chmod("/other/two/file", 0o600)
        t.unlink("/other/two/file")
    found = lines(tmp_path)
    old, new = "/one/two/file", "/other/two/file"
    assert [line["path"] for line in found] == ["/one", "/one/two", old, old, old, "/one", new, new]
    assert found[5]["newpath"] == "/other"


@pytest.mark.parametrize("shown", [False, True])
def test_what_glusterfs_does_by_itself(shown: bool, real_graph: Any, tmp_path: Path) -> None:
    with real_graph(FILE, directory=tmp_path, internal=shown) as t:
        t.write("/file", b"")
        loc = t.loc("/file")
        buf = t.run(t.child.stat(loc)).buf
        t.run(t.child.setattr(loc, buf, 1), pid=HEAL)
        t.run(t.child.mknod(t.loc("/link"), 0o101000, 0, 0, {**t.new(), "trusted.glusterfs.dht.linkto": b"other"}))
        t.run(t.child.setxattr(loc, {"trusted.glusterfs.dht": b"layout"}, 0))
        t.run(t.child.xattrop(loc, 0, {"trusted.afr.dirty": bytes(12)}))
        t.run(t.child.setattr(loc, buf, 1))
    found = lines(tmp_path)
    own = ["setattr", "mknod", "setxattr", "xattrop"] if shown else []
    assert [line["fop"] for line in found] == ["create", "flush", *own, "setattr"]
    assert [line["fop"] for line in found if line.get("internal")] == own
    assert len(watch(tmp_path, "--from", "start")) == 3
    assert len(watch(tmp_path, "--from", "start", "--internal")) == 3 + len(own)


def test_an_open_file(tmp_path: Path) -> None:
    """One that was not changed has no flush; with `writes first` one write is as good as many."""
    with translator(FILE, directory=tmp_path, writes="first") as t:
        t.write("/file", b"data")
        with t.open("/file", os.O_RDWR) as file:
            file.read(4)
        with t.open("/file", os.O_RDWR) as file:
            for _ in range(5):
                file.write(b"more")
    assert fops(tmp_path) == ["create", "writev", "flush", "writev", "flush"]


def test_every_fop_that_changes_has_a_line(tmp_path: Path) -> None:
    """With arguments of every type, and null ones; and none is answered otherwise than without the layer."""
    with Graph([layer("sink", "glupytest/sink", xdata="on"),
                layer("watch", "user/watch", directory=tmp_path, internal="on")]) as graph:
        assert set(graph.run(differences(graph))) == {"compound"}  # for which GlusterFS has no default
    assert glupy.CHANGING <= set(fops(tmp_path)) <= glupy.CHANGING | {"open", "flush"}


def test_loaded_anew_and_set_anew(tmp_path: Path) -> None:
    """The file's next version goes on in the same feed, and the one that was replaced does not end it."""
    with Graph([layer("sink", "glupytest/sink"), layer("control", "glupytest/control"),
                layer("watch", "user/watch", directory=tmp_path)]) as graph:
        root = Loc.from_inode(graph.probe.itable.root)
        for options in ({}, {"reload": 1}, {"reload": 2, "size": 2048}, {"reload": 2, "writes": "first"}):
            control.reconfigure(graph, "watch", {"directory": tmp_path, **options})
            graph.run(graph.child.mkdir(root.child("name"), 0o755, 0, {"gfid-req": Gfid.random()}))
    assert len(folders(tmp_path)) == 1 and [line["seq"] for line in lines(tmp_path)] == [1, 2, 3, 4]


def test_names_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n\"" + b"\xfe" * 200)
    with translator(FILE, directory=tmp_path) as t:
        t.mkdir(f"/{name}")
        t.rename(f"/{name}", f"/{name[:-1]}x")
    assert [line["name"] for line in lines(tmp_path)] == [name, name]


# The journal: files, crashes, disks


def killed(top: Path, name: str) -> Path:
    """The folder as a process that was killed just now would leave it."""
    return Path(shutil.copytree(top / "feed", top / name))


def test_it_goes_on(tmp_path: Path) -> None:
    for number in range(3):
        with journal(tmp_path / "feed") as made:
            assert made.append(b'"fop": "any"}') == number + 1
    assert [record.seq for record in read(tmp_path / "feed")] == [1, 2, 3]


def test_many_at_once(tmp_path: Path) -> None:
    with journal(tmp_path / "feed", size=2000) as made:
        def work() -> None:
            for _ in range(100):
                made.append(b'"fop": "any"}')
                made.flush()
        workers = [threading.Thread(target=work) for _ in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert made.synced == 500
    assert [record.seq for record in read(tmp_path / "feed")] == list(range(1, 501))


def test_nobody_else_looks_into_it(tmp_path: Path) -> None:
    """A brick's process has no umask."""
    before = os.umask(0)
    try:
        with journal(tmp_path / "top/feed"):
            modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "top").rglob("*")}
            assert modes == {0o600, 0o700} and (tmp_path / "top").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_a_process_that_was_killed(tmp_path: Path) -> None:
    """What is answered is there, and what had begun is uncertain, once; numbers go on without a gap."""
    with journal(tmp_path / "feed") as made:
        made.append(b'"fop": "done"}')
        made.pending.end(made.pending.begin(b'"fop": "refused"}'))
        made.pending.begin(b'"fop": "begun"}')
        copy = killed(tmp_path, "copy")
        for _ in range(2):
            with journal(copy) as other:
                other.append(b'"fop": "later"}')
    assert [record.seq for record in read(copy)] == [1, 2, 3, 4]
    assert [record.data["fop"] for record in read(copy)] == ["done", "begun", "later", "later"]
    assert [record.data.get("uncertain") for record in read(copy)] == [None, True, None, None]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_tail_cut_at_any_byte(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As after a crash of the machine: what is whole stays, what comes has numbers that nobody has seen, and it is said."""
    top = tmp_path_factory.mktemp("cut")
    with journal(top / "feed") as made:
        count = data.draw(st.integers(1, 30))
        for number in range(count):
            made.append(b'"fop": "n%d"}' % number)
        copy = killed(top, "copy")
        last = max(copy.glob("*.feed"))
        content = last.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        last.write_bytes(content[:cut] + data.draw(st.sampled_from([b"", b"\0" * 50, b"x\n", b'{"seq": 7}\n'])))
        (copy / "state").write_text("another boot")
        with journal(copy) as other:
            other.append(b'"fop": "later"}')
    found = read(copy)
    kept = content[:cut].count(b"\n") + sum(file.read_bytes().count(b"\n") for file in (top / "feed").glob("*.feed")
                                             if file.name != last.name)
    assert [record.data.get("fop") for record in found[:-2]] == [f"n{number}" for number in range(kept)]
    assert found[-2].data["crash"] and found[-2].seq == LEAP and found[-1].data["fop"] == "later"
    assert [record.seq for record in read(copy, count)] == [LEAP, LEAP + 1], "whoever had read all before misses nothing"


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_cursor_resumes_anywhere(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """However a reader is interrupted, and whatever goes meanwhile: each line once, or a line that says which are gone."""
    top = tmp_path_factory.mktemp("resume")
    with journal(top / "feed", size=300, keep=data.draw(st.sampled_from([900, 10**6]))) as made:
        made.append(b'"fop": "n1"}')
        found: list[Record] = []
        written = 1
        for _ in range(data.draw(st.integers(1, 6))):
            for _ in range(data.draw(st.integers(0, 20))):
                written = made.append(b'"fop": "n%d"}' % (written + 1))
            found += read(top / "feed", found[-1].seq if found else 0)[:data.draw(st.integers(1, 30))]
        found += read(top / "feed", found[-1].seq if found else 0)
    told = []
    for record in found:
        first, last = record.data.get("missing", (record.seq, record.seq))
        told += range(first, last + 1)
        assert "missing" in record.data or record.data["fop"] == f"n{record.seq}"
    assert told == list(range(1, written + 1))


def test_a_reader_that_follows(tmp_path: Path) -> None:
    """It sees each line once it is whole, goes from file to file, and is told of what went before it came."""
    with journal(tmp_path / "feed", size=200, keep=600) as made:
        feed, seen = Folder(tmp_path / "feed", 0), []
        for number in range(1, 20):
            made.append(b'"fop": "any"}')
            seen += [record.seq for record in feed.more()]
            assert seen[-1] == number and feed.more() == []
        with open(max((tmp_path / "feed").glob("*.feed")), "ab") as file:
            file.write(b'{"seq": 20, "ti')
        assert feed.more() == []
        for _ in range(20):
            made.append(b'"fop": "any"}')
        first = feed.more()[0]
        assert first.data["missing"][0] <= 21 and len([*(tmp_path / "feed").glob("*.feed")]) <= 4


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """No half lines; what is missing is counted where it is missing; and the volume works."""
    said = ["changes are not in the feed: .*No space left", "1 changes are missing in the feed"]
    with translator(FILE, directory=tmp_path, expect=said) as t:
        t.mkdir("/one")
        module = sys.modules[type(t.translator).__module__]
        real = os.write
        with replaced(module.os, write=lambda file, data: real(file, data[:len(data) // 2])):
            t.mkdir("/two")
            t.mkdir("/three")
        t.mkdir("/four")
    assert [line.get("name") or line.get("lost") for line in lines(tmp_path)] == ["one", 2, "four"]
    assert [line["seq"] for line in lines(tmp_path)] == [1, 2, 3]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = "changes are not in the feed: .*(Not a directory|File exists)"
    with translator(FILE, directory=tmp_path / "file", expect=[said]) as t:
        t.mkdir("/one")
        (tmp_path / "file").unlink()
        t.clock.advance(20)
        t.mkdir("/two")
        t.mkdir("/three")
    assert [line.get("name") or line.get("lost") for line in lines(tmp_path)] == [1, "two", "three"]


def test_a_record_is_on_the_disk_before_the_answer(tmp_path: Path) -> None:
    with translator(FILE, directory=tmp_path, sync=True) as t:
        t.mkdir("/one")
        assert t.translator.feed.synced == 1
        order: list[str] = []
        module = sys.modules[type(t.translator).__module__]
        with replaced(module.os, fdatasync=lambda file: order.append("disk")):
            t.mkdir("/two")
            order.append("answer")
        assert order == ["disk", "answer"]


def test_two_that_would_write_to_one_folder(tmp_path: Path) -> None:
    with translator(FILE, directory=tmp_path) as one, translator(FILE, directory=tmp_path) as two:
        one.mkdir("/one")
        two.mkdir("/two")
        assert len(folders(tmp_path)) == 2
    assert sorted(line["name"] for line in watch(tmp_path, "--from", "start")) == ["one", "two"]


# On volumes


@pytest.mark.parametrize(("count", "joined"), [
    (2, layer("joined", "cluster/replicate", subvolumes="watch0 watch1", afr_pending_xattr="pending0,pending1")),
    (3, layer("joined", "cluster/disperse", subvolumes="watch0 watch1 watch2", redundancy=1)),
], ids=["replicate", "disperse"])
def test_bricks_that_have_the_same(count: int, joined: Any, trusted: Path) -> None:
    """Several bricks in the process of a mount: each has each change, and together they have it once."""
    layers: list[Any] = []
    for number in range(count):
        (trusted / f"brick{number}").mkdir()
        layers += [layer(f"posix{number}", "storage/posix", directory=trusted / f"brick{number}", subvolumes=""),
                   layer(f"locks{number}", "features/locks"),
                   layer(f"watch{number}", "user/watch", directory=trusted / "feeds")]
    with Mount([joined], bottom=layers, expected=(*CLIENT, " 0-joined: ")) as mount:
        (mount.path / "dir").mkdir()
        for number in range(3):
            (mount.path / "dir/file").write_bytes(b"data%d" % number)
        (mount.path / "dir/file").rename(mount.path / "dir/other")
        os.setxattr(mount.path / "dir/other", "user.colour", b"red")
        (mount.path / "dir/other").unlink()
        wait_until(lambda: fops(trusted).count("unlink") == count, "all")
        each = [[line["fop"] for line in lines(folder)] for folder in folders(trusted / "feeds")]
        merged = [line["fop"] for line in watch(trusted / "feeds", "--from", "start")]
    assert each == [merged] * count, "each change once"
    assert merged[0] == "mkdir" and merged[-3:] == ["rename", "setxattr", "unlink"] and merged.count("writev") == 3


def test_a_volume_of_four_bricks(trusted: Path) -> None:
    """Distributed and replicated, through a mount: each change once."""
    side = [layer("acl", "features/access-control"), layer("watch", "user/watch", directory=trusted)]
    with cluster(side, [], on_brick=SERVER, on_client=CLIENT) as (bricks, mount):
        (mount.path / "dir").mkdir()
        for number in range(8):
            (mount.path / f"dir/file{number}").write_bytes(b"data")
        for number in range(8):
            (mount.path / f"dir/file{number}").rename(mount.path / f"dir/new{number}")
            (mount.path / f"dir/new{number}").unlink()
        (mount.path / "dir").rmdir()
        wait_until(lambda: len([each for each in lines(trusted) if each["fop"] == "rmdir"]) == 4, "all bricks")
        found = watch(trusted, "--from", "start")
        assert len(folders(trusted)) == 4 and {line["client"] for line in found if "client" in line}
    names = {fop: sorted(line["path"] for line in found if line["fop"] == fop) for fop in fops(trusted)}
    assert names["mkdir"] == names["rmdir"] == ["/dir"]
    assert names["create"] == [f"/dir/file{number}" for number in range(8)]
    assert names["rename"] == names["create"] and names["unlink"] == [f"/dir/new{number}" for number in range(8)]
    assert [line["path"] for line in found if line["fop"] == "writev"] == names["create"]


def test_a_brick_that_is_killed(trusted: Path) -> None:
    """What an application has the answer to is in the feed; what it has not, is there as uncertain or was not begun."""
    answered: list[str] = []
    with (
        Brick([layer("watch", "user/watch", directory=trusted)], expected=SERVER, ends=(-9,)) as brick,
        Mount(bottom=[brick.client], expected=CLIENT, ends=(0, 15, -9)) as mount,
    ):
        def work() -> None:
            with suppress(OSError):
                for number in numbers():
                    (mount.path / f"dir{number}").mkdir()
                    answered.append(f"dir{number}")
        worker = threading.Thread(target=work)
        worker.start()
        wait_until(lambda: len(answered) > 100, "some work")
        brick.process.kill()
        worker.join()
        assert mount.process
        mount.process.kill()  # a client whose brick is gone takes its time to end
    (folder,) = folders(trusted)
    with journal(folder):
        pass
    names = [line["name"] for line in lines(folder)]
    assert set(answered) <= set(names) and len(names) <= len(answered) + 2
