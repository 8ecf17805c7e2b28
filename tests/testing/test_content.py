"""glupy.Content, over the file system in memory: any mix of fops leaves what it leaves in a plain file."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import glupy
import pytest
from glupy import Content, ContentFile, Gfid, LoadError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BLOCK = 16


class Shifted(Content):
    """No secret, but whatever is decoded in the wrong place, file or length comes out wrong; and in each place there is a
    byte that becomes a zero."""

    block_size = BLOCK

    def shift(self, file: ContentFile, offset: int, data: bytes) -> int:
        assert offset % BLOCK == 0 and 0 < len(data) <= BLOCK and file.gfid
        return hash((str(file.gfid), offset, len(data))) % 255 + 1

    def encode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        shift = self.shift(file, offset, data)
        return bytes((byte + shift) % 256 for byte in data)

    def decode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        shift = self.shift(file, offset, data)
        return bytes((byte - shift) % 256 for byte in data)


class Marked(Shifted):
    mark = "trusted.shifted"

    def new_mark(self, gfid: Gfid) -> bytes:
        assert gfid
        return b"shifted"


@pytest.fixture(params=["client", "brick", "storage"])
def start(request: pytest.FixtureRequest, translator: Callable[..., Any]) -> Any:
    """Over memory, the same as on a brick, over storage/posix."""
    real = request.param == "storage"
    return partial(request.getfixturevalue("real_graph") if real else translator, brick=request.param == "brick")


@contextmanager
def raises(number: int) -> Iterator[None]:
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno == number


def stored(t: Any, path: str) -> bytes:
    content: bytes = (t.directory / path[1:]).read_bytes() if t.directory else t.stored(path)
    return content


# Any mix of fops, against a model

OFFSET, LENGTH = st.integers(0, 70), st.integers(1, 50)
STEP = st.one_of(
    st.tuples(st.sampled_from(("write", "write-only", "direct", "wound", "zeros", "zerofill", "discard", "fallocate", "keep")),
              OFFSET, LENGTH),
    st.tuples(st.sampled_from(("truncate", "ftruncate")), OFFSET, st.just(0)),
    st.tuples(st.sampled_from(("append", "append-wound")), st.just(0), LENGTH),
    st.tuples(st.just("copy"), OFFSET, LENGTH),
    st.tuples(st.sampled_from(("empty", "rename", "link")), st.just(0), st.just(0)),
)


class Model:
    """The same file, as it would be without the layer, and what is done to both."""

    def __init__(self, t: Any, path: str, brick: bool) -> None:
        self.t, self.path, self.brick = t, path, brick
        self.data = bytearray()
        self.count = 0
        t.create(path)

    def set(self, offset: int, data: bytes) -> None:
        self.data.extend(bytes(max(0, offset - len(self.data))))
        self.data[offset:offset + len(data)] = data

    def fresh(self, length: int) -> bytes:
        self.count += 1
        return bytes((self.count * 7 + at) % 256 for at in range(length))

    def write(self, offset: int, length: int, flags: int = os.O_RDWR, data: bytes | None = None) -> None:
        data = self.fresh(length) if data is None else data
        with self.t.open(self.path, flags) as file:
            if flags & os.O_APPEND:
                offset = len(self.data)
                file.write(data)
            else:
                file.write(data, offset)
        self.set(offset, data)

    def step(self, what: str, offset: int, length: int) -> None:
        getattr(self, "on_" + what.replace("-", "_"))(offset, length)
        assert self.t.read(self.path) == self.data, what
        assert self.t.stat(self.path).st_size == len(stored(self.t, self.path)) == len(self.data), what

    def on_write(self, offset: int, length: int) -> None:
        self.write(offset, length)

    def on_write_only(self, offset: int, length: int) -> None:
        self.write(offset, length, os.O_WRONLY)

    def on_direct(self, offset: int, length: int) -> None:
        self.write(offset, length, os.O_RDWR | os.O_DIRECT)

    def on_zeros(self, offset: int, length: int) -> None:
        self.write(offset, length, data=bytes(length))

    def on_append(self, offset: int, length: int) -> None:
        self.write(offset, length, os.O_WRONLY | os.O_APPEND)

    def on_append_wound(self, offset: int, length: int) -> None:
        data, size = self.fresh(length), len(self.data)
        reply = self.wind("writev", data, 3, 0, flags=os.O_RDWR | os.O_APPEND)
        self.check_sizes(reply, length, size, size + length)
        self.set(size, data)

    def on_wound(self, offset: int, length: int) -> None:
        data, size = self.fresh(length), len(self.data)
        reply = self.wind("writev", data, offset, 0)
        self.set(offset, data)
        self.check_sizes(reply, length, size, len(self.data))

    def on_truncate(self, offset: int, length: int) -> None:
        self.t.truncate(self.path, offset)
        self.resize(offset)

    def on_ftruncate(self, offset: int, length: int) -> None:
        size = len(self.data)
        reply = self.wind("ftruncate", offset)
        assert (reply.prebuf.ia_size, reply.postbuf.ia_size) == (size, offset)
        self.resize(offset)

    def on_zerofill(self, offset: int, length: int) -> None:
        reply = self.wind("zerofill", offset, length)
        self.set(offset, bytes(length))
        assert reply.postop_stbuf.ia_size == len(self.data)

    def on_discard(self, offset: int, length: int) -> None:
        reply = self.wind("discard", offset, length)
        self.set(min(offset, len(self.data)), bytes(max(0, min(length, len(self.data) - offset))))
        assert reply.postop_stbuf.ia_size == len(self.data)

    def on_fallocate(self, offset: int, length: int) -> None:
        reply = self.wind("fallocate", 0, offset, length)
        self.resize(max(offset + length, len(self.data)))
        assert reply.postop_stbuf.ia_size == len(self.data)

    def on_keep(self, offset: int, length: int) -> None:
        self.wind("fallocate", 1, offset, length)

    def on_copy(self, offset: int, length: int) -> None:
        """Within the file, from another place."""
        source = (offset * 3 + length) % 40
        data = bytes(self.data[source:source + length])
        fd = self.t.fd(self.path)
        reply = self.t.run(self.t.child.copy_file_range(fd, source, fd, offset, length, 0))
        assert reply.op_ret == len(data)
        if data:
            self.set(offset, data)
        assert reply.postbuf_dst.ia_size == len(self.data)

    def on_empty(self, offset: int, length: int) -> None:
        self.t.open(self.path, os.O_WRONLY | os.O_TRUNC).close()
        self.resize(0)

    def on_rename(self, offset: int, length: int) -> None:
        self.t.rename(self.path, "/renamed")
        self.path, before = "/renamed", self.path
        self.t.rename(self.path, before)
        self.path = before

    def on_link(self, offset: int, length: int) -> None:
        self.t.link(self.path, "/link")
        assert self.t.read("/link") == self.data
        self.t.unlink("/link")

    def resize(self, size: int) -> None:
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))

    def check_sizes(self, reply: Any, count: int, before: int, after: int) -> None:
        assert reply.op_ret == count
        if not self.brick:  # write-behind answers before it knows
            assert (reply.prebuf.ia_size, reply.postbuf.ia_size) == (before, after)

    def wind(self, fop: str, *arguments: Any, flags: int = os.O_RDWR) -> Any:
        fd = self.t.fd(self.path, flags)
        return self.t.run(getattr(self.t.child, fop)(fd, *arguments))


@pytest.mark.parametrize("kind", [Shifted, Marked])
def test_against_a_plain_file(start: Any, kind: type[Content]) -> None:
    number = itertools.count()
    with start(kind) as t:
        @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None, database=None)
        @given(st.lists(STEP, max_size=12))
        def any_mix(steps: list[tuple[str, int, int]]) -> None:
            model = Model(t, f"/file-{next(number)}", start.keywords["brick"])
            for step in steps:
                model.step(*step)
        any_mix()


def test_each_byte_alone(translator: Callable[..., Any]) -> None:
    """One of them is stored as a zero, which is what zeros are stored as."""
    with translator(Shifted) as t:
        for value in range(256):
            t.write("/file", bytes([value]))
            assert t.read("/file") == bytes([value])


# Several at once


def test_who_reads_waits_for_who_writes(translator: Callable[..., Any]) -> None:
    old, new = b"o" * 3 * BLOCK, b"n" * BLOCK
    with translator(Shifted) as t:
        t.write("/file", old)
        fd = t.fd("/file")
        read = t.child.readv
        hold = t.hold("writev")
        writing = t.start(t.run, t.child.writev(fd, new, 8, 0))
        hold.wait()
        first, last = (t.start(t.run, read(fd, BLOCK, offset, 0)) for offset in (0, 2 * BLOCK))
        assert bytes(last.result().data) == old[:BLOCK]
        assert not first.done and not writing.done
        hold.release()
        assert bytes(first.result().data) == b"o" * 8 + b"n" * 8
        writing.result()


@pytest.mark.parametrize("kind", [Shifted, Marked])
@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_block_at_once(translator: Callable[..., Any], kind: type[Content], seed: int) -> None:
    """Nothing that is written is lost, whoever else writes beside it, and whatever becomes longer meanwhile."""
    with translator(kind) as t:
        t.create("/file")
        t.truncate("/file", 100)
        fd, log = t.fd("/file"), t.fd("/file", os.O_WRONLY | os.O_APPEND)
        t.chaos(seed, errors=0)
        places = range(0, 100, 5)
        running = [t.start(t.run, t.child.writev(fd, bytes([place + 1]) * 5, place, 0)) for place in reversed(places)]
        running += [t.start(t.run, t.child.writev(log, b"\xff" * 5, 0, 0)) for _ in range(4)]
        reading = [t.start(t.run, t.child.readv(fd, 200, 0, 0)) for _ in range(4)]
        for each in running:
            each.result()
        wanted = b"".join(bytes([place + 1]) * 5 for place in places) + b"\xff" * 20
        for each in reading:
            assert all(byte in (0, right) for byte, right in zip(bytes(each.result().data), wanted))
        t.script()
        assert t.read("/file") == wanted


# What goes wrong


async def half(frame: Any, call: Any) -> Any:
    data = bytes(call["vector"])
    return await call.wind(vector=data[:len(data) // 2 + 1])


@pytest.mark.parametrize("below", ["translator", "real_graph"])
def test_a_write_that_fails_leaves_what_was_there(request: pytest.FixtureRequest, below: str) -> None:
    with request.getfixturevalue(below)(Shifted) as t:
        t.write("/file", b"content")
        before = stored(t, "/file")
        fd = t.fd("/file")
        ways: tuple[Any, ...] = (
            ("writev", b"more", 7, 0), ("writev", b"far", 100, 0), ("ftruncate", 50), ("ftruncate", 3),
            ("fallocate", 0, 9, 30))
        for (fop, *arguments), before_that in itertools.product(ways, ([], [None], [half])):
            t.script(writev=[*before_that, OSError(errno.ENOSPC, "")])
            if before_that == [None] and arguments[-2:] != [100, 0]:
                continue  # it takes one write only
            with raises(errno.ENOSPC):
                t.run(getattr(t.child, fop)(fd, *arguments))
            t.script()
            assert t.read("/file") == b"content" and stored(t, "/file") == before, fop


def test_a_write_that_ends_early_goes_on(translator: Callable[..., Any]) -> None:
    with translator(Shifted) as t:
        t.script(writev=[half, half])
        t.write("/file", b"content " * 10)
        assert t.read("/file") == b"content " * 10 and t.asked("writev") == 3


def test_reads_that_end_early_go_on(translator: Callable[..., Any]) -> None:
    async def less(frame: Any, call: Any) -> Any:
        return await call.wind(size=min(7, call["size"]))

    with translator(Shifted) as t:
        t.write("/file", b"content " * 10)
        t.script(readv=less)
        assert t.read("/file") == b"content " * 10
        with t.open("/file", os.O_RDWR) as file:
            file.write(b"CONTENT", 8)
        assert t.read("/file") == b"content CONTENT " + b"content " * 8


class Longer(Content):
    def encode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        return data + b"!"

    def decode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        return data[:-1]


def test_what_is_not_encoded_is_not_written(translator: Callable[..., Any]) -> None:
    """Not even if mistakes are to let calls go on."""
    with translator(Longer, on_error="pass", expect=["made 5 bytes of 4: a block keeps its length", "longer: "]) as t:
        t.create("/file")
        with t.open("/file", os.O_RDWR) as file, raises(errno.EIO):
            file.write(b"text")
        with raises(errno.EIO):
            t.run(t.child.put(t.loc("/put"), 0o644, 0, os.O_RDWR, b"text", 0, {}, t.new()))
        assert t.stored("/file") == b"" and t.stored("/put") == b""


def test_what_it_was_not_opened_for(translator: Callable[..., Any]) -> None:
    with translator(Shifted) as t:
        t.write("/file", b"content")
        for flags, wind in ((os.O_RDONLY, lambda fd: t.child.writev(fd, b"x", 0, 0)),
                            (os.O_RDONLY | os.O_APPEND, lambda fd: t.child.writev(fd, b"x", 0, 0)),
                            (os.O_RDONLY, lambda fd: t.child.zerofill(fd, 0, 3)),
                            (os.O_WRONLY, lambda fd: t.child.readv(fd, 3, 0, 0))):
            with raises(errno.EBADF):
                t.run(wind(t.fd("/file", flags)))
        assert t.read("/file") == b"content"


# Other ways to content


def test_content_with_a_lookup(start: Any) -> None:
    with start(Shifted) as t:
        t.write("/file", b"content")
        reply = t.run(t.child.lookup(t.loc("/file"), {"glusterfs.content": 4096}))
        assert "glusterfs.content" not in reply.xdata
        for refused in (partial(t.getxattr, "/", "glusterfs.file.file"), partial(t.setxattr, "/", "glusterfs.file.x", b"x")):
            with raises(errno.EOPNOTSUPP):
                refused()


def test_put(start: Any) -> None:
    with start(Marked) as t:
        for offset, name in ((0, "/one"), (21, "/two")):
            put = t.child.put(t.loc(name), 0o640, 0, os.O_RDWR, b"content " * 5, offset, {"user.x": b"y"}, t.new())
            assert t.run(put).buf.ia_size == offset + 40
            assert t.read(name) == bytes(offset) + b"content " * 5 and b"content" not in stored(t, name)
            assert t.run(t.child.getxattr(t.loc(name), "user.x")).dict == {"user.x": b"y"}


def test_copies_between_files(start: Any) -> None:
    with start(Marked) as t:
        t.write("/file", b"content " * 9)
        t.write("/copy", b"a" * 100)
        reply = t.run(t.child.copy_file_range(t.fd("/file"), 5, t.fd("/copy"), 3, 1000, 0))
        assert reply.op_ret == 67
        assert t.read("/copy") == b"aaa" + (b"content " * 9)[5:] + b"a" * 30
        t.run(t.child.copy_file_range(t.fd("/file"), 100, t.fd("/copy"), 200, 10, 0))
        assert t.stat("/copy").st_size == 100


def test_create_that_empties(translator: Callable[..., Any]) -> None:
    """Of a name that is there by now, as storage/posix does it."""
    with translator(Shifted, keeps=1) as t:
        t.write("/file", b"content")
        gfid = t.loc("/file").inode.gfid

        async def there(frame: Any, call: Any) -> Any:
            assert not call["flags"] & os.O_TRUNC
            fd, found = call["fd"], await t.translator.child.lookup(call["loc"])
            return glupy.CreateReply(fd, found.inode, found.buf, found.postparent, found.postparent)

        t.script(create=there)
        loc = t.loc("/file")
        fd = glupy.Fd.create(loc.inode, os.getpid())
        reply = t.run(t.child.create(loc, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644, 0, fd, t.new()))
        assert reply.buf.ia_gfid == gfid and reply.buf.ia_size == 0 and t.stored("/file") == b""


# Marks


def test_files_without_a_mark_stay_as_they_are(real_graph: Callable[..., Any], tmp_path: Any) -> None:
    (tmp_path / "old").write_bytes(b"in clear text, from before")
    with real_graph(Marked, tmp_path) as t:
        assert t.read("/old") == b"in clear text, from before"
        t.append("/old", b" and after")
        t.write("/new", b"in clear text, from before")
        assert stored(t, "/old") == b"in clear text, from before and after" and b"clear" not in stored(t, "/new")
        t.run(t.child.copy_file_range(t.fd("/old"), 0, t.fd("/new"), 0, 100, 0))
        assert t.read("/new") == b"in clear text, from before and after" and b"clear" not in stored(t, "/new")


def test_marks(start: Any) -> None:
    with start(Marked) as t:
        t.mknod("/file")
        t.setxattr("/file", "user.mine", b"yes")
        file, fd = t.loc("/file"), t.fd("/file")
        for listed in (t.child.getxattr(file, None), t.child.fgetxattr(fd, None)):
            names = t.run(listed).dict.keys()
            assert "user.mine" in names and "trusted.shifted" not in names
        assert t.run(t.child.getxattr(file, "trusted.shifted")).dict == {"trusted.shifted": b"shifted"}
        for refused in (partial(t.setxattr, "/file", "trusted.shifted", b"x"),
                        partial(t.removexattr, "/file", "trusted.shifted")):
            with raises(errno.EPERM):
                refused()
        t.mkdir("/folder")
        with raises(errno.ENODATA):
            t.getxattr("/folder", "trusted.shifted")


def test_what_an_author_has_to_define(translator: Callable[..., Any]) -> None:
    class Half(Content):
        def encode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
            return data

    with pytest.raises(LoadError, match=r"Half has to define `def decode\(self, file, offset, data\)`"), translator(Half):
        pass
    with pytest.raises(ValueError, match="Empty.block_size is 0: expected a number of bytes"):
        type("Empty", (Shifted,), {"block_size": 0})
