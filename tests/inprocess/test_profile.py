"""Option profile: where the time of a layer's Python goes."""

from __future__ import annotations

import re
import threading
from typing import Any

from glupy import Loc
from support import control
from support.graph import Graph
from support.volfiles import layer
from support.waiting import wait_until


def said(graph: Graph) -> list[str]:
    return [text for _, text in graph.entries() if "looks at its Python" in text]


def profiled(seconds: float) -> Graph:
    return Graph([layer("sink", "glupytest/sink"), layer("scripted", "user/scripted", profile=seconds, budget=0),
                  layer("control", "glupytest/control")])


def test_what_runs_is_found() -> None:
    """A function that spins, below the fop that calls it. The end comes by itself, and another number begins anew."""
    until = threading.Event()

    def spin() -> None:
        while not until.is_set():
            pass

    def stat(self: Any, name: str, *args: Any) -> None:
        if name == "stat":
            spin()

    with profiled(0.05) as graph:
        wait_until(lambda: len(said(graph)) == 1, "the first one")
        graph.translator("scripted").answer = stat
        control.reconfigure(graph, "scripted", {"profile": "0.3", "budget": "0"})
        task = graph.probe.spawn(graph.child.stat(Loc("/", inode=graph.probe.itable.root)))
        wait_until(lambda: len(said(graph)) == 2, "the second one")
        until.set()
        wait_until(task.done, "the operation")
        table = said(graph)[1]
    shares = {name: (float(itself), float(whole)) for itself, whole, name in re.findall(
        rf"([\d.]+)% +([\d.]+)%  (\w+)  {re.escape(__file__)}:\d+", table)}
    assert shares["spin"][1] > 50 and shares["spin"][1] <= shares["stat"][1], table
    assert shares["stat"][0] < 50, table


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "glupy-profile"]


def test_another_version_goes_on_with_it() -> None:
    """The number is the same: none is begun anew, and that the option is given no more ends the one that is under way."""
    with profiled(3600) as graph:
        wait_until(lambda: len(threads()) == 1, "its thread")
        before = threads()
        control.reconfigure(graph, "scripted", {"profile": "3600", "budget": "0", "reload": "1"})
        wait_until(lambda: any("it was loaded anew" in text for _, text in graph.entries()), "the other version")
        assert threads() == before and said(graph) == []
        control.reconfigure(graph, "scripted", {"budget": "0", "reload": "1"})
        wait_until(lambda: len(said(graph)) == 1, "what was seen so far")


def test_it_ends_early_and_with_the_graph() -> None:
    with profiled(3600) as graph:
        wait_until(lambda: len(threads()) == 1, "its thread")
        control.reconfigure(graph, "scripted", {"profile": "0"})
        wait_until(lambda: len(said(graph)) == 1, "what was seen so far")
        assert re.search(r"scripted: in \d+ looks at its Python, .*, 0 threads were found", said(graph)[0])
        control.reconfigure(graph, "scripted", {"profile": "1800"})
        wait_until(lambda: len(threads()) == 1, "another thread")
    wait_until(lambda: not threads(), "its end")
