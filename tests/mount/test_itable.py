"""self.itable, before there is one and after, on a mount and in a brick."""

from __future__ import annotations

from pathlib import Path

import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until

TABLES = """\
import glupy
from glupy import Translator


class Tables(Translator):
    def init(self):
        self.log.info("in init: %r", self.itable)
        self.spawn(self.wait("spawned"))
        self.looked = False
        self.every(0.01, self.look)

    async def wait(self, who):
        self.log.info("%s begins: %r", who, self.itable)
        table = await self.itable_ready()
        self.log.info("%s has a table: %s, root %r", who, table == self.itable, table.root.gfid == glupy.Gfid.root())

    async def look(self):
        if not self.looked:
            self.looked = True
            await self.wait("every")

    def unlink(self, frame, loc, xflags, xdata):
        self.log.info("of the operation: %s", loc.parent.table == self.itable)
"""
AFTER = ("spawned has a table: True, root True", "every has a table: True, root True", "of the operation: True")


def said(process: Mount | Brick, *sentences: str) -> None:
    wait_until(lambda: all(sentence in process.text() for sentence in sentences), f"{sentences} in the log")


def test_item_15_itable_on_a_mount(trusted: Path) -> None:
    (trusted / "tables.py").write_text(TABLES)
    with Mount([layer("tables", "features/glupy", module="tables")], folder=trusted) as mount:
        (mount.path / "file").touch()
        (mount.path / "file").unlink()
        said(mount, "in init: None", *AFTER)


def test_item_15_itable_in_a_brick(trusted: Path) -> None:
    """With a layer of C between it and the one that has the table, as io-stats in glusterd's bricks."""
    (trusted / "tables.py").write_text(TABLES)
    layers = [layer("tables", "features/glupy", module="tables"), layer("top", "debug/io-stats")]
    with Brick(layers, folder=trusted, expected=test_bricks.SERVER) as brick:
        said(brick, "in init: None", "spawned begins: None", "every begins: None")
        assert "has a table" not in brick.text()
        with Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
            (mount.path / "file").touch()
            (mount.path / "file").unlink()
            said(brick, *AFTER)
