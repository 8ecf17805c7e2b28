"""@xattr: extended attributes that a translator answers itself."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar, overload

from glupy import _core

F = TypeVar("F", bound=Callable[..., Any])
Who = Literal["root", "anyone"]

_MAGIC = frozenset("*?[")


class VirtualXattr:
    """What @xattr makes of a method: the names, who may read and write them, and which of them are listed."""

    def __init__(self, reader: Callable[..., Any], names: tuple[str, ...], who: Who, listed: tuple[str, ...]) -> None:
        self.names, self.who, self.listed = names, who, listed
        self.reader = self.__wrapped__ = reader
        self.writer: Callable[..., Any] | None = None
        self.writes: Who = who

    def __set_name__(self, owner: type, name: str) -> None:
        if name in _core.FOPS:
            raise TypeError(f"@xattr on {owner.__name__}.{name}: {name} is the name of a file operation; give the method "
                            "another")

    def __get__(self, translator: object, owner: type | None = None) -> Any:
        return self if translator is None else functools.partial(self.reader, translator)

    @overload
    def setter(self, method: F, /) -> F: ...

    @overload
    def setter(self, /, *, who: Who) -> Callable[[F], F]: ...

    def setter(self, method: Callable[..., Any] | None = None, /, *, who: Who | None = None) -> Any:
        """Decorate the method that is called when one of the names is set or removed:
        ``def set_it(self, frame, loc, name, value)``, where value is bytes, or None for a removal. It may be a coroutine; what
        it raises is the answer.

        who  as in xattr(); None: who may read may write
        """
        if who is not None:
            self.writes = _checked_who(who)
        if method is None:
            return self.setter
        self.writer = method
        return method


def xattr(*names: str, who: Who = "root",
          listed: bool | Iterable[str] = False) -> Callable[[Callable[..., Any]], VirtualXattr]:
    """Decorate the method that gives the value of extended attributes which the layer answers itself, on all files:
    ``def it(self, frame, loc, name)``. It returns bytes, or str (UTF-8), or None where the file has no such attribute
    (ENODATA), or raises OSError. It may be a coroutine. It is asked by getxattr and fgetxattr, which then go no further; loc is
    that of the file, made of the fd's inode where there is no other.

    names   names of attributes, or patterns as fnmatch.fnmatchcase() knows them ("user.quota.*"). An exact name goes before
            patterns, and of these the first that fits
    who     "root": for others there is no such attribute (ENODATA). "anyone": whoever can reach the file; permission bits are
            not looked at
    listed  whether the names are among those that listxattr() gives: True, if there is no pattern among them, or the names
            that are. Who may not read them does not see them, nor does GlusterFS itself (a pid below 0: self-heal, rebalance),
            which would copy them

    Without a setter the names cannot be set or removed (EPERM). Raises ValueError, TypeError.
    """
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"xattr{names!r}: expected names of extended attributes, or patterns such as 'user.quota.*'")
    shown = _listed(names, listed)
    checked = _checked_who(who)
    return lambda reader: VirtualXattr(reader, names, checked, shown)


def _listed(names: tuple[str, ...], listed: bool | Iterable[str]) -> tuple[str, ...]:
    if listed is False:
        return ()
    shown = names if listed is True else tuple(listed)
    for name in shown:
        if listed is True and _MAGIC & {*name}:
            raise ValueError(f"listed=True with the pattern {name!r}: give the names that are to be listed instead")
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
            raise ValueError(f"listed={name!r}: is none of {', '.join(names)}")
    return shown


def _checked_who(who: Who) -> Who:
    if who not in ("root", "anyone"):
        raise ValueError(f"who={who!r}: expected 'root' or 'anyone'")
    return who


class VirtualXattrs:
    """All that a class declares, by name."""

    def __init__(self, cls: type) -> None:
        found: dict[str, VirtualXattr] = {}
        for owner in cls.__mro__:
            for name, value in vars(owner).items():
                if name not in found and isinstance(getattr(cls, name, None), VirtualXattr) and value is getattr(cls, name):
                    found[name] = value
        self.by_method = found
        self._exact: dict[str, VirtualXattr] = {}
        self._patterns: list[tuple[str, VirtualXattr]] = []
        for each in found.values():
            for name in each.names:
                if _MAGIC & {*name}:
                    self._patterns.append((name, each))
                else:
                    self._exact.setdefault(name, each)
        self.listed = tuple((name, each) for each in found.values() for name in each.listed)

    def __bool__(self) -> bool:
        return bool(self.by_method)

    def of(self, name: str) -> VirtualXattr | None:
        """Whose an attribute is."""
        found = self._exact.get(name)
        if found is None:
            for pattern, each in self._patterns:
                if fnmatch.fnmatchcase(name, pattern):
                    return each
        return found
