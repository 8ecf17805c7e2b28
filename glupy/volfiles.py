"""Volfiles: the text that a graph of layers is built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from glupy.errors import quoted


@dataclass(frozen=True)
class Layer:
    """One translator of a graph."""

    name: str
    type: str
    options: Mapping[str, str] = field(default_factory=dict)


def volfile(layers: Sequence[Layer]) -> str:
    """A graph of layers, the bottom one first, each over the one before. Raises ValueError."""
    text, below = "", ""
    for layer in layers:
        text += f"volume {layer.name}\n    type {layer.type}\n"
        text += "".join(f"    option {key} {_written(key, value)}\n" for key, value in layer.options.items())
        text += f"    subvolumes {below}\n" if below else ""
        text += "end-volume\n\n"
        below = layer.name
    return text


def _written(key: str, value: str) -> str:
    """A value as a volfile has it. GlusterFS runs what stands in backquotes, wherever it stands."""
    if "`" in value or "\n" in value or "\0" in value or not value:
        raise ValueError(f"{key} is {quoted(value)}: a volfile can hold no empty value, and none with a backquote or a line "
                         "break; leave it out, or choose another")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
