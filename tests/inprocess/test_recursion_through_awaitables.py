"""Issue 11, item 1: awaitables nested in one another, as deep as an author's code makes them: an error where there is no
end, never an overflow of the C stack, on whatever stack Python runs."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator
from typing import Any

import glupy
import pytest
from glupy import Future, gather, sleep
from support import calls
from support.graph import Graph
from support.plain import outcome
from support.volfiles import layer

pytestmark = pytest.mark.filterwarnings("ignore:.*was never (wound|awaited)")

STACKS = ["pthread", "io-thread", "synctask16"]
#: Far more than any stack has room for.
DEEP = 200_000
ERROR = "RecursionError: maximum recursion depth exceeded"


@pytest.fixture(scope="module", params=STACKS)
def graph(request: pytest.FixtureRequest) -> Iterator[Graph]:
    layers = [layer("sink", "glupytest/sink"), layer("script", "user/scripted"),
              layer("caller", "glupytest/onstack", stack=request.param)]
    with Graph(layers, expected=("RecursionError", "KeyError: 'the innermost'")) as graph:
        yield graph


async def one_stat(graph: Graph) -> Any:
    return await outcome(graph.child.stat(calls.loc_of(graph.probe.itable, "file")))


def ask(graph: Graph, answer: Callable[..., Any]) -> tuple[Any, str]:
    """What a caller gets, and what the log says of it."""
    script, start = graph.translator("script"), len(graph.text())
    script.answer = lambda translator, name, frame, loc, xdata: answer(translator, loc)
    try:
        result = graph.run(one_stat(graph))
    finally:
        script.answer = lambda *args: None
    assert graph.run(one_stat(graph))["op_ret"] == 0
    return result, graph.text()[start:]


ENDLESS: dict[str, Callable[..., Any]] = {}


def endless(function: Callable[..., Any]) -> Callable[..., Any]:
    ENDLESS[function.__name__] = function
    return function


@endless
async def first_step(translator: Any, loc: Any) -> None:
    """Each coroutine's first step is inside the gather of the one before."""
    await gather(first_step(translator, loc))


@endless
async def branching(translator: Any, loc: Any) -> None:
    """As a walk through folders would be that forgets to go down."""
    await gather(branching(translator, loc), branching(translator, loc))


@endless
async def branching_after_a_plain_member(translator: Any, loc: Any) -> None:
    await gather(sleep(0), branching_after_a_plain_member(translator, loc), branching_after_a_plain_member(translator, loc))


@endless
async def after_a_sleep(translator: Any, loc: Any) -> None:
    """Nothing is left of those before on the C stack when this one goes on."""
    await sleep(0)
    await gather(after_a_sleep(translator, loc))


@endless
async def after_a_wind(translator: Any, loc: Any) -> None:
    await translator.child.stat(loc)
    await gather(after_a_wind(translator, loc))


@endless
async def in_gathers_in_gathers(translator: Any, loc: Any) -> None:
    await gather(gather(gather(in_gathers_in_gathers(translator, loc)), sleep(0)))


@endless
async def with_exceptions_returned(translator: Any, loc: Any) -> None:
    error, = await gather(with_exceptions_returned(translator, loc), return_exceptions=True)
    raise error


@endless
async def gathers_alone(translator: Any, loc: Any) -> None:
    await nested_gathers(sleep(0))


@endless
async def gathers_alone_that_end_at_once(translator: Any, loc: Any) -> None:
    await nested_gathers(settled(1))


def settled(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def nested_gathers(innermost: Any, depth: int = DEEP) -> Any:
    for _ in range(depth):
        innermost = gather(innermost)
    return innermost


@pytest.mark.parametrize("name", ENDLESS)
def test_recursion_without_end_is_an_error(graph: Graph, name: str) -> None:
    result, text = ask(graph, ENDLESS[name])
    assert result[:2] == ("error", errno.EIO)
    assert ERROR in text
    assert "script: stat of '/file' failed" in text
    assert f'in {name}\n' in text


@pytest.mark.parametrize("where", ["first step", "after a wind"])
def test_recursion_that_ends(graph: Graph, where: str) -> None:
    """With the limit raised, it is memory alone that bounds it: begun, waited for, answered and given up in one go."""
    limit = sys.getrecursionlimit()

    async def down(translator: Any, loc: Any, left: int) -> int:
        if where != "first step":
            await translator.child.stat(loc)
        if not left:
            return (await translator.child.stat(loc)).op_ret
        return 1 + (await gather(down(translator, loc, left - 1)))[0]

    async def answer(translator: Any, loc: Any) -> Any:
        assert await down(translator, loc, 20_000) == 20_000
        return await translator.child.stat(loc)

    sys.setrecursionlimit(100_000)
    try:
        result, _ = ask(graph, answer)
    finally:
        sys.setrecursionlimit(limit)
    assert result["op_ret"] == 0


def test_recursion_of_results(graph: Graph) -> None:
    """The results of nested gathers are as deep as these, and so is an exception's way out."""
    limit = sys.getrecursionlimit()

    async def answer(translator: Any, loc: Any) -> Any:
        result = await nested_gathers(translator.child.stat(loc))
        for _ in range(DEEP):
            result, = result
        assert result.op_ret == 0
        failing: Future[Any] = Future()
        failing.set_exception(KeyError("the innermost"))
        await nested_gathers(gather(failing, sleep(0)))

    sys.setrecursionlimit(10 * DEEP)
    try:
        result, text = ask(graph, answer)
    finally:
        sys.setrecursionlimit(limit)
    assert result[:2] == ("error", errno.EIO)
    assert "KeyError: 'the innermost'" in text


def kept_in_futures(innermost: Any) -> Any:
    for _ in range(DEEP):
        innermost = settled(innermost)
    return innermost


def raised_in_futures(innermost: Any) -> Any:
    for _ in range(DEEP):
        future: Future[Any] = Future()
        future.set_exception(ValueError(innermost))
        innermost = future
    return innermost


def in_threads(innermost: Any) -> Any:
    for _ in range(DEEP):
        innermost = glupy.to_thread(len, innermost)
    return innermost


@pytest.mark.parametrize("make", [nested_gathers, kept_in_futures, raised_in_futures, in_threads])
def test_recursion_in_giving_up(make: Callable[[Any], Any]) -> None:
    """The last reference to the outermost goes, and with it all that it holds."""
    innermost = sleep(0)
    before = sys.getrefcount(innermost)
    outermost = make(innermost)
    assert sys.getrefcount(innermost) > before
    del outermost
    assert sys.getrefcount(innermost) == before


def test_recursion_in_giving_up_identities(graph: Graph) -> None:
    """frame.as_root() inside frame.as_root(): each knows the one before it."""

    script = graph.translator("script")

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        for _ in range(5 * DEEP):
            frame.as_root().__enter__()
        return await self.child.stat(loc)

    script.answer = answer
    try:
        assert graph.run(one_stat(graph))["op_ret"] == 0
    finally:
        script.answer = lambda *args: None
