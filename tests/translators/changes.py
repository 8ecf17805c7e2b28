"""Options that change while the graph is up, and hooks: the test sets `on_change` and `on_event`, and reads `heard`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from glupy import Child, Event, Frame, GetxattrReply, Loc, Option, Translator, Xdata


class Changes(Translator):
    low = Option(int, default=1, min=0)
    high = Option(int, default=1, min=0)
    name_of = Option(str, default="nobody")
    wait = Option("time", default="1min")

    def init(self) -> None:
        self.mixed = self.ended = 0
        self.heard: list[tuple[Event | int, Child | None]] = []
        self.changes: list[dict[str, Any]] = []
        self.on_change: Callable[[dict[str, Any]], Any] = lambda changed: None
        self.on_event: Callable[[Event | int, Child | None], Any] = lambda event, data: None
        self.calls: Counter[str] = Counter()

    def reconfigured(self, changed: dict[str, Any]) -> Any:
        self.changes.append(changed)
        return self.on_change(changed)

    def notify(self, event: Event | int, data: Child | None) -> Any:
        self.heard.append((event, data))
        return self.on_event(event, data)

    def fini(self) -> None:
        self.ended += 1
        self.log.info("%s ends in process %d", self.name, os.getpid())

    def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> Any:
        """What the options are, as two that always change together, and the others."""
        self.calls["getxattr"] += 1
        low, high = self.low, self.high
        self.mixed += low != high
        return GetxattrReply({"user.options": f"{low} {high} {self.name_of} {self.wait}".encode()})
