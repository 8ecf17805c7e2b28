"""What README.md shows is what there is."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_first_example_is_the_file_in_examples() -> None:
    text = (ROOT / "README.md").read_text()
    assert f"```python\n{(ROOT / 'examples' / 'no_programs.py').read_text()}```\n" in text
