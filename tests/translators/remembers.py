"""Answers every fop with what the test says at the moment, keeps contexts, and notes what its hooks are called with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import glupy
from glupy import Fd, Inode, Translator


def forward(self: Remembers, name: str, frame: Any, *args: Any) -> None:
    """Until the test says something: pass everything on."""


def scripted(name: str) -> Any:
    def method(self: Remembers, frame: Any, *args: Any) -> Any:
        return self.answer(self, name, frame, *args)

    method.__name__ = name
    return method


class Remembers(Translator):
    inode_ctx = dict
    fd_ctx = list

    def init(self) -> None:
        self.answer: Callable[..., Any] = forward
        self.ended: list[tuple[Any, ...]] = []
        self.hook: Callable[..., Any] | None = None

    locals().update({name: scripted(name) for name in glupy.FOPS})

    def forget(self, inode: Inode) -> Any:
        self.ended.append(("forget", inode.gfid, inode.ia_type, inode.ctx))
        return self.hook and self.hook(self, inode)

    def release(self, fd: Fd) -> Any:
        self.ended.append(("release", fd.inode.gfid, fd.flags, fd.pid, fd.anonymous, fd.ctx))
        return self.hook and self.hook(self, fd)

    def releasedir(self, fd: Fd) -> None:
        self.ended.append(("releasedir", fd.inode.gfid, fd.flags, fd.pid, fd.anonymous, fd.ctx))
