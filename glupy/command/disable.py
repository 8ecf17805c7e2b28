"""`glupy disable`: the option `enabled` of a translator under a volume."""

from __future__ import annotations

import click

from glupy.command import machine
from glupy.command.volumes import changing, gluster


@click.command(short_help="Have all operations pass by a volume's translator.")
@click.argument("volume")
@click.argument("name")
def command(volume: str, name: str) -> None:
    """Have all operations pass by the translator NAME under VOLUME, as if it were not there. This takes root.

    Nothing is restarted: it is its option enabled, which is in force in all bricks and clients at once. The translator stays
    in the graph, with its tasks; glupy detach takes it out.
    """
    machine.need_root("glupy disable")
    found, = gluster.volumes(volume)
    changing.live(found, changing.with_options(changing.attached(found, name), {"enabled": "off"}))
    click.echo(f"{volume}: {name} is passed by")
