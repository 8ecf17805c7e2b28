"""Instructions that a fop takes: counted by valgrind's callgrind, so exact and, on any machine, much the same each time.

Times tell of the machine as well, which has its moods. Instructions do not, but neither do they tell of what a processor
waits for: memory, locks, other threads. So one thread sends, and the child answers on it.

All contenders stand in one process, which runs in valgrind. What is counted is what the driver (and the program
unavoidable.c) does between two calls of bench_mark(): each call makes a dump. Each contender sends two numbers of fops, and the
difference is what a fop takes, without what beginning and ending take.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contenders import CONTENDERS, Contender
from layers import BIG, Bench, unavoidable

#: How many fops are sent, less and more. Python collects garbage after some hundred objects, so it is part of both.
LESS, MORE = 500, 2500

MARK = "bench_mark"


@dataclass(frozen=True)
class Count:
    """What one fop through a contender takes."""

    contender: str
    fop: str
    instructions: float


def chosen(only: list[str], fops: list[str]) -> list[tuple[Contender, str]]:
    """What is counted, in this order: contenders, each with the fops that it has."""
    return [(contender, fop) for contender in CONTENDERS if not only or contender.name in only
            for fop in fops if fop in contender.fops]


def callgrind(folder: Path, command: list[str]) -> list[int]:
    """Run a command and count: the instructions between the first and the second call of bench_mark(), and so on."""
    out = folder / "callgrind.out"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--dump-before={MARK}",
         f"--callgrind-out-file={out}", *command],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"})
    if done.returncode != 0:
        sys.exit(f"{command}: failed\n{done.stdout}{done.stderr}")
    dumps = sorted((int(file.suffix[1:]), file) for file in folder.glob("callgrind.out.*"))
    return [total(file) for _, file in dumps[1::2]]


def total(dump: Path) -> int:
    """The instructions in one of callgrind's files."""
    (line,) = (line for line in dump.read_text().splitlines() if line.startswith("totals:"))
    return int(line.split()[1])


def per_fop(counts: list[int]) -> list[float]:
    """From the numbers of LESS fops and of MORE, in turn."""
    return [(more - less) / (MORE - LESS) for less, more in zip(counts[::2], counts[1::2], strict=True)]


def run(options: argparse.Namespace) -> Iterator[Count]:
    """Count all that are chosen. Layers of graphs are in a process of their own, which send_here() is the inside of."""
    things = chosen(options.only, options.fops)
    layers = [(contender, fop) for contender, fop in things if not contender.program]
    with tempfile.TemporaryDirectory() as folder:
        counts = per_fop(callgrind(Path(folder), [
            f"{os.environ['GLUPY_STAGE']}/glupybench/bench-python", str(Path(__file__).parent), "layers", "--send",
            "--fops", *options.fops, *(["--only", *options.only] if options.only else [])]))
    for (contender, fop), instructions in zip(layers, counts, strict=True):
        yield Count(contender.name, fop, instructions)
    for contender, fop in things:
        if contender.program:
            with tempfile.TemporaryDirectory() as folder:
                counts = per_fop(callgrind(Path(folder), unavoidable(contender, fop, LESS, MORE)))
            yield Count(contender.name, fop, counts[0])


def send_here(options: argparse.Namespace) -> None:
    """Send what run() counts, in the same order."""
    things = [(contender, fop) for contender, fop in chosen(options.only, options.fops) if not contender.program]
    contenders = {contender.name: contender for contender, _ in things}
    with Bench(tuple(contenders.values()), ("sync",)) as bench:
        for contender, fop in things:
            for count in (LESS, MORE):
                bench.measure(contender, fop, "sync", 1, count, BIG)
