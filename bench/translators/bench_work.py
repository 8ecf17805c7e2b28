"""Works for each stat, some tens of microseconds, as a policy or a filter would: what several interpreters are for."""

from __future__ import annotations

from glupy import Frame, Loc, Translator, Xdata


class Work(Translator):
    def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> None:
        total = 0
        for number in range(500):
            total += number * number % 7
