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
    #: Fops that it is measured with, if not all.
    fops: tuple[str, ...] = FOPS


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

CONTENDERS = (
    Contender("nothing"),
    Contender("C", layer("layer", "glupybench/passthrough")),
    Contender("not defined", glupy("bench_undefined"), c="nothing"),
    Contender("plain def", glupy("bench_plain"), c="C", floor="floor: plain def"),
    Contender("tail wind", glupy("bench_tail"), c="C", floor="floor: tail wind"),
    Contender("one await", glupy("bench_await"), c="C", floor="floor: one await"),
    Contender("any_fop, plain def", glupy("bench_any_plain"), c="C", floor="floor: plain def"),
    Contender("any_fop, one await", glupy("bench_any"), c="C", floor="floor: one await"),
    Contender("classic API", glupy("bench_classic"), c="C", floor="floor: one await", replaces=FIRST_GLUPY),
    Contender(FIRST_GLUPY, layer("layer", "glupybench/original"), c="C", floor="floor: one await",
              fops=("lookup", "stat")),
    Contender("floor: plain def", module="bench_plain"),
    Contender("floor: tail wind", module="bench_tail"),
    Contender("floor: one await", module="bench_await"),
    Contender("floor: plain def, attaching", module="bench_plain", attach=True),
    Contender("floor: one await, attaching", module="bench_await", attach=True),
    Contender("C negative cache", layer("layer", "glupybench/negative"), fops=("lookup", "lookup_missing")),
    *(Contender(f"work, {n} interpreter{'s' * (n > 1)}", glupy("bench_work", interpreters=n), fops=("stat",))
      for n in INTERPRETERS),
    Contender("negative_lookup.py", glupy("negative_lookup"), c="C negative cache", fops=("lookup", "lookup_missing")),
)
