"""What a volume's options say of its layers: a key user.glupy.NAME for each, with all that there is to say in its value.

    user.glupy.audit=posix file=/var/log/audit%20trail enabled=on

The first word is the layer's place: a position in bricks, `client`, or `off`. glusterd cannot take back a key of user.*, so
`off` stands for a layer that was taken out. One key holds all of a layer, so that one step changes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "user.glupy."

#: Set to make glusterd write volfiles again: its filters find the options as they were before a `volume set`, not after.
APPLIED = "user.glupy-applied"

CLIENT, OFF = "client", "off"

#: Where a layer can stand in a brick, the lowest first: directly above the translator of that type.
POSITIONS: Mapping[str, str] = {
    "posix": "storage/posix", "trash": "features/trash", "changelog": "features/changelog",
    "bitrot-stub": "features/bitrot-stub", "access-control": "features/access-control", "locks": "features/locks",
    "worm": "features/worm", "read-only": "features/read-only", "leases": "features/leases", "upcall": "features/upcall",
    "io-threads": "performance/io-threads", "selinux": "features/selinux", "marker": "features/marker",
    "barrier": "features/barrier", "index": "features/index", "quota": "features/quota",
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_OPTION = re.compile(r"[A-Za-z0-9_.-]+")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.,:/@+")
_NEVER = "`\n\r\0"  # GlusterFS runs what stands in backquotes


class Layer:
    """A translator, its place, and its options as text."""

    def __init__(self, name: str, place: str, options: Mapping[str, str] | None = None) -> None:
        self.name, self.place, self.options = name, place, dict(options or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Layer {self.name}={self.value}>"

    @property
    def value(self) -> str:
        """As the key's value has it."""
        return " ".join([self.place, *(f"{key}={_quoted(text)}" for key, text in self.options.items())])

    @property
    def in_bricks(self) -> bool:
        return self.place in POSITIONS

    def with_options(self, options: Mapping[str, str]) -> Layer:
        return Layer(self.name, self.place, options)


def parse(name: str, value: str) -> Layer:
    """The layer that a key and its value stand for. Raises ValueError."""
    place, *words = value.split(" ")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no translator's name")
    if place not in (*POSITIONS, CLIENT, OFF):
        raise ValueError(f"{place!r} is no position: it is one of {', '.join(POSITIONS)}, or client")
    options = {}
    for word in words:
        key, sign, text = word.partition("=")
        options[key] = check_option(key, _unquoted(text)) if sign else check_option(key, "")
    return Layer(name, place, options)


def check_option(key: str, text: str) -> str:
    """The value of an option, if a volfile can hold it. Raises ValueError."""
    if not _OPTION.fullmatch(key):
        raise ValueError(f"{key!r} is no option's name: letters, digits, dots, underscores and hyphens")
    if not text or any(letter in text for letter in _NEVER):
        raise ValueError(f"option {key} is {text!r}: a volfile can hold no empty value, and none with a backquote or a line "
                         "break")
    return text


def of_pairs(pairs: Mapping[str, str]) -> tuple[dict[str, Layer], list[str]]:
    """The layers that options of a volume ask for, by name and in order, and what is wrong with others."""
    found, wrong = {}, []
    for key, value in sorted(pairs.items()):
        if key.startswith(PREFIX):
            try:
                layer = parse(key[len(PREFIX):], value)
            except ValueError as error:
                wrong.append(f"{key} is {value!r}: {error}")
                continue
            if layer.place != OFF:
                found[layer.name] = layer
    return found, wrong


def read_pairs(text: str) -> dict[str, str]:
    """Lines `key=value`, as glusterd writes them."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def written(layers: Mapping[str, Layer]) -> str:
    """Layers in lines of that kind."""
    return "".join(f"{PREFIX}{layer.name}={layer.value}\n" for layer in layers.values())


def _quoted(text: str) -> str:
    """One word of plain letters, digits and a few signs."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


def _unquoted(text: str) -> str:
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")
