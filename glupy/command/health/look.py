"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Look:
    """What it is, what was found, and if that is not well, what mends it: a command, or what to do."""

    what: str
    found: str
    mend: str | None = None

    @property
    def well(self) -> bool:
        return self.mend is None

    def as_dict(self) -> dict[str, str | bool | None]:
        return {**asdict(self), "well": self.well}


def from_sentence(what: str, sentence: str | None, otherwise: str) -> Look:
    """Of a sentence that ends in what would do, after a semicolon; None: all is well."""
    if sentence is None:
        return Look(what, otherwise)
    found, _, mend = sentence.replace("\n", " ").rpartition("; ")
    return Look(what, found or mend, mend)
