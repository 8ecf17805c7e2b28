"""GlusterFS's log, followed while it grows and made readable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

_ENTRY = re.compile(
    r"\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(?P<micros>\d+) \+0000\] (?P<level>[A-Z]) (?:\[MSGID: \d+\] )?"
    r"\[(?P<place>[^\]]*)\] (?:\(-->.*?\) )?\d+-(?P<name>[^:]*): (?:\[MSGID:\d+\] )?(?P<text>.*)")

#: Entries at WARNING or above that GlusterFS makes in every healthy run: they would hide those that matter.
_USUAL = re.compile(
    r"cleanup_and_exit|ulimit -n|Failed to set max(?:imum)?(?: number of| allowed)? open f(?:d|ile descriptors)|"
    r"volfile-id argument not given|failed to get \[\{type=auth-path\}\]|0-epoll: Exited thread|oom_score_adj|"
    r"Initialization of volume failed|initializing translator failed|0-graph: init failed|"
    r"All subvolumes are down|disconnected from client|server_rpc_notify")

#: By the letters of GlusterFS's levels.
LEVELS = {"M": "EMERGENCY", "A": "ALERT", "C": "CRITICAL", "E": "ERROR", "W": "WARNING", "N": "NOTICE", "I": "INFO",
          "D": "DEBUG", "T": "TRACE"}


@dataclass
class Entry:
    """One entry, with the lines that belong to it."""

    time: datetime
    level: str  # a letter of LEVELS
    place: str  # file:line:function
    name: str  # of the volume in the volfile
    text: str

    @property
    def usual(self) -> bool:
        """GlusterFS says it in every run."""
        return bool(_USUAL.search(f"{self.place} 0-{self.name}: {self.text}"))

    @property
    def serious(self) -> bool:
        return self.level in "MACEW"


class Follower:
    """Reads what is new in a log, entry by entry."""

    def __init__(self, path: Path, position: int = 0) -> None:
        self.path = path
        self._rest = b""
        self._position = position
        self._entry: Entry | None = None
        self._in_graph = False  # "Final graph:" and the volfile below it are no part of an entry
        self.graph_is_up = False

    def entries(self, ended: bool = False) -> Iterator[Entry]:
        """What has come since the last call. The last entry may go on: it is held back until nothing new is found."""
        lines = self._lines(ended)
        for line in lines:
            match = _ENTRY.match(line)
            if match:
                if self._entry:
                    yield _whole(self._entry)
                self._entry, self._in_graph = _entry(match), False
            elif line.startswith(("Final graph:", "Given volfile")):
                self._in_graph = True
                self.graph_is_up |= line.startswith("Final")
            elif self._entry and not self._in_graph:
                self._entry.text += f"\n{line}"
        if self._entry and (ended or not lines and not self._rest):
            yield _whole(self._entry)
            self._entry = None

    def _lines(self, ended: bool) -> list[str]:
        try:
            with open(self.path, "rb") as file:
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if ended and self._rest:
            lines.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", "backslashreplace") for line in lines]


def _whole(entry: Entry) -> Entry:
    entry.text = entry.text.rstrip()
    return entry


def _entry(match: re.Match[str]) -> Entry:
    time = datetime.strptime(match["time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    time = time.replace(microsecond=int(match["micros"][:6].ljust(6, "0"))).astimezone()
    return Entry(time, match["level"], match["place"], match["name"], match["text"])
