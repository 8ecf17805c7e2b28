"""Issue 11, item 21: stopping() is called once when a mount, a brick or a program ends, and holds nobody up for long."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from support.bricks import Brick
from support.mounts import Mount
from support.programs import Program
from support.volfiles import Layer, layer

#: What is noted at the end, by the way in which a layer does it.
WAYS = {"plain": "stopping", "winds": "stopping, and a child answered"}


def notes(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text().splitlines()


def stops(folder: Path, name: str, how: str = "plain") -> Layer:
    return layer(name, "user/stops", folder=folder, how=how)


@pytest.mark.parametrize("way", ["umount", "SIGTERM"])
def test_a_mount(trusted: Path, way: str) -> None:
    layers = [stops(trusted, name, name) for name in WAYS] + [stops(trusted, "raises", "raises")]
    with Mount(layers, expected=(r"raises: stopping failed\nTraceback", r" 0-brick: ", r"(0-fuse: |fuse-bridge\.c)")) as mount:
        (mount.path / "file").write_bytes(b"x")
        if way == "SIGTERM":
            os.kill(mount.pid, signal.SIGTERM)
            assert mount.process and mount.process.wait() in (0, 15)
        else:
            mount.unmount()
        assert {name: notes(trusted, name) for name in WAYS} == {name: ["init", said] for name, said in WAYS.items()}
        assert "ValueError: on purpose" in mount.text()


def test_a_brick(trusted: Path) -> None:
    with Brick([stops(trusted, name, name) for name in WAYS], expected=(r" 0-server: ", r" 0-brick: ")) as brick:
        log = brick
    assert {name: notes(trusted, name) for name in WAYS} == {name: ["init", said] for name, said in WAYS.items()}
    assert not log.alive()


@pytest.mark.parametrize("ends", [True, False])
def test_a_program(trusted: Path, ends: bool) -> None:
    """With glfs_fini(), which takes the graph down, and by exit() alone."""
    with Program() as program:
        layers = [layer("sink", "glupytest/sink")] + [stops(trusted, name, name) for name in WAYS]
        assert program.start("volume", layers) == "done"
        if ends:
            assert program.ask("stop", "volume") == "done"
        assert program.end() == 0
    for name, said in WAYS.items():
        whole = ["init", said, "PARENT_DOWN", "fini"] if ends else ["init", said]
        assert notes(trusted, name) == whole


@pytest.mark.parametrize(("how", "text"), [
    ("hangs", r"Python's main thread, which .*, has been at stopping\(\) of hangs for \d+ seconds, so this process ends "
              r"without waiting for stopping\(\) of all translators\nStack"),
    ("hangs-later", r"hangs-later: stopping failed\nTraceback.*TimeoutError: stopping\(\) has not ended within 3 seconds"),
])
def test_a_limit(trusted: Path, how: str, text: str) -> None:
    """A mount ends all the same, and says why it took so long; what stands before the one that hangs has had its turn."""
    os.mkfifo(trusted / "gate")
    with Mount([stops(trusted, "first"), stops(trusted, how, how)], expected=(text, r"(0-fuse: |fuse-bridge\.c)")) as mount:
        assert mount.unmount() in (0, 15)

        assert re.search(text, mount.text(), re.S), mount.text()[-3000:]
