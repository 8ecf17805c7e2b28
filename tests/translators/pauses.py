"""Stops at a breakpoint, or lingers, when an extended attribute is asked for."""

from __future__ import annotations

import time

import glupy
from glupy import Frame, GetxattrReply, Loc, Translator, Xdata


class Pauses(Translator):
    def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> GetxattrReply | None:
        answer = "as it came"
        if name == "user.pause":
            glupy.breakpoint(60)
        elif name == "user.linger":
            linger()
        else:
            return None
        return GetxattrReply({name: answer.encode()})


def linger() -> None:
    """Keep the thread, and take no processor."""
    time.sleep(0.2)
