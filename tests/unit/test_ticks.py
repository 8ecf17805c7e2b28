"""Time stamps by the processor's counter: what a tick is worth, and what happens when the counter is not what it seemed."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

SECOND = 10**9


@pytest.fixture
def probe(tmp_path: Path) -> Any:
    """The core's ticks.c with a clock and a counter of the test's own, each time a fresh one."""
    copy = tmp_path / "ticks_probe.so"
    shutil.copy(Path(os.environ["GLUPY_STAGE"], "glupytest/ticks_probe.so"), copy)
    library = ctypes.CDLL(str(copy))
    library.probe_pass.argtypes = library.probe_step_back.argtypes = [ctypes.c_uint64]
    library.probe_set_rate.argtypes = [ctypes.c_double]
    library.probe_preempt.argtypes = [ctypes.c_uint, ctypes.c_uint64]
    library.probe_nanoseconds.restype = ctypes.c_double
    library.probe_ticks.restype = ctypes.c_uint64
    return library


def test_rate(probe: Any) -> None:
    probe.probe_set_rate(0.4)
    probe.probe_start()
    probe.probe_pass(SECOND)
    assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=1e-6)
    assert probe.probe_counted()


@pytest.mark.parametrize("nth", [1, 2, 5])
def test_losing_the_processor_between_clock_and_counter(probe: Any, nth: int) -> None:
    probe.probe_set_rate(0.4)
    probe.probe_preempt(nth, 50_000_000)
    probe.probe_start()
    probe.probe_pass(SECOND)
    probe.probe_preempt(nth, 50_000_000)
    assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=1e-6)


def test_readers_soon_after_each_other(probe: Any) -> None:
    probe.probe_set_rate(0.4)
    probe.probe_start()
    for _ in range(10):
        assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=0.05)
    probe.probe_pass(SECOND)
    assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=1e-6)
    probe.probe_pass(100)
    assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=1e-6)
    assert probe.probe_counted()


def test_a_clock_that_is_corrected_is_no_drift(probe: Any) -> None:
    probe.probe_set_rate(0.4)
    probe.probe_start()
    probe.probe_pass(SECOND)
    probe.probe_nanoseconds()
    probe.probe_set_rate(0.4002)
    probe.probe_pass(SECOND)
    assert probe.probe_nanoseconds() == pytest.approx(0.4001, rel=1e-6)
    assert probe.probe_counted()


def test_drift_leads_to_the_clock_in_the_same_unit(probe: Any) -> None:
    probe.probe_set_rate(0.4)
    probe.probe_start()
    probe.probe_pass(SECOND)
    probe.probe_nanoseconds()
    before = probe.probe_ticks()
    probe.probe_set_rate(0.3)
    probe.probe_pass(SECOND)
    assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=1e-6)
    assert not probe.probe_counted()
    probe.probe_pass(SECOND)
    assert probe.probe_ticks() - before == pytest.approx(2 * SECOND / 0.4, rel=1e-4)
    assert probe.probe_nanoseconds() == pytest.approx(0.4, rel=1e-6)


def test_a_counter_that_goes_back(probe: Any) -> None:
    probe.probe_start()
    probe.probe_pass(SECOND)
    probe.probe_nanoseconds()
    before = probe.probe_ticks()
    probe.probe_step_back(SECOND // 2)
    probe.probe_pass(20_000_000)
    assert probe.probe_nanoseconds() == pytest.approx(1.0, rel=1e-4)
    assert not probe.probe_counted()
    assert probe.probe_ticks() - before == pytest.approx(20_000_000, rel=1e-2)


def test_a_counter_that_stands(probe: Any) -> None:
    probe.probe_set_rate(1e18)
    probe.probe_start()
    probe.probe_pass(SECOND)
    assert probe.probe_nanoseconds() == 1.0
    assert not probe.probe_counted()
    before = probe.probe_ticks()
    probe.probe_pass(SECOND)
    assert probe.probe_ticks() - before == pytest.approx(SECOND, rel=1e-3)
