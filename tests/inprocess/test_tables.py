"""What a translator can do with a graph's inode table, over real files and over a table that a test fills."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import glupy
import pytest
from glupy import Buffer, Fd, Gfid, Iatt, IaType, Inode, Loc, ReadvReply
from support import gfapi
from support.graph import Graph
from support.volfiles import layer, posix
from support.waiting import wait_until

#: What storage/posix needs of this process, and what it says about its file system and about files that are missing.
HOST = layer("host", "glupytest/gfapihost")
USUAL = (r" 0-brick: ", r" 0-locks: ")


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    with Graph([layer("sink", "glupytest/sink")]) as graph:
        yield graph


@pytest.fixture(scope="module")
def table(graph: Graph) -> Any:
    return graph.probe.itable


def linked(table: Any, parent: Inode, name: str, kind: IaType = IaType.IFREG) -> Inode:
    """A new inode under that name, with a gfid of its own."""
    inode = table.new()
    return inode.link(parent, name, Iatt(ia_gfid=Gfid.random(), ia_type=kind))  # type: ignore[no-any-return]


def test_counts_of_a_table(table: Any) -> None:
    before = table.counts()
    assert sorted(before) == ["active", "invalidate", "lru", "purge"]
    held = [linked(table, table.root, f"counted{number}") for number in range(10)]
    assert table.counts()["active"] == before["active"] + 10
    assert isinstance(table.lru_limit, int)
    assert len(held) == 10


def test_a_table_is_itself(graph: Graph, table: Any) -> None:
    assert table == graph.probe.itable == table.root.table and not table != table.root.table
    assert table != 3
    assert repr(table).startswith("<InodeTable ")
    with pytest.raises(TypeError):
        hash(table)


def test_counts_of_an_inode(table: Any) -> None:
    inode = table.new()
    assert (inode.refs, inode.nlookup, inode.fd_count, inode.linked) == (1, 0, 0, False)
    other = inode.link(table.root, "refs", Iatt(ia_gfid=Gfid.random(), ia_type=IaType.IFREG))
    assert other == inode and inode.linked
    assert inode.refs == 2
    fd = Fd.create(inode)
    assert inode.refs == 3
    fd.bind()
    assert inode.fd_count == 1
    del other, fd
    wait_until(lambda: (inode.refs, inode.fd_count) == (1, 0), "what this thread gave up to be released")


def test_link_refuses(table: Any) -> None:
    """What GlusterFS calls a failed assertion, and some builds of it die of."""
    good = Iatt(ia_gfid=Gfid.random(), ia_type=IaType.IFREG)
    file = linked(table, table.root, "plain")
    for parent, name, buf, text in (
        (table.root, "name", Iatt(), "no ia_gfid"), (table.root, None, good, "a parent and a name"),
        (None, "name", good, "a parent and a name"), (file, "name", good, "not known as a directory"),
        (table.root, "", good, "no name"), (table.root, "a/b", good, "no name"),
    ):
        with pytest.raises(ValueError, match=text):
            table.new().link(parent, name, buf)
    directory = linked(table, table.root, "cycle", IaType.IFDIR)
    below = linked(table, directory, "below", IaType.IFDIR)
    with pytest.raises(OSError) as caught:
        directory.link(below, "above", Iatt(ia_gfid=directory.gfid, ia_type=IaType.IFDIR))
    assert caught.value.errno == errno.ELOOP
    with Graph([layer("sink", "glupytest/sink")]) as other:
        with pytest.raises(ValueError, match="another inode table"):
            table.new().link(other.probe.itable.root, "name", good)


def test_link_by_gfid_alone(table: Any) -> None:
    gfid = Gfid.random()
    inode = table.new().link(None, None, Iatt(ia_gfid=gfid, ia_type=IaType.IFREG))
    assert table.find(gfid) == inode
    assert inode.parent() is None
    assert inode.path() == f"<gfid:{gfid}>"


def test_path_of_an_inode_not_in_the_table(table: Any) -> None:
    """As of a file that is about to be made: there is none yet, and that is no error."""
    assert table.new().path() is table.new().path("name") is None


def test_from_inode(table: Any) -> None:
    directory = linked(table, table.root, "from", IaType.IFDIR)
    file = linked(table, directory, "inode")
    loc = Loc.from_inode(file)
    assert (loc.path, loc.name, loc.inode, loc.parent) == ("/from/inode", "inode", file, directory)
    assert (loc.gfid, loc.pargfid) == (file.gfid, directory.gfid)
    root = Loc.from_inode(table.root)
    assert (root.path, root.name, root.parent, root.gfid) == ("/", None, None, Gfid.root())
    fresh = table.new()
    loc = Loc.from_inode(fresh)
    assert (loc.path, loc.inode, loc.gfid) == (None, fresh, Gfid())
    with pytest.raises(TypeError, match="expected Inode"):
        Loc.from_inode(loc)


def test_child(table: Any) -> None:
    directory = linked(table, table.root, "parent", IaType.IFDIR)
    loc = Loc.from_inode(directory).child("new")
    assert (loc.path, loc.name, loc.parent, loc.pargfid) == ("/parent/new", "new", directory, directory.gfid)
    assert loc.inode is not None and not loc.inode.gfid and not loc.gfid
    nameless = Loc(inode=directory).child("new")
    assert (nameless.path, nameless.name, nameless.parent) == (None, "new", directory)
    assert nameless.replace(gfid=None).name == "new"
    for name in ("", "a/b", "/"):
        with pytest.raises(ValueError, match="no name of a directory entry"):
            loc.child(name)
    with pytest.raises(ValueError, match="has no inode"):
        Loc("/x").child("y")


def test_from_gfid(table: Any) -> None:
    file = linked(table, table.root, "known")
    assert Loc.from_gfid(table, file.gfid).path == "/known"
    assert Loc.from_gfid(table, str(file.gfid)).inode == file
    assert Loc.from_gfid(table, Gfid.root()).inode == table.root
    gfid = Gfid.random()
    loc = Loc.from_gfid(table, gfid)
    assert (loc.path, loc.name, loc.parent, loc.gfid) == (f"<gfid:{gfid}>", None, None, gfid)
    assert loc.inode is not None and not loc.inode.linked
    with pytest.raises(ValueError, match="null"):
        Loc.from_gfid(table, Gfid())


def test_less_than_came(table: Any) -> None:
    file, gfid = linked(table, table.root, "less"), Gfid.random()
    loc = glupy.nameless(file)
    assert (loc.path, loc.name, loc.parent, loc.inode, loc.gfid) == (None, None, None, file, file.gfid)
    assert glupy.nameless(table.new(), gfid).gfid == glupy.nameless(None, gfid).gfid == gfid
    for known in (Loc.from_inode(file), Loc("/less", parent=table.root, pargfid=Gfid.root())):
        loc = glupy.anew(known)
        assert (loc.path, loc.name, loc.parent, loc.pargfid) == ("/less", "less", table.root, Gfid.root())
        assert loc.inode is not None and loc.inode != file and not loc.gfid and not loc.inode.gfid
    with pytest.raises(ValueError, match="neither an inode nor a parent"):
        glupy.anew(Loc("/less"))


def test_from_path(table: Any) -> None:
    directory = linked(table, table.root, "walk", IaType.IFDIR)
    deep = linked(table, directory, "deep", IaType.IFDIR)
    file = linked(table, deep, "file")
    for path, inode, parent in (("/walk/deep/file", file, deep), ("/walk", directory, table.root)):
        loc = Loc.from_path(table, path)
        assert loc is not None
        assert (loc.path, loc.name, loc.inode, loc.parent) == (path, path.rsplit("/", 1)[1], inode, parent)
        assert (loc.gfid, loc.pargfid) == (inode.gfid, parent.gfid)
    loc = Loc.from_path(table, "/walk/deep/new")
    assert loc is not None and loc.inode is not None
    assert (loc.path, loc.name, loc.parent, loc.pargfid) == ("/walk/deep/new", "new", deep, deep.gfid)
    assert not loc.gfid and not loc.inode.linked
    assert Loc.from_path(table, "/walk/unknown/new") is None
    assert Loc.from_path(table, "/walk/unknown/new/deeper") is None
    assert Loc.from_path(table, "/" + "x" * 300 + "/y") is None
    root = Loc.from_path(table, "/")
    assert root is not None and root.inode == table.root


@pytest.mark.parametrize("path", ["", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/.", "/a/../b", "./a"])
def test_no_path(table: Any, path: str) -> None:
    with pytest.raises(ValueError, match="no path from the root"):
        Loc.from_path(table, path)


@pytest.mark.parametrize("path", ["/...", "/.a", "/a..", "/..a/b"])
def test_dots_in_names(table: Any, path: str) -> None:
    Loc.from_path(table, path)


def test_nothing_is_left_referenced() -> None:
    """A table in which everything was looked up in every way lets go of all of it."""
    with Graph([layer("sink", "glupytest/sink")]) as graph:
        table = graph.probe.itable
        directory = linked(table, table.root, "d", IaType.IFDIR)
        file = linked(table, directory, "f")
        # The wrappers' own references, and that of the name below the directory.
        wait_until(lambda: (directory.refs, file.refs) == (2, 1), "what linked() gave up to be released")
        for _ in range(20):
            Loc.from_inode(file)
            Loc.from_gfid(table, file.gfid)
            Loc.from_path(table, "/d/f")
            Loc.from_path(table, "/d/new")
            Loc.from_path(table, "/d/f/below")
            Loc.from_path(table, "/d/new/below")
            Loc.from_inode(directory).child("f", file)
        wait_until(lambda: (directory.refs, file.refs) == (2, 1), "what the loop gave up to be released")
        kept = [table, Loc.from_path(table, "/d/f"), Loc.from_inode(file), file]
        gfid, pargfid = file.gfid, directory.gfid
        del directory
    with pytest.raises(ReferenceError):
        kept[0].counts()
    with pytest.raises(ReferenceError):
        Loc.from_path(kept[0], "/d/f")
    with pytest.raises(ReferenceError):
        Loc.from_inode(kept[3])
    for look in (lambda: kept[1].inode, lambda: kept[2].parent, lambda: kept[1].replace(path="/"), lambda: kept[1].child("x")):
        with pytest.raises(ReferenceError):
            look()
    assert (kept[1].path, kept[1].gfid, kept[2].pargfid) == ("/d/f", gfid, pargfid)


@contextmanager
def over_files(folder: Path, *layers: Any) -> Iterator[Graph]:
    umask = os.umask(0)  # storage/posix sets its own for the whole process
    os.umask(umask)
    try:
        with Graph([*posix(folder), *layers, HOST], expected=USUAL) as graph:
            yield graph
    finally:
        os.umask(umask)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="glupy-test.", dir="/var/lib") as folder:
        yield Path(folder)


@pytest.fixture
def brick(folder: Path) -> Iterator[tuple[Graph, Path]]:
    with over_files(folder, layer("script", "user/scripted")) as graph:
        yield graph, folder


def test_finding_a_file_by_its_path(brick: tuple[Graph, Path]) -> None:
    """The table knows nothing of a path at first: it is looked up step by step, and linked."""
    graph, folder = brick
    (folder / "one/two").mkdir(parents=True)
    (folder / "one/two/three").write_bytes(b"content")
    child, table = graph.child, graph.probe.itable

    async def find(path: str) -> Loc:
        loc = Loc.from_inode(table.root)
        for name in path.strip("/").split("/"):
            loc = loc.child(name)
            reply = await child.lookup(loc, {"gfid-req": Gfid.random()})  # for files that were made past GlusterFS
            loc = Loc.from_inode(reply.inode.link(loc.parent, name, reply.buf))
        return loc

    assert Loc.from_path(table, "/one/two/three") is None
    loc = graph.run(find("/one/two/three"))
    again = Loc.from_path(table, "/one/two/three")
    assert again is not None
    assert loc.path == again.path == "/one/two/three" and loc.inode == again.inode
    assert graph.run(child.stat(again)).buf.ia_size == 7
    assert (folder / loc.gfid.handle).samefile(folder / "one/two/three")
    assert Gfid.from_handle(folder / loc.gfid.handle) == loc.gfid


def test_finding_a_file_by_its_gfid(folder: Path) -> None:
    """By a graph that has never seen the file."""
    with over_files(folder) as graph:
        gfapi.write(graph, "/by-gfid", b"content")
    gfid = Gfid(os.getxattr(folder / "by-gfid", "trusted.gfid"))
    with over_files(folder) as graph:
        child, table = graph.child, graph.probe.itable

        async def find(gfid: Gfid) -> Loc:
            loc = Loc.from_gfid(table, gfid)
            assert loc.inode is not None and not loc.inode.linked
            reply = await child.lookup(loc)
            return Loc.from_inode(reply.inode.link(None, None, reply.buf))

        loc = graph.run(find(gfid))
        assert loc.inode == table.find(gfid) and loc.path == f"<gfid:{gfid}>"
        assert graph.run(child.stat(loc)).buf.ia_size == 7
        with pytest.raises(OSError) as caught:
            graph.run(find(Gfid.random()))
        assert caught.value.errno in (errno.ENOENT, errno.ESTALE)
        del loc, caught


def test_data_that_a_translator_makes(brick: tuple[Graph, Path]) -> None:
    """Read by libgfapi: a part of a Buffer that was filled."""
    graph, folder = brick
    gfapi.write(graph, "/made", b"")
    source = folder / "source"
    source.write_bytes(bytes(range(251)) * 2000)

    async def serve(self: Any, name: str, frame: Any, *args: Any) -> Any:
        if name != "readv":
            return getattr(self.child, name)(*args)
        fd, size, offset, *_ = args
        buffer = Buffer.allocate(size)
        with source.open("rb") as file:
            count = os.preadv(file.fileno(), [buffer], offset)
        return ReadvReply(buffer.part(0, count), Iatt(ia_type=IaType.IFREG, ia_size=source.stat().st_size))

    graph.translator("script").answer = serve
    assert gfapi.read(graph, "/made") == source.read_bytes()


def test_a_made_buffer_is_written(brick: tuple[Graph, Path]) -> None:
    graph, folder = brick
    gfapi.write(graph, "/written", b"")
    loc = gfapi_loc(graph, "/written")

    async def work() -> None:
        buffer = Buffer.allocate(300_000)
        with memoryview(buffer) as view:
            view[:] = b"ab" * 150_000
        fd = Fd.create(loc.inode)
        await graph.child.open(loc, os.O_RDWR, fd)
        await graph.child.writev(fd, buffer, 0, 0)
        await graph.child.writev(fd, buffer.part(-1), 300_000, 0)

    graph.run(work())
    assert (folder / "written").read_bytes() == b"ab" * 150_000 + b"b"


def gfapi_loc(graph: Graph, path: str) -> Loc:
    """The Loc of a file that libgfapi has just used."""
    loc = Loc.from_path(graph.probe.itable, path)
    assert loc is not None and loc.inode is not None and loc.inode.linked
    return loc
