"""Lines through a Writer, as translators write them: how many a second, and what one takes of the thread that a fop runs on.

A coroutine in a graph writes them in a row, or 32 coroutines do, so that the Writer's thread has groups to write. `own` is the
processor time of the thread that the coroutine is on, where it stays on one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import glupy
from contenders import TRANSLATORS, in_turn
from support.graph import Graph
from support.volfiles import layer

LINE = b'{"fop": "writev", "path": "' + b"x" * 271 + b'"}\n'

#: Coroutines at once, where several write.
TOGETHER = 32


@dataclass(frozen=True)
class Line:
    """One way in one round: nanoseconds a line, of the clock and of processors; of the thread that writes, where that is one."""

    way: str
    file: str
    round: int
    wall: float
    own: float | None
    cpu: float


async def put(writer: Any, count: int) -> None:
    """No more at once than the queue has room for."""
    for _ in range(count):
        writer.put(LINE)


async def write(writer: Any, count: int) -> None:
    for _ in range(count):
        await writer.write(LINE)


async def write_together(writer: Any, count: int) -> None:
    await glupy.gather(*(write(writer, count // TOGETHER) for _ in range(TOGETHER)))


#: How lines are written, and what the Writer is made with.
WAYS: dict[str, tuple[Callable[[Any, int], Awaitable[None]], dict[str, Any]]] = {
    "put": (put, {}),
    "write, direct": (write, {"direct": True}),
    "write": (write, {}),
    "write, 32 at once": (write_together, {}),
    "write, sync, 32 at once": (write_together, {"sync": True}),
}


def measure(graph: Graph, way: str, file: Path, count: int, number: int) -> Line:
    how, made = WAYS[way]
    writer: Any = glupy.Writer(graph.translator("writer"), file, limit=count + 1, **made)
    spent: list[int] = []

    async def work() -> None:
        await writer.write(LINE)  # by the thread, as the first one always is
        await glupy.sleep(0.01)
        own = time.thread_time_ns()
        await how(writer, count)
        spent.append(time.thread_time_ns() - own)
        await writer.flush()

    cpu, start = time.process_time_ns(), time.monotonic_ns()
    graph.run(work())
    line = Line(way, "/dev/null" if file == Path("/dev/null") else "a file", number, (time.monotonic_ns() - start) / count,
                spent[0] / count if way in ("put", "write, direct") else None, (time.process_time_ns() - cpu) / count)
    assert writer.dropped == 0
    writer.close()
    graph.translator("writer")._glupy_writers.remove(writer)
    return line


def run(options: argparse.Namespace) -> Iterator[Line]:
    with (
        tempfile.TemporaryDirectory(prefix="glupy-bench.") as folder,
        Graph([layer("sink", "glupytest/sink"), layer("writer", "features/glupy", module="bench_undefined")],
              folder=TRANSLATORS) as graph,
    ):
        for number in range(options.rounds):
            for way in in_turn(tuple(WAYS), number):
                for file in (Path(folder) / "lines", *([Path("/dev/null")] if "sync" not in WAYS[way][1] else [])):
                    yield measure(graph, way, file, options.count, number)
                    if file.is_file():
                        file.unlink()
