"""What rules are about: an operation, who asks for it, and the names that it has."""

from __future__ import annotations

import os
from dataclasses import dataclass

import glupy
from glupy import Call, Frame, Loc

#: The fops that rules can be about.
JUDGED = glupy.READING | glupy.OPENING | glupy.CHANGING


@dataclass(frozen=True)
class Asked:
    """An operation, as far as rules are about it."""

    fops: frozenset[str]
    actor: str
    uid: int
    gids: frozenset[int]
    pid: int
    client: str | None
    names: frozenset[str]
    paths: frozenset[str]

    @classmethod
    def of(cls, frame: Frame, call: Call) -> Asked:
        truncates = call.name == "open" and call["flags"] & os.O_TRUNC
        locs = [value for value in call.args if isinstance(value, Loc)]
        found = {call.path, *(loc.path for loc in locs)}
        if call.inode is not None:
            found.add(call.inode.path())
        paths = frozenset(path for path in found if path)
        names = {path.rpartition("/")[2] for path in paths} | {loc.name for loc in locs if loc.name}
        return cls(
            frozenset((call.name, "truncate") if truncates else (call.name,)), frame.actor, frame.uid,
            frozenset((frame.gid, *frame.groups)), frame.pid, frame.client,
            frozenset(name for name in names if name and not name.startswith("<gfid:")), paths)

    def __str__(self) -> str:
        paths = ", ".join(sorted(self.paths)) or "what has no path"
        return (f"{' and '.join(sorted(self.fops))} of {paths} by uid {self.uid}, "
                f"pid {self.pid}, client {self.client}")
