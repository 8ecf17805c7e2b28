"""What the first layer has a process import: it stays there, in each of GlusterFS's processes that has one."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.once

#: Modules for mistakes, stores, chains of records and breakpoints, and what they bring along.
LATE = ("hashlib", "difflib", "configparser", "gzip", "zlib", "socket", "struct", "pdb", "sqlite3", "asyncio", "click", "rich")


def test_what_hardly_ever_happens_is_imported_when_it_does() -> None:
    program = "import sys, glupy._runtime; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-S", "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert "glupy.api.translator" in modules and not set(LATE) & set(modules)
