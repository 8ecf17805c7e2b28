"""A layer of a volume, changed.

glusterd writes volfiles before it stores the option that was set, so its filters see options as they were. Hence two steps:
the layer's key, which changes nothing yet, and then another option that has glusterd write volfiles once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from glupy.command.problem import Problem
from glupy.command.volumes import checking, gluster
from glupy.command.volumes.gluster import Peer, Volume
from glupy_filter import layers
from glupy_filter.layers import Layer


def store(volume: Volume, layer: Layer) -> None:
    """The first step."""
    gluster.gluster("volume", "set", volume.name, layers.PREFIX + layer.name, layer.value)


def apply(volume: Volume) -> None:
    """The second one."""
    number = volume.options.get(layers.APPLIED, "0")
    gluster.gluster("volume", "set", volume.name, layers.APPLIED, str(int(number) + 1 if number.isdigit() else 1))


def attached(volume: Volume, name: str) -> Layer:
    """A layer that the volume has. Raises Problem."""
    if name not in volume.layers:
        have = f"it has {', '.join(volume.layers)}" if volume.layers else f"glupy attach {volume.name} {name} puts it there"
        raise Problem(f"volume {volume.name} has no layer {name}; {have}")
    return volume.layers[name]


def options(words: tuple[str, ...]) -> dict[str, str]:
    """Words OPTION=VALUE. Raises Problem."""
    found = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign:
            raise Problem(f"{word!r} is no OPTION=VALUE; for example limit=1000")
        found[key.replace("_", "-")] = text
    return found


def with_options(layer: Layer, given: Mapping[str, str]) -> Layer:
    """A layer with some of its options changed; without those that are given no value. Raises Problem."""
    try:
        for key, text in given.items():
            layers.check_option(key, text or "none")
    except ValueError as error:
        raise Problem(f"{error}; choose another") from None
    return layer.with_options({key: text for key, text in {**layer.options, **given}.items() if text})


def live(volume: Volume, layer: Layer) -> None:
    """Other options for a layer that is there: checked, then in force at once, in all bricks and clients."""
    peers = gluster.peers()
    checking.ready(volume, layer, peers)
    store(volume, layer)
    apply(volume)
    for sentence in _away(peers):
        click.echo(sentence, err=True)


def _away(peers: list[Peer]) -> Iterator[str]:
    for peer in peers:
        if not peer.connected:
            yield f"{peer.host} cannot be reached; it will have this when its glusterd is back"
