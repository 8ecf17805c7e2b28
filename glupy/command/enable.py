"""`glupy enable`: the option `enabled` of a translator under a volume."""

from __future__ import annotations

import click

from glupy.command import machine
from glupy.command.volumes import changing, gluster


@click.command(short_help="Have a volume's translator work again.")
@click.argument("volume")
@click.argument("name")
def command(volume: str, name: str) -> None:
    """Have the translator NAME under VOLUME work again after glupy disable. This takes root.

    Nothing is restarted: it is its option enabled, which is in force in all bricks and clients at once.
    """
    machine.need_root("glupy enable")
    found, = gluster.volumes(volume)
    changing.live(found, changing.with_options(changing.attached(found, name), {"enabled": "on"}))
    click.echo(f"{volume}: {name} works")
