"""pytest: a translator's file, and the command in pytest's own process."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from glupy.command import machine
from glupy.command.main import glupy_command
from glupy.loading import finding


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """mypy's cache is no user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def write(trusted: Path) -> Callable[..., Path]:
    """Write a file to the trusted folder."""
    def write(text: str, name: str = "sample.py") -> Path:
        path = trusted / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path
    return write


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> Path:
    """user/sample.so of a directory of translators that is the test's own."""
    xlators = trusted / "xlator"
    (xlators / "features").mkdir(parents=True)
    (xlators / "features/glupy.so").symlink_to(machine.home() / "glupy.so")
    monkeypatch.setattr(machine.Gluster, "xlators", xlators)
    monkeypatch.setattr(machine, "version_problem", lambda found: None)
    return xlators / "user/sample.so"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> Callable[..., Result]:
    """Call a command here. /etc/glupy is a folder in the trusted one."""
    monkeypatch.setattr(finding, "ADMINISTRATOR", trusted / "etc")
    monkeypatch.setattr(finding, "CONFIGURATION", trusted / "glupy.conf")
    monkeypatch.delenv("GLUPY_CONF", raising=False)
    (trusted / "etc").mkdir()

    def call(*arguments: object, status: int | None = 0) -> Result:
        result = CliRunner().invoke(glupy_command, list(map(str, arguments)))
        assert result.exit_code in ((0, 1, 2) if status is None else (status,)), result.output
        return result
    return call
