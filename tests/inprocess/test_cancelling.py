"""A task that is cancelled leaves at once, with all that it waits for: nothing of it is left, wherever it waited."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from glupy import Future, gather, sleep, to_thread
from support import memory
from support.graph import Graph
from support.tasks import LONG, Bench, Thing, all_gone, no_thread_left
from support.volfiles import layer
from support.waiting import wait_until

SLACK = 8 << 20  # bytes that malloc may keep


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


async def holding(thing: Thing, what: Any) -> None:
    await what


WAITS: dict[str, Callable[[Any], Any]] = {
    "future": lambda future: future,
    "sleep": lambda future: sleep(LONG),
    "to_thread": lambda future: to_thread(len, ()),
    "gather": lambda future: gather(sleep(LONG), future, gather(holding(Thing(), future), to_thread(len, ()))),
}


@pytest.mark.parametrize("waits", WAITS)
def test_item_8_cancelled_tasks_do_not_stay(bench: Bench, waits: str, scale: int) -> None:
    count = (60_000 if waits in ("future", "sleep") else 10_000) // scale
    future: Any = Future()

    def round_of(count: int) -> None:
        things = [Thing() for _ in range(count)]
        tasks = [bench.spawn(holding(thing, WAITS[waits](future))) for thing in things]
        bench.at_rest(count + 1)  # with the one that holds all threads
        kept = [weakref.ref(thing) for thing in things]
        things.clear()
        assert all([task.cancel() for task in tasks])
        wait_until(lambda: all(task.done() for task in tasks), "the cancelled tasks to be done")
        assert bench.stats()["tasks"]["in_flight"] == 1
        bench.at_rest(1)
        all_gone(kept)

    with no_thread_left(bench):
        round_of(count)
        memory.trim()
        before = memory.resident()
        round_of(count)
        memory.assert_flat(before, SLACK)


def test_item_8_debounce(bench: Bench, scale: int) -> None:
    """Each call puts off what was to come."""
    pending: Any = None
    things = []
    for _ in range(20_000 // scale):
        if pending:
            assert pending.cancel()
        thing = Thing()
        things.append(weakref.ref(thing))
        pending = bench.spawn(holding(thing, sleep(LONG)))
        del thing
    wait_until(lambda: bench.stats()["tasks"]["in_flight"] == 1, "all but one to end")
    bench.at_rest(1)
    assert sum(thing() is not None for thing in things) == 1
    bench.cancelled([pending])


def test_item_8_inner_coroutines_are_closed_innermost_first(bench: Bench) -> None:
    ended: list[str] = []
    began = threading.Semaphore(0)

    async def inner(name: str, what: Any) -> None:
        began.release()
        try:
            await what
        finally:
            ended.append(name)

    outer = inner("a", gather(
        inner("a.1", inner("a.1.1", sleep(LONG))),
        inner("a.2", gather(inner("a.2.1", Future()), sleep(LONG), inner("a.2.2", gather(inner("a.2.2.1", sleep(LONG)))))),
        inner("a.3", bench.wind()),
    ))
    task = bench.spawn(outer)
    for _ in range(8):
        began.acquire()
    bench.at_rest(1)
    assert ended == ["a.3"]
    bench.cancelled([task])
    assert ended == ["a.3", "a.1.1", "a.1", "a.2.1", "a.2.2.1", "a.2.2", "a.2", "a"]


def test_item_8_nested_as_deep_as_may_be(bench: Bench) -> None:
    """Giving up takes no more of the C stack than beginning did."""
    open_ = [0]

    async def counted(what: Any) -> None:
        open_[0] += 1
        try:
            await what
        finally:
            open_[0] -= 1

    future: Any = Future()
    what: Any = future
    for _ in range(400):
        what = gather(counted(what))
    task = bench.spawn(what)
    bench.at_rest(1)
    assert open_ == [400]
    bench.cancelled([task])
    assert open_ == [0]


def test_item_8_a_wind_stays_its_tasks_until_it_is_back() -> None:
    """The reply is dropped when it comes; until then the task is neither done nor counted as ended."""
    ended: list[str] = []

    async def asks(self: Bench, thing: Thing) -> None:
        try:
            await gather(holding(thing, self.wind()), self.wind())
        finally:
            ended.append("outer")

    with Bench("silent", never=100) as bench:
        thing = Thing()
        kept = weakref.ref(thing)
        task = bench.spawn(asks(bench, thing))
        del thing
        bench.at_rest(1)
        assert task.cancel() and not task.cancel()
        wait_until(lambda: ended == ["outer"], "the coroutines to be closed")
        all_gone([kept])
        stats = bench.stats()
        assert not task.done() and stats["tasks"]["in_flight"] == 1 and not stats["tasks"]["cancelled"]
        assert stats["suspended"]["longest"][0]["awaits"] == "2 that it began and gave up"
        bench.released()
        wait_until(task.done, "the task")
        stats = bench.stats()
        assert stats["tasks"]["in_flight"] == 0 and stats["tasks"]["cancelled"] == 1
        bench.at_rest(0)


def test_item_8_a_wind_that_has_not_left_is_not_wound(bench: Bench) -> None:
    """Its task is cancelled in the very step in which it is begun."""
    task: Any = None
    ready = threading.Event()

    async def cancels() -> None:
        assert task.cancel()

    async def asks() -> None:
        await to_thread(ready.wait)
        await gather(bench.wind(), cancels(), bench.wind())

    before = bench.seen["stat"]
    task = bench.spawn(asks())
    ready.set()
    wait_until(task.done, "the task")
    assert bench.seen["stat"] == before
    assert repr(task) == "<Task test_item_8_a_wind_that_has_not_left_is_not_wound.<locals>.asks (cancelled)>"


def test_item_8_a_function_that_runs_goes_on_alone(bench: Bench) -> None:
    gate, began = threading.Event(), threading.Event()
    results: list[weakref.ref[Any]] = []

    def work() -> Thing:
        began.set()
        gate.wait()
        result = Thing()
        results.append(weakref.ref(result))
        return result

    def fail() -> None:
        work()
        raise ValueError("on purpose")

    for function in (work, fail):
        gate.clear()
        began.clear()
        task = bench.spawn(to_thread(function))
        assert began.wait(20)
        bench.cancelled([task])
        gate.set()
        wait_until(lambda: results, "the function to return")
        all_gone(results)
        results.clear()
    wait_until(lambda: "to_thread, given up" in bench.graph.text(), "the entry in the log")
    assert bench.graph.text().count("ValueError: on purpose") == 1


def test_item_8_a_function_that_has_not_begun_is_not_called(bench: Bench) -> None:
    called: list[int] = []
    with no_thread_left(bench):
        tasks = [bench.spawn(to_thread(called.append, number)) for number in range(100)]
        bench.at_rest(101)
        assert all([task.cancel() for task in tasks])
        wait_until(lambda: all(task.done() for task in tasks), "the cancelled tasks")
    bench.graph.run(to_thread(len, ()))
    assert called == []


def test_item_8_a_finally_clause_that_awaits(bench: Bench) -> None:
    """It cannot, and the log says so: for the task's own coroutine, and for one inside."""

    async def stubborn() -> None:
        try:
            await sleep(LONG)
        finally:
            await sleep(0)

    for what, entry in ((stubborn(), "task"), (gather(stubborn()), "cancelling")):
        task = bench.spawn(what)
        bench.at_rest(1)
        assert task.cancel()
        wait_until(task.done, "the task")
        assert f"bench: {entry} of '{stubborn.__qualname__}' failed\nRuntimeError: coroutine ignored" in bench.graph.text()


def test_item_8_what_was_given_up_cannot_be_awaited(bench: Bench) -> None:
    given_up = [sleep(LONG), gather(sleep(LONG)), to_thread(len, ()), bench.wind()]
    with no_thread_left(bench):
        task = bench.spawn(gather(Future(), *given_up))
        bench.at_rest(2)
        assert task.cancel()
        wait_until(task.done, "the task")
    for one in given_up[:3]:
        with pytest.raises(RuntimeError, match="was given up"):
            bench.graph.run(one)
    assert bench.graph.run(given_up[3]).op_ret == 0  # it was back before


def test_item_8_a_future_is_there_for_others(bench: Bench) -> None:
    """One of those that wait goes; the others get the result."""
    future: Any = Future()
    tasks = [bench.spawn(gather(future)) for _ in range(10)]
    bench.at_rest(10)
    assert tasks[3].cancel() and tasks[7].cancel()
    wait_until(lambda: tasks[3].done() and tasks[7].done(), "the cancelled tasks")
    bench.at_rest(8)
    future.set_result(5)
    results = bench.graph.run(gather(*tasks, return_exceptions=True))
    assert [result if isinstance(result, tuple) else type(result) for result in results] == [
        RuntimeError if number in (3, 7) else (5,) for number in range(10)]


def test_item_8_cancelled_by_its_own_code(bench: Bench) -> None:
    """It ends at its next await, by the same exception as ever."""
    ended: list[type[BaseException] | None] = []
    task: Any = None
    ready = threading.Event()

    async def cancels() -> None:
        await to_thread(ready.wait)
        try:
            assert task.cancel()
            await sleep(0)
        except BaseException as error:
            ended.append(type(error))
            raise

    for what in (lambda: cancels(), lambda: gather(cancels(), sleep(LONG), Future())):
        ready.clear()
        task = bench.spawn(what())
        ready.set()
        wait_until(task.done, "the task")
        with pytest.raises(RuntimeError, match="cancel"):
            bench.graph.run(task)
    assert ended == [GeneratorExit, GeneratorExit]


def test_item_8_tasks_that_wait_for_the_first_child(trusted: Any) -> None:
    """Cancelled before, they do not wait for it."""
    source = """
import threading
from glupy import Translator

class Author(Translator):
    def init(self):
        self.over = []
        tasks = [self.spawn(self.work()) for _ in range(1000)]
        for task in tasks:
            assert task.cancel()
        self.tasks = tasks

    def notify(self, event, data):
        if event.name == "PARENT_UP":  # the children have not begun
            for _ in range(1000):
                self.over.append(all(task.done() for task in self.tasks))
                if self.over[-1]:
                    break
                threading.Event().wait(0.01)

    async def work(self):
        pass
"""
    (trusted / "author.py").write_text(source)
    layers = [layer("sink", "glupytest/sink"), layer("author", "features/glupy", module="author")]
    with Graph(layers, folder=trusted) as graph:
        assert graph.translator("author").over[-1:] == [True]


def test_item_8_finally_clauses_run_before_fini(trusted: Any) -> None:
    source = """
from glupy import Future, Translator, gather, sleep

class Author(Translator):
    def init(self):
        self.inside = self.after = 0
        for _ in range(200):
            self.spawn(self.work(gather(self.work(Future()), self.work(sleep(1000)))))

    async def work(self, what):
        self.inside += 1
        try:
            await what
        finally:
            self.inside -= 1

    def fini(self):
        self.after = self.inside
"""
    (trusted / "author.py").write_text(source)
    layers = [layer("sink", "glupytest/sink"), layer("author", "features/glupy", module="author")]
    with Graph(layers, folder=trusted) as graph:
        author = graph.translator("author")
        wait_until(lambda: author.inside == 600, "the tasks")
    assert author.after == author.inside == 0
