"""Keeps copies of the xdata that files are created with; getxattr user.kept says what they are once the fop is over."""

from __future__ import annotations

import json
from typing import Any

import glupy
from glupy import GetxattrReply, Translator, Xdata


class Copies(Translator):
    def init(self) -> None:
        self.kept: list[Any] = []
        self.text: list[str] = []

    def create(self, frame: Any, loc: Any, flags: int, mode: int, umask: int, fd: Any, xdata: Any) -> None:
        self.kept += [xdata.copy(), Xdata(xdata), xdata | {}, Xdata() | xdata]
        self.text += [str(xdata["gfid-req"])] * 4

    async def getxattr(self, frame: Any, loc: Any, name: str, xdata: Any) -> glupy.GetxattrReply:
        if name != "user.kept":
            return await self.child.getxattr(loc, name, xdata)
        now = [str(one["gfid-req"]) for one in self.kept]
        return GetxattrReply(dict={name: json.dumps([self.text, now]).encode()})
