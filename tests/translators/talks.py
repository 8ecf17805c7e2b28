"""Does what the extended attribute asked for names: getxattr user.HOW; the answer is what HOW returns, as text.

Module state is counted in SEEN, once a getxattr.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings
from typing import Any

import glupy
from glupy import GetxattrReply, Option, Translator

SEEN: list[str] = []


def ask_state(self: Talks, path: str) -> str:
    return json.dumps([self.name, SEEN, __name__, self.greeting])


def ask_who(self: Talks, path: str) -> str:
    """Who asks, as the frame has it."""
    frame = self.frame
    return json.dumps([frame.uid, frame.gid, list(frame.groups), frame.pid, frame.client, frame.op, path])


def ask_say(self: Talks, path: str) -> str:
    print("printed by", self.name)
    print("to stderr", file=sys.stderr)
    print("in", "pieces", sep=" ", end="")
    print(" and lines\nof two")
    self.log.debug("at debug")
    self.log.info("at %s", "info")
    self.log.warning("at warning")
    self.log.error("at error")
    self.log.critical("at critical")
    logging.getLogger("elsewhere").warning("a logger of another name")
    logging.info("the root logger")
    warnings.warn("a warning of Python's", stacklevel=1)
    try:
        1 // 0
    except ZeroDivisionError:
        self.log.exception("with its traceback")
    thread = threading.Thread(target=say_from_a_thread)
    thread.start()
    thread.join()
    return "said"


def say_from_a_thread() -> None:
    print("printed by a thread")


def ask_world(self: Talks, path: str) -> str:
    """What a translator finds around itself."""
    found: dict[str, Any] = {
        "path": sys.path, "argv": sys.argv, "isolated": sys.flags.isolated, "main": threading.main_thread().name,
        "usersite": sys.flags.no_user_site, "json": json.__file__, "cwd": os.getcwd(),
        "interrupt": str(signal.getsignal(signal.SIGINT)), "dont_write": sys.flags.ignore_environment,
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    }
    for name in ("evil", "sitecustomize", "usercustomize"):
        try:
            importlib.import_module(name)
            found[name] = "found"
        except ModuleNotFoundError:
            found[name] = "not found"
    return json.dumps(found)


def ask_import(self: Talks, path: str) -> str:
    """Modules with shared objects of their own, and what is at the bottom of others."""
    names = ("ctypes", "ssl", "sqlite3", "asyncio", "decimal", "hashlib", "multiprocessing", "json", "zlib", "lzma",
             "bz2", "socket", "select", "subprocess", "unicodedata", "xml.etree.ElementTree", "concurrent.futures")
    modules = {name: importlib.import_module(name) for name in names}
    assert modules["ctypes"].CDLL(None).getpid() == os.getpid()
    assert modules["sqlite3"].connect(":memory:").execute("select 6 * 7").fetchone() == (42,)
    assert modules["ssl"].create_default_context()
    assert modules["decimal"].Decimal("0.1") * 3 == modules["decimal"].Decimal("0.3")
    assert len(modules["hashlib"].sha256(b"x").hexdigest()) == 64
    done = modules["subprocess"].run(["/bin/echo", "a process"], capture_output=True, check=True)
    return done.stdout.decode().strip()


# What keeps a request: these never answer


async def ask_future(self: Talks, path: str) -> Any:
    self.kept = glupy.Future()
    self.log.info("waits: future")
    await self.kept


async def ask_sleep(self: Talks, path: str) -> Any:
    self.log.info("waits: sleep")
    await glupy.sleep(100_000)


async def ask_thread(self: Talks, path: str) -> Any:
    self.log.info("waits: thread")
    await glupy.to_thread(time.sleep, 100_000)


def ask_blocks(self: Talks, path: str) -> Any:
    self.log.info("waits: blocks")
    time.sleep(100_000)


def ask_loops(self: Talks, path: str) -> Any:
    self.log.info("waits: loops")
    while True:
        pass


def ask_keeps_interpreter(self: Talks, path: str) -> Any:
    """A C function that does not let go of the interpreter."""
    ctypes = importlib.import_module("ctypes")
    self.log.info("waits: keeps-interpreter")
    ctypes.PyDLL(None).sleep(100_000)


def compute() -> None:
    while True:
        sum(range(1000))


def ask_threads(self: Talks, path: str) -> str:
    """Threads of our own, of which nobody sees the end."""
    for target in (compute, compute, threading.Event().wait, threading.Event().wait):
        threading.Thread(target=target).start()
    return "4 threads"


async def ask_suspends(self: Talks, path: str) -> Any:
    future = glupy.Future()
    self.suspended.append(future)
    if len(self.suspended) == 1000:
        self.log.info("waits: 1000 requests")
    await future


class Talks(Translator):
    greeting = Option(str, default="hello", help="part of the state")

    def init(self) -> None:
        self.suspended: list[Any] = []
        self.log.info("%s begins, %s", self.name, self.greeting)

    def fini(self) -> None:
        self.log.info("%s ends, %s", self.name, self.greeting)

    def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        to, _, how = (name or "").removeprefix("user.").rpartition(".")
        function = globals().get(f"ask_{how.replace('-', '_')}")
        if function is None or to not in ("", self.name):
            return None
        SEEN.append(name)
        self.frame = frame
        answer = function(self, loc.path)
        return answer if hasattr(answer, "__await__") else GetxattrReply({name: str(answer).encode()})
