"""Recording what calls gave, in a form in which two mounts can be compared."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Calls whose value means nothing on another mount, or comes in no particular order.
_OPENERS = {"open", "memfd_create"}
_UNORDERED = {"listdir", "listxattr"}


@dataclass(frozen=True)
class Step:
    """One call and its result, as text."""

    call: str
    result: str
    broken: bool = False


def _stat_text(value: os.stat_result) -> str:
    """Without inode, device and times, which differ, and without what a file system counts its own way."""
    size = "" if stat.S_ISDIR(value.st_mode) else f" size={value.st_size}"
    device = f" rdev={os.major(value.st_rdev)}:{os.minor(value.st_rdev)}" if value.st_rdev else ""
    kind = stat.filemode(value.st_mode)
    return f"{kind} {value.st_mode:o} nlink={value.st_nlink} {value.st_uid}:{value.st_gid}{size}{device}"


def _statvfs_text(value: os.statvfs_result) -> str:
    sizes = f"bsize={value.f_bsize} frsize={value.f_frsize} blocks={value.f_blocks} files={value.f_files}"
    return f"{sizes} namemax={value.f_namemax} flag={value.f_flag}"


def shown(value: Any) -> str:
    """A value as text: long data as length and hash, attributes without what must differ."""
    if isinstance(value, (bytes, bytearray, memoryview)) and len(value) > 80:
        return f"<{len(value)} bytes {hashlib.sha256(value).hexdigest()[:16]}>"
    if isinstance(value, os.stat_result):
        return _stat_text(value)
    if isinstance(value, os.statvfs_result):
        return _statvfs_text(value)
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(shown(item) for item in value) + "]"
        return text if len(text) <= 200 else f"<{len(value)} items {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
    return repr(value)


class Recorder:
    """Collects steps: ``do(os.mkdir, "d")`` calls, records the result or errno, and returns the result or None."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        name = getattr(function, "__name__", str(function))
        call = f"{name}({', '.join([*map(shown, args), *(f'{k}={v!r}' for k, v in keywords.items())])})"
        try:
            value = function(*args, **keywords)
        except OSError as error:
            self.steps.append(Step(call, errno.errorcode.get(error.errno or 0, str(error))))
            return None
        if name in _OPENERS:
            text = "opened"
        elif name in _UNORDERED:
            text = shown(sorted(value))
        else:
            text = shown(value)
        self.steps.append(Step(call, text))
        return value

    def note(self, what: str, value: Any) -> None:
        """Record something that is not one call's result."""
        self.steps.append(Step(what, shown(value)))

    def file(self, flags: int, name: str | bytes, function: Callable[[int], Any], mode: int = 0o644) -> None:
        """Open, call function(fd) if that went well, close; all recorded but what the function does itself."""
        fd = self(os.open, name, flags, mode)
        if fd is not None:
            try:
                function(fd)
            finally:
                self.close(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor and record whether that failed."""
        try:
            os.close(fd)
            self.steps.append(Step("close", "None"))
        except OSError as error:
            self.steps.append(Step("close", errno.errorcode.get(error.errno or 0, str(error))))

    def broke(self, error: Exception) -> None:
        """The case itself failed: an exception other than a recorded OSError."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        self.steps.append(Step(f"the case broke at {where}", f"{type(error).__name__}: {error}", broken=True))


def make(name: str | bytes, data: bytes = b"", mode: int = 0o644) -> None:
    """Create a file; not recorded, failure breaks the case."""
    fd = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    try:
        while data:
            data = data[os.write(fd, data):]
    finally:
        os.close(fd)


def content(name: str | bytes) -> bytes:
    """All of a file."""
    with open(name, "rb") as file:
        return file.read()


def pattern(size: int, seed: int = 0) -> bytes:
    """Bytes in which every misplaced piece shows."""
    return hashlib.shake_128(seed.to_bytes(4, "little")).digest(size)


def elsewhere(action: Callable[[], Any]) -> str:
    """What another process gets from action(), as text: its value, or its errno."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                answer = shown(action())
            except OSError as error:
                answer = errno.errorcode.get(error.errno or 0, str(error))
            os.write(writer, answer.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer
