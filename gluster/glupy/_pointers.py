"""The types of pointers that classic translators are given, and the text of a ``char *``."""

from __future__ import annotations

import ctypes
import sys


class Text(bytes):
    """What a ``char *`` points to: bytes, as ctypes has it, but printed and formatted as text.

    Scripts written for Python 2 put such values into messages; "%s" of plain bytes would read b'...'.
    """

    def __str__(self) -> str:
        return self.decode("utf-8", "surrogateescape")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __getitem__(self, index):  # type: ignore[no-untyped-def,override]
        got = super().__getitem__(index)
        return got if isinstance(got, int) else Text(got)


def _format(self: object, spec: str) -> str:
    return format(repr(self), spec)


def pointer_type(cls: type) -> type:
    """Make POINTER(cls), before anybody else does.

    Without a dictionary for attributes in its instances: glupy uses them again, and nothing of one request may reach the
    next. With a format, so that ``"{0:s}".format(fd)`` works as it did in Python 2.
    """
    made = type(ctypes._Pointer)(f"LP_{cls.__name__}", (ctypes._Pointer,),
                                 {"_type_": cls, "__slots__": (), "__format__": _format})
    if sys.version_info < (3, 14):  # from then on the first one that is made is that of the class
        ctypes._pointer_type_cache[cls] = made
    return made


def text_property(cls: type, name: str) -> None:
    """Have the field `name`, a ``char *``, read as Text; None stays None."""
    descriptor = vars(cls)[name]

    def read(self: object) -> Text | None:
        value = descriptor.__get__(self, cls)
        return None if value is None else Text(value)

    setattr(cls, name, property(read, descriptor.__set__, doc="char *"))


def trailing_text(cls: type, name: str) -> None:
    """Have the field `name`, the ``char []`` at a structure's end, read as Text."""
    offset = vars(cls)[name].offset

    def read(self: object) -> Text:
        return Text(ctypes.string_at(ctypes.addressof(self) + offset))

    setattr(cls, name, property(read, doc="char []"))


def alias(cls: type, name: str, field: str) -> None:
    """Have the field also by another name, the first glupy's."""
    descriptor = vars(cls)[field]
    setattr(cls, name, property(descriptor.__get__, descriptor.__set__, doc=field))
