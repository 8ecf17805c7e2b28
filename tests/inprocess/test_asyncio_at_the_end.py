"""A graph ends with a thousand fops inside that wait for asyncio: each is answered, and each coroutine is cancelled."""

from __future__ import annotations

import asyncio
import errno
import threading
from typing import Any

import glupy
from support import calls
from support.graph import Graph
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

COUNT = 1000


class Waits:
    """A coroutine function that ends by being cancelled only."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0

    async def __call__(self) -> None:
        self.begun += 1
        try:
            await asyncio.sleep(1_000_000)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def test_a_graph_ends_with_a_thousand_inside() -> None:
    waits, answers = Waits(), []

    async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
        try:
            await glupy.asyncio(waits())
        except OSError as error:
            answers.append(error.errno)
            raise

    async def wind_all(graph: Graph) -> None:
        loc = calls.loc_of(graph.probe.itable, "file")
        await glupy.gather(*[graph.child.stat(loc) for _ in range(COUNT)], return_exceptions=True)

    with Graph([layer("sink", "glupytest/sink"), layer("python", "user/scripted")]) as graph:
        graph.translator("python").answer = answer
        winding = threading.Thread(target=graph.run, args=[wind_all(graph)])
        winding.start()
        wait_until(lambda: waits.begun == COUNT, "all to begin")
        graph.probe._instance.notify_down(glupy.Event.PARENT_DOWN)  # the probe's own end would wait for its winds first
        winding.join(PATIENCE)
        assert not winding.is_alive()
    assert answers == [errno.ECANCELED] * COUNT
    done = threading.Event()
    glupy.asyncio_loop().call_soon_threadsafe(done.set)  # behind the cancelling
    assert done.wait(PATIENCE)
    wait_until(lambda: waits.cancelled == COUNT, "all to be cancelled")
