"""Answers every fop with what the test says at the moment: sets `answer`, gets the fop's name and its arguments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import glupy
from glupy import Translator


def forward(self: Scripted, name: str, frame: Any, *args: Any) -> None:
    """Until the test says something: pass everything on."""


def scripted(name: str) -> Any:
    def method(self: Scripted, frame: Any, *args: Any) -> Any:
        self.seen[name] += 1
        return self.answer(self, name, frame, *args)

    method.__name__ = name
    return method


class Scripted(Translator):
    def init(self) -> None:
        self.seen: Counter[str] = Counter()
        self.answer: Callable[..., Any] = forward

    locals().update({name: scripted(name) for name in glupy.FOPS})
