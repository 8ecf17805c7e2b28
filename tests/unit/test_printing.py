"""sys.stdout and sys.stderr of a translator, in plain Python: lines, halves of lines, and a descriptor."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from glupy import _core
from glupy.logs import streams


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(_core, "log", lambda *entry: said.append(entry[-1]))
    monkeypatch.setattr(_core, "log_level", lambda: 9)
    return said


@pytest.fixture
def out() -> streams.LogWriter:
    return streams.LogWriter(7)


def test_lines_and_pieces(logged: list[str], out: streams.LogWriter) -> None:
    print("a", "b", sep="-", file=out)
    print("half", end=" ", file=out)
    assert logged == ["a-b"]
    print("and half\nnext\n\nlast", file=out)
    assert logged == ["a-b", "half and half", "next", "last"]


def test_half_a_line_is_an_entry_when_flushed(logged: list[str], out: streams.LogWriter) -> None:
    print("half", end="", file=out, flush=True)
    assert logged == ["half"]
    print("next", file=out)
    out.flush()
    assert logged == ["half", "next"]


def test_half_a_line_of_a_thread_that_ends(logged: list[str], out: streams.LogWriter) -> None:
    thread = threading.Thread(target=lambda: out.write("half"))
    thread.start()
    thread.join()
    del thread
    out.write("other\n")
    assert sorted(logged) == ["half", "other"]


def test_another_translators_code_prints_between(
        logged: list[str], out: streams.LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    out.write("half")
    monkeypatch.setattr(streams.owners, "owner_of", lambda frame: streams.owners.Owner("other", _core))  # type: ignore
    out.write("another's\n")
    assert logged == ["half", "another's"]


def test_nothing_is_kept_that_is_not_written(
        logged: list[str], out: streams.LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core, "log_level", lambda: 3)
    out.write("half")
    monkeypatch.setattr(_core, "log_level", lambda: 9)
    out.write("whole\n")
    assert logged == ["whole"]


def test_descriptor(tmp_path: Path, out: streams.LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its number when the log is another file; it is no child's."""
    log = tmp_path / "log"
    log.write_text("first\n")
    monkeypatch.setattr(_core, "log_file", lambda: str(log))
    monkeypatch.setattr(streams, "_log_file", streams._LogFile())
    number = out.fileno()
    os.write(number, b"second\n")
    assert log.read_text() == "first\nsecond\n" and not os.get_inheritable(number)
    log.rename(tmp_path / "log.1")
    assert out.fileno() == number  # not there yet
    log.write_text("")
    assert out.fileno() == number and not os.get_inheritable(number)
    os.write(number, b"third\n")
    assert log.read_text() == "third\n"
    os.close(number)


@pytest.mark.parametrize(("name", "number"), [("/dev/stderr", 2), (None, None)])
def test_no_file(name: Any, number: Any, out: streams.LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_core, "log_file", lambda: name)
    if number is not None:
        assert out.fileno() == number
        return
    with pytest.raises(io.UnsupportedOperation, match="GlusterFS's log is no file here"):
        out.fileno()
    assert issubclass(io.UnsupportedOperation, OSError) and sys.stderr is not out
