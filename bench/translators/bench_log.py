"""Writes a line to GlusterFS's log for each stat, and lets it go on."""

from __future__ import annotations

from glupy import Frame, Loc, Translator, Xdata


class Log(Translator):
    def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> None:
        self.log.info("%d: stat uid=%d %r", frame.unique, frame.uid, loc.path)
