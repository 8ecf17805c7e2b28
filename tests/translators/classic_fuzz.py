"""Passes every fop by the classic API, and one argument of it, or one value of its reply, is what a test has planted: a
structure of its own, filled in somehow; a pointer to somewhere else; what the script was given, written into.

A plan is (where, index, mutation): of the wind or the unwind, the parameter behind those that all have."""

from __future__ import annotations

import mmap
import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gluster.glupy import *
from gluster.glupy import _calls

#: A page that nobody may read, and one that has been given back.
_forbidden = mmap.mmap(-1, mmap.PAGESIZE)
_page = addressof(c_char.from_buffer(_forbidden))
CDLL(None).mprotect(c_void_p(_page), c_size_t(mmap.PAGESIZE), 0)
ADDRESSES = {"null page": 8, "forbidden": _page + 64, "kernel": (1 << 64) - 4096, "no address": 1 << 63}

#: Structures that scripts make, and those that GlusterFS alone makes.
VALUES = (loc_t, iatt_t, statvfs_t, gf_flock_t, gf_lease_t, gf_dirent_t, lock_migration_info_t, iovec_t, c_ubyte)
OBJECTS = (inode_t, fd_t, dict_t, iobref_t)

Mutation = Callable[[Any, tuple[Any, ...]], Any]


def size_of(cls: type) -> int:
    return sizeof(cls) + (64 if cls in (gf_dirent_t, c_ubyte) else 0)


def made(kind: type, data: bytes) -> Any:
    """A structure of the script's own with these bytes."""
    memory = create_string_buffer(data, len(data))
    found = cast(memory, kind)
    return found


def copied(kind: type, value: Any) -> Any:
    return made(kind, string_at(value, sizeof(kind._type_))) if value else made(kind, bytes(size_of(kind._type_)))


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


# Of any pointer.

def leads_to(address: int) -> Mutation:
    return lambda value, _: cast(address, type(value))


def empty(value: Any, _: Any) -> Any:
    return made(type(value), bytes(size_of(type(value)._type_) + 64))


def noisy(seed: int) -> Mutation:
    return lambda value, _: made(type(value), noise(seed, size_of(type(value)._type_)))


def a_copy(value: Any, _: Any) -> Any:
    return copied(type(value), value)


def misaligned(value: Any, _: Any) -> Any:
    return cast(cast(value, c_void_p).value + 8, type(value)) if value else empty(value, _)


def short(value: Any, _: Any) -> Any:
    """Of less memory than its type has: a script's cast."""
    return made(type(value), b"12345678")


def another(cls: type) -> Mutation:
    """The address of an object of another type that the call has."""
    def mutate(value: Any, args: tuple[Any, ...]) -> Any:
        for arg in args:
            if isinstance(arg, POINTER(cls)) and arg and not isinstance(value, POINTER(cls)):
                return cast(arg, type(value))
        return empty(value, args)

    return mutate


def damaged(seed: int) -> Mutation:
    """What was given, with a byte of noise in some places: structures of the caller's are given as copies."""
    def mutate(value: Any, _: Any) -> Any:
        if value:
            dice = random.Random(seed)
            memory = cast(value, POINTER(c_ubyte))
            for _ in range(dice.randint(1, 12)):
                memory[dice.randrange(sizeof(type(value)._type_))] = dice.randrange(256)
        return value

    return mutate


# Of some.

def with_field(name: str, field: Any, copy: bool) -> Mutation:
    """A field set, in a copy or in what was given."""
    def mutate(value: Any, args: tuple[Any, ...]) -> Any:
        target = copied(type(value), value) if copy or not value else value
        setattr(target.contents, name, field() if callable(field) else field)
        return target

    return mutate


def pointer_field(name: str, kind: type, copy: bool) -> Iterator[tuple[str, Mutation]]:
    how = "copy" if copy else "given"
    cls = kind._type_
    for what, field in {
        "empty": lambda: pointer(cls()), "noise": lambda: made(kind, noise(3, sizeof(cls))),
        **{where: (lambda address=address: cast(address, kind)) for where, address in ADDRESSES.items()},
    }.items():
        yield f"{how}.{name} {what}", with_field(name, field, copy)


def text_field(name: str, copy: bool) -> Iterator[tuple[str, Mutation]]:
    for where, address in ADDRESSES.items():
        yield f"{'copy' if copy else 'given'}.{name} {where}", with_field(name, lambda address=address: c_char_p(address), copy)


def vector_of(base: int | None, length: int) -> Mutation:
    return lambda value, _: pointer(iovec_t(base, length))


def own_dirent(**fields: Any) -> Mutation:
    """A list of one entry in the script's memory."""
    def mutate(value: Any, _: Any) -> Any:
        memory = create_string_buffer(sizeof(gf_dirent_t) + 8)
        head, entry = gf_dirent_t(), gf_dirent_t.from_buffer(memory)
        memmove(addressof(memory) + NAME_AT, b"own", 4)
        head.list.next = head.list.prev = pointer(entry.list)
        entry.list.next = entry.list.prev = pointer(head.list)
        for name, field in fields.items():
            setattr(entry, name, field())
        kept.extend((memory, head, entry))
        return pointer(head)

    return mutate


def relinked(link: Callable[[Any], Any], copy: bool) -> Mutation:
    """A list whose head, or the one that was given, leads elsewhere."""
    def mutate(value: Any, _: Any) -> Any:
        target = copied(type(value), value) if copy or not value else value
        target.contents.list.next = link(target)
        return target

    return mutate


#: Where an entry's name begins: behind all else.
NAME_AT = gf_dirent_t.inode.offset + sizeof(c_void_p)
kept: list[Any] = []
LINKS = {"nowhere": lambda _: None, "wild": lambda _: cast(64, POINTER(list_head)),
         "noise": lambda _: made(POINTER(list_head), noise(7, 400)), "zeroes": lambda _: made(POINTER(list_head), bytes(400))}


def endless(value: Any, _: Any) -> Any:
    memory = create_string_buffer(400)
    head, entry = type(value)._type_(), list_head.from_buffer(memory)
    entry.next = entry.prev = pointer(entry)
    head.list.next = pointer(entry)
    kept.extend((memory, head, entry))
    return pointer(head)


def of_kind(kind: Any) -> Iterator[tuple[str, Mutation]]:
    """All mutations of a parameter of this type, each with its name."""
    cls = getattr(kind, "_type_", None)
    if kind in (c_char_p, c_void_p):
        for where, address in ADDRESSES.items():
            yield where, lambda value, _, address=address: kind(address)
        yield "endless", lambda value, _: cast(create_string_buffer(b"x" * 40, 40), kind)
        return
    if not (isinstance(cls, type) and issubclass(kind, POINTER(cls))):
        return
    yield "empty", empty
    for where, address in ADDRESSES.items():
        yield where, leads_to(address)
    yield "misaligned", misaligned
    yield "short", short
    yield "a copy", a_copy
    for seed in range(4):
        yield f"noise {seed}", noisy(seed)
    for other in OBJECTS:
        if other is not cls:
            yield f"another {other.__name__}", another(other)
    if cls in VALUES and cls is not gf_dirent_t and cls is not lock_migration_info_t:
        for seed in range(8):
            yield f"damaged {seed}", damaged(seed)
    for copy in (True, False):
        if cls is loc_t:
            for name in ("inode", "parent"):
                yield from pointer_field(name, POINTER(inode_t), copy)
            for name in ("path", "name"):
                yield from text_field(name, copy)
        if cls is fd_t:
            yield from pointer_field("inode", POINTER(inode_t), copy)
        if cls is inode_t:
            yield from pointer_field("table", POINTER(inode_table_t), copy)
        if cls in (inode_t, fd_t):
            yield f"reference count, copy {copy}", with_field(
                "ref" if cls is inode_t else "refcount", 1 if cls is inode_t else lambda: atomic(fd_t, "refcount"), copy)
        if cls is lock_migration_info_t:
            yield from text_field("client_uid", copy)
        if cls is gf_flock_t:
            yield f"owner's length, copy {copy}", lambda value, _, copy=copy: long_owner(value, copy)
        if cls in (gf_dirent_t, lock_migration_info_t):
            for name, link in LINKS.items():
                yield f"linked to {name}, copy {copy}", relinked(link, copy)
    if cls in (gf_dirent_t, lock_migration_info_t):
        yield "endless", endless
    if cls is gf_dirent_t:
        yield "own entry", own_dirent()
        yield "own entry's inode empty", own_dirent(inode=lambda: pointer(inode_t()))
        yield "own entry's inode wild", own_dirent(inode=lambda: cast(4096, POINTER(inode_t)))
        yield "own entry's dict empty", own_dirent(dict=lambda: pointer(dict_t()))
    if cls is iovec_t:
        yield "NULL base", vector_of(None, 100)
        yield "huge", vector_of(_page, (1 << 63) - 1)
        for where, address in ADDRESSES.items():
            yield f"base {where}", vector_of(address, 100)
    if cls is iobref_t:
        yield "forged", forged_iobref


def long_owner(value: Any, copy: bool) -> Any:
    target = copied(type(value), value) if copy or not value else value
    target.contents.l_owner.len = 1 << 30
    return target


def atomic(cls: type, name: str) -> Any:
    """A counter at 1."""
    kind = type(getattr(cls(), name))
    return kind.from_buffer_copy((1).to_bytes(sizeof(kind), "little"))


def forged_iobref(value: Any, _: Any) -> Any:
    mine = iobref_t(allocated=16, used=1)
    mine.ref = atomic(iobref_t, "ref")
    mine.iobrefs = cast((c_void_p * 16)(64), type(mine.iobrefs))
    kept.append(mine)
    return pointer(mine)


def counts(kind: Any) -> Iterator[tuple[str, Mutation]]:
    for count in (-1, 2, 5, 1 << 10, (1 << 31) - 1):
        yield f"count {count}", lambda value, _, count=count: count


def plans(name: str, where: str) -> Iterator[tuple[int, str, Mutation]]:
    """All that can be planted into a fop."""
    signature = getattr(dl, f"{where}_{name}").argtypes[2 if where == "wind" else 5:]
    for index, kind in enumerate(signature):
        after_vector = index and getattr(signature[index - 1], "_type_", None) is iovec_t
        for mutation in counts(kind) if after_vector else of_kind(kind):
            yield index, *mutation


def fop(name: str) -> Any:
    def method(self: Any, frame: Any, this: Any, *args: Any) -> int:
        with self.noted():
            getattr(dl, f"wind_{name}")(frame, POINTER(xlator_t)(), *self.changed("wind", name, args))
        return 0

    return method


def callback(name: str) -> Any:
    def method(self: Any, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, *values: Any) -> int:
        with self.noted():
            getattr(dl, f"unwind_{name}")(frame, cookie, this, op_ret, op_errno, *self.changed("unwind", name, values))
        return 0

    return method


class xlator(Translator):
    """plan  (where, fop, index, mutation), or None: everything passes
    refusal  what came of the last one, as the log has it; None: it was let through"""

    plan: tuple[str, str, int, Mutation] | None = None
    refusal: str | None = None

    @contextmanager
    def noted(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.refusal = traceback.format_exception_only(error)[-1].strip()
            raise

    def changed(self, where: str, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        plan = self.plan
        if plan is None or plan[:2] != (where, name):
            return args
        index, mutation = plan[2:]
        self.plan = None
        kind = getattr(dl, f"{where}_{name}").argtypes[(2 if where == "wind" else 5) + index]
        value = args[index] if args[index] is not None or not hasattr(kind, "contents") else kind()
        return *args[:index], mutation(value, args), *args[index + 1:]

    for _name in _calls.OPERATIONS:
        locals()[f"{_name}_fop"] = fop(_name)
        locals()[f"{_name}_cbk"] = callback(_name)
