"""The same on real mounts: small files and streams, through FUSE to a directory.

All mounts are up at the same time and take turns. The kernel keeps no attributes and no names (timeouts of 0), so that
every call comes down to GlusterFS. CPU time is that of the file systems' processes, both of them where two are stacked.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contenders import TRANSLATORS, glupy, in_turn
from support.mounts import Mount
from support.volfiles import Layer, layer

BLOCK = 128 << 10
ARGUMENTS = ("--attribute-timeout=0", "--entry-timeout=0")


@dataclass(frozen=True)
class Mounted:
    """A file system, and who serves it."""

    path: Path
    pids: tuple[int, ...]

    def cpu(self) -> int:
        """Nanoseconds of CPU time that its threads have taken."""
        return sum(int(thread.read_text().split()[0])
                   for pid in self.pids for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"))


@dataclass(frozen=True)
class Sample:
    """One contender in one round: nanoseconds of the clock and of processors, an operation."""

    contender: str
    work: str
    round: int
    wall: float
    cpu: float


#: What stands above the graph of storage/posix and features/locks.
GRAPHS: dict[str, list[Layer]] = {
    "plain": [],
    "performance/nl-cache": [layer("layer", "performance/nl-cache")],
    "negative_lookup.py": [glupy("negative_lookup")],
    "debug/trace": [layer("layer", "debug/trace", log_file="yes", log_history="no")],
    "trace in Python": [glupy("bench_trace")],
    "plain def": [glupy("bench_plain")],
    "one await": [glupy("bench_await")],
}
STACKED = "pyfuse3 on plain"


@contextmanager
def stacked(below: Mounted) -> Iterator[Mounted]:
    """A pass-through file system in pyfuse3 on top of a mount."""
    with tempfile.TemporaryDirectory(prefix="glupy-bench.") as folder:
        program = [sys.executable, str(Path(__file__).with_name("stacked.py")), str(below.path), folder]
        process = subprocess.Popen(program)
        try:
            while not os.path.ismount(folder):
                if process.poll() is not None:
                    raise RuntimeError(f"{' '.join(program)} ended with {process.returncode}")
                time.sleep(0.02)
            yield Mounted(Path(folder), (process.pid, *below.pids))
        finally:
            if os.path.ismount(folder):
                subprocess.run(["umount", folder], check=True)
            process.wait(30)


@contextmanager
def mounted(contender: str, graph: list[Layer], expected: tuple[str, ...] = ()) -> Iterator[Mounted]:
    with Mount(graph, folder=TRANSLATORS, arguments=ARGUMENTS, expected=expected) as mount:
        below = Mounted(mount.path, (mount.pid,))
        if contender != STACKED:
            yield below
            return
        with stacked(below) as above:
            yield above


# --- the work: each does `count` of something in a directory ---------------------------------------------------------


def create(top: Path, count: int) -> None:
    for i in range(count):
        fd = os.open(top / f"file{i}", os.O_CREAT | os.O_WRONLY, 0o644)
        os.write(fd, b"small")
        os.close(fd)


def stat(top: Path, count: int) -> None:
    for i in range(count):
        os.stat(top / f"file{i}")


def unlink(top: Path, count: int) -> None:
    for i in range(count):
        os.unlink(top / f"file{i}")


def stat_missing(top: Path, count: int) -> None:
    """Names that are not there, asked for again and again, as along a search path."""
    for i in range(count):
        try:
            os.stat(top / f"missing{i % 20}")
        except FileNotFoundError:
            continue
        raise RuntimeError(f"missing{i % 20} is there")


def write(top: Path, count: int) -> None:
    data = bytes(BLOCK)
    fd = os.open(top / "stream", os.O_CREAT | os.O_WRONLY, 0o644)
    for i in range(count):
        os.pwrite(fd, data, i * BLOCK)
    os.close(fd)


def read(top: Path, count: int) -> None:
    fd = os.open(top / "stream", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for i in range(count):
        if len(os.pread(fd, BLOCK, i * BLOCK)) != BLOCK:
            raise RuntimeError("the stream is shorter than what was written")
    os.close(fd)
    os.unlink(top / "stream")


#: In this order: each leaves behind what the next needs.
WORK: Mapping[str, Callable[[Path, int], None]] = {
    "create": create, "stat": stat, "stat missing": stat_missing, "unlink": unlink, "write 128 KiB": write,
    "read 128 KiB": read,
}


def measure(contender: str, mount: Mounted, work: str, count: int, number: int) -> Sample:
    cpu, start = mount.cpu(), time.monotonic_ns()
    WORK[work](mount.path, count)
    return Sample(contender, work, number, (time.monotonic_ns() - start) / count, (mount.cpu() - cpu) / count)


def run(options: argparse.Namespace) -> Iterator[Sample]:
    """All samples, round by round."""
    with ExitStack() as stack:
        mounts = {name: stack.enter_context(mounted(name, GRAPHS.get(name, []))) for name in (*GRAPHS, STACKED)}
        yield from in_turns(mounts, options)


def in_turns(mounts: Mapping[str, Mounted], options: argparse.Namespace) -> Iterator[Sample]:
    """All work on all mounts, round by round."""
    for work in WORK:  # what a process does once: threads, imports, first directories
        for contender, mount in mounts.items():
            measure(contender, mount, work, min(options.count, 20), 0)
    for number in range(options.rounds):
        for work in WORK:
            for contender, mount in in_turn(tuple(mounts.items()), number):
                yield measure(contender, mount, work, options.count, number)
