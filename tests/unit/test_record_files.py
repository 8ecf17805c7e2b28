"""RecordFile: whole records or none, in a file that is renamed, full or shared; and chains of them, and what was done to these."""

from __future__ import annotations

import errno
import gzip
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from glupy.records import files
from glupy.records.chain import BEGINNING, check
from glupy.records.files import RecordFile
from hypothesis import given, settings
from hypothesis import strategies as st


def record(number: int) -> bytes:
    return json.dumps({"number": number}).encode() + b"\n"


def numbers(*paths: Path) -> list[int]:
    return [json.loads(line)["number"] for path in paths for line in path.read_text().splitlines()]


def test_it_follows_its_name(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "log")
    assert str(file) == str(tmp_path / "log")
    assert file.append([record(0), record(1)]) == 2
    os.rename(tmp_path / "log", tmp_path / "old")
    assert file.append([record(2)]) == 1
    os.unlink(tmp_path / "log")
    assert file.append([record(3)]) == 1
    file.close()
    file.close()
    assert file.append([record(4)]) == 1
    file.close()
    assert numbers(tmp_path / "old") == [0, 1] and numbers(tmp_path / "log") == [3, 4]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_it_is_no_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError) as raised:
        RecordFile(tmp_path / "log").append([record(0)])
    assert raised.value.errno == errno.ELOOP and not (tmp_path / "elsewhere").exists()


class Disk:
    """os.write of a disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, file: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "full")
        written = os.write(file, data[:self.room])
        self.room -= written
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=8), room=st.integers(0, 200), chain=st.booleans())
def test_a_full_disk_has_whole_records_only(tmp_path_factory: Any, sizes: list[int], room: int, chain: bool) -> None:
    path = tmp_path_factory.mktemp("full") / "log"
    records = [json.dumps({"text": "x" * size}).encode() + b"\n" for size in sizes]
    file = RecordFile(path, chain=chain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "os", Disk(room))
        try:
            count = file.append(records)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            count = 0
    if not chain:
        assert path.read_bytes() == b"".join(records[:count])
        assert count == sum(sum(map(len, records[:i + 1])) <= room for i in range(len(records)))
    assert file.append(records[count:] or [records[0]])
    file.close()
    found = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [one["text"] for one in found][:len(records)] == [json.loads(one)["text"] for one in records]
    assert not chain or not check([path]).broken


@pytest.mark.parametrize("chain", [False, True])
def test_several_rotate_one_file(tmp_path: Path, chain: bool) -> None:
    """Whatever they append at once is there, whole and once, and no complete file is lost."""
    path = tmp_path / "log"

    def work(worker: int) -> None:
        mine = RecordFile(path, size=400, keep=1000, chain=chain)
        for number in range(50):
            assert mine.append([record(worker * 1000 + number)]) == 1
        mine.close()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts = sorted(tmp_path.glob("log.[0-9]*"), key=lambda part: -int(part.suffix[1:]))
    parts += [path] if path.exists() else []
    assert len(parts) > 2
    found = numbers(*parts)
    assert sorted(found) == [worker * 1000 + number for worker in range(4) for number in range(50)]
    if chain:
        seen = check(parts)
        assert (seen.lines, seen.broken) == (200, [])


def test_so_many_are_kept(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "log", size=1, keep=2)
    for number in range(5):
        file.append([record(number)])
    file.keep = 0
    file.append([record(5)])
    file.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.1", "log.2"]
    assert numbers(tmp_path / "log.2", tmp_path / "log.1") == [3, 4]


# Chains


def chained(path: Path, begin: int = 0, end: int = 10) -> None:
    file = RecordFile(path, chain=True)
    for number in range(begin, end, 2):
        file.append([record(number), record(number + 1)])
    file.close()


def changed(path: Path, change: Callable[[list[bytes]], object]) -> None:
    lines = path.read_bytes().splitlines(True)
    change(lines)
    path.write_bytes(b"".join(lines))


def test_a_chain_goes_on(tmp_path: Path) -> None:
    """Over the end of the process, in another file, and in one that is not there at its beginning."""
    path, old = tmp_path / "log", tmp_path / "log.1"
    chained(path)
    chained(path, 10, 20)
    os.rename(path, old)
    chained(path, 20, 30)
    assert json.loads(old.read_bytes().splitlines()[0])["prev"] == BEGINNING
    whole, part = check([old, path]), check([path])
    assert (whole.lines, whole.before, whole.broken) == (30, 0, []) and numbers(old, path) == list(range(30))
    assert (part.lines, part.broken) == (10, []) and part.head == whole.head
    assert [broken.line for broken in check([path, old]).broken] == [1]
    packed = tmp_path / "log.1.gz"
    packed.write_bytes(gzip.compress(old.read_bytes()))
    assert not check([packed, path], [whole.head, check([old]).head]).broken
    assert check([old, path], ["f" * 64]).missing == {"f" * 64}


def test_a_chain_begins_in_a_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(record(0) + record(1))
    chained(path, 2)
    assert (check([path]).lines, check([path]).before, check([path]).broken) == (8, 2, [])
    changed(path, lambda lines: lines.__setitem__(1, record(7)))
    assert [broken.line for broken in check([path]).broken] == [3]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), what=st.sampled_from(("remove", "change", "swap", "double", "forge", "cut")), goes_on=st.booleans())
def test_what_was_done_to_a_chain_is_found(tmp_path_factory: Any, data: st.DataObject, what: str, goes_on: bool) -> None:
    path = tmp_path_factory.mktemp("chain") / "log"
    chained(path)
    at = data.draw(st.integers(0, 8 if what == "swap" else 9))

    def tamper(lines: list[bytes]) -> None:
        match what:
            case "remove":
                del lines[at]
            case "change":
                lines[at] = lines[at].replace(b'"number": ', b'"number": 1')
            case "swap":
                lines[at], lines[at + 1] = lines[at + 1], lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "forge":
                lines.insert(at, record(5))
            case "cut":
                del lines[at:]

    changed(path, tamper)
    if goes_on:
        chained(path, 10, 12)
    found = check([path])
    if at == 0 and (what == "remove" or what == "cut" and goes_on):
        return  # what comes first may have gone, as with a file that is not kept any more
    assert found.broken, (what, at)


def test_a_crash_breaks_no_chain(tmp_path: Path) -> None:
    """Lines were written, and the process was killed before PATH.head was."""
    path, state = tmp_path / "log", tmp_path / "log.head"
    chained(path, 0, 4)
    before = state.read_bytes()
    chained(path, 4, 8)
    state.write_bytes(before)
    chained(path, 8, 12)
    assert (check([path]).lines, check([path]).broken) == (12, [])


def test_half_a_line_stays_and_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "log"
    chained(path, 0, 4)
    with path.open("ab") as file:
        file.write(b'{"prev": "')
    chained(path, 4, 8)
    assert [(broken.line, broken.what) for broken in check([path]).broken] == [(5, "it is no record of a chain")]


def test_what_ends_otherwise_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    chained(tmp_path / "log")
    changed(tmp_path / "log", lambda lines: lines.pop())
    file = RecordFile(tmp_path / "log", chain=True, warn=said.append)
    file.append([record(10)])
    file.append([record(11)])
    file.close()
    assert len(said) == 1 and "does not end as it did" in said[0]
    assert [broken.line for broken in check([tmp_path / "log"]).broken] == [10]


@pytest.mark.parametrize("text", [b"number\n", b"{}", b'{\n"a": 1}\n', b'[1]\n'])
def test_only_lines_of_objects_are_chained(tmp_path: Path, text: bytes) -> None:
    file = RecordFile(tmp_path / "log", chain=True)
    with pytest.raises(ValueError, match="one line with a JSON object"):
        file.append([text])
    assert file.append([b"{}\n"]) == 1
    file.close()
    assert (tmp_path / "log").read_bytes() == b'{"prev": "%s"}\n' % BEGINNING.encode()
