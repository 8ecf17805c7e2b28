"""docs/fops.md is what the fop table and its template give."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_fops_md_is_up_to_date(tmp_path):
    written = tmp_path / "fops.md"
    subprocess.run([sys.executable, ROOT / "tools/generate.py", ROOT / "tools/templates/fops.md.in", written], check=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT / "tools")})
    assert written.read_text() == (ROOT / "docs/fops.md").read_text(), (
        "the table has changed: tools/generate.py tools/templates/fops.md.in docs/fops.md")
