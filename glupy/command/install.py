"""`glupy install`: a translator, checked, into the folder where GlusterFS's processes look."""

from __future__ import annotations

import click

from glupy.command import installing, machine, sources
from glupy.command.installing import Copy
from glupy.command.problem import Problem
from glupy.command.sources import Source
from glupy.loading import finding


@click.command(short_help="Install a translator on this machine.")
@click.argument("file")
def command(file: str) -> None:
    """Put the translator in FILE, a file or a package's folder, into /etc/glupy/translators, belonging to root and
    writable by nobody else, and make the link by which volumes of type user/NAME find glupy. This takes root.

    It is copied and the copy is checked first, as `glupy check` does: with an error nothing is changed, warnings are
    printed. A translator of the same name is replaced in one step; processes that run keep what they have loaded. FILE
    itself may be anybody's, since what is installed is what was checked: read it before.

    Do the same on every machine whose bricks or mounts have the translator; on the nodes of a cluster glupy push may do it.
    """
    machine.need_root("glupy install")
    source = sources.named(file)
    sources.check_found(source)
    with installing.copied(source) as copy:
        say_findings(copy, source)
        target = installing.put(copy)
    click.echo(f"{target} is installed; a volume of type user/{source.name} has it when its graph starts")
    first = hidden_by(source.name)
    if first:
        raise Problem(first)


def say_findings(copy: Copy, source: Source) -> None:
    """Print what is found about a copy. Raises Problem for an error."""
    for each in copy.found:
        click.echo(each.styled(), err=True)
    if copy.errors:
        raise Problem(f"{source.file} is not installed; mend what stands above first")


def hidden_by(name: str) -> str | None:
    """What is wrong if another translator of the name goes before the one in the administrator's folder."""
    first = finding.find(name, finding.configuration().folders)
    if first.is_relative_to(finding.ADMINISTRATOR):
        return None
    return f"it will not be found, since {first} goes first; remove that, or take its folder out of {finding.CONFIGURATION}"
