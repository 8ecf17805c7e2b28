"""Option budget: steps of Python that run for long are noted, with their stack."""

from __future__ import annotations

import ctypes
import threading
import time
from typing import Any

import glupy
import pytest
from support import control
from support.graph import Graph
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

LAYERS = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control"),
          layer("scripted", "user/scripted", budget=0.05)]


def ask(graph: Graph) -> None:
    graph.run(graph.child.statfs(glupy.Loc("/", inode=graph.probe.itable.root)))


def blocks_here(event: threading.Event) -> None:
    event.wait(PATIENCE)


def runs_here(event: threading.Event) -> None:
    while not event.is_set():
        pass


def notes(graph: Graph) -> list[str]:
    return [text for _, text in graph.entries() if " 0-scripted: statfs " in text]


@pytest.mark.parametrize("how", [blocks_here, runs_here])
def test_one_note_with_the_stack(how: Any) -> None:
    with Graph(LAYERS) as graph:
        end = threading.Event()
        translator = graph.translator("scripted")
        translator.answer = lambda self, name, frame, *args: how(end) if name == "statfs" else None
        thread = threading.Thread(target=ask, args=[graph])
        thread.start()
        wait_until(lambda: notes(graph), "the note")
        end.set()
        thread.join()
        wait_until(lambda: len(notes(graph)) == 2, "the other note")
        first, last = notes(graph)
        assert "s without an await (budget 0.05 s), on thread glfs_glupyrun" in first
        assert "about '/'\nStack (most recent call last):\n" in first
        assert f"in {how.__name__}" in first and "test_budget.py" in first
        assert "statfs went on after" in last
        ask(graph)
        assert len(notes(graph)) == 2


def test_code_that_keeps_the_interpreter() -> None:
    usleep = ctypes.PyDLL(None).usleep
    with Graph(LAYERS) as graph:
        translator = graph.translator("scripted")

        def keep(*_: Any) -> None:
            usleep(1_500_000)

        translator.answer = lambda self, name, frame, *args: keep() if name == "statfs" else None
        ask(graph)
        wait_until(lambda: len(notes(graph)) == 2, "the notes")
        first, last = notes(graph)
        assert "where is not known, since something keeps Python's interpreter from all other threads" in first
        assert "statfs went on after 1." in last


def test_no_budget_and_awaits() -> None:
    """With budget 0 nothing is noted, nor is a request that awaits for long."""
    with Graph(LAYERS) as graph:
        translator = graph.translator("scripted")

        async def wait() -> Any:
            await glupy.sleep(0.3)
            raise PermissionError

        translator.answer = lambda self, name, frame, *args: wait() if name == "statfs" else None
        with pytest.raises(PermissionError):
            ask(graph)
        control.reconfigure(graph, "scripted", {"budget": "0"})
        translator.answer = lambda self, name, frame, *args: time.sleep(0.3) if name == "statfs" else None
        ask(graph)
        assert not notes(graph)
        control.reconfigure(graph, "scripted", {"budget": "0.02"})
        ask(graph)
        wait_until(lambda: notes(graph), "the note")
