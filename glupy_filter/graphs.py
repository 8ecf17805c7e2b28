"""A volfile that glusterd has written, as text: layers of ours are put in and taken out, all else stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from glupy_filter.layers import CLIENT, POSITIONS, Layer

_VOLUME = re.compile(r"^volume (\S+)\n(.*?)^end-volume\n", re.M | re.S)
_TYPE = re.compile(r"^    type (\S+)$", re.M)
_BELOW = re.compile(r"^    subvolumes (.+)$", re.M)
_DIRECTORY = re.compile(r'^    option directory "?(.+?)"?$', re.M)
_OPTION = re.compile(r'^    option (\S+) "((?:[^"\\]|\\.)*)"$', re.M)


class Graph:
    """The volumes of one volfile, in order: a volume comes after all that it stands on."""

    def __init__(self, text: str, volume: str) -> None:
        self.mark = f"{volume}-glupy-"
        self.bodies: dict[str, str] = dict(_VOLUME.findall(text))

    def __str__(self) -> str:
        return "\n".join(f"volume {name}\n{body}end-volume\n" for name, body in self.bodies.items())

    def type(self, name: str) -> str:
        found = _TYPE.search(self.bodies[name])
        return found[1] if found else ""

    def below(self, name: str) -> list[str]:
        """What a volume stands on."""
        found = _BELOW.search(self.bodies[name])
        return found[1].split() if found else []

    def directory(self) -> str | None:
        """Where the brick is whose graph it is; None where it is no brick's."""
        posix = next((name for name in self.bodies if self.type(name) == "storage/posix"), None)
        found = _DIRECTORY.search(self.bodies[posix]) if posix else None
        return found[1] if found else None

    def place(self, where: str) -> str | None:
        """The volume above which a layer of that place goes; None where the graph has none."""
        if where != CLIENT:
            return next((name for name in self.bodies if self.type(name) == POSITIONS.get(where)), None)
        top = next(reversed(self.bodies), "")
        below = self.below(top) if top and self.type(top) == "debug/io-stats" else []
        return below[0] if len(below) == 1 else None

    def layers(self) -> dict[str, Layer]:
        """Those of ours that are in it, by name. Their place is not told by a volfile: it is what they stand on."""
        found = {}
        for name, body in self.bodies.items():
            if name.startswith(self.mark):
                options = {key: re.sub(r"\\(.)", r"\1", text) for key, text in _OPTION.findall(body)}
                found[name[len(self.mark):]] = Layer(name[len(self.mark):], self._place_of(name), options)
        return found

    def strip(self) -> None:
        """Take out all of ours."""
        for name in [name for name in self.bodies if name.startswith(self.mark)]:
            below = self.below(name)
            del self.bodies[name]
            self._point(name, below[0])

    def insert(self, layers: Iterable[Layer]) -> list[Layer]:
        """Put layers in, of those at one position the first the lowest. Those for which there is no place."""
        homeless = []
        tops: dict[str, str] = {}
        for layer in layers:
            base = tops.get(layer.place) or self.place(layer.place)
            if base is None:
                homeless.append(layer)
                continue
            tops[layer.place] = self._put(layer, base)
        return homeless

    def _put(self, layer: Layer, base: str) -> str:
        name = self.mark + layer.name
        self._point(base, name)
        body = f"    type user/{layer.name}\n"
        body += "".join(f"    option {key} {_written(text)}\n" for key, text in layer.options.items())
        body += f"    subvolumes {base}\n"
        items = list(self.bodies.items())
        items.insert(list(self.bodies).index(base) + 1, (name, body))
        self.bodies = dict(items)
        return name

    def _point(self, old: str, new: str) -> None:
        """Have what stands on one volume stand on another one."""
        for name in self.bodies:
            below = self.below(name)
            if old in below:
                line = "    subvolumes " + " ".join(new if each == old else each for each in below)
                self.bodies[name] = _BELOW.sub(lambda match: line, self.bodies[name])

    def _place_of(self, name: str) -> str:
        base = name
        while base.startswith(self.mark):
            base = self.below(base)[0]
        return next((place for place, kind in POSITIONS.items() if kind == self.type(base)), CLIENT)


def _written(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
