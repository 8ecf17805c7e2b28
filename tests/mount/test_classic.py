"""The classic API on real mounts: what was written for the first glupy runs, in all three forms that it had."""

from __future__ import annotations

import os

import pytest
from support.attempts import attempt
from support.mounts import Mount
from support.volfiles import layer

FORMS = ("classic_functions", "classic_methods", "classic_glupy")


@pytest.mark.parametrize("form", FORMS)
def test_negative_lookup(form: str) -> None:
    with Mount([layer("negative", "features/glupy", module_name=form)]) as mount:
        path = mount.path / "file"
        assert attempt(mount, os.stat, path) == "ENOENT"
        # Made behind its back: it remembers that there is none.
        (mount.brick / "file").write_bytes(b"there")
        assert attempt(mount, os.stat, path) == "ENOENT"
        assert "short-circuiting file" in mount.text()
        assert attempt(mount, (mount.path / "other").write_bytes, b"x") == 1
        assert attempt(mount, (mount.path / "other").read_bytes) == b"x"
        os.mkdir(mount.path / "folder")
        assert attempt(mount, (mount.path / "folder" / "file").write_bytes, b"12") == 2
        assert mount.alive()
