"""Every translator in the guide and in README.md does what its page says, on a mount and in a brick."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import test_bricks
import test_failures
from support.bricks import Brick
from support.examples import Example, examples
from support.mounts import Mount
from support.volfiles import Layer, layer
from support.waiting import wait_until


@dataclass
class Running:
    """An example at work."""

    path: Path  # the mount
    brick: Path  # what storage/posix serves
    own: Path  # a folder for the example's own files
    process: Mount | Brick  # in which it runs

    def write(self, name: str, content: bytes = b"content") -> Path:
        file = self.path / name
        file.write_bytes(content)
        return file

    def names(self) -> set[str]:
        """What is in the root besides what was there."""
        return set(os.listdir(self.path)) - {"there"}

    def says(self, pattern: str) -> None:
        """Its log has, or will have, a line with this."""
        wait_until(lambda: re.search(pattern, self.process.text()) is not None, f"{pattern!r} in the log")


USES: dict[str, Callable[[Running], None]] = {}


def uses(function: Callable[[Running], None]) -> Callable[[Running], None]:
    """What is done with the example whose name this function has."""
    USES[function.__name__] = function
    return function


@uses
def Missing(run: Running) -> None:
    for _ in range(3):
        assert not (run.path / "none").exists()
    run.write("file").stat()
    os.statvfs(run.path)
    run.says(r"\d+ names are known to be missing")
    assert run.write("none").read_bytes() == b"content"


@uses
def NoPrograms(run: Running) -> None:
    run.path.chmod(0o777)
    for name, how in (("virus.EXE", "Operation not permitted"), ("folder", "")):
        done = subprocess.run(["mkdir", run.path / name], user=65534, stderr=subprocess.PIPE, text=True, check=False)
        assert how in done.stderr and bool(how) == bool(done.returncode), done.stderr
    run.says("user 65534 may not mkdir /virus.EXE")
    run.write("for-root.exe")
    assert run.names() == {"folder", "for-root.exe"}


@uses
def Shout(run: Running) -> None:
    assert run.write("file", b"loud").read_bytes() == b"LOUD"


@uses
def Counts(run: Running) -> None:
    run.write("file")
    for _ in range(3):
        (run.path / "file").read_bytes()
    assert os.getxattr(run.path / "file", "user.opens") == b"0:3"


@uses
def Slowest(run: Running) -> None:
    (run.path / "folder").mkdir()
    run.says(r"\w+ of /\w* by 0 took \d+\.\d+ s")


@uses
def Keep(run: Running) -> None:
    os.setxattr(run.write("kept"), "trusted.keep", b"yes")
    run.write("file").unlink()
    with pytest.raises(PermissionError):
        (run.path / "kept").unlink()
    run.says("uid 0 may not remove /kept: b'yes'")
    assert run.names() == {"kept"}


@uses
def Quarantine(run: Running) -> None:
    run.write("file").stat()
    assert not (run.path / "none").exists()
    with pytest.raises(PermissionError):
        run.write("it.infected")
    assert run.names() == {"file"}


@uses
def Blocked(run: Running) -> None:
    blocked, free = run.write("blocked"), run.write("free")
    os.setxattr(blocked, "trusted.blocked", b"yes")
    for _ in range(3):
        assert free.read_bytes() == b"content"
        with pytest.raises(PermissionError):
            blocked.read_bytes()
    os.setxattr(free, "trusted.blocked", b"yes")  # not asked for again so soon
    assert free.read_bytes() == b"content"


@uses
def Least(run: Running) -> None:
    assert os.statvfs(run.path).f_blocks == os.statvfs(run.own / "small").f_blocks


@uses
def Slow(run: Running) -> None:
    assert run.write("file").read_bytes() == b"content"


@uses
def Journal(run: Running) -> None:
    run.write("file").unlink()
    assert (run.own / "file").read_text() == "0 removed /file\n"


@uses
def Budget(run: Running) -> None:
    file = run.write("file", b"")
    with open(file, "r+b", buffering=0) as opened, ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda at: os.pwrite(opened.fileno(), bytes(500_000), at * 500_000), range(8))) == 4_000_000
    assert file.read_bytes() == bytes(4_000_000)


@uses
def Removals(run: Running) -> None:
    run.write("file").unlink()
    run.write("other").unlink()
    found = [json.loads(line) for line in (run.own / "file").read_text().splitlines()]
    assert [(line["path"], line["uid"], line["actor"]) for line in found] == [("/file", 0, "user"), ("/other", 0, "user")]


@uses
def Catalogue(run: Running) -> None:
    run.write("file")
    with sqlite3.connect(run.own / "database") as db:
        assert list(db.execute("select * from names")) == [("/file", 0)]


@uses
def Impatient(run: Running) -> None:
    file = run.write("file")
    os.setxattr(file, "user.quick", b"yes")
    assert os.getxattr(file, "user.quick") == b"yes"
    with pytest.raises(TimeoutError):
        os.getxattr(file, "user.slow")
    run.says("/file: not done within 0.5 s: sleep of 3600.000 s")


@uses
def Watched(run: Running) -> None:
    for name in ("one", "bad", "two"):
        (run.path / name).mkdir()
    run.says("/one is made")
    run.says("work, which begins again in 0.05 s")
    run.says("/two is made")


@uses
def Writes(run: Running) -> None:
    file = run.write("file", b"")
    with open(file, "r+b", buffering=0) as opened, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda at: os.pwrite(opened.fileno(), b"x", at), range(40))) == [1] * 40
    assert os.getxattr(file, "trusted.writes") == b"40"


@uses
def NewFiles(run: Running) -> None:
    for number in range(3):
        run.write(f"file {number}")
        run.says(f"/file {number} is new")


@uses
def Gate(run: Running) -> None:
    assert run.write("file").read_bytes() == b"content"
    run.says("the gate opened for /file")


@uses
def Settled(run: Running) -> None:
    run.write("file", b"more")
    run.says("/file has settled")


@uses
def Machines(run: Running) -> None:
    run.write("file").read_bytes()
    if isinstance(run.process, Brick):
        run.says(f"{re.escape(str(run.brick))}: opened 1 files for {re.escape(socket.gethostname())}")
    else:
        run.says("volume None, servers none")


@uses
def Census(run: Running) -> None:
    run.says("1 names in the root")


@uses
def Latest(run: Running) -> None:
    run.write("latest")
    os.setxattr(run.write("file"), "user.latest", b"news")
    assert os.getxattr(run.path / "latest", "user.latest") == b"news"


@uses
def Quiet(run: Running) -> None:
    run.write("file", bytes(1000))
    run.says("/file: 1000 bytes written")


@uses
def Colour(run: Running) -> None:
    os.setxattr(run.write("file"), "user.colour", b"red")
    (run.path / "file").stat()
    run.says("/file is b'red'")


@uses
def Downloads(run: Running) -> None:
    file = run.write("file")
    for _ in range(3):
        file.read_bytes()
    assert os.getxattr(file, "user.downloads") == b"3" and "user.downloads" in os.listxattr(file)
    os.setxattr(file, "user.downloads", b"70")
    with file.open("rb") as opened:
        assert os.getxattr(opened.fileno(), "user.downloads") == b"71"
        os.removexattr(opened.fileno(), "user.downloads")
    assert os.getxattr(file, "user.downloads") == b"0"
    with pytest.raises(OSError, match="Invalid argument"):
        os.setxattr(file, "user.downloads", b"many")


@uses
def Everywhere(run: Running) -> None:
    os.setxattr(run.write("file"), "user.colour", b"red")
    assert os.getxattr(run.path / "file", "user.everywhere.user.colour") == b"brick: red"
    assert os.getxattr(run.path / "file", "user.everywhere.user.size") == b"brick: none"


@uses
def Undelete(run: Running) -> None:
    run.write("file", bytes(300_000)).unlink()
    run.write("file", b"second").unlink()
    (run.path / "link").symlink_to("there")
    (run.path / "link").unlink()
    assert run.names() == {".removed"} and os.listdir(run.path / ".removed") == ["file"]
    assert (run.path / ".removed/file").read_bytes() == b"second"
    (run.path / ".removed/file").unlink()
    assert os.listdir(run.path / ".removed") == []


@uses
def FirstUse(run: Running) -> None:
    """tests/mount/test_store_real.py has what is there after the end."""
    file = run.write("file")
    with pytest.raises(OSError, match="No data available"):
        os.getxattr(file, "user.first-use")
    file.read_bytes()
    first = os.getxattr(file, "user.first-use")
    assert re.fullmatch(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", first)
    file.read_bytes()
    assert os.getxattr(file, "user.first-use") == first


@uses
def Overlay(run: Running) -> None:
    (run.own / "file").write_bytes(b"from elsewhere")
    assert run.write("file", bytes(14)).read_bytes() == b"from elsewhere"


@uses
def Rot13(run: Running) -> None:
    assert run.write("file", b"Hello").read_bytes() == b"Hello"
    assert (run.brick / "file").read_bytes() == b"Uryyb"


@uses
def Masked(run: Running) -> None:
    file = run.write("file", b"content " * 1000)
    with file.open("r+b") as opened:
        opened.seek(4094)
        opened.write(b"CONTENT")
    os.truncate(file, 7001)
    wanted = bytearray(b"content " * 1000)[:7001]
    wanted[4094:4101] = b"CONTENT"
    assert file.read_bytes() == wanted
    stored = (run.brick / "file").read_bytes()
    assert len(stored) == 7001 and b"content" not in stored


@uses
def Hide(run: Running) -> None:
    run.write("file")
    run.write(".private-file")
    assert run.names() == {"file"}
    assert not (run.path / ".private-file").exists()
    assert (run.brick / ".private-file").exists()


@uses
def Broken(run: Running) -> None:
    run.write("file")
    with pytest.raises(OSError, match="Input/output error"):
        (run.path / "d").mkdir()
    with pytest.raises(OSError, match="Input/output error"):
        (run.path / "file").unlink()
    with pytest.raises(PermissionError):
        (run.path / "l").symlink_to("file")
    run.says(r"example: mkdir of '/d' failed\n.*\n.* in mkdir\n    return reply.replace\(mode=mode\)")
    run.says("TypeError: unlink returned None after its work: return the reply, or raise OSError")


@uses
def Counting(run: Running) -> None:
    run.write("file").unlink()
    assert not run.names()


@uses
def Written(run: Running) -> None:
    """test_stopping.py has what comes of it at the end."""
    assert run.write("file").read_bytes() == b"content"
    run.says("begins anew")
    assert not (run.own / "file").exists()


@uses
def Counter(run: Running) -> None:
    """tests/inprocess/test_reload.py and tests/command/test_run.py load translators anew."""
    file = run.write("file")
    os.setxattr(file, "user.colour", b"red")
    assert os.getxattr(file, "user.colour") == b"red"


#: What the example logs at WARNING or worse, and what GlusterFS says of that.
@uses
def Asks(run: Running) -> None:
    run.write("open")
    run.write("secret")
    assert (run.path / "open").read_bytes() == b"content"
    with pytest.raises(PermissionError):
        (run.path / "secret").read_bytes()


@uses
def Refuse(run: Running) -> None:
    run.write("file")
    with pytest.raises(OSError) as failed:
        (run.path / "file").unlink()
    assert failed.value.errno == errno.EROFS
    assert run.write("file", b"other").read_bytes() == b"other"


class Says(BaseHTTPRequestHandler):
    """The service that Asks asks: nobody opens what is secret."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(403 if self.path.endswith("/secret") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def service(example: Example) -> Iterator[str | None]:
    """The address of one, for an example that has an option for it."""
    if "service = Option(" not in example.source:
        yield None
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


SAYS = {"Watched": ("work, which begins again",), "Keep": (r" 0-example: uid 0 may not remove ",),
        "Broken": (test_failures.OURS, r" 0-example: example: "),
        "Written": (r" 0-example: begins anew",), "NoPrograms": (r" 0-example: user 65534 may not ",)}


#: The kernel keeps no names and attributes: each look at a file comes down as a lookup.
UNCACHED = ("--entry-timeout=0", "--attribute-timeout=0")


@contextmanager
def alone(example: Layer, below: list[Layer], folder: Path, *expected: str) -> Iterator[Running]:
    """On a client, without a brick process."""
    brick = folder / "brick"
    (brick / "there").mkdir(parents=True)
    with Mount([*below, example], folder=folder, brick=brick, arguments=UNCACHED,
               expected=(*test_bricks.CLIENT, *expected)) as mount:
        yield Running(mount.path, brick, folder / "own", mount)


@contextmanager
def in_brick(example: Layer, below: list[Layer], folder: Path, *expected: str) -> Iterator[Running]:
    """In a brick's process, with a client of it."""
    with Brick([*below, example], folder=folder, expected=(*test_bricks.SERVER, *expected)) as brick:
        (brick.directory / "there").mkdir()
        with Mount(bottom=[brick.client], brick=brick.directory, arguments=UNCACHED,
                   expected=(*test_bricks.CLIENT, *expected)) as mount:
            yield Running(mount.path, brick.directory, folder / "own", brick)


@pytest.fixture
def own(trusted: Path) -> Iterator[Path]:
    """A folder for the example's own files, with a small file system in it."""
    small = trusted / "own/small"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "small", small], check=True)
    yield trusted / "own"
    subprocess.run(["umount", small], check=True)


def described(example: Example, own: Path, asked: str | None) -> tuple[Layer, list[Layer]]:
    """The example as a layer, with the options that it needs, and what it wants below besides a brick."""
    options = {name: str(own / name) for name in ("file", "database") if f"{name} = Option(" in example.source}
    if asked:
        options["service"] = asked
    if "self.children" not in example.source:
        return layer("example", "features/glupy", module="example", **options), []
    other = layer("other", "storage/posix", directory=own / "small", subvolumes="")
    return layer("example", "features/glupy", module="example", subvolumes="locks other"), [other]


@pytest.mark.parametrize("where", [alone, in_brick], ids=["mount", "brick"])
@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_item_15_example(example: Example, where: Callable[..., Iterator[Running]], trusted: Path, own: Path) -> None:
    (trusted / "example.py").write_text(example.source)
    with service(example) as asked:
        top, below = described(example, own, asked)
        with where(top, below, trusted, *SAYS.get(example.name, ())) as running:
            USES[example.name](running)
