"""Children that answer late, early, elsewhere, out of order or never, under Python code that fails in every way: each
request is answered exactly once, and nothing is left over."""

from __future__ import annotations

import errno
import threading
from collections import Counter
from typing import Any

import glupy
import pytest
from glupy import gather
from support import calls, statedump
from support.graph import Graph
from support.volfiles import layer
from support.waiting import wait_until

pytestmark = pytest.mark.filterwarnings("ignore:.*was never wound")

REQUESTS = 100_000
BATCH = 220
THREADS = 4
#: ipc for chaos itself (tests/xlators/chaos.h).
RELEASE = 0x63686F73
#: What the Python code is made to do has its words in the log.
FAILURES = (
    r"on purpose", r"expected a reply, a wind", r"return the reply, or raise OSError", r"was answered with a",
    r"a fop cannot await", r"raised StopIteration", r"being awaited already",
)


async def one(child: Any, fop: str, arguments: Any, seen: Counter[Any]) -> None:
    """One request; how it was answered."""
    try:
        await getattr(child, fop)(*arguments)
    except OSError as error:
        seen[fop, error.errno] += 1
    else:
        seen[fop, 0] += 1


async def batch(graph: Graph, size: int, seen: Counter[Any]) -> None:
    """Requests of all fops at once."""
    table = graph.probe.itable
    made = [(fop, calls.arguments(fop, table)) for fop in glupy.FOPS]
    await gather(*[one(graph.child, *made[number % len(made)], seen) for number in range(size)])


async def winds(graph: Graph, count: int) -> None:
    """The same without anything that would hold on to inodes, in a traceback say, once the winds are answered."""
    table = graph.probe.itable
    made = [(fop, calls.arguments(fop, table)) for fop in glupy.FOPS]
    drawn = [made[number % len(made)] for number in range(count)]
    gathered = gather(*[getattr(graph.child, fop)(*arguments) for fop, arguments in drawn], return_exceptions=True)
    made.clear()
    drawn.clear()
    await gathered


def requests(graph: Graph, count: int) -> Counter[Any]:
    """So many requests: from several threads, each in batches."""
    seen = [Counter[Any]() for _ in range(THREADS)]

    def work(number: int) -> None:
        left = count // THREADS
        while left > 0:
            graph.run(batch(graph, min(left, BATCH), seen[number]))
            left -= BATCH

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(seen, Counter[Any]())


def chaos(**options: object) -> list[Any]:
    return [layer("sink", "glupytest/sink"), layer("chaos", "glupytest/chaos", delay=1, **options)]


MODES = {"thread": 15, "late": 10, "early_thread": 2, "order": 10, "error": 10}


@pytest.mark.long
def test_every_request_is_answered_once_and_leaves_nothing(scale: int) -> None:
    count = REQUESTS // scale
    with Graph([*chaos(**MODES), layer("python", "user/chaotic")], expected=FAILURES) as graph:
        python = graph.translator("python")
        python.calm = False
        seen = requests(graph, 2000)
        python.kept = None
        before = statedump.at_rest(graph)
        seen += requests(graph, count)
        python.kept = None
        assert seen.total() == 2000 + count
        assert statedump.settled(graph, before) == {}
        for fop in glupy.FOPS:
            assert python.entered[fop] == sum(seen[key] for key in seen if key[0] == fop), fop
        assert {name for name in python.names if not python.ways[name]} == set()
        assert len({how for _, how in seen}) > 5, seen


def test_handlers_of_all_fops(scale: int) -> None:
    """any_fop, on GlusterFS's threads and on those that it may block."""
    count = REQUESTS // 10 // scale
    layers = [layer("offloaded", "user/any_offload", how="mixed"), layer("python", "user/any_pass", how="mixed")]
    with Graph([*chaos(**MODES), *layers]) as graph:
        requests(graph, 2000)
        before = statedump.at_rest(graph)
        seen = requests(graph, count)
        assert seen.total() == count and len({how for _, how in seen}) > 5, seen
        assert statedump.settled(graph, before) == {}


def test_what_was_never_answered_is_when_the_child_lets_go() -> None:
    count = 300
    with Graph([*chaos(never=100), layer("python", "user/pass_all")]) as graph:
        python = graph.translator("python")
        python.seen.clear()  # the root
        before = statedump.at_rest(graph)
        seen: list[Counter[Any]] = [Counter() for _ in range(3)]
        batches = [batch(graph, count, counter) for counter in seen]
        threads = [threading.Thread(target=graph.run, args=(work,), daemon=True) for work in batches]
        for thread in threads:
            thread.start()
        wait_until(lambda: python.seen.total() == 3 * count, "all requests to be wound")
        assert not any(seen)
        graph.run(graph.child.children[0].ipc(RELEASE))
        for thread in threads:
            thread.join()
        assert sum(seen, Counter()).total() == 3 * count
        assert {how for counter in seen for _, how in counter} == {errno.ENOTCONN}
        assert statedump.settled(graph, before) == {}


def test_what_was_never_answered_is_when_the_graph_ends() -> None:
    """libgfapi waits ten seconds for calls to end before it takes the graph down. The caller is a background task and
    ends with the graph; what it has asked the layers below ends as any call does."""
    count = 300
    seen: Counter[Any] = Counter()

    async def noted(self: Any, name: str, frame: Any, *args: Any) -> Any:
        try:
            return await getattr(self.child, name)(*args)
        except OSError as error:
            seen[error.errno] += 1
            raise

    layers = [layer("lower", "user/pass_all"), layer("middle", "user/scripted"), layer("upper", "user/pass_all")]
    with Graph([*chaos(never=100), *layers]) as graph:
        lower = graph.translator("lower")
        lower.seen.clear()  # the root
        graph.translator("middle").answer = noted
        graph.probe.spawn(winds(graph, count))
        wait_until(lambda: lower.seen.total() == count, "all requests to be wound")
        assert not seen
    assert seen == {errno.ENOTCONN: count}
