"""Condition: who waits has let go of the Mutex and has it again, in order, and a notify is lost with nobody who gives up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from glupy import Condition, Flag, Future, Loc, Mutex, gather, sleep, timeout, to_thread, wait_for
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graph import Graph
from support.tasks import LONG, Bench
from support.volfiles import layer
from support.waiting import wait_until

MODES = {"thread": 15, "late": 10, "early_thread": 5, "order": 10, "error": 10, "delay": 1}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench("condition", **MODES) as bench:
        yield bench


def done(tasks: list[Any]) -> None:
    wait_until(lambda: all(task.done() for task in tasks), "the tasks")


def waiting(condition: Condition, count: int) -> None:
    wait_until(lambda: f", {count} waiting," in repr(condition) and not condition.locked(), f"{count} to wait")


def test_notify_wakes_those_who_came_first(bench: Bench) -> None:
    condition, order = Condition(name="room"), []

    async def wait(number: int) -> None:
        async with condition as same:
            assert same is condition and condition.locked()
            await condition.wait()
            order.append(number)

    tasks = []
    for number in range(6):
        tasks.append(bench.spawn(wait(number)))
        waiting(condition, number + 1)
    assert {one["awaits"] for one in bench.stats()["suspended"]["longest"]} == {"a notify at Mutex room"}
    condition.notify(0)
    condition.notify()
    done(tasks[:1])
    assert order == [0]
    condition.notify(2)
    done(tasks[:3])
    assert order == [0, 1, 2]
    assert tasks[3].cancel()
    done(tasks[3:4])
    condition.notify_all()
    done(tasks)
    assert order == [0, 1, 2, 4, 5] and not condition.locked()
    condition.notify(3)  # nobody: it is not remembered
    late = bench.spawn(wait(6))
    waiting(condition, 1)
    condition.notify()
    done([late])
    with pytest.raises(ValueError, match="0 or more"):
        condition.notify(-1)


def test_nobody_waits_without_the_mutex(bench: Bench) -> None:
    condition = Condition()
    assert repr(condition) == "<Condition, 0 waiting, <Mutex, free>>"
    with pytest.raises(RuntimeError, match="nobody holds"):
        bench.graph.run(condition.wait())
    with pytest.raises(RuntimeError, match="nobody holds"):
        condition.release()


def test_wait_for(bench: Bench) -> None:
    condition, state = Condition(), {"count": 0}

    async def wait() -> int:
        async with condition:
            return await condition.wait_for(lambda: state["count"] >= 3 and state["count"])

    async def raises() -> None:
        async with condition:
            await condition.wait_for(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        bench.graph.run(raises())
    task = bench.spawn(wait())
    waiting(condition, 1)
    for _ in range(3):  # a thread that does not hold it
        state["count"] += 1
        condition.notify()
    done([task])
    assert not condition.locked()
    assert bench.graph.run(wait()) == 3


def test_when_time_is_over_it_is_held_again(bench: Bench) -> None:
    condition, held = Condition(), Future()  # type: ignore[var-annotated]

    async def impatient() -> None:
        async with condition:
            with pytest.raises(TimeoutError):
                await wait_for(condition.wait(), 0.01)
            assert condition.locked()
            held.set_result(None)
            await sleep(0.01)

    async def inside() -> None:
        async with condition:
            await sleep(0.05)  # longer than the limit: the one above has to wait for it

    done([bench.spawn(impatient()), bench.spawn(inside())])
    assert held.done() and not condition.locked()


def test_who_is_cancelled_releases_nobody_elses(bench: Bench) -> None:
    """It leaves `async with` without having the Mutex, which another one has just then."""
    condition, gate = Condition(), Flag()
    inside: list[str] = []

    async def wait() -> None:
        async with condition:
            try:
                await condition.wait()
            finally:
                inside.append("cancelled")

    async def hold() -> None:
        async with condition:
            await gate.wait()
            inside.append("held")
            assert condition.locked()

    async def after() -> None:
        async with condition:
            inside.append("after")

    first = bench.spawn(wait())
    waiting(condition, 1)
    second = bench.spawn(hold())
    wait_until(condition.locked, "the other one")
    third = bench.spawn(after())
    bench.at_rest(3)
    assert first.cancel()
    done([first])
    assert condition.locked() and inside == ["cancelled"]
    gate.set()
    done([second, third])
    assert inside == ["cancelled", "held", "after"] and not condition.locked()


def test_a_notify_of_one_who_is_cancelled_is_the_next_ones(bench: Bench) -> None:
    condition, woken = Condition(), []

    async def wait(number: int) -> None:
        async with condition:
            await condition.wait()
            woken.append(number)

    async def hand_on() -> None:
        condition.notify()  # the first's ...
        assert tasks[0].cancel()  # ... which cannot have gone on, as this thread has not let go of Python

    tasks = [bench.spawn(wait(0))]
    waiting(condition, 1)
    tasks += [bench.spawn(wait(1))]
    waiting(condition, 2)
    tasks += [bench.spawn(hand_on())]
    done(tasks)
    assert woken == [1] and not condition.locked()


# From everywhere, whatever is cancelled whenever

STEPS = st.lists(st.tuples(st.sampled_from(("put", "get", "limited", "gathered")),
                           st.sampled_from(("nothing", "a wind", "a moment", "a thread"))), min_size=1, max_size=4)
TASKS = st.lists(st.tuples(STEPS, st.booleans()), min_size=2, max_size=12)


class Store:
    """A store of bounded size: two Conditions on one Mutex."""

    def __init__(self, bench: Bench, mutex: Mutex) -> None:
        self.bench, self.mutex = bench, mutex
        self.room, self.there = Condition(mutex, "room"), Condition(mutex, "there")
        self.count = self.inside = self.most = 0

    async def critical(self, change: int, what: str) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        count = self.count
        try:
            match what:
                case "a wind":
                    await gather(self.bench.wind(), return_exceptions=True)
                case "a moment":
                    await sleep(0.0005)
                case "a thread":
                    await to_thread(len, ())
            assert self.count == count, "somebody else was inside"
            self.count = count + change
        finally:
            self.inside -= 1

    async def put(self, what: str) -> None:
        async with self.room:
            await self.room.wait_for(lambda: self.count < 2)
            await self.critical(1, what)
            self.there.notify()

    async def get(self, what: str) -> None:
        async with self.there:
            await self.there.wait_for(lambda: self.count)
            await self.critical(-1, what)
            self.room.notify()

    async def run(self, steps: list[tuple[str, str]]) -> None:
        for step, what in steps:
            match step:
                case "put":
                    await self.put(what)
                case "get":
                    await self.get(what)
                case "gathered":
                    await gather(self.put(what), self.get(what))
                case "limited":
                    try:
                        async with timeout(0.001):
                            await self.get("nothing")
                    except TimeoutError:
                        pass


@settings(deadline=None)
@given(tasks=TASKS, of_inode=st.booleans())
def test_under_cancelling(bench: Bench, tasks: list[tuple[list[tuple[str, str]], bool]], of_inode: bool) -> None:
    inode = bench.table.new()
    store = Store(bench, inode.lock() if of_inode else Mutex())
    running = [(bench.spawn(store.run(steps)), cancel) for steps, cancel in tasks]
    canceller = threading.Thread(target=lambda: [task.cancel() for task, cancel in running if cancel])
    canceller.start()
    canceller.join()

    def settled() -> bool:
        """Those that are left put in without anybody's taking out, or the other way round: they are served from here."""
        if store.mutex.try_acquire():
            if not store.inside:
                store.count = 1
            store.mutex.release()
            store.room.notify_all()
            store.there.notify_all()
        return all(task.done() for task, _ in running)

    wait_until(settled, "all tasks to be done")
    assert store.inside == 0 and store.most <= 1
    assert store.mutex.try_acquire() and not store.mutex.try_acquire()
    store.mutex.release()
    assert all(f", 0 waiting, {store.mutex!r}" in repr(one) for one in (store.room, store.there))


def test_fops_from_many_threads(scale: int) -> None:
    """Applications' operations on all of GlusterFS's threads go in pairs."""
    condition = Condition()
    pairs = waits = 0

    with Graph([layer("sink", "glupytest/sink"), layer("chaos", "glupytest/chaos", **{**MODES, "error": 0}),
                layer("paired", "user/scripted")]) as graph:
        translator = graph.translator("paired")

        async def paired(self: Any, name: str, frame: Any, loc: Any, *rest: Any) -> Any:
            nonlocal pairs, waits
            async with condition:
                if waits:
                    waits -= 1
                    pairs += 1
                    condition.notify()
                else:
                    waits += 1
                    await condition.wait()
            return await self.child.stat(loc)

        translator.answer = lambda self, name, *args: paired(self, name, *args) if name == "stat" else None
        root = Loc("/", inode=graph.probe.itable.root)

        async def ask(count: int) -> None:
            await gather(*[graph.child.stat(root) for _ in range(count)])

        done([graph.probe.spawn(ask(200 // scale)) for _ in range(4)])
        translator.answer = lambda *args: None
    assert (pairs, waits) == (2 * (200 // scale), 0)


def test_one_that_sleeps_for_ever_ends_with_its_graph() -> None:
    condition = Condition()
    with Bench("ends") as bench:
        async def wait() -> None:
            async with condition:
                await gather(condition.wait(), sleep(LONG))

        bench.spawn(wait())
        waiting(condition, 1)
    assert not condition.locked()
