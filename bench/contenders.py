"""What is measured against what. A new contender is one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from support.volfiles import Layer, layer

T = TypeVar("T")

#: Where the bench's own translators are.
TRANSLATORS = Path(__file__).resolve().parent / "translators"

FOPS = (
    "lookup", "stat", "open", "create", "readv4k", "readv128k", "writev4k", "writev128k", "readdirp", "getxattr",
)


@dataclass(frozen=True)
class Contender:
    """A layer to be measured, or the floor under one."""

    name: str
    layer: Layer | None = None
    #: The contender in C that does the same work, and the floor: what the ratios are to.
    c: str | None = None
    floor: str | None = None
    #: The contender that did the same work before.
    replaces: str | None = None
    #: For a floor: the translator whose methods it calls, and whether it attaches to the interpreter as glupy has to.
    module: str | None = None
    attach: bool = False
    #: What of CPython no layer that does this work can do without: a contender that is a program of its own
    #: (unavoidable.c), and what that program is told.
    bound: str | None = None
    program: str | None = None
    #: Fops that it is measured with, if not all.
    fops: tuple[str, ...] = FOPS

    @property
    def bare(self) -> bool:
        """It is no layer of a graph."""
        return bool(self.module or self.program)


def in_turn(things: Sequence[T], round: int) -> list[T]:
    """The same things, another one first in each round: who comes after a costly one may have to pay for it."""
    first = round * 3 % len(things)
    return [*things[first:], *things[:first]]


def glupy(module: str, **options: object) -> Layer:
    """The layer of a translator in Python."""
    return layer("layer", "features/glupy", module=module, **options)


#: Several need Python 3.12.
INTERPRETERS = (1, 2, 4) if sys.version_info >= (3, 12) else (1,)


FIRST_GLUPY = "first glupy's way"

#: A layer in C that computes for as long as a coroutine with one await does, in the fop and in the callback: what two threads cost
#: that wait for one another, whatever they do meanwhile.
CONTROL = "C that computes as long"

#: What a tracer is measured with.
TRACED = ("stat", "writev4k")

CONTENDERS = (
    Contender("nothing"),
    Contender("C", layer("layer", "glupybench/passthrough")),
    Contender(CONTROL, layer("layer", "glupybench/computing"), c="C", fops=("stat",)),
    Contender("not defined", glupy("bench_undefined"), c="nothing"),
    Contender("plain def", glupy("bench_plain"), c="C", floor="floor: plain def",
              bound="unavoidable: plain def"),
    Contender("tail wind", glupy("bench_tail"), c="C", floor="floor: tail wind"),
    Contender("one await", glupy("bench_await"), c="C", floor="floor: one await",
              bound="unavoidable: one await"),
    Contender("any_fop, plain def", glupy("bench_any_plain"), c="C", floor="floor: plain def",
              bound="unavoidable: plain def"),
    Contender("any_fop, one await", glupy("bench_any"), c="C", floor="floor: one await",
              bound="unavoidable: one await"),
    Contender("classic API", glupy("bench_classic"), c="C", floor="floor: one await", replaces=FIRST_GLUPY,
              bound="unavoidable: one await"),
    Contender(FIRST_GLUPY, layer("layer", "glupybench/original"), c="C", floor="floor: one await",
              fops=("lookup", "stat")),
    Contender("floor: plain def", module="bench_plain"),
    Contender("floor: tail wind", module="bench_tail"),
    Contender("floor: one await", module="bench_await"),
    Contender("floor: plain def, attaching", module="bench_plain", attach=True),
    Contender("floor: one await, attaching", module="bench_await", attach=True),
    Contender("unavoidable: plain def", program="plain"),
    Contender("unavoidable: one await", program="await"),
    Contender("one await in a Mutex", glupy("bench_mutex"), c="C", floor="floor: one await", fops=("stat",)),
    Contender("one await in inode.lock()", glupy("bench_mutex", of_inode="on"), c="C", floor="floor: one await", fops=("stat",)),
    Contender("an error raised", glupy("bench_raise"), c="C negative cache", fops=("lookup_missing",)),
    Contender("a failure returned", glupy("bench_fail"), c="C negative cache", fops=("lookup_missing",)),
    Contender("a line logged", glupy("bench_log"), c="C", fops=("stat",)),
    Contender("C negative cache", layer("layer", "glupybench/negative"), fops=("lookup", "lookup_missing")),
    *(Contender(f"work, {n} interpreter{'s' * (n > 1)}", glupy("bench_work", interpreters=n), fops=("stat",))
      for n in INTERPRETERS),
    Contender("trace.py, disabled", glupy("trace", enabled="off"), c="nothing", fops=TRACED),
    Contender("trace.py, other fops", glupy("trace", only="rename"), c="debug/trace, other fops", fops=TRACED),
    Contender("trace.py, none so slow", glupy("trace", slower=1000), c="debug/trace, other fops", fops=TRACED),
    Contender("trace.py, to a file", glupy("trace", file="/dev/null"), fops=TRACED),
    Contender("qos.py, nobody waits", glupy("qos", by="user"), c="C", floor="floor: one await", fops=TRACED),
    Contender("debug/trace, other fops", layer("layer", "debug/trace", include_ops="RENAME"), fops=TRACED),
    Contender("negative_lookup.py", glupy("negative_lookup"), c="C negative cache", fops=("lookup", "lookup_missing")),
)
