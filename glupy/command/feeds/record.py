"""A line of a feed, what a feed is to whoever merges several, and cursors."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from glupy.command.problem import Problem

#: After a crash of the machine numbers go on at a multiple of this: no line is missing in between that was ever whole.
LEAP = 1 << 32

#: What is the same for all bricks that were told of one change. Sizes are not: an arbiter is given one byte.
_SHARED = ("fop", "gfid", "parent", "name", "newparent", "newname", "offset", "client", "pid", "uid")


@dataclass(frozen=True)
class Record:
    """A line of a feed."""

    feed: str
    seq: int
    time: str  # ISO 8601, UTC, with microseconds: sorts as text
    data: dict[str, Any]  # as in the line, or {"missing": ...} where lines are gone

    @property
    def is_change(self) -> bool:
        return "fop" in self.data

    @property
    def signature(self) -> Hashable:
        """The same on each brick that did the change, and of each change that repeats it."""
        return (*map(self.data.get, _SHARED), *self.data.get("names", ()))


class Feed(Protocol):
    """A feed at a place in it."""

    id: str
    after: int  # the number of the last line that has been read, or is not to be

    def before(self) -> Iterator[Record]:
        """Some of what is in front of the place. Raises OSError."""

    def more(self) -> list[Record]:
        """What comes next, some of it; nothing where there is nothing yet. Raises OSError, and can be asked again then."""


def parsed(feed: str, line: bytes) -> Record | None:
    """A line as a record; None: it is none, as after a crash."""
    try:
        data = json.loads(line)
        return Record(feed, int(data["seq"]), str(data["time"]), data)
    except (ValueError, KeyError, TypeError):
        return None


def number(line: bytes) -> int:
    """The sequence number of a line without a look at the rest; -1 where it does not begin with one."""
    try:
        return int(line[line.index(b":") + 1:line.index(b",")])
    except ValueError:
        return -1


def gap(after: int, found: Record) -> Record | None:
    """What to say where a line does not follow the one before it; None: it does."""
    if found.seq <= after + 1 or found.seq % LEAP == 0:
        return None
    return Record(found.feed, found.seq - 1, found.time, {"time": found.time, "missing": [after + 1, found.seq - 1]})


def cursor_text(places: Mapping[str, int]) -> str:
    """Where each feed has been read to, as text for --from."""
    return ",".join(f"{feed}:{seq}" for feed, seq in sorted(places.items()))


def cursor_places(text: str) -> dict[str, int]:
    """The way back. Raises Problem."""
    try:
        return {feed: int(seq) for feed, seq in (part.split(":") for part in text.strip().split(",") if part)}
    except ValueError:
        raise Problem(f"{text!r} is no cursor; take one that glupy watch --json has printed, or the word start") from None
