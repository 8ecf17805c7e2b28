"""Tasks in the background: whoever waits for one hears of its end, whoever looks sees how it ended; every() goes on."""

from __future__ import annotations

import asyncio
import errno
import json
import re
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from glupy import Future, Loc, gather, sleep, to_thread
from support import statedump
from support.graph import Graph
from support.plain import outcome
from support.sight import section
from support.tasks import LONG, Bench
from support.volfiles import layer
from support.waiting import wait_until

EXCEPTIONS = (ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError, RecursionError,
              asyncio.CancelledError, BaseException)


class Failed(Exception):
    pass


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench("tasks") as bench:
        yield bench


# Supervision


def test_item_14_a_task_that_fails_is_begun_again(bench: Bench) -> None:
    """Also where it raises what would end a coroutine; until it ends by itself."""
    raised = list(EXCEPTIONS)

    async def work() -> None:
        if raised:
            raise raised.pop(0)("on purpose")
        await sleep(0)

    before = bench.stats()["tasks"]
    task = bench.tasks.spawn(work, restart="on-failure", delay=0)
    wait_until(task.done, "the task")
    assert not raised and bench.graph.run(outcome_of(task)) is None
    assert bench.stats()["tasks"]["succeeded"] >= before["succeeded"] + 1


async def outcome_of(task: Any) -> Any:
    return await task


def test_item_14_a_task_that_always_runs(bench: Bench) -> None:
    times = [0]

    async def work() -> None:
        times[0] += 1

    task = bench.tasks.spawn(work, restart="always", delay=0)
    wait_until(lambda: times[0] > 20, "it to have begun many times")
    assert not task.done()
    bench.cancelled([task])


def test_item_14_what_cannot_be_supervised(bench: Bench) -> None:
    async def work() -> None:
        pass

    with pytest.raises(ValueError, match="'never', 'on-failure' or 'always'"):
        bench.tasks.spawn(work, restart="sometimes")
    for delay in (-1, 61, float("nan")):
        with pytest.raises(ValueError, match="delay of 0 to 60"):
            bench.tasks.spawn(work, restart="always", delay=delay)
    coroutine = work()
    with pytest.raises(TypeError, match="a coroutine runs once"):
        bench.tasks.spawn(coroutine, restart="always")
    coroutine.close()


# every()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # given when its task is cancelled
@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_item_9_every_goes_on_whatever_is_raised(bench: Bench, kind: type[BaseException]) -> None:
    rounds: Counter[str] = Counter()

    def plain() -> None:
        rounds["plain"] += 1
        raise kind("on purpose")

    async def coroutine() -> None:
        rounds["coroutine"] += 1
        await sleep(0)
        raise kind("on purpose")

    def gives_a_coroutine() -> Any:
        rounds["gives"] += 1
        return coroutine()

    before = bench.stats()["tasks"]["exceptions"]
    tasks = [bench.tasks.every(0.001, function) for function in (plain, coroutine, gives_a_coroutine)]
    wait_until(lambda: min(rounds["plain"], rounds["coroutine"], rounds["gives"]) > 3, "the functions to be called again")
    assert not any(task.done() for task in tasks)
    bench.cancelled(tasks)
    assert bench.stats()["tasks"]["exceptions"] - before >= 9
    for name in ("plain", "coroutine"):
        said = f"tasks: every 0.001 s, {name} failed\nTraceback"
        assert said in bench.graph.text()
    latest = bench.stats()["latest_task_failure"]
    assert re.fullmatch(r"every 0\.001 s, \w+", latest["task"]), latest


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # given when its task is cancelled
def test_item_9_a_coroutine_that_a_function_of_every_gives_is_run(bench: Bench) -> None:
    ran = threading.Event()

    async def work() -> None:
        assert (await bench.wind()).op_ret == 0
        ran.set()

    task = bench.tasks.every(0.001, lambda: work())
    assert ran.wait(20)
    bench.cancelled([task])


# await task


async def value(what: Any, *, after: Any) -> Any:
    await after
    return what


async def raising(*, after: Any) -> None:
    await after
    raise Failed("on purpose")


def test_item_9_a_task_gives_its_value_to_all_who_await_it(bench: Bench) -> None:
    gate: Any = Future()
    task = bench.spawn(value(5, after=gate))
    waiting = [bench.spawn(value(None, after=task)) for _ in range(5)]
    bench.at_rest(6)
    # In which order they came to rest is up to the threads that ran them.
    awaited = sorted(request["awaits"] for request in bench.stats()["suspended"]["longest"])
    assert not task.done() and awaited == ["Future", *["Task value"] * (len(awaited) - 1)] and len(awaited) > 1
    assert "(running)" in repr(task)
    gate.set_result(None)
    assert bench.graph.run(gather(task, *waiting, value(1, after=task), task)) == (5, *[None] * 5, 1, 5)
    assert task.done() and bench.graph.run(task) == 5 and not task.cancel()
    assert repr(task) == "<Task value (done)>"


def test_item_9_a_task_that_failed(bench: Bench) -> None:
    """Those who await it get its exception, before and after; the log has it once, with the task's name."""
    async def waits(task: Any) -> int:
        try:
            await task
        except Failed as error:
            return len([*traceback.walk_tb(error.__traceback__)])
        raise AssertionError

    said = "tasks: task of 'raising' failed\nTraceback"
    before = bench.stats()["tasks"]
    gate: Any = Future()
    task = bench.spawn(raising(after=gate))
    waiting = bench.spawn(waits(task))
    bench.at_rest(2)
    gate.set_result(None)
    depths = {bench.graph.run(waiting), *[bench.graph.run(waits(task)) for _ in range(5)]}
    assert depths == {2}  # where it is awaited, and where it was raised
    assert task.done() and "(failed)" in repr(task)
    assert bench.graph.text().count(said) == 1
    after = bench.stats()
    assert after["tasks"]["failed"] - before["failed"] == 1 and after["tasks"]["exceptions"] - before["exceptions"] == 1
    latest = after["latest_task_failure"]
    assert latest["task"] == "raising" and latest["exception"].endswith("Failed: on purpose")
    assert re.search(r"test_tasks\.py:\d+ in raising$", latest["at"]) and latest["ago_us"] >= 0
    dump = section(statedump.text(bench.graph), "tasks")
    assert dump["latest_task_failure.task"] == "raising"
    assert dump["latest_task_failure.exception"] == latest["exception"]
    assert int(dump["tasks.failed"]) == after["tasks"]["failed"]


def test_item_9_words_that_are_no_text(bench: Bench) -> None:
    """Whatever an exception says of itself, who looks gets an answer."""
    class Silent(Exception):
        def __str__(self) -> str:
            raise SystemExit("on purpose")

    for error, shown in ((Failed("\udcff\0\n on purpose" * 2000), "Failed: "), (Silent(), "Silent")):
        async def raises(error: BaseException = error) -> None:
            raise error

        task = bench.spawn(raises())
        wait_until(task.done, "the task")
        latest = bench.stats()["latest_task_failure"]
        assert shown in latest["exception"] and json.dumps(latest).isascii()
        assert bench.graph.run(outcome_of(task)) is type(error)


async def outcome_of(task: Any) -> type[BaseException] | None:
    try:
        await task
    except BaseException as error:
        return type(error)
    return None


def test_item_9_a_task_that_was_cancelled(bench: Bench) -> None:
    task = bench.spawn(sleep(LONG))
    waiting = bench.spawn(outcome_of(task))
    bench.at_rest(2)
    assert task.cancel()
    assert bench.graph.run(waiting) is RuntimeError
    with pytest.raises(RuntimeError, match=r"cancelled: cancel\(\) of this task was called"):
        bench.graph.run(task)


def test_item_9_who_awaits_a_task_can_be_cancelled_without_it(bench: Bench) -> None:
    gate: Any = Future()
    task = bench.spawn(value(5, after=gate))
    waiting = bench.spawn(gather(task))
    bench.at_rest(2)
    assert waiting.cancel()
    wait_until(waiting.done, "the task that waited")
    assert not task.done()
    gate.set_result(None)
    assert bench.graph.run(task) == 5


def test_item_9_a_task_that_awaits_itself(bench: Bench) -> None:
    itself: Any = Future()

    async def work() -> None:
        await (await itself)

    task = bench.spawn(work())
    itself.set_result(task)
    with pytest.raises(RuntimeError, match="this Task awaits itself"):
        bench.graph.run(task)
    assert "this Task awaits itself" in bench.graph.text()


def test_item_9_a_fop_that_awaits_a_dead_task_is_answered(bench: Bench) -> None:
    task = bench.spawn(raising(after=to_thread(len, ())))

    async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
        await task
        return await getattr(self.child, name)(*args)

    asked = bench.graph.probe.child.stat(bench.loc())
    bench.tasks.answer = answer
    try:
        assert bench.graph.run(outcome(asked))[:2] == ("error", errno.EIO)
    finally:
        bench.tasks.answer = lambda *args: None


def test_item_9_a_fop_that_awaits_a_task_when_the_graph_goes(trusted: Any) -> None:
    """The task is cancelled; the fop, which nothing else would ever let go on, is answered."""
    source = """
import glupy
from glupy import Translator

class Author(Translator):
    def init(self):
        self.waits = glupy.Future()
        self.task = self.spawn(glupy.sleep(10000))

    async def getxattr(self, frame, loc, name, xdata):
        if name != "user.waits":
            return self.child.getxattr(loc, name, xdata)
        self.waits.set_result(None)
        await self.task
"""
    (trusted / "author.py").write_text(source)
    layers = [layer("sink", "glupytest/sink"), layer("author", "features/glupy", module="author"),
              layer("caller", "user/scripted")]
    answered: list[Any] = []

    async def noted(self: Any, name: str, frame: Any, *args: Any) -> Any:
        answered.append((await outcome(getattr(self.child, name)(*args)))[:2])
        raise PermissionError

    with Graph(layers, folder=trusted, expected=("cancelled: the graph of this translator has gone",)) as graph:
        graph.translator("caller").answer = noted
        graph.probe.spawn(graph.child.getxattr(Loc("/", inode=graph.probe.itable.root), "user.waits"))
        graph.run(graph.translator("author").waits)
    assert answered == [("error", errno.EIO)]
