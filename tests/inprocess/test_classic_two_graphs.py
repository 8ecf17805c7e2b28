"""Issue 11, item 4, in the classic API: an inode, fd or loc of another graph is refused where a script winds or answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from glupy import Fd, Loc
from support import calls
from support.graph import Graph
from support.volfiles import layer

EXPECTED = (r"0-strays: ", r"\[inode\.c:")
STRAYS = layer("strays", "features/glupy", module="classic_strays")


def small() -> Graph:
    return Graph([layer("sink", "glupytest/sink"), STRAYS], expected=EXPECTED)


def big() -> Graph:
    """With translators of so high numbers that an inode of the small one has no place for them."""
    layers = [layer("sink", "glupytest/sink")] + [layer(f"low{number}", "user/pass_all") for number in range(20)]
    return Graph([*layers, STRAYS], expected=EXPECTED)


def loc_in(graph: Graph, name: str) -> Loc:
    return calls.loc_of(graph.probe.itable, name)


@contextmanager
def kept() -> Iterator[tuple[Graph, Graph]]:
    """Two graphs, with an inode and an fd of the first in the hands of the scripts of both."""
    with small() as one, big() as other:
        one.run(one.child.stat(loc_in(one, "keep")))
        yield one, other
        one.run(one.child.stat(loc_in(one, "drop")))


def opened(graph: Graph, name: str) -> Any:
    loc = loc_in(graph, name)
    return graph.child.open(loc, os.O_RDONLY, Fd.create(loc.inode))


def listed(graph: Graph) -> Any:
    return graph.child.readdirp(Fd.create(graph.probe.itable.root), 4096, 0)


def failed(graph: Graph, wind: Any, text: str) -> None:
    """The fop is answered with EIO, and the log says why."""
    before = graph.text().count(text)
    with pytest.raises(OSError) as caught:
        graph.run(wind)
    assert caught.value.errno == 5
    assert graph.text().count(text) == before + 1, graph.text()[-2000:]


WINDS = {
    "inode": (lambda graph: graph.child.stat(loc_in(graph, "inode")), "wind_stat: loc.inode is of another graph"),
    "parent": (lambda graph: graph.child.stat(loc_in(graph, "parent")), "wind_stat: loc.parent is of another graph"),
    "both": (lambda graph: graph.child.stat(loc_in(graph, "both")), "wind_stat: loc.inode is of another graph"),
    "fd": (lambda graph: opened(graph, "fd"), "wind_open: fd is of another graph"),
}
ANSWERS = {
    "fd": (lambda graph: opened(graph, "answer"), "unwind_open: fd is of another graph"),
    "inode": (lambda graph: graph.child.lookup(loc_in(graph, "x")), "unwind_lookup: inode is of another graph"),
    "entry": (listed, "unwind_readdirp: entries: an entry's inode is of another graph"),
}


@pytest.mark.parametrize("what", WINDS)
def test_winds(what: str) -> None:
    wind, text = WINDS[what]
    with kept() as (_, other):
        failed(other, wind(other), text)
        assert other.run(other.child.stat(loc_in(other, "file"))).op_ret == 0


@pytest.mark.parametrize("what", ANSWERS)
def test_answers(what: str) -> None:
    ask, text = ANSWERS[what]
    with kept() as (_, other):
        failed(other, ask(other), text)
        assert other.run(other.child.stat(loc_in(other, "file"))).op_ret == 0


def test_in_its_own_graph_it_may_be_used() -> None:
    with kept() as (one, _):
        for wind in ("inode", "both"):
            assert one.run(one.child.stat(loc_in(one, wind))).op_ret == 0
        assert one.run(opened(one, "fd")).op_ret == 0
        assert one.run(opened(one, "answer")).op_ret == 0
        assert one.run(one.child.lookup(loc_in(one, "keep"))).op_ret == 0
        assert one.run(listed(one)).op_ret > 0


def test_after_the_end_of_its_graph() -> None:
    """What the script has kept leads to where nothing is any more, or something else."""
    with big() as other:
        with small() as one:
            one.run(one.child.stat(loc_in(one, "keep")))
        try:
            for what in WINDS.values():
                with pytest.raises(OSError) as caught:
                    other.run(what[0](other))
                assert caught.value.errno == 5
            assert other.text().count("of GlusterFS's") >= len(WINDS)
            assert other.run(other.child.stat(loc_in(other, "file"))).op_ret == 0
        finally:
            vars(sys)["strays"].clear()
