"""Intercepts every fop and passes it on, in the way that `how` names: what the workout compares with no layer at all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import glupy
from glupy import Option, Translator


def awaited(name: str) -> Any:
    """A coroutine that awaits one wind and returns its reply."""

    async def method(self: PassAll, frame: Any, *args: Any) -> Any:
        self.seen[name] += 1
        return await getattr(self.child, name)(*args)

    return method


def looked_into(name: str) -> Any:
    """The same, but every value of the call and of the reply becomes a Python object and goes back as one."""

    async def method(self: PassAll, frame: Any, *args: Any) -> Any:
        self.seen[name] += 1
        self.log.debug("%s%r by %r", name, args, frame)
        reply = await getattr(self.child, name)(*args)
        values = {field: getattr(reply, field) for field in reply.__match_args__}
        self.log.debug("%r", reply)
        return type(reply)(**values, op_ret=reply.op_ret)

    return method


def tail(name: str) -> Any:
    """A wind that is returned without awaiting it."""

    def method(self: PassAll, frame: Any, *args: Any) -> Any:
        self.seen[name] += 1
        return getattr(self.child, name)(*args)

    return method


def nothing(name: str) -> Any:
    """A plain method that returns None."""

    def method(self: PassAll, frame: Any, *args: Any) -> None:
        self.seen[name] += 1

    return method


def as_value(name: str) -> Any:
    """A coroutine that gets a failure as a reply, and hands it on."""

    async def method(self: PassAll, frame: Any, *args: Any) -> Any:
        self.seen[name] += 1
        return await getattr(self.child, name)(*args).or_error()

    return method


def choose(name: str) -> Any:
    ways = {way.__name__: way(name) for way in (awaited, looked_into, tail, nothing, as_value)}

    def method(self: PassAll, frame: Any, *args: Any) -> Any:
        return ways[self.how](self, frame, *args)

    method.__name__ = name
    return method


class PassAll(Translator):
    how = Option(str, default="awaited", choices=("awaited", "looked_into", "tail", "nothing", "as_value"), help="how to pass on")

    def init(self) -> None:
        self.seen: Counter[str] = Counter()

    locals().update({name: choose(name) for name in glupy.FOPS})
