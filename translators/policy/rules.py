"""Rules, and what they decide: knows what is asked and a file's first bytes, nothing of how rules are written."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .asked import Asked


@dataclass(frozen=True)
class Rule:
    line: int
    action: str
    fop: frozenset[str]
    uid: tuple[range, ...] = ()
    gid: tuple[range, ...] = ()
    client: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    at: tuple[int, int] | None = None
    days: tuple[int, ...] = ()
    content: tuple[int, bytes] | None = None
    error: int = errno.EACCES
    internal: bool = False

    def fits(self, asked: Asked) -> bool:
        """Whether all terms but content= fit."""
        return bool(
            asked.fops & self.fop and (self.internal or asked.actor in ("user", "brick"))
            and (not self.uid or any(asked.uid in each for each in self.uid))
            and (not self.gid or any(gid in each for each in self.gid for gid in asked.gids))
            and (not self.client or any_fits(self.client, [asked.client or ""]))
            and (not self.name or any_fits(self.name, asked.names)) and (not self.path or any_fits(self.path, asked.paths))
            and (not (self.at or self.days) or self.is_time())
        )

    def is_time(self) -> bool:
        now = time.localtime(time.time())
        if self.days and now.tm_wday not in self.days:
            return False
        begin, end = self.at or (0, 24 * 60)
        minute = now.tm_hour * 60 + now.tm_min
        return begin <= minute < end if begin < end else minute >= begin or minute < end

    def has(self, head: bytes) -> bool:
        return self.content is None or head[self.content[0]:].startswith(self.content[1])


def any_fits(patterns: tuple[str, ...], texts: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for text in texts for pattern in patterns)


@dataclass(frozen=True)
class Decision:
    rule: Rule | None
    recorded: tuple[Rule, ...]


class Rules:
    """Those of a file."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.fops: frozenset[str] = frozenset().union(*(rule.fop for rule in rules))
        if "truncate" in self.fops:
            self.fops |= {"open"}
        self.head = max((rule.content[0] + len(rule.content[1]) for rule in rules if rule.content), default=0)

    def decide(self, asked: Asked, head: bytes | None) -> Decision | None:
        """What the rules say; None: that depends on the content."""
        recorded: list[Rule] = []
        for rule in self.rules:
            if not rule.fits(asked):
                continue
            if rule.content and head is None:
                return None
            if not rule.has(head or b""):
                continue
            if rule.action != "record":
                return Decision(rule, tuple(recorded))
            recorded.append(rule)
        return Decision(None, tuple(recorded))
