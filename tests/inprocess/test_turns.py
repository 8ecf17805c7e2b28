"""Fops that compete for the interpreter take turns; one that stays inside holds up none of the others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import glupy
import pytest
from support.graph import Graph
from support.volfiles import layer
from support.waiting import PATIENCE

LAYERS = [layer("sink", "glupytest/sink"), layer("scripted", "user/scripted")]


def stat(graph: Graph, path: str) -> Any:
    return graph.run(graph.child.stat(glupy.Loc(path, inode=graph.probe.itable.root)))


def blocks(end: threading.Event) -> None:
    end.wait(PATIENCE)


def computes(end: threading.Event) -> None:
    while not end.is_set():
        pass


@pytest.mark.parametrize("stay", [blocks, computes])
@pytest.mark.parametrize("stayers", [1, 3])
def test_a_long_stay(stay: Any, stayers: int) -> None:
    """Other fops, from many threads, are answered while it lasts, and after it."""
    end, inside = threading.Event(), threading.Semaphore(0)

    def answer(self: Any, name: str, frame: Any, loc: Any, *args: Any) -> None:
        if loc.path == "/stays":
            inside.release()
            stay(end)

    with Graph(LAYERS) as graph, ThreadPoolExecutor(16) as pool:
        graph.translator("scripted").answer = answer
        stays = [pool.submit(stat, graph, "/stays") for _ in range(stayers)]
        try:
            for _ in stays:
                assert inside.acquire(timeout=PATIENCE)
            during = [future.result(PATIENCE) for future in [pool.submit(stat, graph, "/other") for _ in range(100)]]
            assert not any(future.done() for future in stays)
        finally:
            end.set()
        after = [future.result(PATIENCE) for future in [pool.submit(stat, graph, "/other") for _ in range(100)]]
        assert len(during) == len(after) == 100
        assert all(future.result(PATIENCE) for future in stays)
        assert graph.translator("scripted").seen["stat"] == 200 + stayers
