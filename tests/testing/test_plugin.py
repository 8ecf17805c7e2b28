"""The plugin: the first example of docs/testing.md passes as it stands there, for a user who is not root."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/testing.md"

POLICY = """
from glupy import Option, Translator


class Policy(Translator):
    limit = Option(int, default=8)

    def create(self, frame, loc, flags, mode, umask, fd, xdata):
        if len(loc.name) > self.limit:
            raise PermissionError

    def unlink(self, frame, loc, xflags, xdata):
        if frame.uid:
            raise PermissionError
"""


def run_as_nobody(folder):
    """pytest by somebody who has nothing but these files, and is told of no plugin."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "pytest", "-q",
         "-p", "no:cacheprovider", "-p", "no:xdist", "test_policy.py"],
        cwd=folder, env={**environment, "HOME": "/nonexistent"}, text=True, capture_output=True)


def test_the_first_example(trusted):
    example = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)[1]
    (trusted / "policy.py").write_text(POLICY)
    (trusted / "test_policy.py").write_text(example)
    done = run_as_nobody(trusted)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr

    (trusted / "policy.py").write_text(POLICY.replace("raise PermissionError", "pass"))
    done = run_as_nobody(trusted)
    assert done.returncode == 1 and "DID NOT RAISE" in done.stdout, done.stdout + done.stderr
