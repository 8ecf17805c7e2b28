"""The rules: what holds for a class, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import glupy
from glupy import Option


@dataclass(frozen=True)
class Rule:
    """What holds for a class: terms of the same names. 0: no ceiling."""

    who: tuple[str, ...] = ()
    share: float = 1.0
    ops: int = 0
    bytes: int = 0
    meta: int = 0
    burst: float = 1.0
    places: int = 0
    together: bool = False

    @property
    def name(self) -> str:
        """Of the one class that all are, if they are together."""
        return "|".join(self.who)

    def fits(self, name: str) -> bool:
        return name == self.name or any(fnmatchcase(name, pattern) for pattern in self.who)


class Rules(Option[str]):
    """The option `rules`, which is refused where it cannot be read."""

    def parse(self, text: str) -> str:
        parsed(text)
        return text


def parsed(text: str) -> list[Rule]:
    """Rules from the text of the option. Raises ValueError, which says which rule is wrong, and how."""
    return glupy.rules_named(text, one_rule)


def one_rule(text: str) -> Rule:
    given = glupy.terms_named(text.split(","), TERMS)
    if "who" not in given:
        raise ValueError("it is about nobody: add who=PATTERN")
    return Rule(**given)


NUMBER, WHOLE = Option(float, default=1.0, min=0.001).parse, Option(int, default=1, min=1).parse

TERMS: dict[str, Callable[[str], Any] | None] = {
    "who": lambda text: tuple(text.split("|")), "share": NUMBER, "ops": WHOLE, "meta": WHOLE, "places": WHOLE, "burst": NUMBER,
    "bytes": Option("size", default=1, min=1).parse, "together": None,
}
