"""The bench works: each kind of it, with numbers too small to say anything."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import glupy
import pytest
from support.graph import Graph
from support.volfiles import layer
from support.waiting import PATIENCE

pytestmark = pytest.mark.once  # what a sanitizer takes, nobody wants to know

ROOT = Path(__file__).resolve().parents[2]


def bench(folder: Path, *arguments: str, saved: str | None = None) -> Any:
    """Run one kind of bench; what it saved, under its own name or another."""
    command = [
        f"{os.environ['GLUPY_STAGE']}/glupybench/bench-python", ROOT / "bench", "--output", folder, "--rounds", "1",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / f"{saved or arguments[0]}.json").read_text())


@pytest.mark.long
def test_layers(tmp_path: Path) -> None:
    saved = bench(tmp_path, "layers", "--count", "64", "--threads", "2")
    seen = {(sample["contender"], sample["child"]) for sample in saved["samples"]}
    for contender in ("nothing", "C", "not defined", "plain def", "tail wind", "one await"):
        assert {(contender, "sync"), (contender, "thread")} <= seen
    assert ("floor: one await", "sync") in seen
    assert ("first glupy's way", "sync") in seen
    assert all(sample["wall"] > 0 and sample["cpu"] > 0 for sample in saved["samples"])
    assert {file.name for file in tmp_path.iterdir()} == {
        "layers.json", "costs-sync.png", "costs-thread.png", "threads.png"}


@pytest.mark.long
@pytest.mark.first_system
def test_instructions(tmp_path: Path) -> None:
    names = ["nothing", "C", "one await", "unavoidable: one await"]
    saved = bench(tmp_path, "layers", "--instructions", "--fops", "stat", "--only", *names, saved="instructions")
    nothing, c, await_, bound = (count["instructions"] for name in names for count in saved["samples"]
                                 if count["contender"] == name)
    assert 0 < nothing < c < await_
    assert 0 < bound < await_ - c


def test_first_glupy_goes_through_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contender would do well if its functions were never called."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    import layers
    import original

    calls, script = [], original.script

    def counting(*functions: Any) -> Any:
        return [lambda *args, called=called: calls.append(called.__name__) or called(*args)
                for called in script(*functions)]

    monkeypatch.setattr(original, "script", counting)
    original.register(layers.library("original"))
    with Graph([layer("sink", "glupytest/sink"), layer("original", "glupybench/original")]) as graph:
        calls.clear()  # the root has been looked up
        graph.run(graph.child.stat(glupy.Loc("/", inode=graph.probe.itable.root)))
    assert calls == ["fop", "cbk"]


def test_growth(tmp_path: Path) -> None:
    saved = bench(tmp_path, "growth", "--most", "10", "--cases", "suspended", "instances: one await")
    assert {(sample["case"], sample["count"]) for sample in saved["samples"]} == {
        ("suspended", 10), ("instances: one await", 1), ("instances: one await", 10)}
    assert all(sample["time"] > 0 for sample in saved["samples"])


def test_mounts(tmp_path: Path) -> None:
    saved = bench(tmp_path, "mounts", "--count", "5")
    contenders = {sample["contender"] for sample in saved["samples"]}
    assert {"plain", "performance/nl-cache", "negative_lookup.py", "debug/trace", "pyfuse3 on plain"} <= contenders
    assert len(saved["samples"]) == len(contenders) * 6
    assert (tmp_path / "mounts.png").stat().st_size


@pytest.mark.once
def test_shelf(tmp_path: Path) -> None:
    saved = bench(tmp_path, "shelf", "--count", "3", "--what", "mounts", "--only", "nothing", "retain", "quota: a user's limit")
    assert {sample["contender"] for sample in saved["samples"]} == {"nothing", "retain", "quota: a user's limit"}


@pytest.mark.once
def test_what_is_counted_of_the_shelf() -> None:
    """All contenders send all of it, as they do in valgrind."""
    done = subprocess.run([f"{os.environ['GLUPY_STAGE']}/glupybench/bench-python", ROOT / "bench", "shelf", "--send"],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.once
def test_writer(tmp_path: Path) -> None:
    saved = bench(tmp_path, "writer", "--count", "64")
    assert len(saved["samples"]) == 9 and all(sample["wall"] > 0 for sample in saved["samples"])
