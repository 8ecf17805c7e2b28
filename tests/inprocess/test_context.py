"""inode.ctx and fd.ctx: each instance its own, found again, dropped once when GlusterFS forgets, told to the hooks."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import glupy
import pytest
from glupy import Dirent, Dirents, Fd, Gfid, Iatt, Inode, Loc
from support import calls, lastref, memory
from support.graph import Graph, settle
from support.volfiles import Layer, layer
from support.waiting import wait_until

FILE, DIRECTORY = calls.FILE, calls.DIRECTORY
SINK = layer("sink", "glupytest/sink")


def graph_of(*layers: Layer, expected: tuple[str, ...] = ()) -> Graph:
    return Graph([SINK, *layers], expected=expected)


def one(*, expected: tuple[str, ...] = ()) -> Graph:
    """A graph with one layer, `one`, that keeps contexts."""
    return graph_of(layer("one", "user/remembers"), expected=expected)


class Thing:
    """Something whose end can be noticed."""


def seen_by(graph: Graph, name: str, loc: Loc) -> Inode:
    """The inode as a layer of the graph sees it."""
    seen: list[Inode] = []
    translator = graph.translator(name)
    before = translator.answer

    def answer(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> None:
        seen.append(loc.inode)

    translator.answer = answer
    graph.run(graph.child.stat(loc))
    translator.answer = before
    return seen[0]


def fd_seen_by(graph: Graph, name: str, fd: Fd) -> Fd:
    seen: list[Fd] = []
    translator = graph.translator(name)
    before = translator.answer

    def answer(self: Any, fop: str, frame: Any, fd: Fd, *args: Any) -> None:
        seen.append(fd)

    translator.answer = answer
    graph.run(graph.child.fstat(fd))
    translator.answer = before
    return seen[0]


def forgotten(graph: Graph, what: Callable[[], object]) -> None:
    """Wait until GlusterFS has forgotten and the hooks have heard."""
    gc.collect()
    graph.run(settle())
    wait_until(what, "hooks to be called")


# Set, get, del


def test_each_instance_has_its_own() -> None:
    """Two translators of one module and one of another, on one inode and on one fd."""
    names = ("one", "two", "plain")
    with graph_of(layer("one", "user/remembers"), layer("two", "user/remembers"), layer("plain", "user/scripted")) as graph:
        loc = calls.loc_of(graph.probe.itable, "file")
        fd = Fd.create(loc.inode, 7)
        for find, thing, factory in ((seen_by, loc, dict), (fd_seen_by, fd, list)):
            found: dict[str, Any] = {name: find(graph, name, thing) for name in names}
            assert [found[name].ctx for name in names] == [factory(), factory(), None]
            for name in names:
                found[name].ctx = f"of {name}"
            assert (thing if isinstance(thing, Fd) else thing.inode).ctx is None  # the probe's
            for name in names:
                assert find(graph, name, thing).ctx == f"of {name}"
            del found["one"].ctx, found["plain"].ctx
            assert [find(graph, name, thing).ctx for name in names] == [factory(), "of two", None]
            del found
        del thing, fd, loc


def test_the_factory_is_called_once() -> None:
    with one() as graph:
        inode = seen_by(graph, "one", calls.loc_of(graph.probe.itable, "file"))
        made = inode.ctx
        made["key"] = 1
        assert inode.ctx is made
        del inode.ctx
        del inode.ctx
        assert inode.ctx == {} and inode.ctx is not made
        inode.ctx = None
        assert inode.ctx is None
        del inode


def test_what_is_replaced_or_deleted_is_dropped() -> None:
    with one() as graph:
        inode = seen_by(graph, "one", calls.loc_of(graph.probe.itable, "file"))
        for end in (lambda: setattr(inode, "ctx", 1), lambda: delattr(inode, "ctx")):
            thing = Thing()
            gone = weakref.ref(thing)
            inode.ctx = thing
            del thing
            assert gone() is inode.ctx
            end()
            assert gone() is None
        del inode, end


def test_objects_know_whose_they_are_on_every_thread() -> None:
    """Whatever an inode is reached by, on whatever thread, it shows the context of the translator that reached it."""
    with one() as graph:
        table = graph.probe.itable
        loc = calls.loc_of(table, "dir1", DIRECTORY)
        kept: dict[str, Any] = {}

        async def answer(self: Any, fop: str, frame: Any, *args: Any) -> Any:
            reply = await getattr(self.child, fop)(*args)
            kept[fop] = args, reply
            return reply

        graph.translator("one").answer = answer
        graph.run(graph.child.lookup(loc))
        graph.run(graph.child.fstat(Fd.create(loc.inode, 1)))
        (seen, _), reply = kept["lookup"]
        (fd, _), _ = kept["fstat"]
        ways: dict[str, Callable[[], Inode]] = {
            "loc.inode": lambda: seen.inode,
            "replace": lambda: seen.replace(path="/else").inode,
            "Loc()": lambda: Loc("/x", inode=seen.inode).inode,
            "parent": lambda: seen.child("x", None).parent,
            "reply.inode": lambda: reply.inode,
            "reply.replace()": lambda: reply.replace(op_ret=0).inode,
            "fd.inode": lambda: fd.inode,
            "Fd.create": lambda: Fd.create(seen.inode).inode,
            "Fd.of": lambda: Fd.of(seen.inode).inode,
            "table.find": lambda: seen.inode.table.find(seen.inode.gfid),
            "table.grep": lambda: seen.inode.table.grep(seen.inode.table.root, "dir1"),
            "itable": lambda: graph.translator("one").itable.find(seen.inode.gfid),
            "link": lambda: seen.inode.link(seen.inode.table.root, "dir1", reply.buf),
            "Dirent": lambda: Dirents([Dirent("dir1", inode=seen.inode)])[0].inode,
        }
        seen.inode.ctx["mine"] = True
        failed: list[str] = []

        def look() -> None:
            failed.extend(name for name, way in ways.items() if way().ctx != {"mine": True})

        look()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert failed == []
        assert seen.inode.parent().ctx == {}  # the root's
        kept.clear()
        ways.clear()
        del seen, reply, fd, loc, look


def test_entries_of_a_directory() -> None:
    with one() as graph:
        inodes: list[Inode] = []

        async def answer(self: Any, fop: str, frame: Any, *args: Any) -> Any:
            reply = await getattr(self.child, fop)(*args)
            for entry in reply.entries:
                if entry.inode:
                    entry.inode.ctx["name"] = entry.d_name
            return reply

        graph.translator("one").answer = answer
        reply = graph.run(graph.child.readdirp(Fd.create(graph.probe.itable.root, 1), 4096, 0))
        linked = {entry.d_name: entry.inode.link(graph.probe.itable.root, entry.d_name, entry.d_stat)
                  for entry in reply.entries if entry.inode}
        graph.translator("one").answer = lambda *args: None
        for name, inode in linked.items():
            assert seen_by(graph, "one", Loc(f"/{name}", inode=inode)).ctx == {"name": name}
        del reply, linked, inode, inodes


def test_of_another_graph() -> None:
    with one() as first, graph_of(layer("two", "user/remembers")) as second:
        loc = calls.loc_of(first.probe.itable, "file")
        inode = seen_by(first, "one", loc)
        inode.ctx = "first"
        other = seen_by(second, "two", calls.loc_of(second.probe.itable, "file"))
        mixed = Loc("/file", inode=inode).replace(inode=other.table.root)
        assert mixed.inode is not None
        with pytest.raises(ValueError, match="not of the graph of one"):
            mixed.inode.ctx  # noqa: B018
        del loc, inode, other, mixed


def test_after_the_end_of_the_graph() -> None:
    things = [Thing() for _ in range(4)]
    gone = [weakref.ref(thing) for thing in things]
    with one(expected=(r"Active inode",)) as graph:
        table = graph.probe.itable
        inodes = [seen_by(graph, "one", calls.loc_of(table, f"file{number}")) for number in range(3)]
        for inode in inodes:
            inode.ctx = things.pop()
        fd = Fd.create(inodes[0], 1)
        fd.ctx = things.pop()
        lastref.look_up(inodes[2])
        del inodes[2], inode, table
    assert [thing() for thing in gone] == [None] * 4
    for kept in (*inodes, fd):
        with pytest.raises(ReferenceError):
            kept.ctx  # noqa: B018
        with pytest.raises(ReferenceError):
            kept.ctx = 1
    del fd, inodes, kept


# Hooks


def test_forget_tells_what_it_was() -> None:
    with one() as graph:
        python = graph.translator("one")
        kept: list[Inode] = []
        python.hook = lambda self, inode: kept.append(inode)
        loc = calls.loc_of(graph.probe.itable, "file")
        gfid = loc.inode.gfid
        seen_by(graph, "one", loc).ctx["key"] = "value"
        del loc
        forgotten(graph, lambda: kept)
        assert python.ended == [("forget", gfid, FILE, {"key": "value"})]
        (inode,) = kept
        assert (inode.gfid, inode.ia_type, inode.ctx, inode.is_root) == (gfid, FILE, {"key": "value"}, False)
        assert "forgotten" in repr(inode) and inode == inode and len({inode}) == 1
        for use in (inode.path, inode.parent, lambda: inode.table, lambda: Fd.create(inode), lambda: Loc("/x", inode=inode),
                    lambda: setattr(inode, "ctx", 1), lambda: delattr(inode, "ctx")):
            with pytest.raises(ReferenceError):
                use()
        del kept[:], inode, use


@pytest.mark.parametrize("ia_type", [FILE, DIRECTORY])
def test_release_tells_what_it_was(ia_type: int) -> None:
    with one() as graph:
        python = graph.translator("one")
        inode = calls.linked(graph.probe.itable, "dirx" if ia_type == DIRECTORY else "file", ia_type)
        seen = seen_by(graph, "one", Loc("/x", inode=inode))
        seen.ctx["open"] = 1
        fd = Fd.create(inode, 4711)
        fd_seen_by(graph, "one", fd).ctx.append("kept")
        del fd
        forgotten(graph, lambda: python.ended)
        name = "releasedir" if ia_type == DIRECTORY else "release"
        assert python.ended == [(name, inode.gfid, 0, 4711, False, ["kept"])]
        del seen, inode


def test_the_inode_of_a_released_fd_can_be_used() -> None:
    """Counting what is open, the classic use of both contexts."""
    with one() as graph:
        python = graph.translator("one")
        inode = calls.linked(graph.probe.itable, "file", FILE)

        def close(self: Any, fd: Fd) -> None:
            fd.inode.ctx["open"] -= 1
            assert fd.inode.path() == "/file"

        python.hook = lambda self, what: close(self, what) if isinstance(what, Fd) else None
        fds = [Fd.create(inode, 1) for _ in range(10)]
        seen_by(graph, "one", Loc("/file", inode=inode)).ctx["open"] = len(fds)
        for fd in fds:
            fd_seen_by(graph, "one", fd).ctx.append("opened")
        del fds, fd
        forgotten(graph, lambda: len(python.ended) == 10)
        wait_until(lambda: seen_by(graph, "one", Loc("/file", inode=inode)).ctx["open"] == 0, "all to be closed")
        del inode


def test_no_hook_where_no_context_is() -> None:
    with one() as graph:
        for number in range(3):
            seen = seen_by(graph, "one", calls.loc_of(graph.probe.itable, f"file{number}"))
            if number == 1:
                seen.ctx = "set"
            elif number == 2:
                seen.ctx = "set"
                del seen.ctx
            del seen
        forgotten(graph, lambda: graph.translator("one").ended)
        graph.run(settle())
        assert [entry[3] for entry in graph.translator("one").ended] == ["set"]


def test_what_a_hook_raises_is_logged_once() -> None:
    def fail(self: Any, what: Any) -> None:
        raise ZeroDivisionError(type(what).__name__)

    with one(expected=("ZeroDivisionError",)) as graph:
        python = graph.translator("one")
        python.hook = fail
        inode = calls.linked(graph.probe.itable, "file", FILE)
        fd_seen_by(graph, "one", Fd.create(inode, 1)).ctx.append(1)
        forgotten(graph, lambda: len(python.ended) == 1)
        seen_by(graph, "one", Loc("/file", inode=inode)).ctx["a"] = 1
        del inode
        forgotten(graph, lambda: len(python.ended) == 2)
        wait_until(lambda: graph.text().count("ZeroDivisionError: Inode") == 1, "the log entry")
        for hook, what in (("release", "Fd"), ("forget", "Inode")):
            (entry,) = (text for level, text in graph.entries() if f"one: {hook} failed" in text)
            assert "Traceback" in entry and f"ZeroDivisionError: {what}" in entry and ", in fail" in entry


def test_a_hook_may_be_a_coroutine() -> None:
    with one(expected=("ZeroDivisionError",)) as graph:
        python = graph.translator("one")
        done: list[Any] = []

        async def hook(self: Any, inode: Inode) -> None:
            await glupy.sleep(0.001)
            reply = await self.child.stat(Loc("/", inode=self.itable.root))
            done.append((inode.ctx, reply.buf.is_dir()))
            raise ZeroDivisionError

        python.hook = hook
        seen_by(graph, "one", calls.loc_of(graph.probe.itable, "file")).ctx["a"] = 1
        forgotten(graph, lambda: done)
        assert done == [({"a": 1}, True)]
        wait_until(lambda: "ZeroDivisionError" in graph.text(), "the log entry")


def test_hooks_keep_the_order_of_events_and_do_not_overlap() -> None:
    with one() as graph:
        python = graph.translator("one")
        inside: list[Any] = []
        most: list[int] = []

        def hook(self: Any, inode: Inode) -> None:
            inside.append(inode)
            most.append(len(inside))
            time.sleep(0.0001)
            inside.pop()

        python.hook = hook
        for last in prepared(graph, 200, "order"):
            last.unref_on_thread()
        forgotten(graph, lambda: len(python.ended) == 200)
        assert [entry[3] for entry in python.ended] == [*range(200)]
        assert max(most) == 1


# Where GlusterFS lets go


def prepared(graph: Graph, count: int, tag: str) -> list[lastref.Held]:
    """Inodes with contexts to which nobody else holds a reference."""
    held = []
    for number in range(count):
        loc = calls.loc_of(graph.probe.itable, f"file{tag}{number}")
        seen_by(graph, "one", loc).ctx = number
        held.append(lastref.Held(loc.inode))
        del loc
    gc.collect()
    return [one.alone() for one in held]


LETTING_GO = {
    "synctask": lambda held: held.unref_on_synctask(),
    "synctask16": lambda held: held.unref_on_synctask(16 << 10),
    "io-thread": lambda held: held.unref_on_thread(256 << 10),
}


@pytest.mark.parametrize("where", LETTING_GO)
def test_forget_does_not_wait_for_the_interpreter(where: str) -> None:
    """The thread that waits for GlusterFS to forget holds the interpreter all the while: waiting for it would not end."""
    with one() as graph:
        python = graph.translator("one")
        held = prepared(graph, 50, where)
        fds = []
        for number in range(50):
            fd = Fd.create(calls.linked(graph.probe.itable, "opened", FILE), 1)
            fd_seen_by(graph, "one", fd).ctx = number
            fds.append(lastref.Held(fd))
            del fd
        graph.run(settle())
        for last in (*held, *fds):
            LETTING_GO[where](last)
        wait_until(lambda: len(python.ended) == 100, "hooks to be called")
        for hook in ("forget", "release"):
            assert sorted(entry[-1] for entry in python.ended if entry[0] == hook) == [*range(50)]


def test_forget_while_python_computes() -> None:
    """Another thread holds the interpreter for long stretches; GlusterFS's threads forget beside it."""
    with one() as graph:
        python = graph.translator("one")
        stop = threading.Event()

        def compute() -> None:
            while not stop.is_set():
                sum(range(200_000))

        thread = threading.Thread(target=compute)
        thread.start()
        held = prepared(graph, 60, "busy")
        for number, last in enumerate(held):
            [*LETTING_GO.values()][number % 3](last)
        wait_until(lambda: len(python.ended) == 60, "hooks to be called")
        stop.set()
        thread.join()


def test_a_hook_that_hangs_holds_up_nobody_else() -> None:
    with graph_of(layer("one", "user/remembers"), layer("two", "user/remembers")) as graph:
        first, second = graph.translator("one"), graph.translator("two")
        go = threading.Event()
        first.hook = lambda self, inode: go.wait() and None
        for number in range(20):
            loc = calls.loc_of(graph.probe.itable, f"file{number}")
            seen_by(graph, "one", loc).ctx = seen_by(graph, "two", loc).ctx = number
            del loc
        forgotten(graph, lambda: len(second.ended) == 20)
        assert len(first.ended) == 1
        assert graph.run(graph.child.stat(Loc("/", inode=graph.probe.itable.root))).buf.is_dir()
        go.set()
        wait_until(lambda: len(first.ended) == 20, "hooks to be called")


def test_the_limit_of_the_inode_table() -> None:
    with one() as graph:
        python = graph.translator("one")
        root = graph.probe.itable.root
        lastref.set_lru_limit(root, 1000)
        for number in range(300):
            loc = calls.loc_of(graph.probe.itable, f"file{number}")
            lastref.look_up(loc.inode)
            seen_by(graph, "one", loc).ctx = number
            del loc
        graph.run(settle())
        assert python.ended == []
        lastref.set_lru_limit(root, 100)
        wait_until(lambda: len(python.ended) >= 190, "inodes to be pushed out")
        dropped = {entry[3] for entry in python.ended}
        for number in range(300):
            found = graph.probe.itable.grep(root, f"file{number}")
            assert (found is None) == (number in dropped)
            if found:
                assert seen_by(graph, "one", Loc("/x", inode=found)).ctx == number
            del found
        del root


class Counted:
    alive = 0

    def __init__(self) -> None:
        Counted.alive += 1

    def __del__(self) -> None:
        Counted.alive -= 1


async def fill(python: Any, first: int, count: int) -> None:
    """Inodes that come, get a context, and go."""
    table = python.itable
    lastref.link_many(table.root, first, count)
    for number in range(first, first + count):
        table.find(lastref.gfid_of(number)).ctx = Counted()
    await glupy.sleep(0)
    lastref.forget_many(table.root, first, count)


@pytest.mark.long
def test_a_million_inodes(scale: int) -> None:
    """All contexts are dropped, and the memory is back."""
    count = 1_000_000 // scale
    part = count // 500  # what is alive at once each of glupy's threads may keep room for in GlusterFS's memory pools
    with graph_of(layer("plain", "user/scripted")) as graph:
        python = graph.translator("plain")
        for start in range(0, count, part):
            graph.run(fill(python, start, part))
            wait_until(lambda: Counted.alive == 0, "all to be forgotten")
            if start == 200 * part:  # by now all of them do
                memory.trim()
                before = memory.resident()
        memory.assert_flat(before, 32 << 20)


# Inodes that are not in the table yet


def looked_up(graph: Graph, loc: Loc) -> Inode:
    """What the top of a graph does for a lookup: link what the reply tells of, which may give another inode."""
    reply = graph.run(graph.child.lookup(loc))
    linked = reply.inode.link(graph.probe.itable.root, loc.name, reply.buf)
    lastref.look_up(linked)
    return linked


def fresh(graph: Graph, name: str, gfid: Gfid) -> Loc:
    table = graph.probe.itable
    return Loc(f"/{name}", inode=table.new(), parent=table.root, gfid=gfid)


def before_the_wind(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
    async def method() -> Any:
        loc.inode.ctx.setdefault("by", []).append(loc.name)
        return await getattr(self.child, fop)(loc, *args)

    return method()


def after_the_wind(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
    async def method() -> Any:
        reply = await getattr(self.child, fop)(loc, *args)
        reply.inode.ctx.setdefault("by", []).append(loc.name)
        return reply

    return method()


def on_the_argument_after_the_wind(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
    async def method() -> Any:
        inode = loc.inode
        await glupy.sleep(0)
        reply = await getattr(self.child, fop)(loc, *args)
        inode.ctx.setdefault("by", []).append(loc.name)
        return reply

    return method()


def in_a_plain_method(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
    loc.inode.ctx.setdefault("by", []).append(loc.name)


def before_a_tail_wind(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
    loc.inode.ctx.setdefault("by", []).append(loc.name)
    return getattr(self.child, fop)(loc, *args)


def before_a_tail_wind_in_the_end(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
    async def method() -> Any:
        loc.inode.ctx.setdefault("by", []).append(loc.name)
        await self.child.stat(Loc("/", inode=self.itable.root))
        return getattr(self.child, fop)(loc, *args)

    return method()


PLACES = [before_the_wind, after_the_wind, on_the_argument_after_the_wind, in_a_plain_method, before_a_tail_wind,
          before_a_tail_wind_in_the_end]


def ctx_of(graph: Graph, inode: Inode) -> Any:
    """What the layer sees later."""
    graph.translator("one").answer = lambda *args: None
    return seen_by(graph, "one", Loc("/x", inode=inode)).ctx


@pytest.mark.parametrize("place", PLACES)
def test_an_inode_that_is_new(place: Callable[..., Any]) -> None:
    with one() as graph:
        graph.translator("one").answer = place
        inode = looked_up(graph, fresh(graph, "file", Gfid.random()))
        assert ctx_of(graph, inode) == {"by": ["file"]}
        assert graph.translator("one").ended == []
        del inode


@pytest.mark.parametrize("fop", ["lookup", "create", "mknod", "mkdir", "symlink", "icreate", "put", "link"])
def test_each_fop_that_tells_of_an_inode(fop: str) -> None:
    """The table comes to know the gfid while the fop is on its way."""
    with one() as graph:
        table = graph.probe.itable
        loc = fresh(graph, "file", Gfid.random())
        arguments = [loc if name in ("loc", "oldloc") else calls.argument(fop, name, table) for name in glupy.FOPS[fop]]
        others: list[Inode] = []

        async def answer(self: Any, fop: str, frame: Any, *args: Any) -> Any:
            given = next(arg for arg in args if isinstance(arg, Loc))
            given.inode.ctx["before"] = fop
            reply = await getattr(self.child, fop)(*args)
            others.append(table.new().link(table.root, "other", reply.buf))
            assert reply.inode != others[0]
            reply.inode.ctx["after"] = fop
            return reply

        graph.translator("one").answer = answer
        reply = graph.run(getattr(graph.child, fop)(*arguments))
        assert reply.inode.link(table.root, "file", reply.buf) == others[0]
        del arguments, loc, reply
        assert ctx_of(graph, others[0]) == {"before": fop, "after": fop}
        del others[:]


@pytest.mark.parametrize("place", PLACES)
def test_an_inode_that_the_table_knows(place: Callable[..., Any]) -> None:
    """As by a second name of a file: the inode given is thrown away, the one in the table counts."""
    with one() as graph:
        gfid = Gfid.random()
        known = looked_up(graph, fresh(graph, "first", gfid))
        graph.translator("one").answer = place
        assert looked_up(graph, fresh(graph, "second", gfid)) == known
        assert ctx_of(graph, known) == {"by": ["second"]}
        graph.translator("one").answer = place
        assert looked_up(graph, fresh(graph, "third", gfid)) == known
        found = ctx_of(graph, known)
        # What is set before a wind that tells of the gfid cannot know of the context that is there, and does not replace it.
        assert found == ({"by": ["second", "third"]} if "after" in place.__name__ else {"by": ["second"]})
        del known


@pytest.mark.parametrize("place", PLACES)
def test_an_inode_that_loses_at_the_last_moment(place: Callable[..., Any]) -> None:
    """Between our answer and the linking another lookup of the same file was faster."""
    with one() as graph:
        gfid = Gfid.random()
        python = graph.translator("one")
        python.answer = place
        table = graph.probe.itable
        loc = fresh(graph, "file", gfid)
        reply = graph.run(graph.child.lookup(loc))
        winner = table.new().link(table.root, "file", reply.buf)
        lastref.look_up(winner)
        assert reply.inode.link(table.root, "file", reply.buf) == winner
        assert winner != reply.inode
        del loc, reply
        wait_until(lambda: gc.collect() >= 0 and ctx_of(graph, winner).get("by") == ["file"], "the context to be handed over")
        assert python.ended == []
        del winner


def test_what_nobody_takes_over_is_told() -> None:
    """The context of an inode that lost, where the table's has one of its own: forget() hears of a null gfid."""
    with one() as graph:
        python = graph.translator("one")
        table = graph.probe.itable
        gfid = Gfid.random()
        python.answer = before_the_wind
        locs = [fresh(graph, f"file{number}", gfid) for number in range(2)]
        replies = [graph.run(graph.child.lookup(loc)) for loc in locs]
        linked = [reply.inode.link(table.root, loc.name, reply.buf) for loc, reply in zip(locs, replies)]
        assert linked[0] == linked[1]
        del locs, replies
        forgotten(graph, lambda: python.ended)
        assert python.ended == [("forget", Gfid(bytes(16)), 0, {"by": ["file1"]})]
        assert ctx_of(graph, linked[0]) == {"by": ["file0"]}
        del linked


def test_a_failed_lookup_leaves_nothing() -> None:
    with one() as graph:
        python = graph.translator("one")
        python.answer = before_the_wind
        with pytest.raises(FileNotFoundError):
            graph.run(graph.child.lookup(graph.probe.itable and fresh(graph, "newfile", Gfid())))
        forgotten(graph, lambda: python.ended)
        assert python.ended == [("forget", Gfid(), 0, {"by": ["newfile"]})]


@pytest.mark.parametrize("child", ["sink", "thread"])
def test_concurrent_lookups_of_one_file(child: str) -> None:
    """Many at once, each with an inode of its own, as the kernel sends them: one inode comes out, with one context."""
    layers = [SINK, *([layer("chaos", "glupytest/chaos", thread=100)] if child == "thread" else [])]
    with Graph([*layers, layer("one", "user/remembers")]) as graph:
        python = graph.translator("one")
        root = graph.probe.itable.root
        marks: list[Any] = []

        async def answer(self: Any, fop: str, frame: Any, loc: Loc, *args: Any) -> Any:
            mark = loc.inode.ctx.setdefault("mark", object())
            marks.append(mark)
            reply = await self.child.lookup(loc, *args)
            reply.inode.ctx.setdefault("mark", mark)
            reply.inode.ctx["after"] = True
            return reply

        async def top(gfid: Gfid) -> Inode:
            loc = Loc("/file", inode=root.table.new(), parent=root, gfid=gfid)
            reply = await graph.child.lookup(loc)
            linked = reply.inode.link(root, "file", reply.buf)
            lastref.look_up(linked)
            return linked

        async def all_at_once(gfid: Gfid) -> set[Inode]:
            return set(await glupy.gather(*(top(gfid) for _ in range(20))))

        for _ in range(20):
            python.answer = answer
            gfid = Gfid.random()
            (inode,) = graph.run(all_at_once(gfid))
            found = ctx_of(graph, inode)
            assert found["mark"] in marks and found["after"], found
            assert seen_by(graph, "one", Loc("/x", inode=inode)).ctx is found
            marks.clear()
            del inode, found
        del root, top, all_at_once


def test_the_root() -> None:
    """An inode that is always there."""
    with one() as graph:
        root = graph.probe.itable.root
        seen_by(graph, "one", Loc("/", inode=root)).ctx["a"] = 1
        graph.translator("one").answer = after_the_wind
        assert graph.run(graph.child.lookup(Loc("/", inode=root))).buf.is_dir()
        assert ctx_of(graph, root) == {"a": 1, "by": [""]}
        del root
