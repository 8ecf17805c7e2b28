"""All translators of the shelf above one another, on a mount and in a brick, under what fsx and fsstress do: with rules and limits
that concern other files, nothing is to be seen of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import test_bricks
from support.bricks import Brick
from support.exerciser import Exerciser, Namer
from support.mounts import Mount
from support.volfiles import Layer, layer

pytestmark = pytest.mark.once

RULES = """\
deny name=*.exe
deny content=MZ error=EPERM
"""

#: What GlusterFS says of calls that fail on purpose; and trash of a file that had this name in its bin before.
USUAL = (r"\[fault.py", r" 0-brick: ", r" 0-threads: ", r"dict_foreach|dict.c", r"posix.*(File exists|failed)", r"is removed and not kept")


def layers(folder: Path) -> list[Layer]:
    """Each at work, and none about what the test does: faults of another user, limits that are far away."""
    (folder / "rules").write_text(RULES)
    return [
        layer("access", "features/access-control"),
        layer("watch", "user/watch", directory=folder / "feeds"),
        layer("audit", "user/audit", file=folder / "audit", chain="on"),
        layer("trace", "user/trace", file=folder / "trace"),
        layer("retain", "user/retain", commit_after="1d"),
        layer("policy", "user/policy", file=folder / "rules"),
        layer("fault", "user/fault", rules="path=/other/*,fail=EIO;chance=0.05,delay=0", active="on"),
        layer("threads", "performance/io-threads"),
        layer("quota", "user/quota"),
        layer("trash", "user/trash", truncated="on"),
        layer("qos", "user/qos", by="user", rules="who=0,share=4"),
    ]


@contextmanager
def alone(folder: Path) -> Iterator[Path]:
    with Mount(layers(folder), expected=(*test_bricks.CLIENT, *USUAL)) as mount:
        yield mount.path


@contextmanager
def in_brick(folder: Path) -> Iterator[Path]:
    with Brick(layers(folder), expected=(*test_bricks.SERVER, *USUAL)) as brick:
        with Mount(bottom=[brick.client], brick=brick.directory, expected=(*test_bricks.CLIENT, *USUAL)) as mount:
            yield mount.path


@pytest.mark.parametrize("where", [alone, in_brick])
def test_nothing_is_broken(where: Callable[..., Any], trusted: Path, tmp_path: Path) -> None:
    with where(trusted) as top:
        for name, limit in (("dir", b"files=100000"), ("dir/content", b"files=10"), ("dir/names", b"bytes=1GB")):
            (top / name).mkdir()
            os.setxattr(top / name, "user.quota.limit", limit)
        os.setxattr(top, "user.quota.limit.user.default", b"bytes=1TB")
        Exerciser(top / "dir/content/file", seed=16).run(150)
        Namer(top / "dir/names", tmp_path, seed=16).run(600)
