"""self.volume, self.brick_path, self.side, child.options and frame.client, on a mount and in a brick."""

from __future__ import annotations

import json
import os
import socket
import uuid
from pathlib import Path
from typing import Any

import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer, posix
from support.waiting import wait_until


def where(mount: Mount, name: str) -> Any:
    file = mount.path / "file"
    file.touch()
    return json.loads(os.getxattr(file, f"user.{name}.where"))


def test_mount_of_a_volfile() -> None:
    with Mount([layer("here", "user/located")]) as mount:
        volume, path, side, below, client = where(mount, "here")
        assert (volume, path, side, client) == (None, str(mount.brick), "client", None)
        assert below == [["locks", "features/locks", {}]]


def test_brick_and_its_client() -> None:
    with Brick([layer("below", "user/located")], expected=test_bricks.SERVER) as brick:
        _, kind, options = brick.client
        with Mount([layer("above", "user/located")], bottom=[("some-vol-client-3", kind, options)], brick=brick.directory,
                   expected=test_bricks.CLIENT) as mount:
            volume, path, side, below, client = where(mount, "above")
            assert (volume, path, side, client) == ("some-vol", "None", "client", None)
            assert below[0][:2] == ["some-vol-client-3", "protocol/client"]
            assert below[0][2]["remote-port"] == str(brick.port)
            volume, path, side, below, client = where(mount, "below")
            assert (volume, path, side) == (None, str(brick.directory), "brick")
            is_client, text, host, pid, of, unique, shown = client
            assert is_client and text.startswith("CTX_ID:") and shown == repr(text)
            assert (host, pid, of) == (socket.gethostname(), mount.pid, "some-vol")
            assert str(uuid.UUID(unique)) == unique
        wait_until(lambda: f"gone: {json.dumps(client)}" in brick.text(), "the client's end")


def test_as_glusterd_names_it(trusted: Path) -> None:
    brick, locks = posix(trusted / "brick")
    (trusted / "brick").mkdir()
    with Mount([layer("here", "user/located")], bottom=[("a-posix-posix", *brick[1:]), locks],
               brick=trusted / "brick") as mount:
        assert where(mount, "here")[:3] == ["a-posix", str(trusted / "brick"), "client"]


def test_two_directories(trusted: Path) -> None:
    (trusted / "two").mkdir()
    other = layer("other", "storage/posix", directory=trusted / "two", subvolumes="")
    with Mount([layer("here", "user/located"), other, layer("both", "user/located", subvolumes="here other")]) as mount:
        assert where(mount, "both")[:3] == [None, "None", "client"]
        assert where(mount, "here")[1] == str(mount.brick)
