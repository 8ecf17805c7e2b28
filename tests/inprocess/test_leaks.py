"""Requests leave nothing behind: no Python object, no reference, no memory, nothing of GlusterFS's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE

TESTS = Path(__file__).resolve().parent.parent
SANITIZED = bool(os.environ.get("GLUPY_SANITIZE"))
REQUESTS = 4_000 if SANITIZED else 40_000
#: By so many some counts go up and down by themselves.
FEW = 300


def run() -> tuple[dict[str, Any], str]:
    """What became more, and what the leak check says."""
    environment = {**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{TESTS}"}
    if SANITIZED:
        options = environment["ASAN_OPTIONS"].replace("detect_leaks=0", "detect_leaks=1")
        environment["ASAN_OPTIONS"] = f"{options}:leak_check_at_exit=0:log_path=stderr"
        # It reads wrong addresses for the thread-local variables of libraries that are loaded late.
        environment["LSAN_OPTIONS"] = "use_tls=0"
    process = subprocess.run(
        [sys.executable, TESTS / "support/leaks.py", str(REQUESTS), *(["sanitized"] if SANITIZED else [])],
        env=environment, capture_output=True, text=True, timeout=2 * PATIENCE, check=False,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads(process.stdout.splitlines()[0]), process.stderr


def test_nothing_is_left() -> None:
    grown, report = run()
    assert grown["gluster"] == {}
    assert {name: by for name, by in grown["references"].items() if by > FEW} == {}
    assert {name: by for name, by in grown["objects"].items() if by > FEW} == {}
    assert grown["blocks"] < 5 * FEW  # the measurement itself takes some
    assert SANITIZED or grown["resident"] < 16 << 20  # threads come and go, and malloc's arenas with them
    if SANITIZED:
        assert "leak of 4711 byte(s)" in report, "the leak check does not find what is there"
        leaks = ours(report)
        assert not leaks, "\n".join(leaks)


def ours(report: str) -> list[str]:
    """The leaks that the leak check found whose memory code of glupy asked for; Python and GlusterFS have their own."""
    leaks = re.split(r"\n(?=(?:Direct|Indirect) leak of)", report)[1:]
    return [leak for leak in leaks if re.search(r"#\d+ 0x[0-9a-f]+ in \w+ .*(src/core/|src/loader/)", leak)]
