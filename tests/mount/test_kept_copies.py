"""A copy of what came with a request, kept for longer than that: FUSE's gfid-req lies in the state of its request."""

from __future__ import annotations

import json
import os

from support.mounts import Mount
from support.volfiles import layer


def test_copies_of_xdata_outlive_the_request() -> None:
    with Mount([layer("copies", "user/copies")]) as mount:
        for number in range(20):
            (mount.path / f"file{number}").write_bytes(b"")
        then, now = json.loads(os.getxattr(mount.path / "file0", "user.kept"))
        assert len(then) == 80 and now == then
