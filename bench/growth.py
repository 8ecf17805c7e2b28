"""What grows with what: requests suspended at once, layers in a graph, instances and fops in a process.

Each figure comes from a process of its own, which begins with nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contenders import TRANSLATORS, glupy
from layers import driver_module
from support import lastref
from support.graph import Graph
from support.volfiles import Layer, layer

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Point:
    """One figure: `count` of something, and what each of them takes."""

    case: str
    count: int
    round: int
    #: Nanoseconds of the clock, and bytes of resident memory.
    time: float
    memory: float


def resident() -> int:
    """Bytes of memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def stack(layers: Sequence[Layer], driver: str = "driver") -> Graph:
    return Graph([layer("sink", "glupytest/sink"), *layers, layer(driver, "glupybench/driver")], folder=TRANSLATORS)


def named(name: str, of: Layer, **options: object) -> Layer:
    return name, of[1], {**of[2], **options}


C = layer("layer", "glupybench/passthrough")


def suspended(driver: Any, count: int) -> tuple[float, float]:
    """Requests that wait at once: what one takes to be suspended and to end, and its memory."""
    with stack([named("suspend", glupy("bench_suspend"))]) as graph, ThreadPoolExecutor(1) as pool:
        translator = graph.translator("suspend")

        def go() -> tuple[int, int]:
            """Send, let all go on as soon as they are there. Nanoseconds and bytes."""
            before, translator.expected = resident(), count
            sent = pool.submit(driver.send, "driver", "stat", 1, count, window=count, warm_up=0)
            translator.all_here.wait()
            translator.all_here.clear()
            memory = resident() - before
            gates, translator.waiting = translator.waiting, []
            for gate in gates:
                gate.set_result(None)
            return sent.result()[0], memory

        seconds, memory = go()
        again = [go()[0] for _ in range(20000 // count)] or [seconds]
    return sum(again) / len(again) / count, memory / count


def memory_of(layers: Sequence[Layer], graphs: ExitStack) -> int:
    """Start a graph; the memory that it took beyond that of one without layers."""
    graphs.enter_context(stack([], driver="first"))
    before = resident()
    graphs.enter_context(stack([], driver="empty"))
    empty = resident() - before
    before = resident()
    graphs.enter_context(stack(layers))
    return resident() - before - empty


def stacked(of: Layer) -> Callable[[Any, int], tuple[float, float]]:
    """Layers on top of each other: what each adds to a fop, and its memory."""

    def measure(driver: Any, count: int) -> tuple[float, float]:
        fops = max(20000 // count, 200)
        with ExitStack() as graphs:
            memory = memory_of([named(f"layer{i}", of) for i in range(count)], graphs)
            wall = statistics.median(driver.send("driver", "stat", 1, fops)[0] for _ in range(5))
            empty = statistics.median(driver.send("empty", "stat", 1, fops)[0] for _ in range(5))
        return (wall - empty) / fops / count, memory / count

    return measure


def instances(of: Layer) -> Callable[[Any, int], tuple[float, float]]:
    """Layers beside each other, as the bricks of a multiplexed process: what a fop through one of them takes, all in
    turn, and the memory of each, with its driver."""

    def measure(driver: Any, count: int) -> tuple[float, float]:
        layers, drivers = [], [f"driver{i}" for i in range(count)]
        for i, name in enumerate(drivers):
            layers += [named(f"layer{i}", of, subvolumes="sink"), layer(name, "glupybench/driver")]
        fops = max(20000 // count, 200)
        with ExitStack() as graphs:
            memory = memory_of([*layers, layer("all", "glupybench/driver", subvolumes=" ".join(drivers))], graphs)
            wall = sum(driver.send(name, "stat", 1, fops)[0] for name in drivers)
        return wall / fops / count, memory / count

    return measure


def lifetime(driver: Any, count: int) -> tuple[float, float]:
    """Fops in a process's life: what one takes, and what it leaves behind."""
    with stack([named("layer", glupy("bench_await"))]):
        driver.send("driver", "stat", 1, 10000)
        before = resident()
        wall, _ = driver.send("driver", "stat", 1, count)
        return wall / count, (resident() - before) / count


def contexts(driver: Any, count: int) -> tuple[float, float]:
    """Inodes with a context each: what it takes to find one and set its context, and the memory of the context."""
    with stack([named("layer", glupy("bench_undefined"))]) as graph:
        table = graph.translator("layer").itable
        lastref.set_lru_limit(table.root, 2 * count)
        lastref.link_many(table.root, 0, count)
        before, start = resident(), time.perf_counter_ns()
        for number in range(count):
            table.find(lastref.gfid_of(number)).ctx = number
        spent, memory = time.perf_counter_ns() - start, resident() - before
        lastref.forget_many(table.root, 0, count)
    return spent / count, memory / count


#: name: (what is counted, how many, what measures it)
CASES: dict[str, tuple[str, tuple[int, ...], Callable[[Any, int], tuple[float, float]]]] = {
    "suspended": ("requests suspended at once", (10, 1000, 100000), suspended),
    "stacked: C": ("layers in C on top of each other", (1, 10, 50), stacked(C)),
    "stacked: not defined": ("layers, the fop not defined", (1, 10, 50), stacked(glupy("bench_undefined"))),
    "stacked: one await": ("layers, one await", (1, 10, 50), stacked(glupy("bench_await"))),
    "instances: C": ("instances in C", (1, 10, 100), instances(C)),
    "instances: one await": ("instances, one await", (1, 10, 100), instances(glupy("bench_await"))),
    "contexts": ("inodes with a context", (1000, 100000, 1000000), contexts),
    "lifetime": ("fops since the start, one await", (10000, 100000, 1000000, 10000000), lifetime),
}


def point(case: str, count: int, number: int) -> Point:
    """Measured in a process of its own."""
    done = subprocess.run(
        [f"{os.environ['GLUPY_STAGE']}/glupybench/bench-python", Path(__file__).parent, "growth", "--point", case,
         str(count)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{case}, {count}: failed\n{done.stdout}{done.stderr}")
    spent, memory = json.loads(done.stdout)
    return Point(case, count, number, spent, memory)


def measure_here(case: str, count: int) -> None:
    """The other end of point()."""
    print(json.dumps(CASES[case][2](driver_module(), count)))


def run(options: argparse.Namespace) -> Iterator[Point]:
    for number in range(options.rounds):
        for case in options.cases:
            for count in CASES[case][1]:
                if count <= options.most:
                    yield point(case, count, number)
