"""The rooms of the core (``src/core/ROOM``): who may use whom, as their READMEs say, held against what was built.

An arrow is a symbol that one object file needs and another defines, or an ``#include``. Files beside the rooms
(module.c) stand above them all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"

#: What files that stand in no room's folder are called here.
TOP = "top"

REMEDY = ("Move the code to the room where it belongs, or have the lower room take what it needs: as an argument, or as a "
          "function that module.c registers (see struct glupy_thread_duties in python/thread.h). The rooms are drawn in "
          "docs/design.md, section 3.")


@dataclass(frozen=True)
class Arrow:
    """`user` (a file below src/core) needs `what` of `owner`."""

    user: str
    owner: str
    what: str


def room(file: str) -> str:
    """The folder of src/core that a file stands in."""
    first, slash, _ = file.partition("/")
    return first if slash else TOP


def may_use(folder: Path) -> dict[str, set[str]]:
    """What the READMEs allow, by room."""
    allowed = {}
    for readme in sorted(folder.glob("*/README.md")):
        line = re.search(r"^May use: ([^.]*)\.$", readme.read_text(), re.MULTILINE)
        assert line, f"{readme}: there is no line `May use: ROOM, ROOM.`"
        names = {name.strip() for name in line[1].split(",")} - {"no other room"}
        allowed[readme.parent.name] = names
    return allowed


def mistakes(arrows: Iterable[Arrow], allowed: Mapping[str, set[str]]) -> list[str]:
    """What a newcomer is to be told, a text for each arrow that no README allows."""
    found = []
    for arrow in sorted(arrows, key=lambda arrow: (arrow.user, arrow.owner, arrow.what)):
        lower, upper = room(arrow.user), room(arrow.owner)
        if lower in (TOP, upper) or upper in allowed[lower]:
            continue
        found.append(f"src/core/{arrow.user} (room {lower}) uses {arrow.what} of src/core/{arrow.owner} (room {upper}), but "
                     f"src/core/{lower}/README.md does not say that {lower} may use {upper}. {REMEDY}")
    return found


def homeless(files: Iterable[str], allowed: Mapping[str, set[str]]) -> list[str]:
    return [f"src/core/{file}: {room(file)} is no room: it has no README.md. Give it one as the others have, or put the file "
            f"where its concern lives" for file in sorted(files) if room(file) not in {TOP, *allowed}]


def in_order(allowed: Mapping[str, set[str]]) -> list[str]:
    """The rooms, each after all that it may use. ValueError when some may use each other."""
    order: list[str] = []
    left = dict(allowed)
    while left:
        ready = sorted(name for name, uses in left.items() if uses <= set(order))
        if not ready:
            raise ValueError(f"these rooms may use each other in a circle, or a room that does not exist: {sorted(left)}")
        order += ready
        for name in ready:
            del left[name]
    return order


def object_files() -> dict[str, Path]:
    """The core's object files, by their source below src/core, as the build that is tested has them."""
    build = Path(os.environ["GLUPY_BUILD"])
    objects = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        output = Path(entry["directory"], entry["output"])
        source = os.path.normpath(Path(entry["directory"], entry["file"]))
        if re.fullmatch(r"_core\..*\.p", output.parent.name):
            objects[source.partition("/src/core/")[2]] = output
    return objects


def symbols(file: Path) -> tuple[set[str], set[str]]:
    """What an object file defines for others, and what it needs of others."""
    defined, needed = set(), set()
    # gcc's own nm also reads what is compiled for link-time optimisation.
    for line in subprocess.run(["gcc-nm", file], check=True, capture_output=True, text=True).stdout.splitlines():
        *_, kind, name = line.split()
        if kind == "U":
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, needed


def symbol_arrows(objects: Mapping[str, Path]) -> list[Arrow]:
    tables = {source: symbols(file) for source, file in objects.items()}
    owners = {name: source for source, (defined, _) in tables.items() for name in defined}
    return [Arrow(source, owners[name], f"the symbol {name}") for source, (_, needed) in tables.items()
            for name in needed if owners.get(name, source) != source]


def sources(folder: Path) -> list[str]:
    return [str(file.relative_to(folder)) for file in folder.rglob("*") if file.suffix in (".c", ".h", ".S")]


def include_arrows(folder: Path) -> list[Arrow]:
    return [Arrow(source, header, "the header") for source in sources(folder)
            for header in re.findall(r'^#include "([^"]+)"', (folder / source).read_text(), re.MULTILINE)]


@pytest.fixture(scope="module")
def objects() -> dict[str, Path]:
    return object_files()


def test_each_file_stands_in_a_room(objects: dict[str, Path]) -> None:
    assert len(objects) > 60
    assert not homeless({*objects, *sources(CORE)}, may_use(CORE))


def test_the_rooms_have_an_order() -> None:
    order = in_order(may_use(CORE))
    assert order[0] == "base" and set(order) == {file.name for file in CORE.iterdir() if file.is_dir()}


def test_no_symbol_of_a_room_above_is_used(objects: dict[str, Path]) -> None:
    arrows = symbol_arrows(objects)
    assert len(arrows) > 500
    assert not mistakes(arrows, may_use(CORE))


def test_no_header_of_a_room_above_is_included() -> None:
    arrows = include_arrows(CORE)
    assert len(arrows) > 200
    assert not mistakes(arrows, may_use(CORE))


def test_the_message_says_who_and_what_to_do() -> None:
    (text,) = mistakes([Arrow("python/thread.c", "request/request.c", "the symbol glupy_complete")],
                       {"python": {"base"}, "request": {"python"}})
    for part in ("src/core/python/thread.c", "room python", "glupy_complete", "room request", "module.c"):
        assert part in text


def test_arrows_down_and_within_a_room_are_none_of_it() -> None:
    allowed = {"python": set[str](), "request": {"python"}}
    assert not mistakes([Arrow("request/a.c", "python/b.c", "x"), Arrow("python/a.c", "python/b.c", "x"),
                         Arrow("module.c", "request/a.c", "x")], allowed)


def test_what_the_top_has_is_for_no_room() -> None:
    assert mistakes([Arrow("python/a.c", "module.c", "x")], {"python": set()})


def test_a_folder_without_a_readme_is_no_room() -> None:
    assert "attic" in homeless(["attic/a.c"], {"python": set()})[0]


def test_rooms_that_may_use_each_other_are_found() -> None:
    with pytest.raises(ValueError, match="circle"):
        in_order({"a": {"b"}, "b": {"a"}})


def test_symbols_are_read_from_object_files(tmp_path: Path) -> None:
    for name, text in {"low": "int up(void); int low(void) { return up(); }", "high": "int up(void) { return 1; }"}.items():
        (tmp_path / f"{name}.c").write_text(text)
        subprocess.run(["gcc", "-flto", "-c", tmp_path / f"{name}.c", "-o", tmp_path / f"{name}.o"], check=True)
    arrows = symbol_arrows({"python/low.c": tmp_path / "low.o", "request/high.c": tmp_path / "high.o"})
    assert arrows == [Arrow("python/low.c", "request/high.c", "the symbol up")]
