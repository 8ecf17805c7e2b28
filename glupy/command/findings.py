"""What `glupy check` finds: a place, a sentence, a name."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import click

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """One of them. An error keeps the translator from being loaded."""

    file: str
    line: int | None
    level: str
    name: str
    text: str

    def as_dict(self) -> dict[str, str | int | None]:
        return asdict(self)

    def styled(self) -> str:
        """The line that people read; in colours, which click drops where it is no terminal."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        level = click.style(self.level, fg="red" if self.level == ERROR else "yellow", bold=True)
        name = f" [{self.name}]" if self.level == WARNING else ""
        return f"{place}: {level}: {self.text}{name}"
