"""Passes every fop on and keeps all it is ever given: arguments, frames, winds, replies. getxattr user.look looks at
everything kept, user.drop lets go of it; the answer is how many calls there were."""

from __future__ import annotations

import threading
from typing import Any

import glupy
from glupy import GetxattrReply, Translator


def keeping(name: str) -> Any:
    async def method(self: Keeps, frame: Any, *args: Any) -> Any:
        if name == "getxattr" and args[1] in ("user.look", "user.drop"):
            return GetxattrReply({args[1]: b"%d" % self.look(drop=args[1] == "user.drop")})
        wind = getattr(self.child, name)(*args)
        entry: list[Any] = [name, frame, args, wind]
        with self.lock:
            self.kept.append(entry)
        try:
            entry.append(await wind)
        except OSError as error:
            entry.append(error)
            raise
        return entry[-1]

    return method


class Keeps(Translator):
    def init(self) -> None:
        self.lock = threading.Lock()
        self.kept: list[Any] = []

    def look(self, drop: bool) -> int:
        with self.lock:
            kept = list(self.kept)
            if drop:
                self.kept.clear()
        for name, frame, args, wind, *replies in kept:
            for value in (*args, *replies):
                self.into(value)
            repr(wind)
            try:
                repr(frame), frame.uid, frame.pid, frame.lk_owner
            except ReferenceError:
                pass
        return len(kept)

    def into(self, value: Any) -> None:
        """Use what a value has."""
        repr(value)
        match value:
            case glupy.Reply():
                for field in value.__match_args__:
                    self.into(getattr(value, field))
            case glupy.Buffer():
                bytes(value), [bytes(chunk) for chunk in value.chunks]
            case glupy.Xdata():
                dict(value)
            case glupy.Dirents():
                [(entry.d_name, entry.d_stat, entry.inode) for entry in value]
            case glupy.Loc():
                value.path, value.name, value.gfid, value.pargfid, value.inode, value.parent
            case glupy.Fd():
                value.flags, value.inode.gfid, value.inode.path()
            case glupy.Iatt():
                value.to_stat(), value.ia_gfid

    locals().update({name: keeping(name) for name in glupy.FOPS})
