"""Issue 11, item 4: what belongs to one graph is refused in another, and after its end: when it is wound, and when a fop is
answered with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import glupy
import pytest
from glupy import Dirent, Fd, Gfid, Iatt, IaType, Inode, Loc, gather
from support import calls
from support.graph import Graph
from support.volfiles import layer

EXPECTED = (r"scri(pt|be): \w+ of .* failed", r"was never wound")


def small() -> Graph:
    return Graph([layer("sink", "glupytest/sink"), layer("script", "user/scripted")], expected=EXPECTED)


def big() -> Graph:
    """With translators of so high numbers that an inode of the small one has no place for them."""
    layers = [layer("sink", "glupytest/sink")] + [layer(f"low{number}", "user/pass_all") for number in range(20)]
    return Graph([*layers, layer("scribe", "user/scripted"), layer("high", "user/pass_all")], expected=EXPECTED)


@contextmanager
def both() -> Iterator[tuple[Graph, Graph]]:
    with small() as one, big() as other:
        yield one, other


def loc_in(graph: Graph, name: str = "file") -> Loc:
    return calls.loc_of(graph.probe.itable, name)


def refused(graph: Graph, wind: Any, kind: type[Exception] = ValueError) -> str:
    with pytest.raises(kind) as caught:
        graph.run(wind)
    return str(caught.value)


def test_every_fop_refuses_arguments_of_another_graph() -> None:
    with both() as (one, other):
        tested = 0
        for fop in glupy.FOPS:
            for graph, stranger in ((one, other), (other, one)):
                arguments = calls.arguments(fop, stranger.probe.itable)
                if any(isinstance(argument, (Loc, Fd)) for argument in arguments):
                    assert "belongs to another graph" in refused(graph, getattr(graph.child, fop)(*arguments))
                    tested += 1
            del arguments
        assert tested > 90


def test_each_of_several_arguments_is_looked_at() -> None:
    with both() as (one, other):
        here, there = loc_in(one), loc_in(other)
        for wind in (lambda: one.child.rename(here, there), lambda: one.child.link(there, here),
                     lambda: one.child.open(here, os.O_RDONLY, Fd.create(there.inode)),
                     lambda: gather(one.child.stat(here), one.child.stat(there))):
            assert "belongs to another graph" in refused(one, wind())
        del here, there, wind


def test_a_child_of_another_graph() -> None:
    with both() as (one, other):
        here, there = loc_in(one), loc_in(other)
        for wind in (lambda: other.child.stat(here), lambda: other.child.stat(there), lambda: other.child.ipc(1)):
            assert "belongs to another graph" in refused(one, wind())
        assert other.run(other.child.stat(there)).op_ret == 0
        del here, there, wind


def test_a_loc_of_two_tables() -> None:
    with both() as (one, other):
        here, there = loc_in(one), loc_in(other)
        for make in (lambda: Loc("/x", inode=here.inode, parent=there.inode), lambda: here.replace(parent=there.inode),
                     lambda: here.child("x", there.inode)):
            with pytest.raises(ValueError, match="belongs? to (different|another) inode table"):
                make()
        del here, there, make


def answer_with(graph: Graph, what: Any, name: str = "script") -> None:
    graph.translator(name).answer = lambda self, name, frame, *args: what(self, *args)


def failed(graph: Graph, wind: Any, text: str) -> None:
    """The fop is answered with EIO, and the log says why."""
    with pytest.raises(OSError) as caught:
        graph.run(wind)
    assert caught.value.errno == 5
    assert text in graph.text()


def test_answers_of_another_graph() -> None:
    """Replies made and changed, entries, tail winds; of plain methods and of coroutines."""
    with both() as (one, other):
        here, there = loc_in(one), loc_in(other)
        fd = Fd.create(here.inode)
        buf = Iatt(ia_gfid=Gfid.random(), ia_type=IaType.IFREG)
        stranger: Inode = there.inode
        answer_with(one, lambda self, *args: glupy.LookupReply(inode=stranger, buf=buf))
        failed(one, one.child.lookup(here), "lookup was answered with inode of another graph")

        async def changed(self: Any, *args: Any) -> Any:
            reply = await self.child.lookup(*args)
            reply.inode = stranger
            return reply

        answer_with(one, changed)
        failed(one, one.child.lookup(here), "lookup was answered with inode of another graph")
        answer_with(one, lambda self, *args: glupy.OpenReply(fd=Fd.create(stranger)))
        failed(one, one.child.open(here, os.O_RDONLY, fd), "open was answered with fd of another graph")
        answer_with(one, lambda self, *args: glupy.ReaddirpReply([Dirent("a"), Dirent("b", inode=stranger)]))
        failed(one, one.child.readdirp(fd, 4096, 0), "readdirp was answered with entries of another graph")
        answer_with(one, lambda self, *args: self.child.stat(there))
        failed(one, one.child.stat(here), "belongs to another graph")
        answer_with(one, lambda self, *args: other.child.stat(there))
        failed(one, one.child.stat(here), "belongs to another graph")

        async def tail(self: Any, *args: Any) -> Any:
            await self.child.stat(*args)
            return self.child.stat(there)

        answer_with(one, tail)
        failed(one, one.child.stat(here), "belongs to another graph")
        reply = other.run(other.child.lookup(there))
        answer_with(one, lambda self, *args: reply)
        failed(one, one.child.lookup(here), "lookup was answered with inode of another graph")
        one.translator("script").answer = lambda *args: None
        del here, there, fd, stranger, reply


def test_replies_without_anything_of_a_graph_may_be_kept() -> None:
    """A cache of attributes may serve several volumes, and outlive one of them."""
    with small() as one:
        reply = one.run(one.child.stat(loc_in(one)))
    with big() as other:
        answer_with(other, lambda self, *args: reply, "scribe")
        assert other.run(other.child.stat(loc_in(other))).buf.ia_gfid == reply.buf.ia_gfid
        other.translator("scribe").answer = lambda *args: None


def test_after_the_end_of_the_graph() -> None:
    """Winds, calls, locs, fds, entries, replies and the child itself, kept."""
    kept: list[Any] = []

    with Graph([layer("sink", "glupytest/sink"), layer("any", "user/any_scripted")], expected=EXPECTED) as one:
        loc = loc_in(one)
        fd = Fd.create(loc.inode)
        translator = one.translator("any")

        def answer(self: Any, frame: Any, call: Any) -> None:
            kept.append(call)

        translator.answer = answer
        reply = one.run(one.child.lookup(loc))
        entries = one.run(one.child.readdirp(fd, 4096, 0)).entries
        wind, untouched, child = one.child.stat(loc), one.run(one.child.lookup(loc)), one.child
        del translator
    with big() as other:
        here = loc_in(other)
        for use in (lambda: wind, lambda: child.stat(here), lambda: other.child.stat(loc), lambda: other.child.fstat(fd)):
            with pytest.raises(ReferenceError):
                other.run(use())
        for call in kept:
            with pytest.raises(ReferenceError):
                other.run(call.wind(child=other.child))
            with pytest.raises(ReferenceError):
                other.run(call.wind())
        for look in (lambda: loc.inode, lambda: fd.inode, lambda: reply.inode.gfid, lambda: untouched.inode,
                     lambda: entries[0].inode and entries[2].inode.gfid):
            with pytest.raises(ReferenceError):
                look()
        for given in (reply, untouched):
            answer_with(other, lambda self, *args: given, "scribe")
            failed(other, other.child.lookup(here), "ReferenceError: the graph of this")
        other.translator("scribe").answer = lambda *args: None
        del here
    assert kept
