"""What the tests in this process share: how much to do, and the table of fops at the end of a run."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import glupy
import pytest

#: What test_every_fop.py counts, by (fop, column).
COLUMNS = ("intercepted", "forwarded", "failed on purpose", "answered from Python")
_counts = pytest.StashKey[Counter[tuple[str, str]]]()

#: The build with sanitizers is some ten times slower: how much less the long tests do there.
SCALE = 20 if os.environ.get("GLUPY_SANITIZE") else 1


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_counts] = Counter()


@pytest.fixture(scope="session")
def counts(pytestconfig: pytest.Config) -> Counter[tuple[str, str]]:
    """How often a fop really went one of the four ways."""
    return pytestconfig.stash[_counts]


@pytest.fixture(scope="session")
def scale() -> int:
    """By how much the long tests are shortened."""
    return SCALE


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    counts = config.stash[_counts]
    if not counts:
        return
    terminalreporter.section("every fop through Python, between a caller in Python and a child in C")
    widths = [max(len(column), 6) for column in COLUMNS]
    titles = [column.rjust(width) for column, width in zip(COLUMNS, widths)]
    terminalreporter.line("  ".join(["fop".ljust(16), *titles]))
    for fop in glupy.FOPS:
        cells = [str(counts[fop, column] or "-").rjust(width) for column, width in zip(COLUMNS, widths)]
        terminalreporter.line("  ".join([fop.ljust(16), *cells]))
    whole = sum(all(counts[fop, column] for column in COLUMNS) for fop in glupy.FOPS)
    terminalreporter.line(f"{whole} of {len(glupy.FOPS)} fops in all columns")
