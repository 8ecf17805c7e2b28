"""What stands above a translator's methods where it has @xattr: names of its own are answered, all else goes to the methods."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from glupy import _core
from glupy._core import Fd, Loc
from glupy.api.offloading import MARK
from glupy.api.translator import Translator
from glupy.api.xattrs import VirtualXattr, VirtualXattrs, Who
from glupy.loading import fopcheck

#: Marks what is called with a Call as any_fop is; src/core/lifecycle/defined.c looks for it.
TAKES_CALL = "__glupy_takes_call__"

_READS = ("getxattr", "fgetxattr")
_SETS = ("setxattr", "fsetxattr")
_REMOVES = ("removexattr", "fremovexattr")

_Method = Callable[..., Any]


def cover(translator: Translator, methods: Mapping[str, _Method]) -> dict[str, _Method]:
    """The methods by fop, those for extended attributes covered."""
    declared = VirtualXattrs(type(translator))
    if not declared:
        return dict(methods)
    any_fop = methods.get(fopcheck.ANY)
    return {**methods, **{fop: _covered(_Cover(translator, declared, fop, methods.get(fop), any_fop))
                          for fop in (*_READS, *_SETS, *_REMOVES)}}


def _covered(cover: _Cover) -> _Method:
    """A function, since the core looks for marks on it. What blocks is called where glupy.wait() works: not in a coroutine."""
    beneath, takes_call, blocks = cover.beneath, cover.takes_call, cover.beneath is not None and hasattr(cover.beneath, MARK)

    def covered(frame: Any, *given: Any) -> Any:
        args = given[0].args if takes_call else given
        if cover.ours(args):
            answer = cover.answer(frame, args)
        elif shown := cover.shown(frame, args):
            answer = _listed(cover.go_on(frame, args, given), shown)
        elif mixed := cover.mixed(args):
            if not blocks:
                return cover.set_and_go_on(frame, args, given, mixed)
            _core.wait(cover.set_ours(frame, args, mixed))
            return cover.go_on(frame, args, given)
        else:
            return None if beneath is None else beneath(frame, *given)
        return _core.wait(answer) if blocks else answer

    if takes_call:
        setattr(covered, TAKES_CALL, True)
    if blocks:
        setattr(covered, MARK, True)
    return covered


class _Cover:
    """One fop of those that are about extended attributes.

    args   its arguments
    given  what the method beneath is called with: these, or a Call
    """

    def __init__(self, translator: Translator, declared: VirtualXattrs, fop: str, beneath: _Method | None,
                 any_fop: _Method | None) -> None:
        self.translator, self.declared, self.fop, self.beneath = translator, declared, fop, beneath
        self.takes_call = beneath is not None and beneath is any_fop
        self.sets = fop in _SETS

    def ours(self, args: tuple[Any, ...]) -> bool:
        """Whether it is about names of ours, and nothing else."""
        if self.sets:
            return bool(args[1]) and all(self.declared.of(name) is not None for name in args[1])
        return args[1] is not None and self.declared.of(args[1]) is not None

    def mixed(self, args: tuple[Any, ...]) -> dict[str, VirtualXattr]:
        """Of what is to be set, what is ours."""
        return {name: found for name in args[1] if (found := self.declared.of(name)) is not None} if self.sets else {}

    def shown(self, frame: Any, args: tuple[Any, ...]) -> list[str]:
        """The names that a list is to have besides."""
        if self.fop not in _READS or args[1] is not None or frame.pid < 0:
            return []
        return [name for name, found in self.declared.listed if _may(frame, found.who)]

    async def answer(self, frame: Any, args: tuple[Any, ...]) -> Any:
        """What answers a call that is ours."""
        if self.sets:
            await self.set_ours(frame, args, self.mixed(args))
            return self._reply()
        found = self.declared.of(args[1])
        assert found is not None
        if self.fop in _READS:
            return await self._read(frame, args[0], args[1], found)
        _writable(frame, found)
        await self._written(frame, args[0], args[1], found, None)
        return self._reply()

    def go_on(self, frame: Any, args: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
        """What the author's method answers, else the child, to arguments that may be others than they came."""
        result = None if self.beneath is None else self.beneath(frame, *given)
        return getattr(self.translator.child, self.fop)(*args) if result is None else result

    async def set_ours(self, frame: Any, args: tuple[Any, ...], ours: dict[str, VirtualXattr]) -> None:
        """All or, where one of them may not be, none. They are taken out of what is to be set."""
        for found in ours.values():
            _writable(frame, found)
        for name, found in ours.items():
            await self._written(frame, args[0], name, found, args[1].get_as(name, "bytes"))
            del args[1][name]

    async def set_and_go_on(self, frame: Any, args: tuple[Any, ...], given: tuple[Any, ...],
                            ours: dict[str, VirtualXattr]) -> Any:
        await self.set_ours(frame, args, ours)
        return await _result(self.go_on(frame, args, given))

    async def _read(self, frame: Any, subject: Loc | Fd, name: str, found: VirtualXattr) -> Any:
        if not _may(frame, found.who):
            return _core.fail(errno.ENODATA)
        value = await _result(found.reader(self.translator, frame, _loc(subject), name))
        if value is None:
            return _core.fail(errno.ENODATA)
        return self._reply(dict={name: _bytes(value, name)})

    async def _written(self, frame: Any, subject: Loc | Fd, name: str, found: VirtualXattr, value: bytes | None) -> None:
        assert found.writer is not None
        await _result(found.writer(self.translator, frame, _loc(subject), name, value))

    def _reply(self, **fields: Any) -> Any:
        return getattr(_core, f"{self.fop.capitalize()}Reply")(**fields)


async def _listed(answer: Any, shown: list[str]) -> Any:
    """A list of names, with some besides."""
    reply = await _result(answer)
    if not isinstance(reply, _core.Reply) or reply.op_ret < 0:
        return reply
    listed: Any = reply
    return listed.replace(dict=(listed.dict or {}) | dict.fromkeys(shown, b""))


async def _result(value: Any) -> Any:
    """What it comes to: a method may be a coroutine, and that may end in a wind."""
    while inspect.isawaitable(value):
        value = await value
    return value


def _may(frame: Any, who: Who) -> bool:
    return who == "anyone" or frame.uid == 0


def _writable(frame: Any, found: VirtualXattr) -> None:
    if found.writer is None:
        raise PermissionError(errno.EPERM, "it is answered by a translator, and cannot be set")
    if not _may(frame, found.writes):
        raise PermissionError(errno.EPERM, "it is for root to set")


def _loc(subject: Loc | Fd) -> Loc:
    """With its gfid, which other fops need and FUSE may leave out."""
    loc = Loc.from_inode(subject.inode) if isinstance(subject, Fd) else subject
    return loc.replace(gfid=loc.gfid) if loc.gfid else loc


def _bytes(value: Any, name: str) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"the value of {name} is {value!r}: expected bytes, str or None")
