"""Options: declared on a translator's class, read from the text that a volfile gives, checked before init()."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, overload

from glupy.errors import OptionError, quoted
from glupy.options import values
from glupy.options.tolerance import Tolerance

T = TypeVar("T")

_READERS: Mapping[object, Callable[[str], Any]] = {
    int: values.integer,
    float: values.number,
    bool: values.boolean,
    str: str,
    Path: values.path,
    "size": values.size,
    "time": values.time,
    "percent": values.percent,
}


class _Required:
    """Stands for "no default"."""


REQUIRED: Any = _Required()


class Option(Generic[T]):
    """One option: ``limit = Option(int, default=65536, min=1, help="names remembered")``.

    type      int, float, bool, str, pathlib.Path, or "size" (bytes, from 64KB), "time" (seconds, from 5min), "percent"
    default   the value where the volfile gives none; without a default, the volfile must give the option. Sizes and
              times may be written as text here and in min and max, as a volfile has them.
    min, max  bounds, both included
    choices   the values allowed; texts are compared without regard to case
    help      one line for ``glupy check`` and the documentation

    Read it as ``self.limit``. A volfile says ``option limit 1000``; an attribute ``max_age`` is ``max-age`` there.
    """

    @overload
    def __init__(self: Option[int], type: Literal["size", "time"], *, default: int | str = ...,
                 min: int | str | None = ..., max: int | str | None = ..., choices: Iterable[int] = ...,
                 help: str = ...) -> None: ...

    @overload
    def __init__(self: Option[float], type: Literal["percent"], *, default: float | str = ..., min: float | None = ...,
                 max: float | None = ..., choices: Iterable[float] = ..., help: str = ...) -> None: ...

    @overload
    def __init__(self: Option[T], type: type[T], *, default: T = ..., min: T | None = ..., max: T | None = ...,
                 choices: Iterable[T] = ..., help: str = ...) -> None: ...

    @overload
    def __init__(self: Option[T | None], type: type[T], *, default: None, min: T | None = ..., max: T | None = ...,
                 choices: Iterable[T] = ..., help: str = ...) -> None: ...

    def __init__(self, type: Any, *, default: Any = REQUIRED, min: Any = None, max: Any = None,
                 choices: Iterable[Any] = (), help: str = "") -> None:
        if type not in _READERS:
            raise TypeError(f"Option of type {type!r}: expected one of {', '.join(map(_named, _READERS))}")
        self.type = type
        self.help = help
        self.min, self.max = self._declared(min), self._declared(max)
        self.choices = tuple(choices)
        self.default = self._declared(default)
        self.name = ""
        if default is not REQUIRED and default is not None:
            self._check(self.default)

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name
        self.name = name.replace("_", "-")

    @overload
    def __get__(self, instance: None, owner: type) -> Option[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Option[T] | T:
        # Values stand in the instance's own dictionary, which goes first: reading one costs what any attribute costs.
        if instance is None:
            return self
        if self.default is REQUIRED:
            raise AttributeError(f"option {self.name} has no value yet")
        value: T = self.default
        return value

    @property
    def required(self) -> bool:
        """The volfile must give it."""
        return self.default is REQUIRED

    def parse(self, text: str) -> T:
        """The value that a volfile's text stands for. Raises ValueError, which says what would do."""
        value = _READERS[self.type](text)
        if self.choices and isinstance(value, str):
            value = next((choice for choice in self.choices if choice.lower() == value.lower()), value)
        self._check(value)
        result: T = value
        return result

    def __str__(self) -> str:
        kind = self.type.__name__ if isinstance(self.type, type) else self.type
        return f"{self.name} ({kind}, {'required' if self.required else f'default {self.default}'})"

    def _declared(self, value: Any) -> Any:
        """A default or bound as its author wrote it: text stands for a size or time."""
        return _READERS[self.type](value) if isinstance(value, str) and isinstance(self.type, str) else value

    def _check(self, value: Any) -> None:
        low = f"at least {self.min}" if self.min is not None else ""
        high = f"at most {self.max}" if self.max is not None else ""
        if low and value < self.min or high and value > self.max:
            raise ValueError(f"must be {' and '.join(filter(None, (low, high)))}")
        if self.choices and value not in self.choices:
            raise ValueError(f"must be one of {', '.join(str(choice) for choice in self.choices)}")


def _named(kind: object) -> str:
    """A type as its author writes it."""
    return kind.__name__ if isinstance(kind, type) else f'"{kind}"'


def declared(owner: type) -> dict[str, Option[Any]]:
    """The options of a class and its bases, by the name that a volfile gives them."""
    found: dict[str, Option[Any]] = {}
    for cls in reversed(owner.__mro__):
        for attribute, value in vars(cls).items():
            found.pop(attribute.replace("_", "-"), None)
            if isinstance(value, Option):
                found[value.name] = value
    return found


def read(options: Mapping[str, Option[Any]], texts: Mapping[str, str], owner: str,
         tolerance: Tolerance | None = None) -> dict[str, Any]:
    """Values by attribute name: what `texts`, a volfile's options, gives, and defaults.

    `owner` names in messages whose options they are. Raises OptionError for what is wrong, or has the tolerance note
    it."""
    given: dict[str, str] = {}
    for key, text in texts.items():
        name = key.replace("_", "-")
        if name not in options:
            _refuse(key, _unknown(key, options, owner), tolerance)
        elif name in given:
            wrong = f"option {name} is given twice, as {name} and {name.replace('-', '_')}; remove one"
            _refuse(name, wrong, tolerance)
        else:
            given[name] = text
    return {option.attribute: _value(option, given, owner, tolerance) for option in options.values()}


def _refuse(name: str, wrong: str, tolerance: Tolerance | None) -> None:
    if tolerance is None:
        raise OptionError(wrong)
    tolerance.ignored[name] = wrong


def _value(option: Option[Any], given: Mapping[str, str], owner: str, tolerance: Tolerance | None) -> Any:
    if option.name in given:
        try:
            return option.parse(given[option.name])
        except ValueError as error:
            wrong = f"option {option.name} is {quoted(given[option.name])}: {error}"
    elif option.required:
        why = f" ({option.help})" if option.help else ""
        wrong = f"option {option.name} is missing: {owner} needs it{why}"
    else:
        return option.default
    if tolerance is None:
        raise OptionError(wrong)
    return tolerance.instead(option.name, option.attribute, option.default, option.required, wrong)


def _unknown(key: str, options: Mapping[str, Option[Any]], owner: str) -> str:
    import difflib  # for mistakes alone: see glupy/api/naming.py

    near = difflib.get_close_matches(key, options, 1)
    hint = f"; did you mean {near[0]}?" if near else "."
    has = ", ".join(map(str, options.values())) or "none"
    return f"option {quoted(key)[1:-1]} is not declared by {owner}{hint} It has {has}"
