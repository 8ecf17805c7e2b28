"""`glupy install`: a translator, checked, into the folder where GlusterFS's processes look."""

from __future__ import annotations

from dataclasses import replace

import click

from glupy.command import check, machine, placing, sources
from glupy.command.findings import ERROR, Finding
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

    Do the same on every machine whose bricks or mounts have the translator.
    """
    machine.need_root("glupy install")
    source = sources.named(file)
    sources.check_found(source)
    gluster = machine.gluster()
    _check_version(gluster)
    placing.check_link(gluster, source.name)
    with placing.staging(source.name) as stage, placing.staging(source.name) as away:
        staged = placing.copied(source, stage)
        _check(staged, source)
        target = placing.place(staged, away)
        placing.make_link(gluster, source.name)
    click.echo(f"{target} is installed; a volume of type user/{source.name} has it when its graph starts")
    _warn_of_others(source.name)


def _check_version(gluster: machine.Gluster) -> None:
    problem = machine.version_problem(gluster) or machine.link_problem(gluster.link)
    if problem:
        raise Problem(problem)


def _check(staged: Source, source: Source) -> None:
    """Say what is found about the copy, by the name of the original. Raises Problem for an error."""
    found = [_renamed(each, staged, source) for each in check.errors(staged)]
    for each in found:
        click.echo(each.styled(), err=True)
    if any(each.level == ERROR for each in found):
        raise Problem(f"{source.file} is not installed; mend what stands above first")


def _renamed(found: Finding, staged: Source, source: Source) -> Finding:
    old, new = str(staged.folder), str(source.folder)
    return replace(found, file=found.file.replace(old, new), text=found.text.replace(old, new))


def _warn_of_others(name: str) -> None:
    """Say so if another translator of the name goes first."""
    first = finding.find(name, finding.configuration().folders)
    if not first.is_relative_to(finding.ADMINISTRATOR):
        raise Problem(f"it will not be found, since {first} goes first; remove that, or take its folder out of "
                      f"{finding.CONFIGURATION}")
