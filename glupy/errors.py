"""What glupy raises when it refuses something."""

from __future__ import annotations

import os


class LoadError(Exception):
    """A translator cannot be loaded. Its text is what an administrator reads in the log: where, what, what to do.

    file, line  where the reason stands, if it stands in a file; they lead the text, as a compiler writes them.
    """

    def __init__(self, reason: str, file: str | os.PathLike[str] | None = None, line: int | None = None) -> None:
        self.reason = reason
        self.file = None if file is None else os.fspath(file)
        self.line = line
        super().__init__(reason)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return f"{place}: {self.reason}" if place else self.reason


class OptionError(LoadError):
    """An option of the volfile is unknown, missing, does not parse or is out of bounds."""


class TrustError(LoadError):
    """A file or a folder on the way to it could be changed by somebody who must not decide what runs here."""


def quoted(text: str, most: int = 100) -> str:
    """Text from outside as a message shows it: in quotes, ASCII, on one line, cut when it is long."""
    shown = text[:most].encode("unicode_escape").decode().replace('"', '\\"')
    return f'"{shown}"' if len(text) <= most else f'"{shown}..." ({len(text)} characters)'
