"""Places, and whose turn it is: knows classes and their ceilings, nothing of fops and clocks."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from glupy import Future, Semaphore

from .rules import Rule

SECOND = 10**9  # all times are in nanoseconds
UNIT = 65536  # bytes that count as an operation

#: Classes that are remembered at least; how many the statistics show.
KEPT, SHOWN = 1024, 50


class Bucket:
    """A ceiling: so much a second, and at once as much as comes in a burst. What is more than that takes a full one."""

    rate = burst = full_at = 0  # a rate of 0: no ceiling

    def takes(self, amount: int) -> int:
        """How long so much takes to come."""
        return -(-amount * SECOND // self.rate)

    def ready_at(self, amount: int) -> int:
        """When so much is there."""
        return self.full_at - self.burst + min(self.takes(amount), self.burst) if self.rate else 0

    def take(self, amount: int, now: int) -> None:
        if self.rate:
            self.full_at = max(self.full_at, now) + self.takes(amount)


class Group:
    """A class in a lane. It is listed while it stands in one of the lane's heaps."""

    def __init__(self, name: str) -> None:
        self.name, self.rule, self.places = name, Rule(), 0
        self.ops, self.bytes = Bucket(), Bucket()
        self.door = Semaphore(1)  # the room in its queue
        self.tag = 0.0  # the virtual time of its next operation
        self.waiting: deque[Request] = deque()
        self.inside, self.listed, self.limited = 0, False, True
        self.served = self.moved = self.waited = self.waited_ns = self.outside = 0

    def ready_at(self, size: int) -> int:
        """When its ceilings let an operation of so many bytes through."""
        return max(self.ops.ready_at(1), self.bytes.ready_at(size))

    def told(self) -> dict[str, Any]:
        return {"share": self.rule.share, "inside": self.inside, "waiting": len(self.waiting), "served": self.served,
                "bytes": self.moved, "waited": self.waited, "waited_us": self.waited_ns // 1000, "outside": self.outside}


class Request:
    """An operation that wants a place. turn is settled when it has one, if it has to wait."""

    def __init__(self, group: Group, size: int, granted: bool = False) -> None:
        self.group, self.size, self.since, self.granted = group, size, 0, granted
        self.turn: Future[None] | None = None


class Lane:
    """Places, and whose turn it is: start-time fair queueing with several places, SFQ(D), between the classes that are below
    their ceilings. Nothing here waits, and each step gives those who have got a place by it."""

    def __init__(self, settle: Callable[[Group], None]) -> None:
        self.settle = settle  # puts in force for a class what holds for it now
        self.places, self.inside, self.virtual = 1, 0, 0.0
        self.open = False  # nobody waits any more
        self.groups: dict[str, Group] = {}
        self.next: list[tuple[float, int, Group]] = []  # heap, by tag: those who want a place
        self.asleep: list[tuple[int, int, Group]] = []  # heap, by time: those who are below their ceilings then
        self.order, self.sweep_at = count(), KEPT
        self.alarm: int | None = None  # when look() is going to be called

    def group(self, name: str, now: int) -> Group:
        if name not in self.groups:
            if len(self.groups) >= self.sweep_at:  # forget those who would be about the same if they came for the first time
                self.groups = {key: group for key, group in self.groups.items()
                               if group.waiting or group.inside or group.ready_at(1 << 62) > now}
                self.sweep_at = max(KEPT, 2 * len(self.groups))
            self.groups[name] = Group(name)
            self.settle(self.groups[name])
        return self.groups[name]

    def pass_by(self, group: Group, size: int) -> bool:
        """Take a place that nobody waits for, as a class without ceilings may: the same as arrive() then, and quick."""
        if self.inside >= self.places or self.next or group.limited:
            return False
        self.virtual = max(group.tag, self.virtual)
        group.tag = self.virtual + (1 + size / UNIT) / group.rule.share
        self.inside += 1
        group.inside += 1
        group.served += 1
        group.moved += size
        return True

    def gone(self, group: Group) -> bool:
        """Give a place back that nobody waits for: the same as leave() then, and quick."""
        if self.next or self.asleep or group.waiting:
            return False
        self.inside -= 1
        group.inside -= 1
        return True

    def arrive(self, request: Request, now: int) -> list[Request]:
        request.group.waiting.append(request)
        self.enlist(request.group)
        return self.look(now)

    def leave(self, request: Request, now: int) -> list[Request]:
        """It is done; or it is given up, and may not have had its turn."""
        group = request.group
        if request.granted:
            self.inside -= 1
            group.inside -= 1
            self.enlist(group)
        else:
            group.waiting.remove(request)  # the one behind it may be below the ceilings before
            self.asleep = [(now if one is group else at, order, one) for at, order, one in self.asleep]
            heapq.heapify(self.asleep)
        return self.look(now)

    def enlist(self, group: Group) -> None:
        """Let it take part, if it wants to. What it did not use before is lost."""
        if group.waiting and not group.listed and (not group.places or group.inside < group.places or self.open):
            group.listed, group.tag = True, max(group.tag, self.virtual)
            heapq.heappush(self.next, (group.tag, next(self.order), group))

    def relist(self, heap: list[Any]) -> None:
        """Have the first one of a heap find its place anew."""
        group: Group = heapq.heappop(heap)[2]
        group.listed = False
        self.enlist(group)

    def look(self, now: int) -> list[Request]:
        """Fill the places that are free."""
        granted = []
        while self.asleep and self.asleep[0][0] <= now:
            self.relist(self.asleep)
        while self.next and (self.inside < self.places or self.open):
            group = self.next[0][2]
            if group.waiting and not self.open and (at := group.ready_at(group.waiting[0].size)) > now:
                heapq.heappop(self.next)
                heapq.heappush(self.asleep, (at, next(self.order), group))
                continue
            if group.waiting:
                granted.append(self.grant(group, now))
            self.relist(self.next)
        return granted

    def grant(self, group: Group, now: int) -> Request:
        request = group.waiting.popleft()
        request.granted = True
        self.virtual = group.tag
        group.tag += (1 + request.size / UNIT) / group.rule.share
        group.ops.take(1, now)
        group.bytes.take(request.size, now)
        self.inside += 1
        group.inside += 1
        group.served += 1
        group.moved += request.size
        return request

    def anew(self, now: int) -> list[Request]:
        """Other rules hold. Those who have been forgotten, and come all the same, are in the heaps only."""
        groups = dict.fromkeys([*(entry[2] for entry in (*self.next, *self.asleep)), *self.groups.values()])
        self.next, self.asleep = [], []
        for group in groups:
            self.settle(group)
            group.listed = False
            self.enlist(group)
        return self.look(now)

    def to_wake(self) -> int | None:
        """When look() is to be called, if nobody sees to that yet."""
        if not self.asleep or self.alarm is not None and self.alarm <= self.asleep[0][0]:
            return None
        self.alarm = self.asleep[0][0]
        return self.alarm

    def told(self) -> dict[str, Any]:
        """What there is to say of it, and of the classes that want most."""
        groups = sorted(self.groups.values(), key=lambda group: (-len(group.waiting), -group.served))
        return {"places": self.places, "inside": self.inside, "waiting": sum(len(group.waiting) for group in groups),
                "classes": {group.name: group.told() for group in groups[:SHOWN]}}
