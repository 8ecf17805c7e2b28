"""glupy.asyncio() in processes of GlusterFS's: a mount and a brick. See tests/translators/loops.py for what is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer

LOOPS = layer("loops", "user/loops")


@contextmanager
def on_mount() -> Iterator[Path]:
    with Mount([LOOPS]) as mount:
        yield mount.path


@contextmanager
def in_brick() -> Iterator[Path]:
    with Brick([LOOPS], expected=test_bricks.SERVER) as brick, \
            Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
        yield mount.path


@pytest.fixture(scope="module", params=[on_mount, in_brick], ids=["mount", "brick"])
def where(request: pytest.FixtureRequest) -> Iterator[Path]:
    with request.param() as path:
        yield path


def ask(path: Path, way: str) -> Any:
    return json.loads(os.getxattr(path, f"user.{way}"))


def test_processes(where: Path) -> None:
    assert ask(where, "statuses") == [*range(20), -9]
    assert ask(where, "output") == [200_000, 0]
    assert ask(where, "mask_of_child") == "0" * 16


def test_signals_are_left_alone(where: Path) -> None:
    """SIGCHLD among them: nobody handles or ignores it."""
    before, after = ask(where, "signals_as_before")
    assert before == after
    assert not int(before["SigIgn"], 16) >> 16 & 1 and not int(before["SigCgt"], 16) >> 16 & 1


def test_http(where: Path) -> None:
    assert ask(where, "by_http") == [str(number) for number in range(50)]
