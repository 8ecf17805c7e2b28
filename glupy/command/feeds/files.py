"""Feeds in folders of this machine, read where they are written: nobody who writes is held up or even knows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from glupy.command.feeds.record import Record, gap, number, parsed

#: Where feeds are unless their option `directory` says otherwise; below it, a folder for each volume.
HOME = Path("/var/lib/glupy/watch")

#: Bytes that are read at once. A line is shorter.
_CHUNK = 256 << 10


class Folder:
    """A feed, from behind a sequence number on; None: from its end on."""

    def __init__(self, folder: Path, after: int | None) -> None:
        self.folder = folder
        self.id = str(json.loads((folder / "feed.json").read_text())["id"])
        self._file: int | None = None
        self._name, self._offset = -1, 0
        self.after = self._last() if after is None else after

    def __del__(self) -> None:
        self._close()

    def before(self) -> Iterator[Record]:
        names = [name for name in self._names() if name <= self.after]
        for name in names[-2:]:
            for line in self._whole(name):
                record = parsed(self.id, line) if number(line) <= self.after else None
                if record:
                    yield record

    def more(self) -> list[Record]:
        while True:
            if self._file is None and not self._open(self._first()):
                return []
            following = [name for name in self._names() if name > self._name]
            records = self._lines()  # after the look for others: what the file has now is all that it gets
            if records or not following:
                return records
            self._close()
            self._name = following[0] - 1  # the next one, unless that is gone by then

    def _lines(self) -> list[Record]:
        assert self._file is not None
        found: list[Record] = []
        while not found:
            data = os.pread(self._file, _CHUNK, self._offset)
            data = data[:data.rfind(b"\n") + 1]  # half a line is read again when it is whole: its writer may take it back
            if not data:
                break
            self._offset += len(data)
            for line in data.splitlines():
                record = parsed(self.id, line) if number(line) > self.after else None
                if record:
                    missing = gap(self.after, record)
                    found += [missing, record] if missing else [record]
                    self.after = record.seq
        return found

    def _names(self) -> list[int]:
        """The first numbers of its files."""
        return sorted(int(each.stem) for each in self.folder.glob("*.feed"))

    def _first(self) -> int | None:
        """The file to go on with: what follows the one before, else the one with the place in it."""
        names = self._names()
        if self._name >= 0:
            names = [name for name in names if name > self._name]
            return names[0] if names else None
        behind = [name for name in names if name <= self.after + 1]
        return behind[-1] if behind else names[0] if names else None

    def _open(self, name: int | None) -> bool:
        if name is None:
            return False
        try:
            self._file = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # it was the oldest, and is gone
            return False
        self._name, self._offset = name, 0
        return True

    def _close(self) -> None:
        if getattr(self, "_file", None) is not None:
            os.close(self._file)  # type: ignore[arg-type]
            self._file = None

    def _path(self, name: int) -> Path:
        return self.folder / f"{name:020}.feed"

    def _whole(self, name: int) -> Iterator[bytes]:
        """The lines of a file."""
        try:
            with open(self._path(name), "rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))
        except FileNotFoundError:
            return

    def _last(self) -> int:
        """The number of the last line that is there."""
        names = self._names()
        last = names[-1] - 1 if names else 0
        for line in self._whole(names[-1]) if names else ():
            last = max(last, number(line))
        return last


def folders(top: Path) -> list[Path]:
    """The folders of feeds in a folder, or the folder itself."""
    return [each.parent for each in sorted([*top.glob("feed.json"), *top.glob("*/feed.json"), *top.glob("*/*/feed.json")])]

