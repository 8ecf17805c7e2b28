"""Instructions that a fop takes: counted by valgrind's callgrind, so exact and, on any machine, much the same each time.

Times tell of the machine as well, which has its moods. Instructions do not, but neither do they tell of what a processor
waits for: memory, locks, other threads. So one thread sends, and the child answers on it.

All contenders stand in one process, which runs in valgrind. What is counted is what the driver (and the program
unavoidable.c) does between two calls of bench_mark(): each call makes a dump. Each contender sends two numbers of fops, and the
difference is what a fop takes, without what beginning and ending take. What comes after the second call counts as well, up to
the next first one, since Writers have lines to write then.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import glupy
from contenders import CONTENDERS, Contender
from layers import BIG, Bench, unavoidable
from support.waiting import PATIENCE

#: How many fops are sent, less and more. Python collects garbage after some hundred objects, so it is part of both.
LESS, MORE = 250, 1250

MARK = "bench_mark"


@dataclass(frozen=True)
class Count:
    """What one fop through a contender takes."""

    contender: str
    fop: str
    instructions: float


def chosen(
    options: argparse.Namespace, contenders: tuple[Contender, ...] = CONTENDERS,
) -> list[tuple[Contender, str]]:
    """What is counted, in this order: contenders, each with the fops that it has."""
    return [(contender, fop) for contender in contenders if not options.only or contender.name in options.only
            for fop in options.fops if fop in contender.fops]


def callgrind(folder: Path, command: list[str]) -> list[int]:
    """Run a command and count: the instructions until the first call of bench_mark(), from that to the second, and so on."""
    out = folder / "callgrind.out"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--dump-before={MARK}",
         f"--callgrind-out-file={out}", *command],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"})
    if done.returncode != 0:
        sys.exit(f"{command}: failed\n{done.stdout}{done.stderr}")
    dumps = sorted((int(file.suffix[1:]), file) for file in folder.glob("callgrind.out.*"))
    return [total(file) for _, file in dumps]


def total(dump: Path) -> int:
    """The instructions in one of callgrind's files."""
    (line,) = (line for line in dump.read_text().splitlines() if line.startswith("totals:"))
    return int(line.split()[1])


def per_fop(less: int, more: int) -> float:
    """From the numbers of LESS fops and of MORE."""
    return (more - less) / (MORE - LESS)


def run(options: argparse.Namespace) -> Iterator[Count]:
    """Count all that are chosen. Layers of graphs are in a process of their own, which send_here() is the inside of."""
    things = chosen(options)
    yield from in_layers(options, things, "layers", "--send")
    for contender, fop in things:
        if contender.program:
            with tempfile.TemporaryDirectory() as folder:
                less, more = callgrind(Path(folder), unavoidable(contender, fop, LESS, MORE))[1:4:2]
            yield Count(contender.name, fop, per_fop(less, more))


def in_layers(options: argparse.Namespace, things: list[tuple[Contender, str]], *command: str) -> Iterator[Count]:
    """Count what layers of graphs take, by a kind of bench that sends the same things."""
    layers = [(contender, fop) for contender, fop in things if not contender.program]
    with tempfile.TemporaryDirectory() as folder:
        totals = callgrind(Path(folder), [
            f"{os.environ['GLUPY_STAGE']}/glupybench/bench-python", str(Path(__file__).parent), *command,
            "--fops", *options.fops, *(["--only", *options.only] if options.only else [])])
    for number, (contender, fop) in enumerate(layers):
        _, less, less_after, more, more_after = totals[6 * number:6 * number + 5]
        yield Count(contender.name, fop, per_fop(less + less_after, more + more_after))


def send_here(
    options: argparse.Namespace, contenders: tuple[Contender, ...] = CONTENDERS, expected: tuple[str, ...] = (),
) -> None:
    """Send what is counted, in the same order."""
    things = [(contender, fop) for contender, fop in chosen(options, contenders) if not contender.program]
    taking_part = {contender.name: contender for contender, _ in things}
    with Bench(tuple(taking_part.values()), ("sync",), expected) as bench:
        writers = [each for each in gc.get_objects() if isinstance(each, glupy.Writer)]
        gc.collect()
        gc.freeze()  # else each hundredth thousand of objects has all contenders looked through, and one of them pays for it
        for contender, fop in things:
            for count in (LESS, MORE, 1):  # the last one ends what is counted of the one before: what Writers have left to do
                bench.measure(contender, fop, "sync", 1, count, BIG)
                for writer in writers:
                    writer.drain(PATIENCE)
