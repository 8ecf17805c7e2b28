"""Make chosen operations fail, late, short or hang, to see what applications and GlusterFS make of it.

    volume faulty
        type user/fault
        option rules fop=writev,path=*.db,chance=0.01,fail=EIO;fop=readv,every=100,delay=2
        option seed 7
        option active on
        subvolumes brick
    end-volume

Rules are separated by semicolons, the terms of a rule by commas, alternatives by a bar. There is no blank in them, since
glusterd writes values without quotes. Of the rules that an operation fits, the first one that hits is applied.

What is done to an operation: fail=ENAME answers with that error, without asking the child; with the word done the child is
asked first, and its answer replaced. delay=SECONDS waits before, also before one of the others. short=BYTES moves at most so
many bytes in readv or writev. hang waits until faults are switched off or changed, or the graph or process ends, and then
goes on as if nothing had been.

Which operations: fop=NAMES or patterns of fops, or all, reading, opening, changing, changing-data, changing-metadata,
changing-names, removing, syncing, locking (without fop=: all but locking); path=PATTERNS as of a shell, where * also stands
for slashes, of which one has to fit the path, either path in rename and link; gfid=GFIDS; uid=NUMBERS, gid=NUMBERS;
client=PATTERNS of what frame.client is on a brick; host=PATTERNS of the machine's own name, to have it on one node; internal:
also those of GlusterFS itself (negative pid: heal, rebalance), which are never touched otherwise.

How many of these: after=N leaves the first N alone, every=N takes each Nth, chance=P hits with a probability of P, times=N
stops after N hits. When: during=10-20 in seconds since faults were switched on, during=10-20/60 again each minute,
at=22:00-06:00 by the machine's local time.

All is decided by counters and by random numbers that follow from `seed`: the same operations in the same order meet the same
faults. Where operations come side by side, their order is chance, but how many of them are hit is not. Switching on, and each
change of rules or seed, begins anew.
"""

from __future__ import annotations

import random
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

import glupy
from glupy import Call, Failure, Frame, Future, Gfid, Loc, Option, Reply, Translator, Wind, fail

#: What a rule is about that names no fop. A lock that cannot be let go of stays: who wants that names it.
USUAL = glupy.READING | glupy.OPENING | glupy.CHANGING | glupy.SYNCING

MOVING = frozenset(("readv", "writev"))

#: Seconds between two entries that say faults are on.
REMINDER = 3600.0


class Rules(Option[str]):
    """The option `rules`, which is refused where it cannot be read."""

    def parse(self, text: str) -> str:
        parsed(text)
        return text


class Fault(Translator):
    rules = Rules(str, default="", help="which operations, and what is done to them")
    active = Option(bool, default=False, help="whether faults are made; on: the log says so")
    seed = Option(int, default=0, help="another one makes other choices where rules have chance=")

    def init(self) -> None:
        self.fops = USUAL | glupy.LOCKING
        self.session: Session | None = None
        self.begin()
        self.every(REMINDER, self.remind)

    def begin(self) -> None:
        """From now on as options say; what hangs from before goes on."""
        before, self.session = self.session, Session(parsed(self.rules), self.seed) if self.active else None
        if before:
            before.end()
            self.log.warning("faults are off, or begin anew: %s", before)
        if self.session:
            self.log.warning("faults are on (seed %d): %s", self.seed, self.rules or "no rules")

    def reconfigured(self, changed: dict[str, Any]) -> None:
        self.begin()

    def reloaded(self, old: Fault) -> None:
        if old.session:
            old.session.end()

    def stopping(self) -> None:
        if self.session:
            self.session.end()

    def remind(self) -> None:
        if self.session:
            self.log.warning("faults are still on: %s", self.session)

    def any_fop(self, frame: Frame, call: Call) -> Any:
        session = self.session
        if session is None:
            return None
        rule = session.hit(frame, call)
        return None if rule is None else self.faulty(session, rule, call)

    async def faulty(self, session: Session, rule: Rule, call: Call) -> Reply | Failure | Wind[Any]:
        if rule.hits == 1:
            self.log.warning("the first fault by rule %s: %s of %s", rule.text, call.name, call.path)
        if rule.delay:
            await glupy.sleep(rule.delay)
        if rule.hang:
            await session.ended
        if rule.fail and not rule.done:
            return fail(rule.fail)
        wind = call.wind(**rule.shortened(call))
        if rule.fail:
            await wind.or_error()
            return fail(rule.fail)
        return wind


class Session:
    """Rules at work, from one switching to the next, with what they count."""

    def __init__(self, rules: list[Rule], seed: int) -> None:
        self.rules = rules
        for number, rule in enumerate(rules):
            rule.dice = random.Random(f"{seed}:{number}")
        self.begun = time.monotonic()
        self.ended: Future[None] = Future()  # glupy: ignore future: ends in one way
        self.lock = Lock()  # of counters and random numbers; never held while anything is awaited

    def __str__(self) -> str:
        return "; ".join(f"{rule.hits} faults by {rule.text}" for rule in self.rules) or "no rules"

    def end(self) -> None:
        with self.lock:
            if not self.ended.done():
                self.ended.set_result(None)

    def hit(self, frame: Frame, call: Call) -> Rule | None:
        """The rule that applies to an operation."""
        for rule in self.rules:
            if rule.fits(frame, call) and rule.is_time(time.monotonic() - self.begun):
                with self.lock:
                    if not self.ended.done() and rule.chosen():
                        return rule
        return None


@dataclass
class Rule:
    """What one says: terms of the same names."""

    text: str
    fop: frozenset[str] = USUAL
    path: tuple[str, ...] = ()
    gfid: tuple[Gfid, ...] = ()
    uid: tuple[int, ...] = ()
    gid: tuple[int, ...] = ()
    client: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    internal: bool = False
    after: int = 0
    every: int = 1
    chance: float = 1.0
    times: int = 0  # 0: without end
    during: tuple[float, float, float] | None = None  # from, until, and the period, or 0
    at: tuple[int, int] | None = None  # minutes of the day
    fail: int = 0
    done: bool = False
    delay: float = 0.0
    short: int = 0
    hang: bool = False
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)
    dice: random.Random = field(default_factory=random.Random, init=False)

    def fits(self, frame: Frame, call: Call) -> bool:
        """Whether it is about this operation."""
        return (
            call.name in self.fop and (self.internal or frame.pid >= 0)
            and (not self.uid or frame.uid in self.uid) and (not self.gid or frame.gid in self.gid)
            and (not self.client or any_fits(self.client, frame.client))
            and (not self.gfid or call.gfid in self.gfid)
            and (not self.path or any(any_fits(self.path, path) for path in paths(call)))
            and (not self.host or any_fits(self.host, socket.gethostname()))
        )

    def is_time(self, elapsed: float) -> bool:
        if self.during:
            begin, end, period = self.during
            if not begin <= (elapsed % period if period else elapsed) < end:
                return False
        if self.at:
            now, (begin, end) = time.localtime(time.time()), self.at
            minute = now.tm_hour * 60 + now.tm_min
            return begin <= minute < end if begin <= end else minute >= begin or minute < end
        return True

    def chosen(self) -> bool:
        """Whether it hits the operation that has come now. Counts: call it once for each, one after another."""
        self.seen += 1
        if self.seen <= self.after or (self.seen - self.after) % self.every or (self.times and self.hits >= self.times):
            return False
        if self.chance < 1.0 and self.dice.random() >= self.chance:
            return False
        self.hits += 1
        return True

    def shortened(self, call: Call) -> dict[str, Any]:
        """The arguments of a readv or writev that it changes."""
        if not self.short:
            return {}
        return {"size": min(call["size"], self.short)} if call.name == "readv" else {
            "vector": call["vector"].part(0, self.short)}


def any_fits(patterns: tuple[str, ...], text: str | None) -> bool:
    return text is not None and any(fnmatchcase(text, pattern) for pattern in patterns)


def paths(call: Call) -> set[str | None]:
    """All that are known of what an operation is about."""
    return {call.path, *(value.path for value in call.args if isinstance(value, Loc))}


# Reading rules: each function gives a term's value, or raises ValueError that says what was expected


def parsed(text: str) -> list[Rule]:
    """Rules from the text of the option. Raises ValueError, which says which rule is wrong, and how."""
    return glupy.rules_named(text, one_rule)


def one_rule(text: str) -> Rule:
    given = glupy.terms_named(text.split(","), TERMS)
    return consistent(Rule(text, **given), given)


def consistent(rule: Rule, given: dict[str, Any]) -> Rule:
    """The rule, if its terms go together."""
    if not given.keys() & {"fail", "delay", "short", "hang"}:
        raise ValueError("it does nothing: add fail=EIO, delay=2, short=100 or hang")
    if rule.hang and given.keys() & {"fail", "delay", "short"} or rule.fail and rule.short:
        raise ValueError("it does two things at once: make two rules of it")
    if rule.done and not rule.fail:
        raise ValueError("done goes with fail=")
    if rule.short:
        if "fop" in given and not rule.fop <= MOVING:
            raise ValueError("short= is for readv and writev only")
        rule.fop &= MOVING
    return rule


def several(read: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(read(word) for word in text.split("|"))


def number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,18}", text) or int(text) < least:
            raise ValueError(f"expected a whole number, {least} or more, not {text or 'nothing'}")
        return int(text)
    return read


def seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise ValueError(f"expected seconds such as 2 or 0.5, not {text or 'nothing'}")
    return float(text)


def probability(text: str) -> float:
    if not re.fullmatch(r"[01]?(\.[0-9]{1,17})?", text) or not text or not 0.0 <= float(text) <= 1.0:
        raise ValueError(f"expected a probability from 0 to 1, not {text or 'nothing'}")
    return float(text)


def span(text: str) -> tuple[float, float, float]:
    match = re.fullmatch("([0-9.]+)-([0-9.]+)(?:/([0-9.]+))?", text)
    begin, end, period = (seconds(part or "0") for part in match.groups()) if match else (0.0, 0.0, 0.0)
    if begin >= end or period and end > period:
        raise ValueError(f"expected seconds such as 10-20, or 10-20/60, not {text}")
    return begin, end, period


def daytime(text: str) -> tuple[int, int]:
    match = re.fullmatch("([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match or match[0][:5] == match[0][6:]:
        raise ValueError(f"expected times of the day such as 22:00-06:00, not {text or 'nothing'}")
    return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])


TERMS: dict[str, Callable[[str], Any] | None] = {
    "fop": lambda text: glupy.fops_named(text, USUAL | glupy.LOCKING), "path": several(str), "gfid": several(Gfid),
    "uid": several(number(0)), "gid": several(number(0)),
    "client": several(str), "host": several(str), "internal": None, "after": number(0), "every": number(1),
    "chance": probability, "times": number(1), "during": span, "at": daytime, "fail": glupy.errno_named, "done": None,
    "delay": seconds, "short": number(1), "hang": None,
}
