"""The feeds of translators/watch: written without a graph, read as they stand, and by `glupy watch`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from support import shipped

from glupy.command.feeds.files import Folder
from glupy.command.feeds.record import Record
from glupy.command.main import glupy_command

FILE = shipped.file("watch")


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


class Journal(shipped.module("watch").Feed):  # type: ignore[misc]
    """A feed that is written to line by line."""

    def append(self, body: bytes) -> int:
        """Add a line; the number of the latest one."""
        assert super().append([body]) == 1
        latest: int = self.next - 1
        return latest


@contextmanager
def journal(folder: Path, size: int = 1000, keep: int = 10**6) -> Iterator[Any]:
    made = Journal(folder, {}, size, keep)
    made.open()
    try:
        yield made
    finally:
        made.close()


def read(folder: Path, after: int | None = 0) -> list[Record]:
    feed, found = Folder(folder, after), []
    while part := feed.more():
        found += part
    return found
