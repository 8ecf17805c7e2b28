"""getfattr -n user.everywhere.NAME: what each brick answers to NAME."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import glupy
from glupy import Translator


class Everywhere(Translator):
    @glupy.xattr("user.everywhere.*")
    async def everywhere(self, frame: Any, loc: Any, name: str) -> bytes:
        asked = name.removeprefix("user.everywhere.")
        bricks = [*self.lowest(self.child)]
        replies = await glupy.gather(*(brick.getxattr(loc, asked).or_error() for brick in bricks))
        return b"\n".join(brick.name.encode() + b": " + (bytes(reply.dict[asked]) if reply.op_ret >= 0 else b"none")
                          for brick, reply in zip(bricks, replies))

    def lowest(self, layer: Any) -> Iterator[Any]:
        for below in layer.children:
            yield from self.lowest(below)
        if not layer.children:
            yield layer
