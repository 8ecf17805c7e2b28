"""Options that change while the graph is up: all new values, or none.

New values are put in place in one step under the interpreter's lock; then the translator's reconfigured() is called, and
when it raises, the old values come back, in one step as well. Changes are made one after another, also where
reconfigured() is a coroutine. Of several interpreters that serve a translator, all have the new values in the end, or none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from functools import partial
from typing import Any

from glupy.api.translator import Translator
from glupy.errors import OptionError, quoted
from glupy.lifecycle import profiling, reload
from glupy.loading import importing, making
from glupy.logs import loggers
from glupy.options import lasting, option

_ERROR, _INFO = 4, 7

#: A step of a change is something to begin; its result, or _LATER where that comes another way.
_LATER = object()
_Step = Callable[[], object]
_Steps = Generator[_Step, Any, None]

#: By the name of option log-level: enum gf_loglevel of logging.h. Without the option the process's level counts: 0.
_LEVELS = {"NONE": 0, "CRITICAL": 3, "ERROR": 4, "WARNING": 5, "INFO": 7, "DEBUG": 8, "TRACE": 9}


def in_force(translator: Translator) -> None:
    """Tell the core what it has to know of a translator's options, and set its logger's level."""
    _configure(translator, translator.common.log_level)
    loggers.use_level(translator.log, translator.common.log_level)
    profiling.follow(translator)


def _configure(translator: Translator, level: str | None) -> None:
    common = translator.common
    translator._instance.configure(
        enabled=common.enabled, pass_on_error=common.on_error == "pass", budget=common.budget,
        patience=common.patience, level=_LEVELS[level] if level else 0, text=shown(translator),
    )


def announce(translator: Translator) -> None:
    """The same for options that have just been read. What is wrong with them and not obeyed is logged, by the process's
    log level: the translator's own must not hide it."""
    ignored = _ignored(translator)
    if ignored:
        _configure(translator, None)
    for sentence in ignored.values():
        _say_once(translator, _ERROR, f"{translator.name}: {sentence}", "options")
    in_force(translator)


def _ignored(translator: Translator) -> dict[str, str]:
    return {**translator._glupy_lasting, **translator._glupy_ignored}


def shown(translator: Translator) -> str:
    """The values in force, a line NAME=VALUE each: declared options, the common ones, then what is not obeyed and why, and
    the checksum of the source that is loaded, by a name that no option has."""
    pairs = [(option.name, getattr(translator, option.attribute))
             for option in option.declared(type(translator)).values()]
    pairs += [(name.replace("_", "-"), value) for name, value in vars(translator.common).items() if value is not None]
    for name, wrong in _ignored(translator).items():
        pairs.append((f"ignored.{quoted(name)[1:-1].replace('=', '_')}", wrong))
    loaded = importing.loaded(making.module_of(translator))
    pairs += [("loaded.sha256", loaded)] if loaded else []
    return "".join(f"{name}={_plain(value)}\n" for name, value in pairs)


def _plain(value: object) -> str:
    text = ("on" if value else "off") if isinstance(value, bool) else "" if value is None else str(value)
    return _clean(text).translate({10: "\\n"})


def _clean(text: str) -> str:
    """As C can take it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def of(translator: Translator) -> Changes:
    """The changes of a translator's options. They stand in its own dictionary, where its author's names are, too."""
    found: Changes = vars(translator).setdefault("_glupy_changes", Changes())
    return found


class Changes:
    """The changes of one translator's options that are waiting, and the one that is being made.

    Where several interpreters serve the translator each has its own, and all are given the same changes in the same order.
    They take each step of a change together: when all have read the values, and again when reconfigured() has been
    called in all, each votes, and none goes on before all have. So a change that one refuses is made in none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Mapping[str, str]] = deque()
        self._busy = False
        self._elsewhere = False  # than on Python's main thread, which alone loads files
        self._steps: _Steps | None = None

    def make(self, translator: Translator, texts: Mapping[str, str]) -> None:
        """Make this change, or have it made after the one that is under way."""
        with self._lock:
            self._waiting.append(texts)
            if self._busy:
                return
            self._busy = True
        self._steps, self._elsewhere = self._make_all(translator), False
        self._go_on(None)

    def decided(self, objection: str | None) -> None:
        """All interpreters have voted; the first objection, or None."""
        self._elsewhere = False
        self._go_on(objection)

    def _next(self) -> Mapping[str, str] | None:
        with self._lock:
            self._busy = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

    def _go_on(self, result: Any) -> None:
        """From one step that cannot be waited for here to the next. Steps are begun while _make_all() is at rest: what
        ends them may come on another thread at once."""
        assert self._steps is not None
        while result is not _LATER:
            try:
                begin = self._steps.send(result)
            except StopIteration:
                return
            result = begin()

    def _make_all(self, translator: Translator) -> _Steps:
        while (texts := self._next()) is not None:
            if texts == translator.options:
                continue
            if reload.is_wanted(translator, texts):
                yield partial(self._come_back, translator)
                successor = reload.Successor(translator, texts)
                objection = yield from self._load_anew(translator, successor)
                if objection is None:
                    translator = self._take(successor)
                    continue
                successor.drop()
                del successor  # with what was loaded
                _say_once(translator, _ERROR, f"{translator.name} runs on as it is, since its file is not loaded anew: "
                          f"{objection}", "reload")
            change, objection = _Change.read(translator, texts)
            objection = yield partial(self._vote, translator, objection)
            if change is None or objection is not None:
                _say_once(translator, _ERROR, f"{translator.name} keeps the options it has: {objection}")
                continue
            change.put()
            objection = refusal = yield from self._call(translator, change.changed)
            objection = yield partial(self._vote, translator, objection)
            if objection is None:
                continue
            change.take_back()
            _say_once(translator, _ERROR, f"{translator.name} keeps the options it had: {objection}")
            if refusal is None:
                yield from self._call(translator, change.reverse())

    def _load_anew(self, translator: Translator, successor: reload.Successor) -> Generator[_Step, Any, str | None]:
        """Make it ready, in all interpreters: what is wrong with it, or None."""
        wrong: str | None = successor.prepare()
        wrong = yield partial(self._vote, translator, wrong, successor.ballot())
        if wrong is None:
            wrong = successor.hand_over()
            wrong = yield partial(self._vote, translator, wrong)
        return wrong

    def _come_back(self, translator: Translator) -> object:
        """To the main thread. A coroutine has brought us elsewhere only where one interpreter serves the translator."""
        if not self._elsewhere:
            return None
        translator._instance.vote(None)
        return _LATER

    def _take(self, successor: reload.Successor) -> Translator:
        """Changes that wait are made in the one that takes over."""
        translator = successor.take()
        vars(translator)["_glupy_changes"] = self
        profiling.hand_over(successor.running, translator)
        announce(translator)
        _say_once(translator, _INFO, f"{translator.name} runs its file as it is now: it was loaded anew", "reload")
        return translator

    def _call(self, translator: Translator, changed: dict[str, Any]) -> Generator[_Step, Any, str | None]:
        """Call reconfigured() and wait for its end: how it refuses, or None. What it raised is in the log then."""
        if not changed:
            return None
        try:
            result = translator.reconfigured(changed)
            if result is not None and not hasattr(result, "__await__"):
                raise TypeError(f"reconfigured returned {result!r}: it returns nothing; raise to refuse the change")
        except BaseException as error:
            failed: BaseException | None = error
        else:
            failed = None if result is None else (yield partial(self._await, translator, result))
        if failed is None:
            return None
        translator._instance.report("reconfigured", failed)
        failed = None  # its traceback leads to this frame: the circle would keep the translator until a collection
        where = "" if translator.common.interpreters == 1 else f" in interpreter {translator.interpreter}"
        return f"reconfigured() refused the new ones{where}, for the reason above"

    def _vote(self, translator: Translator, objection: str | None, ballot: str | None = None) -> object:
        if translator.common.interpreters == 1:
            return objection
        translator._instance.vote(None if objection is None else _clean(objection), ballot)
        return _LATER

    def _await(self, translator: Translator, hook: Awaitable[None]) -> object:
        coroutine = self._finish(hook)
        try:
            translator.spawn(coroutine)
        except RuntimeError:  # the graph is going
            coroutine.close()
            return None
        return _LATER

    async def _finish(self, hook: Awaitable[None]) -> None:
        failed = None
        try:
            await hook
        except GeneratorExit:
            raise
        except BaseException as error:
            failed = error
        self._elsewhere = True
        try:
            self._go_on(failed)
        finally:
            failed = None  # as above


class _Change:
    """New values of a translator's options, checked, and the old ones."""

    def __init__(self, translator: Translator, after: dict[str, Any]) -> None:
        self.translator, self.after = translator, after
        self.before = {name: getattr(translator, name) for name in after}
        self.changed = {each.attribute: self.before[each.attribute]
                        for each in option.declared(type(translator)).values()
                        if self.before[each.attribute] != after[each.attribute]}

    @classmethod
    def read(cls, translator: Translator, texts: Mapping[str, str]) -> tuple[_Change | None, str | None]:
        """The change, or what is wrong with it."""
        try:
            after = translator._glupy_values(texts)
            after.update(lasting.checked(translator, after))
        except OptionError as error:
            return None, str(error)
        except BaseException as error:  # a class of its own kind; the others wait for a vote
            translator._instance.report("reconfigure", error)
            return None, "they could not be read, for the reason above"
        return cls(translator, after), None

    def put(self) -> None:
        """Put the new values in place."""
        vars(self.translator).update(self.after)  # one step: nothing of Python runs in between
        announce(self.translator)
        difference = _difference(self.before, self.after)
        if difference:
            _say_once(self.translator, _INFO, f"{self.translator.name} has new options: {difference}")

    def take_back(self) -> None:
        """Put the old values in place."""
        vars(self.translator).update(self.before)
        in_force(self.translator)

    def reverse(self) -> dict[str, Any]:
        """What reconfigured() is told of when a change that it took is taken back."""
        return {attribute: self.after[attribute] for attribute in self.changed}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    old, new = before["options"], after["options"]
    """In words; of `reload` there has been word already."""
    return ", ".join(f'{key} "{new[key]}"' if key in new else f"{key} not given"
                     for key in sorted({**old, **new}) if old.get(key) != new.get(key) and key != "reload")


def _say_once(translator: Translator, level: int, text: str, doing: str = "reconfigure") -> None:
    """What all interpreters know is said by the first."""
    if translator.interpreter == 0:
        loggers.say(translator._instance, level, translator.name, "glupy", 0, doing, text)
