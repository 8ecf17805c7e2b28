"""Volumes that glusterd manages, with Python in their bricks: on a node with its own state, network and mounts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import PATIENCE

sys.path.insert(0, str(Path(__file__).resolve().parent))
import node  # noqa: E402


@pytest.mark.parametrize("case", node.CASES)
def test_volume(case: str) -> None:
    # A process namespace: no brick outlives the case. In a chroot, propagation cannot be set; it is private already.
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--propagation", "unchanged",
         sys.executable, Path(node.__file__), case],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=3 * PATIENCE, check=False,
    )
    assert done.returncode == 0, done.stdout[-15_000:]
