"""What the tests in this process share: how much to do, and what is counted of the fops."""

from __future__ import annotations

import os

import pytest
from support.fop_table import Counts, counts_of

#: How much less the long tests do: the build with sanitizers is some ten times slower, and CI runs them twice without.
SCALE = 20 if os.environ.get("GLUPY_SANITIZE") else int(os.environ.get("GLUPY_SCALE", "1"))


@pytest.fixture(scope="session")
def counts(pytestconfig: pytest.Config) -> Counts:
    """How often a fop really went one of the four ways."""
    return counts_of(pytestconfig)


@pytest.fixture(scope="session")
def scale() -> int:
    """By how much the long tests are shortened."""
    return SCALE
