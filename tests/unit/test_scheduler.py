"""What takes long begins first, whatever pytest-xdist would like to begin with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.scheduler import Scheduler

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
CASES = [f"tests/volume/test_cluster.py::test_cluster[{name}]" for name in ("one", "two", "three")]
MANY = [f"tests/unit/test_buffer.py::test_{number}" for number in range(20)]


class Node:
    """A worker, which remembers what it is told to run."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.told: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, places: list[int]) -> None:
        self.told += places

    def shutdown(self) -> None:
        self.shutting_down = True


def test_single_cases_come_before_files_with_many_tests() -> None:
    config: Any = SimpleNamespace(rootpath=ROOT, getvalue=lambda name: ["2*popen"])
    scheduler = Scheduler(config, None)
    nodes = [Node("gw0"), Node("gw1")]
    for node in nodes:
        scheduler.add_node(node)
    for node in nodes:
        scheduler.add_node_collection(node, CASES + MANY)
    scheduler.schedule()
    assert [node.told[:2] for node in nodes] == [[0, 2], [1, 3]]
    assert nodes[1].told[1:] == list(range(3, 23))
