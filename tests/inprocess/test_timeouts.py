"""timeout() and wait_for(): what is awaited for too long is given up, also a wind, whose late reply touches nobody."""

from __future__ import annotations

import errno
import gc
import os
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from glupy import Flag, Future, Mutex, Queue, Timeout, _core, fail, gather, sleep, timeout, to_thread, wait_for
from hypothesis import given, settings
from hypothesis import strategies as st
from support import calls, memory
from support.tasks import LONG, Bench, Thing, all_gone, no_thread_left
from support.waiting import wait_until

#: References to the inode of a Loc that nobody uses: its own, and that of the Inode through which one looks.
UNUSED = 2

SHORT = 0.02
MODES = {"thread": 15, "late": 15, "early_thread": 5, "order": 10, "error": 10, "delay": 2}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench("bench") as bench:
        yield bench


@pytest.fixture
def silent() -> Iterator[Bench]:
    """Nothing is answered before released()."""
    with Bench("silent", never=100) as bench:
        yield bench


async def holding(thing: Thing, what: Any) -> Any:
    return await what


def taken() -> Mutex:
    mutex = Mutex("taken")
    assert mutex.try_acquire()
    return mutex


WAITS: dict[str, Callable[[Bench], Any]] = {
    "future": lambda bench: Future(),
    "sleep": lambda bench: sleep(LONG),
    "to_thread": lambda bench: to_thread(len, ()),
    "gather": lambda bench: gather(sleep(LONG), Future(), gather(holding(Thing(), Future()), to_thread(len, ()))),
    "coroutine": lambda bench: holding(Thing(), holding(Thing(), Flag().wait())),
    "mutex": lambda bench: taken().acquire(),
    "queue": lambda bench: Queue[int](1).get(),
    "task": lambda bench: bench.other,
    "timeout": lambda bench: wait_for(sleep(LONG), LONG),
}


@pytest.mark.parametrize("waits", WAITS)
def test_item_14_whatever_is_awaited(bench: Bench, waits: str) -> None:
    things: list[weakref.ref[Any]] = []
    bench.other = bench.spawn(sleep(LONG))

    async def work() -> str:
        thing = Thing()
        things.append(weakref.ref(thing))
        try:
            await wait_for(holding(thing, WAITS[waits](bench)), SHORT)
        except TimeoutError as error:
            assert error.errno == errno.ETIMEDOUT and type(error) is TimeoutError
            return error.strerror
        return "it came"

    with no_thread_left(bench):
        tasks = [bench.spawn(work()) for _ in range(20)]
        wait_until(lambda: all(task.done() for task in tasks), "the tasks")
        said = {bench.graph.run(holding(Thing(), task)) for task in tasks}
        bench.at_rest(2)  # the one that is awaited, and the one that keeps the threads
        all_gone(things)
    assert all(text.startswith("not done within 0.02 s: ") for text in said), said
    bench.cancelled([bench.other])


def test_item_14_what_comes_in_time(bench: Bench) -> None:
    async def work() -> Any:
        async with timeout(LONG) as limit:
            assert type(limit) is Timeout
            first = await gather(to_thread(int, "3"), wait_for(sleep(0), LONG), wait_for(holding(Thing(), sleep(0)), None))
        reply = await wait_for(bench.wind(), LONG)
        return first, reply.op_ret, limit.expired

    assert bench.graph.run(work()) == ((3, None, None), 0, False)
    bench.at_rest(0)


def test_item_14_nobody_catches_it(silent: Bench) -> None:
    """The application has its errno, and is not asked to wait for the wind."""
    ended: list[str] = []

    async def stat(self: Any, name: str, frame: Any, loc: Any, *rest: Any) -> Any:
        try:
            async with timeout(SHORT):
                return await self.child.stat(loc)
        finally:
            ended.append(name)

    silent.tasks.answer = lambda self, name, *args: stat(self, name, *args) if name == "stat" else None
    loc = silent.loc()
    wait_until(lambda: loc.inode.refs == UNUSED, "what making it has left to go")
    with pytest.raises(TimeoutError, match="stat from|timed out"):
        silent.graph.run(silent.graph.child.stat(loc))
    assert ended == ["stat"]
    stats = silent.stats()
    assert stats["in_flight"] == 0 and stats["suspended"]["count"] == 0
    silent.tasks.answer = lambda *args: None
    silent.released()
    wait_until(lambda: loc.inode.refs == UNUSED, "what the late wind held to go")


def test_item_14_late_replies_leave_nothing(silent: Bench, scale: int) -> None:
    """Replies with references (an fd, inodes, xdata) that come when nobody waits for them."""
    count = 2000 // scale
    loc = silent.loc()
    parent = silent.table.root

    async def work() -> None:
        fd = _core.Fd.create(loc.inode)
        results = await gather(
            *[wait_for(silent.tasks.child.open(loc, os.O_RDWR, fd), SHORT) for _ in range(count)],
            wait_for(silent.tasks.child.lookup(loc), SHORT),
            wait_for(silent.tasks.child.create(calls.loc_of(silent.table, "new"), 0, 0o644, 0, fd), SHORT),
            wait_for(gather(silent.wind(), sleep(LONG)), SHORT), return_exceptions=True)
        assert {type(result) for result in results} == {TimeoutError}

    wait_until(lambda: loc.inode.refs == UNUSED, "what making it has left to go")
    root = parent.refs
    silent.graph.run(work())
    assert silent.stats()["suspended"]["count"] == 0
    silent.released()

    def gone() -> bool:
        gc.collect()
        return bool(loc.inode.refs == UNUSED and parent.refs <= root)

    wait_until(gone, "all references to go")
    assert loc.inode.fd_count == 0


def test_item_14_winds_that_come_back_as_the_graph_ends() -> None:
    """Nobody waited for them any more but the graph."""
    with Bench("silent", never=100) as bench:
        assert bench.graph.run(gather(*[caught(wait_for(bench.wind(), SHORT)) for _ in range(50)])) == (True,) * 50
        bench.graph.run(bench.graph.child.ipc(0x63686F73))


async def caught(what: Any) -> bool:
    try:
        await what
    except TimeoutError:
        return True
    return False


def test_item_14_within_each_other(bench: Bench) -> None:
    seen: list[Any] = []

    async def work(outer_seconds: float, inner_seconds: float) -> None:
        async with timeout(outer_seconds) as outer:
            try:
                async with timeout(inner_seconds) as inner:
                    await sleep(LONG)
            except TimeoutError:
                seen.append((outer.expired, inner.expired))
                await sleep(0)
            seen.append("went on")

    bench.graph.run(work(LONG, SHORT))
    assert seen == [(False, True), "went on"]
    seen.clear()
    bench.graph.run(work(SHORT, LONG))
    assert seen == [(True, False), "went on"]


def test_item_14_once_and_no_more(bench: Bench) -> None:
    """Who catches it inside goes on; nothing is limited any more afterwards."""

    async def work() -> list[bool]:
        seen = []
        async with timeout(SHORT):
            seen.append(await caught(sleep(LONG)))
            seen.append(await caught(sleep(2 * SHORT)))
        seen.append(await caught(sleep(2 * SHORT)))
        return seen

    assert bench.graph.run(work()) == [True, False, False]


def test_item_14_time_that_is_over_while_it_computes(bench: Bench) -> None:
    """The next thing that it begins is not begun."""
    seen = bench.seen["stat"]

    async def work() -> bool:
        async with timeout(SHORT):
            await gather(sleep(SHORT / 2), to_thread(len, ()))
            time.sleep(2 * SHORT)
            await sleep(0)  # the alarm is handed out here at the latest
            return await caught(bench.wind())

    async def again() -> bool:
        try:
            return await work()
        except TimeoutError:
            return True

    assert bench.graph.run(again()) is True
    assert bench.seen["stat"] == seen


def test_item_14_each_coroutine_of_a_gather_has_its_own(bench: Bench) -> None:
    async def one(seconds: float, what: Any) -> str:
        try:
            async with timeout(seconds):
                await what
        except TimeoutError:
            return "late"
        return "in time"

    async def all_of_them() -> Any:
        return await gather(one(SHORT, sleep(LONG)), one(LONG, sleep(SHORT)), one(SHORT, bench.wind()),
                            one(LONG, gather(one(SHORT, Future()), sleep(0))))

    assert bench.graph.run(all_of_them()) == ("late", "in time", "in time", "in time")
    bench.at_rest(0)


def test_item_14_a_task_that_is_awaited_goes_on(bench: Bench) -> None:
    future: Any = Future()
    task = bench.spawn(holding(Thing(), future))
    assert bench.graph.run(caught(wait_for(task, SHORT)))
    assert not task.done()
    future.set_result("value")
    assert bench.graph.run(holding(Thing(), task)) == "value"


def test_item_14_finally_clauses_run(bench: Bench) -> None:
    ended: list[str] = []

    async def inner(name: str, what: Any) -> None:
        try:
            await what
        finally:
            ended.append(name)

    assert bench.graph.run(caught(wait_for(inner("a", gather(inner("b", sleep(LONG)), inner("c", Future()))), SHORT)))
    assert ended == ["b", "c", "a"] or ended == ["c", "b", "a"]


def test_item_14_cancelled_inside(bench: Bench) -> None:
    tasks = [bench.spawn(wait_for(gather(wait_for(sleep(LONG), LONG), Future()), LONG)) for _ in range(20)]
    bench.at_rest(20)
    bench.cancelled(tasks)


def test_item_14_by_the_clock_of_tests(bench: Bench) -> None:
    _core._clock_hold()
    try:
        task = bench.spawn(caught(wait_for(Future(), 3600)))
        wait_until(lambda: len(_core._clock_due()) == 1, "the time limit")
        assert not task.done()
        assert _core._clock_move(_core._clock_now() + 3600 * 10**9)
        wait_until(task.done, "the task")
    finally:
        _core._clock_release()
    assert bench.graph.run(holding(Thing(), task)) is True


def test_item_14_wrong_uses(bench: Bench) -> None:
    async def awaits() -> None:
        await timeout(1)  # type: ignore[misc]

    async def twice() -> None:
        limit = timeout(LONG)
        async with limit:
            async with limit:
                pass

    for seconds in (-1, float("nan"), 1e10):
        with pytest.raises(ValueError, match="timeout"):
            timeout(seconds)
    with pytest.raises(TypeError):
        timeout("1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="async with"):
        bench.graph.run(awaits())
    with pytest.raises(RuntimeError, match="used already"):
        bench.graph.run(twice())
    with pytest.raises(RuntimeError, match="only in a coroutine"):
        timeout(1).__aenter__()
    bench.at_rest(0)


def test_item_14_limits_take_no_memory(bench: Bench, scale: int) -> None:
    async def work(count: int) -> None:
        for _ in range(count):
            await wait_for(sleep(0), LONG)
            await caught(wait_for(Future(), 0))

    bench.graph.run(work(1000))
    memory.trim()
    before = memory.resident()
    bench.graph.run(work(60_000 // scale))
    memory.assert_flat(before, 8 << 20)


# Whatever, whenever

LEAVES = ("a moment", "for ever", "a future", "a wind", "a lock", "a thread")
TREES: Any = st.recursive(st.sampled_from(LEAVES), lambda inner: st.tuples(
    st.sampled_from(("gathered", "limited", "tolerant", "one after another")), st.floats(0, 0.004),
    st.lists(inner, min_size=1, max_size=3)), max_leaves=10)


class Run:
    def __init__(self, bench: Bench) -> None:
        self.bench, self.mutex, self.future = bench, Mutex(), Future()
        self.things: list[weakref.ref[Any]] = []
        self.inside = 0

    async def lock(self) -> None:
        async with self.mutex:
            await sleep(0.001)

    def made(self, tree: Any) -> Any:
        match tree:
            case "a moment":
                return sleep(0.001)
            case "for ever":
                return sleep(LONG)
            case "a future":
                return self.future
            case "a wind":
                return self.bench.wind()
            case "a lock":
                return self.lock()
            case "a thread":
                return to_thread(len, ())
            case (how, seconds, parts):
                return self.held(how, seconds, parts)

    async def held(self, how: str, seconds: float, parts: list[Any]) -> None:
        thing = Thing()
        self.things.append(weakref.ref(thing))
        self.inside += 1
        try:
            if how == "limited":
                async with timeout(seconds):
                    for part in parts:
                        await self.made(part)
            elif how == "tolerant":
                await gather(*[wait_for(self.made(part), seconds) for part in parts], return_exceptions=True)
            elif how == "gathered":
                await gather(*[self.made(part) for part in parts])
            else:
                for part in parts:
                    await self.made(part)
        finally:
            self.inside -= 1


@pytest.fixture(scope="module")
def chaos() -> Iterator[Bench]:
    with Bench("chaotic", **MODES) as bench:
        yield bench


@settings(deadline=None, max_examples=40)
@given(trees=st.lists(TREES, min_size=1, max_size=4), cancel=st.booleans())
def test_item_14_whatever_is_limited_whenever(chaos: Bench, trees: list[Any], cancel: bool) -> None:
    run = Run(chaos)

    async def attempt(tree: Any) -> None:
        try:
            await wait_for(run.made(tree), 0.01)
        except OSError:
            pass

    tasks = [chaos.spawn(attempt(tree)) for tree in trees]
    if cancel:
        tasks[0].cancel()
    wait_until(lambda: all(task.done() for task in tasks), "the tasks")
    assert run.inside == 0 and run.mutex.try_acquire()
    chaos.at_rest(0)
    all_gone(run.things)


@settings(deadline=None)
@given(seconds=st.lists(st.floats(0, 0.006), min_size=1, max_size=30))
def test_item_14_fops_whose_child_is_late(chaos: Bench, seconds: list[float]) -> None:
    """Each is answered once: with the reply, or with ETIMEDOUT while that is still to come."""
    left = list(seconds)

    async def stat(self: Any, name: str, frame: Any, loc: Any, *rest: Any) -> Any:
        try:
            return await wait_for(self.child.stat(loc), left.pop())
        except TimeoutError:
            return fail(errno.ETIMEDOUT)

    async def ask() -> Any:
        return await gather(*[chaos.graph.child.stat(loc) for _ in seconds], return_exceptions=True)

    loc = chaos.loc()
    chaos.tasks.answer = lambda self, name, *args: stat(self, name, *args) if name == "stat" else None
    results = chaos.graph.run(ask())
    chaos.tasks.answer = lambda *args: None
    assert len(results) == len(seconds)
    assert all(isinstance(result, OSError) or result.op_ret == 0 for result in results)
    stats = chaos.stats()
    assert stats["in_flight"] == stats["suspended"]["count"] == 0
