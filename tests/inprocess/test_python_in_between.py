"""Issue 11, item 6: wherever Python can run, an author's code can: a finalizer in a garbage collection, a property, a
comparison. Between reading what GlusterFS owns and using it, none of this may pull it away."""

from __future__ import annotations

import gc
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from glupy import Future, sleep
from support import calls
from support.collecting import collecting
from support.graph import Graph
from support.plain import outcome
from support.volfiles import layer

pytestmark = pytest.mark.filterwarnings("ignore:.*was never wound")

#: More than GlusterFS keeps inside its structure: they are freed with the request.
GROUPS = tuple(range(1000, 1300))


@pytest.fixture
def graph() -> Iterator[Graph]:
    layers = [layer("sink", "glupytest/sink", xdata="on"), layer("lower", "user/scripted"),
              layer("upper", "user/scripted", on_error="pass")]
    with Graph(layers, expected=("on purpose",)) as graph:
        yield graph


async def one_stat(graph: Graph) -> Any:
    return await outcome(graph.child.stat(calls.loc_of(graph.probe.itable, "file"), {"key": "value"}))


def test_frame_groups_while_another_thread_answers_the_request(graph: Graph) -> None:
    frames: list[Any] = []
    gate: Future[None] = Future()
    inside, answered = threading.Event(), threading.Event()

    async def above(self: Any, name: str, frame: Any, *args: Any) -> Any:
        with frame.as_user(1, 1, GROUPS):
            return await self.child.stat(*args)

    async def below(self: Any, name: str, frame: Any, *args: Any) -> Any:
        frames.append(frame)
        inside.set()
        await gate
        return await self.child.stat(*args)

    def run() -> None:
        graph.run(one_stat(graph))
        answered.set()

    def answer() -> None:
        gate.set_result(None)
        answered.wait()

    graph.translator("upper").answer, graph.translator("lower").answer = above, below
    thread = threading.Thread(target=run)
    thread.start()
    inside.wait()
    frame, = frames
    with collecting(answer) as start:
        start()
        groups = frame.groups
    thread.join()
    assert groups == GROUPS
    with pytest.raises(ReferenceError):
        frame.groups


def test_xdata_changed_while_the_call_is_passed_on(graph: Graph) -> None:
    """What a failed method's arguments become is no matter of the wind that goes on in its stead."""
    kept: list[Any] = []
    seen: list[Any] = []
    inside, changed = threading.Event(), threading.Event()

    async def fails(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        xdata["mine"] = "x" * 100
        kept.append(xdata)
        await sleep(0.05)  # the request comes to rest: what the caller has passed is there no more
        raise ValueError("on purpose")

    def below(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> None:
        inside.set()
        changed.wait()
        seen.append(dict(xdata))

    graph.translator("upper").answer, graph.translator("lower").answer = fails, below
    thread = threading.Thread(target=graph.run, args=[one_stat(graph)])
    thread.start()
    inside.wait()
    kept[0]["other"] = 1

    async def nothing() -> None:
        """What was given up is freed by who comes out of Python."""

    graph.run(nothing())
    changed.set()
    thread.join()
    assert seen == [{"key": "value", "mine": "x" * 100}]
    assert kept[0]["other"] == 1


class Ends(uuid.UUID):
    """A gfid whose bytes nobody gets to before a graph has ended."""

    graph: Graph

    @property
    def bytes(self) -> Any:
        self.graph.__exit__(None, None, None)
        return super().bytes


@pytest.mark.parametrize("use", [
    lambda loc, gfid: loc.inode.table.find(gfid),
    lambda loc, gfid: glupy.Loc.from_gfid(loc.inode.table, gfid),
    lambda loc, gfid: glupy.Loc(inode=loc.inode, gfid=gfid),
], ids=["find", "from_gfid", "Loc"])
def test_the_graph_ends_while_a_gfid_is_read(use: Any) -> None:
    graph = Graph([layer("sink", "glupytest/sink")], expected=("found during cleanup",)).__enter__()
    gfid = type("Here", (Ends,), {"graph": graph})(int=7)
    loc = calls.loc_of(graph.probe.itable, "file")
    with pytest.raises(ReferenceError, match="the graph of this (InodeTable|Inode) is gone"):
        use(loc, gfid)


def test_the_graph_ends_while_a_loc_is_changed() -> None:
    graph = Graph([layer("sink", "glupytest/sink")], expected=("found during cleanup",)).__enter__()
    gfid = type("Here", (Ends,), {"graph": graph})(int=7)
    loc = calls.loc_of(graph.probe.itable, "file")
    with pytest.raises(ReferenceError, match="the graph of this Loc is gone"):
        loc.replace(gfid=gfid)


def test_the_list_inside_dirents_is_nobody_elses() -> None:
    """With anything but a Dirent in it, GlusterFS would be given what is no directory entry."""
    entry = glupy.Dirent("name")
    for entries in (glupy.Dirents([entry]), glupy.Dirents()):
        if not entries:
            entries.append(entry)
        state = iter(entries).__reduce__()
        assert state[1] == (entries,)
        assert list(iter(entries)) == list(reversed(entries)) == [entry]
        del state
        assert not [thing for thing in gc.get_referrers(entry) if type(thing) is list and thing is not entries]
        assert not [thing for thing in gc.get_objects() if type(thing) is list and len(thing) == 1 and thing[0] is entry]


def test_the_list_inside_a_replys_entries_is_nobody_elses(graph: Graph) -> None:
    entries = graph.run(graph.child.readdirp(*calls.arguments("readdirp", graph.probe.itable))).entries
    first = entries[0]
    assert not [thing for thing in gc.get_referrers(first) if type(thing) is list]


def test_iterating_while_dirents_change() -> None:
    entries = glupy.Dirents(glupy.Dirent(name) for name in "abc")
    names = []
    for entry in entries:
        names.append(entry.d_name)
        if entry.d_name == "a":
            entries.append(glupy.Dirent("d"))
        if entry.d_name == "c":
            entries.clear()
    assert names == ["a", "b", "c"]
