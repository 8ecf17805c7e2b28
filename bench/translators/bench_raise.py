"""Answers each lookup with an error, by an exception."""

from __future__ import annotations

from glupy import Frame, Loc, Translator, Xdata


class Raise(Translator):
    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> None:
        raise FileNotFoundError
