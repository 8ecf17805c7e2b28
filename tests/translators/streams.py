"""Uses sys.stdout and sys.stderr as other code does: getxattr user.HOW."""

from __future__ import annotations

import ctypes
import faulthandler
import json
import subprocess
import sys
import threading
from typing import Any

import glupy
from glupy import GetxattrReply, Translator


class Streams(Translator):
    def init(self) -> None:
        faulthandler.enable()
        self.go = threading.Event()

    def half(self) -> None:
        print("half a line", end="")

    def whole(self) -> None:
        print("a whole one")

    async def awaits(self) -> None:
        print("before", end=" ")
        await glupy.sleep(0.01)
        print("after")

    def thread(self) -> None:
        thread = threading.Thread(target=lambda: print("a thread's half", end=""))
        thread.start()
        thread.join()

    def waiting(self) -> None:
        threading.Thread(target=self.wait_to_print).start()

    def wait_to_print(self) -> None:
        print("flushed", end="", flush=True)
        self.go.wait()

    def let_go(self) -> None:
        self.go.set()

    def process(self) -> int:
        return subprocess.run(["/bin/echo", "from a process"], stdout=sys.stderr, check=True).returncode

    def number(self) -> int:
        return sys.stderr.fileno()

    def dump(self) -> None:
        faulthandler.dump_traceback(sys.stderr.fileno(), all_threads=False)

    def dies(self) -> None:
        ctypes.string_at(0)

    async def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        how = getattr(self, (name or "").removeprefix("user."), None)
        if how is None:
            return self.child_reply(loc, name)
        answer = how()
        if hasattr(answer, "__await__"):
            answer = await answer
        return GetxattrReply({name: json.dumps(answer).encode()})

    def child_reply(self, loc: Any, name: Any) -> Any:
        return self.children[0].getxattr(loc, name)
