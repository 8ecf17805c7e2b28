"""Tests side by side, when pytest is given `-n N`: a plugin that tells pytest-xdist how.

Most tests wait far more than they compute, for GlusterFS to bring graphs up and take them down. Each worker is a process in
namespaces of its own (worker.sh) and imports the tests itself, so a test finds nothing of what others do at the same time.

A new file needs no registration. Tests that have processes of their own are handed out one by one, those that use this one
file by file: they meet what earlier ones have left in it. So are those of a file with fixtures of a wider scope than one
test's. Where fewer files than workers are asked for, all other tests are handed out one by one, too.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.network import bring_up

#: Folders whose tests are handed out one by one, as they have processes of their own.
_APART = ("volume", "mount")

#: Folders whose tests have GlusterFS's processes serve files, or a program do something.
_SERVED = (*_APART, "command", "program", "shelf")

_SHARED = re.compile(r"""\bscope=["'](?!function)""")
_TESTS = Path(__file__).resolve().parents[1]


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _folder(path: Path) -> str:
    return os.path.relpath(path, _TESTS).split(os.sep)[0]


def has_own_processes(path: Path) -> bool:
    return _folder(path) in _APART


def shares_fixtures(path: Path) -> bool:
    """Whether the tests of a file share what is made once for all of them."""
    return bool(_SHARED.search(path.read_text(encoding="utf-8")))


def pytest_configure(config: pytest.Config) -> None:
    if is_worker(config):
        bring_up("lo", "127.0.0.1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    # The shell does not run with the thread sanitizer's library in it; Python has to.
    preload = os.environ.get("LD_PRELOAD")
    without, within = (["env", "-u", "LD_PRELOAD"], ["env", f"LD_PRELOAD={preload}"]) if preload else ([], [])
    for spec in specs:
        spec.python = shlex.join([*without, str(_TESTS / "support/worker.sh"), *within, sys.executable])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from support.scheduler import Scheduler

    return Scheduler(config, log)


def _turn(item: pytest.Item) -> int:
    """Those that take long begin first: what is left for the end should be short, and spread over all workers."""
    folder = _folder(item.path)
    if folder == "volume":
        return 0
    return 1 if item.get_closest_marker("long") else 2 if folder in _APART else 3


def _tell_apart(items: list[pytest.Item]) -> None:
    """pytest may give two cases of a test one name; pytest-xdist, which goes by names, would run one of them."""
    seen = Counter[str]()
    for item in items:
        seen[item.nodeid] += 1
        if seen[item.nodeid] > 1:
            item._nodeid = f"{item.nodeid}#{seen[item.nodeid]}"


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if _folder(item.path) in _SERVED:
            item.add_marker("served")
    if is_worker(config):
        items.sort(key=_turn)
        _tell_apart(items)
