"""The demonstration does what it tells: its own checks pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.waiting import PATIENCE

DEMO = Path(__file__).resolve().parents[2] / "tools/demo.py"


def test_demo() -> None:
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1000 questions: 0 lookups reached the brick" in done.stdout
    assert "Unmounted, and nothing is left behind." in done.stdout
