"""The complete translators among the examples in README.md and docs/."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Example:
    """A translator as a page has it, and where."""

    name: str  # of its class
    source: str
    place: str


def examples() -> list[Example]:
    """All of them, in the order of the pages."""
    return [
        Example(name, block, f"{page.name}:{text.count(chr(10), 0, text.index(block)) + 1}")
        for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for text in [page.read_text(encoding="utf-8")]
        for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
        for name in re.findall(r"^class (\w+)\((?:Translator|Content)\b", block, re.M)
    ]
