"""Feeds of another machine, where `glupy watch --serve` runs: asked for by HTTP, some lines at a time."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from glupy.command.feeds.record import Record, gap, parsed
from glupy.command.problem import Problem

#: Seconds: that an answer is waited for; until a machine that did not answer is asked again; one that had nothing new.
PATIENCE, RETRY, PAUSE = 10, 5.0, 0.2


class Machine:
    """Where another `glupy watch --serve` listens: http://HOST:PORT. Raises Problem where that is none."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise Problem(f"{url} is not http://HOST:PORT, as glupy watch --serve says it on that machine")
        self.url, self._key = url, key
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        self._asleep_until = 0.0

    def get(self, path: str) -> bytes:
        """What it answers. Raises OSError, also for some seconds after it has not answered."""
        if monotonic() < self._asleep_until:
            raise OSError(f"{self.url} did not answer just now")
        try:
            self._connection.request("GET", path, headers={"Authorization": f"Bearer {self._key}"})
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._asleep_until = monotonic() + RETRY
            raise OSError(f"{self.url} does not answer: {error}") from None
        if answer.status != 200:
            raise OSError(f"{self.url} answers {answer.status} {answer.reason}")
        return body

    def feeds(self, places: Mapping[str, int] | None) -> list[Remote]:
        """Its feeds, each from the place that is given, else the beginning; with None, from their ends on. Raises Problem."""
        try:
            found: list[dict[str, Any]] = json.loads(self.get("/feeds"))
            return [Remote(self, each["id"], each["last"] if places is None else places.get(each["id"], 0)) for each in found]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(f"{error}; does glupy watch --serve run there, with the same key?") from None


class Remote:
    """One of its feeds, from behind a sequence number on."""

    def __init__(self, machine: Machine, id: str, after: int) -> None:
        self.machine, self.id, self.after = machine, id, after
        self._idle_until = 0.0

    def before(self) -> Iterator[Record]:
        yield from self._records(f"/feeds/{self.id}/before?at={self.after}")

    def more(self) -> list[Record]:
        if monotonic() < self._idle_until:
            return []
        found: list[Record] = []
        for record in self._records(f"/feeds/{self.id}?after={self.after}"):
            missing = gap(self.after, record)
            found += [missing, record] if missing else [record]
            self.after = record.seq
        if not found:
            self._idle_until = monotonic() + PAUSE
        return found

    def _records(self, path: str) -> list[Record]:
        return [record for line in self.machine.get(path).splitlines() if (record := parsed(self.id, line))]
