"""The core and Python's GIL, which a free-threaded Python can be without."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.waiting import PATIENCE

FREE_THREADED = "free-threading" in sys.version

#: A program whose GIL stays off: told so, where Python has that choice; elsewhere one that says that it is.
OFF = ["-X", "gil=0", "-c", "import glupy"]
SAYS_OFF = ["-c", "import sys; sys._is_gil_enabled = lambda: False; import glupy"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False,
                          env={name: value for name, value in os.environ.items() if name != "PYTHON_GIL"})


@pytest.mark.parametrize("arguments", [OFF, SAYS_OFF] if FREE_THREADED else [SAYS_OFF], ids=lambda value: value[-1][:10])
def test_refused_without_gil(arguments: list[str]) -> None:
    done = python(*arguments)
    assert done.returncode == 1
    assert done.stderr.endswith("ImportError: glupy needs Python's global interpreter lock, and this Python was started "
                                "without it: leave out -X gil=0 and PYTHON_GIL=0\n")


def test_turned_on_by_the_import() -> None:
    """And for good: CPython turns it off again after an import only where nothing has asked for it."""
    ask = "getattr(sys, '_is_gil_enabled', lambda: True)()"
    done = python("-W", "ignore", "-c", f"import sys; print({ask}); import glupy; print({ask}); import zoneinfo; print({ask})")
    assert (done.stdout, done.stderr) == (f"{not FREE_THREADED}\nTrue\nTrue\n", "")
