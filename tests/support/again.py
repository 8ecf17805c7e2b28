"""Which tests have failed, for `run`, which has few of them run once more, alone: a plugin for pytest.

Two processors run many tests at once, and each waits for others' processes, kernels' timers and glusterd's rounds. What
fails there and passes alone says that the machine was busy; what fails twice is wrong. A process that died is never
looked at again, nor are many failures: they are no accident.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.workers import is_worker

#: As many failures may be accidents.
FEW = 6

_failed: dict[str, None] = {}
_crashed: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _failed[report.nodeid] = None


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str, report: Any, sched: Any) -> None:
    _crashed.append(crashitem)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    path = os.environ.get("GLUPY_FAILED")
    if path and not is_worker(session.config):
        few = not _crashed and len(_failed) <= FEW and exitstatus == pytest.ExitCode.TESTS_FAILED
        Path(path).write_text("".join(f"{nodeid}\n" for nodeid in _failed) if few else "", encoding="utf-8")
