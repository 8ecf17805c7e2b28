"""Real files below a translator that intercepts every fop, in this process; what it did is looked at from outside."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from glupy import Buffer, Fd, Iatt, Loc, Xdata
from support import gfapi
from support.graph import Graph
from support.volfiles import layer, posix

#: What storage/posix and features/locks say about operations that fail on purpose, or about the file system.
USUAL = (r" 0-brick: ", r" 0-locks: ", r"0-gfapi: ")


class Brick:
    """A graph over a directory, and the directory."""

    def __init__(self, graph: Graph, path: Path) -> None:
        self.graph, self.path = graph, path


@pytest.fixture(scope="module", params=["awaited", "looked_into", "tail", "nothing"])
def brick(request: pytest.FixtureRequest) -> Iterator[Brick]:
    umask = os.umask(0)  # storage/posix sets its own for the whole process
    os.umask(umask)
    with tempfile.TemporaryDirectory(prefix="glupy-test.", dir="/var/lib") as folder:
        python = layer("python", "user/pass_all", how=request.param)
        layers = [*posix(folder), python, layer("host", "glupytest/gfapihost")]
        with Graph(layers, expected=USUAL) as graph:
            yield Brick(graph, Path(folder))
    os.umask(umask)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 131_072, 131_073, 5_000_000])
def test_content(brick: Brick, size: int) -> None:
    data = os.urandom(size)
    gfapi.write(brick.graph, f"/content{size}", data)
    assert (brick.path / f"content{size}").read_bytes() == data
    assert gfapi.read(brick.graph, f"/content{size}") == data
    mode = (brick.path / f"content{size}").stat().st_mode
    assert stat.S_ISREG(mode)
    assert stat.S_IMODE(mode) == 0o640


def test_what_others_have_written(brick: Brick) -> None:
    (brick.path / "outside").write_bytes(b"written from outside")
    assert gfapi.read(brick.graph, "/outside") == b"written from outside"


def test_names(brick: Brick) -> None:
    fs = brick.graph.fs
    gfapi.call("mkdir", fs, "/names", 0o755)
    gfapi.write(brick.graph, "/names/a", b"content")
    gfapi.call("rename", fs, "/names/a", "/names/b")
    gfapi.call("link", fs, "/names/b", "/names/c")
    gfapi.call("symlink", fs, "b", "/names/d")
    gfapi.call("truncate", fs, "/names/c", 3)
    gfapi.call("chmod", fs, "/names/c", 0o600)
    assert sorted(os.listdir(brick.path / "names")) == ["b", "c", "d"]
    assert (brick.path / "names/b").read_bytes() == b"con"
    assert (brick.path / "names/b").stat().st_mode & 0o777 == 0o600
    assert (brick.path / "names/b").stat().st_ino == (brick.path / "names/c").stat().st_ino
    assert os.readlink(brick.path / "names/d") == gfapi.readlink(brick.graph, "/names/d") == "b"
    for name in "bcd":
        gfapi.call("unlink", fs, f"/names/{name}")
    gfapi.call("rmdir", fs, "/names")
    assert not (brick.path / "names").exists()


def test_xattrs(brick: Brick) -> None:
    gfapi.write(brick.graph, "/xattrs", b"")
    for name, value in (("user.short", b"x"), ("user.binary", bytes(range(256))), ("user.long", b"y" * 2000)):
        gfapi.setxattr(brick.graph, "/xattrs", name, value)
        assert os.getxattr(brick.path / "xattrs", name) == value
        assert gfapi.getxattr(brick.graph, "/xattrs", name) == value
    gfapi.call("lremovexattr", brick.graph.fs, "/xattrs", "user.short")
    with pytest.raises(OSError) as caught:
        gfapi.getxattr(brick.graph, "/xattrs", "user.short")
    assert caught.value.errno == errno.ENODATA
    assert sorted(name for name in os.listxattr(brick.path / "xattrs") if name.startswith("user.")) == [
        "user.binary", "user.long",
    ]


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_directories(brick: Brick, count: int) -> None:
    gfapi.call("mkdir", brick.graph.fs, f"/directory{count}", 0o755)
    expected = [f"{'n' * (number % 200)}{number}" for number in range(count)]
    for name in expected:
        (brick.path / f"directory{count}" / name).touch()
    found = gfapi.names(brick.graph, f"/directory{count}")
    assert sorted(found) == sorted([".", "..", *expected])


@pytest.mark.parametrize(("name", "arguments", "number"), [
    ("open", ("/missing", os.O_RDONLY), errno.ENOENT), ("unlink", ("/missing",), errno.ENOENT),
    ("rmdir", ("/full",), errno.ENOTEMPTY), ("mkdir", ("/full", 0o755), errno.EEXIST),
    ("rename", ("/missing", "/other"), errno.ENOENT), ("open", ("/full/file/below", os.O_RDONLY), errno.ENOTDIR),
    ("lremovexattr", ("/full", "user.missing"), errno.ENODATA),
])
def test_failures(brick: Brick, name: str, arguments: tuple[object, ...], number: int) -> None:
    (brick.path / "full").mkdir(exist_ok=True)
    (brick.path / "full/file").touch()
    with pytest.raises(OSError) as caught:
        gfapi.call(name, brick.graph.fs, *arguments)
    assert caught.value.errno == number


def test_a_translators_own_operations(brick: Brick) -> None:
    """Everything built in Python, as a translator does in the background."""
    child, table = brick.graph.child, brick.graph.probe.itable

    async def work() -> bytes:
        root = table.root
        loc = Loc("/own", inode=table.new(), parent=root)
        fd = Fd.create(loc.inode, os.getpid())
        reply = await child.create(loc, os.O_RDWR, 0o600, 0, fd, {"gfid-req": os.urandom(16)})
        inode = reply.inode.link(root, "own", reply.buf)
        loc = loc.replace(inode=inode)
        await child.writev(fd, Buffer([b"some ", b"bytes"]), 0, 0)
        await child.fsetxattr(fd, Xdata({"user.own": b"value"}), 0)
        await child.setattr(loc, Iatt(ia_uid=12, ia_gid=34), 0x3 << 1)
        assert (await child.fgetxattr(fd, "user.own")).dict["user.own"] == b"value"
        assert (await child.stat(loc)).buf.ia_size == 10
        return bytes((await child.readv(fd, 100, 0, 0)).vector)

    assert brick.graph.run(work()) == b"some bytes"
    path = brick.path / "own"
    assert path.read_bytes() == b"some bytes"
    assert os.getxattr(path, "user.own") == b"value"
    assert (path.stat().st_uid, path.stat().st_gid) == (12, 34)
