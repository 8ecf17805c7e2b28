"""The feeds of translators/watch.py: written by a journal of its own, read as they stand, and by `glupy watch`."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from glupy.command.feeds.files import Folder
from glupy.command.feeds.record import Record
from glupy.command.main import glupy_command

FILE = Path(__file__).resolve().parents[2] / "translators/watch.py"


def lines(top: Path) -> list[dict[str, Any]]:
    """All lines of the feeds below a folder, by feed, in the order of their numbers."""
    return [json.loads(line) for file in sorted(top.rglob("*.feed")) for line in file.read_bytes().splitlines()]


def fops(top: Path) -> list[str]:
    return [str(line.get("fop")) for line in lines(top)]


def watch(*arguments: object) -> list[dict[str, Any]]:
    """What `glupy watch --json --no-wait` prints."""
    done = CliRunner().invoke(glupy_command, ["watch", *map(str, arguments), "--json", "--no-wait"])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def module() -> Any:
    """The translator's file, imported without a graph."""
    spec = importlib.util.spec_from_file_location("watch_as_a_module", FILE)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


JOURNAL = module().Journal


@contextmanager
def journal(folder: Path, size: int = 1000, keep: int = 10**6) -> Iterator[Any]:
    made = JOURNAL(folder, size, keep, {})
    try:
        yield made
    finally:
        made.close()


def read(folder: Path, after: int | None = 0) -> list[Record]:
    feed, found = Folder(folder, after), []
    while part := feed.more():
        found += part
    return found
