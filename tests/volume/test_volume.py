"""Volumes that glusterd manages, with Python in their bricks: on a node with its own state, network and mounts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.cases import run_case

sys.path.insert(0, str(Path(__file__).resolve().parent))
import node  # noqa: E402


@pytest.mark.parametrize("case", node.CASES)
def test_volume(case: str) -> None:
    run_case(node.__file__, case)
