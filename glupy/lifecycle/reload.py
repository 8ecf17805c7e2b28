"""Another version of a translator's file takes over while the graph is up: `option reload` is given a new text.

The new version is loaded beside the one that runs, with the options as they are now; reloaded() hands over; then it takes the
other's place, in one step (reload.h in the core). Whatever fails before that leaves everything as it is. Where several
interpreters serve the translator, none takes the new version unless all can.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from glupy import _core
from glupy.api import writer
from glupy.api.offloading import MARK
from glupy.api.translator import Translator
from glupy.errors import LoadError
from glupy.loading import making
from glupy.logs import tracebacks

if TYPE_CHECKING:
    from glupy._core import Instance, Version

#: Seconds that tasks of a replaced version have when its last request has left.
LIMIT = 10


def is_wanted(running: Translator, texts: Mapping[str, str]) -> bool:
    """Whether these options ask for it. That the option is given no more asks for nothing."""
    return texts.get("reload") not in (None, running.options.get("reload"))


class Successor:
    """The version that is to take the place of the one that runs.

    translator  its object, once prepare() has succeeded
    """

    def __init__(self, running: Translator, texts: Mapping[str, str]) -> None:
        self.running, self.texts = running, texts
        self.translator: Translator | None = None
        self._methods: dict[str, Callable[..., Any] | None] = {}
        self._begun = False

    def prepare(self) -> str | None:
        """Load it. What keeps it from being loaded, with file and line, or None."""
        instance = self.running._instance
        try:
            instance.begin_version()
            self._begun = True
            self.translator, self._methods = making.load_anew(self.running, self.texts)
            instance.prepare_version(self.translator, self._methods)
        except LoadError as error:
            return str(error)
        except BaseException as error:
            return f"{tracebacks.last_line(error)}\n{tracebacks.trace(error)}"
        return None

    def ballot(self) -> str:
        """What has to be the same in all interpreters: which fops it handles, and how."""
        any_fop = self._methods.get("any_fop")
        return " ".join(f"{name}{':any' if method is any_fop else ''}{':offload' if hasattr(method, MARK) else ''}"
                        for name, method in sorted(self._methods.items()))

    def hand_over(self) -> str | None:
        """Call reloaded(), and wait for it. How it refuses, or None; what it raised is in the log then."""
        assert self.translator is not None
        try:
            result = self.translator.reloaded(self.running)
            if inspect.iscoroutine(result):
                self.translator._instance.run(result)
            elif result is not None:
                raise TypeError(f"reloaded returned {result!r}: it returns nothing; raise to keep the old version")
        except BaseException as error:
            self.translator._instance.report("reloaded", error)
            return "reloaded() of the new version failed, for the reason above"
        return None

    def take(self) -> Translator:
        """New requests begin in it from now on."""
        assert self.translator is not None
        writer.hand_over(self.running, self.translator)
        self.translator._instance.take_version()
        return self.translator

    def drop(self) -> None:
        """It is not to be taken."""
        if self._begun:
            self.running._instance.drop_version()


def linger(instance: Instance, version: Version) -> None:
    """Cancel what a replaced version still runs in the background, in a while."""
    instance.spawn(_end_later(instance, version), None)


async def _end_later(instance: Instance, version: Version) -> None:
    await _core.sleep(LIMIT)
    instance.end_tasks(version)
