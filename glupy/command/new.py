"""`glupy new`: a translator to begin with, and its tests, which are made with glupy.testing."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click

from glupy.command.problem import Problem
from glupy.command.sources import Source, check_trusted

#: Whole translators, whose class is called Skeleton, and tests of theirs.
SKELETONS = Path(__file__).resolve().parent / "skeletons"

LIKE = ("policy", "content", "cache", "record", "fault")


@click.command(short_help="Begin a translator, with its tests.")
@click.argument("name")
@click.option("--like", type=click.Choice(LIKE), default="record", show_default=True,
              help="What it is to do: refuse operations (policy), change what files contain (content), answer from "
              "memory (cache), tell who did what (record), or fail on purpose (fault).")
def command(name: str, like: str) -> None:
    """Write NAME.py, a translator that works, and test_NAME.py, its tests, into the current directory, and print how
    to run both.

    NAME is made of letters, digits and underscores. Files that are there already are left alone.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise click.UsageError(f"{name} cannot be the name of a translator: take letters, digits and underscores, such "
                               f"as {_proposed(name)}")
    file, test = Path(f"{name}.py"), Path(f"test_{name}.py")
    for path in (file, test):
        if path.exists():
            raise Problem(f"{path} is there already; choose another name, or remove it")
    _write(file, filled((SKELETONS / f"{like}.py").read_text(), name))
    parts = ("test_head.py.in", f"test_{like}.py.in")
    _write(test, filled("".join((SKELETONS / part).read_text() for part in parts), name))
    click.echo(f"glupy run {file}\npytest {test}")
    try:
        check_trusted(Source(name, file.absolute()))
    except Problem as problem:
        click.echo(f"glupy new: it will not run here: {problem.message}", err=True)


def _proposed(name: str) -> str:
    """A name that would do, close to one that does not."""
    found = re.sub(r"[^a-z0-9_]", "_", name.lower()).lstrip("_0123456789") or "example"
    return f"my_{found}" if keyword.iskeyword(found) else found


def filled(text: str, name: str) -> str:
    """A skeleton under a name."""
    return re.sub(r"\bSkeleton\b", class_name(name), re.sub(r"\bskeleton\b|(?<=test_)skeleton\b", name, text))


def class_name(name: str) -> str:
    """CamelCase of a module's name."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or name


def _write(path: Path, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Problem(f"{path} cannot be written here: {error.strerror}; go to a folder of your own") from None
