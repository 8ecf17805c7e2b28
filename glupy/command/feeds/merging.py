"""Several feeds as one: in the order of time, and each change once, on however many bricks it was done."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import time as now

from glupy.command.feeds.record import Feed, Record

#: Seconds by which the times may differ that two bricks give one change, and how many changes are remembered at most.
WINDOW, REMEMBERED = 10.0, 100_000


def seconds(time: str) -> float:
    """The time of a record, since the epoch."""
    return datetime.fromisoformat(time).timestamp()


@dataclass
class _Told:
    """A change that has been told."""

    time: float
    by: set[str]  # the feeds that have told of it


class Distinct:
    """Tells what another feed has told of from what is new.

    Changes that look alike (a file is written to at the same place again) are paired in the order of each feed: what another
    feed tells of at about the same time, and this one has not told of yet, is taken for the same.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._told: OrderedDict[Hashable, deque[_Told]] = OrderedDict()

    def is_new(self, record: Record) -> bool:
        alike, time = self._told.setdefault(record.signature, deque()), seconds(record.time)
        self._told.move_to_end(record.signature)
        for told in alike:
            if record.feed not in told.by and abs(told.time - time) <= WINDOW:
                told.by.add(record.feed)
                return False
        alike.append(_Told(time, {record.feed}))
        if len(alike) * 10 > self._limit:  # nothing but the same again and again
            alike.popleft()
        if len(self._told) > self._limit:
            self._told.popitem(last=False)
        return True

    def forget(self, until: float) -> None:
        """Forget what was before a time: all feeds have told of it."""
        while self._told:
            signature, alike = next(iter(self._told.items()))
            while alike and alike[0].time < until:
                alike.popleft()
            if alike:
                break
            del self._told[signature]

    def __len__(self) -> int:
        return len(self._told)


class Merge:
    """Feeds as one.

    settle: seconds that a change waits for earlier ones of feeds that have nothing at the moment. What comes later than that
    is out of order, and is not left out. complain: is told of a feed that cannot be read, which is asked again.
    places: where each feed has been read to, with all that has been given.
    """

    def __init__(self, feeds: Sequence[Feed], settle: float = 1.0,
                 complain: Callable[[Feed, OSError], None] = lambda feed, error: None) -> None:
        self.feeds, self.settle, self._complain = feeds, settle, complain
        self.places: dict[str, int] = {}
        self._distinct = Distinct()
        self._waiting: dict[str, deque[Record]] = {feed.id: deque() for feed in feeds}
        self._reached = {feed.id: 0.0 for feed in feeds}  # the time up to which each has told
        for feed in feeds if len(feeds) > 1 else ():
            try:
                for record in feed.before():
                    if record.is_change:
                        self._distinct.is_new(record)
            except OSError as error:
                complain(feed, error)

    def step(self, *, all_there_is: bool = False) -> Iterator[Record]:
        """What can be told by now: as long as something comes, call again. all_there_is: do not wait for what is to come."""
        self._fill()
        settled = now() - self.settle
        while True:
            heads = [queue[0] for queue in self._waiting.values() if queue]
            if not heads:
                break
            record = min(heads, key=lambda each: each.time)
            if len(heads) < len(self.feeds) and seconds(record.time) > settled and not all_there_is:
                break
            queue = self._waiting[record.feed]
            queue.popleft()
            self.places[record.feed] = record.seq
            if len(self.feeds) == 1 or not record.is_change or self._distinct.is_new(record):
                yield record
            if not queue:
                self._fill()
        self._distinct.forget(min(self._reached.values(), default=0.0) - 2 * WINDOW)

    def _fill(self) -> None:
        """Ask the feeds of which nothing is waiting."""
        for feed in self.feeds:
            queue = self._waiting[feed.id]
            if queue:
                continue
            try:
                queue.extend(feed.more())
            except OSError as error:
                self._complain(feed, error)
                continue
            self._reached[feed.id] = seconds(queue[-1].time) if queue else now()
