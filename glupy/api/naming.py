"""What rules name, in an option or a file of a translator's own: terms, fops, errors. What is wrong is a ValueError that says
what would do, for an Option's parse() to raise."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from glupy._core import FOPS
from glupy.api import fopsets

__all__ = ["errno_named", "fops_named", "rules_named", "terms_named"]

T = TypeVar("T")

_GROUPS: Mapping[str, frozenset[str]] = {
    "all": frozenset(FOPS), "reading": fopsets.READING, "opening": fopsets.OPENING, "changing": fopsets.CHANGING,
    "changing-data": fopsets.CHANGING_DATA, "changing-metadata": fopsets.CHANGING_METADATA,
    "changing-names": fopsets.CHANGING_NAMES, "removing": frozenset(("unlink", "rmdir", "rename")),
    "syncing": fopsets.SYNCING, "locking": fopsets.LOCKING,
}


def fops_named(text: str, among: Iterable[str] | None = None) -> frozenset[str]:
    """The fops that a text names: `writev|removing|*xattr`.

    text   words with | in between: names of fops, patterns as of a shell, or groups: all, reading, opening, changing,
           changing-data, changing-metadata, changing-names, removing (unlink, rmdir, rename), syncing, locking
    among  those that it may name, of which groups and patterns take what there is; None: all fops

    Raises ValueError for a word that names none of these; it has the word, and the nearest one that would do.
    """
    allowed = frozenset(FOPS if among is None else among)
    groups = {name: fops & allowed for name, fops in _GROUPS.items() if fops & allowed}
    known = {**groups, **{name: frozenset((name,)) for name in allowed}}
    found: frozenset[str] = frozenset()
    for word in text.split("|"):
        fops = known.get(word) or frozenset(name for name in allowed if fnmatchcase(name, word))
        if not fops:
            raise ValueError(f"{word or 'nothing'} is no fop and no set of them{_near(word, known) if word else ''}")
        found |= fops
    return found


def errno_named(text: str) -> int:
    """The number of an error by its name, such as EROFS. Raises ValueError, with the nearest one that there is."""
    known = {name: number for name, number in vars(errno).items() if name.startswith("E")}
    if text not in known:
        raise ValueError(f"{text or 'nothing'} is no error{_near(text, known) if text else ''}")
    number: int = known[text]
    return number


def rules_named(text: str, read: Callable[[str], T]) -> list[T]:
    """The rules of a text that has several, with ; in between; where nothing stands there is none.

    text  the rules
    read  what makes one of its text, or raises ValueError

    Raises ValueError for what `read` refuses, with the rule's number and text in front.
    """
    found = []
    for number, part in enumerate(text.split(";"), 1):
        rule = part.strip()
        try:
            if rule:
                found.append(read(rule))
        except ValueError as error:
            raise ValueError(f"rule {number}, {rule}: {error}") from None
    return found


def terms_named(words: Iterable[str], readers: Mapping[str, Callable[[str], Any] | None]) -> dict[str, Any]:
    """The terms of a rule, NAME=VALUE or a NAME alone, by name.

    words    the terms, as they came
    readers  what makes a value of the text behind =, or raises ValueError; None: the term is a word alone, and True

    Raises ValueError for a name that there is not, one that is there twice, a value that is missing, one too many, and
    whatever a reader refuses, with the term's name in front.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.strip().partition("=")
        if name not in readers:
            raise ValueError(f"there is no term {name}{_near(name, readers)}")
        if name in found:
            raise ValueError(f"{name} is there twice")
        reader = readers[name]
        if reader is None and equals:
            raise ValueError(f"{name} takes no value")
        if reader is not None and not text:
            raise ValueError(f"{name} needs a value: {name}=...")
        try:
            found[name] = reader(text) if reader is not None else True
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def _near(word: str, known: Iterable[str]) -> str:
    """What may have been meant by a word that there is not."""
    names = sorted(known)
    # What is imported stays in each of GlusterFS's processes: modules for what hardly ever happens are imported when it does.
    import difflib

    near = difflib.get_close_matches(word, names, 1)
    return f"; did you mean {near[0]}?" if near else f": one of {', '.join(names)}"
