"""Option profile: for some seconds it is looked every few milliseconds at what a layer's Python does, and the log says what.

Looking takes the interpreter for some microseconds and sees the code that has it or waits for it: GlusterFS's own time and
what an operation waits for are not in it, nor what @offload, to_thread() and other threads do.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from glupy.logs import loggers

if TYPE_CHECKING:
    from glupy._core import Instance
    from glupy.api.translator import Translator

#: Seconds between two looks, and lines of the table.
PAUSE, SHOWN = 0.005, 25

_INFO = 7


def follow(translator: Translator) -> None:
    """What the option asks for now: begin, or stop early; who has begun with this number goes on."""
    wanted = translator.common.profile
    running: Profile | None = vars(translator).get("_glupy_profile")
    if wanted == (running.seconds if running else 0.0):
        return
    if running:
        running.over.set()
    vars(translator)["_glupy_profile"] = Profile(translator, wanted) if wanted else None


def hand_over(replaced: Translator, successor: Translator) -> None:
    """One that is under way, or was with the same number, is also that of the version that takes over."""
    vars(successor)["_glupy_profile"] = vars(replaced).get("_glupy_profile")


class Profile:
    """One that is being made, on a thread of its own."""

    def __init__(self, translator: Translator, seconds: float) -> None:
        self.seconds = seconds
        self.over = threading.Event()
        self._instance: Instance = translator._instance
        self._name = translator.name
        if translator.common.interpreters > 1:
            self._name += f" in interpreter {translator.interpreter}"
        self._looks = self._running = 0
        self._inside: Counter[CodeType] = Counter()
        self._whole: Counter[CodeType] = Counter()
        threading.Thread(target=self._look, name="glupy-profile", daemon=True).start()

    def _look(self) -> None:
        until = time.monotonic() + self.seconds
        while not self._instance.going:
            frames = self._instance.frames()
            self._looks += 1
            self._running += len(frames)
            for frame in frames:
                self._inside[frame.f_code] += 1
                self._whole.update(set(_codes(frame)))
            del frames  # a frame keeps all that its function has at hand
            if time.monotonic() >= until or self.over.wait(PAUSE):
                loggers.say(self._instance, _INFO, self._name, "glupy", 0, "profile", self._said())
                return

    def _said(self) -> str:
        """The table: of all looks at running code, how many found this function running, and how many it or what it called."""
        lines = [f"{self._name}: in {self._looks} looks at its Python, one every {PAUSE * 1000:g} ms and later where the machine "
                 f"is busy, {self._running} threads were found running it"]
        if self._running:
            lines.append("  itself   whole  function")
        for code, whole in self._whole.most_common(SHOWN):
            share, with_called = (100 * count / self._running for count in (self._inside[code], whole))
            lines.append(f"{share:7.1f}% {with_called:6.1f}%  {code.co_name}  {code.co_filename}:{code.co_firstlineno}")
        return "\n".join(lines)


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back
