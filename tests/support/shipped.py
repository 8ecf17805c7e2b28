"""The translators that come with glupy, as files and as modules without a graph."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

TRANSLATORS = Path(__file__).resolve().parents[2] / "translators"


def file(name: str) -> Path:
    """The file of a translator; of a package, the one that says what it is."""
    package = TRANSLATORS / name / "__init__.py"
    return package if package.exists() else TRANSLATORS / f"{name}.py"


def module(name: str) -> ModuleType:
    """A translator, imported as it stands."""
    found = file(name)
    spec = importlib.util.spec_from_file_location(
        f"{name}_shipped", found, submodule_search_locations=[str(found.parent)] if found.name == "__init__.py" else None)
    assert spec and spec.loader
    loaded = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
