"""pytest: paths, plugins, and a folder that glupy trusts."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "mount"))

from support import again, fop_table, workers  # noqa: E402

# How long an example takes says how busy the machine is, not whether the code is right. With sanitizers it takes five times as long.
settings.register_profile("glupy", deadline=None, suppress_health_check=[HealthCheck.too_slow],
                          max_examples=30 if os.environ.get("GLUPY_SANITIZE") else 100)
settings.load_profile("glupy")


def pytest_configure(config: pytest.Config) -> None:
    for plugin in (workers, fop_table, again):
        config.pluginmanager.register(plugin)


def pytest_collection_finish() -> None:
    """What thousands of tests consist of stays, and a collection of garbage, of which many tests ask for several, need not
    look at it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def trusted() -> Iterator[Path]:
    """A folder for translators, below /var/lib: /tmp and /var/tmp are world-writable and never trusted."""
    folder = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)
