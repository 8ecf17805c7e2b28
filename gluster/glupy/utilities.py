"""libglusterfs's own functions with their prototypes, and what makes them fit for Python.

``libglusterfs.NAME`` is the function of that name, and ``dl.NAME`` the same. Those listed here have argtypes and restype,
and refuse a pointer that GlusterFS would follow and that does not lead to what it says: NULL, a structure of the script's
own where one of GlusterFS's belongs, memory that is not there. Any other can be called as ctypes calls what it knows nothing
about. They run with the interpreter released, so they may lock, wait and call translators.

What stands below the list takes Python values, and is the same for every GlusterFS: contexts, paths, what a dict keeps.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from ctypes import (
    POINTER, byref, c_bool, c_char_p, c_double, c_int, c_int8, c_int16, c_int32, c_int64, c_size_t, c_ubyte, c_uint16,
    c_uint32, c_uint64, c_void_p, memmove, string_at,
)
from typing import Any
from uuid import UUID

from glupy import _core
from glupy.logs import loggers
from gluster.glupy import structures as s
from gluster.glupy._calls import dl
from gluster.glupy._memory import address_of
from gluster.glupy._pointers import Text

__all__ = [
    "fd_ctx_del", "fd_ctx_get", "fd_ctx_set", "gf_log", "gfid_of", "inode_ctx_del", "inode_ctx_get", "inode_ctx_set",
    "libglusterfs", "path_of", "payload", "text_of",
]

libglusterfs = dl

_eleven = _core.GLUSTER_SERIES >= 11

#: What the core knows (classic_known.c), and what is said where a pointer leads to something else.
_REFUSALS = {
    "loc_t": "this loc_t leads to what is no inode of GlusterFS's, or to where no text can be read",
    "own loc_t": "only a loc_t that loc_copy() has filled can be wiped, or an empty one: this is the caller's, or its path is "
                 "none that GlusterFS has allocated",
    "allocation": "GlusterFS has not allocated this memory",
    "text": "there no text can be read",
    **{name: f"this is no live {name} of GlusterFS's" for name in (
        "inode_t", "fd_t", "dict_t", "iobref_t", "iobuf_t", "iobuf_pool", "inode_table_t", "xlator_t")},
}


def _checked(value: Any, what: str, size: int) -> None:
    if not _core._classic_known(what, address_of(value), size):
        raise ValueError(_REFUSALS.get(what, f"there are no {size} bytes of memory that could be a {what}"))


@functools.cache
def _pointer(cls: type, *, what: str = "", size: int = 0, null: bool = False) -> type:
    """The type of a pointer parameter: it has to lead to what it says, and may be NULL only if that is said here."""
    base: Any = POINTER(cls)
    what, size = what or cls.__name__, size or ctypes.sizeof(cls)

    class Pointer(base):
        _type_ = cls

        @classmethod
        def from_param(_, value: Any) -> Any:
            converted = base.from_param(value)
            if value is None or address_of(converted) == 0:
                if not null:
                    raise TypeError(f"NULL where a {cls.__name__} belongs")
            else:
                _checked(converted, what, size)
            return converted

    Pointer.__name__ = Pointer.__qualname__ = f"LP_{cls.__name__}"
    return Pointer


class _Text(c_char_p):
    """The type of a string parameter that may be NULL."""

    @classmethod
    def from_param(cls, value: Any) -> Any:
        converted = c_char_p.from_param(value)
        if value is not None and not isinstance(value, bytes) and address_of(converted):
            _checked(converted, "text", 1)
        return converted


class _Name(_Text):
    """The type of a string parameter that may not be NULL."""

    @classmethod
    def from_param(cls, value: Any) -> Any:
        if value is None or not isinstance(value, bytes) and not address_of(c_char_p.from_param(value)):
            raise TypeError("None where a name belongs")
        return super().from_param(value)


class _Allocation(c_void_p):
    """The type of a parameter that is to be freed; it may be NULL."""

    @classmethod
    def from_param(cls, value: Any) -> Any:
        converted = c_void_p.from_param(value)
        if address_of(converted):
            _checked(converted, "allocation", 1)
        return converted


class _Pool(c_void_p):
    """The type of an iobuf_pool parameter: ctx->iobuf_pool, to which it is given, is a void *."""

    @classmethod
    def from_param(cls, value: Any) -> Any:
        converted = c_void_p.from_param(value)
        if not address_of(converted):
            raise TypeError("NULL where an iobuf_pool belongs")
        _checked(converted, "iobuf_pool", 1)
        return converted


_inode, _fd, _loc, _dict, _xl = map(_pointer, (s.inode_t, s.fd_t, s.loc_t, s.dict_t, s.xlator_t))
_iobuf, _iobref, _table, _u64 = map(_pointer, (s.iobuf_t, s.iobref_t, s.inode_table_t, c_uint64))
_gfid = c_ubyte * 16
_gfid_at, _gfid_or_null = _pointer(c_ubyte, size=16), _pointer(c_ubyte, size=16, null=True)
_u64_or_null = _pointer(c_uint64, null=True)
_pinode, _pfd, _pdict, _piobuf, _piobref = map(POINTER, (s.inode_t, s.fd_t, s.dict_t, s.iobuf_t, s.iobref_t))

#: By name: what it returns, then its parameters.
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    # inode.h
    "inode_ref": (_pinode, _inode),
    "inode_unref": (_pinode, _inode),
    "inode_new": (_pinode, _table),
    "inode_find": (_pinode, _table, _gfid_at),
    "inode_grep": (_pinode, _table, _inode, _Name),
    "inode_parent": (_pinode, _inode, _gfid_or_null, _Text),
    "inode_path": (c_int, _inode, _Text, _pointer(c_char_p)),
    "inode_ctx_set0": (c_int, _inode, _xl, _u64),
    "inode_ctx_set1": (c_int, _inode, _xl, _u64),
    "inode_ctx_set2": (c_int, _inode, _xl, _u64_or_null, _u64_or_null),
    "inode_ctx_get0": (c_int, _inode, _xl, _u64),
    "inode_ctx_get1": (c_int, _inode, _xl, _u64),
    "inode_ctx_get2": (c_int, _inode, _xl, _u64_or_null, _u64_or_null),
    "inode_ctx_del2": (c_int, _inode, _xl, _u64_or_null, _u64_or_null),
    "inode_ctx_reset2": (c_int, _inode, _xl, _u64_or_null, _u64_or_null),
    # fd.h
    "fd_ref": (_pfd, _fd),
    "fd_unref": (None, _fd),
    "fd_create": (_pfd, _inode, c_int),
    "fd_lookup": (_pfd, _inode, c_int),
    "fd_anonymous": (_pfd, _inode),
    "fd_ctx_set": (c_int, _fd, _xl, c_uint64),
    "fd_ctx_get": (c_uint64, _fd, _xl) if _eleven else (c_int, _fd, _xl, _u64),
    "fd_ctx_del": (c_uint64, _fd, _xl) if _eleven else (c_int, _fd, _xl, _u64),
    # xlator.h
    "loc_copy": (c_int, _pointer(s.loc_t, what="memory"), _loc),
    "loc_wipe": (None, _pointer(s.loc_t, what="own loc_t")),
    "loc_path": (c_int, _pointer(s.loc_t, what="own loc_t"), _Text),
    "loc_gfid": (None, _loc, _gfid_at),
    # dict.h
    "dict_new": (_pdict,),
    "dict_ref": (_pdict, _dict),
    "dict_unref": (None, _dict),
    "dict_copy": (_pdict, _dict, _pointer(s.dict_t, null=True)),
    "dict_get": (POINTER(s.data_t), _dict, _Name),
    "dict_get_bin": (c_int, _dict, _Name, _pointer(c_void_p)),
    "dict_get_ptr": (c_int, _dict, _Name, _pointer(c_void_p)),
    "dict_get_ptr_and_len": (c_int, _dict, _Name, _pointer(c_void_p), _pointer(c_int)),
    "dict_get_str": (c_int, _dict, _Name, _pointer(c_char_p)),
    "dict_get_gfuuid": (c_int, _dict, _Name, _pointer(_gfid)),
    "dict_get_iatt": (c_int, _dict, _Name, _pointer(s.iatt_t)),
    "dict_set_dynstr_with_alloc": (c_int, _dict, _Name, _Name),
    **{f"dict_get_{name}": (c_int, _dict, _Name, _pointer(kind)) for name, kind in (
        ("int8", c_int8), ("int16", c_int16), ("int32", c_int32), ("int64", c_int64), ("uint32", c_uint32),
        ("uint64", c_uint64), ("double", c_double))},
    **{f"dict_set_{name}": (c_int, _dict, _Name, kind) for name, kind in (
        ("int8", c_int8), ("int16", c_int16), ("int32", c_int32), ("int64", c_int64), ("uint32", c_uint32),
        ("uint64", c_uint64), ("double", c_double))},
    # gf-dirent.h
    "gf_dirent_for_name": (POINTER(s.gf_dirent_t), _Name),
    # common-utils.h, mem-pool.h
    "uuid_utoa": (c_char_p, _gfid_at),
    "__gf_malloc": (c_void_p, c_size_t, c_uint32, _Text),
    "__gf_free": (None, _Allocation),
    # iobuf.h
    "iobuf_get2": (_piobuf, _Pool, c_size_t),
    "iobuf_unref": (None, _iobuf),
    "iobuf_to_iovec": (None, _iobuf, _pointer(s.iovec_t)),
    "iobuf_size": (c_size_t, _iobuf),
    "iobref_new": (_piobref,),
    "iobref_ref": (_piobref, _iobref),
    "iobref_unref": (None, _iobref),
    "iobref_add": (c_int, _iobref, _iobuf),
    "iobref_size": (c_size_t, _iobref),
}
for _name, (_restype, *_argtypes) in PROTOTYPES.items():
    _function = getattr(dl, _name)
    _function.restype, _function.argtypes = _restype, _argtypes


def _of_one_graph(function: Any, name: str) -> Callable[..., Any]:
    """A function that finds an inode's context for a translator by where the two stand in their graph, without looking
    whether it is the same one."""

    def checked(inode: Any, this: Any, *values: Any) -> Any:
        try:
            addresses = address_of(inode), address_of(this)
        except ctypes.ArgumentError:
            addresses = 0, 0  # refused by its type below
        if not _core._classic_slot(*addresses):
            raise ValueError(f"{name}: inode and translator belong to different graphs")
        return function(inode, this, *values)

    checked.__name__ = checked.__qualname__ = name
    checked.__doc__ = f"{name} (inode.h)"
    return checked


vars(dl).update({name: _of_one_graph(getattr(dl, name), name) for name in PROTOTYPES if name.startswith("inode_ctx_")})


def inode_ctx_set(inode: Any, this: Any, value1: int, value2: int | None = None) -> None:
    """Keep one or two numbers (64 bits, not 0) with an inode for the translator `this`. MemoryError."""
    second = None if value2 is None else byref(c_uint64(value2))
    if dl.inode_ctx_set2(inode, this, byref(c_uint64(value1)), second) != 0:
        raise MemoryError("inode_ctx_set")


def inode_ctx_get(inode: Any, this: Any) -> tuple[int, int] | None:
    """Both numbers that the translator keeps with the inode, or None: it keeps none."""
    return _both(dl.inode_ctx_get2, inode, this)


def inode_ctx_del(inode: Any, this: Any) -> tuple[int, int] | None:
    """Forget both numbers; gives what they were, or None."""
    return _both(dl.inode_ctx_del2, inode, this)


def _both(function: Callable[..., int], inode: Any, this: Any) -> tuple[int, int] | None:
    value1, value2 = c_uint64(), c_uint64()
    found = function(inode, this, byref(value1), byref(value2)) == 0
    return (value1.value, value2.value) if found and (value1.value or value2.value) else None


def fd_ctx_set(fd: Any, this: Any, value: int) -> None:
    """Keep a number (64 bits, not 0) with a fd for the translator `this`. MemoryError."""
    if dl.fd_ctx_set(fd, this, value) != 0:
        raise MemoryError("fd_ctx_set")


def fd_ctx_get(fd: Any, this: Any) -> int | None:
    """The number that the translator keeps with the fd, or None."""
    return _one(dl.fd_ctx_get, fd, this)


def fd_ctx_del(fd: Any, this: Any) -> int | None:
    """Forget it; gives what it was, or None."""
    return _one(dl.fd_ctx_del, fd, this)


def _one(function: Callable[..., int], fd: Any, this: Any) -> int | None:
    if _eleven:
        return function(fd, this) or None
    value = c_uint64()
    return value.value if function(fd, this, byref(value)) == 0 else None


def gf_dirent_entry_free(entry: Any) -> None:
    """gf_dirent_entry_free (gf-dirent.h): an entry that a callback was given, being a copy, is only taken out of its list."""
    if entry and not _core._classic_free_dirent(address_of(entry)):
        raise ValueError("gf_dirent_entry_free: GlusterFS has not allocated this entry")


def gf_dirent_free(entries: Any) -> None:
    """gf_dirent_free (gf-dirent.h): the list is empty afterwards."""
    if entries and not _core._classic_free_dirents(address_of(entries)):
        raise ValueError("gf_dirent_free: this is no list: next and prev have to point to itself")


vars(dl).update(gf_dirent_entry_free=gf_dirent_entry_free, gf_dirent_free=gf_dirent_free)


def path_of(inode: Any, name: bytes | None = None) -> Text | None:
    """The path of an inode, or of `name` in that directory, as its inode table knows it; None: it knows none."""
    path = c_void_p()
    if dl.inode_path(inode, name, ctypes.cast(byref(path), POINTER(c_char_p))) < 0 or not path:
        return None
    text = Text(string_at(path.value))
    _free(path)
    return text


def _owned(data: Any) -> c_void_p:
    """A copy in GlusterFS's memory, for a dict that will free it."""
    data = bytes(data)
    memory = c_void_p(_malloc(max(len(data), 1), s.gf_common_mt_char))
    if not memory:
        raise MemoryError("no memory for a value in a dict")
    memmove(memory, data, len(data))
    return memory


_allocate, _free = getattr(dl, "__gf_malloc"), getattr(dl, "__gf_free")
#: By number: the names of GlusterFS's types of memory, for good: it keeps a pointer to the one that it is told first.
_MEMORY_TYPES = {number: name.encode() for name, number in vars(s).items()
                 if name.startswith("gf_common_mt_") and name != "gf_common_mt_end"}


def _malloc(size: int, kind: int, _: Any = None) -> int | None:
    """__gf_malloc (mem-pool.h); kind is a gf_common_mt_..., whose name is known."""
    if kind not in _MEMORY_TYPES:
        raise ValueError(f"__gf_malloc: {kind!r} is no type of memory: gf_common_mt_char and others are")
    found: int | None = _allocate(size, kind, _MEMORY_TYPES[kind])
    return found


vars(dl)["__gf_malloc"] = _malloc


def _setter(name: str, trailing: tuple[Any, ...], length: bool) -> Callable[[Any, bytes, Any], int]:
    """``dict_set_NAME(dict, key, value)`` for a value that the dict keeps a pointer to: a copy, since what Python passes
    would not outlive the call. GlusterFS 11 has some of them inline, on top of one that takes the key's length."""
    exported = f"dict_set_{name}"
    if not hasattr(dl, exported):
        exported = f"dict_setn_{name}"
    function = dl[exported]
    keyed = exported.startswith("dict_setn")
    function.restype = c_int
    function.argtypes = [_dict, _Name, *([c_int] if keyed else []), c_void_p, *([c_size_t] if length else [c_bool])]

    def set_value(dict: Any, key: bytes, value: Any, *_: Any) -> int:
        memory = _owned(value)
        size = (len(bytes(value)),) if length else trailing
        result: int = function(dict, key, *([len(key)] if keyed else []), memory, *size)
        if result != 0:
            _free(memory)
        return result

    set_value.__name__ = set_value.__qualname__ = f"dict_set_{name}"
    set_value.__doc__ = f"dict_set_{name} (dict.h): the dict gets a copy. 0, or a negative errno."
    return set_value


def dict_del(dict: Any, key: bytes) -> None:
    """dict_del (dict.h): nothing if the key is not there."""
    if _eleven:
        _deln(dict, key, len(key))
    else:
        _del(dict, key)


if _eleven:
    _deln = dl["dict_deln"]
    _deln.restype, _deln.argtypes = None, [_dict, _Name, c_int]
else:
    _del = dl["dict_del"]
    _del.restype, _del.argtypes = None, [_dict, _Name]

dict_set_bin = _setter("bin", (), True)
dict_set_gfuuid = _setter("gfuuid", (False,), False)
dict_set_iatt = _setter("iatt", (False,), False)
vars(dl).update(
    dict_set_bin=dict_set_bin, dict_set_gfuuid=dict_set_gfuuid, dict_set_iatt=dict_set_iatt, dict_del=dict_del,
    dict_set_str=dl.dict_set_dynstr_with_alloc,  # dict_set_str keeps the pointer that it is given
    dict_set_dynstr=dl.dict_set_dynstr_with_alloc,
)


def payload(this: Any, data: bytes) -> tuple[Any, int, Any]:
    """Memory of GlusterFS's with these bytes in it: vector, count and iobref, as writev is given and readv answers with.

    The iobref is the caller's: ``libglusterfs.iobref_unref(iobref)`` after the wind or unwind. MemoryError."""
    iobuf = dl.iobuf_get2(this.contents.ctx.contents.iobuf_pool, max(len(data), 1))
    iobref = dl.iobref_new()
    if not iobuf or not iobref or dl.iobref_add(iobref, iobuf) != 0:
        raise MemoryError("no memory for a payload")
    vector = s.iovec_t()
    dl.iobuf_to_iovec(iobuf, byref(vector))
    memmove(vector.iov_base, data, len(data))
    vector.iov_len = len(data)
    dl.iobuf_unref(iobuf)
    return ctypes.pointer(vector), 1, iobref


def gfid_of(text: str) -> Any:
    """A gfid, as structures have it, from its text."""
    return _gfid(*UUID(text).bytes)


def text_of(gfid: Any) -> str:
    """A gfid of a structure as text."""
    return str(UUID(bytes=bytes(gfid)))


def gf_log(name: str | bytes, level: int, text: str | bytes) -> None:
    """An entry in GlusterFS's log; level is GF_LOG_ERROR and so on. What a char * was is taken as text."""
    name, text = (str(Text(value)) if isinstance(value, bytes) else value for value in (name, text))
    loggers.say(_core, level, name, *loggers.place(sys._getframe(1)), text)
