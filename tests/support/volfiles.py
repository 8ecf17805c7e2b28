"""Volfiles for tests: of any shape, and with values that glupy.volfiles would not write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Layer = tuple[str, str, Mapping[str, object]]


def layer(name: str, type: str, /, **options: object) -> Layer:
    """One translator of a graph; underscores in option names stand for dashes."""
    return name, type, {key.replace("_", "-"): value for key, value in options.items()}


def volfile(layers: Sequence[Layer]) -> str:
    """A graph of layers, the bottom one first, each with the one before as its subvolume, or with those that its option
    `subvolumes` names."""
    text = ""
    below: object = None
    for name, type, options in layers:
        text += f"volume {name}\n    type {type}\n"
        options = dict(options)
        below = options.pop("subvolumes", below)
        # A volume without any line in it is a syntax error to GlusterFS.
        for key, value in (options or ({} if below else {"unused": "1"})).items():
            text += f"    option {key} {value}\n"
        if below:
            text += f"    subvolumes {below}\n"
        text += "end-volume\n\n"
        below = name
    return text


def posix(directory: object, **options: object) -> list[Layer]:
    """storage/posix, with options, and features/locks, the usual bottom of a single-process graph."""
    return [layer("brick", "storage/posix", directory=directory, **options), layer("locks", "features/locks")]


def posix_again(directory: object) -> list[Layer]:
    """The same where several graphs of a process have one folder: by the file with which storage/posix checks its own
    health, each would see what the others have written, and end the process."""
    return posix(directory, health_check_interval=0)
