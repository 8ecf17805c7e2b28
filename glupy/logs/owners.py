"""The private module names of translators, and whose they are: for what is printed, and for what is raised."""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from glupy._core import Instance

#: What the names of translators' modules start with; glupy.user.NAME#3 is one.
PREFIX = "glupy.user."


class Owner(NamedTuple):
    """Whose code it is: the translator's name, which outlives its graph, and what it logs by."""

    name: str
    voice: Instance


_owners: dict[str, Owner] = {}


def register(private: str, instance: Instance) -> None:
    """Code of this module belongs to that translator."""
    _owners[private] = Owner(instance.name, instance)


def unregister(private: str) -> None:
    """The translator is gone."""
    _owners.pop(private, None)


def is_translators(frame: FrameType) -> bool:
    """Is it a translator's code that runs in this Python frame?"""
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.startswith(PREFIX)


def owner_of(frame: FrameType | None) -> Owner | None:
    """The translator whose code runs in this Python frame, or called what runs in it."""
    while frame is not None:
        if is_translators(frame):
            return _owners.get(".".join(frame.f_globals["__name__"].split(".", 3)[:3]))
        frame = frame.f_back
    return None


def caller(depth: int) -> FrameType | None:
    """The frame that many calls above the caller's."""
    try:
        return sys._getframe(depth + 1)
    except ValueError:
        return None
