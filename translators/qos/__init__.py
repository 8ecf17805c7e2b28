"""Shares and ceilings for clients, users or directories, so that none takes a brick for itself: what is too much waits.

    volume shared
        type user/qos
        option by user
        option rules who=1000,share=4;who=1001|1002,ops=200,bytes=20MB,burst=2;who=internal,share=0.5
        subvolumes io-threads
    end-volume

So many operations on data are in the brick at once (`places`), and so many of all others (`metadata-places`). Where more
want to be, they wait, each class (a client, a host, a user or a directory: `by`) in its own queue, and whose turn it is goes
by shares: a class with share=4 that always wants something gets four times what one with share=1 gets. What a class does not
use is everybody's. An operation and 64 KiB count the same. What is not about data never waits for what is.

Rules are separated by semicolons, their terms by commas, alternatives by a bar; there is no blank in them. Of the rules that
a class fits, the first one is its own; without one it has share=1. Terms: who=PATTERNS, as of a shell, of what frame.client
is, of hosts, of numbers of users, or of directories such as /projects; together: all that fit are one class; share=NUMBER.
Ceilings: ops=NUMBER and bytes=SIZE a second of operations on data, meta=NUMBER a second of the others, of which
burst=SECONDS may be had at once (1); places=NUMBER at once in the brick.

What GlusterFS does by itself (negative pid: heal, rebalance, geo-replication) is the class internal, with share=1 and at most
a quarter of the places unless a rule with who=internal says otherwise. Locks, leases and flush never wait.

    getfattr -n trusted.qos.stats --only-values MOUNT

says in JSON who waits and has waited, of one brick. All options may be changed while the brick runs.

It belongs into every brick, above io-threads, and shares that brick: with twice as many bricks, all get twice as much.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import glupy
from glupy import Call, Child, Frame, Future, LoadError, Loc, Option, Reply, Semaphore, Translator

from .lane import SECOND, Group, Lane, Request
from .rules import Rule, Rules, parsed

#: What moves data. Locks wait by their nature, and flush lets go of some: who waits for a lock must not wait for a share too.
DATA = glupy.CHANGING_DATA | {"readv", "fsync", "rchecksum"}
SHARED = glupy.READING | glupy.OPENING | glupy.CHANGING | {"fsync", "fsyncdir"}

#: Which argument says how many bytes; where it is data, it is its length.
SIZES = {"readv": "size", "writev": "vector", "put": "vector", "copy_file_range": "len", "zerofill": "len", "rchecksum": "len"}
OF_DIRECTORIES = frozenset(("opendir", "readdir", "readdirp", "fsyncdir"))

INTERNAL, ELSEWHERE = "internal", "elsewhere"
NO_ROOT_SQUASH = -4  # the pid of a mount of that kind, which is a user's

#: Of the statistics: always the same, since who asks for them asks for their size first.
SIZE = 61440


class Qos(Translator, fops=SHARED):
    by = Option(str, default="client", choices=("client", "host", "user", "directory"), help="what makes a class")
    rules = Rules(str, default="", help="what classes may have")
    places = Option(int, default=16, min=1, help="how many operations on data are in the brick at once")
    metadata_places = Option(int, default=8, min=1, help="how many of the others")
    queue = Option(int, default=1000, min=1, help="how many of a class stand in each of its two queues; others wait outside")
    level = Option(int, default=1, min=1, help="by directory: how far below the root those lie that are classes")

    def init(self) -> None:
        if wrong := self.misplaced():
            raise LoadError(wrong)
        self.lock = Lock()  # of both lanes; never held while anything is awaited
        self.data = Lane(lambda group: self.settle(group, self.places, "ops"))
        self.metadata = Lane(lambda group: self.settle(group, self.metadata_places, "meta"))
        self.choose()

    def misplaced(self) -> str:
        """What is wrong with where it stands, as far as that can be told; or nothing."""
        if self.common.interpreters > 1:
            return "option interpreters: each would have places of its own; leave it at 1"
        if self.side != "brick" and self.by in ("client", "host"):
            return f"option by: only a brick knows of several {self.by}s; here, give user or directory"
        io_threads = any(layer.type == "performance/io-threads" for layer in below(self.child))
        if self.side == "brick" and self.volume is not None and not io_threads:
            return ("it stands below io-threads, where what has waited would go on on a few threads of glupy's: "
                    f"gluster volume set {self.volume} user.xlator.qos io-threads")
        return ""

    def reconfigured(self, changed: dict[str, Any]) -> None:
        if wrong := self.misplaced():
            raise ValueError(wrong)
        self.choose()

    def choose(self) -> None:
        """What follows from the options."""
        self.parsed = parsed(self.rules)
        self.joins = any(rule.together for rule in self.parsed)
        self.data.places, self.metadata.places = self.places, self.metadata_places
        self.begin_anew()

    def begin_anew(self) -> None:
        for lane in (self.data, self.metadata):
            self.step(lane, lane.anew)

    def stopping(self) -> None:
        """All who wait go on at once, and so do those who come later: the graph can end when they are through."""
        self.data.open = self.metadata.open = True
        self.begin_anew()

    def reloaded(self, old: Qos) -> None:
        old.stopping()

    # Classes

    def rule_of(self, name: str) -> Rule | None:
        return next((rule for rule in self.parsed if rule.fits(name)), None)

    def settle(self, group: Group, places: int, kind: str) -> None:
        """Put in force what holds for a class."""
        given = self.rule_of(group.name)
        group.rule = rule = given or Rule()
        quarter = 0 if given or group.name != INTERNAL else max(1, places // 4)
        group.places = rule.places or quarter
        group.door = Semaphore(self.queue, f"the queue of {group.name}")
        for bucket, ceiling in ((group.ops, getattr(rule, kind)), (group.bytes, rule.bytes)):
            bucket.rate, bucket.burst = ceiling, round(rule.burst * SECOND)
        group.limited = bool(group.places or group.ops.rate or group.bytes.rate)

    def class_of(self, frame: Frame, call: Call) -> str:
        if frame.pid < 0 and frame.pid != NO_ROOT_SQUASH:
            name = INTERNAL
        elif self.by == "user":
            name = str(frame.uid)
        elif self.by == "directory":
            name = directory_of(call, self.level)
        else:
            name = (frame.client if self.by == "client" else frame.client and frame.client.host) or ELSEWHERE
        rule = self.rule_of(name) if self.joins else None
        return rule.name if rule and rule.together else name

    # The data path

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if self.data.open:
            return None
        lane = self.data if call.name in DATA else self.metadata
        return self.served(lane, self.class_of(frame, call), call)

    async def served(self, lane: Lane, name: str, call: Call) -> Reply:
        group = lane.groups.get(name)
        if group is None:
            with self.lock:
                group = lane.group(name, time.monotonic_ns())
        size = size_of(call) if lane is self.data else 0
        request = None
        with self.lock:
            passes = lane.pass_by(group, size)
        if not passes:
            request = Request(group, size)
            await self.admitted(lane, request)
        try:
            reply: Reply = await call.wind().or_error()
            return reply
        finally:
            with self.lock:
                gone = lane.gone(group)
            if not gone:
                self.step(lane, lane.leave, request or Request(group, size, granted=True))

    async def admitted(self, lane: Lane, request: Request) -> None:
        """Wait for a place."""
        door = request.group.door
        if not door.try_acquire():
            request.group.outside += 1
            await door.acquire()
        try:
            self.step(lane, lane.arrive, request)
            if request.turn:
                await request.turn
        except BaseException:  # it is given up, and so is its place, should it have one by now
            self.step(lane, lane.leave, request)
            raise
        finally:
            door.release()

    def step(self, lane: Lane, what: Callable[..., list[Request]], *request: Request) -> None:
        """Do something in a lane, and have those go on who have got a place by it."""
        with self.lock:
            now = time.monotonic_ns()
            granted = what(*request, now)
            for one in granted:
                if one.turn:
                    one.group.waited += 1
                    one.group.waited_ns += now - one.since
            if what == lane.arrive and not request[0].granted:
                request[0].since, request[0].turn = now, Future()  # glupy: ignore future: who leaves gives turns
            at = lane.to_wake()
        for one in granted:
            if one.turn:
                one.turn.set_result(None)
        if at is not None:
            self.spawn(self.wake(lane, at, at - now))

    async def wake(self, lane: Lane, at: int, after: int) -> None:
        """Somebody is below a ceiling again then."""
        await glupy.sleep(after / SECOND)
        with self.lock:
            lane.alarm = None if lane.alarm == at else lane.alarm
        self.step(lane, lane.look)

    @glupy.xattr("trusted.qos.stats")
    def stats(self, frame: Frame, loc: Loc, name: str) -> str:
        with self.lock:
            told = {"data": self.data.told(), "metadata": self.metadata.told()}
        return json.dumps(told).ljust(SIZE)


def below(child: Child) -> Iterator[Child]:
    """A layer and all below it."""
    yield child
    for one in child.children:
        yield from below(one)


def size_of(call: Call) -> int:
    """How many bytes an operation is about."""
    given = call[SIZES[call.name]] if call.name in SIZES else 0
    return given if isinstance(given, int) else len(given)


def directory_of(call: Call, level: int) -> str:
    """The directory that an operation is in, no farther down than so; elsewhere, where the brick does not know the path."""
    path = call.path or ""
    if not path.startswith("/"):
        return ELSEWHERE
    folder = path if call.name in OF_DIRECTORIES else path.rpartition("/")[0]
    return "/" + "/".join(folder.strip("/").split("/")[:level])
