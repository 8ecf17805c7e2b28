"""The administrator's folder of translators: what is put there and taken away, each in one step, and its links."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glupy.command import machine
from glupy.command.machine import Gluster
from glupy.command.problem import Problem
from glupy.command.sources import Source
from glupy.errors import TrustError
from glupy.loading import finding, trust

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def folder() -> Path:
    """The administrator's folder, made if it is missing. Raises Problem where it is not trusted."""
    path = finding.ADMINISTRATOR
    try:
        if not path.exists():
            path.mkdir(parents=True, mode=0o755)
            os.chmod(path, 0o755)
        trust.check_folder(path)
    except (TrustError, OSError) as error:
        raise Problem(f"nothing can be put into {path}: {error}") from None
    return path


@contextmanager
def staging(name: str) -> Iterator[Path]:
    """A folder beside the translators for what is not one yet, or no more. Its name is no translator's."""
    path = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=folder()))
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def copied(source: Source, where: Path) -> Source:
    """A copy of a translator that belongs to root and can be written by nobody else."""
    if not source.is_package:
        _check_regular(source.file)
        copy = where / source.file.name
        shutil.copyfile(source.file, copy)
    else:
        for file in source.files():
            _check_regular(file)
        top = shutil.copytree(source.file.parent, where / source.name,
                              ignore=shutil.ignore_patterns("__pycache__", ".*"))
        copy = Path(top) / source.file.name
    for path in [where, *where.rglob("*")]:
        os.chown(path, os.geteuid(), os.getegid())
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    return Source(source.name, copy)


def place(staged: Source, away: Path) -> Path:
    """Put a staged translator into the administrator's folder, in one step; what had its name goes to `away`."""
    target = folder() / (staged.name if staged.is_package else staged.file.name)
    other = folder() / (f"{staged.name}.py" if staged.is_package else staged.name)
    what = staged.file.parent if staged.is_package else staged.file
    if target.is_dir() and not target.is_symlink():
        _exchange(what, target)
    else:
        os.replace(what, target)
    if os.path.lexists(other):  # a package goes before a file, so what counts changes with this step or the one before
        os.replace(other, away / f"{staged.name}.other")
    return target


def take_away(name: str) -> bool:
    """Remove a translator from the administrator's folder. Whether there was one."""
    both = (finding.ADMINISTRATOR / name, finding.ADMINISTRATOR / f"{name}.py")
    found = [path for path in both if os.path.lexists(path)]
    if not found:
        return False
    with staging(name) as away:
        for number, path in enumerate(reversed(found)):  # the file first, as the package hides it
            os.replace(path, away / str(number))
    return True


def check_link(gluster: Gluster, name: str) -> None:
    """See to it that a link user/NAME would be glupy's. Raises Problem."""
    link = gluster.user_link(name)
    if os.path.lexists(link) and not is_ours(link):
        raise Problem(f"{link} is there already and is not glupy's; give the translator another name, or remove that "
                      "one")


def make_link(gluster: Gluster, name: str) -> None:
    """The link that `type user/NAME` needs, in one step."""
    link = gluster.user_link(name)
    link.parent.mkdir(exist_ok=True)
    fresh = link.parent / f".{name}.{os.getpid()}"
    fresh.symlink_to(machine.home() / "glupy.so")
    os.replace(fresh, link)


def remove_link(gluster: Gluster, name: str) -> bool:
    """Remove the link, if it is glupy's. Whether there was one."""
    link = gluster.user_link(name)
    if not os.path.lexists(link) or not is_ours(link):
        return False
    link.unlink()
    return True


def is_ours(link: Path) -> bool:
    """Whether a link leads to a glupy.so, this one or one of another build, there or gone."""
    return link.is_symlink() and Path(os.readlink(link)).name == "glupy.so"


def _check_regular(file: Path) -> None:
    if not file.is_file():
        raise Problem(f"{file} is no regular file; put the source itself there")


def _exchange(one: Path, other: Path) -> None:
    """Let two names change places."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) != 0:
        error = ctypes.get_errno()
        raise Problem(f"{other} cannot be replaced in one step: {os.strerror(error)}; remove it first")
