"""`glupy list`: the translators on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click

from glupy.command import output
from glupy.errors import TrustError
from glupy.loading import finding, trust


@dataclass(frozen=True)
class Found:
    """A translator's file in one of the folders."""

    name: str
    file: str
    problem: str | None  # why a process would not load it

    def row(self) -> tuple[str, str, str]:
        return self.name, self.file, self.problem or "trusted"


@click.command(short_help="List the translators on this machine.")
@output.json_option
def command(as_json: bool) -> None:
    """List the translators that GlusterFS's processes find on this machine: in the folders that /etc/glupy/glupy.conf
    names, in /etc/glupy/translators, and among those that come with glupy.

    Each has a line with its name, its file, and `trusted`, or why it would not be loaded: others could have written it,
    or a file of the same name goes first. With --json it is an object with name, file and problem, which is null for
    one that is trusted. Nothing is imported.
    """
    found = list(translators())
    if as_json:
        output.print_json([asdict(each) for each in found])
    else:
        output.print_table([each.row() for each in found], ("bold", "", "dim"))


def translators() -> Iterator[Found]:
    """All of them, in the order of the folders. Raises LoadError where the configuration is wrong."""
    first: dict[str, str] = {}
    for folder in finding.configuration().folders:
        for name in finding.available([folder]):
            file = finding.in_folder(name, folder)
            if file is None:
                continue
            problem = f"{first[name]} goes first" if name in first else _distrust(str(file))
            first.setdefault(name, str(file))
            yield Found(name, str(file), problem)


def _distrust(file: str) -> str | None:
    """Why a file is not trusted."""
    try:
        trust.read(file)
    except TrustError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None
