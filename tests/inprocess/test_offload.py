"""@offload: fop methods on threads of glupy's own, which they may block, and glupy.wait() in them."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import glupy
import pytest
from glupy import Fd, FstatReply
from support import calls, control
from support.graph import Graph
from support.plain import outcome
from support.sight import STATS, parsed
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until
from test_any_fop import after, every_fop_in_every_way, graph, stacked

WAYS = ["waits", "tail", "nothing", "gathers", "runs", "again"]
OURS = r" 0-python: python: "


def name_of(thread: int) -> str:
    """Looked up at the end: a thread begins to work before GlusterFS has given it its name."""
    return Path(f"/proc/self/task/{thread}/comm").read_text().strip()


@pytest.mark.parametrize("stack", ["same", "synctask16", "io-thread"])
def test_every_fop(stack: str) -> None:
    with stacked(stack, layer("python", "user/any_offload")) as through:
        every_fop_in_every_way(through, WAYS)
        threads = through.translator("python").threads
        assert {name_of(thread) for thread in threads} == {"glfs_glupyblk"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Graph]:
    with graph(layer("python", "user/any_scripted", handled="ipc"), expected=(OURS,)) as made:
        yield made


@pytest.fixture
def python(shared: Graph) -> Iterator[Graph]:
    shared.translator("python").seen.clear()
    yield shared
    shared.translator("python").blocking = None


def file_of(graph: Graph) -> Fd:
    fd: Fd = calls.argument("fstat", "fd", graph.probe.itable)
    return fd


async def many(graph: Graph, count: int) -> Any:
    fd = file_of(graph)
    return await glupy.gather(*[graph.child.fstat(fd) for _ in range(count)])


def test_sixty_four_at_once_and_the_rest_in_turn(python: Graph) -> None:
    """That many may block; what comes then waits, and other fops go on."""
    lock, reached, go_on = threading.Lock(), threading.Event(), threading.Event()
    inside, most = 0, 0

    def block(self: Any, *args: Any) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == 64:
                reached.set()
        go_on.wait()
        with lock:
            inside -= 1

    translator = python.translator("python")
    translator.blocking = block
    replies: list[Any] = []
    winder = threading.Thread(target=lambda: replies.extend(python.run(many(python, 200))))
    winder.start()
    assert reached.wait(PATIENCE)
    assert python.run(python.child.stat(calls.loc_of(python.probe.itable, "file"))).op_ret == 0
    assert translator.seen["its own fstat"] == 64
    go_on.set()
    winder.join()
    assert most == 64 and len(replies) == 200


def test_who_waits_takes_no_place() -> None:
    """More than 64 that wait for a wind to another layer that needs one of those threads: none of them hangs."""
    layers = [layer("below", "user/any_scripted", handled="ipc"), layer("above", "user/any_scripted", handled="ipc")]
    with graph(*layers) as two:
        gate = threading.Barrier(200)

        def wait_above(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
            return glupy.wait(self.child.fstat(fd, xdata))

        def meet(self: Any, *args: Any) -> None:
            time.sleep(0.001)

        two.translator("above").blocking, two.translator("below").blocking = wait_above, meet
        assert len(two.run(many(two, gate.parties))) == 200
        for _ in range(5):
            assert len(two.run(many(two, 100))) == 100
        two.translator("above").blocking = two.translator("below").blocking = None


def fails(kind: type[BaseException], *args: Any) -> Any:
    def answer(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
        raise kind(*args)
    return answer


def waits_for(value: Any) -> Any:
    def answer(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
        return glupy.wait(value)
    return answer


def waits_in_a_coroutine(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
    async def coroutine() -> Any:
        return glupy.wait(self.child.fstat(fd))
    return glupy.wait(coroutine())


def returns_a_coroutine_that_waits(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
    async def coroutine() -> Any:
        return glupy.wait(self.child.fstat(fd))
    return coroutine()


@pytest.mark.parametrize(("answer", "number", "logged"), [
    (fails(OSError, errno.EDQUOT, "no"), errno.EDQUOT, ""),
    (fails(FileNotFoundError), errno.ENOENT, ""),
    (fails(ValueError, "what"), errno.EIO, "ValueError: what"),
    (fails(SystemExit), errno.EIO, "SystemExit"),
    (lambda *args: 3, errno.EIO, "fstat returned 3"),
    (waits_for(3), errno.EIO, "TypeError: wait(): expected a wind, gather, Future, Task or coroutine, not 3"),
    (waits_in_a_coroutine, errno.EIO, "RuntimeError: wait() blocks: it is for methods with @glupy.offload"),
    (returns_a_coroutine_that_waits, errno.EIO, "RuntimeError: wait() blocks: it is for methods with @glupy.offload"),
])
def test_errors(python: Graph, answer: Any, number: int, logged: str) -> None:
    python.translator("python").blocking = answer
    before = python.text()
    with pytest.raises(OSError) as failed:
        python.run(python.child.fstat(file_of(python)))
    said = after(python, before)
    assert failed.value.errno == number
    assert logged in said and bool(logged) == ("fstat of '/filefd' failed" in said)


def test_error_of_the_child() -> None:
    """It is raised at the wait, and goes up as it came."""
    with Graph([layer("sink", "glupytest/sink", fail=errno.ENODATA, xdata="on"),
                layer("python", "user/any_offload")]) as through:
        both = [through.run(outcome(child.fstat(file_of(through)))) for child in (through.child, through.bottom)]
        assert both[0][:2] == ("error", errno.ENODATA) and both[0] == both[1]


def test_future_and_coroutine(python: Graph) -> None:
    """What another thread settles, and a coroutine that awaits more than once."""
    def answer(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
        settled = glupy.Future()
        threading.Timer(0.01, settled.set_result, [7]).start()
        assert glupy.wait(settled) == 7 == glupy.wait(settled)

        async def coroutine() -> Any:
            await glupy.sleep(0)
            first = await self.child.fstat(fd)
            (second,) = await glupy.gather(self.child.fstat(fd))
            return FstatReply(second.buf, first.xdata)

        return glupy.wait(coroutine())

    python.translator("python").blocking = answer
    fd = file_of(python)
    assert python.run(outcome(python.child.fstat(fd))) == python.run(outcome(python.bottom.fstat(fd)))


def test_identity(python: Graph) -> None:
    """The frame is the caller's, and as_user() holds for what is waited for."""
    who: list[Any] = []

    def answer(self: Any, frame: Any, fd: Any, xdata: Any) -> Any:
        who.append((frame.op, frame.uid, frame.pid))
        with frame.as_user(7, 8):
            glupy.wait(self.child.ipc(0))
        return glupy.wait(self.child.fstat(fd))

    python.translator("python").blocking = answer
    assert python.run(python.child.fstat(file_of(python))).op_ret == 0
    assert who[0][:2] == ("fstat", 0)


def test_wait_in_other_fops(python: Graph) -> None:
    """A method without @offload runs on a thread of GlusterFS's, which it must not block."""
    python.translator("python").answer = lambda self, frame, call: glupy.wait(call.wind())
    before = python.text()
    with pytest.raises(OSError) as failed:
        python.run(python.child.ipc(0))
    assert failed.value.errno == errno.EIO
    assert "RuntimeError: wait() blocks: it is for methods with @glupy.offload" in after(python, before)
    python.translator("python").answer = None


def test_kept_arguments(python: Graph) -> None:
    """They own their values when the request is over."""
    kept: list[Any] = []
    python.translator("python").blocking = lambda self, frame, fd, xdata: kept.append((fd, xdata))
    for number in range(20):
        python.run(python.child.fstat(file_of(python), {"n": number}))
    assert [xdata["n"] for _, xdata in kept] == list(range(20)) and kept[0][0].inode.path() == "/filefd"
    kept.clear()


# Beside what every fop takes part in: statistics, budget, enabled


@pytest.fixture
def watched() -> Iterator[Graph]:
    with graph(layer("control", "glupytest/control"),
               layer("watched", "user/any_scripted", handled="ipc,truncate", budget=0.05)) as made:
        yield made
        made.translator("watched").blocking = None


def stats_of(graph: Graph) -> Any:
    loc = calls.loc_of(graph.probe.itable, "file")
    return parsed(graph.run(graph.child.getxattr(loc, STATS, None)).dict[STATS])[0]


def test_one_that_waits_is_seen(watched: Graph) -> None:
    """It stands among the requests that wait, with the line at which it does, and in no counter of Python's time."""
    settled = glupy.Future()

    def answer(self: Any, *args: Any) -> None:
        glupy.wait(settled)

    watched.translator("watched").blocking = answer
    watched.probe._instance.spawn(outcome(watched.child.fstat(file_of(watched))))
    wait_until(lambda: stats_of(watched)["suspended"]["count"] == 1, "the request to wait")
    time.sleep(0.1)
    stats = stats_of(watched)
    (one,) = stats["suspended"]["longest"]
    line = answer.__code__.co_firstlineno + 1
    assert (one["fop"], one["path"], one["awaits"]) == ("fstat", "/filefd", "Future")
    assert one["at"].startswith(f"{__file__}:{line} in ") and one["at"].endswith(".answer")
    assert stats["fops"]["fstat"]["in_flight"] == 1 and stats["running"] == []
    settled.set_result(None)
    wait_until(lambda: not stats_of(watched)["fops"]["fstat"]["in_flight"], "the request to end")
    stats = stats_of(watched)
    assert stats["suspended"]["count"] == 0
    assert stats["fops"]["fstat"]["passed_on"] == 1 and stats["fops"]["fstat"]["waiting_us"] >= 100_000


def test_budget_is_for_those_that_must_not_block(watched: Graph) -> None:
    def notes() -> list[str]:
        return [text for _, text in watched.entries() if "without an await" in text]

    watched.translator("watched").blocking = lambda *args: time.sleep(0.3)
    watched.run(watched.child.fstat(file_of(watched)))
    assert not notes()
    watched.translator("watched").answer = lambda *args: time.sleep(0.3)
    watched.run(watched.child.truncate(calls.loc_of(watched.probe.itable, "file"), 0, None))
    wait_until(notes, "the note")
    watched.translator("watched").answer = lambda *args: None


def test_enabled(watched: Graph) -> None:
    """Off: neither the method nor any_fop is called, nor counted."""
    translator = watched.translator("watched")
    options = {"handled": "ipc,truncate", "budget": 0.05}

    def ask() -> tuple[int, int]:
        watched.run(watched.child.fstat(file_of(watched)))
        watched.run(watched.child.truncate(calls.loc_of(watched.probe.itable, "file"), 0, None))
        return translator.seen["its own fstat"], translator.seen["truncate"]

    assert ask() == (1, 1)
    control.reconfigure(watched, "watched", {**options, "enabled": "off"})
    assert ask() == (1, 1)
    control.reconfigure(watched, "watched", {**options, "enabled": "on"})
    assert ask() == (2, 2)
    assert [stats_of(watched)["fops"][fop]["calls"] for fop in ("fstat", "truncate")] == [2, 2]


def test_what_has_not_begun_at_the_end_passes_by() -> None:
    """A call that waits for a thread while fini() is called does not reach the translator any more; nor does its reply,
    though the inode without a gfid has a context, which would move by that reply."""
    gate, inside = threading.Event(), threading.Semaphore(0)

    def block() -> None:
        inside.release()
        gate.wait()

    with graph(layer("ending", "user/any_offload"), layer("top", "glupytest/control")) as made:
        ending, ended = made.translator("ending"), threading.Event()
        before = ending.seen["lookup"]
        ending.fini = ended.set
        loc = calls.new_loc(ending.itable, "newfile")
        assert loc.inode is not None
        loc.inode.ctx = "a context"
        results: list[Any] = []
        threads = [
            threading.Thread(target=made.run, args=(glupy.gather(*[glupy.to_thread(block) for _ in range(64)]),)),
            threading.Thread(target=lambda: results.append(made.run(outcome(made.child.lookup(loc))))),
        ]
        threads[0].start()
        for _ in range(64):
            inside.acquire()
        threads[1].start()
        wait_until(lambda: stats_of(made)["fops"].get("lookup", {}).get("in_flight") == 1, "the lookup to be queued")
        control.event(made, "ending", glupy.Event.PARENT_DOWN, through="top")
        assert ended.wait(PATIENCE) and not results
        gate.set()
        for thread in threads:
            thread.join()
        assert results == [made.run(outcome(made.bottom.lookup(loc)))]
        assert ending.seen["lookup"] == before
        del loc
