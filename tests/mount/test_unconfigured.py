"""A brick as glusterd makes it, with a translator that lacks an option it cannot do without: it starts, and lets
nothing through that the translator should have seen."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until

NEEDS = """\
from glupy import Option, Translator


class Needs(Translator):
    limit = Option(int, help="how many")

    def unlink(self, frame, loc, xflags, xdata):
        self.log.info("at most %d", self.limit)
"""
#: user/probe stands for any translator's link.
KIND = "user/probe"


@contextmanager
def client_of(brick: Brick) -> Iterator[None]:
    """A mount that does not come up."""
    mount = Mount(bottom=[brick.client], brick=brick.directory)
    process = subprocess.Popen(["glusterfs", "-N", "-f", mount.volfile, "-l", mount.log, mount.path],
                               stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        subprocess.run(["umount", "-l", mount.path], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(mount.top)


@pytest.mark.parametrize(("options", "wrong"), [
    ({}, "option limit is missing: Needs needs it (how many)"),
    ({"limit": "many"}, 'option limit is "many": expected a whole number such as 42, -1 or 0x2a'),
    ({"limti": 5}, "option limit is missing: Needs needs it (how many)"),
], ids=str)
def test_item_18_unconfigured(trusted: Path, options: dict[str, object], wrong: str) -> None:
    (trusted / "needs.py").write_text(NEEDS)
    expected = (*test_bricks.SERVER, " 0-needs: ")
    with Brick([layer("needs", KIND, module="needs", **options)], folder=trusted, expected=expected) as brick:
        (entry,) = [text for level, text in brick.entries() if level == "E" and wrong in text]
        assert f" 0-needs: needs: {trusted}/needs.py:4: {wrong}. Each operation fails with EIO: set the option" in entry
        with client_of(brick):
            failed = re.compile(r"LOOKUP info .*path=/}.*error-xlator=needs}.*errno=5")
            wait_until(lambda: failed.search(brick.text()) is not None, "the client's first lookup to fail")
        assert brick.alive()
    off = {**options, "enabled": "off"}
    with Brick([layer("needs", KIND, module="needs", **off)], folder=trusted, expected=expected) as brick:
        with Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
            (mount.path / "file").touch()
            (mount.path / "file").unlink()
