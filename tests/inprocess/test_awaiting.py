"""What a coroutine can wait for: winds, gathers, sleeps, threads, futures; in all orders, from all sides."""

from __future__ import annotations

import errno
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from glupy import Future, gather, sleep, to_thread
from support import calls
from support.graph import Graph
from support.plain import outcome
from support.volfiles import layer
from support.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore:.*was never wound")


class Failed(Exception):
    pass


class Bench:
    """A graph whose scripted layer the test's coroutines run in: `answer(self, loc, xdata)` answers a stat."""

    def __init__(self, child: str) -> None:
        layers = [layer("sink", "glupytest/sink", xdata="on")]
        if child != "sink":
            layers.append(layer("chaos", "glupytest/chaos", **{child: 100, "delay": 1}))
        layers += [layer("script", "user/scripted"), layer("caller", "glupytest/onstack", stack="io-thread")]
        self.graph = Graph(layers, expected=("on purpose", "being awaited already", "a fop cannot await"))

    def __enter__(self) -> Bench:
        self.graph.__enter__()
        self.script = self.graph.translator("script")
        return self

    def __exit__(self, *args: Any) -> None:
        del self.script
        self.graph.__exit__(*args)

    def ask(self, answer: Any) -> Any:
        """What a caller gets of it."""
        self.script.answer = lambda translator, name, frame, loc, xdata: answer(translator, loc, xdata)
        try:
            return self.graph.run(one_stat(self.graph))
        finally:
            self.script.answer = None

    def fine(self, answer: Any) -> None:
        """The coroutine has to get to its end."""
        ended = []

        async def whole(translator: Any, loc: Any, xdata: Any) -> Any:
            await answer(translator, loc)
            ended.append(True)
            return await translator.child.stat(loc, xdata)

        result = self.ask(whole)
        assert ended == [True], self.graph.text()[-3000:]
        assert result["xdata"] == {"sink": "stat"}


async def one_stat(graph: Graph) -> Any:
    return await outcome(graph.child.stat(calls.loc_of(graph.probe.itable, "file")))


@pytest.fixture(scope="module", params=["sink", "thread", "late", "early_thread"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(request.param) as bench:
        yield bench


async def raising(number: int, *, after: Any = None) -> None:
    if after is not None:
        await after
    raise Failed(number)


async def value(result: Any, *, after: Any = None) -> Any:
    if after is not None:
        await after
    return result


# gather


def test_gather_of_everything(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        future = Future()
        future.set_result("set")
        results = await gather(
            self.child.stat(loc), value(1), value(2, after=self.child.stat(loc)), sleep(0), sleep(0.0001),
            to_thread(sum, (1, 2)), future, gather(value(3), self.child.readlink(loc, 10)), gather(),
        )
        assert results[0].buf.ia_type == 1
        assert results[1:7] == (1, 2, None, None, 3, "set")
        assert results[7][0] == 3
        assert results[7][1].path == "sink-target"
        assert results[8] == ()

    bench.fine(answer)


def test_gather_gives_the_first_failure_in_the_order_given_when_all_have_ended(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        ended = []

        async def late() -> None:
            await self.child.stat(loc)
            await sleep(0.002)
            ended.append("late")

        try:
            await gather(late(), raising(1, after=sleep(0.001)), raising(2), self.child.stat(loc))
        except Failed as error:
            assert error.args == (1,)
        else:
            raise AssertionError
        assert ended == ["late"]

    bench.fine(answer)


def test_gather_return_exceptions(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        results = await gather(
            raising(1), value(2), raising(3, after=self.child.stat(loc)), self.child.stat(loc), return_exceptions=True
        )
        assert [type(result).__name__ for result in results] == ["Failed", "int", "Failed", "StatReply"]

    bench.fine(answer)


def test_gather_of_the_same_thing_twice(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        wind = self.child.stat(loc)
        results = await gather(wind, wind, return_exceptions=True)
        kinds = {type(result).__name__ for result in results}
        assert kinds <= {"StatReply", "RuntimeError"}
        assert "StatReply" in kinds
        both = gather(value(1), value(2))
        assert await both == await both == (1, 2)

    bench.fine(answer)


def test_gather_in_gather(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        async def tree(depth: int) -> int:
            if not depth:
                await self.child.stat(loc)
                return 1
            return sum(await gather(tree(depth - 1), tree(depth - 1), tree(depth - 1)))

        assert await tree(4) == 81

    bench.fine(answer)


def test_gather_of_very_many(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        replies = await gather(*[self.child.stat(loc) for _ in range(1000)])
        assert len({id(reply) for reply in replies}) == 1000

    bench.fine(answer)


@pytest.mark.parametrize("wrong", [1, None, "text", object(), [], iter([])])
def test_gather_of_what_cannot_be_awaited(wrong: Any) -> None:
    with pytest.raises(TypeError, match="cannot await"):
        gather(wrong)


# winds


def test_a_wind_awaited_again_gives_the_same_reply(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        wind = self.child.stat(loc)
        first = await wind
        assert await wind is first
        assert await gather(wind) == (first,)

    bench.fine(answer)


def test_a_wind_that_is_under_way_cannot_be_awaited_again(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        wind = self.child.stat(loc)
        results = await gather(value(1, after=wind), value(2, after=wind), return_exceptions=True)
        assert results[0] == 1
        assert results[1] == 2 or isinstance(results[1], RuntimeError)

    bench.fine(answer)


def test_a_wind_of_another_request(bench: Bench) -> None:
    """Once it is done it is a value like any other."""
    kept: list[Any] = []

    async def first(self: Any, loc: Any) -> None:
        kept.append(self.child.stat(loc))
        await kept[0]

    async def second(self: Any, loc: Any) -> None:
        assert (await kept[0]).buf.ia_type == 1

    bench.fine(first)
    bench.fine(second)
    kept.clear()


def test_wrong_arguments_of_a_wind(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        for wrong in (
            lambda: self.child.stat(), lambda: self.child.stat(loc, None, None), lambda: self.child.stat(loc=5),
            lambda: self.child.stat(loc, nothing=1), lambda: self.child.stat(loc, loc=loc),
            lambda: self.child.stat(loc, 5), lambda: self.child.truncate(loc, "1"),
            lambda: self.child.open(loc, 0, loc),
        ):
            with pytest.raises(TypeError):
                wrong()
        with pytest.raises(OverflowError):
            self.child.truncate(loc, 1 << 63)

    bench.fine(answer)


# what goes wrong


def test_exceptions_come_where_the_await_is(bench: Bench) -> None:
    class Foreign:
        def __await__(self) -> Any:
            yield "foreign"

    async def answer(self: Any, loc: Any) -> None:
        for wrong in (Foreign(), to_thread(int, "x"), gather(raising(1)), raising(2)):
            try:
                await wrong
            except (TypeError, ValueError, Failed):
                await self.child.stat(loc)
            else:
                raise AssertionError(wrong)

    bench.fine(answer)


def test_a_coroutine_driven_by_hand(bench: Bench) -> None:
    """What it has yielded is not begun; the author's mistake ends with the author."""

    async def answer(self: Any, loc: Any) -> None:
        inner = value(1, after=self.child.stat(loc))
        inner.send(None)
        with pytest.raises(RuntimeError):
            inner.send(None)
        inner.close()
        await self.child.stat(loc)

    bench.fine(answer)


def test_finally_and_async_with(bench: Bench) -> None:
    seen: list[str] = []

    class Lock:
        def __init__(self, child: Any, loc: Any) -> None:
            self.child, self.loc = child, loc

        async def __aenter__(self) -> None:
            await self.child.stat(self.loc)
            seen.append("enter")

        async def __aexit__(self, *error: Any) -> None:
            await self.child.stat(self.loc)
            seen.append("exit")

    async def answer(self: Any, loc: Any, xdata: Any) -> Any:
        async with Lock(self.child, loc):
            try:
                await self.child.stat(loc)
                raise OSError(errno.EACCES, "on purpose")
            finally:
                await self.child.stat(loc)
                seen.append("finally")

    assert bench.ask(answer)[:2] == ("error", errno.EACCES)
    assert seen == ["enter", "finally", "exit"]


def test_async_generators(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        async def replies(count: int) -> Any:
            for _ in range(count):
                yield await self.child.stat(loc)

        assert len([reply async for reply in replies(10)]) == 10

    bench.fine(answer)


# futures


def test_a_future_from_another_thread(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        for number in range(100):
            future = Future()
            thread = threading.Thread(target=future.set_result, args=(number,))
            if number % 2:
                thread.start()
                assert await future == number
            else:
                both = gather(future, value(None, after=to_thread(thread.start)))
                assert await both == (number, None)
            assert future.done()
            assert await future == number

    bench.fine(answer)


def test_a_future_that_fails(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        for after in (None, sleep(0.001), self.child.stat(loc)):
            future = Future()

            async def settle(future: Any = future, after: Any = after) -> None:
                if after is not None:
                    await after
                future.set_exception(Failed(1))

            results = await gather(future, settle(), return_exceptions=True)
            assert isinstance(results[0], Failed)
            with pytest.raises(Failed):
                await future

    bench.fine(answer)


def test_a_future_is_settled_once() -> None:
    future = Future()
    assert not future.done()
    future.set_result(None)
    assert future.done()
    for again in (lambda: future.set_result(1), lambda: future.set_exception(Failed())):
        with pytest.raises(RuntimeError):
            again()
    for wrong in (1, Failed, None):
        with pytest.raises(TypeError):
            Future().set_exception(wrong)


def test_a_future_between_two_requests(bench: Bench) -> None:
    """One fop waits until another has come."""
    future: Any = Future()

    async def answer(self: Any, loc: Any, xdata: Any) -> Any:
        reply = await self.child.stat(loc, xdata)
        if "first" in xdata:
            await future  # settled already, if the second was quicker
        else:
            future.set_result(None)
        return reply

    async def two() -> Any:
        loc = calls.loc_of(bench.graph.probe.itable, "file")
        child = bench.graph.child

        async def second() -> Any:
            await sleep(0.001)
            return await child.stat(loc)

        return len(await gather(child.stat(loc, {"first": 1}), second()))

    bench.script.answer = lambda self, name, frame, loc, xdata: answer(self, loc, xdata)
    assert bench.graph.run(two()) == 2
    bench.script.answer = None


def test_any_number_wait_for_the_same_future(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        for settled in ("set_result", "set_exception"):
            future, order = Future(), []

            async def wait(number: int, future: Any = future, order: Any = order) -> Any:
                try:
                    return await future
                finally:
                    order.append(number)

            async def settle(how: Any = getattr(future, settled)) -> None:
                await sleep(0.001)
                how(Failed(5))

            results = await gather(*map(wait, range(20)), future, settle(), return_exceptions=True)
            assert {type(result) for result in results[:-1]} == {Failed}
            assert order == [*range(20)]

    bench.fine(answer)


def test_an_exception_does_not_grow_with_those_who_get_it(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        future = Future()
        future.set_exception(Failed(1))

        async def depth() -> int:
            try:
                await future
            except Failed as error:
                return len([*traceback.walk_tb(error.__traceback__)])
            raise AssertionError

        assert {await depth() for _ in range(10)} == {1}

    bench.fine(answer)


# threads


def test_to_thread(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        here = threading.get_ident()
        assert await to_thread(threading.get_ident) != here
        assert await to_thread(lambda *, key: key, key=5) == 5
        assert await to_thread(lambda: loc.path) == "/file"
        results = await gather(*[to_thread(pow, 2, number) for number in range(50)])
        assert results == tuple(2**number for number in range(50))
        for wrong in (lambda: to_thread(), lambda: to_thread(5)):
            with pytest.raises(TypeError):
                wrong()

    bench.fine(answer)


def test_run_refuses_to_block_a_fop(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        coroutine = value(1)
        with pytest.raises(RuntimeError, match="await"):
            self._instance.run(coroutine)
        coroutine.close()

    bench.fine(answer)


def test_run_from_a_thread_of_the_authors_own(bench: Bench) -> None:
    async def answer(self: Any, loc: Any) -> None:
        async def work() -> Any:
            return (await self.child.stat(loc)).op_ret

        assert await gather(*[to_thread(self._instance.run, work()) for _ in range(20)]) == (0,) * 20

    bench.fine(answer)


def test_spawn_goes_on_after_the_answer(bench: Bench) -> None:
    done = threading.Event()
    seen: list[Any] = []

    async def answer(self: Any, loc: Any) -> None:
        async def later() -> None:
            await sleep(0.002)
            seen.append((await self.child.stat(loc)).op_ret)
            done.set()

        self.spawn(later())

    bench.fine(answer)
    assert done.wait(PATIENCE)
    assert seen == [0]


@pytest.mark.parametrize("wrong", [-1, 1e10, float("nan"), "1", None])
def test_wrong_sleeps(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        glupy.sleep(wrong)
