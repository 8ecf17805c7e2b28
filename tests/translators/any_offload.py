"""The same on threads of glupy's own, where the handler may block."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import Any

import glupy
from glupy import Call, Frame, Option, Translator


class AnyOffload(Translator):
    how = Option(str, default="waits", choices=("waits", "tail", "nothing", "gathers", "runs", "again", "mixed"))

    def init(self) -> None:
        self.seen: Counter[str] = Counter()
        self.threads: set[int] = set()

    @glupy.offload
    def any_fop(self, frame: Frame, call: Call) -> Any:
        time.sleep(0)
        self.seen[call.name] += 1
        self.threads.add(threading.get_native_id())
        here = threading.get_ident()
        answer = getattr(self, f"_{self.how}")(frame, call)
        assert here == threading.get_ident() and frame.op == call.name
        return answer

    def _waits(self, frame: Frame, call: Call) -> Any:
        return glupy.wait(call.wind())

    def _tail(self, frame: Frame, call: Call) -> Any:
        return call.wind()

    def _nothing(self, frame: Frame, call: Call) -> None:
        pass

    def _gathers(self, frame: Frame, call: Call) -> Any:
        reply, _, _ = glupy.wait(glupy.gather(self._awaited(call), glupy.sleep(0), glupy.to_thread(time.sleep, 0)))
        return reply

    def _runs(self, frame: Frame, call: Call) -> Any:
        return glupy.wait(self._awaited(call))

    def _again(self, frame: Frame, call: Call) -> Any:
        """What was awaited once gives its result again; an error is raised at the wait."""
        try:
            glupy.wait(self.child.ipc(-7))
        except OSError:
            pass
        with frame.as_root():
            wind = call.wind()
        first = glupy.wait(wind)
        assert glupy.wait(wind) is first
        return first

    def _mixed(self, frame: Frame, call: Call) -> Any:
        ways = self._waits, self._tail, self._nothing, self._gathers, self._runs, self._again
        return random.choice(ways)(frame, call)

    async def _awaited(self, call: Call) -> Any:
        return await call.wind()
