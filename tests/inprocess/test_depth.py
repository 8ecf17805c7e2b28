"""However long a request lasts and however many there are: the C stack stays flat, and so does memory."""

from __future__ import annotations

import os
from typing import Any

import glupy
import pytest
from support import calls, memory
from support.graph import Graph
from support.volfiles import layer

AWAITS = 1_000_000
#: By way of passing on: how many fops.
FOPS = {"awaited": 4_000_000, "tail": 3_000_000, "nothing": 3_000_000}
#: Bytes. The address sanitizer keeps what was freed for a while.
SLACK = (32 if os.environ.get("GLUPY_SANITIZE") else 2) << 20


def one_long_request(graph: Graph, count: int, wait: Any) -> tuple[Any, list[int]]:
    """A request that awaits so often; where the C stack was in the layer below, from time to time."""
    upper, lower = graph.translator("upper"), graph.translator("lower")
    seen: list[int] = []

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        for number in range(count):
            await wait(self, number, loc)
        return await self.child.stat(loc)

    def below(self: Any, name: str, frame: Any, *args: Any) -> None:
        if lower.seen["stat"] % (count // 100) == 0:
            seen.append(memory.stack_pointer())

    upper.answer, lower.answer = answer, below
    try:
        return graph.run(status(graph)), seen
    finally:
        upper.answer = lower.answer = None


async def status(graph: Graph) -> int:
    reply = await graph.child.stat(calls.loc_of(graph.probe.itable, "file"))
    return reply.op_ret  # type: ignore[no-any-return]


async def of_all_kinds(self: Any, number: int, loc: Any) -> None:
    """Winds mostly; what is done at once as well."""
    match number % 8:
        case 1:
            await glupy.sleep(0)
        case 2:
            await glupy.gather(glupy.sleep(0), glupy.sleep(0))
        case _:
            await self.child.stat(loc)


@pytest.mark.parametrize("stack", ["pthread", "io-thread", "synctask", "synctask16"])
def test_a_million_awaits(stack: str, scale: int) -> None:
    """An io-thread has 256 KiB of stack, a synctask 16 KiB at worst: what grew would not get far. And GlusterFS keeps
    the frames of a request until it ends, unless they are on stacks of their own."""
    layers = [
        layer("sink", "glupytest/sink"), layer("lower", "user/scripted"), layer("upper", "user/scripted"),
        layer("onstack", "glupytest/onstack", stack=stack),
    ]
    with Graph(layers) as graph:
        one_long_request(graph, 1000, of_all_kinds)
        memory.trim()
        before = memory.resident()
        result, seen = one_long_request(graph, AWAITS // scale, of_all_kinds)
        assert result == 0
        memory.assert_flat(before, SLACK)
        assert len(seen) > 50
        assert max(seen) - min(seen) < 4096


@pytest.mark.parametrize("mode", ["thread", "early_thread"])
def test_awaits_answered_by_other_threads(mode: str, scale: int) -> None:
    """Whoever answers goes on with the request, on its own stack, as far as the next await."""
    options: dict[str, object] = {mode: 50, "order": 0, "threads": 1, "delay": 0}
    layers = [
        layer("sink", "glupytest/sink"), layer("chaos", "glupytest/chaos", **options), layer("lower", "user/scripted"),
        layer("upper", "user/scripted"), layer("onstack", "glupytest/onstack", stack="io-thread"),
    ]
    with Graph(layers) as graph:
        result, seen = one_long_request(graph, (100_000 if mode == "thread" else 10_000) // scale, of_all_kinds)
        assert result == 0
        assert len(seen) > 50


@pytest.mark.long
@pytest.mark.parametrize("how", FOPS)
def test_ten_million_fops(how: str, scale: int) -> None:
    with Graph([layer("sink", "glupytest/sink"), layer("python", "user/pass_all", how=how)]) as graph:

        async def stats(count: int) -> None:
            loc = calls.loc_of(graph.probe.itable, "file")
            stat = graph.child.stat
            for _ in range(count):
                await stat(loc)

        graph.run(stats(FOPS[how] // 20 // scale))
        memory.trim()
        before = memory.resident()
        graph.run(stats(FOPS[how] // scale))
        memory.assert_flat(before, SLACK)
        assert graph.translator("python").seen["stat"] >= FOPS[how] // scale
