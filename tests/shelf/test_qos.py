"""translators/qos: whose turn it is, against a small model; that all comes through; and a client that floods a brick."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import control, shipped
from support.bricks import Brick, as_glusterd_has_it
from support.graph import Graph
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

import glupy
from glupy import Event, Fd, LoadError, Loc, OptionError
from glupy.testing import Stage

pytestmark = pytest.mark.once

FILE = shipped.file("qos")

SECOND = 10**9


qos = shipped.module("qos")


# What is refused


@pytest.mark.parametrize(("rules", "said"), [
    ("who=1,shaer=2", "rule 1, who=1,shaer=2: there is no term shaer; did you mean share?"),
    ("who=1;nothing", "rule 2, nothing: there is no term nothing: one of burst, bytes, "),
    ("share=2", "it is about nobody: add who="), ("who=1,who=2", "who is there twice"), ("who", "who needs a value"),
    ("who=", "who needs a value"), ("who=1,together=1", "together takes no value"),
    ("who=1,share=0", "share: must be at least 0.001"), ("who=1,share=-1", "share: must be at least 0.001"),
    ("who=1,ops=0.5", "ops: expected a whole number such as 42"), ("who=1,bytes=much", "bytes: expected a size such as"),
    ("who=1,bytes=0", "bytes: must be at least 1"), ("who=1,burst=x", "burst: expected a number such as 0.5 or 3"),
])
def test_rules_that_are_wrong(translator: Any, rules: str, said: str) -> None:
    with pytest.raises(OptionError) as refused:
        translator(FILE, by="user", rules=rules).__enter__()
    assert said in str(refused.value)


def test_rules() -> None:
    first, second = qos.parsed(" who=1|2*,share=0.5,bytes=1MB,burst=2 ; who=*,ops=5,meta=6,places=7,together;")
    assert (first.who, first.share, first.bytes, first.burst, first.together) == (("1", "2*"), 0.5, 2**20, 2.0, False)
    assert (second.ops, second.meta, second.places, second.together) == (5, 6, 7, True)
    assert [first.fits(name) for name in ("1", "2", "23", "3", "1|2*")] == [True, True, True, False, True]


@pytest.mark.parametrize("by", ["client", "host"])
def test_what_only_a_brick_knows_is_refused_elsewhere(translator: Any, by: str) -> None:
    with pytest.raises(LoadError, match=f"only a brick knows of several {by}s; here, give user or directory"):
        translator(FILE, by=by).__enter__()


def test_several_interpreters_are_refused() -> None:
    """Said by its own method, as not every Python has several."""
    assert "leave it at 1" in qos.Qos.misplaced(SimpleNamespace(common=SimpleNamespace(interpreters=2)))


# Whose turn it is: the lane alone, and what has to hold whatever comes


class World:
    """A lane, with the rules that a test gives its classes, and what an onlooker makes of it."""

    def __init__(self, places: int, rules: dict[str, Any]) -> None:
        self.rules, self.now = rules, 0
        self.lane = qos.Lane(self.settle)
        self.lane.places = places
        self.inside: list[Any] = []
        self.waiting: list[Any] = []  # in the order of coming
        self.levels: dict[tuple[str, str], tuple[Fraction, int]] = {}  # of the onlooker's token buckets, and as of when
        self.got: dict[tuple[str, str], list[Fraction]] = {}  # by two classes that both wait: what one is ahead

    def settle(self, group: Any) -> None:
        group.rule = rule = self.rules[group.name]
        group.places = rule.places
        for bucket, rate in ((group.ops, rule.ops), (group.bytes, rule.bytes)):
            bucket.rate, bucket.burst = rate, round(rule.burst * SECOND)
        group.limited = bool(rule.ops or rule.bytes or rule.places)

    def arrive(self, name: str, size: int) -> None:
        request = qos.Request(self.lane.group(name, self.now), size)
        self.waiting.append(request)
        if self.lane.pass_by(request.group, size):
            request.granted = True
            self.saw([request])
        else:
            self.saw(self.lane.arrive(request, self.now))

    def leave(self, request: Any) -> None:
        (self.inside if request.granted else self.waiting).remove(request)
        if not request.granted or not self.lane.gone(request.group):
            self.saw(self.lane.leave(request, self.now))

    def pass_time(self, nanoseconds: int) -> None:
        """The lane is looked at when it asked for that, as its translator does."""
        until = self.now + nanoseconds
        while (at := self.lane.to_wake()) is not None and at <= until:
            self.now, self.lane.alarm = max(at, self.now), None
            self.saw(self.lane.look(self.now))
        self.lane.alarm = None
        self.now = until

    def saw(self, granted: list[Any]) -> None:
        for request in granted:
            name = request.group.name
            assert request.granted and request is next(one for one in self.waiting if one.group.name == name), "in order"
            self.took(name, "ops", 1)
            self.took(name, "bytes", request.size)
            self.fair(request)
            self.waiting.remove(request)
            self.inside.append(request)
        self.look()

    def took(self, name: str, kind: str, amount: int) -> None:
        """A token bucket as books have it."""
        rate, most = getattr(self.rules[name], kind), self.most(name, kind)
        if rate:
            level, at = self.levels.get((name, kind), (most, 0))
            level = min(most, level + Fraction(rate * (self.now - at), SECOND))
            assert level >= min(Fraction(amount), most), "below its ceiling"
            self.levels[name, kind] = (level - amount, self.now)

    def most(self, name: str, kind: str) -> Fraction:
        rule = self.rules[name]
        return Fraction(getattr(rule, kind)) * round(rule.burst * SECOND) / SECOND

    def fair(self, request: Any) -> None:
        """Of two that have both waited all the time, none is ahead by more than an operation of each, by shares."""
        name, cost = request.group.name, 1 + Fraction(request.size, qos.lane.UNIT)
        for pair in list(self.got):
            if name in pair:
                sign = 1 if name == pair[0] else -1
                ahead = self.got[pair]
                ahead.append(ahead[-1] + sign * cost / Fraction(self.rules[name].share))
                most = sum(self.largest(each) / Fraction(self.rules[each].share) for each in pair)
                assert max(ahead) - min(ahead) <= most + Fraction(1, 10**6), (pair, ahead, most)

    def largest(self, name: str) -> Fraction:
        return max(1 + Fraction(size, qos.lane.UNIT) for size in SIZES)

    def look(self) -> None:
        """What has to hold at any time."""
        assert len(self.inside) == self.lane.inside <= self.lane.places
        names = {request.group.name for request in self.waiting}
        for name in names:
            group = self.lane.groups[name]
            assert len(self.inside) == self.lane.places or group.places and group.inside >= group.places or (
                group.ready_at(group.waiting[0].size) > self.now), "a place is free that somebody waits for"
        free = {name for name in names if not any((self.rules[name].ops, self.rules[name].bytes, self.rules[name].places))}
        self.got = {(one, other): self.got.get((one, other), [Fraction(0)]) for one in free for other in free if one < other}

    def drain(self) -> None:
        """Let all come through."""
        while self.inside or self.waiting:
            if self.inside:
                self.leave(self.inside[0])
            else:
                self.pass_time(SECOND)
                assert self.inside or any(group.ready_at(1 << 40) > self.now for group in self.lane.groups.values())


SIZES = (0, 1, 4096, 65536, 1 << 20)
NAMES = "abcd"
RULES = st.builds(
    lambda share, ops, bytes, burst, places: qos.Rule(("x",), share, ops, bytes, 0, burst, places),
    st.sampled_from((0.25, 1.0, 3.0, 10.0)), st.sampled_from((0, 0, 0, 1, 7, 1000)), st.sampled_from((0, 0, 0, 50000, 10**9)),
    st.sampled_from((0.1, 1.0, 3.0)), st.sampled_from((0, 0, 0, 1, 2)))
ACTIONS = st.lists(st.one_of(
    st.tuples(st.just("arrive"), st.sampled_from(NAMES), st.sampled_from(SIZES), st.integers(1, 8)),
    st.tuples(st.just("done"), st.integers(0, 50), st.integers(1, 8)),
    st.tuples(st.just("given up"), st.integers(0, 50)),
    st.tuples(st.just("time"), st.integers(1, 3 * SECOND)),
), max_size=60)


@given(st.integers(1, 5), st.tuples(RULES, RULES, RULES, RULES), ACTIONS)
@settings(deadline=None, max_examples=150)
def test_a_lane_keeps_its_promises(places: int, rules: tuple[Any, ...], actions: list[Any]) -> None:
    world = World(places, dict(zip(NAMES, rules)))
    for what, *how in actions:
        if what == "arrive":
            for _ in range(how[2]):
                world.arrive(how[0], how[1])
        elif what == "done":
            for _ in range(min(how[1], len(world.inside))):
                world.leave(world.inside[how[0] % len(world.inside)])
        elif what == "given up" and world.waiting:
            world.leave(world.waiting[how[0] % len(world.waiting)])
        elif what == "time":
            world.pass_time(how[0])
    world.drain()
    assert not world.lane.inside and not world.lane.next and not any(group.waiting for group in world.lane.groups.values())


@given(st.lists(st.tuples(st.sampled_from((1.0, 2.0, 5.0)), st.sampled_from(SIZES)), min_size=2, max_size=4),
       st.integers(1, 4))
@settings(deadline=None, max_examples=20)
def test_who_always_wants_something_gets_his_share(classes: list[tuple[float, int]], places: int) -> None:
    lane = qos.Lane(lambda group: setattr(group, "rule", qos.Rule(("x",), classes[int(group.name)][0])))
    lane.places = places
    inside: deque[Any] = deque()
    for number, (_, size) in enumerate(classes):
        group = lane.group(str(number), 0)
        for _ in range(200):
            inside += lane.arrive(qos.Request(group, size), 0)
    begun = {name: group.served for name, group in lane.groups.items()}
    while all(group.waiting for group in lane.groups.values()):
        inside += lane.leave(inside.popleft(), 0)
    costs = [(1 + size / qos.lane.UNIT) / share for share, size in classes]
    got = [((lane.groups[str(number)].served - begun[str(number)]) * cost, cost) for number, cost in enumerate(costs)]
    for one, largest in got:
        for other, others_largest in got:
            assert abs(one - other) <= (places + 1) * (largest + others_largest) + 1e-6


def test_who_was_alone_pays_nothing_for_it() -> None:
    world = World(1, dict.fromkeys("ab", qos.Rule()))
    for _ in range(1000):
        world.arrive("a", 0)
        if len(world.inside) == 1 and len(world.waiting) > 10:
            world.leave(world.inside[0])
    for _ in range(10):
        world.arrive("b", 0)
    before = Counter(name for name, group in world.lane.groups.items() for _ in range(group.served))
    for _ in range(10):
        world.leave(world.inside[0])
    assert world.lane.groups["a"].served - before["a"] == world.lane.groups["b"].served - before["b"] == 5


def test_who_gives_up_takes_nobody_along_to_sleep() -> None:
    world = World(1, {"a": qos.Rule(bytes=1000)})
    world.arrive("a", 1000)
    world.leave(world.inside[0])
    world.arrive("a", 1000)  # in a second
    world.arrive("a", 0)
    world.leave(world.waiting[0])
    assert [request.size for request in world.inside] == [0]


def test_other_rules_and_the_end() -> None:
    """Who waits because of his class's places or ceilings goes on when there are others, and all when the lane opens."""
    world = World(10, {"a": qos.Rule(places=1), "b": qos.Rule(ops=1), "c": qos.Rule(places=1, ops=1)})
    for name in "abc" * 4:
        world.arrive(name, 0)
    assert Counter(request.group.name for request in world.inside) == {"a": 1, "b": 1, "c": 1}
    world.rules.update(a=qos.Rule(places=2), b=qos.Rule())
    world.levels.clear()
    world.saw(world.lane.anew(world.now))
    assert Counter(request.group.name for request in world.inside) == {"a": 2, "b": 4, "c": 1}
    world.lane.open = True
    assert len(world.lane.anew(world.now)) == 5
    late = qos.Request(world.lane.group("c", 0), 0)
    assert world.lane.arrive(late, 0) == [late]


def test_classes_that_have_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qos.lane, "KEPT", 10)
    world = World(2, {str(number): qos.Rule() for number in range(1000)})
    world.lane.sweep_at = 10
    for number in range(1000):
        world.arrive(str(number), 0)
        world.leave(world.inside[0])
        assert len(world.lane.groups) <= 10
    for number in range(50):
        world.arrive(str(number), 0)
    assert len(world.lane.groups) >= 50, "who waits is not forgotten"


# In a graph: the clock is the test's, and so are the child's answers


def stats(t: Stage[Any], lane: str = "data") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(t.getxattr("/", "trusted.qos.stats"))[lane]
    return found


def waiting(t: Stage[Any]) -> int:
    found: int = stats(t)["waiting"]
    return found


def test_turns_by_shares(translator: Any) -> None:
    with translator(FILE, by="user", places=1, rules="who=1,share=3") as t:
        t.write("/file", b"")
        fd, hold = t.fd("/file"), t.hold("writev")
        writes = [t.start(t.run, t.child.writev(fd, b"x", 0, 0), uid=9)]
        hold.wait()
        for user in (1, 2):
            for number in range(12):
                writes.append(t.start(t.run, t.child.writev(fd, b"x", 0, 0), uid=user))
        wait_until(lambda: waiting(t) == 24, "all to wait")
        seen = []
        for _ in writes:
            hold.wait()
            seen.append(hold.waiting[0].uid)
            assert len(hold.waiting) == 1
            hold.release(0)
        for write in writes:
            write.result()
        assert seen[0] == 9 and 8 <= seen[1:13].count(1) <= 10 and Counter(seen) == {9: 1, 1: 12, 2: 12}
        told = stats(t)
        assert told["inside"] == told["waiting"] == 0
        assert told["classes"]["1"]["served"] == told["classes"]["1"]["waited"] == 12 and told["classes"]["1"]["share"] == 3
        del fd


def test_what_is_not_about_data_does_not_wait_for_it(translator: Any) -> None:
    with translator(FILE, by="user", places=1) as t:
        t.write("/file", b"data")
        fd, hold = t.fd("/file"), t.hold("readv")
        reads = [t.start(t.run, t.child.readv(fd, 4, 0, 0)) for _ in range(5)]
        wait_until(lambda: waiting(t) == 4, "all but one to wait")
        assert t.stat("/file").st_size == 4 and t.names("/") == ["file"]
        t.mkdir("/new")
        t.rename("/file", "/new/file")
        hold.release()
        assert [bytes(read.result().data) for read in reads] == [b"data"] * 5
        del fd


@pytest.mark.parametrize(("rules", "per_second"), [("who=*,ops=4", 4), ("who=*,bytes=8KB,ops=100", 2)])
def test_ceilings(translator: Any, rules: str, per_second: int) -> None:
    with translator(FILE, by="user", rules=rules) as t:
        t.create("/file")
        fd = t.fd("/file")
        reads = [t.start(t.run, t.child.readv(fd, 4096, 0, 0), uid=1) for _ in range(per_second * 4)]
        for second in range(4):
            so_far = per_second * (second + 1)
            wait_until(lambda: waiting(t) == len(reads) - so_far, "the others to wait")  # noqa: B023
            wait_until(lambda: sum(read.done for read in reads) == so_far, "those that may")  # noqa: B023
            t.run(t.child.readv(fd, 4096, 0, 0), uid=100 + second)  # another class
            t.clock.advance(1)
        for read in reads:
            read.result()
        del fd


def test_failing_gives_the_place_back(translator: Any) -> None:
    with translator(FILE, by="user", places=1, metadata_places=1) as t:
        t.write("/file", b"data")
        t.script(stat=[OSError(errno.EIO, "")] * 3, readv=OSError(errno.EIO, ""))
        for _ in range(3):
            with pytest.raises(OSError):
                t.run(t.child.stat(t.loc("/file")))
            with pytest.raises(OSError):
                t.read("/file")
        t.script("readv")
        assert t.read("/file") == b"data" and stats(t)["inside"] == 0


def test_who_gives_up_leaves_the_line(translator: Any) -> None:
    with translator(FILE, by="user", places=1, queue=1) as t:
        t.write("/file", b"")
        fd, hold, lane = t.fd("/file"), t.hold("writev"), t.translator.data
        writes = [t.start(t.run, t.child.writev(fd, b"1", 0, 0), uid=1)]
        hold.wait()
        task = t.translator.spawn(t.translator.admitted(lane, qos_request(t, lane, "1")))
        wait_until(lambda: waiting(t) == 1, "it to wait")
        outside = t.translator.spawn(t.translator.admitted(lane, qos_request(t, lane, "1")))
        wait_until(lambda: lane.groups["1"].outside == 1, "it to wait outside")
        writes.append(t.start(t.run, t.child.writev(fd, b"2", 0, 0), uid=1))
        wait_until(lambda: lane.groups["1"].outside == 2, "the write to wait outside")
        task.cancel()
        outside.cancel()
        wait_until(lambda: task.done() and outside.done(), "them to be gone")
        hold.release()
        for write in writes:
            write.result()
        assert (lane.inside, waiting(t), t.stored("/file")) == (0, 0, b"2")
        del fd


def qos_request(t: Stage[Any], lane: Any, name: str) -> Any:
    """One that the class which the graph has loaded takes."""
    return sys.modules[type(t.translator).__module__].Request(lane.groups[name], 0)


def test_what_glusterfs_does_is_a_class_of_its_own(translator: Any) -> None:
    with translator(FILE, by="user", places=4) as t:
        t.write("/file", b"")
        fd, hold = t.fd("/file"), t.hold("writev")
        healing = [t.start(t.run, t.child.writev(fd, b"x", 0, 0), pid=-6) for _ in range(4)]
        wait_until(lambda: waiting(t) == 3, "all but one to wait")
        writing = [t.start(t.run, t.child.writev(fd, b"x", 0, 0), uid=1, pid=pid) for pid in (7, -4)]
        hold.wait(3)
        told = stats(t)["classes"]
        assert told["internal"]["inside"] == 1 and told["1"]["inside"] == 2 and told["1"]["waited"] == 0
        hold.release()
        for write in (*healing, *writing):
            write.result()
        del fd


WEB = "CTX_ID:0-GRAPH_ID:0-PID:7-HOST:web1-PC_NAME:vol-client-0-RECON_NO:-0"


@pytest.mark.parametrize(("options", "name"), [
    ({"by": "client"}, WEB), ({"by": "host"}, "web1"), ({"by": "user"}, "7"), ({"by": "directory"}, "/"),
    ({"by": "host", "rules": "who=web*|db*,together"}, "web*|db*"), ({"by": "user", "rules": "who=8,together"}, "7"),
])
def test_classes_on_a_brick(translator: Any, options: dict[str, str], name: str) -> None:
    with translator(FILE, brick=True, **options) as t:
        t.create("/file")
        t.run(t.child.readv(Fd.of(t.loc("/file").inode), 4, 0, 0), uid=7, client=WEB)
        assert stats(t)["classes"][name]["served"] == 1


@pytest.mark.parametrize(("level", "path", "name"), [
    (1, "/a/b/file", "/a"), (2, "/a/b/file", "/a/b"), (3, "/a/b/file", "/a/b"), (1, "/file", "/"), (2, "/a/file", "/a"),
])
def test_classes_by_directory(translator: Any, level: int, path: str, name: str) -> None:
    with translator(FILE, by="directory", level=level) as t:
        t.mkdir("/a")
        t.mkdir("/a/b")
        t.write(path, b"data")
        assert stats(t)["classes"][name]["bytes"] == 4
        t.names("/a")
        assert "/a" in stats(t, "metadata")["classes"]


class Named(dict[str, Any]):
    """A call, as far as its class goes by it."""

    name = "lookup"


@pytest.mark.parametrize(("path", "name"), [
    (None, "elsewhere"), ("<gfid:0f0a>/file", "elsewhere"), ("/", "/"), ("/a/b", "/a"),
])
def test_a_path_that_the_brick_does_not_know(path: str | None, name: str) -> None:
    call = Named()
    call.path = path  # type: ignore[attr-defined]
    assert qos.directory_of(call, 1) == name


def test_statistics_are_for_root(translator: Any) -> None:
    with translator(FILE, by="user") as t:
        with pytest.raises(OSError):
            t.user(1000).getxattr("/", "trusted.qos.stats")


# Changes while the graph is up: a thousand requests of which one a second may pass


SLOW = {"by": "user", "rules": "who=0,meta=1"}


@contextmanager
def crowd(*expected: str) -> Iterator[tuple[Graph, Any, Callable[[], None]]]:
    """A graph in which many wait; its layer, and what waits until they are all through."""
    with Graph([layer("sink", "glupytest/sink"), layer("control", "glupytest/control"),
                layer("qos", "features/glupy", module="qos", **SLOW)], expected=expected) as graph:
        lane = graph.translator("qos").metadata
        answers: list[Any] = []
        root = Loc.from_inode(graph.probe.itable.root)

        async def all_of_them() -> None:
            answers.extend(await glupy.gather(*(graph.child.stat(root) for _ in range(1000))))

        thread = threading.Thread(target=lambda: graph.run(all_of_them()))
        thread.start()
        wait_until(lambda: sum(len(group.waiting) for group in lane.groups.values()) > 900, "them to wait")

        def through() -> None:
            thread.join(PATIENCE)
            assert len(answers) == 1000 and lane.inside == 0 and not any(group.waiting for group in lane.groups.values())

        yield graph, lane, through
        del root


@pytest.mark.parametrize("after", [{"by": "user"}, {"by": "user", "rules": "who=0,meta=100000"}, {**SLOW, "reload": "1"}])
def test_other_rules_hold_at_once(after: dict[str, object]) -> None:
    """Also for those who wait, and when another version of the file takes over."""
    with crowd() as (graph, _, through):
        control.reconfigure(graph, "qos", {"module": "qos", **after})
        through()


def test_rules_that_are_wrong_leave_the_old_ones() -> None:
    with crowd("qos keeps the options it had", "reconfigured failed", "option rules is") as (graph, lane, through):
        for wrong in ({"by": "client"}, {"by": "user", "rules": "who=0,meta=0"}):
            control.reconfigure(graph, "qos", {"module": "qos", **wrong})
            assert lane.groups["0"].rule.meta == 1 and lane.groups["0"].waiting
        control.reconfigure(graph, "qos", {"module": "qos", "by": "user"})
        through()


def test_all_go_when_the_graph_ends() -> None:
    with crowd() as (graph, _, through):
        control.event(graph, "qos", Event.PARENT_DOWN)
        through()


# On a mount; in a brick, with two clients


SERVER = (r" 0-server: ", r" 0-brick: ", r"faults? (?:are|by)")
CLIENT = (r" 0-client: ", r" 0-glusterfs-fuse: ", r"\[rpc-clnt", r"0-socket", r"\[socket\.c:")


def test_on_a_mount() -> None:
    with Mount([layer("qos", "user/qos", by="user", places=1, rules="who=*,bytes=1GB")], expected=(" 0-glusterfs-",)) as mount:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: (mount.path / f"file{number}").write_bytes(b"data" * 1000), range(40)))
        assert len(os.listdir(mount.path)) == 40 and (mount.path / "file7").read_bytes() == b"data" * 1000
        told = json.loads(os.getxattr(mount.path, "trusted.qos.stats"))
        assert told["data"]["classes"]["0"]["bytes"] >= 40 * 4000 and told["metadata"]["waiting"] == 0


def test_below_io_threads_it_is_refused() -> None:
    with pytest.raises(AssertionError, match="gluster volume set vol user.xlator.qos io-threads"):
        layers = [layer("qos", "user/qos"), layer("threads", "performance/io-threads")]
        with as_glusterd_has_it(Brick(layers, expected=SERVER)):
            pass


def write_until(enough: threading.Event, path: Path, done: Counter[str]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_SYNC)
    while not enough.is_set():
        os.pwrite(file, b"x" * 4096, 0)
        done[path.name[0]] += 1  # each name has one thread
    os.close(file)


def test_issue_266_a_client_that_floods_leaves_the_other_its_share() -> None:
    """A write takes the brick ten milliseconds, one after another: one client has twelve of them under way, the other one."""
    done: Counter[str] = Counter()
    enough = threading.Event()
    with ExitStack() as stack:
        slow = layer("slow", "user/fault", rules="fop=writev,delay=0.01", active="on")
        layers = [slow, layer("threads", "performance/io-threads"), layer("qos", "user/qos", places=1)]
        brick = stack.enter_context(as_glusterd_has_it(Brick(layers, expected=SERVER)))
        mounts = [stack.enter_context(Mount(bottom=[brick.client], brick=brick.directory, expected=CLIENT)) for _ in range(2)]
        names = ["a0", *(f"b{number}" for number in range(12))]
        counts = [Counter[str]() for _ in names]
        threads = [threading.Thread(target=write_until, args=(enough, mounts[name[0] == "b"].path / name, count))
                   for name, count in zip(names, counts)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: counts[0]["a"] >= 60, "some writes")
            told = json.loads(os.getxattr(mounts[0].path, "trusted.qos.stats"))["data"]
        finally:
            enough.set()
            for thread in threads:
                thread.join(PATIENCE)
        for count in counts:
            done += count
    assert done["b"] < 4 * done["a"], f"{done}: by its requests the second client would get twelve times as much"
    assert len(told["classes"]) == 2 and told["places"] == 1 and all("PC_NAME:" in name for name in told["classes"])
