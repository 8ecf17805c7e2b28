"""Keeps with each inode the names by which it was found, and with each open file what was read; the log says when they
end. getxattr user.ctx gives the names, user.open how often the file is open."""

from __future__ import annotations

from typing import Any

from glupy import Fd, GetxattrReply, Inode, Translator


def naming(name: str) -> Any:
    async def method(self: Contexts, frame: Any, *args: Any) -> Any:
        loc = next(arg for arg in args if hasattr(arg, "inode") and hasattr(arg, "name"))
        reply = await getattr(self.child, name)(*args)
        reply.inode.ctx.names.add(loc.name)
        if name == "create":
            self.opened(reply.inode, args[4])
        return reply

    return method


class Names:
    def __init__(self) -> None:
        self.names: set[str] = set()
        self.open = 0


class Contexts(Translator):
    inode_ctx = Names

    locals().update({name: naming(name) for name in ("lookup", "create", "mknod", "mkdir", "symlink")})

    def opened(self, inode: Inode, fd: Fd) -> None:
        inode.ctx.open += 1
        fd.ctx = "opened"

    async def open(self, frame: Any, loc: Any, flags: int, fd: Fd, xdata: Any) -> Any:
        reply = await self.child.open(loc, flags, fd, xdata)
        self.opened(loc.inode, fd)
        return reply

    def opendir(self, frame: Any, loc: Any, fd: Fd, xdata: Any) -> None:
        fd.ctx = "directory"

    def getxattr(self, frame: Any, loc: Any, name: str, xdata: Any) -> Any:
        if name == "user.ctx":
            return GetxattrReply({name: ",".join(sorted(loc.inode.ctx.names)).encode()})
        if name == "user.open":
            return GetxattrReply({name: b"%d" % loc.inode.ctx.open})
        return self.child.getxattr(loc, name, xdata)

    def forget(self, inode: Inode) -> None:
        self.log.info("forgot %s %s", inode.gfid, ",".join(sorted(inode.ctx.names)))

    def release(self, fd: Fd) -> None:
        fd.inode.ctx.open -= 1
        self.log.info("released %s %s", ",".join(sorted(fd.inode.ctx.names)), fd.ctx)

    def releasedir(self, fd: Fd) -> None:
        self.log.info("released %s %s", fd.inode.gfid, fd.ctx)

    def client_disconnect(self, client: str) -> None:
        self.log.info("disconnected %s", client)

    async def client_destroy(self, client: str) -> None:
        self.log.info("destroyed %s", client)
