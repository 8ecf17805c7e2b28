"""Every kind of stack and thread on which GlusterFS calls a translator, or answers one."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from typing import Any

import glupy
import pytest
from support import calls
from support.graph import Graph
from support.plain import differences, outcome
from support.volfiles import layer

STACKS = ["synctask", "synctask16", "io-thread", "pthread"]
WAYS = ["awaited", "looked_into", "tail", "nothing"]


def stacked(down: str, up: str, *python: Any) -> list[Any]:
    """Python layers that are entered on one kind of stack and answered on another."""
    return [
        layer("sink", "glupytest/sink", xdata="on"), layer("below", "glupytest/onstack", stack="same", cbk_stack=up),
        *python, layer("above", "glupytest/onstack", stack=down),
    ]


@pytest.mark.parametrize(("up", "how"), [*(("same", how) for how in WAYS), *((stack, "awaited") for stack in STACKS)])
@pytest.mark.parametrize("down", STACKS)
def test_same_results(down: str, up: str, how: str) -> None:
    with Graph(stacked(down, up, layer("python", "user/pass_all", how=how))) as graph:
        assert graph.run(differences(graph)) == {}
        assert set(graph.translator("python").seen) == set(glupy.FOPS)


@pytest.mark.parametrize("down", STACKS)
def test_python_above_python(down: str) -> None:
    """A wind to a Python layer from within one: on a private stack, or on a worker, already."""
    layers = [layer(f"python{number}", "user/pass_all", how=WAYS[number % 4]) for number in range(12)]
    with Graph(stacked(down, "same", *layers)) as graph:
        assert graph.run(differences(graph)) == {}


async def many_at_once(graph: Graph) -> None:
    """Enough to keep all threads busy, over and over."""
    loc = calls.loc_of(graph.probe.itable, "file")
    for _ in range(10):
        await glupy.gather(*[graph.child.stat(loc) for _ in range(200)])


@pytest.mark.parametrize(("down", "up"), [*zip(STACKS, STACKS), *zip(STACKS, STACKS[1:] + STACKS[:1])])
def test_many_at_once(down: str, up: str) -> None:
    with Graph(stacked(down, up, layer("python", "user/pass_all"))) as graph:
        graph.run(many_at_once(graph))
        assert graph.translator("python").seen["stat"] == 2000


# Recursion without end

RECURSIONS: dict[str, Callable[[], Any]] = {}


def recursion(function: Callable[[], Any]) -> Callable[[], Any]:
    RECURSIONS[function.__name__] = function
    return function


@recursion
def calls_itself() -> Any:
    return calls_itself()


@recursion
def getattr_without_end() -> Any:
    class Endless:
        def __getattr__(self, name: str) -> Any:
            return getattr(self, name + "x")

    return Endless().attribute


@recursion
def sorting_by_sorting() -> Any:
    def key(value: int) -> Any:
        return sorted([value], key=key)

    return key(1)


@recursion
def comparing_without_end() -> Any:
    class Same:
        def __eq__(self, other: object) -> bool:
            return [self] == [Same()]

    return Same() == 1


def nested(depth: int = 300_000) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@recursion
def repr_of_what_is_deep() -> Any:
    return repr(nested())


@recursion
def json_of_what_is_deep() -> Any:
    return json.dumps(nested())


@recursion
def json_text_that_is_deep() -> Any:
    return json.loads("[" * 1_000_000)


@recursion
def comparing_what_is_deep() -> Any:
    return nested() == nested()


@recursion
def coroutines_in_coroutines() -> Any:
    async def inner() -> Any:
        return await inner()

    return inner().send(None)


@pytest.mark.parametrize("down", STACKS)
@pytest.mark.parametrize("where", ["plain", "coroutine", "after a wind"])
def test_recursion_without_end_is_an_error(down: str, where: str) -> None:
    """In Python alone, and by way of C code, which needs the more stack."""
    expected = ("RecursionError", "stat returned True")
    with Graph(stacked(down, "io-thread", layer("script", "user/scripted")), expected=expected) as graph:
        script = graph.translator("script")
        for function in RECURSIONS.values():
            start = len(graph.text())
            script.answer = answer_by(function, where)
            assert graph.run(one_stat(graph))[:2] == ("error", errno.EIO), function.__name__
            text = graph.text()[start:]
            # Python 3.14 counts the bytes of the stack: what has an end may come to it there.
            bounded = function is comparing_what_is_deep and "stat returned True" in text
            assert text.count("RecursionError") >= 1 or bounded, function.__name__
            assert "script: stat of '/file' failed" in text
        script.answer = lambda *args: None
        assert graph.run(one_stat(graph))["op_ret"] == 0


async def one_stat(graph: Graph) -> Any:
    return await outcome(graph.child.stat(calls.loc_of(graph.probe.itable, "file")))


def answer_by(function: Callable[[], Any], where: str) -> Callable[..., Any]:
    async def coroutine(self: Any, name: str, frame: Any, *args: Any) -> Any:
        if where == "after a wind":
            await self.child.stat(*args)
        return function()

    def plain(self: Any, name: str, frame: Any, *args: Any) -> Any:
        return function()

    return plain if where == "plain" else coroutine
