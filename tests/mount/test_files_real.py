"""self.files on a mount and in a brick: what it does is there, and what applications did is found."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import test_bricks
from support.four_bricks import cluster
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until
from translators.filer import DOINGS

LAYER = layer("filer", "user/filer")


@contextmanager
def on_mount() -> Iterator[tuple[Mount, Any]]:
    with Mount([LAYER], expected=test_bricks.CLIENT) as mount:
        yield mount, mount


@contextmanager
def in_brick() -> Iterator[tuple[Mount, Any]]:
    with test_bricks.volume([LAYER], [], *test_bricks.SERVER) as (brick, mount):
        yield mount, brick


@contextmanager
def on_client() -> Iterator[tuple[Mount, Any]]:
    """With the network below."""
    # Two who remove the same file at once are two to the brick, whose protocol/server says so.
    with test_bricks.volume([], [LAYER], *test_bricks.SERVER, "dentry not found") as (_brick, mount):
        yield mount, mount


@contextmanager
def on_cluster() -> Iterator[tuple[Mount, Any]]:
    """Above distribute and replicate."""
    with cluster([], [LAYER], on_brick=test_bricks.SERVER, on_client=test_bricks.CLIENT) as (_bricks, mount):
        yield mount, mount


WHERE = pytest.mark.parametrize("where", [on_mount, in_brick, on_client, on_cluster])


@pytest.mark.long
@WHERE
def test_whole(where: Any) -> None:
    with where() as (mount, process):
        wait_until(lambda: " begun" in process.text(), "the background")
        assert (mount.path / "begun").read_bytes() == b"in the background"
        for doing in DOINGS:
            os.setxattr(mount.path, "user.do", doing.encode())
            assert os.listdir(mount.path) == ["begun"], doing


@WHERE
def test_who_does_it(where: Any) -> None:
    with where() as (mount, process):
        wait_until(lambda: " begun" in process.text(), "the background")
        mount.path.chmod(0o777)
        subprocess.run(["/usr/bin/python3", "-c", "import os, sys; os.setxattr(sys.argv[1], 'user.caller', b'x')", mount.path],
                       user=65534, check=True)
        assert (mount.path / "of-the-caller").stat().st_uid == 65534
        assert (mount.path / "of-root").stat().st_uid == 0
