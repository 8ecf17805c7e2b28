"""The translators in README.md and docs/ load, as far as that can be seen without a graph."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.examples import Example, examples

from glupy import Translator, _core
from glupy.api.xattrs import VirtualXattrs
from glupy.loading import choosing, fopcheck, importing
from glupy.options import option

class Instance:
    """What the core gives for a volume."""

    name, type, children, itable = "sample", "user/sample", (), None
    interpreter, origin, space, version = 0, None, "sample", None

    def __init__(self, cls):
        required = [declared for declared in option.declared(cls).values() if declared.required]
        self.options = {declared.name: "/nowhere" for declared in required}


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example.name}-{example.place}")
def test_sample(example: Example, trusted):
    file = trusted / "sample.py"
    file.write_text(example.source)
    module = importing.import_private("sample", file, SimpleNamespace(name="sample"))
    try:
        cls = choosing.translator_class(module, file)
        fopcheck.check_class(cls, _core.FOPS)
        fops = fopcheck.bound_fops(cls(Instance(cls)), _core.FOPS)
        assert fops or VirtualXattrs(cls) or cls.init is not Translator.init, "it does nothing"
    finally:
        importing.forget(module.__name__)
