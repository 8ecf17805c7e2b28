"""The SHA-256 by which one knows again which text of a translator it is: on disk, and in a process that has loaded it."""

from __future__ import annotations

from pathlib import Path

from glupy import _core
from glupy.errors import TrustError
from glupy.loading import trust


def files(file: Path) -> list[Path]:
    """A translator's file, and of a package all its modules."""
    return sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]


def of(file: Path) -> str:
    """The SHA-256 of all of them. Raises TrustError, OSError."""
    return _core._sha256(b"".join(trust.read(each) for each in files(file))).hex()


def known(file: Path) -> str | None:
    """The same; None where it cannot be told."""
    try:
        return of(file)
    except (TrustError, OSError):
        return None
