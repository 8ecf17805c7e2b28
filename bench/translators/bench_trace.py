"""Logs fops and their replies as debug/trace does: those that the mounts of the bench are asked for."""

from __future__ import annotations

from typing import Any

from glupy import Translator

FOPS = (
    "lookup", "stat", "fstat", "open", "create", "readv", "writev", "flush", "unlink", "mkdir", "rmdir", "opendir",
    "readdirp", "getxattr", "statfs",
)


def traced(name: str) -> Any:
    """A method that logs a fop on its way down and up."""

    async def method(self: Trace, frame: Any, *args: Any) -> Any:
        self.log.info("%d: %s uid=%d %r", frame.unique, name, frame.uid, args)
        try:
            reply = await getattr(self.child, name)(*args)
        except OSError as error:
            self.log.info("%d: %s %r", frame.unique, name, error)
            raise
        self.log.info("%d: %s %r", frame.unique, name, reply)
        return reply

    method.__name__ = name
    return method


class Trace(Translator):
    locals().update({name: traced(name) for name in FOPS})
