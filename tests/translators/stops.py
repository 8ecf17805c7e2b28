"""stopping(): notes in a folder what happens at the end, in one of several ways."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import glupy
from glupy import Event, Option, Translator


class Stops(Translator):
    folder = Option(str, help="where the notes go")
    how = Option(str, default="plain", help="plain, winds, hangs, hangs-later, raises")

    def note(self, text: str) -> None:
        with open(Path(self.folder) / self.name, "a") as file:
            file.write(f"{text}\n")

    def init(self) -> None:
        self.note("init")

    def stopping(self) -> Coroutine[Any, Any, None] | None:
        if self.how == "winds":
            return self.ask()
        if self.how == "hangs-later":
            return self.wait()
        if self.how == "hangs":
            with open(Path(self.folder) / "gate") as gate:
                gate.read()
        if self.how == "raises":
            raise ValueError("on purpose")
        self.note("stopping")
        return None

    async def ask(self) -> None:
        try:
            await self.child.ipc(0x676C7570)
        except OSError:
            pass  # as an answer it is as good as any
        self.note("stopping, and a child answered")

    async def wait(self) -> None:
        await glupy.Future()

    def notify(self, event: Event | int, data: Any) -> None:
        if event == Event.PARENT_DOWN:
            self.note("PARENT_DOWN")

    def fini(self) -> None:
        self.note("fini")
