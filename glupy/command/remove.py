"""`glupy remove`: undo `glupy install`."""

from __future__ import annotations

import click

from glupy.command import machine, placing
from glupy.command.problem import Problem
from glupy.errors import LoadError
from glupy.loading import finding


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names for the shell to complete."""
    return [name for name in finding.available([finding.ADMINISTRATOR]) if name.startswith(incomplete)]


@click.command(short_help="Remove a translator that was installed.")
@click.argument("name", shell_complete=_complete)
def command(name: str) -> None:
    """Remove the translator NAME from /etc/glupy/translators, and the link by which volumes of type user/NAME find
    glupy. This takes root.

    Processes that run keep what they have loaded. A volume that still names it does not start again: take it out of the
    volume first. What comes with glupy, or lies in a folder of your own, is not removed.
    """
    machine.need_root("glupy remove")
    finding.module_name("user/glupy", {"module": name})
    gone = placing.take_away(name)
    left = _elsewhere(name)
    linked = not left and placing.remove_link(machine.gluster(), name)
    if not gone and not linked:
        raise Problem(f"{name} is not in {finding.ADMINISTRATOR}" + (f" but in {left}, where it stays" if left else
                                                                     "; `glupy list` shows what there is"))


def _elsewhere(name: str) -> str | None:
    """Where else a translator of the name is: then the link stays."""
    try:
        return str(finding.find(name, finding.configuration().folders))
    except LoadError:
        return None
