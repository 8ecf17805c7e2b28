"""What an administrator sees of a translator at work: counters that add up, requests at rest, in every form alike."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from glupy import Fd, Future, gather, sleep, to_thread
from support import calls, statedump
from support.graph import Graph, settle
from support.plain import outcome
from support.sight import STATS, flat, parsed, section, timeless
from support.volfiles import layer
from support.waiting import wait_until

pytestmark = pytest.mark.filterwarnings("ignore:.*was never wound")

ODD = os.fsdecode(b'/od\nd \xff\xc3\xa9 "\\ \xed\xa0\x80\x7f')


class Failed(Exception):
    pass


class Bench:
    """sink, chaos that answers late, two scripted layers."""

    def __init__(self, **chaos: object) -> None:
        self.graph = Graph(
            [layer("sink", "glupytest/sink"), layer("chaos", "glupytest/chaos", **chaos),
             layer("lower", "user/scripted"), layer("script", "user/scripted", log_level="INFO")],
            expected=("on purpose", r"stat returned 7", r"0-chaos: "),
        )

    def __enter__(self) -> Bench:
        self.graph.__enter__()
        self.script = self.graph.translator("script")
        self.answer: Callable[..., Any] | None = None
        self.script.answer = lambda translator, name, *args: (
            self.answer(translator, *args) if self.answer and name not in ("getxattr", "fgetxattr") else None)
        self.loc = calls.loc_of(self.graph.probe.itable, "file")
        return self

    def __exit__(self, *args: Any) -> None:
        self.answer = None
        del self.script, self.loc
        self.graph.__exit__(*args)

    def value(self, name: str = STATS) -> bytes:
        """The attribute, as it is."""
        reply = self.graph.run(self.graph.child.getxattr(self.loc, name, None))
        value: bytes = reply.dict[name]
        return value

    def stats(self, layer: str = "script") -> Any:
        return parsed(self.value(f"{STATS}.{layer}"))

    def dump(self, layer: str = "script") -> dict[str, str]:
        return section(statedump.text(self.graph), layer)

    def at_rest(self, count: int) -> Any:
        """The report, once so many requests rest."""
        wait_until(lambda: self.stats()["suspended"]["count"] == count, f"{count} requests to rest")
        return self.stats()

    def release(self, futures: list[Future]) -> None:
        """The fops that rest go on and end."""
        for future in futures:
            future.set_result(None)
        wait_until(lambda: not any(fop["in_flight"] for fop in self.stats()["fops"].values()), "all requests to end")


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


# Counters

#: By how the translator ends a stat: what is counted.
ENDINGS: dict[str, tuple[str, str | None, int]] = {
    "reply": ("succeeded", None, 0), "late": ("succeeded", None, 0), "ENOENT": ("failed", "ENOENT", 0),
    "EACCES": ("failed", "EACCES", 0), "late EDQUOT": ("failed", "EDQUOT", 0), "raise": ("failed", "EIO", 1),
    "seven": ("failed", "EIO", 1), "late raise": ("failed", "EIO", 1), "none": ("passed_on", None, 0),
    "tail": ("passed_on", None, 0),
}


async def coroutine(translator: Any, how: str, loc: Any) -> Any:
    if how.startswith("late"):
        await sleep(0.001)
    reply = await translator.child.stat(loc, None)
    if how.endswith("raise"):
        raise Failed("on purpose")
    if how[-1].isupper():
        raise OSError(getattr(errno, how.split()[-1]), "on purpose")
    return 7 if how == "seven" else reply


def ending(translator: Any, frame: Any, loc: Any, xdata: Any) -> Any:
    """A stat says in its path how it wants to end."""
    how = loc.path.removeprefix("/")
    if how == "none":
        return None
    return translator.child.stat(loc, xdata) if how == "tail" else coroutine(translator, how, loc)


def test_counters_add_up(bench: Bench) -> None:
    """From several threads, with failures of all kinds: every call is in exactly one counter."""
    bench.answer = ending
    plan = [how for how, times in zip(ENDINGS, itertools.cycle((7, 11, 23))) for _ in range(times)]
    random.Random(1).shuffle(plan)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda how: bench.graph.run(outcome(bench.graph.child.stat(bench.loc.replace(path=f"/{how}"), None))),
                      plan))
    want = Counter(ENDINGS[how][0] for how in plan)
    stats = bench.stats()
    stat = stats["fops"]["stat"]
    assert stat["calls"] == len(plan)
    assert {key: stat[key] for key in ("succeeded", "failed", "passed_on")} == want
    assert stat["errors"] == Counter(name for how in plan if (name := ENDINGS[how][1]))
    assert stat["exceptions"] == sum(ENDINGS[how][2] for how in plan)
    assert stat["in_flight"] == stat["refused"] == stats["in_flight"] == stats["suspended"]["count"] == 0
    assert stat["python_us"] > 0
    assert stat["waiting_us"] >= 1000 * sum(how.startswith("late") for how in plan)
    assert "getxattr" not in stats["fops"], "looking is not counted"
    assert bench.stats("lower")["fops"]["stat"]["calls"] == len(plan)


def test_tasks(bench: Bench) -> None:
    async def fails() -> None:
        raise Failed("on purpose")

    for coroutine in (settle(), settle(), fails()):
        bench.script._instance.spawn(coroutine)
    wait_until(lambda: not bench.stats()["tasks"]["in_flight"], "the tasks to end")
    tasks = bench.stats()["tasks"]
    assert [tasks[key] for key in ("calls", "succeeded", "failed", "exceptions")] == [3, 2, 1, 1]


def test_python_time_is_time_in_python(bench: Bench) -> None:
    """Time in the translator's code and time that it waits are kept apart."""
    ended = threading.Event()

    def busy(translator: Any, frame: Any, loc: Any, xdata: Any) -> None:
        ended.wait(0.1)

    async def idle(translator: Any, loc: Any) -> Any:
        await sleep(0.5)  # on a busy machine, part of it is over before the wait begins
        return await translator.child.stat(loc, None)

    bench.answer = busy
    bench.graph.run(bench.graph.child.stat(bench.loc, None))
    stat = bench.stats()["fops"]["stat"]
    assert stat["python_us"] >= 50_000 > stat["waiting_us"]
    bench.answer = lambda translator, frame, *args: idle(translator, args[0])
    bench.graph.run(bench.graph.child.stat(bench.loc, None))
    assert bench.stats()["fops"]["stat"]["waiting_us"] >= 50_000


# Requests at rest


async def helper(future: Future) -> None:
    await future  # here they rest


HERE = helper.__code__.co_firstlineno + 1


def test_a_thousand_at_rest(bench: Bench) -> None:
    futures: list[Future] = [Future() for _ in range(1000)]
    waiting = iter(futures)

    async def rest(translator: Any, loc: Any) -> Any:
        await helper(next(waiting))
        return await translator.child.stat(loc, None)

    bench.answer = lambda translator, frame, *args: rest(translator, args[0])
    for number in range(1000):
        path = f"/file{number}" if number % 2 else ODD
        bench.graph.probe._instance.spawn(outcome(bench.graph.child.stat(bench.loc.replace(path=path), None)))
    stats = bench.at_rest(1000)
    assert stats["fops"]["stat"]["in_flight"] == stats["in_flight"] == 1000
    suspended = stats["suspended"]
    assert suspended["shown"] == len(suspended["longest"]) == 100
    assert {one["fop"] for one in suspended["longest"]} == {"stat"}
    assert {one["awaits"] for one in suspended["longest"]} == {"Future"}
    assert {one["at"] for one in suspended["longest"]} == {f"{__file__}:{HERE} in helper"}
    assert {one["uid"] for one in suspended["longest"]} == {0}
    assert {ODD} <= {one["path"] for one in suspended["longest"]} <= {ODD, *(f"/file{n}" for n in range(1000))}
    assert all(one["age_us"] >= one["resting_us"] for one in suspended["longest"])
    # The same in the statedump, one line a value.
    dump = bench.dump()
    first = [one["path"] for one in suspended["longest"]].index(ODD)
    assert dump[f"suspended.longest.{first}.path"] == (
        ODD.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        .replace("\\", "\\x5c").replace("\n", "\\x0a").replace("\x7f", "\\x7f"))
    assert dump["suspended.count"] == "1000"
    bench.release(futures)
    assert bench.stats()["suspended"] == {"count": 0, "shown": 0, "longest": []}


def test_what_is_awaited(bench: Bench) -> None:
    """Each kind of awaitable in words, in fops and in background tasks."""
    futures = [Future() for _ in range(5)]
    release = threading.Event()

    async def inner() -> None:
        await sleep(1000)

    async def many() -> None:
        await gather(bench.script.child.truncate(bench.loc, 0, None), inner(), Future(), gather(Future(), sleep(2000)))

    async def kinds(translator: Any, loc: Any) -> Any:
        match loc.path:
            case "/wind":
                await translator.child.truncate(loc, 0, None)
            case "/thread":
                await to_thread(release.wait)
            case "/future":
                await futures[0]
            case "/gather":
                await gather(futures[1], futures[2])
        return await translator.child.stat(loc, None)

    async def never(translator: Any, loc: Any) -> Any:
        await futures[3 if loc.path == "/wind" else 4]
        raise OSError(errno.EPERM, "on purpose")

    bench.graph.translator("lower").answer = (
        lambda translator, name, frame, *args: never(translator, args[0]) if name == "truncate" else None)
    bench.answer = lambda translator, frame, *args: kinds(translator, args[0])
    for how in ("wind", "thread", "future", "gather"):
        bench.graph.probe._instance.spawn(outcome(bench.graph.child.stat(bench.loc.replace(path=f"/{how}"), None)))
    bench.script._instance.spawn(inner())
    bench.script._instance.spawn(many())
    longest = bench.at_rest(6)["suspended"]["longest"]
    found = {one["path"]: one["awaits"] for one in longest if one["fop"] == "stat"}
    assert found == {"/wind": "truncate from lower", "/thread": "to_thread", "/future": "Future",
                     "/gather": "2 of gather's 2: Future, Future"}
    tasks = {one["at"].rpartition(" in ")[2].rpartition(".")[2]: one["awaits"] for one in longest if one["fop"] == "task"}
    asleep = r"sleep of 1000\.000 s, \d+\.\d{3} s to go"
    assert re.fullmatch(asleep, tasks["inner"])
    assert re.fullmatch(
        rf"4 of gather's 4: truncate from lower, {asleep}, Future, 2 of gather's 2: Future, sleep of 2000.*", tasks["many"])
    below = bench.stats("lower")["suspended"]["longest"]
    assert {(one["fop"], one["path"], one["awaits"]) for one in below} == {
        ("truncate", "/wind", "Future"), ("truncate", "/file", "Future")}
    release.set()
    bench.release(futures)


def test_path_of_an_open_file(bench: Bench) -> None:
    """A fop on an fd is shown with the path that the inode table knows."""
    future = Future()

    async def rest(translator: Any, fd: Any) -> Any:
        await future
        return await translator.child.fstat(fd, None)

    bench.answer = lambda translator, frame, *args: rest(translator, args[0])
    fd = Fd.create(bench.loc.inode, 1)
    bench.graph.probe._instance.spawn(outcome(bench.graph.child.fstat(fd, None)))
    (one,) = bench.at_rest(1)["suspended"]["longest"]
    assert (one["fop"], one["path"]) == ("fstat", "/file")
    bench.release([future])


# Every form alike


def test_json_and_statedump_agree(bench: Bench) -> None:
    bench.answer = ending
    for how in ENDINGS:
        bench.graph.run(outcome(bench.graph.child.stat(bench.loc.replace(path=f"/{how}"), None)))
    futures = [Future(), Future()]
    waiting = iter(futures)

    async def rest(translator: Any, loc: Any) -> Any:
        await next(waiting)
        return await translator.child.stat(loc, None)

    bench.answer = lambda translator, frame, *args: rest(translator, args[0])
    for _ in range(2):
        bench.graph.probe._instance.spawn(outcome(bench.graph.child.stat(bench.loc, None)))
    stats, dump = bench.at_rest(2), bench.dump()
    assert timeless(flat(stats)) == timeless(dump)
    assert {key for key in dump if key.endswith("_us")} == {key for key in flat(stats) if key.endswith("_us")}
    assert dump["options.log-level"] == stats["options"]["log-level"] == "INFO"
    bench.release(futures)


# The attribute


def test_names(bench: Bench) -> None:
    """Without a name the uppermost layer answers for all below it; with one, the layer of that name."""
    assert [one["name"] for one in parsed(bench.value())] == ["script", "lower"]
    assert bench.stats("script")["name"] == "script"
    assert bench.stats("lower")["name"] == "lower"
    below = bench.graph.run(bench.script.child.getxattr(bench.loc, STATS, None))
    assert [one["name"] for one in parsed(below.dict[STATS])] == ["lower"]
    fd = Fd.create(bench.loc.inode, 1)
    assert parsed(bench.graph.run(bench.graph.child.fgetxattr(fd, STATS, None)).dict[STATS])[1]["name"] == "lower"
    seen = bench.script.seen["getxattr"], bench.script.seen["fgetxattr"]
    for other in (f"{STATS}.nobody", f"{STATS}x", "user.a", None):
        bench.graph.run(outcome(bench.graph.child.getxattr(bench.loc, other, None)))
        bench.graph.run(outcome(bench.graph.child.fgetxattr(fd, other, None)))
    assert (bench.script.seen["getxattr"], bench.script.seen["fgetxattr"]) == (seen[0] + 4, seen[1] + 4)


def test_root_only(bench: Bench) -> None:
    """Others would see the paths of files that are not theirs."""
    async def asks(translator: Any, frame: Any, loc: Any) -> Any:
        with frame.as_user(1000, 1000):
            return await translator.child.getxattr(loc, f"{STATS}.lower", None)

    bench.answer = lambda translator, frame, *args: asks(translator, frame, args[0])
    failed = bench.graph.run(outcome(bench.graph.child.stat(bench.loc, None)))
    assert failed[:2] == ("error", errno.ENODATA)


def test_size_is_limited(bench: Bench) -> None:
    """The kernel passes on 64 KiB; and what is asked for twice in a row, size and value, fits."""
    path = "/" + "\x01" * 5000
    futures: list[Future] = [Future() for _ in range(200)]
    waiting = iter(futures)

    async def rest(translator: Any, loc: Any) -> Any:
        await next(waiting)
        return await translator.child.stat(loc, None)

    idle = bench.value()
    bench.answer = lambda translator, frame, *args: rest(translator, args[0])
    for _ in futures:
        bench.graph.probe._instance.spawn(outcome(bench.graph.child.stat(bench.loc.replace(path=path), None)))
    wait_until(lambda: parsed(bench.value())[0]["suspended"]["count"] == 200, "200 to rest")
    for value in (bench.value(), bench.value(f"{STATS}.script")):
        assert len(value) <= 65536
        report = json.loads(value)
        suspended = (report[0] if isinstance(report, list) else report)["suspended"]
        assert 0 < suspended["shown"] == len(suspended["longest"]) < 100
        assert {one["path"] for one in suspended["longest"]} == {"..." + "\x01" * 1000}
        assert len(value) == len(idle) and len(value.rstrip()) > 2 * len(idle.rstrip())
    bench.release(futures)


def test_looking_while_it_works(bench: Bench) -> None:
    """From all sides at once, the numbers never contradict each other."""
    stop = threading.Event()

    async def work(translator: Any, loc: Any) -> Any:
        await sleep(0)
        await gather(translator.child.stat(loc, None), sleep(0.001))
        raise OSError(random.choice((errno.ENOENT, errno.EPERM, errno.EBUSY)), "on purpose")

    def ask() -> None:
        while not stop.is_set():
            bench.graph.run(outcome(bench.graph.child.stat(bench.loc, None)))

    bench.answer = lambda translator, frame, *args: work(translator, args[0])
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        for _ in range(10):
            stats = bench.stats()
            assert stats["suspended"]["count"] <= 4 and stats["in_flight"] <= 4
            stat = stats["fops"].get("stat", {"calls": 0, "errors": {}, "failed": 0, "in_flight": 0})
            assert stat["in_flight"] + stat["failed"] == stat["calls"]
            # One number is read after the other, and requests end in between.
            later = bench.stats()["fops"].get("stat", {"failed": 0})
            assert stat["failed"] - 4 <= sum(stat["errors"].values()) <= later["failed"] + 4
        bench.dump()
    stop.set()
    for thread in threads:
        thread.join()
    assert bench.stats()["in_flight"] == 0


def test_item_12_errnos_that_no_system_knows_are_bounded() -> None:
    """A child may send another one each time: they are not told apart for ever, and none is lost."""
    unknown = 3000
    layers = [layer("sink", "glupytest/sink", fail=1, fail_step=1), layer("script", "user/scripted")]
    with Graph(layers) as graph:

        async def hands_on(self: Any, name: str, frame: Any, *args: Any) -> Any:
            try:
                return await getattr(self.child, name)(*args)
            except OSError as error:
                return error.reply  # type: ignore[attr-defined]

        async def stats(count: int) -> list[int]:
            return [(await outcome(graph.child.stat(loc)))[1] for _ in range(count)]

        loc = calls.loc_of(graph.probe.itable, "file")
        graph.translator("script").answer = hands_on
        seen = graph.run(stats(133 + unknown))
        graph.translator("script").answer = lambda *args: None
        assert seen == list(range(1, 133 + unknown + 1))
        reply = graph.run(graph.child.getxattr(loc, f"{STATS}.script", None))
        fop = parsed(reply.dict[f"{STATS}.script"])["fops"]["stat"]
        errors = fop["errors"]
        assert fop["failed"] == sum(errors.values()) == 133 + unknown
        assert [name for name in errors if name.isdecimal() and int(name) > 133] != []
        assert errors["other"] == unknown - 16
        assert {"EPERM", "ENOENT", "EIO", "EHWPOISON"} <= set(errors)
        assert len(errors) == 133 + 16 + 1
        del loc, reply
