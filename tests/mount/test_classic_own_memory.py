"""A classic script's own memory in winds and unwinds, on a mount: it is copied; and utilities that refuse."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from support.attempts import attempt
from support.mounts import TRANSLATORS, Mount
from support.volfiles import layer
from test_failures import FUSE, serves


@pytest.fixture(scope="module")
def mount() -> Iterator[Mount]:
    with Mount([layer("own", "features/glupy", module_name="classic_own_memory")], expected=FUSE) as mount:
        yield mount


NAMES = ["a", "b", "hidden-1", "hidden-freed", "z"]


def folder(mount: Mount, name: str) -> Any:
    (mount.brick / name).mkdir()
    for entry in NAMES:
        (mount.brick / name / entry).write_bytes(b"x")
    return mount.path / name


def test_entries_left_out(mount: Mount) -> None:
    path = folder(mount, "fewer")
    assert sorted(attempt(mount, os.listdir, path)) == ["a", "b", "z"]
    assert attempt(mount, os.stat, path / "hidden-1").st_nlink == 1


def test_entries_of_its_own(mount: Mount) -> None:
    """A head of the script's, with entries that were given, one that GlusterFS allocated, and one in Python's memory."""
    path = folder(mount, "others")
    assert sorted(attempt(mount, os.listdir, path)) == sorted([*NAMES, "allocated", "own"])


def test_data_of_its_own(mount: Mount) -> None:
    text = b"some text, " * 30000
    assert attempt(mount, (mount.path / "text").write_bytes, text) == len(text)
    assert (mount.brick / "text").read_bytes() == text.upper()


def test_data_in_gluster_memory(mount: Mount) -> None:
    """payload(): it belongs to the script until the wind has left, and to nobody else then."""
    assert attempt(mount, (mount.path / "made").write_bytes, b"0123456789") == 10
    assert (mount.brick / "made").read_bytes() == b"9876543210"


def test_written_into_what_was_given(mount: Mount) -> None:
    """The child sees the change, and so does the application; the caller's own loc is as it was."""
    assert attempt(mount, os.mkdir, mount.path / "renamed-from") is None
    assert (mount.brick / "renamed-to").is_dir() and not (mount.brick / "renamed-from").exists()
    (mount.brick / "twelve").write_bytes(b"twelve bytes")
    attempt(mount, os.stat, mount.path / "twelve")  # posix gives it its gfid
    assert attempt(mount, os.stat, mount.path / "twelve").st_size == 4711
    serves(mount)


def test_utilities_refuse(mount: Mount) -> None:
    said = json.loads(attempt(mount, os.getxattr, mount.path, "user.refused"))
    text = (TRANSLATORS / "classic_own_memory.py").read_text()
    asked = [line.split('"')[1] for line in text.partition("REFUSED")[2].partition("\n}")[0].splitlines()[1:]]
    assert set(said) == set(asked)
    assert "no live inode_t of GlusterFS's" in said["inode_ref of an empty structure"]
    assert "this inode_t is GlusterFS's own" in said["a field of GlusterFS's"]
    assert " 0-own: /\\0\\udcff\n" in mount.text()
    assert said["loc_wipe of what was given"] == said["loc_wipe of its own text"]
    serves(mount)
