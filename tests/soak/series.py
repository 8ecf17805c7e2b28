"""What a soak run sees of the process, again and again: memory, what is counted, and whether it grows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soak.stage import Stage

COLUMNS = ("minute", "graph", "RSS MiB", "heap MiB", "threads", "files", "answered", "in flight", "tasks", "blocks", "known",
           "opened", "inodes")
#: Seconds between two lines of the table.
EVERY = 60.0
#: By how much what is in use at a graph's quietest moment in its second half may exceed that in its first. Not RSS: in that
#: stands, too, what malloc keeps free in its arenas, which is most of it and goes by the busiest moment so far.
SHARE = 0.25
#: Seconds of a graph's beginning that do not count, and which it has to serve to be judged.
WARMUP, LONG = 60.0, 150.0


@dataclass(frozen=True)
class Sample:
    second: float
    graph: int
    heap: float  # MiB that malloc had given out at the latest statedump; 0 before the graph's first
    blocks: int  # of Python's allocator; 0 where no layer told


class Series:
    """samples: one each few seconds. answered: requests that layers of Python have answered, those of graphs that have
    gone included."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.samples: list[Sample] = []
        self.heap = 0.0
        self.next_line = 0.0
        self._answered: dict[tuple[int, str], int] = {}

    def sample(self, second: float) -> None:
        stage = self.stage
        stats, status = stage.stats(), stage.status()
        for layer in stats:
            self._answered[stage.generation, layer["name"]] = sum(
                fop["calls"] - fop["in_flight"] for fop in layer["fops"].values())
        counts: list[dict[str, Any]] = [stage.counts(name) for name in stage.layers]
        blocks = max([told.get("blocks", 0) for told in counts], default=0)
        self.samples.append(Sample(second, stage.generation, self.heap, blocks))
        if second >= self.next_line:
            self.next_line += EVERY
            tables = [told["table"]["active"] for told in counts if told.get("table")]
            print(f"{second / 60:.1f}", stage.generation, f"{status['VmRSS'] / 1024:.1f}", f"{self.heap:.1f}",
                  status["Threads"], stage.descriptors(), self.answered, sum(layer["in_flight"] for layer in stats),
                  sum(layer["tasks"]["in_flight"] for layer in stats), blocks,
                  sum(told.get("known", 0) for told in counts), sum(told.get("opened", 0) for told in counts),
                  max(tables, default=0), sep="\t", flush=True)

    @property
    def answered(self) -> int:
        return sum(self._answered.values())

    # The verdict

    def unanswered(self) -> list[str]:
        """Whatever has not been answered although nobody asks any more, and what glupy had to answer in Python's place."""
        deadline = time.monotonic() + 60
        while any("in_flight" in what for what in self._left()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return self._left()

    def _left(self) -> list[str]:
        left = []
        for layer in self.stage.stats():
            for name, fop in layer["fops"].items():
                for what in ("in_flight", "refused", "exceptions"):
                    if fop[what]:
                        left.append(f"{layer['name']}: {name}: {what}: {fop[what]}")
            if layer["tasks"].get("failed"):
                left.append(f"{layer['name']}: tasks failed: {layer['tasks']['failed']}")
        return left

    def growth(self) -> list[str]:
        """Of each graph that served long enough: whether the process had more memory later than earlier."""
        found = []
        for graph in sorted({sample.graph for sample in self.samples}):
            served = [sample for sample in self.samples if sample.graph == graph]
            begin, end = served[0].second, served[-1].second
            if end - begin < LONG + WARMUP:
                continue
            middle = (begin + WARMUP + end) / 2
            early = [sample for sample in served if begin + WARMUP <= sample.second < middle]
            late = [sample for sample in served if sample.second >= middle]
            for what in ("heap", "blocks"):
                before, after = (least(what, part) for part in (early, late))
                print(f"graph {graph}: {what} at least {before:.1f} in the first half, {after:.1f} in the second")
                if before and after > before * (1 + SHARE):
                    found.append(f"memory grows: graph {graph} had {what} {before:.1f}, later {after:.1f}")
        return found


def least(what: str, samples: list[Sample]) -> float:
    """Of those that tell; 0 if none does."""
    return min((value for sample in samples if (value := getattr(sample, what))), default=0)
