"""Takes part in each fop that the bench sends with one handler, which awaits one wind."""

from __future__ import annotations

from glupy import Call, Frame, Reply, Translator


class Any(Translator, fops=("lookup", "stat", "open", "create", "readv", "writev", "readdirp", "getxattr")):
    async def any_fop(self, frame: Frame, call: Call) -> Reply:
        return await call.wind()
