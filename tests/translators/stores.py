"""self.store, as setxattr and getxattr of user.store.NAME have it; user.count counts."""

from __future__ import annotations

from typing import Any

import glupy
from glupy import Translator


class Stores(Translator):
    @glupy.xattr("user.store.*", who="anyone")
    async def stored(self, frame: Any, loc: Any, name: str) -> Any:
        return await self.store.get(name.removeprefix("user.store."))

    @stored.setter
    async def keep(self, frame: Any, loc: Any, name: str, value: bytes | None) -> None:
        short = name.removeprefix("user.store.")
        if value is None:
            await self.store.delete(short)
        else:
            await self.store.set(short, value)

    @glupy.xattr("user.count")
    async def count(self, frame: Any, loc: Any, name: str) -> Any:
        return await self.store.change("count", lambda old: str(int(old or b"0") + 1).encode())
