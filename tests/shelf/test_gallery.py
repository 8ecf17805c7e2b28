"""docs/shelf/README.md: what it says one types in works, word by word."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cases import run_case

pytestmark = [pytest.mark.once, pytest.mark.long]


def test_the_gallerys_lines() -> None:
    run_case(str(Path(__file__).with_name("gallery_case.py")), "gallery")
