"""A translator's file that is named on the command line."""

from __future__ import annotations

import keyword
import os
from dataclasses import dataclass
from pathlib import Path

from glupy.command.problem import Problem
from glupy.errors import TrustError
from glupy.loading import checksums, finding, trust


@dataclass(frozen=True)
class Source:
    """The file of a translator, and the name and folder by which GlusterFS's process finds it."""

    name: str
    file: Path

    @property
    def folder(self) -> Path:
        """Where a process has to look for the name."""
        return self.file.parents[1] if self.is_package else self.file.parent

    @property
    def is_package(self) -> bool:
        return self.file.name == "__init__.py"

    def files(self) -> list[Path]:
        """The file, and of a package all its modules."""
        return checksums.files(self.file)


def named(path: str) -> Source:
    """What the path of a file, or of a package's folder, stands for. Raises Problem."""
    file = Path(os.path.abspath(path))
    if file.is_dir():
        file /= "__init__.py"
        if not file.exists():
            raise Problem(f"{path} is a folder without __init__.py; name the translator's file")
    if not file.exists():
        raise Problem(f"{path}: no such file; `glupy new NAME` begins one" if not file.is_symlink() else
                      f"{path} is a link that leads to nothing; name the translator's file")
    source = Source(file.parent.name if file.name == "__init__.py" else file.stem, file)
    if file.suffix != ".py":
        raise Problem(f"{path} is not called NAME.py, as GlusterFS's process will look for it; rename it to "
                      f"{file.stem}.py")
    if not (source.name.isascii() and source.name.isidentifier()) or keyword.iskeyword(source.name):
        good = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in source.name)
        raise Problem(f"{path}: a volfile cannot name a module {source.name!r}; rename it, to letters, digits and "
                      f"underscores such as {good.lstrip('_0123456789') or 'example'}.py")
    return source


def checksum(source: Source) -> str:
    """The SHA-256 of a translator's file, and of a package of all its modules. Raises TrustError, OSError."""
    return checksums.of(source.file)


def check_found(source: Source) -> None:
    """See to it that a process that looks for the name in the folder finds this file. Raises Problem."""
    found = finding.in_folder(source.name, source.folder)
    if found != source.file:
        raise Problem(f"{source.file} would not be found: {found} goes first, as in Python; move or rename one of them")


def check_trusted(source: Source) -> None:
    """See to it that a process of this user's would run the file. Raises Problem."""
    try:
        trust.read(source.file)
    except TrustError as error:
        raise Problem(str(error)) from None
    except OSError as error:
        raise Problem(f"{source.file} cannot be read: {error.strerror}; see to it that you may") from None
