"""Whatever coroutines wait for, nested in whatever way, and whenever their task is cancelled: nothing of it is left."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from glupy import Future, gather, sleep, to_thread
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tasks import LONG, Bench, Thing, all_gone
from support.waiting import wait_until

MODES = {"thread": 15, "late": 15, "early_thread": 5, "order": 10, "error": 10, "delay": 2}

LEAVES = ("nothing", "a moment", "for ever", "a future", "a settled future", "a wind", "a quick function", "a stuck function",
          "another task")
SHAPES = ("gathered", "in a coroutine", "in a tolerant coroutine", "one after another")
TREES: Any = st.recursive(
    st.sampled_from(LEAVES), lambda inner: st.tuples(st.sampled_from(SHAPES), st.lists(inner, min_size=1, max_size=4)),
    max_leaves=14)


class Run:
    """A task made of a tree, and what its coroutines do."""

    def __init__(self, bench: Bench, cancel_at: int) -> None:
        self.bench = bench
        self.gate, self.future, self.settled = threading.Event(), Future(), Future()
        self.settled.set_result(None)
        self.other = bench.spawn(sleep(LONG))
        self.things: list[weakref.ref[Any]] = []
        self.inside: set[tuple[int, ...]] = set()
        self.wrong: list[Any] = []
        self.steps, self.cancel_at = 0, cancel_at
        self.task: Any = None

    def thing(self) -> Thing:
        thing = Thing()
        self.things.append(weakref.ref(thing))
        return thing

    def step(self) -> None:
        """Some line of an author's code has run: the n-th cancels the task that it is part of."""
        self.steps += 1
        if self.steps == self.cancel_at and self.task:
            self.task.cancel()

    def stuck(self, thing: Thing) -> Thing:
        self.gate.wait()
        return self.thing()

    def made(self, tree: Any, path: tuple[int, ...] = ()) -> Any:
        match tree:
            case "nothing":
                return gather()
            case "a moment":
                return sleep(0.0005)
            case "for ever":
                return sleep(LONG)
            case "a future":
                return self.future
            case "a settled future":
                return self.settled
            case "a wind":
                return self.bench.wind()
            case "a quick function":
                return to_thread(self.thing)
            case "a stuck function":
                return to_thread(self.stuck, self.thing())
            case "another task":
                return self.other
            case "gathered", parts:
                return gather(*[self.made(part, (*path, i)) for i, part in enumerate(parts)])
            case shape, parts:
                return self.coroutine(shape, parts, path)

    async def coroutine(self, shape: str, parts: list[Any], path: tuple[int, ...]) -> Any:
        thing = self.thing()
        self.inside.add(path)
        self.step()
        try:
            if shape == "one after another":
                for i, part in enumerate(parts):
                    await self.made(part, (*path, i))
                    self.step()
            else:
                await gather(*[self.made(part, (*path, i)) for i, part in enumerate(parts)],
                             return_exceptions=shape == "in a tolerant coroutine")
                self.step()
        except OSError:
            pass
        finally:
            self.inside.remove(path)
            self.wrong += [(path, inner) for inner in self.inside if inner[:len(path)] == path]
        return thing

    def begin(self, tree: Any) -> None:
        self.task = self.bench.spawn(self.made(("in a coroutine", [tree])))

    def ended(self) -> None:
        """Of the task nothing is left but functions that run, and of these nothing when they have returned."""
        self.task.cancel()
        wait_until(self.task.done, "the task")
        assert not self.inside and not self.wrong
        assert self.other.cancel()
        wait_until(self.other.done, "the other task")
        tasks = self.bench.stats()["tasks"]
        assert tasks["in_flight"] == 0
        assert tasks["calls"] == tasks["succeeded"] + tasks["failed"] + tasks["cancelled"]
        self.bench.at_rest(0)
        self.gate.set()
        self.task = None
        all_gone(self.things)


@pytest.fixture(scope="module", params=["orderly", "chaotic"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(request.param, **(MODES if request.param == "chaotic" else {})) as bench:
        yield bench


@pytest.mark.long
def test_item_8_nothing_is_left_of_anything(bench: Bench, scale: int) -> None:
    @settings(max_examples=max(150 // scale, 30))
    @given(tree=TREES, cancel_at=st.integers(0, 12), when=st.sampled_from(["at once", "at rest"]))
    def cancelled(tree: Any, cancel_at: int, when: str) -> None:
        run = Run(bench, cancel_at)
        run.begin(tree)
        if when == "at rest":
            wait_until(lambda: run.task.done() or bench.stats()["suspended"]["count"] == 2, "the task to rest")
        run.ended()

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        cancelled()
    assert not [warning for warning in said if issubclass(warning.category, RuntimeWarning)]
