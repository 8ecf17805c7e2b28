"""What has begun and is not in the feed yet, where it is found after the process was killed."""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections import deque
from pathlib import Path

#: Bytes of a slot, the length in front of its body, bytes of that, and how many slots there are.
SLOT, LENGTH, SLOTS = 4096, struct.Struct("<H"), 256
ROOM = SLOT - LENGTH.size


class Pending:
    """What has begun and is not in the journal yet, in memory that is a file: it is there after the process was killed."""

    def __init__(self, path: Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, SLOT * SLOTS)  # memory for which the disk has no room would be a SIGBUS
            self.map = mmap.mmap(file, SLOT * SLOTS)
        finally:
            os.close(file)
        self.free = deque(range(0, SLOT * SLOTS, SLOT))

    def begin(self, body: bytes) -> int | None:
        """Keep a body of up to ROOM bytes; where. None: so many have begun that there is no slot for it."""
        try:
            slot = self.free.popleft()
        except IndexError:
            return None
        self.map[slot + LENGTH.size:slot + LENGTH.size + len(body)] = body
        LENGTH.pack_into(self.map, slot, len(body))  # last: a slot without a length is empty
        return slot

    def end(self, slot: int | None) -> None:
        if slot is not None:
            LENGTH.pack_into(self.map, slot, 0)
            self.free.append(slot)

    def left(self) -> list[bytes]:
        """The bodies of all slots."""
        lengths = {slot: LENGTH.unpack_from(self.map, slot)[0] for slot in self.free}
        bodies = [self.map[slot + LENGTH.size:slot + LENGTH.size + length] for slot, length in lengths.items() if length]
        return [body for body in bodies if whole(b"{" + body)]

    def clear(self) -> None:
        for slot in self.free:
            LENGTH.pack_into(self.map, slot, 0)


def whole(line: bytes, number: int | None = None) -> bool:
    """Is it an object, and that of this number?"""
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and entry.get("seq") == number
