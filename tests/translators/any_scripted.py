"""A handler for the fops that an option names, which answers with what the test says; stat has a method of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import glupy
from glupy import Option, Translator


def forward(self: AnyScripted, frame: Any, *args: Any) -> Any:
    """Until the test says something: pass everything on."""


class AnyScripted(Translator):
    handled = Option(str, default="", help="the fops, comma-separated; empty: all")

    def init(self) -> None:
        self.seen: Counter[str] = Counter()
        self.answer: Callable[..., Any] = forward
        self.blocking: Callable[..., Any] = forward
        if self.handled:
            self.fops = self.handled.split(",")

    def any_fop(self, frame: Any, call: Any) -> Any:
        self.seen[call.name] += 1
        return self.answer(self, frame, call)

    def stat(self, frame: Any, loc: Any, xdata: Any) -> None:
        self.seen["its own stat"] += 1

    @glupy.offload
    def fstat(self, frame: Any, fd: Any, xdata: Any) -> Any:
        self.seen["its own fstat"] += 1
        return self.blocking(self, frame, fd, xdata)
