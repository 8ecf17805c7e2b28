"""A change in words: inotify's, where it has one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from glupy.command.feeds.record import Record

#: What inotify would call the fops.
EVENTS = {
    "create": "CREATE", "mkdir": "CREATE", "mknod": "CREATE", "symlink": "CREATE", "link": "CREATE", "icreate": "CREATE",
    "namelink": "CREATE", "put": "CREATE", "unlink": "DELETE", "rmdir": "DELETE", "rename": "MOVE", "flush": "CLOSE_WRITE",
    "setattr": "ATTRIB", "fsetattr": "ATTRIB", "setxattr": "ATTRIB", "fsetxattr": "ATTRIB", "removexattr": "ATTRIB",
    "fremovexattr": "ATTRIB", "xattrop": "ATTRIB", "fxattrop": "ATTRIB",
}


def event(data: dict[str, Any]) -> str:
    """The name of a change; all that changes data is MODIFY."""
    return EVENTS.get(str(data.get("fop")), "MODIFY")


def paths(data: dict[str, Any]) -> Iterator[str]:
    """The paths that a change is about, as far as known."""
    for key in ("path", "newpath"):
        if key in data:
            yield data[key]


def line(record: Record) -> str:
    """A record for people."""
    time = datetime.fromisoformat(record.time).astimezone().strftime("%H:%M:%S.%f")[:-3]
    data = record.data
    if not record.is_change:
        return f"{time} {_mark(record)}"
    words = [time, event(data), _place(data, "path", "parent", "name")]
    if data["fop"] in ("rename", "link"):
        words += ["->", _place(data, "newpath", "newparent", "newname")]
    words.append(f"uid={data.get('uid')} pid={data.get('pid')}" + (f" host={data['host']}" if data.get("host") else ""))
    words += [word for word in ("internal", "uncertain") if data.get(word)]
    return " ".join(words)


def _place(data: dict[str, Any], path: str, parent: str, name: str) -> str:
    """A path, without what would confuse a terminal; else the gfids."""
    text = data.get(path)
    if text is None:
        text = f"<gfid:{data[parent]}>/{data.get(name)}" if parent in data else f"<gfid:{data.get('gfid')}>"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text))


def _mark(record: Record) -> str:
    data = record.data
    if "missing" in data:
        first, last = data["missing"]
        return f"MISSING lines {first} to {last} of feed {record.feed} are no longer kept"
    if "lost" in data:
        return f"MISSING {data['lost']} changes could not be written to feed {record.feed}"
    return f"CRASH feed {record.feed}: {data.get('crash')}"
