"""option interpreters on a FUSE mount. Before Python 3.12 the mount is refused."""

from __future__ import annotations

import os
import sys
from ast import literal_eval
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.mounts import Mount, MountFailed
from support.volfiles import layer
from support.waiting import wait_until

SEVERAL = sys.version_info >= (3, 12)
LAYER = layer("spread", "user/served", interpreters=2)


def work(folder: str) -> None:
    """Files come and go; each is written and read by way of both interpreters, as chance has it."""
    os.mkdir(folder)
    for i in range(20):
        name = f"{folder}/{i}"
        with open(name, "wb") as file:
            file.write(b"%d" % i * 100)
        with open(name, "rb") as file:
            assert file.read() == b"%d" % i * 100
        os.rename(name, f"{name}.new")
    assert len(os.listdir(folder)) == 20
    for name in os.listdir(folder):
        os.unlink(f"{folder}/{name}")
    os.rmdir(folder)


def counted(mount: Mount) -> Counter[str]:
    return Counter(literal_eval(os.getxattr(mount.path, "user.counts").decode()))


def test_a_mount() -> None:
    if not SEVERAL:
        with pytest.raises(MountFailed, match="option interpreters is 2: several interpreters need Python 3.12"):
            Mount([layer("spread", "features/glupy", module="served", interpreters=2)]).__enter__()
        return
    with Mount([LAYER]) as mount:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, [f"{mount.path}/{i}" for i in range(8)]))
        wait_until(lambda: counted(mount)["release"] == 160, "all files to be released")
        assert "released in 0" in mount.text() and "released in 1" in mount.text()
        counts = counted(mount)
        assert counts["create"] == 160 and counts["missing"] == 0
        assert counts["writev 0"] > 0 and counts["writev 1"] > 0
        assert mount.alive()
