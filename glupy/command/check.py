"""`glupy check`: what loading would say of a translator, without a mount, and what experience says."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from glupy.command import output, reading, sources, typing_check, warnings
from glupy.command.findings import ERROR, Finding
from glupy.command.problem import Problem
from glupy.command.sources import Source
from glupy.errors import LoadError


@click.command(short_help="Say what is wrong with a translator, without a mount.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--ignore", "ignored", multiple=True, metavar="NAME",
              help="Leave out the warning of this name. May be repeated.")
@click.option("--mypy/--no-mypy", default=True, help="Whether to run mypy on the files, where it is installed.")
@output.json_option
def command(files: Sequence[str], ignored: Sequence[str], mypy: bool, as_json: bool) -> None:
    """Say what is wrong with the translators in FILES, as far as that can be told without a graph: all that would keep
    GlusterFS from loading them, and warnings from experience. Anybody may run it.

    A file is imported for that, as loading does, and by the same rule: only if nobody else could have written it.
    init() is not called, and no option has a value.

    Each finding is one line, FILE:LINE: error or warning: TEXT [NAME]. A line `# glupy: ignore NAME` in the file leaves
    that warning out for the file, and the same comment behind code for its line alone; several names are separated by
    commas. The names are explained in docs/command.md.

    The exit status is 0 if nothing was found, and 1 if anything was.
    """
    for name in ignored:
        if name not in warnings.EXPLANATIONS:
            raise click.UsageError(f"--ignore {name} names no warning; there are {', '.join(warnings.EXPLANATIONS)}")
    found = [finding for file in files for finding in check(sources.named(file), ignored, mypy)]
    if as_json:
        output.print_json([finding.as_dict() for finding in found])
    else:
        for finding in found:
            click.echo(finding.styled())
    sys.exit(1 if found else 0)


def check(source: Source, ignored: Sequence[str] = (), mypy: bool = True) -> list[Finding]:
    """All findings about a translator. Raises Problem if its file cannot be read at all."""
    found = errors(source)
    if not any(finding.level == ERROR for finding in found) or source.file.exists():
        found += typing_check.findings(source.file) if mypy else []
    return [finding for finding in found if finding.name not in ignored]


def errors(source: Source) -> list[Finding]:
    """What loading says, and if that is nothing, what experience says."""
    try:
        sources.check_found(source)
        with reading.read(source) as translator:
            return warnings.findings(translator)
    except LoadError as error:
        return [Finding(error.file or str(source.file), error.line, ERROR, "load", error.reason)]
