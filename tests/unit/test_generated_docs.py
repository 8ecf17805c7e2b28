"""docs/fops.md is what the fop table and its template give, docs/api.md what docstrings and stubs do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import glupy
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_fops_md_is_up_to_date(tmp_path):
    written = tmp_path / "fops.md"
    subprocess.run([sys.executable, ROOT / "tools/generate.py", ROOT / "tools/templates/fops.md.in", written], check=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT / "tools")})
    assert written.read_text() == (ROOT / "docs/fops.md").read_text(), (
        "the table has changed: tools/generate.py tools/templates/fops.md.in docs/fops.md")


def test_api_md_is_up_to_date(tmp_path):
    written = tmp_path / "api.md"
    subprocess.run([sys.executable, "-B", ROOT / "tools/api", written], check=True)
    assert written.read_text() == (ROOT / "docs/api.md").read_text(), (
        "a docstring or stub has changed: ./run shell python3 tools/api docs/api.md")


@pytest.fixture
def tool(monkeypatch):
    """The modules of tools/api, which import one another by their bare names."""
    monkeypatch.syspath_prepend(str(ROOT / "tools/api"))
    for name in ("contents", "definitions", "page"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import page
    yield page
    for name in ("contents", "definitions", "page"):
        sys.modules.pop(name, None)


def test_every_public_name_is_told_of(tool):
    """Once, with a docstring; and so are all members of classes."""
    told = [name for names in tool.SECTIONS.values() for name in names] + tool.replies()
    assert Counter(told) == Counter(glupy.__all__)
    assert list(tool.undocumented()) == []


def test_what_is_not_documented_is_found(tool, monkeypatch):
    told = tool._member_doc
    monkeypatch.setattr(tool, "_member_doc", lambda cls, name, node: "" if name == "try_put" else told(cls, name, node))
    assert list(tool.undocumented()) == ["Queue.try_put"]
