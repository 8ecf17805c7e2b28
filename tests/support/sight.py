"""What glupy tells of itself: its JSON, its section of a statedump, its lines among the metrics."""

from __future__ import annotations

import json
import re
from typing import Any

from support import statedump

STATS = "glusterfs.glupy.stats"

#: Times: they go on between one look and the next.
_TIMES = re.compile(r"(?:^|[._])us$|^options\.|\.awaits$")


def flat(value: Any, key: str = "") -> dict[str, str]:
    """JSON as a statedump has it: {"fops.stat.calls": "3"}."""
    if isinstance(value, dict | list):
        found = {}
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            found.update(flat(item, f"{key}.{name}" if key else str(name)))
        return found
    return {key: str(value)}


def timeless(report: dict[str, str]) -> dict[str, str]:
    """Without what goes on by itself."""
    return {key: value for key, value in report.items() if not _TIMES.search(key)}


def section(dump: str, name: str) -> dict[str, str]:
    """A layer's section of a statedump, or of its `private` file in .meta, as {key: value}."""
    (body,) = (body for title, body in statedump.sections(dump) if title == f"xlator.glupy.{name}")
    pairs = (line.partition("=") for line in body.split("\n") if line)
    return {key.rstrip(" "): value.removeprefix(" ") for key, _, value in pairs}


def parsed(value: bytes) -> Any:
    """The value of the virtual attribute."""
    return json.loads(value)
