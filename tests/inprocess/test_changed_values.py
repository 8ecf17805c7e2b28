"""What a translator changes of a call or a reply reaches whom it is given to, and nobody else."""

from __future__ import annotations

import errno
from typing import Any

import glupy
import pytest
from glupy import Buffer, Dirent, Dirents, Fd, Flock, Iatt, Loc, Xdata
from support import calls
from support.graph import Graph
from support.plain import plain
from support.volfiles import layer


#: What the log has of a reply that is longer than what was asked for.
CUT = r" 0-upper: upper: \w+ of '[^']*' is answered with "


class Stack:
    """Two scripted layers over a sink, or over a child that answers later; the upper one is called from C."""

    def __init__(self, child: str = "sink") -> None:
        layers = [layer("sink", "glupytest/sink", xdata="on")]
        if child == "thread":
            layers.append(layer("chaos", "glupytest/chaos", thread=100))
        layers += [layer("lower", "user/scripted"), layer("upper", "user/scripted")]
        self.graph = Graph([*layers, layer("caller", "glupytest/onstack", stack="pthread")], expected=("on purpose", CUT))

    def __enter__(self) -> Stack:
        self.graph.__enter__()
        self.upper, self.lower = self.graph.translator("upper"), self.graph.translator("lower")
        self.child, self.table = self.graph.child, self.graph.probe.itable
        self.seen: list[Any] = []

        def look(_: Any, name: str, frame: Any, *args: Any) -> None:
            self.seen.append([said(value) for value in args])

        self.lower.answer = look
        return self

    def __exit__(self, *args: Any) -> None:
        self.upper.answer = self.lower.answer = None
        self.seen.clear()
        del self.upper, self.lower, self.child, self.table
        self.graph.__exit__(*args)

    @property
    def loc(self) -> Loc:
        return calls.loc_of(self.table, "file")

    @property
    def fd(self) -> Fd:
        return Fd.create(calls.linked(self.table, "file", calls.FILE), 1)

    def run(self, coroutine: Any) -> Any:
        return self.graph.run(coroutine)


def said(value: Any) -> Any:
    """As plain values, copied."""
    if isinstance(value, (Iatt, Flock)):
        return value.replace()
    return value.path if isinstance(value, Loc) else plain(value)


CHILDREN = pytest.mark.parametrize("child", ["sink", "thread"])
HOW = pytest.mark.parametrize("how", ["tail", "awaited", "after a wind"])


def forwarding(how: str, change: Any) -> Any:
    """An answer that changes the arguments in place and hands them on."""

    def tail(self: Any, name: str, frame: Any, *args: Any) -> Any:
        return getattr(self.child, name)(*change(*args))

    async def awaited(self: Any, name: str, frame: Any, *args: Any) -> Any:
        if how == "after a wind":
            await self.child.children[0].ipc(1)
        return await getattr(self.child, name)(*change(*args))

    return tail if how == "tail" else awaited


@CHILDREN
@HOW
def test_xdata_of_a_call(child: str, how: str) -> None:
    def change(loc: Loc, xdata: Any) -> Any:
        xdata["added"] = "x" * 1000
        xdata["asked"] = 2
        return loc, xdata

    with Stack(child) as stack:
        stack.upper.answer = forwarding(how, change)

        async def work() -> Any:
            xdata = Xdata(asked=1)
            await stack.child.stat(stack.loc, xdata)
            return dict(xdata)

        for _ in range(50):
            assert stack.run(work()) == {"asked": 1}
        assert stack.seen == [["/file", {"asked": 2, "added": "x" * 1000}]] * 50


@CHILDREN
@HOW
def test_records_of_a_call(child: str, how: str) -> None:
    """Iatt and Flock: mutable, and in the caller's memory at first."""

    def change(*args: Any) -> Any:
        for value in args:
            if isinstance(value, Iatt):
                value.ia_uid = 4711
            if isinstance(value, Flock):
                value.l_start = 4711
        return args

    with Stack(child) as stack:
        stack.upper.answer = forwarding(how, change)

        async def work() -> Any:
            stbuf, flock = Iatt(ia_uid=1, ia_gid=2), Flock(l_start=1, l_len=2)
            await stack.child.setattr(stack.loc, stbuf, 7)
            reply = await stack.child.lk(stack.fd, 6, flock)
            return stbuf.ia_uid, flock.l_start, reply.flock.l_start

        for _ in range(20):
            assert stack.run(work()) == (1, 1, 4711)
            assert stack.seen[0][1] == Iatt(ia_uid=4711, ia_gid=2)
            assert stack.seen[1][2] == Flock(l_start=4711, l_len=2)
            stack.seen.clear()


@CHILDREN
@HOW
def test_other_arguments_of_a_call(child: str, how: str) -> None:
    def change(*args: Any) -> Any:
        first = args[0]
        if isinstance(first, Loc):
            return first.replace(path="/other", inode=first.inode), *args[1:]
        if isinstance(args[1], Buffer):
            return first, b"replaced " * 5000, 10, *args[3:]
        return first, "user.renamed", *args[2:]

    with Stack(child) as stack:
        stack.upper.answer = forwarding(how, change)

        async def work() -> Any:
            await stack.child.stat(stack.loc)
            reply = await stack.child.writev(stack.fd, b"short", 0, 0)
            await stack.child.fgetxattr(stack.fd, "user.x")
            return reply.op_ret

        for _ in range(20):
            assert stack.run(work()) == len(b"short")
            stat, writev, getxattr = stack.seen
            assert stat[0] == "/other"
            assert writev[1:3] == [b"replaced " * 5000, 10]
            assert getxattr[1] == "user.renamed"
            stack.seen.clear()


@CHILDREN
def test_none_means_unchanged(child: str) -> None:
    def answer(self: Any, name: str, frame: Any, loc: Loc, xdata: Any) -> None:
        xdata["added"] = 1

    with Stack(child) as stack:
        stack.upper.answer = answer

        async def work() -> Any:
            xdata = Xdata(asked=1)
            await stack.child.stat(stack.loc, xdata)
            return dict(xdata)

        assert stack.run(work()) == {"asked": 1}
        assert stack.seen == [["/file", {"asked": 1}]]


@CHILDREN
def test_xdata_changed_between_and_during_winds(child: str) -> None:
    with Stack(child) as stack:

        async def answer(self: Any, name: str, frame: Any, loc: Loc, xdata: Any) -> Any:
            async def number(value: int) -> Any:
                xdata["number"] = value
                return await self.child.stat(loc, xdata)

            await glupy.gather(number(1), number(2), self.child.stat(loc, xdata), number(3))
            del xdata["number"]
            return await self.child.stat(loc, xdata)

        stack.upper.answer = answer

        async def work() -> Any:
            xdata = Xdata(asked=1)
            await stack.child.stat(stack.loc, xdata)
            return dict(xdata)

        for _ in range(20):
            assert stack.run(work()) == {"asked": 1}
            assert sorted(xdata.get("number", 0) for _, xdata in stack.seen[:-1]) in ([1, 2, 2, 3], [1, 2, 3, 3])
            assert stack.seen[-1][1] == {"asked": 1}
            stack.seen.clear()


@CHILDREN
def test_xdata_of_a_reply(child: str) -> None:
    """The lower layer keeps its reply and answers with it again."""
    with Stack(child) as stack:
        cache: list[Any] = []

        async def below(self: Any, name: str, frame: Any, *args: Any) -> Any:
            if not cache:
                cache.append(await self.child.stat(*args))
            return cache[0]

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            reply = await self.child.stat(*args)
            assert dict(reply.xdata) == {"sink": "stat"}
            reply.xdata["added"] = 1
            reply.buf.ia_size = 5
            return reply

        stack.lower.answer, stack.upper.answer = below, answer

        async def work() -> Any:
            reply = await stack.child.stat(stack.loc)
            return reply.buf.ia_size, dict(reply.xdata)

        for _ in range(3):
            assert stack.run(work()) == (5, {"sink": "stat", "added": 1})
        assert cache[0].buf.ia_size == 1 << 20
        assert dict(cache[0].xdata) == {"sink": "stat"}
        cache.clear()


@CHILDREN
def test_entries_of_a_directory(child: str) -> None:
    """Removed, renamed, added, moved: the caller sees the new list, its length, and the inodes that are left."""
    with Stack(child) as stack:

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            reply = await self.child.readdirp(*args)
            entries = reply.entries
            entries.remove("..")
            del entries[0]
            entries[0].d_name = "renamed, and longer than before"
            entries[1].d_stat.ia_size = 77
            inode = calls.linked(self.itable, "added", calls.FILE)
            entries.append(Dirent("added", d_off=9, d_type=8, d_stat=Iatt(ia_type=1), inode=inode))
            entries.insert(0, entries.pop())
            return reply

        stack.upper.answer = answer

        async def work() -> Any:
            reply = await stack.child.readdirp(Fd.create(stack.table.root, 1), 4096, 0)
            sizes = [entry.d_stat.ia_size for entry in reply.entries]
            return reply.op_ret, [entry.d_name for entry in reply.entries], sizes, all(e.inode for e in reply.entries)

        names = ["added", "renamed, and longer than before", "b", "dir", "link"]
        for _ in range(20):
            size = 1 << 20
            assert stack.run(work()) == (5, names, [0, size, 77, size, size], True)


def test_entries_that_go_to_another_reply() -> None:
    with Stack() as stack:

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            first, second = await glupy.gather(self.child.readdirp(*args), self.child.readdirp(*args))
            entries = Dirents([*first.entries, *second.entries])
            entries.extend(first.entries)
            return glupy.ReaddirpReply(entries=entries)

        stack.upper.answer = answer

        async def work() -> Any:
            reply = await stack.child.readdirp(Fd.create(stack.table.root, 1), 4096, 0)
            return reply.op_ret, [entry.d_name for entry in reply.entries]

        assert stack.run(work()) == (18, [".", "..", "a", "b", "dir", "link"] * 3)


@CHILDREN
def test_payload_of_a_reply(child: str) -> None:
    with Stack(child) as stack:

        async def answer(self: Any, name: str, frame: Any, fd: Any, size: int, offset: int, *args: Any) -> Any:
            reply = await self.child.readv(fd, size, offset, *args)
            match offset:
                case 0:
                    return reply.replace(vector=bytes(reply.vector).upper())
                case 1:
                    reply.vector = Buffer([b"ab", memoryview(b"cd"), reply.vector])
                    return reply
                case 2:
                    return reply.replace(data=reply.vector)
                case 3:
                    return glupy.ReadvReply(b"")
            return glupy.ReadvReply(reply.data)

        stack.upper.answer = answer

        async def work() -> Any:
            replies = [await stack.child.readv(stack.fd, 10_000, offset, 0) for offset in range(5)]
            return [(reply.op_ret, bytes(reply.vector)) for reply in replies]

        raw = [bytes((offset + number) % 251 for number in range(10_000)) for offset in range(5)]
        expected = [raw[0].upper(), (b"abcd" + raw[1])[:10_000], raw[2], b"", raw[4]]
        for _ in range(10):
            assert stack.run(work()) == [(len(data), data) for data in expected]


def test_op_ret_follows_the_data_and_nothing_lies_about_it() -> None:
    """fuse's readlink writes behind as many bytes as op_ret says."""
    with Stack() as stack:
        stack.upper.answer = lambda self, name, *args: (
            glupy.ReadlinkReply("four", op_ret=4000) if name == "readlink" else glupy.ReadvReply(b"data", op_ret=1000)
        )

        async def work() -> Any:
            first, second = await stack.child.readlink(stack.loc, 4096), await stack.child.readv(stack.fd, 10, 0, 0)
            return (first.op_ret, first.path), (second.op_ret, bytes(second.vector))

        assert stack.run(work()) == ((4, "four"), (4, b"data"))


@CHILDREN
def test_xdata_of_an_error(child: str) -> None:
    with Stack(child) as stack:

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            reply = await self.child.stat(*args)
            error = PermissionError(errno.EACCES, "no")
            error.xdata = {**reply.xdata, "why": "because"}  # type: ignore[attr-defined]
            raise error

        stack.upper.answer = answer

        async def work() -> Any:
            try:
                await stack.child.stat(stack.loc)
            except PermissionError as error:
                return error.errno, dict(error.reply.xdata)  # type: ignore[attr-defined]

        assert stack.run(work()) == (errno.EACCES, {"sink": "stat", "why": "because"})
