"""The filter: rewrites one volfile as the options of its volume say."""

from __future__ import annotations

import sys
from pathlib import Path

from glupy_filter import bricks, layers
from glupy_filter.bricks import Brick
from glupy_filter.graphs import Graph
from glupy_filter.layers import CLIENT, Layer


def rewrite(path: Path) -> list[str]:
    """Rewrite the volfile of a brick or of clients; leave any other alone. What went wrong."""
    try:
        asked, wrong = layers.of_pairs(layers.read_pairs((path.parent / "info").read_text(errors="surrogateescape")))
    except FileNotFoundError:
        return []
    if path in client_volfiles(path.parent):
        wanted = {name: layer for name, layer in asked.items() if layer.place == CLIENT}
    else:
        brick = next((each for each in bricks.of(path.parent) if each.volfile == path), None) or _new_brick(path)
        if brick is None:
            return []
        wanted = _for_brick(brick, {name: layer for name, layer in asked.items() if layer.in_bricks})
    return wrong + _put(path, wanted)


def client_volfiles(folder: Path) -> list[Path]:
    """What a volume's clients get: the first, those on the nodes themselves, such as glfsheal; the second, all others."""
    return [folder / f"{kind}{folder.name}.tcp-fuse.vol" for kind in ("trusted-", "")]


def _new_brick(path: Path) -> Brick | None:
    """The brick of a volfile, if glusterd has not stored it yet: add-brick writes volfiles first. None: it is no brick's."""
    folder = path.parent
    directory = Graph(path.read_text(errors="surrogateescape"), folder.name).directory()
    end = f".{(directory or '').replace('/', '-').removeprefix('-')}.vol"
    if directory is None or not path.name.startswith(f"{folder.name}.") or not path.name.endswith(end):
        return None
    return Brick(folder, path.name[len(folder.name) + 1:-len(end)], directory)


def _for_brick(brick: Brick, asked: dict[str, Layer]) -> dict[str, Layer]:
    """The layers of a brick: those that its process has, with options as they are now, or else those that are asked for."""
    if brick.pid is None:
        brick.note(asked)
        return asked
    kept = brick.started_with()
    return {name: asked[name] if name in asked and asked[name].place == old.place else old for name, old in kept.items()}


def _put(path: Path, wanted: dict[str, Layer]) -> list[str]:
    text = path.read_text(errors="surrogateescape")
    graph = Graph(text, path.parent.name)
    if not wanted and not graph.layers():
        return []
    graph.strip()
    homeless = graph.insert(wanted.values())
    bricks.replace(path, f"{graph}\n")
    return [f"{path}: no place {layer.place} for {layer.name}" for layer in homeless]


def main() -> int:
    """What glusterd starts, with a volfile's path."""
    for sentence in rewrite(Path(sys.argv[1])):
        print(f"glupy-filter: {sentence}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
