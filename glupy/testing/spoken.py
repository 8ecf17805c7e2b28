"""What a translator logs in a test's process, which keeps Python's own logging: there self.log is the logger of its name."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence


class Spoken(logging.Handler):
    """Notes all that is logged under a translator's name, while it is attached. pytest's caplog has it too."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._logger = logging.getLogger(name)
        self._before = self._logger.level
        self._entries: list[tuple[int, str]] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def attach(self) -> None:
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)

    def detach(self) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._before)

    def emit(self, record: logging.LogRecord) -> None:
        self._entries.append((record.levelno, self.format(record)))

    def text(self) -> str:
        return "".join(f"{entry}\n" for _, entry in self._entries)

    def unexpected(self, expected: Sequence[str]) -> list[str]:
        """The entries at WARNING and worse, but for those that these regular expressions know."""
        known = re.compile("|".join(expected), re.S) if expected else None
        return [entry for level, entry in self._entries
                if level >= logging.WARNING and not (known and known.search(entry))]
