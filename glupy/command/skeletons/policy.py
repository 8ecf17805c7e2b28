"""Refuse names with certain endings.

    volume guarded
        type user/skeleton
        option endings ".exe .bat"
        subvolumes brick
    end-volume

A name comes about in many ways, and each is a method here. All of them return None: the operation goes on unchanged.
"""

from __future__ import annotations

from typing import Any

from glupy import Buffer, Fd, Frame, Loc, Option, Translator, Xdata


class Skeleton(Translator):
    endings = Option(str, default=".exe .bat", help="what no name may end in, separated by blanks")

    def refuse(self, loc: Loc) -> None:
        """Raise what the application is to get, if the name is not to be."""
        if (loc.name or "").lower().endswith(tuple(self.endings.lower().split())):
            raise PermissionError

    def create(self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata) -> Any:
        self.refuse(loc)

    def mkdir(self, frame: Frame, loc: Loc, mode: int, umask: int, xdata: Xdata) -> Any:
        self.refuse(loc)

    def mknod(self, frame: Frame, loc: Loc, mode: int, rdev: int, umask: int, xdata: Xdata) -> Any:
        self.refuse(loc)

    def symlink(self, frame: Frame, linkname: str, loc: Loc, umask: int, xdata: Xdata) -> Any:
        self.refuse(loc)

    def link(self, frame: Frame, oldloc: Loc, newloc: Loc, xdata: Xdata) -> Any:
        self.refuse(newloc)

    def rename(self, frame: Frame, oldloc: Loc, newloc: Loc, xdata: Xdata) -> Any:
        self.refuse(newloc)

    def put(
        self, frame: Frame, loc: Loc, mode: int, umask: int, flags: int, vector: Buffer, offset: int, xattr: Xdata,
        xdata: Xdata,
    ) -> Any:
        self.refuse(loc)
