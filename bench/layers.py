"""What a layer costs: fops in a tight loop, in this process, to a child that answers at once.

The contenders take turns, round by round, so that whatever else the machine does meets all of them alike, and ratios
are formed within a round. They stand side by side in one graph, above the same child, each below a driver of its own:

    driver (sends)  ->  the layer  ->  [a thread that answers]  ->  sink (answers)
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import os
import runpy
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import glupy
import original
from contenders import CONTENDERS, TRANSLATORS, Contender, in_turn
from glupy.logs import loggers
from support.graph import Graph
from support.volfiles import Layer, layer

#: How a child answers: on the caller's thread, or on another.
CHILDREN: dict[str, list[Layer]] = {
    "sync": [],
    "thread": [layer("thread", "glupytest/onstack", stack="pthread", threads=1)],
}

#: Under way at once, for each sending thread: waiting for another thread's answer one by one would measure the kernel.
WINDOWS = {"sync": 1, "thread": 32}


#: Stacks of threads: FUSE's readers and event threads have the big one, io-threads the small one.
BIG, SMALL = 8 << 20, 256 << 10


@dataclass(frozen=True)
class Sample:
    """One contender in one round."""

    contender: str
    fop: str
    child: str
    threads: int
    stack: int
    round: int
    #: Nanoseconds a fop: of the clock, times the threads that share it; and of all processors.
    wall: float
    cpu: float


def library(name: str) -> Path:
    """One of the bench's translators, as GlusterFS loads it."""
    folder = subprocess.run(["glusterfsd", "--print-xlatordir"], check=True, capture_output=True, text=True).stdout
    return Path(folder.strip()) / "glupybench" / f"{name}.so"


def driver_module() -> ModuleType:
    """The driver, as GlusterFS loads it."""
    loader = importlib.machinery.ExtensionFileLoader("driver", str(library("driver")))
    spec = importlib.util.spec_from_loader("driver", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def glupy_fop(fop: str) -> str:
    """The fop that the bench sends as `fop`: readv4k is a readv, lookup_missing a lookup."""
    return fop.removesuffix("4k").removesuffix("128k").removesuffix("_missing")


def unavoidable(contender: Contender, fop: str, *counts: int) -> list[str]:
    """The command that measures the unavoidable part of a fop: so many of them, once for each count."""
    assert contender.program
    return [f"{os.environ['GLUPY_STAGE']}/glupybench/unavoidable", contender.program,
            str(len(glupy.FOPS[glupy_fop(fop)])), *map(str, counts)]


def driver_name(contender: Contender, child: str) -> str:
    return f"{contender.name}-{child}".replace(" ", "-")


class Bench:
    """The graphs of some contenders, and the driver."""

    def __init__(self, contenders: tuple[Contender, ...], children: tuple[str, ...], expected: tuple[str, ...] = ()) -> None:
        self.contenders, self.children, self.expected = contenders, children, expected
        self.driver: Any = driver_module()
        self.graphs = ExitStack()
        self.methods: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> Bench:
        loggers.install_logging()  # as in a process that GlusterFS runs: lines go to its log
        for contender in self.contenders:
            if contender.module:
                self.load_floor(contender.module)
            elif contender.layer and contender.layer[1] == "glupybench/original":
                original.register(library("original"))
        try:
            for child in self.children:
                self.graphs.enter_context(Graph(self.layers(child), folder=TRANSLATORS, expected=self.expected))
        except BaseException:
            self.graphs.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.graphs.close()

    def layers(self, child: str) -> list[Layer]:
        """A graph of all contenders above one child. Each has an answering thread of its own: Python keeps something on
        each thread that it has been on, which the next contender would find there."""
        layers, drivers = [layer("sink", "glupytest/sink")], []
        for contender in self.contenders:
            if contender.bare:
                continue
            below = "sink"
            for _, kind, options in [*CHILDREN[child], *([contender.layer] if contender.layer else [])]:
                layers.append(layer(f"layer-{len(layers)}", kind, **options, subvolumes=below))
                below = layers[-1][0]
            drivers.append(driver_name(contender, child))
            layers.append(layer(drivers[-1], "glupybench/driver", subvolumes=below))
        return [*layers, layer("all", "glupybench/driver", subvolumes=" ".join(drivers))]

    def load_floor(self, module: str) -> None:
        """The translator's functions, bound to something that has a child as a translator has."""
        names = runpy.run_path(str(TRANSLATORS / f"{module}.py"))
        (cls,) = (thing for thing in names.values()
                  if isinstance(thing, type) and issubclass(thing, glupy.Translator) and thing is not glupy.Translator)
        translator = SimpleNamespace(child=self.driver.Child())
        for name in glupy.FOPS:
            if name in vars(cls):
                self.methods[module, name] = vars(cls)[name].__get__(translator)

    def measure(
        self, contender: Contender, fop: str, child: str, threads: int, count: int, stack: int,
    ) -> tuple[int, int]:
        """Wall and CPU time, in nanoseconds, of `count` fops from each of `threads`."""
        if contender.program:
            done = subprocess.run(unavoidable(contender, fop, count), check=True, capture_output=True, text=True)
            wall, cpu = done.stdout.split()
            return int(wall), int(cpu)
        if contender.module:
            name = glupy_fop(fop)
            arguments = (object(),) * (1 + len(glupy.FOPS[name]))  # the frame, and what the fop has
            method = self.methods[contender.module, name]
            return self.driver.floor(method, arguments, threads, count,  # type: ignore[no-any-return]
                                     contender.attach or threads > 1)
        return self.driver.send(driver_name(contender, child), fop, threads, count,  # type: ignore[no-any-return]
                                WINDOWS[child], stack)

    def sample(
        self, contender: Contender, fop: str, child: str, threads: int, count: int, stack: int, round: int,
    ) -> Sample:
        # Threads that send for a moment only would do so one after the other.
        share = max(count // min(threads, 4), WINDOWS[child])
        wall, cpu = self.measure(contender, fop, child, threads, share, stack)
        done = share // WINDOWS[child] * WINDOWS[child] * threads
        return Sample(contender.name, fop, child, threads, stack, round, wall / done, cpu / done)


def plan(options: argparse.Namespace) -> list[tuple[str, str, int, int]]:
    """(fop, child, threads, stack) of what is measured in each round."""
    one = [(fop, child, 1, BIG) for child in options.children for fop in options.fops]
    many = [(options.scaling, child, threads, BIG) for child in options.children for threads in options.threads]
    return [*one, *many, (options.scaling, options.children[0], 1, SMALL)]


def takes_part(contender: Contender, fop: str, child: str, threads: int, stack: int) -> bool:
    """Whether a contender can be measured so: where there is no graph, there is no child and no thread of GlusterFS's."""
    if contender.bare and (child, stack) != ("sync", BIG) or contender.program and threads > 1:
        return False
    return fop in contender.fops


def run(options: argparse.Namespace) -> Iterator[Sample]:
    """All samples, round by round."""
    contenders = tuple(c for c in CONTENDERS if not options.only or c.name in options.only)
    children = tuple(options.children)
    with Bench(contenders, children) as bench:
        for number in range(options.rounds):
            for fop, child, threads, stack in plan(options):
                for contender in in_turn(contenders, number):
                    if takes_part(contender, fop, child, threads, stack):
                        yield bench.sample(contender, fop, child, threads, options.count, stack, number)
