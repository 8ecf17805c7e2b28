"""Cases in a process of their own, in fresh mount, network and process namespaces: no brick outlives its case."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.waiting import PATIENCE


def run_case(program: str, case: str) -> None:
    """Run a file with a case's name; AssertionError with what it has printed where it fails."""
    # In a chroot, propagation cannot be set; it is private already.
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--propagation", "unchanged",
         sys.executable, Path(program), case],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=3 * PATIENCE, check=False,
    )
    assert done.returncode == 0, done.stdout[-15_000:]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for all that a case leaves, where glupy trusts what is in it. Mounts in it are the case's own to undo."""
    top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
    os.chmod(top, 0o755)
    try:
        yield top
    finally:  # what is left of processes ends with their namespace
        shutil.rmtree(top, ignore_errors=True)
