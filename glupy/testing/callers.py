"""Who asks: identities that neither libgfapi nor a coroutine of a test's can have by itself, such as a brick's clients.

A layer in C above the translator (src/ground/caller.h) makes a frame that of somebody, by a number in place of its pid.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

#: What the layer is asked for (src/ground/caller.h).
_CALLER, _DISCONNECT = 0x676c7571, 0x676c7572


class Identity(NamedTuple):
    """What a frame says of who asks. client is what it is on a brick; None: no client."""

    pid: int
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    lk_owner: bytes | None = None
    client: str | None = None

    @classmethod
    def of(cls, *, pid: int = 0, uid: int = 0, gid: int | None = None, groups: Iterable[int] = (),
           lk_owner: bytes | None = None, client: str | None = None) -> Identity:
        """By keywords; the group is by default as the user."""
        return cls(pid, uid, uid if gid is None else gid, tuple(groups), lk_owner, client)


class Callers:
    """The identities of one graph, each with its number."""

    def __init__(self, ask: Callable[[int, dict[str, Any]], int]) -> None:
        self._ask = ask
        self._numbers: dict[Identity, int] = {}

    def number(self, identity: Identity) -> int:
        """The pid under which a request is this one's."""
        if identity not in self._numbers:
            self._numbers[identity] = self._ask(_CALLER, _described(identity))
        return self._numbers[identity]

    def disconnect(self, client: str | None = None) -> int:
        """A client goes, or all do: how many have."""
        self._numbers = {identity: number for identity, number in self._numbers.items()
                         if identity.client is None or client not in (None, identity.client)}
        return self._ask(_DISCONNECT, {"client": client} if client is not None else {"all": 1})


def _described(identity: Identity) -> dict[str, Any]:
    if identity.lk_owner is not None and len(identity.lk_owner) > 1024:
        raise OSError(errno.EINVAL, "lk_owner: more than 1024 bytes")
    said: dict[str, Any] = {"pid": identity.pid, "uid": identity.uid, "gid": identity.gid}
    if identity.groups:
        said["groups"] = struct.pack(f"={len(identity.groups)}I", *identity.groups)
    if identity.lk_owner:
        said["lk-owner"] = identity.lk_owner
    if identity.client is not None:
        said["client"] = identity.client
    return said
