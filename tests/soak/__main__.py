"""`./run soak MINUTES`: a mount with layers of Python under load for so long, while it is disturbed in every way.

stress-ng and workers that check what they read are at work on it all the time. Meanwhile options are changed, statedumps
written, tasks cancelled, and graphs of another topology put in its place. Each minute has a line in the table that is
printed. Passes if every request was answered, each worker found what it had written, memory did not grow once everything
had been used for a while, and nothing stands in the log that was not to be expected.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from soak import stress  # noqa: E402
from soak.series import COLUMNS, Series  # noqa: E402
from soak.stage import Stage  # noqa: E402
from support.waiting import PATIENCE  # noqa: E402

WORKERS = 4
#: Graphs change between these shares of the time, so that the last one serves for long.
SWITCHING = (0.1, 0.6)
SWITCHES = 5
#: After so many it ends.
MOST_PROBLEMS = 10


class Soak:
    """One run. problems: what was not as it should be."""

    def __init__(self, stage: Stage, minutes: float, seed: int) -> None:
        self.stage, self.seconds, self.random = stage, minutes * 60, random.Random(seed)
        self.series = Series(stage)
        self.stress = stress.Stress(stage.path / "stress", seed)
        self.workers: list[subprocess.Popen[str]] = []
        self.problems: list[str] = []
        self.done: dict[str, int] = {}

    def run(self) -> None:
        begin = time.monotonic()
        self.stress.start()
        self.workers = [self.worker(number) for number in range(WORKERS)]
        first, last = (share * self.seconds for share in SWITCHING)
        switches = [first + (last - first) * number / (SWITCHES - 1) for number in range(SWITCHES)]
        try:
            while (now := time.monotonic() - begin) < self.seconds and len(self.problems) < MOST_PROBLEMS:
                if switches and now > switches[0]:
                    del switches[0]
                    self.count("switch", self.stage.switch)
                    self.series.heap = 0.0
                else:
                    self.disturb()
                self.series.sample(now)
                self.look_at_workers()
                time.sleep(self.random.uniform(1, 4))
        finally:
            self.end()

    def problem(self, what: str) -> None:
        """It stands in the table as well, so that it is known when it happened."""
        print("PROBLEM:", what, flush=True)
        self.problems.append(what)

    def count(self, what: str, function: Any) -> None:
        function()
        self.done[what] = self.done.get(what, 0) + 1

    # What is done meanwhile

    def disturb(self) -> None:
        chosen = self.random.choice((self.toggle, self.toggle, self.toggle, self.dump, self.stage.cancel))
        self.count(chosen.__name__, chosen)

    def toggle(self) -> None:
        """Other options of one of the layers."""
        name = self.random.choice(("low", "high", "more"))
        self.stage.options[name] = {
            "enabled": self.random.choice(("on", "on", "off")), "budget": self.random.choice((0, 0.5, 1, 3)),
            "log-level": self.random.choice(("INFO", "DEBUG", "WARNING")), "pace": self.random.choice((2, 8, 50)),
            "quiet": self.random.choice((0.05, 0.2, 1)),
        }
        self.stage.reread()

    def dump(self) -> None:
        text = self.stage.dump()
        self.series.heap = int(re.findall(r"^mallinfo_uordblks=(\d+)", text, re.M)[0]) / 2**20
        for name in self.stage.layers:
            if f"[xlator.glupy.{name}]" not in text:
                self.problem(f"a statedump lacks the layer {name}")

    # Who works meanwhile

    def worker(self, number: int) -> subprocess.Popen[str]:
        command = [sys.executable, Path(__file__).with_name("worker.py"), self.stage.path / f"worker{number}", str(number)]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")

    def look_at_workers(self) -> None:
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                assert worker.stdout
                self.problem(f"worker {number} ended with {worker.returncode}:\n{worker.stdout.read()[-3000:]}")
                self.workers[number] = self.worker(number + WORKERS * len(self.problems))
        if not self.stage.mount.alive():
            raise SystemExit(f"glusterfs has ended: {self.stage.mount.text()[-3000:]}")

    # The end

    def end(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.terminate()
        for number, worker in enumerate(self.workers):
            try:
                output, _ = worker.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
                self.problem(f"worker {number} hangs")
                continue
            if worker.returncode == 0:
                calls, looks = map(int, output.split())
                self.done["worker calls"] = self.done.get("worker calls", 0) + calls
                self.done["looks at all of a file"] = self.done.get("looks at all of a file", 0) + looks
            else:
                self.problem(f"worker {number} ended with {worker.returncode}:\n{output[-3000:]}")
        self.stress.stop()
        self.done["rounds of stress-ng"] = self.stress.rounds
        broken = [f"stress-ng: {what}" for what in self.stress.broken]
        for what in (*broken, *self.series.unanswered(), *self.series.growth()):
            self.problem(what)


def report(soak: Soak, stage: Stage) -> None:
    print("\nhow often:", ", ".join(f"{what} {count}" for what, count in sorted(soak.done.items())))
    print(f"answered by Python's layers: {soak.series.answered:,}")
    if soak.stress.failures:
        print("stress-ng found (what it finds in a run with --plain too is GlusterFS's):")
        for what, count in soak.stress.failures.most_common(20):
            print(f"    {count:5} {what}")
    kinds = Counter(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "N", entry[:1000]) for entry in stage.surprises)
    for entry, count in kinds.most_common(20):
        print(f"PROBLEM: in the log, {count} times: {entry}")
    if soak.problems or stage.surprises:
        print(f"FAILED: {len(soak.problems)} problems, {len(stage.surprises)} entries in the log")
    else:
        print("passed: all answered, memory flat, nothing unexpected in the log")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("minutes", type=float, nargs="?", default=30.0)
    parser.add_argument("--seed", type=int, default=1, help="of all that is chosen at random")
    parser.add_argument("--plain", action="store_true", help="without Python, to see what GlusterFS itself does")
    options = parser.parse_args()
    if not stress.available():
        parser.error("stress-ng is missing: ./run need soak")
    print("\t".join(COLUMNS), flush=True)
    stage = Stage(python=not options.plain)
    with stage:
        soak = Soak(stage, options.minutes, options.seed)
        soak.run()
    report(soak, stage)
    return 1 if soak.problems or stage.surprises else 0


if __name__ == "__main__":
    sys.exit(main())
