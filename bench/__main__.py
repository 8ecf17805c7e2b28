"""`./run bench`: what a layer costs. Tables to the terminal; JSON and plots into a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # support: graphs and mounts

import growth  # noqa: E402
import instructions  # noqa: E402
import layers  # noqa: E402
import mounts  # noqa: E402
import shelf  # noqa: E402
import writing  # noqa: E402
from contenders import CONTENDERS, FOPS  # noqa: E402


def show(name: str, options: argparse.Namespace, measured: list[Any], table: Callable[[list[Any]], Any]) -> None:
    """A table of all, and the file that they are saved in."""
    import report

    console = report.console()
    console.print(table(measured))
    console.print(str(report.save(name, options.output, measured, vars(options))))


def count_instructions(options: argparse.Namespace) -> None:
    import report

    show("instructions", options, list(instructions.run(options)), report.instructions_table)


def bench_layers(options: argparse.Namespace) -> None:
    if options.send:
        return instructions.send_here(options)
    if options.instructions:
        return count_instructions(options)
    import report  # with it come the plots: processes that measure one figure do without

    results = report.Results(layers.run(options))
    console = report.console()
    for child in options.children:
        console.print(report.cost_table(results, child, options.fops))
        console.print(report.threads_table(results, options.scaling, child, [1, *options.threads]))
    console.print(report.cost_table(results, options.children[0], [options.scaling], layers.SMALL))
    file = report.save("layers", options.output, results.samples, vars(options))
    for child in options.children:
        report.plot_costs(results, child, [fop for fop in options.fops if fop in FOPS],
                          file.with_name(f"costs-{child}.{options.format}"))
    report.plot_threads(results, options.scaling, options.children, [1, *options.threads],
                        file.with_name(f"threads.{options.format}"))
    console.print(f"{file} and plots beside it")


def bench_growth(options: argparse.Namespace) -> None:
    if options.point:
        growth.measure_here(options.point[0], int(options.point[1]))
        return
    import report

    show("growth", options, list(growth.run(options)), report.growth_table)


def bench_mounts(options: argparse.Namespace) -> None:
    import report

    samples = list(mounts.run(options))
    console = report.console()
    console.print(report.mounts_table(samples))
    file = report.save("mounts", options.output, samples, vars(options))
    report.plot_mounts(samples, file.with_name(f"mounts.{options.format}"))
    console.print(f"{file} and a plot beside it")


def bench_shelf(options: argparse.Namespace) -> None:
    if options.send:
        return shelf.send_here(options)
    import report

    console = report.console()
    counts = list(shelf.count(options)) if "instructions" in options.what else []
    if counts:
        console.print(report.shelf_counts(counts))
    samples = list(shelf.on_mounts(options)) if "mounts" in options.what else []
    if samples:
        console.print(report.shelf_mounts(samples))
    console.print(str(report.save("shelf", options.output, [*counts, *samples], vars(options))))


def bench_writer(options: argparse.Namespace) -> None:
    import report

    show("writer", options, list(writing.run(options)), report.writer_table)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    top.add_argument("--output", type=Path, default=ROOT / "build/bench",
                     help="folder for JSON and plots (%(default)s)")
    top.add_argument("--format", choices=("png", "svg"), default="png", help="of plots (%(default)s)")
    top.add_argument("--rounds", type=int, default=7, help="how often everything is measured (%(default)s)")
    kinds = top.add_subparsers(dest="kind", required=True, metavar="KIND")

    each = kinds.add_parser("layers", help="fops in a tight loop, in one process")
    each.add_argument("--count", type=int, default=20000, help="fops in each round (%(default)s)")
    each.add_argument("--fops", nargs="+", default=[*FOPS, "lookup_missing"], help="fops to send")
    each.add_argument("--children", nargs="+", choices=tuple(layers.CHILDREN), default=list(layers.CHILDREN),
                      help="how the child answers: on the same thread, on another")
    each.add_argument("--threads", nargs="+", type=int, default=[2, 4, 8, 16], help="sending threads, besides one")
    each.add_argument("--scaling", default="stat", help="the fop for several threads (%(default)s)")
    each.add_argument("--only", nargs="+", default=[], choices=[c.name for c in CONTENDERS], help="contenders")
    each.add_argument("--instructions", action="store_true",
                      help="count instructions instead of time: one thread, a child that answers on it, one round")
    each.add_argument("--send", action="store_true", help=argparse.SUPPRESS)  # the process that is counted
    each.set_defaults(bench=bench_layers)

    each = kinds.add_parser("mounts", help="small files and streams on FUSE mounts")
    each.add_argument("--count", type=int, default=1000, help="of each operation in a round (%(default)s)")
    each.set_defaults(bench=bench_mounts)

    each = kinds.add_parser("shelf", help="the translators of the shelf, beside GlusterFS's own: instructions, and on mounts")
    each.add_argument("--count", type=int, default=500, help="of each operation in a round on mounts (%(default)s)")
    each.add_argument("--fops", nargs="+", choices=shelf.FOPS, default=list(shelf.FOPS), help="fops whose instructions are counted")
    each.add_argument("--only", nargs="+", default=[], metavar="NAME", help="contenders, as the tables have them")
    each.add_argument("--what", nargs="+", choices=("instructions", "mounts"), default=["instructions", "mounts"],
                      help="what is measured (both)")
    each.add_argument("--send", action="store_true", help=argparse.SUPPRESS)  # the process that is counted
    each.set_defaults(bench=bench_shelf)

    each = kinds.add_parser("writer", help="lines through a Writer: how many a second, and what one takes of its fop's thread")
    each.add_argument("--count", type=int, default=20000, help="lines in a round (%(default)s)")
    each.set_defaults(bench=bench_writer)

    each = kinds.add_parser("growth", help="what grows with requests, layers, instances and fops")
    each.add_argument("--most", type=int, default=1000000, help="leave out greater numbers of anything (%(default)s)")
    each.add_argument("--cases", nargs="+", choices=tuple(growth.CASES), default=list(growth.CASES),
                      help="all by default")
    each.add_argument("--point", nargs=2, metavar=("CASE", "COUNT"), help="one figure, from this very process")
    each.set_defaults(bench=bench_growth)
    return top


def main() -> None:
    options = parser().parse_args()
    options.bench(options)


main()
