"""option interpreters: one translator served by several Python interpreters. Before Python 3.12 it is refused, which is
what these tests see there."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import glupy
import pytest
from glupy import Event, Fd, Gfid, Inode, Loc, Shared, Xdata
from support import calls, control, sight, statedump
from support.graph import Graph, GraphFailed, settle
from support.volfiles import Layer, layer
from support.waiting import PATIENCE, wait_until

SEVERAL = sys.version_info >= (3, 12)
FREE_THREADED = "free-threading" in sys.version
SINK = layer("sink", "glupytest/sink")
NOTES = Shared("tests.spread")


def noted(what: str) -> list[int]:
    seen: list[int] = NOTES.get(what, [])
    return sorted(seen)


def clear() -> None:
    for name in NOTES.keys():
        NOTES.pop(name)


def refused(layers: list[Layer]) -> str:
    """What the log says of a graph that does not come up."""
    with pytest.raises(GraphFailed) as caught:
        Graph(layers).__enter__()
    return str(caught.value)


def spread(module: str = "spread", **options: object) -> Layer:
    """The layer, in a volfile written by hand: what is wrong with its options keeps the graph from starting."""
    return layer("spread", "features/glupy", module=module, **options)


def served(*below: Layer, interpreters: int, expected: tuple[str, ...] = (), **options: object) -> Any:
    """A test that is given a graph with a layer that so many interpreters serve; or, where Python cannot do that, one
    that sees it refused."""
    layers = [*(below or (SINK,)), spread(interpreters=interpreters, **options)]

    def decorate(test: Callable[[Graph], None]) -> Callable[[], None]:
        @functools.wraps(test)
        def run() -> None:
            clear()
            if not SEVERAL:
                log = refused(layers)
                assert (f"option interpreters is {interpreters}: several interpreters need Python 3.12 or later, and "
                        f"this is {sys.version_info[0]}.{sys.version_info[1]}: leave the option out") in log
                assert noted("init") == []
                return
            with Graph(layers, expected=expected) as graph:
                test(graph)

        del run.__wrapped__  # type: ignore[attr-defined]  # pytest would take its argument for a fixture
        return run

    return decorate


def ask(graph: Graph, loc: Loc, what: str = "who") -> Xdata:
    found: Xdata = graph.run(graph.child.getxattr(loc, what)).dict
    return found


def heard(graph: Graph, count: int) -> bool:
    """Threads that answer have run Python in each, one more at each time: see come_by()."""
    return not FREE_THREADED or {ask(graph, at_last(graph, last))["who"] for last in range(count)} == {*range(count)}


def expected_for(gfid: Gfid, count: int) -> int:
    return int.from_bytes(bytes(gfid)[-4:], "big") % count


@served(interpreters=3)
def test_an_inode_meets_one_interpreter(graph: Graph) -> None:
    table = graph.probe.itable
    seen = set()
    for i in range(40):
        loc = calls.loc_of(table, f"file{i}")
        who = expected_for(loc.inode.gfid, 3)
        seen.add(who)
        fd = Fd.create(loc.inode, 1)
        assert ask(graph, loc)["who"] == who
        assert graph.run(graph.child.fgetxattr(fd, "who")).dict["who"] == who
        assert ask(graph, Loc(f"/new{i}", inode=table.new(), parent=table.root, gfid=loc.inode.gfid))["who"] == who
    assert seen == {0, 1, 2}
    del fd


@served(interpreters=4)
def test_what_is_not_there_yet(graph: Graph) -> None:
    """A call that makes an inode goes by the gfid that it asks for; others by the parent's."""
    table = graph.probe.itable
    parent = calls.linked(table, "directory", calls.DIRECTORY)
    loc = Loc("/directory/new", inode=table.new(), parent=parent)
    for last in (1, 2, 3):
        gfid = Gfid(bytes(12) + last.to_bytes(4, "big"))
        fd = Fd.create(loc.inode, 1)
        graph.run(graph.child.create(loc, 0, 0o644, 0, fd, {"gfid-req": gfid}))
        assert noted("create") == list(range(1, last + 1))
        del fd
    clear()
    fd = Fd.create(loc.inode, 1)
    graph.run(graph.child.create(loc, 0, 0o644, 0, fd))
    assert noted("create") == [expected_for(parent.gfid, 4)]
    assert ask(graph, loc)["who"] == expected_for(parent.gfid, 4)
    del fd


@served(interpreters=3)
def test_each_begins_and_ends_once(graph: Graph) -> None:
    assert noted("init") == [0, 1, 2]
    assert noted(f"event {int(Event.CHILD_UP)}") == [0, 1, 2]
    wait_until(lambda: noted("task on True") == [0, 1, 2], "the tasks of all")
    assert noted("fini") == noted("end") == noted("closed") == []


def test_nothing_is_left() -> None:
    test_each_begins_and_ends_once()
    each = [0, 1, 2] if SEVERAL else []
    assert noted("fini") == each
    wait_until(lambda: noted("closed") == noted("end") == each, "the tasks to be closed, by threads of glupy's")


@served(interpreters=3)
def test_contexts_are_each_ones_own(graph: Graph) -> None:
    """Two interpreters on one inode: neither sees the other's, both drop theirs where it was made."""
    table = graph.probe.itable
    inode = table.new()
    locs = [Loc("/new", inode=inode, parent=table.root, gfid=Gfid(bytes(12) + i.to_bytes(4, "big"))) for i in (1, 2, 3)]
    for name, loc in zip("abc", locs):
        assert ask(graph, loc)["ctx"] == ""
        assert ask(graph, loc, f"set {name}")["ctx"] == name
    assert [ask(graph, loc)["ctx"] for loc in locs] == ["a", "b", "c"]
    assert [ask(graph, loc, f"set {name}")["ctx"] for name, loc in zip("xyz", locs)] == ["x", "y", "z"]
    wait_until(lambda: heard(graph, 3) and [noted(f"dropped {name}") for name in "abc"] == [[1], [2], [0]],
               "what was replaced to be dropped")
    del locs, loc, inode
    gc.collect()
    graph.run(settle())
    wait_until(lambda: heard(graph, 3) and [noted(f"dropped {name}") for name in "xyz"] == [[1], [2], [0]],
               "what is forgotten to be dropped")
    assert [noted(f"forget {name}") for name in "xyz"] == [[1], [2], [0]]


@served(interpreters=2)
def test_released_where_it_was_opened(graph: Graph) -> None:
    for i in range(8):
        loc = calls.loc_of(graph.probe.itable, f"file{i}")
        fd = Fd.create(loc.inode, 1)
        assert graph.run(graph.child.fgetxattr(fd, f"set {i}")).dict["ctx"] == str(i)
        who = [expected_for(loc.inode.gfid, 2)]
        del fd
        gc.collect()
        graph.run(settle())
        wait_until(lambda: heard(graph, 2) and noted(f"dropped {i}") == who, "the fd's ctx to be dropped")
        assert noted(f"release {i}") == who


@served(interpreters=2)
def test_contexts_end_with_the_graph(graph: Graph) -> None:
    for name, last in (("left0", 0), ("left1", 1)):
        ask(graph, at_last(graph, last), f"set {name}")


def test_and_are_dropped_then() -> None:
    test_contexts_end_with_the_graph()
    assert [noted("dropped left0"), noted("dropped left1")] == ([[0], [1]] if SEVERAL else [[], []])


@served(SINK, layer("chaos", "glupytest/chaos", thread=50, late=20), interpreters=4)
def test_awaiting_across_threads(graph: Graph) -> None:
    async def all_of(locs: list[Loc]) -> Any:
        return await glupy.gather(*(graph.child.stat(loc) for loc in locs))

    locs = [calls.loc_of(graph.probe.itable, f"file{i}") for i in range(40)]
    for _ in range(3):
        replies = graph.run(all_of(locs))
        assert [reply.xdata["who"] for reply in replies] == [expected_for(loc.inode.gfid, 4) for loc in locs]


@served(interpreters=4)
def test_many_threads(graph: Graph) -> None:
    """Nothing of a class is shared, self.shared is; the report has the sum."""
    locs = [calls.loc_of(graph.probe.itable, f"file{i}") for i in range(16)]
    latest: dict[int, int] = {}
    wrong: list[Any] = []

    def work() -> None:
        try:
            for _ in range(5):
                for loc in locs:
                    found = ask(graph, loc, "count")
                    latest[found["who"]] = max(latest.get(found["who"], 0), found["calls"])
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(ask(graph, loc)["calls"] for loc in {expected_for(loc.inode.gfid, 4): loc for loc in locs}.values()) == 640
    assert ask(graph, locs[0])["all"] == 640
    (report,) = sight.parsed(graph.run(graph.child.getxattr(locs[0], sight.STATS)).dict[sight.STATS])
    counted = report["fops"]["getxattr"]
    assert counted["calls"] == counted["succeeded"] == 640 + len({expected_for(loc.inode.gfid, 4) for loc in locs}) + 1
    assert report["tasks"]["in_flight"] == 4 and report["options"]["interpreters"] == "4"


@contextlib.contextmanager
def come_by() -> Iterator[None]:
    """In a free-threaded Python what one thread has made, and another given up, ends when the first runs Python again."""
    if not FREE_THREADED:
        yield
        return
    with Graph([SINK, spread(interpreters=3)]):
        yield


def at_last(graph: Graph, last: int) -> Loc:
    """A file that the interpreter with this number serves, where there are no more than 256."""
    gfid = Gfid(bytes(range(12)) + last.to_bytes(4, "big"))
    return Loc("/x", inode=graph.probe.itable.new(), parent=graph.probe.itable.root, gfid=gfid)


@served(interpreters=3)
def test_two_compute_at_once(graph: Graph) -> None:
    """Not 0, which is this test's own."""
    with ThreadPoolExecutor(2) as pool:
        met = list(pool.map(lambda mine: ask(graph, at_last(graph, mine), f"meet {3 - mine}"), (1, 2)))
    assert [(each["who"], each["met"]) for each in met] == [(1, 50), (2, 50)]


@served(interpreters=2, expected=("on purpose",))
def test_errors_have_their_traceback(graph: Graph) -> None:
    for last in (0, 1):
        with pytest.raises(OSError):
            ask(graph, at_last(graph, last), "fail")
        (entry,) = [text for level, text in graph.entries() if f"on purpose in {last}" in text]
        assert "spread: getxattr of '/x' failed" in entry and "spread.py" in entry and "in asked" in entry


@served(SINK, layer("control", "glupytest/control"), interpreters=3,
        expected=("interpreters is .4., and was .3.",))
def test_options_change_in_all(graph: Graph) -> None:
    """The test's own control layer is below; it stands for GlusterFS."""
    control.reconfigure(graph, "spread", {"module": "spread", "interpreters": 3, "limit": 5})
    assert noted("limit 1 5") == [0, 1, 2]
    control.reconfigure(graph, "spread", {"module": "spread", "interpreters": 4, "limit": 6})
    assert noted("limit 5 6") == []
    kept = [text for level, text in graph.entries() if "keeps the options it has" in text]
    assert len(kept) == 1 and "another number of interpreters takes a new graph" in kept[0]
    control.reconfigure(graph, "spread", {"module": "spread", "interpreters": 3, "enabled": "off"})
    assert [ask_raw(graph, last) for last in (0, 1, 2)] == [None, None, None]
    control.reconfigure(graph, "spread", {"module": "spread", "interpreters": 3, "limit": 7})
    assert [ask_raw(graph, last) for last in (0, 1, 2)] == [7, 7, 7]


@pytest.mark.parametrize("who", [0, 1, 2])
@pytest.mark.parametrize("how", ["unread", "refusing", "refusing later"])
def test_options_change_in_all_or_none(how: str, who: int) -> None:
    """One interpreter refuses; the changes after that one are made."""
    @served(SINK, layer("control", "glupytest/control"), interpreters=3,
            expected=("spread keeps the options it ha[sd]", "reconfigured failed"))
    def test(graph: Graph) -> None:
        bad = {how.split()[0]: who, "later": "later" in how}
        for limit in (5, 6, 7):
            options = {"module": "spread", "interpreters": 3, "limit": limit}
            control.reconfigure(graph, "spread", {**options, **(bad if limit == 6 else {})})
        wait_until(lambda: [ask_raw(graph, each) for each in (0, 1, 2)] == [7, 7, 7], "the last change")
        assert noted("limit 1 5") == noted("limit 5 7") == [0, 1, 2]
        assert noted("limit 5 6") == ([] if how == "unread" else [0, 1, 2])
        assert noted("limit 6 5") == ([] if how == "unread" else sorted({0, 1, 2} - {who}))
        (kept,) = [text for level, text in graph.entries() if "keeps the options it ha" in text]
        assert (f"unread in {who}" if how == "unread" else f"refused the new ones in interpreter {who}, for the") in kept
        assert graph.text().count(f"ValueError: refused in {who}") == (how != "unread")

    test()


def ask_raw(graph: Graph, last: int) -> Any:
    found = ask(graph, at_last(graph, last))
    return found["limit"] if "limit" in found else None


# What does not come up

NEEDS = "several interpreters need Python 3.12 or later"


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_init_fails_in_one(failing: int) -> None:
    """Those that had begun end, and nothing of them stays."""
    clear()
    log = refused([SINK, spread(interpreters=3, failing=failing)])
    assert ("Spread.init failed: ValueError: on purpose" if SEVERAL else NEEDS) in log
    begun = list(range(failing + 1)) if SEVERAL else []
    assert noted("init") == begun
    assert noted("fini") == begun[:-1]
    # Tasks that init() has spawned are closed by threads of glupy's. A new graph brings the one that called init() to where
    # these objects were made.
    with come_by():
        wait_until(lambda: noted("end") in (begun[:-1], begun), "their objects to end")


def test_the_classes_differ() -> None:
    clear()
    log = refused([SINK, spread(interpreters=2, odd=1)])
    assert ("spread is not loaded: it handles unlink in one interpreter and not" if SEVERAL else NEEDS) in log
    assert noted("fini") == ([0, 1] if SEVERAL else [])


def test_an_extension_for_one_interpreter_only() -> None:
    """In init(), and with the module."""
    clear()
    for where, module in (("init", "spread"), ("import", "spread_curses")):
        options = {"extension": "readline"} if where == "init" else {}
        log = refused([SINK, spread(module, interpreters=2, **options)])
        if not SEVERAL:
            assert NEEDS in log
        elif where == "init":
            assert "module readline does not support loading in subinterpreters" in log
        else:
            assert ("importing it failed: ImportError: module _curses does not support loading in subinterpreters: it "
                    "can be loaded in Python's main interpreter alone. `option interpreters 1` loads this translator") in log
    assert noted("fini") == ([0] if SEVERAL else [])


@pytest.mark.parametrize(("number", "reason"), [(0, "must be at least 1 and at most 32"), ("two", "expected a whole number"),
                                                (33, "must be at least 1 and at most 32")])
def test_numbers_that_are_none(number: object, reason: str) -> None:
    log = refused([SINK, spread(interpreters=number)])
    assert f'option interpreters is "{number}": {reason}' in log


@pytest.mark.parametrize("options", [{"failing": 1}, {"failing": 2}, {"odd": 1}, {"extension": "readline"}], ids=str)
def test_item_18_a_brick_is_served_by_one_then(options: dict[str, object]) -> None:
    """In a volume as glusterd makes it, interpreters that cannot be had keep nothing from starting."""
    clear()
    wrong = (" is not loaded: ", "option interpreters is 3")
    with Graph([SINK, layer("control", "glupytest/control"), layer("spread", "user/spread", interpreters=3, **options)],
               expected=wrong) as graph:
        for last in (0, 1, 2):
            assert ask(graph, at_last(graph, last))["who"] == 0
        (said,) = [text for level, text in graph.entries() if level == "E" and "option interpreters is 3" in text]
        assert said.endswith("One interpreter serves it")
        assert ("another interpreter did not load it" if SEVERAL else NEEDS) in said
        control.reconfigure(graph, "spread", {"interpreters": 3, "limit": 7, **options})
        wait_until(lambda: ask_raw(graph, 1) == 7, "the change")
        shown = statedump.text(graph)
        assert "options.interpreters=1\n" in shown and "options.ignored.interpreters=option interpreters is " in shown
    assert 0 in noted("fini")


def test_a_classic_translator() -> None:
    log = refused([SINK, layer("old", "features/glupy", module="classic_pass_all", interpreters=2)])
    assert "option interpreters is for translators of glupy's own API" in log


def test_one_is_as_none() -> None:
    clear()
    with Graph([SINK, spread(interpreters=1)]) as graph:
        assert noted("init") == [0]
        assert ask(graph, calls.loc_of(graph.probe.itable, "file"))["who"] == 0
    assert noted("fini") == [0]


# A program that ends

PROGRAM = """
import atexit, shutil, sys, threading
from glupy import Gfid, Loc, Shared
from support.graph import Graph
from support.volfiles import layer
from support.waiting import wait_until

graph = Graph([layer("sink", "glupytest/sink"), layer("spread", "user/spread", interpreters=int(sys.argv[1]))])
atexit.register(shutil.rmtree, graph.top)
graph.__enter__()
for last in 0, 1:
    loc = Loc("/x", inode=graph.probe.itable.new(), parent=graph.probe.itable.root, gfid=Gfid(bytes(15) + bytes([last])))
    graph.run(graph.child.getxattr(loc, "who"))
if sys.argv[2]:
    for _ in range(2):
        threading.Thread(target=graph.run, args=[graph.child.getxattr(loc, f"stay {sys.argv[2]}")], daemon=True).start()
    wait_until(lambda: Shared("tests.spread").get("inside", 0) == 2, "two to be inside")
sys.exit(7)
"""


@pytest.mark.parametrize("how", ["", "asleep", "awake"])
def test_a_program_that_ends(how: str) -> None:
    """Its graph is up, threads have been in several interpreters, and two of them still are."""
    program = subprocess.run([sys.executable, "-c", PROGRAM, "2" if SEVERAL else "1", how if SEVERAL else ""], capture_output=True, text=True,
                             timeout=PATIENCE, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert (program.returncode, program.stderr) == (7, "")
    assert program.stdout == ("left\nleft\n" if how and SEVERAL else "")
