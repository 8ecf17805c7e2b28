"""Option patience: an operation that waits for long is in the log, once, with what it waits for and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from glupy import Future, Loc, Mutex, gather, sleep
from support import control
from support.graph import Graph
from support.volfiles import layer
from support.waiting import wait_until

def said(graph: Graph) -> list[str]:
    return [text for _, text in graph.entries() if "has been waiting" in text]


@contextmanager
def waiting(**options: Any) -> Iterator[tuple[Graph, Any]]:
    """A graph whose stat waits for what the test says."""
    with Graph([layer("sink", "glupytest/sink"), layer("scripted", "user/scripted", patience=0.05, **options)],
               expected=("has been waiting for more than",)) as graph:
        yield graph, graph.translator("scripted")


def test_item_14_said_once_with_what_and_where() -> None:
    mutex = Mutex("the index")
    future: Any = Future()

    async def stat(self: Any, frame: Any, loc: Any, xdata: Any) -> Any:
        async with mutex:
            await future
        return await self.child.stat(loc, xdata)

    with waiting() as (graph, translator):
        translator.answer = lambda self, name, *args: stat(self, *args) if name == "stat" else None
        root = Loc("/", inode=graph.probe.itable.root)
        tasks = [graph.probe.spawn(graph.child.stat(root)) for _ in range(2)]
        wait_until(lambda: len(said(graph)) == 2, "two entries")
        graph.run(sleep(0.3))  # more looks, which say no more
        future.set_result(None)
        wait_until(lambda: all(task.done() for task in tasks), "the operations")
        assert len(said(graph)) == 2
        first, second = sorted(said(graph), key=lambda text: "Mutex" in text)
    assert re.search(r"stat of / \(unique \d+, uid 0, pid \d+\) has been waiting for more than 0.05 s \(option patience\): "
                     r"for Future, at .*test_patience.py:\d+ in .*stat$", first), first
    assert re.search(r"for Mutex the index, held by stat of / \(unique \d+\), at .*test_patience.py:\d+ in .*stat$", second)


def test_item_14_not_of_what_waits_by_nature() -> None:
    """Locks, and tasks in the background; and 0 stands for any time."""
    future: Any = Future()

    async def wait(self: Any, name: str, args: Any) -> Any:
        await future
        return await getattr(self.child, name)(*args)

    with waiting() as (graph, translator):
        translator.answer = lambda self, name, frame, *args: wait(self, name, args) if name == "statfs" else None
        root = Loc("/", inode=graph.probe.itable.root)
        task = translator.spawn(gather(future, sleep(0)))
        graph.run(sleep(0.3))
        assert not said(graph)
        operation = graph.probe.spawn(graph.child.statfs(root))
        wait_until(lambda: len(said(graph)) == 1, "an entry")
        future.set_result(None)
        wait_until(lambda: task.done() and operation.done(), "all")
        assert "statfs of /" in said(graph)[0]


def test_item_14_patience_changes_while_the_graph_is_up() -> None:
    future: Any = Future()

    async def stat(self: Any, frame: Any, loc: Any, xdata: Any) -> Any:
        await future
        return await self.child.stat(loc, xdata)

    with Graph([layer("sink", "glupytest/sink"), layer("scripted", "user/scripted", patience=0),
                layer("control", "glupytest/control")], expected=("has been waiting for more than",)) as graph:
        translator = graph.translator("scripted")
        translator.answer = lambda self, name, *args: stat(self, *args) if name == "stat" else None
        task = graph.probe.spawn(graph.child.stat(Loc("/", inode=graph.probe.itable.root)))
        graph.run(sleep(0.2))
        assert not said(graph)
        control.reconfigure(graph, "scripted", {"patience": "0.05"})
        wait_until(lambda: len(said(graph)) == 1, "an entry")
        future.set_result(None)
        wait_until(task.done, "the operation")
        translator.answer = lambda *args: None
