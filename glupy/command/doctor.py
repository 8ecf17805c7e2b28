"""`glupy doctor`: everything that has to fit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click

from glupy.command import output
from glupy.command.health import build, cluster, processes, translators
from glupy.command.health.look import Look

LOOKS: tuple[Callable[[], Iterator[Look]], ...] = (
    build.gluster, build.python, build.build, build.search_path, build.links,
    translators.configuration, translators.folders, translators.translators, translators.left_over,
    processes.fuse, processes.glusterd, cluster.programs, processes.mounts, processes.runs, processes.processes,
    processes.volfiles,
)


@click.command(short_help="Look at everything that has to fit.")
@click.option("-q", "--quiet", is_flag=True, help="Print only what is not well.")
@output.json_option
def command(quiet: bool, as_json: bool) -> None:
    """Look at everything that has to fit for a translator to run here: GlusterFS, Python, this build of glupy, the
    links in GlusterFS's directory, the configuration, the folders of translators and whether they are trusted, PATH,
    FUSE, glusterd and what it runs of glupy's, mounts, and the volfiles and logs of GlusterFS's running processes.

    Each thing has a line. What is not well is followed by a line with what mends it, a command where one does.
    Nothing is changed. As root it sees all processes.

    With --json it prints a list of objects with what, found, mend and well. The exit status is 0 if all is well, and
    1 if anything is not.
    """
    looks = [look for each in LOOKS for look in each() if not quiet or not look.well]
    if as_json:
        output.print_json([look.as_dict() for look in looks])
    else:
        for look in looks:
            _print(look)
    sys.exit(0 if all(look.well for look in looks) else 1)


def _print(look: Look) -> None:
    sign = click.style("ok ", fg="green") if look.well else click.style("BAD", fg="red", bold=True)
    click.echo(f"{sign} {look.what}: {look.found}")
    if look.mend:
        click.echo(f"    {click.style(look.mend, bold=True)}")
