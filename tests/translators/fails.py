"""Fails as the name of the file asks for: `fail-HOW-in-FOP`; HOW is a function of this file, FOP the operation.

A function is called as the fop's method would be: what it returns or raises is what glupy gets.
"""

from __future__ import annotations

import asyncio
import errno
import threading
import types
from collections.abc import Callable
from typing import Any

import glupy
from glupy import Iatt, Translator

HOW: dict[str, Callable[..., Any]] = {}


def how(function: Callable[..., Any]) -> Callable[..., Any]:
    HOW[function.__name__.replace("_", "-")] = function
    return function


# Exceptions: each kind raised by a plain method, by a coroutine, and by a coroutine after a wind.


class OwnBase(BaseException):
    pass


class BadText(Exception):
    def __str__(self) -> str:
        raise ValueError("no text for you")

    __repr__ = __str__


class WorseText(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)

    __repr__ = __str__


class BadErrno(OSError):
    @property
    def errno(self) -> int:  # type: ignore[override]
        raise KeyboardInterrupt


class BadAttributes(OSError):
    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(f"no {name} here")


def recursion(depth: int = 0) -> int:
    return recursion(depth + 1) + 1


def deep_repr() -> str:
    value: list[Any] = []
    for _ in range(200_000):
        value = [value]
    try:
        return repr(value)
    finally:
        while value:  # its own end would recurse as deep
            value = value.pop()


class Chain:
    """Attributes whose reading reads an attribute, in C all the way."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self, name + "x")


def no_memory() -> bytearray:
    return bytearray((1 << 62) - 1)


def with_cause() -> None:
    first, second = ValueError("hen"), ValueError("egg")
    first.__cause__, second.__cause__ = second, first
    raise first


def with_notes() -> None:
    error = ValueError("with notes")
    error.add_note("a note of the author's")
    raise error


def with_odd_notes() -> None:
    error = ValueError("with odd notes")
    error.__notes__ = 5  # type: ignore[assignment]
    raise error


def with_odd_xdata() -> None:
    error = OSError(errno.EDQUOT, "full")
    error.xdata = object()  # type: ignore[attr-defined]
    raise error


def raising(error: Any) -> Callable[[], None]:
    def function() -> None:
        raise error() if isinstance(error, type) else type(error)(*error.args)

    return function


RAISES: dict[str, Callable[[], Any]] = {
    "valueerror": raising(ValueError("the value is wrong")),
    "assertion": raising(AssertionError),
    "stopiteration": raising(StopIteration),
    "stopasynciteration": raising(StopAsyncIteration),
    "systemexit": raising(SystemExit(0)),
    "keyboardinterrupt": raising(KeyboardInterrupt),
    "generatorexit": raising(GeneratorExit),
    "own-base": raising(OwnBase("from the very base")),
    "bad-text": raising(BadText),
    "worse-text": raising(WorseText),
    "huge-text": lambda: raising(ValueError("x" * 3_000_000))(),
    "odd-text": raising(ValueError("nul \0, surrogate \udc80, percent %s %n, line\nbreak")),
    "group": raising(ExceptionGroup("two at once", [ValueError("first"), OSError(errno.ENOENT, "second")])),
    "base-group": raising(BaseExceptionGroup("two at once", [KeyboardInterrupt(), SystemExit(1)])),
    "with-cause": with_cause,
    "with-notes": with_notes,
    "with-odd-notes": with_odd_notes,
    "recursion": recursion,
    "deep-repr": deep_repr,
    "deep-getattr": lambda: Chain().x,
    "no-memory": no_memory,
    "no-errno": raising(OSError("without a number")),
    "errno-0": raising(OSError(0, "no error")),
    "errno-negative": raising(OSError(-5, "negative")),
    "errno-512": raising(OSError(512, "the kernel's own")),
    "errno-huge": raising(OSError(1 << 40, "huge")),
    "errno-text": raising(OSError("five", "not a number")),
    "errno-raises": raising(BadErrno),
    "attributes-raise": raising(BadAttributes),
    "edquot": raising(OSError(errno.EDQUOT, "full")),
    "enospc-with-odd-xdata": with_odd_xdata,
    "permissionerror": raising(PermissionError),
    "timeouterror": raising(TimeoutError("late")),
}


def exceptions(name: str, function: Callable[[], Any]) -> None:
    def plainly(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
        function()

    async def awaited(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
        function()

    async def later(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
        await self.child.statfs(glupy.Loc("/", self.itable.root, gfid=glupy.Gfid.root()))  # type: ignore[union-attr]
        function()

    HOW[f"{name}-plainly"], HOW[name], HOW[f"{name}-later"] = plainly, awaited, later


for _name, _function in RAISES.items():
    exceptions(_name, _function)


@how
async def asleep(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await glupy.sleep(0.001)
    raise ValueError("after a sleep")


# Wrong answers


def other_fop(fop: str) -> str:
    return "stat" if fop != "stat" else "lookup"


@how
def number_plainly(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return 0


@how
async def number(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return 0


@how
async def nothing(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await getattr(self.child, fop)(*args)


@how
async def bad_repr(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return BadText()


@how
async def bad_repr_awaited(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await yields(BadText())


@how
async def long_repr(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return list(range(1_000_000))


@how
async def reply_of_another(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return glupy.StatfsReply(glupy.Statvfs())


@how
def wind_of_another(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return self.child.statfs(glupy.Loc("/", self.itable.root, gfid=glupy.Gfid.root()))  # type: ignore[union-attr]


@how
async def awaited_wind(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    wind = getattr(self.child, fop)(*args)
    await wind
    return wind


@how
async def type_of_reply(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return getattr(glupy, fop.title() + "Reply")


@how
async def coroutine_within(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    async def within() -> None:
        pass

    coroutine = within()
    self.kept.append(coroutine)  # or Python warns that nobody awaited it
    return coroutine


@how
def generator(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return (number for number in range(3))


@how
def ended_coroutine(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    async def within() -> None:
        pass

    coroutine = within()
    coroutine.close()
    return coroutine


# Awaiting what is not ours


class Awaitable:
    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function

    def __await__(self) -> Any:
        return self.function()


@types.coroutine
def yields(value: Any) -> Any:
    return (yield value)


@how
async def asyncio_sleep(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await asyncio.sleep(10)


@how
async def asyncio_yield(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await asyncio.sleep(0)


@how
async def bare_yield(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await yields("something else")


@how
async def stubborn_yield(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    for turn in range(3):
        try:
            await yields(turn)
        except TypeError:
            pass
    raise RuntimeError("three times refused")


@how
async def await_raises(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await Awaitable(lambda: 1 // 0)


@how
async def await_number(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await Awaitable(lambda: 5)


@how
async def await_numbers(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await Awaitable(lambda: iter([1, 2]))


@how
def returns_await_raises(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return Awaitable(lambda: 1 // 0)


@how
def returns_await_number(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return Awaitable(lambda: 5)


@how
def returns_await_numbers(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return Awaitable(lambda: iter([1, 2]))


@how
async def gather_number(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await glupy.gather(5)  # type: ignore[call-overload]


@how
async def run_inside(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return self._instance.run(getattr(self.child, fop)(*args))


# Replies built wrongly


@how
async def field_of_wrong_type(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return getattr(glupy, fop.title() + "Reply")(5)


@how
async def field_set_wrongly(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    reply = await getattr(self.child, fop)(*args)
    reply.xdata = 5
    return reply


@how
async def field_unknown(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return getattr(glupy, fop.title() + "Reply")(colour="red")


@how
async def fields_too_many(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return getattr(glupy, fop.title() + "Reply")(*[None] * 12)


@how
async def op_ret_negative(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return getattr(glupy, fop.title() + "Reply")(op_ret=-1)


@how
async def arguments_wrong(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await getattr(self.child, fop)(*[5] * len(args))


@how
async def arguments_missing(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    await getattr(self.child, fop)()


# Replies that are of the right types and make no sense: GlusterFS or the kernel may refuse them, or not


@how
async def empty_reply(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return getattr(glupy, fop.title() + "Reply")()


@how
async def huge_op_ret(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    return (await getattr(self.child, fop)(*args)).replace(op_ret=2**31 - 1)


@how
async def odd_iatt(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    reply = await getattr(self.child, fop)(*args)
    wrong = Iatt(ia_gfid=glupy.Gfid.random(), ia_type=3, ia_size=2**63 - 1, ia_nlink=0, ia_blksize=0)
    fields = {name: wrong for name in reply.__match_args__ if isinstance(getattr(reply, name), Iatt)}
    return reply.replace(**fields)


@how
async def odd_payload(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    reply = await getattr(self.child, fop)(*args)
    if fop == "readv":
        return reply.replace(vector=b"x" * (4 << 20))
    if fop == "readdirp":
        names = ["", "a/b", "/", "..", "y" * 255, "z" * 4000, *(f"n{number}" for number in range(20_000))]
        return reply.replace(entries=glupy.Dirents([glupy.Dirent(name, d_ino=7, d_off=7) for name in names]))
    if fop == "getxattr":
        return reply.replace(dict={"other": b"x" * (1 << 20)})
    return reply


# A coroutine that waits, and is ended by another request


@how
def victim(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    if (fop, self.path) in self.kept:  # the kernel, or FUSE, tries again
        raise OSError(errno.EIO, "again")
    self.kept.append((fop, self.path))

    async def waits() -> Any:
        await self.gate
        return await getattr(self.child, fop)(*args)

    self.gate, self.victim = glupy.Future(), waits()
    return self.victim


@how
async def unless_victim_waits(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    if not self.victim or not self.victim.cr_suspended:
        raise OSError(errno.EAGAIN, "not yet")
    return await getattr(self.child, fop)(*args)


@how
def let_victim_go(self: Fails, fop: str, args: tuple[Any, ...]) -> None:
    self.gate.set_result(None)


HOW["closes-victim"] = lambda self, fop, args: self.victim.close()
HOW["throws-into-victim"] = lambda self, fop, args: self.victim.throw(ValueError("thrown by another"))
HOW["sends-to-victim"] = lambda self, fop, args: self.victim.send(None)
HOW["returns-victim"] = lambda self, fop, args: self.victim


# Threads


@how
def thread_goes_on(self: Fails, fop: str, args: tuple[Any, ...]) -> Any:
    """A thread of the author's keeps all there is, the method answers: nothing fails."""

    released = self.released = threading.Event()

    def work(frame: Any) -> None:
        released.wait()
        for value in (frame, *args):
            repr(value)
        try:
            frame.uid
        except ReferenceError as error:
            self.log.info("thread of %s: the frame: %s", fop, error)
        if fop in ("open", "getxattr"):
            reply = self._instance.run(self.child.stat(args[0]))
            self.log.info("thread of %s: size %d", fop, reply.buf.ia_size)

    threading.Thread(target=work, args=[self.frame]).start()
    return getattr(self.child, fop)(*args)


class Fails(Translator):
    def init(self) -> None:
        self.kept: list[Any] = []
        self.victim: Any = None
        self.released = threading.Event()

    def _answer(self, fop: str, frame: Any, args: tuple[Any, ...]) -> Any:
        path = next((path for path in map(self._path_of, args) if path), "")
        name = path.rpartition("/")[2]
        if name == "let-threads-go":
            self.released.set()
        if name.startswith("fail-") and name.endswith(f"-in-{fop}"):
            self.frame, self.path = frame, path
            return HOW[name[len("fail-") : -len(f"-in-{fop}")]](self, fop, args)
        return getattr(self.child, fop)(*args)

    def _path_of(self, value: Any) -> str | None:
        if isinstance(value, glupy.Loc):
            return value.path
        return value.inode.path() if isinstance(value, glupy.Fd) else None

    locals().update({
        fop: (lambda fop: lambda self, frame, *args: self._answer(fop, frame, args))(fop)
        for fop in ("lookup", "create", "open", "readv", "writev", "readdirp", "getxattr", "unlink", "stat", "setattr")
    })
