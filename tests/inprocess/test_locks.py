"""Mutex, Semaphore, Flag, Queue and inode.lock(): one at a time, in order, and nothing is left of those who give up."""

from __future__ import annotations

import gc
import re
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from glupy import Flag, Future, Inode, Loc, Mutex, Queue, Semaphore, gather, sleep, to_thread
from hypothesis import given, settings
from hypothesis import strategies as st
from support import calls, memory
from support.graph import Graph
from support.tasks import LONG, Bench, Thing, all_gone
from support.volfiles import layer
from support.waiting import wait_until

MODES = {"thread": 15, "late": 10, "early_thread": 5, "order": 10, "error": 10, "delay": 1}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench("locks") as bench:
        yield bench


def done(tasks: list[Any]) -> None:
    wait_until(lambda: all(task.done() for task in tasks), "the tasks")


class Inside:
    """How many are inside, and how many were at most."""

    def __init__(self) -> None:
        self.now = self.most = self.times = 0

    def __enter__(self) -> None:
        self.now += 1
        self.times += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *args: object) -> None:
        self.now -= 1


# A Mutex


def test_item_14_a_mutex_lets_one_in(bench: Bench) -> None:
    mutex, inside = Mutex("it"), Inside()

    async def work() -> None:
        for _ in range(20):
            async with mutex:
                with inside:
                    await sleep(0)

    done([bench.spawn(work()) for _ in range(20)])
    assert (inside.most, inside.times, mutex.locked()) == (1, 400, False)
    assert repr(mutex) == "<Mutex it, free>" and repr(Mutex()) == "<Mutex, free>"


def test_item_14_first_come_first_served(bench: Bench) -> None:
    mutex, order = Mutex(), []
    assert mutex.try_acquire() and not mutex.try_acquire() and repr(mutex) == "<Mutex, held>"

    async def work(number: int) -> None:
        async with mutex:
            order.append(number)

    tasks = []
    for number in range(30):
        tasks.append(bench.spawn(work(number)))
        bench.at_rest(number + 1)
    for number in (0, 7, 29):
        assert tasks[number].cancel()
    wait_until(lambda: tasks[29].done() and tasks[7].done() and tasks[0].done(), "the cancelled tasks")
    mutex.release()
    done(tasks)
    assert order == [number for number in range(30) if number not in (0, 7, 29)]
    assert mutex.try_acquire()
    mutex.release()
    with pytest.raises(RuntimeError, match="nobody holds this Mutex"):
        mutex.release()


def test_item_14_nobody_overtakes(bench: Bench) -> None:
    """Who has just given it back and asks again stands behind those who wait."""
    mutex, order = Mutex(), []

    async def greedy() -> None:
        async with mutex:
            await gate
        async with mutex:
            order.append("greedy")

    async def patient() -> None:
        async with mutex:
            order.append("patient")

    gate: Any = Future()
    first = bench.spawn(greedy())
    bench.at_rest(1)
    second = bench.spawn(patient())
    bench.at_rest(2)
    assert not mutex.try_acquire()
    gate.set_result(None)
    done([first, second])
    assert order == ["patient", "greedy"]


def test_item_14_what_was_granted_and_is_not_wanted_goes_on(bench: Bench) -> None:
    """A task is cancelled after it was given the lock, and before it could go on with it."""
    for kind in (Mutex, lambda: Semaphore(1)):
        lock: Any = kind()
        assert lock.try_acquire()

        async def take(lock: Any = lock) -> None:
            async with lock:
                pass

        async def hand_on(lock: Any = lock) -> None:
            lock.release()  # given to the first here ...
            assert tasks[0].cancel()  # ... which cannot have gone on, as this thread has not let go of Python

        tasks = [bench.spawn(take())]
        bench.at_rest(1)
        tasks += [bench.spawn(take())]
        bench.at_rest(2)
        tasks += [bench.spawn(hand_on())]
        done(tasks)
        assert lock.try_acquire()


def test_item_14_in_a_gather_that_is_given_up(bench: Bench) -> None:
    mutex = Mutex()

    async def both() -> None:
        await gather(mutex.acquire(), sleep(LONG))

    for _ in range(3):
        task = bench.spawn(both())
        bench.at_rest(1)
        assert mutex.locked()
        bench.cancelled([task])
        assert not mutex.locked()


@pytest.mark.parametrize("deep", [1, 2, 500])
def test_item_14_a_turn_in_a_gather_that_was_done(bench: Bench, deep: int) -> None:
    """All that the inner gathers wait for is there, but nobody has gone on with it."""
    mutex = Mutex()

    def nested() -> Any:
        inner: Any = mutex.acquire()
        for _ in range(deep):
            inner = gather(inner)
        return inner

    async def both() -> None:
        await gather(nested(), sleep(LONG))

    async def one() -> None:
        await nested()
        assert mutex.locked()
        mutex.release()

    task = bench.spawn(both())
    bench.at_rest(1)
    assert mutex.locked()
    bench.cancelled([task])
    assert not mutex.locked()
    bench.graph.run(one())
    assert not mutex.locked()


def test_item_14_a_turn_in_a_gather_that_is_done_and_not_gone_on_with(bench: Bench) -> None:
    """The last of its members is done, and its task is cancelled before it goes on."""
    first, last = Mutex(), Mutex()
    assert last.try_acquire()

    async def both() -> None:
        await gather(first.acquire(), last.acquire())

    async def hand_on() -> None:
        last.release()
        assert tasks[0].cancel()

    tasks = [bench.spawn(both())]
    bench.at_rest(1)
    tasks += [bench.spawn(hand_on())]
    done(tasks)
    wait_until(lambda: not first.locked() and not last.locked(), "both to be given back")


def test_item_14_a_turn_in_a_gather_that_fails(bench: Bench) -> None:
    """Nobody knows of it then, but who has asked to be told of failures as of results."""
    mutex = Mutex()

    async def bad() -> None:
        await sleep(0)
        raise ValueError

    async def ask() -> None:
        with pytest.raises(ValueError):
            await gather(mutex.acquire(), bad())
        assert not mutex.locked()
        turn = mutex.acquire()
        with pytest.raises(ValueError):
            await gather(turn, bad())
        await turn  # it was kept
        assert mutex.locked()
        mutex.release()
        await gather(gather(mutex.acquire()), bad(), return_exceptions=True)
        assert mutex.locked()
        mutex.release()
        await gather(gather(mutex.acquire(), bad()), return_exceptions=True)
        assert not mutex.locked()

    bench.graph.run(ask())


def test_item_14_an_await_that_is_dropped_gives_back(bench: Bench) -> None:
    semaphore = Semaphore(3)

    async def take() -> None:
        turn = semaphore.acquire()
        await gather(turn)
        await turn  # the same turn, once more: it stays one

    done([bench.spawn(take())])
    assert semaphore.value == 2
    semaphore.acquire()  # never awaited: nothing was taken
    assert semaphore.value == 2


def test_item_14_the_statedump_says_who_holds_it(bench: Bench) -> None:
    mutex, unnamed = Mutex("the index"), Mutex()
    gate: Any = Future()
    path, names = "/file" + 40 * "/a long name of a folder", iter(("holds it", "waits"))

    async def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
        async with mutex:
            await gate
        return await self.child.stat(args[0])

    async def holder() -> None:
        async with unnamed:
            await gate

    bench.tasks.answer = lambda self, name, *args: answer(self, name, *args) if name == "stat" else None
    stat = bench.graph.child.stat
    loc = calls.loc_of(bench.table, "file").replace(path=path)
    asked = [bench.graph.probe.spawn(stat(loc))]
    wait_until(mutex.locked, next(names))
    asked += [bench.graph.probe.spawn(stat(loc))]
    bench.at_rest(2)
    asked += [bench.spawn(holder())]
    bench.at_rest(3)
    asked += [bench.spawn(holder())]
    bench.at_rest(4)
    awaits = {one["awaits"] for one in bench.stats()["suspended"]["longest"]}
    gate.set_result(None)
    done(asked)
    bench.tasks.answer = lambda *args: None
    task = f"Mutex, held by task {holder.__qualname__}"
    (of_stat,) = awaits - {"Future", task}
    assert awaits == {"Future", task, of_stat}
    assert re.fullmatch(r"Mutex the index, held by stat of \.\.\..{80,}a long name of a folder \(unique \d+\)", of_stat)


def test_item_14_a_million_locks_take_no_memory(bench: Bench, scale: int) -> None:
    mutex, semaphore = Mutex(), Semaphore(2)
    inode = bench.table.root

    async def lock(count: int) -> None:
        for _ in range(count):
            async with mutex:
                pass
            async with semaphore:
                pass
            async with inode.lock():
                pass

    bench.graph.run(lock(1000))
    memory.trim()
    before = memory.resident()
    bench.graph.run(lock(1_000_000 // scale))
    memory.assert_flat(before, 4 << 20)


def test_item_14_uncontended_locks_make_no_object(bench: Bench) -> None:
    mutex = Mutex()
    assert mutex.__aenter__() is Semaphore().__aenter__() is mutex.__aexit__(None, None, None)


# An inode's


def test_item_14_an_inode_has_one_lock(bench: Bench) -> None:
    root, other = bench.table.root, bench.table.new()
    again = bench.table.root
    assert root is not again and root == again
    lock = root.lock()
    assert lock is again.lock() and lock is not other.lock()
    assert re.fullmatch(r"<Mutex of <Inode [-0-9a-f]{36}, type \d>, free>", repr(lock))


def test_item_14_each_translator_has_its_own(bench: Bench) -> None:
    mine: Inode = bench.table.root  # the probe's
    theirs: Inode = bench.tasks.itable.root
    assert mine == theirs and mine.lock() is not theirs.lock()


def test_item_14_an_inodes_lock_is_gone_when_nobody_has_it(bench: Bench) -> None:
    def locks() -> int:
        gc.collect()
        return sum(type(thing) is Mutex for thing in kept)

    inode = bench.table.new()
    before = inode.refs
    lock = inode.lock()
    assert lock.try_acquire() and inode.refs > before
    kept, number = [], id(lock)
    del lock
    assert id(inode.lock()) == number and inode.lock().locked() and not inode.lock().try_acquire()
    inode.lock().release()
    assert not locks()
    wait_until(lambda: inode.refs == before, "the lock's reference to the inode to go")


def test_item_14_an_inodes_lock_says_whom_it_waits_for(bench: Bench) -> None:
    inode = bench.table.root
    gate: Any = Future()

    async def hold() -> None:
        async with inode.lock():
            await gate

    tasks = [bench.spawn(hold()), bench.spawn(hold())]
    bench.at_rest(2)
    awaits = {one["awaits"] for one in bench.stats()["suspended"]["longest"]}
    assert awaits == {"Future", f"inode.lock(), held by task {hold.__qualname__}"}
    gate.set_result(None)
    done(tasks)


# Semaphore, Flag


def test_item_14_a_semaphore_lets_so_many_in(bench: Bench) -> None:
    semaphore, inside = Semaphore(3, "three"), Inside()

    async def work() -> None:
        for _ in range(10):
            async with semaphore:
                with inside:
                    await sleep(0.0001)

    done([bench.spawn(work()) for _ in range(20)])
    assert (inside.most, inside.times, semaphore.value) == (3, 200, 3)
    assert repr(semaphore) == "<Semaphore three, 3>"
    semaphore.release()
    assert semaphore.value == 4
    with pytest.raises(ValueError, match="0 or more"):
        Semaphore(-1)
    with pytest.raises(TypeError):
        Mutex(1)  # type: ignore[arg-type]


def test_item_14_a_flag_lets_all_go_on(bench: Bench) -> None:
    flag, seen = Flag("ready"), []

    async def work(number: int) -> None:
        await flag.wait()
        seen.append(number)

    tasks = [bench.spawn(work(number)) for number in range(20)]
    bench.at_rest(20)
    assert {one["awaits"] for one in bench.stats()["suspended"]["longest"]} == {"Flag ready"}
    assert tasks[3].cancel()
    wait_until(tasks[3].done, "the cancelled task")
    flag.set()
    flag.clear()
    done(tasks)
    assert len(seen) == 19 and not flag.is_set()
    late = bench.spawn(work(100))
    bench.at_rest(1)
    assert not late.done()
    flag.set()
    flag.set()
    done([late])
    done([bench.spawn(work(101))])
    assert flag.is_set() and repr(flag) == "<Flag ready, set>" and seen[-2:] == [100, 101]


# Queue


def test_item_14_a_queue_gives_what_it_got_in_order(bench: Bench) -> None:
    queue: Queue[int] = Queue(5)
    got: list[int] = []
    most = 0

    async def put() -> None:
        nonlocal most
        for number in range(100):
            await queue.put(number)
            most = max(most, len(queue))

    async def get() -> None:
        for _ in range(100):
            got.append(await queue.get())

    done([bench.spawn(put()), bench.spawn(get())])
    assert got == list(range(100)) and most <= 5 and not len(queue) and queue


def test_item_14_a_queue_without_waiting() -> None:
    queue: Queue[str] = Queue(2, "names")
    assert queue.try_get() is None and queue.try_get("none") == "none"
    assert queue.try_put("a") and queue.try_put("b") and not queue.try_put("c")
    assert repr(queue) == "<Queue names, 2 of 2>"
    assert [queue.try_get() for _ in range(3)] == ["a", "b", None]
    with pytest.raises(ValueError, match="1 or more"):
        Queue(0)


def test_item_14_who_is_cancelled_has_put_in_and_taken_out_nothing(bench: Bench) -> None:
    queue: Queue[Any] = Queue(1, "one")
    takers = [bench.spawn(queue.get()) for _ in range(3)]
    bench.at_rest(3)
    assert {one["awaits"] for one in bench.stats()["suspended"]["longest"]} == {"Semaphore one: items"}
    bench.cancelled(takers)
    assert queue.try_put("first")
    things = [Thing() for _ in range(3)]
    kept = [weakref.ref(thing) for thing in things]
    givers = [bench.spawn(queue.put(thing)) for thing in things]
    things.clear()
    bench.at_rest(3)
    bench.cancelled(givers)
    all_gone(kept)
    assert queue.try_get() == "first" and queue.try_get() is None and queue.try_put("next")


# From everywhere, whatever is cancelled whenever

ACTIONS = st.lists(st.tuples(st.sampled_from(("mutex", "semaphore", "inode", "put", "get", "flag", "gathered")),
                             st.sampled_from(("nothing", "a wind", "a moment", "a thread"))), min_size=1, max_size=5)
TASKS = st.lists(st.tuples(ACTIONS, st.booleans()), min_size=2, max_size=12)


class Shop:
    """One of each, and what is true of them all the time."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.mutex, self.semaphore, self.flag = Mutex(), Semaphore(2), Flag()
        self.queue: Queue[int] = Queue(2)
        self.inode = bench.table.new()
        self.inside = {"mutex": Inside(), "semaphore": Inside(), "inode": Inside()}
        self.put, self.got = 0, 0

    async def wait(self, what: str) -> None:
        match what:
            case "a wind":
                await gather(self.bench.wind(), return_exceptions=True)
            case "a moment":
                await sleep(0.0005)
            case "a thread":
                await to_thread(len, ())

    async def do(self, action: str, what: str) -> None:
        match action:
            case "put":
                await self.queue.put(1)
                self.put += 1
            case "get":
                await self.queue.get()
                self.got += 1
            case "flag":
                await self.flag.wait()
            case "gathered":
                await gather(self.do("mutex", what), self.do("semaphore", what))
            case _:
                lock: Any = self.inode.lock() if action == "inode" else getattr(self, action)
                async with lock:
                    with self.inside[action]:
                        await self.wait(what)

    async def run(self, actions: list[tuple[str, str]]) -> None:
        for action, what in actions:
            await self.do(action, what)


@pytest.fixture(scope="module")
def chaos() -> Iterator[Bench]:
    with Bench("shop", **MODES) as bench:
        yield bench


@settings(deadline=None)
@given(tasks=TASKS)
def test_item_14_locks_under_cancelling(chaos: Bench, tasks: list[tuple[list[tuple[str, str]], bool]]) -> None:
    shop = Shop(chaos)
    running = [(chaos.spawn(shop.run(actions)), cancel) for actions, cancel in tasks]
    canceller = threading.Thread(target=lambda: [task.cancel() for task, cancel in running if cancel])
    canceller.start()
    shop.flag.set()
    canceller.join()
    wait_until(lambda: all(task.done() for task, cancel in running if cancel), "the cancelled tasks to be done")

    def settled() -> bool:
        """Those that are left put in without anybody's taking out, or the other way round: they are served from here."""
        shop.queue.try_put(1) if shop.queue.try_get() is None else None
        return all(task.done() for task, _ in running)

    wait_until(settled, "all tasks to be done")
    assert {name: inside.now for name, inside in shop.inside.items()} == dict.fromkeys(shop.inside, 0)
    assert shop.inside["mutex"].most <= 1 and shop.inside["inode"].most <= 1 and shop.inside["semaphore"].most <= 2
    assert shop.mutex.try_acquire() and shop.inode.lock().try_acquire() and shop.semaphore.value == 2
    shop.inode.lock().release()
    while shop.queue.try_get() is not None:
        pass
    assert shop.queue.try_put(1) and shop.queue.try_put(1) and not shop.queue.try_put(1)


def test_item_14_fops_from_many_threads(scale: int) -> None:
    """Applications' operations on all of GlusterFS's threads, with a lock of the file and one of the translator."""
    inside, each = Inside(), Inside()

    with Graph([layer("sink", "glupytest/sink"), layer("chaos", "glupytest/chaos", **{**MODES, "error": 0}),
                layer("locked", "user/scripted")]) as graph:
        translator, mutex = graph.translator("locked"), Mutex()

        async def locked(self: Any, name: str, frame: Any, loc: Any, *rest: Any) -> Any:
            async with loc.inode.lock():
                with inside:
                    reply = await self.child.stat(loc)
            async with mutex:
                with each:
                    await sleep(0)
            return reply

        translator.answer = lambda self, name, *args: locked(self, name, *args) if name == "stat" else None
        root = Loc("/", inode=graph.probe.itable.root)

        async def ask(count: int) -> None:
            await gather(*[graph.child.stat(root) for _ in range(count)])

        tasks = [graph.probe.spawn(ask(200 // scale)) for _ in range(5)]
        done(tasks)
        translator.answer = lambda *args: None
        graph.run(gather(*tasks))
    assert (inside.now, each.now) == (0, 0) and inside.times == each.times == 5 * (200 // scale)
    assert inside.most == each.most == 1
