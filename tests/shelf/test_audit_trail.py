"""translators/audit.py: on whose behalf, on the disk before the answer, and a chain that shows what was done to it afterwards."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.graph import Graph
from support.sight import STATS, parsed
from support.volfiles import layer

from glupy import Loc
from glupy.records import files
from glupy.records.chain import check
from glupy.testing import Stage

FILE = Path(__file__).resolve().parents[2] / "translators/audit.py"


def lines(*paths: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def made(t: Stage[Any], name: str, **who: Any) -> None:
    t.run(t.child.mkdir(t.loc(name), 0o755, 0, t.new()), **who)


@pytest.mark.parametrize(("pid", "on_brick", "on_client"), [
    (4711, "user", "user"), (0, "user", "user"), (-1, "geo-replication", None), (-3, "rebalance", None), (-5, "quota", None),
    (-6, "self-heal", None), (-7, "self-heal", None), (-8, "bit-rot", None), (-9, "bit-rot", None), (-10, "rebalance", None),
    (-4, "glusterfs", None), (-13, "glusterfs", None), (-99, "glusterfs", None),
])
def test_issue_403_on_whose_behalf(translator: Any, tmp_path: Path, pid: int, on_brick: str, on_client: str | None) -> None:
    with translator(FILE, file=tmp_path / "client") as t:
        made(t, "/new", pid=pid)
    with translator(FILE, file=tmp_path / "brick", brick=True) as t:
        made(t, "/new", pid=pid, client="CTX_ID:1")
    assert [line["actor"] for line in lines(tmp_path / "client")] == [on_client or on_brick]
    assert [line["actor"] for line in lines(tmp_path / "brick")] == [on_brick]
    assert lines(tmp_path / "brick")[0]["pid"] == pid


def test_it_is_on_the_disk_before_the_answer(translator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []

    class Disk:
        broken = False

        def fdatasync(self, file: int) -> None:
            if self.broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            synced.append(os.fstat(file).st_size)

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    disk, file = Disk(), tmp_path / "trail"
    monkeypatch.setattr(files, "os", disk)
    with translator(FILE, file=file, durable=True, expect=[r"\d+ records are (not|missing) in .*: Input/output"]) as t:
        for number in range(3):
            t.mkdir(f"/{number}")
            assert len(lines(file)) == number + 1 and synced[-1] == file.stat().st_size
        disk.broken = True
        with pytest.raises(OSError) as raised:
            t.mkdir("/3")
        assert raised.value.errno == errno.EIO and t.exists("/3")
        disk.broken = False
        t.mkdir("/4")
    assert [line.get("path") or line["dropped"] for line in lines(file)] == ["/0", "/1", "/2", "/3", 1, "/4"]


def test_a_chain_over_files_and_starts(translator: Any, tmp_path: Path) -> None:
    file = tmp_path / "trail"
    for start in range(3):
        with translator(FILE, file=file, chain=True, size="4KB", keep=100) as t:
            for number in range(10):
                t.mkdir(f"/{start}-{number}")
                assert t.translator.records.drain(300)
    parts = [*sorted(tmp_path.glob("trail.[0-9]*"), key=lambda part: -int(part.suffix[1:])), file]
    parts = [part for part in parts if part.exists()]
    assert len(parts) > 1
    assert [line["path"] for line in lines(*parts)] == [f"/{start}-{number}" for start in range(3) for number in range(10)]
    assert (check(parts).lines, check(parts).broken) == (30, [])
    text = parts[0].read_text()
    parts[0].write_text(text.replace("/0-2", "/0-9", 1))
    assert [broken.line for broken in check(parts).broken] == [4]


def test_the_statedump_counts(tmp_path: Path) -> None:
    with Graph([layer("sink", "glupytest/sink"), layer("trail", "user/audit", file=tmp_path / "trail")]) as graph:
        loc = Loc.from_inode(graph.probe.itable.root)

        def stats() -> Any:
            name = f"{STATS}.trail"
            return parsed(graph.run(graph.child.getxattr(loc, name)).dict[name])

        assert "records" not in stats()
        for _ in range(3):
            graph.run(graph.child.setxattr(loc, {"user.a": b"b"}, 0))
        assert graph.translator("trail").records.drain(300)
        assert stats()["records"] == {"written": 3, "dropped": 0}
