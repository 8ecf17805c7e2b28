#!/usr/bin/python3
"""Do the same things in several directories and compare: ``workout.py PLAIN OTHER...``.

The directories are empty and lie on mounts of graphs that should behave alike, of which the others have a layer more than
the plain one. Every case of workout_cases/ runs once in each, in a process of its own; each call's result, errno, data and
metadata must agree with what the plain one gave. Differences print one line a case and directory; exit status 1 if there
are any. As a module: ``run(plain, other, ...)``.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

import workout_cases
from support.environment import unsanitized
from workout_cases.recorder import Recorder, Step

#: Seconds a case may take before it counts as hung: a busy machine needs most of a minute for the longest ones.
TIME_LIMIT = 600.0

#: Where a case's process has the pipe to us.
_PIPE = 900


@dataclass(frozen=True)
class Difference:
    """A case that did not go alike: what was called, and what came of it in the plain directory and in another one."""

    case: str
    call: str
    result_a: str
    result_b: str
    more: int = 0
    directory: str = ""

    def __str__(self) -> str:
        more = f" (and {self.more} more)" if self.more else ""
        return f"{self.directory}: {self.case}: {self.call}: {self.result_a} | {self.result_b}{more}"


class _Run:
    """One case in one directory, in a child process."""

    def __init__(self, name: str, case: Callable[[Recorder], None], directory: str) -> None:
        self.name, self.case, self.directory = name, case, os.path.join(directory, name)
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            self._child(writer)
        os.close(writer)
        self.reader = reader

    def _child(self, writer: int) -> None:
        status = 1
        try:
            os.setpgid(0, 0)  # what it starts in turn can be killed with it
            os.dup2(writer, _PIPE)
            os.closerange(3, _PIPE)  # so that both children number their descriptors alike
            os.umask(0o022)
            recorder = Recorder()
            try:
                os.mkdir(self.directory)
                os.chdir(self.directory)  # cases use relative paths: they work as any user, wherever the mount is
                self.case(recorder)
            except Exception as error:
                recorder.broke(error)
            with os.fdopen(_PIPE, "wb") as pipe:
                pickle.dump(recorder.steps, pipe)
            status = 0
        finally:
            os._exit(status)

    def finish(self, deadline: float) -> list[Step]:
        """What the child recorded; a child that hangs is killed and has one step that says so."""
        data = b""
        while select.select([self.reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
            chunk = os.read(self.reader, 1 << 16)
            if not chunk:
                break
            data += chunk
        else:
            os.killpg(self.pid, signal.SIGKILL)
            data = pickle.dumps([Step("the case", "hung", broken=True)])
        os.close(self.reader)
        _, status = os.waitpid(self.pid, 0)
        return pickle.loads(data) if data else [Step("the case", f"died, status {status}", broken=True)]


def compare(case: str, steps_a: list[Step], steps_b: list[Step]) -> Difference | None:
    """The first step that differs, or None. A case that broke down differs even if it did so alike."""
    pairs = [(a, b) for a, b in zip(steps_a, steps_b) if a != b or a.broken]
    if pairs:
        a, b = pairs[0]
        call = a.call if a.call == b.call else f"{a.call} / {b.call}"
        return Difference(case, call, a.result, b.result, len(pairs) - 1)
    if len(steps_a) != len(steps_b):
        return Difference(case, "number of steps", str(len(steps_a)), str(len(steps_b)))
    return None


def run(plain: str | os.PathLike[str], *others: str | os.PathLike[str], only: Sequence[str] = ("*",)) -> list[Difference]:
    """Run the cases whose name matches one of the patterns in all directories at once; return what differed.

    They run below a fresh Python, not below the caller's: every case is a fork, and the tests' own process has threads
    of GlusterFS's and, after tests of ``interpreters``, further interpreters, with which a fork of CPython 3.13 dies.
    """
    done = subprocess.run([sys.executable, __file__, "--json", *(f"--only={pattern}" for pattern in only), plain, *others],
                          env=unsanitized(), stdout=subprocess.PIPE, check=True)
    return [Difference(**found) for found in json.loads(done.stdout)]


def _chosen(only: Sequence[str]) -> list[str]:
    return [name for name in workout_cases.CASES if any(fnmatch.fnmatch(name, pattern) for pattern in only)]


def _run_all(plain: str, others: list[str], only: Sequence[str]) -> list[Difference]:
    differences = []
    for name in _chosen(only):
        deadline = time.monotonic() + TIME_LIMIT
        first, *runs = [_Run(name, workout_cases.CASES[name], directory) for directory in (plain, *others)]
        expected = first.finish(deadline)
        for directory, run_b in zip(others, runs):
            difference = compare(name, expected, run_b.finish(deadline))
            if difference:
                differences.append(replace(difference, directory=directory))
    return differences


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plain")
    parser.add_argument("others", nargs="+")
    parser.add_argument("--only", metavar="PATTERN", action="append", help="cases to run, as a file name pattern")
    parser.add_argument("--json", action="store_true", help="print what differs as JSON")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    options = parser.parse_args()
    if options.list:
        print(*workout_cases.CASES, sep="\n")
        return 0
    only = options.only or ["*"]
    differences = _run_all(options.plain, options.others, only)
    if options.json:
        print(json.dumps([asdict(difference) for difference in differences]))
        return 0
    for difference in differences:
        print(difference)
    print(f"{len(_chosen(only))} cases, {len(differences)} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
