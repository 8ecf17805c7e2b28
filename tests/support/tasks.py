"""A graph whose translator runs tasks in the background, and what is left of them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from glupy import Loc, gather, to_thread
from support import calls
from support.graph import Graph
from support.sight import STATS, parsed
from support.volfiles import layer
from support.waiting import wait_until

#: ipc for chaos itself (tests/xlators/chaos.h): answer what was never answered.
RELEASE = 0x63686F73
LONG = 10_000.0
THREADS = 64  # of to_thread()


class Thing:
    """What a coroutine holds, to be looked for afterwards."""


class Bench:
    """A graph over a child that answers in some way; the tasks are those of its translator."""

    def __init__(self, name: str = "bench", **chaos: object) -> None:
        self.name = name
        layers = [layer("sink", "glupytest/sink"), layer("chaos", "glupytest/chaos", **chaos),
                  layer(f"{name}-below", "user/pass_all"), layer(name, "user/scripted")]
        self.graph = Graph(layers, expected=("on purpose", "coroutine ignored GeneratorExit", "this Task awaits itself",
                                               r"exception str\(\) failed"))

    def __enter__(self) -> Bench:
        self.graph.__enter__()
        self.tasks = self.graph.translator(self.name)
        self.table: Any = self.graph.probe.itable
        self.seen = self.graph.translator(f"{self.name}-below").seen
        return self

    def __exit__(self, *args: Any) -> None:
        del self.tasks, self.table, self.seen
        self.graph.__exit__(*args)

    def stats(self) -> Any:
        name = f"{STATS}.{self.name}"
        return parsed(self.graph.run(self.graph.child.getxattr(Loc("/", inode=self.table.root), name)).dict[name])

    def loc(self) -> Loc:
        return calls.loc_of(self.table, "file")

    def wind(self) -> Any:
        return self.tasks.child.stat(self.loc())

    def spawn(self, what: Any) -> Any:
        return self.tasks.spawn(what)

    def at_rest(self, count: int) -> None:
        wait_until(lambda: self.stats()["suspended"]["count"] == count, f"{count} tasks to rest")

    def released(self) -> None:
        self.graph.run(self.tasks.child.ipc(RELEASE))

    def cancelled(self, tasks: list[Any]) -> None:
        """Cancels them, and sees that they are gone: done() and what is counted agree."""
        before = self.stats()["tasks"]["cancelled"]
        assert all([task.cancel() for task in tasks])
        wait_until(lambda: all(task.done() for task in tasks), "the cancelled tasks to be done")
        stats = self.stats()
        assert stats["tasks"]["in_flight"] == stats["in_flight"] == 0
        assert stats["tasks"]["cancelled"] - before == len(tasks)
        self.at_rest(0)
        assert not any(task.cancel() for task in tasks)


@contextmanager
def no_thread_left(bench: Bench) -> Iterator[None]:
    """Whatever is given to to_thread() waits its turn."""
    gate, inside = threading.Event(), threading.Semaphore(0)

    def block() -> None:
        inside.release()
        gate.wait()

    blocked = bench.spawn(gather(*[to_thread(block) for _ in range(THREADS)]))
    for _ in range(THREADS):
        inside.acquire()
    try:
        yield
    finally:
        gate.set()
        wait_until(blocked.done, "the threads")


def all_gone(things: list[weakref.ref[Any]]) -> None:
    def gone() -> bool:
        gc.collect()
        return not any(thing() for thing in things)

    wait_until(gone, "all objects to go")
