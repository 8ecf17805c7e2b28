"""Logs as it is asked to: getxattr user.HOW[.ARGUMENT]; the answer is what HOW returns, as text."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import warnings
from typing import Any

from glupy import GetxattrReply, Translator

LEVELS = {"none": 60, "critical": 50, "error": 40, "warning": 30, "notice": 25, "info": 20, "debug": 10, "trace": 5}


class Counting:
    """Counts how often it was formatted."""

    def __init__(self) -> None:
        self.count = 0

    def __str__(self) -> str:
        self.count += 1
        return f"formatted {self.count}"


class FailsAtTheEnd:
    def __del__(self) -> None:
        raise RuntimeError("in __del__")


def on_a_thread(function: Any, *args: Any) -> Any:
    answer: list[Any] = []
    thread = threading.Thread(target=lambda: answer.append(function(*args)), name="errand")
    thread.start()
    thread.join()
    return answer[0] if answer else None


class Speaks(Translator):
    def init(self) -> None:
        self.loggers = {"own": self.log, "library": logging.getLogger("a.library"), "root": logging.getLogger(),
                        "old": logging.Logger("old"), "child": self.log.getChild("part")}
        warnings.simplefilter("always")
        self.loggers["old"].parent = logging.getLogger()  # as a logger that is older than glupy's

    def enabled(self) -> Any:
        """The levels that each logger says are written, lowest first."""
        return {name: min((level for level in LEVELS.values() if log.isEnabledFor(level)), default=0)
                for name, log in self.loggers.items() if name != "old"}

    def effective(self) -> Any:
        return {name: log.getEffectiveLevel() for name, log in self.loggers.items() if name != "old"}

    def formats(self) -> Any:
        """How often an argument of an entry at DEBUG is formatted."""
        counts = {}
        for name, log in self.loggers.items():
            argument = Counting()
            log.debug("%s", argument)
            counts[name] = argument.count
        return counts

    def thread(self, what: str) -> Any:
        """The same on a thread that GlusterFS knows nothing of."""
        return on_a_thread(getattr(self, what))

    def levels(self) -> Any:
        for name, level in LEVELS.items():
            if name != "none":
                self.log.log(level, "at %s", name)

    def straight(self) -> Any:
        """Messages of every form, by a logger into which nobody has hung anything, and then by one with a handler."""
        handler = logging.Handler(logging.ERROR)  # for what never comes
        for hang in (lambda: None, lambda: self.log.addHandler(handler)):
            hang()
            self.log.info("plain 100%")
            self.log.info("%s and %d", "text", 5)
            self.log.info("%(a)s of a dict", {"a": "value"})
            self.log.info("%s", {})
            self.log.info(ValueError("an object"))
            self.log.info("b\0a\udc80d %s", "\u20ac")
            self.log.log(logging.INFO, "by log()")
            self.log.info("by a %s", "name", stacklevel=2)
            self.log.info("with %s", "extra", extra={"key": 1})
        self.log.removeHandler(handler)

    def mistaken(self) -> Any:
        self.log.info("%d", "no number")

    def filtered(self) -> Any:
        """A filter is asked, and may change the record."""
        def shout(record: logging.LogRecord) -> bool:
            record.msg = str(record.msg).upper()
            return "secret" not in record.getMessage().lower()

        self.log.addFilter(shout)
        self.log.info("loud")
        self.log.info("secret")
        self.log.removeFilter(shout)
        self.log.info("quiet")

    def prints(self) -> Any:
        print("printed")
        print("complained", file=sys.stderr)

    def repeats(self, times: str) -> Any:
        """The same again and again, each from one place."""
        for say in (lambda: print("printed again"), lambda: print("complained again", file=sys.stderr),
                    lambda: self.log.info("logged again"), lambda: logging.getLogger("a.library").info("library again"),
                    lambda: warnings.warn("warned again", stacklevel=1),
                    lambda: on_a_thread(self.log.info, "logged on a thread again"), FailsAtTheEnd):
            for _ in range(int(times)):
                say()

    def own_level(self) -> Any:
        self.log.setLevel(logging.ERROR)
        try:
            self.log.warning("not to be seen")
            return self.log.getEffectiveLevel()
        finally:
            self.log.setLevel(logging.NOTSET)

    def disable(self) -> Any:
        logging.disable(logging.WARNING)
        try:
            return self.log.isEnabledFor(logging.WARNING), self.log.isEnabledFor(logging.ERROR)
        finally:
            logging.disable(logging.NOTSET)

    def fails(self) -> Any:
        """Exceptions that nobody handles."""
        on_a_thread(lambda: 1 // 0)
        on_a_thread(sys.exit)
        FailsAtTheEnd()

    def costs(self) -> Any:
        """Nanoseconds of a call that writes nothing."""
        begun = time.perf_counter_ns()
        for _ in range(100_000):
            self.log.debug("%s", self)
        return (time.perf_counter_ns() - begun) / 100_000

    def getxattr(self, frame: Any, loc: Any, name: Any, xdata: Any) -> Any:
        to, _, rest = (name or "").removeprefix("user.").partition(".")
        how, _, argument = rest.partition(".")
        if to != self.name:
            return None
        if how == "raises":
            raise ValueError("raised again")
        answer = getattr(self, how)(*[argument] if argument else [])
        return GetxattrReply({name: json.dumps(answer).encode()})
