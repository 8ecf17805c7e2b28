"""The inode table, and data that a translator makes itself, as a mount sees them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from glupy import Gfid
from support.mounts import Mount
from support.volfiles import layer

CONTENT = bytes(range(251)) * 1000


@pytest.fixture(scope="module")
def mount() -> Iterator[Mount]:
    with Mount([layer("finds", "user/finds")]) as mount:
        yield mount


def find(mount: Mount, path: str) -> Any:
    return json.loads(os.getxattr(mount.path, f"user.find.{path}"))


def test_files_found_by_path(mount: Mount) -> None:
    (mount.brick / "past/the").mkdir(parents=True)
    (mount.brick / "past/the/mount").write_bytes(b"seven b")
    first = find(mount, "/past/the/mount")
    assert (first["path"], first["size"], first["type"], first["ino"]) == ("/past/the/mount", 7, "IFREG", True)
    assert Gfid(os.getxattr(mount.brick / "past/the/mount", "trusted.gfid")) == Gfid(first["gfid"])
    assert (mount.brick / first["handle"]).samefile(mount.brick / "past/the/mount")
    assert find(mount, "/past/the/mount")["gfid"] == first["gfid"]
    assert find(mount, "/past/the")["type"] == "IFDIR"
    assert first["refs"] >= 1 and first["table"]["active"] >= 1
    assert find(mount, "/past/the/missing") == {"errno": errno.ENOENT}
    assert find(mount, "/past/the/mount/below") == {"errno": errno.ENOTDIR}


def test_content_that_was_made(mount: Mount) -> None:
    with (mount.path / "file").open("wb") as file:  # nothing of it is in the kernel's cache
        file.truncate(len(CONTENT))
    assert (mount.path / "file").read_bytes() == CONTENT


def test_an_entry_that_was_made(mount: Mount) -> None:
    assert "made" in os.listdir(mount.path)
    with os.scandir(mount.path) as entries:
        made = {entry.name: entry for entry in entries}["made"]
    result = os.stat(mount.path / "made")
    assert made.is_file(follow_symlinks=False) and made.inode() == result.st_ino
    assert (result.st_size, result.st_mode & 0o777) == (5, 0o444)
