"""Fops whose child answers at once, after ones whose child did not, and the other way round: what a fop has to do before it rests
is done where its predecessors rested, and has to be right in either case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from glupy import gather, sleep
from support import calls
from support.graph import Graph
from support.plain import outcome
from support.volfiles import layer

AT_ONCE, LATE = "at once", "late"


class Bench:
    """A layer whose child answers as the file's name says. The caller's arguments are gone once the layer's fop has returned."""

    def __init__(self) -> None:
        self.graph = Graph([layer("sink", "glupytest/sink", xdata="on"), layer("lower", "user/scripted"),
                            layer("script", "user/scripted"), layer("caller", "glupytest/onstack", stack="io-thread")])

    def __enter__(self) -> Bench:
        self.graph.__enter__()
        self.graph.translator("lower").answer = lambda translator, name, frame, *args: (
            self.late(translator, *args) if name == "stat" and LATE in args[0].path else None)
        return self

    def __exit__(self, *args: Any) -> None:
        self.graph.__exit__(*args)

    @staticmethod
    async def late(translator: Any, loc: Any, xdata: Any) -> Any:
        await sleep(0.0001)
        return await translator.child.stat(loc, xdata)

    def ask(self, name: str, answer: Any) -> dict[str, Any]:
        """What a caller of stat gets where the layer answers with answer(child, loc, xdata)."""
        self.graph.translator("script").answer = lambda translator, which, frame, *args: answer(translator.child, *args)

        async def one() -> Any:
            loc = calls.loc_of(self.graph.probe.itable, "file").replace(path=f"/{name}")
            return await outcome(self.graph.child.stat(loc, None))

        result: dict[str, Any] = self.graph.run(one())
        return result


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


async def one_await(child: Any, loc: Any, xdata: Any) -> Any:
    return await child.stat(loc, xdata)


async def two_awaits(child: Any, loc: Any, xdata: Any) -> Any:
    before = loc.path
    await child.stat(loc, xdata)
    assert loc.path == before
    return await child.stat(loc, xdata)


async def a_tail_wind_in_the_end(child: Any, loc: Any, xdata: Any) -> Any:
    await child.stat(loc, xdata)
    return child.stat(loc, xdata)


async def together(child: Any, loc: Any, xdata: Any) -> Any:
    replies = await gather(child.stat(loc, xdata), child.stat(loc.replace(path=f"/{LATE}"), xdata), sleep(0))
    return replies[0]


async def a_sleep_first(child: Any, loc: Any, xdata: Any) -> Any:
    await sleep(0)
    return child.stat(loc, xdata)


def at_random(count: int) -> list[str]:
    return [LATE if number * number % 7 in (1, 2) else AT_ONCE for number in range(count)]


@pytest.mark.parametrize("answer", [one_await, two_awaits, a_tail_wind_in_the_end, together, a_sleep_first])
def test_children_that_change_their_ways(bench: Bench, answer: Any) -> None:
    # As many at once as it takes to expect nothing else, and more.
    for name in [LATE, *[AT_ONCE] * 40, LATE, AT_ONCE, LATE, LATE, *at_random(20)]:
        result = bench.ask(name, answer)
        assert result["op_ret"] == 0
        assert result["xdata"] == {"sink": "stat"}


def test_what_is_kept(bench: Bench) -> None:
    """Arguments that Python has kept are as they were, whenever copies of them were made."""
    kept: list[glupy.Loc] = []

    async def keeps(child: Any, loc: Any, xdata: Any) -> Any:
        kept.append(loc)
        return await child.stat(loc, xdata)

    names = [LATE, AT_ONCE, AT_ONCE, LATE, *[AT_ONCE] * 40]
    for name in names:
        bench.ask(name, keeps)
    assert [loc.path for loc in kept] == [f"/{name}" for name in names]
    kept.clear()


def test_a_thousand_that_begin_and_end_on_different_threads(bench: Bench) -> None:
    """More at a time than any thread or all together keep the memory of."""
    async def many() -> list[Any]:
        loc = calls.loc_of(bench.graph.probe.itable, "file").replace(path=f"/{LATE}")
        return list(await gather(*(outcome(bench.graph.child.stat(loc, None)) for _ in range(1000))))

    bench.graph.translator("script").answer = lambda translator, name, frame, *args: one_await(translator.child, *args)
    for _ in range(2):
        results = bench.graph.run(many())
        assert len(results) == 1000
        assert all(result["op_ret"] == 0 for result in results)
