"""translators/trace.py: what a line says, which operations have one, and that nothing waits for them."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from support import control
from support.bricks import Brick
from support.graph import Graph
from support.mounts import Mount
from support.plain import differences
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

import glupy
from glupy import Loc, OptionError
from glupy.testing import Stage

FILE = Path(__file__).resolve().parents[2] / "translators/trace.py"


def lines(file: Path) -> list[dict[str, Any]]:
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]


def traced(t: Stage[Any], file: Path) -> list[dict[str, Any]]:
    """The lines of all that has been done so far."""
    assert t.translator.lines.drain(PATIENCE)
    return lines(file)


def test_what_a_line_says(translator: Any, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    with translator(FILE, file=file, only="create|writev|setxattr|unlink|readv") as t:
        t.user(0, 1001, pid=4711).write("/file", b"data")
        t.setxattr("/file", "user.colour", b"red")
        t.read("/file")
        t.script(unlink=PermissionError)
        with pytest.raises(PermissionError):
            t.unlink("/file")
        gfid = str(t.loc("/file").gfid)
        found = traced(t, file)
    create, write, setxattr, *reads, unlink = found
    assert [line["fop"] for line in found[:3]] == ["create", "writev", "setxattr"] and reads and unlink["fop"] == "unlink"
    assert list(create)[:4] == ["time", "us", "fop", "path"] and create["path"] == "/file" and create["result"] == 0
    assert (create["uid"], create["gid"], create["pid"], create["client"]) == (0, 1001, 4711, None)
    assert create["attributes"]["gfid"] == write["gfid"] == gfid and write["result"] == 4
    assert write["args"]["vector"] == {"bytes": 4} and write["args"]["offset"] == 0
    assert setxattr["args"]["dict"] == ["user.colour"]
    assert reads[0]["result"] == 4 and reads[0]["attributes"]["size"] == 4
    assert unlink["result"] == "EPERM" and "attributes" not in unlink
    assert os.stat(file).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("options", "paths"), [
    ({}, ["/a", "/b", "/c"]), ({"uid": 7}, ["/b"]), ({"path": "/[ab]"}, ["/a", "/b"]), ({"errors": True}, ["/b"]),
    ({"slower": 2}, ["/c"]), ({"slower": 2, "errors": True}, []), ({"internal": False}, ["/a", "/b"]),
    ({"only": "changing-names|stat"}, ["/a", "/b", "/c"]), ({"only": "changing"}, []),
])
def test_filters(translator: Any, tmp_path: Path, options: dict[str, Any], paths: list[str]) -> None:
    with translator(FILE, **{"file": tmp_path / "trace", "only": "stat", **options}) as t:
        def answer(frame: Any, call: Any) -> Any:
            t.clock.advance(3 if call.path == "/c" else 0)
            return OSError(errno.EIO, "") if call.path == "/b" else None

        def stat(path: str, **who: Any) -> None:
            t.run(t.child.stat(Loc(path, inode=t.root)), **who)

        t.script(stat=answer)
        stat("/a")
        with pytest.raises(OSError):
            stat("/b", uid=7)
        stat("/c", pid=-6)
        assert [line["path"] for line in traced(t, tmp_path / "trace")] == paths


def test_a_filter_that_names_no_fop(translator: Any) -> None:
    with pytest.raises(OptionError, match="option only is .*: wirtev is no fop and no set of them; did you mean writev?"):
        translator(FILE, only="stat|wirtev").__enter__()


def test_every_fop_has_a_line(tmp_path: Path) -> None:
    """With arguments of every type, and null ones; and none is answered otherwise than without a trace."""
    below = [layer("sink", "glupytest/sink", xdata="on")]
    with Graph([*below, layer("trace", "user/trace", file=tmp_path / "trace")]) as graph:
        assert set(graph.run(differences(graph))) == {"compound"}  # for which GlusterFS has no default
        assert graph.translator("trace").lines.drain(PATIENCE)
        assert {line["fop"] for line in lines(tmp_path / "trace")} == {*glupy.FOPS} - glupy.OTHER


def test_rotation(translator: Any, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    with translator(FILE, file=file, size="4KB", keep=2, only="stat") as t:
        loc = Loc("/", inode=t.root)
        for _ in range(100):
            t.run(t.child.stat(loc))
            assert t.translator.lines.drain(PATIENCE)
    names = sorted(each.name for each in tmp_path.iterdir())
    assert set(names) <= {"trace", "trace.1", "trace.2"} and {"trace.1", "trace.2"} <= set(names)
    for name in ("trace.1", "trace.2"):
        assert 4096 <= (tmp_path / name).stat().st_size < 4096 + 1000
    times = [line["time"] for name in ("trace.2", "trace.1", "trace") for line in lines(tmp_path / name)]
    assert times == sorted(times)


def test_it_may_be_renamed_and_removed(translator: Any, tmp_path: Path) -> None:
    file = tmp_path / "trace"
    with translator(FILE, file=file, only="stat") as t:
        for _ in range(2):
            t.run(t.child.stat(Loc("/", inode=t.root)))
            assert len(traced(t, file)) == 1
            file.rename(tmp_path / "old")


def test_to_a_socket(translator: Any, tmp_path: Path) -> None:
    """And when nobody listens any more, operations go on, and are counted."""
    place = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        with translator(FILE, socket=place, only="stat", expect=[r"\d+ records are (not|missing) in "]) as t:
            loc = Loc("/", inode=t.root)
            t.run(t.child.stat(loc))
            stream, _ = listener.accept()
            with stream, stream.makefile() as text:
                assert json.loads(text.readline())["fop"] == "stat"
            for _ in range(5):
                t.run(t.child.stat(loc))
                assert t.translator.lines.drain(PATIENCE)
            stream, _ = listener.accept()
            with stream, stream.makefile() as text:
                first = json.loads(text.readline())
                assert first.get("dropped") or first["fop"] == "stat"


def test_a_file_that_takes_nothing(translator: Any, tmp_path: Path) -> None:
    """The writer is stuck, as on a disk that hangs: nothing waits for it, and each operation is accounted for."""
    os.mkfifo(tmp_path / "fifo")
    with translator(FILE, file=tmp_path / "fifo", only="stat", queue=10, expect=[r"\d+ records are (not|missing) in "]) as t:
        loc = Loc("/", inode=t.root)
        for _ in range(600):
            t.run(t.child.stat(loc))
        found: list[dict[str, Any]] = []
        reading = threading.Thread(target=read_all, args=(tmp_path / "fifo", found))
        reading.start()
        wait_until(lambda: sum(line.get("dropped", 1) for line in found) >= 11, "the first lines")
        t.run(t.child.stat(loc))
        wait_until(lambda: sum(line.get("dropped", 1) for line in found) == 601, "all to be told of")
        assert any("dropped" in line for line in found)
    end = os.open(tmp_path / "fifo", os.O_WRONLY)
    os.write(end, b'{"end": 1}\n')
    os.close(end)
    reading.join()


def read_all(fifo: Path, found: list[dict[str, Any]]) -> None:
    while not found or "end" not in found[-1]:
        with open(fifo) as file:
            for line in file:
                found.append(json.loads(line))


def test_a_folder_that_is_not_there_keeps_nothing_from_working(translator: Any, tmp_path: Path) -> None:
    expect = [r"\d+ records are not in .*: No such file or directory", r"\d+ records are missing in "]
    with translator(FILE, file=tmp_path / "none/trace", expect=expect) as t:
        t.write("/file", b"data")
        assert t.translator.lines.drain(PATIENCE)
        (tmp_path / "none").mkdir()
        t.read("/file")
        found = traced(t, tmp_path / "none/trace")
    assert found[0]["dropped"] >= 2 and found[1:]


def test_options_change_live(tmp_path: Path) -> None:
    below = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control")]
    with Graph([*below, layer("trace", "user/trace", file=tmp_path / "one", only="stat")]) as graph:
        loc = Loc.from_inode(graph.probe.itable.root)
        trace = graph.translator("trace")
        for options in ({"only": "stat", "file": tmp_path / "two"}, {"enabled": "off", "file": tmp_path / "two"},
                        {"only": "changing", "file": tmp_path / "two"}):
            graph.run(graph.child.stat(loc))
            assert trace.lines.drain(PATIENCE)
            control.reconfigure(graph, "trace", options)
        graph.run(graph.child.stat(loc))
        assert trace.lines.drain(PATIENCE)
        assert [len(lines(tmp_path / name)) for name in ("one", "two")] == [1, 1]


def test_on_a_mount_into_the_log() -> None:
    with Mount([layer("trace", "user/trace", only="create|mkdir")]) as mount:
        (mount.path / "file").write_bytes(b"data")
        wait_until(lambda: '"fop": "create", "path": "/file"' in mount.text(), "the line")


def test_in_a_brick(trusted: Path) -> None:
    file = trusted / "trace"
    with (
        Brick([layer("trace", "user/trace", file=file)], expected=(" 0-server: ",)) as brick,
        Mount(bottom=[brick.client], expected=("0-client",)) as mount,
    ):
        (mount.path / "file").write_bytes(b"data")
        assert (mount.path / "file").read_bytes() == b"data"
        wait_until(lambda: {"create", "writev", "readv"} <= {line.get("fop") for line in lines(file)}, "the lines")
        write, = (line for line in lines(file) if line.get("fop") == "writev")
        assert f"PID:{mount.pid}-" in write["client"] and write["result"] == 4
