"""How rules are written: a word and terms a line, each of which has its reader here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import glupy

from .asked import JUDGED
from .content import CONTENT, FARTHEST
from .rules import Rule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parsed(text: str) -> list[Rule]:
    """The rules of a file. Raises ValueError, which has all mistakes with their lines."""
    rules, mistakes = [], []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.sub(r"(^|\s)#.*", "", line).split()
        try:
            if words:
                rules.append(one_rule(number, words))
        except ValueError as error:
            mistakes.append(f"line {number}: {error}")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return rules


def one_rule(line: int, words: list[str]) -> Rule:
    action, *terms = words
    if action not in ("allow", "deny", "record"):
        raise ValueError(f"a rule begins with allow, deny or record, not {action}")
    given = glupy.terms_named(terms, TERMS)
    if "error" in given and action != "deny":
        raise ValueError("error= goes with deny")
    if "content" in given and not given.setdefault("fop", CONTENT) <= CONTENT:
        raise ValueError(f"content= goes with these fops: {', '.join(sorted(CONTENT))}")
    given.setdefault("fop", JUDGED)
    return Rule(line, action, **given)


def several(read: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(read(word) for word in text.split("|"))


def numbers(text: str) -> range:
    match = re.fullmatch("([0-9]{1,10})(?:-([0-9]{1,10}))?", text)
    if not match or int(match[2] or match[1]) < int(match[1]):
        raise ValueError(f"expected a number, or a range such as 1000-1999, not {text or 'nothing'}")
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def daytime(text: str) -> tuple[int, int]:
    match = re.fullmatch("([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match or match[0][:5] == match[0][6:]:
        raise ValueError(f"expected times of the day such as 22:00-06:00, not {text}")
    return int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])


def day(text: str) -> int:
    if text not in DAYS:
        raise ValueError(f"{text or 'nothing'} is none of {', '.join(DAYS)}")
    return DAYS.index(text)


def first_bytes(text: str) -> tuple[int, bytes]:
    match = re.fullmatch("(?:([0-9]{1,4}):)?(0x((?:[0-9a-fA-F]{2})+)|(?!0x).+)", text)
    if not match:
        raise ValueError(f"expected a text such as %PDF, or bytes such as 0x4d5a, not {text}")
    offset, data = int(match[1] or 0), bytes.fromhex(match[3]) if match[3] else os.fsencode(match[2])
    if offset + len(data) > FARTHEST:
        raise ValueError(f"it goes farther than the first {FARTHEST} bytes")
    return offset, data


TERMS: dict[str, Callable[[str], Any] | None] = {
    "fop": lambda text: glupy.fops_named(text, JUDGED), "uid": several(numbers), "gid": several(numbers),
    "client": several(str), "name": several(str), "path": several(str), "at": daytime, "days": several(day),
    "content": first_bytes, "error": glupy.errno_named, "internal": None,
}
