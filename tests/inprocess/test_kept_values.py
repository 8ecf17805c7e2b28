"""What Python keeps of a request stays what it was after the request: nothing borrowed dangles, nothing moves."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import glupy
import pytest
from glupy import Loc, Xdata
from support import calls
from support.graph import Graph
from support.plain import outcome, plain
from support.volfiles import layer
from support.waiting import wait_until

FOPS = [*glupy.FOPS]


def graph_of(*, child: str = "sink", caller: str = "pthread", **sink: object) -> Graph:
    """A scripted layer, called by one whose arguments are gone as soon as the call returns, over a child that answers
    within the wind or from another thread."""
    layers = [layer("sink", "glupytest/sink", **sink)]
    if child == "thread":
        layers.append(layer("chaos", "glupytest/chaos", thread=100))
    layers += [layer("script", "user/scripted"), layer("caller", "glupytest/onstack", stack=caller)]
    return Graph(layers, expected=("on purpose", "has been awaited before"))


def said(value: Any) -> Any:
    """plain(), and what a Loc says."""
    if isinstance(value, Loc):
        return value.path, value.name, value.gfid, value.pargfid, plain(value.inode), plain(value.parent)
    if isinstance(value, glupy.Fd):
        return plain(value.inode), value.pid, value.flags
    return plain(value)


async def one(graph: Graph, fop: str) -> Any:
    return await outcome(getattr(graph.child, fop)(*calls.arguments(fop, graph.probe.itable)))


def recycle() -> None:
    """What has been freed is used for something else."""
    for size in (24, 48, 64, 100, 200, 400, 800):
        _ = [bytearray(b"\xa5" * size) for _ in range(50)]
        _ = [Xdata({f"key{number}": "x" * size}) for number in range(20)]


WAYS: dict[str, Callable[..., Any]] = {}


def way(function: Callable[..., Any]) -> Callable[..., Any]:
    WAYS[function.__name__] = function
    return function


@way
def nothing(self: Any, name: str, *args: Any) -> None:
    pass


@way
def tail(self: Any, name: str, *args: Any) -> Any:
    return getattr(self.child, name)(*args)


@way
def raised(self: Any, name: str, *args: Any) -> Any:
    raise ValueError("on purpose")


@way
def refused(self: Any, name: str, *args: Any) -> Any:
    raise OSError(5, "on purpose")


@way
def answered(self: Any, name: str, *args: Any) -> Any:
    return calls.whole_reply(name, self.itable)


@way
async def awaited(self: Any, name: str, *args: Any) -> Any:
    return await getattr(self.child, name)(*args)


@way
async def slept(self: Any, name: str, *args: Any) -> Any:
    await glupy.sleep(0.0001)
    return await getattr(self.child, name)(*args)


@way
async def raised_after(self: Any, name: str, *args: Any) -> Any:
    await getattr(self.child, name)(*args)
    raise ValueError("on purpose")


@way
async def tail_in_the_end(self: Any, name: str, *args: Any) -> Any:
    await getattr(self.child, name)(*args)
    return getattr(self.child, name)(*args)


@way
async def answered_with_what_was_awaited(self: Any, name: str, *args: Any) -> Any:
    wind = getattr(self.child, name)(*args)
    await wind
    await glupy.sleep(0.0001)
    return wind


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("child", ["sink", "thread"])
def test_arguments(child: str, how: str) -> None:
    with graph_of(child=child) as graph:
        for fop in FOPS:
            kept: list[Any] = []

            def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
                kept.extend((frame, args, [said(value) for value in args]))
                return WAYS[how](self, name, *args)

            graph.translator("script").answer = answer
            graph.run(one(graph, fop))
            recycle()
            frame, args, before = kept
            with pytest.raises(ReferenceError):
                print(frame.uid)
            assert [said(value) for value in args] == before, fop
            assert repr(args)
            graph.translator("script").answer = None
            del frame, args, before
            kept.clear()


@pytest.mark.parametrize("child", ["sink", "thread"])
def test_every_use_of_a_frame_that_has_ended(child: str) -> None:
    with graph_of(child=child) as graph:
        frames: list[Any] = []

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            with frame.as_user(1, 2) as identity:
                frames.extend((frame, identity))
                return await self.child.stat(*args)

        graph.translator("script").answer = answer
        graph.run(one(graph, "stat"))
        frame = frames[0]
        for name in ("uid", "gid", "groups", "pid", "lk_owner", "unique", "client", "op"):
            with pytest.raises(ReferenceError):
                getattr(frame, name)
        for use in (frame.as_root, lambda: frame.as_user(1, 2), frames[1].__enter__):
            with pytest.raises(ReferenceError):
                use()
        assert "answered" in repr(frame)


@pytest.mark.parametrize("child", ["sink", "thread"])
def test_views_of_a_payload(child: str) -> None:
    with graph_of(child=child) as graph:
        views: list[memoryview] = []

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            if name == "writev":
                views.extend((memoryview(args[1]), *args[1].chunks))
            reply = await getattr(self.child, name)(*args)
            if name == "readv":
                views.extend((memoryview(reply.vector), *reply.data.chunks))
            return reply

        graph.translator("script").answer = answer
        written = os.urandom(300_000)

        async def work() -> bytes:
            fd = glupy.Fd.create(calls.linked(graph.probe.itable, "file", calls.FILE), 1)
            assert (await graph.child.writev(fd, written, 0, 0)).op_ret == len(written)
            reply = await graph.child.readv(fd, 200_000, 7, 0)
            return bytes(reply.vector)

        read = graph.run(work())
        recycle()
        assert read == bytes(number % 251 for number in range(7, 200_007))
        assert views[0] == b"".join(views[1:2]) == written
        assert views[2] == views[3] == read
        views.clear()


CACHE: list[Any] = []


async def of_the_child(self: Any, name: str, frame: Any, *args: Any) -> Any:
    if not CACHE:
        CACHE.append(await getattr(self.child, name)(*args))
    return CACHE[0]


async def of_the_child_looked_into(self: Any, name: str, frame: Any, *args: Any) -> Any:
    reply = await of_the_child(self, name, frame, *args)
    repr(reply)
    return reply


def made_in_python(self: Any, name: str, frame: Any, *args: Any) -> Any:
    if not CACHE:
        CACHE.append(calls.whole_reply(name, self.itable))
    return CACHE[0]


@pytest.mark.parametrize("answer", [of_the_child, of_the_child_looked_into, made_in_python])
def test_replies_that_a_cache_returns_again(answer: Any) -> None:
    with graph_of(xdata="on") as graph:
        graph.translator("script").answer = answer
        for fop in FOPS:
            first = graph.run(one(graph, fop))
            for _ in range(3):
                recycle()
                assert graph.run(one(graph, fop)) == first
            assert plain(CACHE[0]) == first
            CACHE.clear()


@pytest.mark.parametrize("child", ["sink", "thread"])
def test_errors_are_raised_again(child: str) -> None:
    """An exception that a translator keeps answers as often as it is raised, with all that the child sent."""
    with graph_of(child=child, xdata="on", fail=28, fields="on") as graph:
        kept: list[OSError] = []

        async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
            if kept:
                raise kept[0]
            try:
                return await getattr(self.child, name)(*args)
            except OSError as error:
                kept.append(error)
                raise

        for fop in FOPS:
            graph.translator("script").answer = answer
            first = graph.run(one(graph, fop))
            assert first[:2] == ("error", 28)
            recycle()
            assert graph.run(one(graph, fop)) == first
            kept[0].__traceback__ = None
            graph.translator("script").answer = None
            kept.clear()


def test_a_reply_outlives_its_request_and_its_caller() -> None:
    with graph_of(child="thread", xdata="on") as graph:

        async def work() -> Any:
            return await graph.child.readdirp(glupy.Fd.create(graph.probe.itable.root, 1), 4096, 0)

        reply = graph.run(work())
        recycle()
        assert [entry.d_name for entry in reply.entries] == [".", "..", "a", "b", "dir", "link"]
        entry = reply.entries[2]
        xdata = reply.xdata
        del reply
        recycle()
        assert entry.d_name == "a"
        assert entry.inode.table.root.is_root
        assert xdata == {"sink": "readdirp"}
        del entry, xdata


def test_what_is_replaced_without_a_look_is_given_up() -> None:
    """A reply's fields that are set before anybody has read them: inodes, fds, entries, xdata."""
    with graph_of(xdata="on") as graph:
        table = graph.probe.itable
        loc = calls.loc_of(table, "file")
        fd = glupy.Fd.create(loc.inode)
        other = table.new()

        async def work() -> None:
            for _ in range(10):
                looked = await graph.child.lookup(loc)
                looked.inode, looked.xdata = other, {}
                opened = await graph.child.open(loc, os.O_RDONLY, fd)
                opened.fd = None
                read = await graph.child.readdirp(glupy.Fd.create(table.root), 4096, 0)
                read.entries = []

        def kept() -> tuple[int, int]:
            return loc.inode.refs, other.refs

        # Of the one: loc's, that of the Inode that its attribute makes, and the fd's. What making them left is let go later.
        wait_until(lambda: kept() == (3, 1), "what is not used any more to be released")
        graph.run(work())
        wait_until(lambda: kept() == (3, 1), "what was replaced to be released")
        del loc, fd, other
