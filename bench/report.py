"""Samples to tables, JSON and plots."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib
import mounts
from contenders import CONTENDERS, FOPS, Contender
from growth import CASES, Point
from instructions import Count
from layers import BIG, SMALL, Sample
from rich.console import Console
from rich.table import Table
from writing import Line

matplotlib.use("Agg")  # no display
from matplotlib import pyplot  # noqa: E402

Key = tuple[str, str, str, int, int]


def machine() -> dict[str, str]:
    """Where it was measured."""
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    gluster = subprocess.run(["glusterfs", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return {"processors": f"{os.cpu_count()} x {model}", "system": release, "kernel": platform.release(),
            "python": platform.python_version(), "glusterfs": gluster}


class Results:
    """Samples by what they are of."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = list(samples)
        self.by_key: dict[Key, dict[int, Sample]] = {}
        for sample in self.samples:
            key = (sample.contender, sample.fop, sample.child, sample.threads, sample.stack)
            self.by_key.setdefault(key, {})[sample.round] = sample

    def of(
        self, contender: str | None, fop: str, child: str = "sync", threads: int = 1, stack: int = BIG,
    ) -> dict[int, Sample]:
        return self.by_key.get((contender or "", fop, child, threads, stack), {})

    def values(self, *key: str | int, value: Callable[[Sample], float]) -> list[float]:
        return [value(sample) for sample in self.of(*key).values()]  # type: ignore[arg-type]

    def added(
        self, contender: str, fop: str, child: str = "sync", threads: int = 1, stack: int = BIG,
    ) -> dict[int, float]:
        """CPU time beyond that of the graph without the layer, round by round."""
        nothing = self.of("nothing", fop, child, threads, stack)
        return {number: sample.cpu - nothing[number].cpu
                for number, sample in self.of(contender, fop, child, threads, stack).items() if number in nothing}

    def to_c(self, contender: Contender, fop: str, child: str, threads: int = 1, stack: int = BIG) -> list[float]:
        """CPU time over that of the same work in C."""
        c = self.of(contender.c, fop, child, threads, stack)
        return [sample.cpu / c[number].cpu
                for number, sample in self.of(contender.name, fop, child, threads, stack).items() if number in c]

    def to_floor(self, contender: Contender, fop: str, child: str) -> list[float]:
        """What the layer adds, over the floor."""
        floor = self.of(contender.floor, fop)
        return [added / floor[number].cpu
                for number, added in self.added(contender.name, fop, child).items() if number in floor]

    def to_bound(self, contender: Contender, fop: str, child: str) -> list[float]:
        """What the layer adds, over what it has to: the interpreter's part (unavoidable.c), and GlusterFS's own part, which
        is what the layer in C adds."""
        bound, c = self.of(contender.bound, fop), self.added("C", fop, child)
        return [added / (bound[number].cpu + c[number])
                for number, added in self.added(contender.name, fop, child).items() if number in bound and number in c]

    def to_replaced(self, contender: Contender, fop: str, child: str, stack: int = BIG) -> list[float]:
        """What the layer that this one replaces adds, over what this one adds."""
        replaced = self.added(contender.replaces or "", fop, child, 1, stack)
        return [replaced[number] / added
                for number, added in self.added(contender.name, fop, child, 1, stack).items() if number in replaced and added]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, with minimum and maximum."""
    if not values:
        return ""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def middle(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f}" if values else ""


def cost_table(results: Results, child: str, fops: Sequence[str], stack: int = BIG) -> Table:
    where = "an io-thread's stack" if stack == SMALL else "one thread"
    table = Table(title=f"ns a fop, child answers: {child}; {where}", title_justify="left")
    for title in ("fop", "layer", "clock", "CPU", "added CPU", "CPU, x C", "added, x floor", "added, x bound",
                  "what it replaces, x"):
        table.add_column(title, justify="left" if title in ("fop", "layer") else "right", no_wrap=True)
    for fop in fops:
        for contender in CONTENDERS:
            key = (contender.name, fop, child, 1, stack)
            if not results.of(*key):
                continue
            layer = contender.layer and contender.name != "nothing"
            table.add_row(
                fop, contender.name, middle(results.values(*key, value=lambda sample: sample.wall)),
                middle(results.values(*key, value=lambda sample: sample.cpu)),
                middle(list(results.added(*key).values())) if layer else "",
                spread(results.to_c(contender, fop, child, 1, stack)),
                spread(results.to_floor(contender, fop, child)) if stack == BIG else "",
                spread(results.to_bound(contender, fop, child)) if stack == BIG else "",
                spread(results.to_replaced(contender, fop, child, stack)),
            )
        table.add_section()
    return table


def instructions_table(counts: Sequence[Count]) -> Table:
    """Instructions of one fop; what a layer adds to the graph without it, and that over what it has to add."""
    of = {(count.contender, count.fop): count.instructions for count in counts}
    table = Table(title="instructions a fop, one thread, child answers: sync", title_justify="left")
    for title in ("fop", "layer", "instructions", "added", "unavoidable", "added, x unavoidable"):
        table.add_column(title, justify="left" if title in ("fop", "layer") else "right", no_wrap=True)
    for fop in dict.fromkeys(count.fop for count in counts):
        nothing, c = of.get(("nothing", fop)), of.get(("C", fop))
        for contender in (contender for contender in CONTENDERS if (contender.name, fop) in of):
            taken, bound = of[contender.name, fop], of.get((contender.bound or "", fop))
            added = taken - nothing if nothing and contender.layer else None
            least = bound + c - nothing if bound and c and nothing else None
            table.add_row(fop, contender.name, f"{taken:,.0f}", f"{added:,.0f}" if added is not None else "",
                          f"{least:,.0f}" if least else "", f"{added / least:.2f}" if added and least else "")
        table.add_section()
    return table


def throughput(results: Results, contender: str, fop: str, child: str, threads: int) -> list[float]:
    """Thousands of fops a second."""
    return [1e6 / sample.wall for sample in results.of(contender, fop, child, threads).values()]


def threads_table(results: Results, fop: str, child: str, threads: Sequence[int]) -> Table:
    table = Table(title=f"{fop}: thousands a second by sending threads (and of one thread's), child answers: {child}",
                  title_justify="left")
    table.add_column("layer", no_wrap=True)
    for count in threads:
        table.add_column(str(count), justify="right", no_wrap=True)
    for contender in CONTENDERS:
        if contender.program or contender.module and not contender.attach:
            continue  # several threads have to attach
        rates = [throughput(results, contender.name, fop, child, count) for count in threads]
        if all(rates):
            table.add_row(contender.name, *(
                f"{statistics.median(rate):.0f} ({statistics.median(rate) / statistics.median(rates[0]):.2f})"
                for rate in rates))
    return table


def plot_costs(results: Results, child: str, fops: Sequence[str], file: Path) -> None:
    """CPU time that each layer adds to each fop, with the floors for comparison."""
    names = [c.name for c in CONTENDERS if c.name != "nothing" and c.fops == FOPS and not (c.attach or c.program)]
    figure, axes = pyplot.subplots(figsize=(12, 5))
    width = 0.8 / max(len(names), 1)
    for at, name in enumerate(names):
        floor = name.startswith("floor")
        heights = []
        for fop in fops:
            added = results.added(name, fop, child)
            values = [s.cpu for s in results.of(name, fop).values()] if floor else list(added.values())
            heights.append(statistics.median(values) if values else 0.0)
        axes.bar([i + at * width for i in range(len(fops))], heights, width, label=name, hatch="//" if floor else None)
    axes.set_xticks([i + 0.4 for i in range(len(fops))], fops)
    axes.set_ylabel("ns of CPU time that the layer adds to a fop")
    axes.set_title(f"The cost of a layer (child answers: {child})")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)


def plot_threads(results: Results, fop: str, children: Sequence[str], threads: Sequence[int], file: Path) -> None:
    """Throughput by sending threads."""
    figure, every = pyplot.subplots(1, len(children), figsize=(5 * len(children) + 2.5, 5), squeeze=False)
    colors = pyplot.get_cmap("tab20")
    for axes, child in zip(every[0], children):
        for number, contender in enumerate(CONTENDERS):
            rates = [throughput(results, contender.name, fop, child, count) for count in threads]
            if all(rates) and (contender.layer or contender.attach or contender.name == "nothing"):
                axes.plot(threads, [statistics.median(rate) for rate in rates], marker="o", label=contender.name,
                          color=colors(number % 20), linestyle="--" if contender.module else "-")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(threads, [str(count) for count in threads])
        axes.set_xlabel("sending threads")
        axes.set_title(f"child answers: {child}")
    every[0][0].set_ylabel(f"thousands of {fop} a second")
    every[0][-1].legend(*every[0][0].get_legend_handles_labels(), loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)


def over_plain(
    samples: Sequence[mounts.Sample], contender: str, work: str, value: Callable[[mounts.Sample], float],
) -> list[float]:
    """What a mount takes over what the plain one took in the same round."""
    of = {name: {s.round: value(s) for s in samples if (s.contender, s.work) == (name, work)}
          for name in ("plain", contender)}
    return [taken / of["plain"][number] for number, taken in of[contender].items() if of["plain"][number]]


def mounts_table(samples: Sequence[mounts.Sample]) -> Table:
    table = Table(title="mounts: microseconds an operation", title_justify="left")
    for title in ("operation", "mount", "clock", "CPU", "clock, x plain", "CPU, x plain"):
        table.add_column(title, justify="left" if title in ("operation", "mount") else "right", no_wrap=True)
    for work in mounts.WORK:
        for contender in (*mounts.GRAPHS, mounts.STACKED):
            found = [s for s in samples if (s.contender, s.work) == (contender, work)]
            table.add_row(
                work, contender, f"{statistics.median(s.wall for s in found) / 1000:.1f}",
                f"{statistics.median(s.cpu for s in found) / 1000:.1f}",
                spread(over_plain(samples, contender, work, lambda sample: sample.wall)),
                spread(over_plain(samples, contender, work, lambda sample: sample.cpu)))
        table.add_section()
    return table


def shelf_counts(counts: Sequence[Count]) -> Table:
    """Instructions that each translator of the shelf adds to a fop."""
    of = {(count.contender, count.fop): count.instructions for count in counts}
    fops = list(dict.fromkeys(count.fop for count in counts))
    table = Table(title="the shelf: instructions that a layer adds to a fop, all threads", title_justify="left")
    table.add_column("layer", no_wrap=True)
    for fop in fops:
        table.add_column(fop, justify="right", no_wrap=True)
    for name in dict.fromkeys(count.contender for count in counts):
        added = [of.get((name, fop), 0) - of.get(("nothing", fop), 0) for fop in fops]
        table.add_row(name, *(f"{of[name, fop] if name == 'nothing' else more:,.0f}" if (name, fop) in of else ""
                              for fop, more in zip(fops, added)))
    return table


def shelf_mounts(samples: Sequence[mounts.Sample]) -> Table:
    """Microseconds of processor time of an operation on each mount, and by the clock. The least of all rounds: whatever else the
    machine does can only add."""
    title = "the shelf on mounts: microseconds of processor time an operation (of the clock), the least of all rounds"
    table = Table(title=title, title_justify="left")
    table.add_column("layer", no_wrap=True)
    for work in mounts.WORK:
        table.add_column(work, justify="right", no_wrap=True)
    for name in dict.fromkeys(sample.contender for sample in samples):
        found = [[s for s in samples if (s.contender, s.work) == (name, work)] for work in mounts.WORK]
        table.add_row(name, *(f"{min(s.cpu for s in each) / 1000:.0f} ({min(s.wall for s in each) / 1000:.0f})" for each in found))
    return table


def writer_table(samples: Sequence[Line]) -> Table:
    table = Table(title="Writer: lines of 300 bytes", title_justify="left")
    for title in ("way", "file", "thousands a second", "us in the fop's thread", "us of all threads"):
        table.add_column(title, justify="left" if title in ("way", "file") else "right", no_wrap=True)
    for way, file in dict.fromkeys((sample.way, sample.file) for sample in samples):
        found = [s for s in samples if (s.way, s.file) == (way, file)]
        table.add_row(way, file, spread([1e6 / s.wall for s in found], 0), spread([s.own / 1000 for s in found if s.own is not None], 1),
                      spread([s.cpu / 1000 for s in found], 1))
    return table


def plot_mounts(samples: Sequence[mounts.Sample], file: Path) -> None:
    """Time of each operation on each mount, over that on the plain one."""
    names, works = (*mounts.GRAPHS, mounts.STACKED), tuple(mounts.WORK)
    figure, axes = pyplot.subplots(figsize=(12, 4.5))
    width = 0.8 / len(names)
    for at, name in enumerate(names):
        heights = [statistics.median(over_plain(samples, name, work, lambda sample: sample.wall)) for work in works]
        axes.bar([i + at * width for i in range(len(works))], heights, width, label=name)
    axes.axhline(1, color="black", linewidth=0.5)
    axes.set_xticks([i + 0.4 for i in range(len(works))], works)
    axes.set_ylabel("time, over that of the plain mount")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(file)
    pyplot.close(figure)


def growth_table(points: Sequence[Point]) -> Table:
    table = Table(title="growth: each one's time and memory", title_justify="left")
    table.add_column("what")
    for title in ("how many", "ns each", "bytes each"):
        table.add_column(title, justify="right", no_wrap=True)
    for case, (what, counts, _) in CASES.items():
        for count in counts:
            found = [point for point in points if (point.case, point.count) == (case, count)]
            if found:
                table.add_row(what, f"{count:,}", spread([point.time for point in found], 0),
                              spread([point.memory for point in found], 0))
        table.add_section()
    return table


def save(kind: str, folder: Path, samples: Sequence[object], options: dict[str, object]) -> Path:
    """Everything that was measured, for other programs."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{kind}.json"
    plain = {key: value for key, value in options.items() if isinstance(value, (str, int, float, list, type(None)))}
    content = {"machine": machine(), "options": plain,
               "samples": [asdict(sample) for sample in samples]}  # type: ignore[call-overload]
    file.write_text(json.dumps(content, indent=1) + "\n")
    return file


def console() -> Console:
    """Wide enough for the tables wherever the output goes."""
    return Console(width=180, highlight=False)
