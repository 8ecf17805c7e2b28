"""The table of fops at the end of a run: how often each went each way in test_every_fop.py, in whatever process that ran."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

Counts = Counter[tuple[str, str]]

COLUMNS = ("intercepted", "forwarded", "failed on purpose", "answered from Python")
_counts = pytest.StashKey[Counts]()


def counts_of(config: pytest.Config) -> Counts:
    """What has been counted, by (fop, column)."""
    return config.stash.setdefault(_counts, Counter())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist gives its counts to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["fops"] = [[*key, count] for key, count in counts_of(session.config).items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for fop, column, count in getattr(node, "workeroutput", {}).get("fops", ()):
        counts_of(node.config)[fop, column] += count


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counts = counts_of(config)
    if not counts:
        return
    import glupy

    terminalreporter.section("every fop through Python, between a caller in Python and a child in C")
    widths = [max(len(column), 6) for column in COLUMNS]
    titles = [column.rjust(width) for column, width in zip(COLUMNS, widths)]
    terminalreporter.line("  ".join(["fop".ljust(16), *titles]))
    for fop in glupy.FOPS:
        cells = [str(counts[fop, column] or "-").rjust(width) for column, width in zip(COLUMNS, widths)]
        terminalreporter.line("  ".join([fop.ljust(16), *cells]))
    whole = sum(all(counts[fop, column] for column in COLUMNS) for fop in glupy.FOPS)
    terminalreporter.line(f"{whole} of {len(glupy.FOPS)} fops in all columns")
