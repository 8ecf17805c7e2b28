"""Environments of programs that tests start."""

from __future__ import annotations

import os

#: By which the sanitizers get into every process, and Python's objects into their sight (`run`).
_SANITIZERS = ("LD_PRELOAD", "PYTHONMALLOC")


def unsanitized() -> dict[str, str]:
    """For a program in which nothing of glupy's runs: with sanitizers in it, it would only be slower."""
    return {name: value for name, value in os.environ.items() if name not in _SANITIZERS}
