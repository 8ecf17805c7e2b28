"""Recurses without end when a name says so, each in a way of its own: in awaitables, which is an error; in C, of which the
process dies."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from typing import Any

import glupy
from glupy import Translator, gather, sleep

HOW: dict[str, Callable[[Recurses, Any], Any]] = {}


def how(function: Callable[[Recurses, Any], Any]) -> Callable[[Recurses, Any], Any]:
    HOW[function.__name__] = function
    return function


@how
async def in_gathers(self: Recurses, loc: Any) -> None:
    await gather(in_gathers(self, loc))


@how
async def in_two_at_once(self: Recurses, loc: Any) -> None:
    await gather(in_two_at_once(self, loc), in_two_at_once(self, loc))


@how
async def after_winds(self: Recurses, loc: Any) -> None:
    with contextlib.suppress(FileNotFoundError):
        await self.child.lookup(loc)
    await gather(after_winds(self, loc))


@how
async def in_gathers_in_gathers(self: Recurses, loc: Any) -> None:
    nested: Any = sleep(0)
    for _ in range(200_000):
        nested = gather(nested)
    await nested


@how
async def in_tasks(self: Recurses, loc: Any) -> None:
    """The fop is answered; the task fails on its own."""
    self.spawn(in_gathers(self, loc))


@how
async def in_c(self: Recurses, loc: Any) -> None:
    """The C library reads a regular expression by calling itself for each parenthesis."""
    library = ctypes.CDLL(None)
    library.regcomp(ctypes.create_string_buffer(4096), b"(" * 10_000_000, 1)


class Recurses(Translator):
    async def lookup(self, frame: Any, loc: Any, xdata: Any) -> glupy.LookupReply:
        if loc.name in HOW:
            await HOW[loc.name](self, loc)
        return await self.child.lookup(loc, xdata)
