"""Treats every fop in a way drawn at random: most of them wrong, each known by a name."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

import glupy
from glupy import Option, Translator

WAYS: dict[str, Callable[..., Any]] = {}
ON_PURPOSE = "on purpose"


def way(function: Callable[..., Any]) -> Callable[..., Any]:
    WAYS[function.__name__] = function
    return function


class Foreign:
    """What a coroutine of another framework may yield."""

    def __await__(self) -> Generator[Any, Any, None]:
        yield self


def unable() -> None:
    raise LookupError(ON_PURPOSE)


def other_reply(name: str) -> Any:
    return glupy.StatfsReply() if name != "statfs" else glupy.FlushReply()


@way
def nothing(self: Chaotic, name: str, *args: Any) -> None:
    """The call, unchanged."""


@way
def tail(self: Chaotic, name: str, *args: Any) -> Any:
    return self.wind(name, *args)


@way
async def awaited(self: Chaotic, name: str, *args: Any) -> Any:
    return await self.wind(name, *args)


@way
async def looked_into(self: Chaotic, name: str, *args: Any) -> Any:
    reply = await self.wind(name, *args)
    return reply.replace(**{field: getattr(reply, field) for field in reply.__match_args__})


@way
async def tail_in_the_end(self: Chaotic, name: str, *args: Any) -> Any:
    await glupy.gather(self.wind(name, *args), return_exceptions=True)
    return self.wind(name, *args)


@way
async def again_on_error(self: Chaotic, name: str, *args: Any) -> Any:
    for _ in range(3):
        try:
            return await self.wind(name, *args)
        except OSError:
            pass
    return await self.wind(name, *args)


@way
async def twice_the_same(self: Chaotic, name: str, *args: Any) -> Any:
    wind = self.wind(name, *args)
    first = await wind
    assert await wind is first
    return first


@way
async def gathered(self: Chaotic, name: str, *args: Any) -> Any:
    replies = await glupy.gather(*[self.wind(name, *args) for _ in range(3)], return_exceptions=True)
    good = [reply for reply in replies if not isinstance(reply, BaseException)]
    if not good:
        raise replies[0]
    return good[-1]


@way
async def gathered_with_failures(self: Chaotic, name: str, *args: Any) -> Any:
    wind = self.wind(name, *args)
    return (await glupy.gather(wind, raised_after(self, name, *args), wind, glupy.sleep(0), return_exceptions=False))[0]


@way
async def slept(self: Chaotic, name: str, *args: Any) -> Any:
    await glupy.sleep(0)
    await glupy.sleep(0.0005)
    return await self.wind(name, *args)


@way
async def in_a_thread(self: Chaotic, name: str, *args: Any) -> Any:
    assert await glupy.to_thread(len, "four") == 4
    return await self.wind(name, *args)


@way
async def failed_in_a_thread(self: Chaotic, name: str, *args: Any) -> Any:
    await glupy.to_thread(unable)


@way
def answered(self: Chaotic, name: str, *args: Any) -> Any:
    return self.reply_types[name]()


@way
async def dropped(self: Chaotic, name: str, *args: Any) -> Any:
    """Winds that are never awaited are no winds."""
    self.wind(name, *args)
    self.kept = self.wind(name, *args)
    return self.reply_types[name]()


@way
def refused(self: Chaotic, name: str, *args: Any) -> Any:
    raise PermissionError(1, ON_PURPOSE)


@way
async def raised_after(self: Chaotic, name: str, *args: Any) -> Any:
    await self.wind(name, *args)
    raise ValueError(ON_PURPOSE)


@way
def raised_before(self: Chaotic, name: str, *args: Any) -> Any:
    raise ArithmeticError(ON_PURPOSE)


def raising(kind: type[BaseException]) -> None:
    async def method(self: Chaotic, name: str, *args: Any) -> Any:
        if random.random() < 0.5:
            await self.wind(name, *args)
        raise kind(ON_PURPOSE)

    method.__name__ = kind.__name__
    way(method)


for _kind in (SystemExit, KeyboardInterrupt, MemoryError, RecursionError, GeneratorExit, StopIteration,
              asyncio.CancelledError, BaseException):
    raising(_kind)


@way
def wrong_value(self: Chaotic, name: str, *args: Any) -> Any:
    return random.choice([42, "text", True, NotImplemented, [], self, object])


@way
async def none_in_the_end(self: Chaotic, name: str, *args: Any) -> Any:
    await self.wind(name, *args)


@way
async def another_fops_reply(self: Chaotic, name: str, *args: Any) -> Any:
    return other_reply(name)


@way
async def another_fops_wind(self: Chaotic, name: str, *args: Any) -> Any:
    return self.child.ipc(1)


@way
async def used_wind(self: Chaotic, name: str, *args: Any) -> Any:
    wind = self.wind(name, *args)
    await wind
    return wind


@way
async def foreign(self: Chaotic, name: str, *args: Any) -> Any:
    await Foreign()


@way
async def asyncio_code(self: Chaotic, name: str, *args: Any) -> Any:
    await asyncio.sleep(0)


@way
async def foreign_and_caught(self: Chaotic, name: str, *args: Any) -> Any:
    try:
        await Foreign()
    except TypeError:
        return await self.wind(name, *args)


@way
def generator(self: Chaotic, name: str, *args: Any) -> Any:
    yield name


#: Most of the traffic goes right, or nothing would be tested but the log.
GOOD = ("nothing", "tail", "awaited", "looked_into", "tail_in_the_end", "again_on_error", "twice_the_same", "gathered",
        "slept", "in_a_thread", "answered", "dropped", "refused", "foreign_and_caught")


def chaotic(name: str) -> Any:
    def method(self: Chaotic, frame: Any, *args: Any) -> Any:
        self.entered[name] += not self.calm
        drawn = "nothing" if self.calm else self.draw()
        self.ways[drawn] += 1
        return WAYS[drawn](self, name, *args)

    method.__name__ = name
    return method


class Chaotic(Translator):
    bad = Option(int, default=10, min=0, max=100, help="percentage that goes wrong on purpose")

    def init(self) -> None:
        self.entered: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()
        self.calm = True  # until the graph is up
        self.names = [*WAYS]
        self.reply_types = {
            fop: getattr(glupy, "".join(part.capitalize() for part in fop.split("_")) + "Reply") for fop in glupy.FOPS
        }

    def draw(self) -> str:
        return random.choice(self.names if random.random() * 100 < self.bad else GOOD)

    def wind(self, name: str, *args: Any) -> Any:
        return getattr(self.child, name)(*args)

    locals().update({name: chaotic(name) for name in glupy.FOPS})
