"""`glupy verify`: whether a chain of records is as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from glupy.records.files import RecordFile

Call = Callable[..., Result]


def chained(path: Path) -> None:
    file = RecordFile(path, chain=True)
    file.append([json.dumps({"number": number}).encode() + b"\n" for number in range(5)])
    file.close()


def test_whole_and_broken(tmp_path: Path, call: Call) -> None:
    path = tmp_path / "trail"
    chained(path)
    text = call("verify", path).output
    assert text.startswith("5 lines, the last one with the hash ")
    head = text.split()[-1]
    call("verify", path, "--expect", head)
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(b"".join(lines[:2] + lines[3:4]))
    text = call("verify", path, "--expect", head, "--expect", "0" * 64, status=1).output
    assert f"{path}:3: it does not follow the line before" in text and f"{path}: its last lines are missing" in text
    assert f"no line has the hash {'0' * 64}" in text


def test_json(tmp_path: Path, call: Call) -> None:
    path = tmp_path / "trail"
    path.write_text('{"before": 1}\n')
    chained(path)
    found = json.loads(call("verify", "--json", path).output)
    assert (found["lines"], found["before"], found["broken"], found["missing"]) == (5, 1, [], [])
    path.write_bytes(path.read_bytes().replace(b'"number": 1', b'"number": 8'))
    (broken,) = json.loads(call("verify", "--json", path, status=1).output)["broken"]
    assert (broken["file"], broken["line"]) == (str(path), 4)


def test_what_cannot_be_read(tmp_path: Path, call: Call) -> None:
    assert f"{tmp_path}/none: No such file or directory" in call("verify", tmp_path / "none", status=1).output
    call("verify", status=2)
