"""What a file's extended attributes say of it, and whose they are."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from glupy import Gfid, IaType

UNTIL, HOLD = "user.retain.until", "user.retain.hold"
OWN = frozenset((UNTIL, HOLD))
LINKTO, SHARD = "trusted.glusterfs.dht.linkto", "trusted.glusterfs.shard.block-size"
ASKED = dict.fromkeys((UNTIL, HOLD, LINKTO, SHARD), 0)

#: What GlusterFS itself keeps with files, of committed ones too. A link to another brick is none of these: see State.of().
INTERNAL_NAMES = ("trusted.glusterfs.", "trusted.bit-rot.")


@dataclass(frozen=True)
class State:
    """What a file's attributes say of it."""

    gfid: Gfid
    until: int | None = None  # None: not committed
    hold: bool = False
    commits_at: float = float("inf")  # when it is to be committed, if nobody changes it before
    can_be_kept: bool = False

    @property
    def fixed(self) -> bool:
        """May nothing about it change?"""
        return self.hold or self.until is not None

    @property
    def stays(self) -> bool:
        """May it not even go?"""
        return self.hold or self.until is not None and time.time() < self.until

    @classmethod
    def of(cls, reply: Any, after: float) -> State:
        """From a lookup's reply. What DHT leaves where it would look for a file that lies elsewhere is no file."""
        buf, found = reply.buf, reply.xdata
        if buf.ia_type != IaType.IFREG or LINKTO in found and not buf.ia_size:
            return cls(buf.ia_gfid)
        until = found.get_as(UNTIL, "bytes", None)
        number = int(until) if until and until.rstrip(b"\0").isdigit() else None
        sharded = SHARD in found
        commits_at = buf.ia_ctime + buf.ia_ctime_nsec / 1e9 + after if after and not sharded else float("inf")
        return cls(buf.ia_gfid, number, HOLD in found, commits_at if number is None else float("inf"), not sharded)


def foreign(names: Iterable[str]) -> set[str]:
    """Those of extended attributes' names that are neither ours nor GlusterFS's own."""
    return {name for name in names
            if name == LINKTO or name not in OWN and not name.startswith(INTERNAL_NAMES)}
