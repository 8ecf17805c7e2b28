"""Options that change while the graph is up: all new values, or none.

New values are put in place in one step under the interpreter's lock; then the translator's reconfigured() is called, and
when it raises, the old values come back, in one step as well. Changes are made one after another, also where
reconfigured() is a coroutine.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

from glupy import logs, option
from glupy.errors import OptionError

if TYPE_CHECKING:
    from glupy.common import Common
    from glupy.translator import Translator

_ERROR, _INFO = 4, 7
#: By the name of option log-level: enum gf_loglevel of logging.h. Without the option the process's level counts: 0.
_LEVELS = {"NONE": 0, "CRITICAL": 3, "ERROR": 4, "WARNING": 5, "INFO": 7, "DEBUG": 8, "TRACE": 9}


def in_force(translator: Translator) -> None:
    """Tell the core what it has to know of a translator's options, and set its logger's level."""
    common = translator.common
    translator._instance.configure(
        enabled=common.enabled, pass_on_error=common.on_error == "pass", budget=common.budget,
        level=_LEVELS[common.log_level] if common.log_level else 0, text=shown(translator),
    )
    logs.use_level(translator.log, common.log_level)


def shown(translator: Translator) -> str:
    """The values in force, a line NAME=VALUE each: declared options first, then the common ones."""
    pairs = [(option.name, getattr(translator, option.attribute))
             for option in option.declared(type(translator)).values()]
    pairs += [(name.replace("_", "-"), value) for name, value in vars(translator.common).items() if value is not None]
    return "".join(f"{name}={_plain(value)}\n" for name, value in pairs)


def _plain(value: object) -> str:
    text = ("on" if value else "off") if isinstance(value, bool) else "" if value is None else str(value)
    return text.encode("utf-8", "backslashreplace").decode().translate({0: "\\0", 10: "\\n"})


class Changes:
    """The changes of one translator's options that are waiting, and the one that is being made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Mapping[str, str]] = deque()
        self._busy = False

    def make(self, translator: Translator, texts: Mapping[str, str]) -> None:
        """Make this change, or have it made after the one that is under way."""
        with self._lock:
            self._waiting.append(texts)
            if self._busy:
                return
            self._busy = True
        self._make_all(translator)

    def _next(self) -> Mapping[str, str] | None:
        with self._lock:
            self._busy = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

    def _make_all(self, translator: Translator) -> None:
        while (texts := self._next()) is not None:
            change = _Change.begin(translator, texts)
            if change is not None:
                coroutine = self._finish(translator, change)
                try:
                    translator.spawn(coroutine)
                    return
                except RuntimeError:  # the graph is going
                    coroutine.close()

    async def _finish(self, translator: Translator, change: _Change) -> None:
        try:
            assert change.hook is not None
            await change.hook
        except GeneratorExit:
            raise
        except BaseException as error:
            change.undo(error)
        self._make_all(translator)


class _Change:
    """New options that are in place; `hook` is what is left of reconfigured(), if it is a coroutine."""

    def __init__(self, translator: Translator, before: dict[str, Any]) -> None:
        self.translator, self.before = translator, before
        self.hook: Awaitable[None] | None = None

    @classmethod
    def begin(cls, translator: Translator, texts: Mapping[str, str]) -> _Change | None:
        """Read, check and put in place; None when it is over with that, well or not."""
        if texts == translator.options:
            return None
        try:
            after = translator._read(texts)
            _check_lasting(translator.common, after["common"])
        except OptionError as error:
            if translator.interpreter == 0:  # all find the same
                _say(translator, _ERROR, f"{translator.name} keeps the options it has: {error}")
            return None
        before = {name: getattr(translator, name) for name in after}
        change = cls(translator, before)
        change._put(after)
        own = option.declared(type(translator)).values()
        changed = {each.attribute: before[each.attribute] for each in own
                   if before[each.attribute] != after[each.attribute]}
        if translator.interpreter == 0:
            _say(translator, _INFO, f"{translator.name} has new options: {_difference(before, after)}")
        return change if changed and change._call(changed) else None

    def _call(self, changed: dict[str, Any]) -> bool:
        """Call reconfigured(); True when there is something to await."""
        try:
            result = self.translator.reconfigured(changed)
            if result is not None and not hasattr(result, "__await__"):
                raise TypeError(f"reconfigured returned {result!r}: it returns nothing; raise to refuse the change")
        except BaseException as error:
            self.undo(error)
            return False
        self.hook = result
        return result is not None

    def undo(self, error: BaseException) -> None:
        """reconfigured() has raised."""
        self._put(self.before)
        self.translator._instance.report("reconfigured", error)
        where = "" if self.translator.common.interpreters == 1 else f" in interpreter {self.translator.interpreter}"
        _say(self.translator, _ERROR, f"{self.translator.name} keeps the options it had{where}: reconfigured() refused "
             "the new ones, for the reason above")

    def _put(self, values: dict[str, Any]) -> None:
        vars(self.translator).update(values)  # one step: nothing of Python runs in between
        in_force(self.translator)


def _check_lasting(before: Common, after: Common) -> None:
    for name, other in (("module", "another module"), ("module_name", "another module"),
                        ("interpreters", "another number of interpreters")):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            raise OptionError(f'option {name.replace("_", "-")} is "{new or ""}", and was "{old or ""}" when the graph '
                              f"was built: {other} takes a new graph; set it back, or mount again")


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    old, new = before["options"], after["options"]
    return ", ".join(f'{key} "{new[key]}"' if key in new else f"{key} not given"
                     for key in sorted({**old, **new}) if old.get(key) != new.get(key))


def _say(translator: Translator, level: int, text: str) -> None:
    logs.say(translator._instance, level, translator.name, "glupy", 0, "reconfigure", text)
