"""`glupy run --reload`: a translator's files are watched, and a process that runs them is told to load them anew."""

from __future__ import annotations

import itertools
import os
import threading
from pathlib import Path

from glupy.command.problem import Problem
from glupy.command.sources import Source

#: Set on a mount's root: what layers/glupy_reload.py waits for.
ATTRIBUTE = "trusted.glupy.reload"

_Stamps = dict[Path, tuple[int, int, int]]


class Watch:
    """Looks at the files again and again.

    A change is told of when the files have stayed the same from one look to the next: an editor may not be done. It is
    told to one mount, on a thread, since the answer takes as long as the translator does; the next one waits for that.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._loaded = self._seen = _stamps(source)
        self._thread: threading.Thread | None = None
        self._numbers = itertools.count(1)
        self._failure: OSError | None = None

    def look(self, mountpoint: Path) -> None:
        """Have what is new loaded. Raises Problem where the process does not take that."""
        before, self._seen = self._seen, _stamps(self._source)
        if self._failure:
            raise Problem(f"{mountpoint} does not take the attribute {ATTRIBUTE}, by which the file is loaded anew: "
                          f"{self._failure.strerror}")
        if self._seen == self._loaded or self._seen != before or self._source.file not in self._seen:
            return
        if self._thread and self._thread.is_alive():
            return
        self._loaded = self._seen
        self._thread = threading.Thread(target=self._tell, args=(mountpoint, str(next(self._numbers))), daemon=True)
        self._thread.start()

    def _tell(self, mountpoint: Path, text: str) -> None:
        try:
            os.setxattr(mountpoint, ATTRIBUTE, text.encode())
        except OSError as error:
            self._failure = error


def _stamps(source: Source) -> _Stamps:
    """What tells two states of the files apart."""
    found = {}
    for file in source.files():
        try:
            state = os.stat(file)
        except OSError:
            continue  # it is being replaced
        found[file] = state.st_mtime_ns, state.st_size, state.st_ino
    return found
