"""Fail on purpose: let certain operations fail, or be late, now and then, to see what applications do.

    volume unreliable
        type user/skeleton
        option which writev,fsync
        option error ENOSPC
        option nth 100
        subvolumes brick
    end-volume
"""

from __future__ import annotations

import errno
import itertools
import os
from typing import Any

import glupy
from glupy import Call, Frame, LoadError, Option, Translator


class Skeleton(Translator):
    which = Option(str, default="open", help="the operations, by their names in GlusterFS, separated by commas")
    error = Option(str, default="EIO", help="the errno that applications get")
    nth = Option(int, default=1, min=1, help="which call is meant: 1 is each, 2 every second")
    delay = Option(float, default=0.0, min=0.0, help="seconds that it is late")
    fail = Option(bool, default=True, help="off: it is only late")

    def init(self) -> None:
        self.fops = self.which.replace(",", " ").split()
        if not hasattr(errno, self.error):
            raise LoadError(f"option error is {self.error}: expected the name of an errno, such as EIO")
        self.calls = itertools.count(1)  # fops run on many threads; a step of this is one

    def any_fop(self, frame: Frame, call: Call) -> Any:
        if next(self.calls) % self.nth:
            return None
        return self.fault(call)

    async def fault(self, call: Call) -> Any:
        await glupy.sleep(self.delay)
        if self.fail:
            number = getattr(errno, self.error)
            raise OSError(number, os.strerror(number))
        return call.wind()
