"""The translators in README.md and docs/ load, as far as that can be seen without a graph."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from glupy import _core, fopcheck, loading, option

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = [
    pytest.param(block, id=f"{page.name}:{text.count(chr(10), 0, text.index(block)) + 1}")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for text in [page.read_text(encoding="utf-8")]
    for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    if "(Translator)" in block
]


class Instance:
    """What the core gives for a volume."""

    name, type, children, itable = "sample", "user/sample", (), None
    interpreter, origin, space = 0, None, "sample"

    def __init__(self, cls):
        required = [declared for declared in option.declared(cls).values() if declared.required]
        self.options = {declared.name: "/nowhere" for declared in required}


@pytest.mark.parametrize("source", SAMPLES)
def test_sample(source, trusted):
    file = trusted / "sample.py"
    file.write_text(source)
    module = loading.import_private("sample", file, SimpleNamespace(name="sample"))
    try:
        cls = loading.translator_class(module, file)
        fopcheck.check_class(cls, _core.FOPS)
        assert fopcheck.bound_fops(cls(Instance(cls)), _core.FOPS), "it defines no fop"
    finally:
        loading.forget(module.__name__)
