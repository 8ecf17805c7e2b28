"""Names that a layer answers itself, as applications see them on a mount, with the layer there and in the brick."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import test_bricks
from support.four_bricks import cluster
from support.mounts import Mount
from support.volfiles import layer

LAYER = layer("virtual", "user/virtual")


@contextmanager
def on_mount() -> Iterator[Mount]:
    with Mount([LAYER], expected=test_bricks.CLIENT) as mount:
        yield mount


@contextmanager
def in_brick() -> Iterator[Mount]:
    with test_bricks.volume([LAYER], []) as (_brick, mount):
        yield mount


@pytest.mark.parametrize("where", [on_mount, in_brick])
def test_attributes(where) -> None:
    with where() as mount:
        file = mount.path / "file"
        file.write_bytes(b"12345")
        assert os.getxattr(file, "user.v.size") == b"5"
        assert os.getxattr(file, "trusted.v") == "ünï".encode()
        assert {*os.listxattr(file)} >= {"user.v.text", "trusted.v"}
        os.setxattr(file, "user.v.text", b"set")
        with file.open("r+b") as opened:
            assert os.getxattr(opened.fileno(), "user.v.text") == b"set"
            os.removexattr(opened.fileno(), "user.v.text")
        assert os.getxattr(mount.path, "user.v.text") == os.getxattr(file, "user.v.text") == b"nothing"
        for name, number in (("user.v.none", errno.ENODATA), ("user.v.fails", errno.EDQUOT)):
            with pytest.raises(OSError) as failed:
                os.getxattr(file, name)
            assert failed.value.errno == number
        with pytest.raises(OSError) as failed:
            os.setxattr(file, "trusted.v", b"x")
        assert failed.value.errno == errno.EPERM
        mount.path.chmod(0o755)
        done = subprocess.run(["/usr/bin/python3", "-c", "import os, sys; print(os.listxattr(sys.argv[1]))", file], user=65534,
                              stdout=subprocess.PIPE, text=True, check=True)
        assert "'user.v.text'" in done.stdout and "trusted.v" not in done.stdout


def test_below_distribute_and_replicate() -> None:
    """Who is asked, as the guide has it."""
    with cluster([LAYER], [layer("everywhere", "user/everywhere")], on_brick=test_bricks.SERVER,
                 on_client=test_bricks.CLIENT) as (bricks, mount):
        file, folder = mount.path / "file", mount.path / "folder"
        file.write_bytes(b"12345")
        folder.mkdir()
        os.setxattr(file, "user.v.text", b"set")
        os.setxattr(folder, "user.v.text", b"set")
        assert os.getxattr(file, "user.v.size") == b"5" and os.getxattr(file, "user.v.text") == b"set"
        assert os.getxattr(folder, "user.v.text") == b"set"
        assert "user.v.text" in os.listxattr(file) and "user.v.text" in os.listxattr(folder)
        told = os.getxattr(file, "user.everywhere.user.v.text").decode().splitlines()
        has = [(brick.directory / "file").exists() for brick in bricks]
        assert told == [f"client{number}: {'set' if has[number] else 'none'}" for number in range(4)]
        assert sum(has) == 2, "both replicas were told, and the other pair has no such file"
        told = os.getxattr(folder, "user.everywhere.user.v.text").decode().splitlines()
        assert told == [f"client{number}: set" for number in range(4)]
        os.removexattr(file, "user.v.text")
        assert os.getxattr(file, "user.v.text") == b"nothing"
