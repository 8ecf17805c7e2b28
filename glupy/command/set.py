"""`glupy set`: options of a translator under a volume, checked and then in force on all nodes."""

from __future__ import annotations

import click

from glupy.command import machine
from glupy.command.volumes import changing, gluster


@click.command(short_help="Change options of a volume's translator.")
@click.argument("volume")
@click.argument("name")
@click.argument("words", metavar="OPTION=VALUE...", nargs=-1, required=True)
def command(volume: str, name: str, words: tuple[str, ...]) -> None:
    """Change options of the translator NAME under VOLUME. This takes root.

    The values are checked against what the translator declares, on each node, before anything is changed; then they are in
    force in all bricks and clients at once, without a restart. An OPTION= without a value has its default again.
    """
    machine.need_root("glupy set")
    found, = gluster.volumes(volume)
    layer = changing.with_options(changing.attached(found, name), changing.options(words))
    changing.live(found, layer)
    click.echo(f"{volume}: {name} has {' '.join(layer.value.split(' ')[1:]) or 'its default options'}")
