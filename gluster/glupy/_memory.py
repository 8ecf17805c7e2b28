"""Whose memory a ctypes object stands for, and how much of it there is."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from _ctypes import CFuncPtr, _SimpleCData

#: Kinds of ctypes objects that are memory, and not only point to some.
_MEMORY = (ctypes.Structure, ctypes.Union, ctypes.Array, _SimpleCData)


def address_of(value: Any) -> int:
    """What a pointer, byref() or array that is passed as a pointer points to; 0 for NULL."""
    return ctypes.cast(value, ctypes.c_void_p).value or 0


def _kept(value: Any) -> Iterator[Any]:
    """The Python objects that a ctypes object keeps alive because it points into them, and itself."""
    pending, seen = [value], set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        yield value
        if isinstance(value, (list, tuple)):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
        else:
            pending += [getattr(value, name, None) for name in ("_obj", "_objects", "_b_base_")]


def _extent(value: Any) -> tuple[int, int] | None:
    """Where the memory that an object owns begins and ends; None: it owns none."""
    if isinstance(value, bytes):
        start = id(value) + bytes.__basicsize__ - 1
        return start, start + len(value) + 1
    if isinstance(value, _MEMORY) and not isinstance(value, CFuncPtr) and value._b_needsfree_:
        return ctypes.addressof(value), ctypes.addressof(value) + ctypes.sizeof(value)
    return None


def room_at(address: int, value: Any) -> int | None:
    """How many bytes there are from an address on, in memory that `value` keeps alive; None: nobody knows."""
    for kept in _kept(value):
        extent = _extent(kept)
        if extent and extent[0] <= address < extent[1]:
            return extent[1] - address
    return None


def is_scripts(value: ctypes.Structure | ctypes.Union) -> bool:
    """Is a structure in memory that Python has allocated for it, or for what it is a part of?"""
    return room_at(ctypes.addressof(value), value) is not None


def measure(what: str, vector: Any, count: int) -> None:
    """Refuse a vector that the script made when it has fewer elements than that, or an element's memory fewer bytes than
    it says. ValueError. What is not known is let through: it is read with care."""
    try:
        address = address_of(vector)
    except (ctypes.ArgumentError, TypeError):
        return  # no pointer: refused by its type
    room = room_at(address, vector)
    if room is None:
        return
    # At the script's own address, so that iovecs can be read.
    elements = ctypes.cast(address, ctypes.POINTER(ctypes.c_size_t))
    if count * 16 > room:
        raise ValueError(f"{what}: count is {count}, but vector has {room // 16}")
    for number in range(count):
        base, length = elements[2 * number], elements[2 * number + 1]
        room = room_at(base, vector) if base else None
        if room is not None and length > room:
            raise ValueError(f"{what}: vector[{number}] says that there are {length} bytes: it has {room}")
