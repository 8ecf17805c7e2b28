"""`glupy attach`, `detach`, `set`, `enable`, `disable` and `status` on three nodes, each with namespaces of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import PATIENCE

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cluster_cases  # noqa: E402

pytestmark = pytest.mark.once


@pytest.mark.parametrize("case", cluster_cases.CASES)
def test_cluster(case: str) -> None:
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--propagation", "unchanged",
         sys.executable, Path(cluster_cases.__file__), case],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=3 * PATIENCE, check=False,
    )
    assert done.returncode == 0, done.stdout[-15_000:]
