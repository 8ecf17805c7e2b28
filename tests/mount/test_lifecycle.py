"""A translator's life in a process: its module, its words in the log, its world, and its end, orderly or not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import glupy
import pytest
from support.attempts import PATIENCE, attempt
from support.mounts import Mount
from support.volfiles import Layer, layer, posix, volfile
from support.waiting import wait_until


def ask(mount: Mount, how: str, path: str = ".") -> Any:
    """What the translator answers, as text; or an errno's name."""
    answer = attempt(mount, os.getxattr, mount.path / path, f"user.{how}")
    return answer.decode() if isinstance(answer, bytes) else answer


def test_instances_share_no_state() -> None:
    names = ["first", "second", "third"]
    with Mount([layer(name, "user/talks", greeting=f"from-{name}") for name in names]) as mount:
        for turn, name in enumerate(names * 2):
            answer = json.loads(ask(mount, f"{name}.state"))
            assert answer[0] == name
            assert answer[1] == [f"user.{name}.state"] * (turn // len(names) + 1)
            assert answer[3] == f"from-{name}"
        modules = {json.loads(ask(mount, f"{name}.state"))[2] for name in names}
        assert len(modules) == len(names)


# The log


def test_words_in_the_log() -> None:
    expected = (r" 0-talks: (?:to stderr|at |with its|UserWarning)", r" 0-elsewhere: ")
    with Mount([layer("talks", "user/talks")], expected=expected, arguments=["-LDEBUG"]) as mount:
        assert ask(mount, "say") == "said"
        log = mount.text()
    for level, function, name, text in (
        ("I", "ask_say", "talks", "printed by talks"),
        ("W", "ask_say", "talks", "to stderr"),
        ("I", "ask_say", "talks", "in pieces and lines"),
        ("I", "ask_say", "talks", "of two"),
        ("D", "ask_say", "talks", "at debug"),
        ("I", "ask_say", "talks", "at info"),
        ("W", "ask_say", "talks", "at warning"),
        ("E", "ask_say", "talks", "at error"),
        ("C", "ask_say", "talks", "at critical"),
        ("W", "ask_say", "elsewhere", "a logger of another name"),
        ("I", "ask_say", "glupy", "the root logger"),
        ("W", "ask_say", "talks", "UserWarning: a warning of Python's"),
        ("I", "say_from_a_thread", "talks", "printed by a thread"),
        ("E", "ask_say", "talks", "with its traceback\nTraceback \\(most recent call last\\):\n"),
    ):
        pattern = rf"\] {level} \[talks\.py:(\d+):{function}\] 0-{name}: {text}"
        found = re.search(pattern, log)
        assert found, f"{pattern}\n{log[-4000:]}"
        line = (Path(__file__).parent.parent / "translators/talks.py").read_text().splitlines()[int(found[1]) - 1]
        assert re.search(r"print|log|warn", line)


def test_level_of_one_translator() -> None:
    with Mount([layer("talks", "user/talks", log_level="CRITICAL"), layer("other", "user/talks")],
               expected=(" 0-talks: ", " 0-elsewhere: ", " 0-other: ")) as mount:
        assert ask(mount, "talks.say") == "said" and ask(mount, "other.say") == "said"
        assert "0-talks: at critical" in mount.text() and "0-talks: at error" not in mount.text()
        assert "0-other: at error" in mount.text()


def test_log_rotation() -> None:
    """SIGHUP also makes GlusterFS 11 read its volfile again, now and then with a new graph: 1-talks."""
    expected = (r" [01]-talks: (?:to stderr|at |with its|UserWarning)", r" [01]-elsewhere: ")
    with Mount([layer("talks", "user/talks")], expected=expected) as mount:
        old = mount.log.rename(mount.log.with_name("log.1"))
        os.kill(mount.pid, signal.SIGHUP)
        wait_until(lambda: ask(mount, "say") == "said" and mount.log.exists(), "the new log")
        assert ask(mount, "say") == "said"
        assert re.search(r" [01]-talks: printed by talks", mount.text())
        assert "0-talks: talks begins" in old.read_text()


# The world around it


def test_imports() -> None:
    with Mount([layer("talks", "user/talks")]) as mount:
        assert ask(mount, "import") == "a process"


def test_isolated(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No code comes from the environment or the current directory."""
    for name in ("evil", "json", "sitecustomize", "usercustomize", "glupy", "talks", "encodings"):
        (trusted / f"{name}.py").write_text(f"open({str(trusted / 'caught')!r}, 'a').write(__name__)\n")
    monkeypatch.chdir(trusted)
    file = str(trusted / "evil.py")
    environment = {"PYTHONPATH": str(trusted), "PYTHONSTARTUP": file, "PYTHONINSPECT": "1", "PYTHONHOME": "",
                   "PYTHONUSERBASE": str(trusted), "PYTHONBREAKPOINT": "evil.x", "PYTHONWARNINGS": "error",
                   "PYTHON_GIL": "0"}
    with Mount([layer("talks", "user/talks")], environment=environment) as mount:
        world = json.loads(ask(mount, "world"))
    assert not (trusted / "caught").exists()
    assert world["cwd"] == str(trusted)
    assert world["isolated"] == 1
    assert world["argv"] in ([], [""])
    assert world["evil"] == world["usercustomize"] == "not found"
    assert world["json"] == json.__file__
    assert world["gil"]
    assert not [path for path in world["path"] if path == "" or path.startswith((str(trusted), "/root", "/home"))]
    assert world["path"][0].startswith(os.environ["GLUPY_STAGE"])


def signals(pid: int) -> dict[str, str]:
    """The process's masks of signals: caught, ignored, and blocked on its first thread."""
    status = Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(Sig(?:Cgt|Ign|Blk)):\s+(\w+)$", status, re.M))


#: What a fault of a thread itself raises. A thread that blocks it dies of it without a word in the log.
FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGSYS}


def blocked(pid: int) -> dict[str, set[int]]:
    """What the threads of a process block, by their names."""
    found: dict[str, set[int]] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        mask = int(re.search(r"^SigBlk:\s+(\w+)$", (task / "status").read_text(), re.M)[1], 16)  # type: ignore[index]
        name = (task / "comm").read_text().strip()
        found.setdefault(name, set()).update(number for number in range(1, 65) if mask >> (number - 1) & 1)
    return found


def test_threads_of_glupy_block_no_faults() -> None:
    """Nor if what started the process blocked them, which its threads inherit."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FAULTS)
    try:
        with Mount([layer("talks", "user/talks")], expected=(r"fuse_thread_proc",)) as mount, ThreadPoolExecutor(2) as pool:
            (mount.path / "file").write_bytes(b"")
            for how in ("sleep", "thread"):  # start the clock, and a thread that may block
                pool.submit(ask, mount, how, "file")
                wait_until(lambda: f"waits: {how}" in mount.text(), "the request to be inside")
            wait_until(lambda: "glfs_glupyclk" in blocked(mount.pid), "the clock's thread")
            masks = blocked(mount.pid)
            assert mount.process
            mount.process.terminate()
            mount.process.wait(PATIENCE)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert any(mask >= FAULTS for mask in masks.values())  # GlusterFS's own do block them then
    for name in ("glfs_glupymain", "glfs_glupyrun", "glfs_glupyblk", "glfs_glupyclk"):
        assert not masks[name] & FAULTS, name
        assert signal.SIGTERM in masks[name], name


def test_signals_are_untouched() -> None:
    with Mount() as plain, Mount([layer("talks", "user/talks")]) as python:
        assert ask(python, "import") == "a process"
        os.listdir(plain.path), os.listdir(python.path)
        assert signals(python.pid) == signals(plain.pid)


# The end

WAITS = ["future", "sleep", "thread", "blocks", "loops", "keeps-interpreter"]


@pytest.mark.parametrize("how", WAITS)
def test_ends_with_requests_inside(how: str) -> None:
    """However a request stays inside, the process ends when it is told to, and the application gets an errno."""
    with Mount([layer("talks", "user/talks")], expected=(r"fuse_thread_proc", r"received signum", r"cleanup")) as mount:
        (mount.path / "file").write_bytes(b"")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, mount, how, "file")
            wait_until(lambda: f"waits: {how}" in mount.text(), "the request to be inside")
            assert mount.process
            mount.process.terminate()
            assert mount.process.wait(PATIENCE) in (0, 15)
            assert waiting.result() in ("ENOTCONN", "ECONNABORTED")
        assert "signal received" not in mount.text() and "pending frames" not in mount.text()


def test_ends_with_a_thousand_requests_inside() -> None:
    """And with threads of the translator's own alive, some of them computing."""
    expected = (r"fuse_thread_proc", r"received signum", r"cleanup")
    with Mount([layer("talks", "user/talks")], expected=expected) as mount:
        (mount.path / "file").write_bytes(b"")
        assert ask(mount, "threads") == "4 threads"
        with ThreadPoolExecutor(1000) as pool:
            waiting = [pool.submit(ask, mount, "suspends", "file") for _ in range(1000)]
            wait_until(lambda: "waits: 1000 requests" in mount.text(), "the requests to be inside")
            assert mount.process
            mount.process.terminate()
            assert mount.process.wait(PATIENCE) in (0, 15)
            assert {future.result() for future in waiting} <= {"ENOTCONN", "ECONNABORTED"}
        assert "signal received" not in mount.text()


@pytest.mark.parametrize("how", WAITS)
def test_lazy_unmount_with_requests_inside(how: str) -> None:
    """The mount goes out of sight at once; the request stays, and goes with the process."""
    with Mount([layer("talks", "user/talks")], expected=(r"fuse_thread_proc", r"received signum")) as mount:
        (mount.path / "file").write_bytes(b"")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, mount, how, "file")
            wait_until(lambda: f"waits: {how}" in mount.text(), "the request to be inside")
            subprocess.run(["umount", "-f", "-l", mount.path], check=True)
            assert not os.path.ismount(mount.path)
            assert mount.process
            if mount.process.poll() is None:
                mount.process.send_signal(signal.SIGTERM)
            assert mount.process.wait(PATIENCE) in (0, 15)
            assert waiting.result() in ("ENOTCONN", "ECONNABORTED", "EINTR")


def written(folder: Path, pid: int) -> bool:
    """Whether there is a complete statedump; it is removed."""
    for path in folder.glob(f"glusterdump.{pid}.dump.*"):
        text = path.read_text(errors="replace")
        if "DUMP-END-TIME" in text and "talks" in text:
            path.unlink()
            return True
    return False


@pytest.fixture
def dumps() -> Iterator[Path]:
    """Where GlusterFS writes statedumps, if it is there."""
    folder = Path("/run/gluster")
    missing = not folder.exists()
    folder.mkdir(exist_ok=True)
    yield folder
    if missing:
        shutil.rmtree(folder)


@pytest.mark.parametrize("how", WAITS)
def test_statedump_with_requests_inside(how: str, dumps: Path) -> None:
    with Mount([layer("talks", "user/talks")], expected=(r"received signum",)) as mount:
        (mount.path / "file").write_bytes(b"")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(ask, mount, how, "file")
            wait_until(lambda: f"waits: {how}" in mount.text(), "the request to be inside")
            for _ in range(2):
                os.kill(mount.pid, signal.SIGUSR1)
                wait_until(lambda: written(dumps, mount.pid), "the statedump")
            assert mount.process
            mount.process.terminate()
            mount.process.wait(PATIENCE)


def reload(mount: Mount, *layers: Layer) -> None:
    """Give glusterfs another volfile."""
    # A mount answers before the main thread has noted which volfile it is made from; told to read it again then, GlusterFS
    # takes it for a new one. Its threads for events begin after that.
    wait_until(lambda: "Started thread with index" in mount.text(), "the end of GlusterFS's start")
    mount.volfile.write_text(volfile([*posix(mount.brick), *layers]))
    os.kill(mount.pid, signal.SIGHUP)


REREADS = pytest.mark.skipif(glupy.GLUSTER_SERIES < 11, reason="reads the volfile of a server again, but no local one")


@REREADS
def test_new_graph() -> None:
    """SIGHUP makes GlusterFS read its volfile again: the new graph's instances go on, those of the old one end, once."""
    with Mount([layer("talks", "user/talks", greeting="one")], expected=(r"0-glusterfs: ",)) as mount:
        (mount.path / "file").write_bytes(b"before")
        stop = threading.Event()

        def load() -> int:
            count = 0
            while not stop.is_set():
                (mount.path / f"load{count % 10}").write_bytes(b"x" * 10_000)
                assert (mount.path / f"load{count % 10}").read_bytes() == b"x" * 10_000
                count += 1
            return count

        with open(mount.path / "file", "rb", buffering=0) as file, ThreadPoolExecutor(3) as pool:
            working = [pool.submit(load) for _ in range(1)]
            try:
                assert json.loads(ask(mount, "state", "file"))[3] == "one"
                reload(mount, layer("talks", "user/talks", greeting="two"), layer("more", "user/talks", greeting="three"))
                wait_until(lambda: ask(mount, "more.state", "file") != "ENODATA", "the new graph")
                assert json.loads(ask(mount, "talks.state", "file"))[3] == "two"
                wait_until(lambda: "talks ends, one" in mount.text(), "the end of the old instance")
            finally:
                stop.set()
            assert all(future.result() for future in working)
            assert file.read(6) == b"before"
        (mount.path / "file").write_bytes(b"after")
        assert (mount.path / "file").read_bytes() == b"after"
        assert mount.text().count(" begins, ") == 3 and mount.text().count(" ends, ") == 1


@REREADS
def test_new_options() -> None:
    """The same topology: reconfigure, in the graph that is there."""
    with Mount([layer("talks", "user/talks", greeting="one")],
               expected=(r"0-glusterfs: ", r" 0-talks: talks: option enabled ")) as mount:
        reload(mount, layer("talks", "user/talks", greeting="two"))
        wait_until(lambda: json.loads(ask(mount, "state"))[3] == "two", "the new option")
        reload(mount, layer("talks", "user/talks", greeting="three", enabled="perhaps"))
        wait_until(lambda: 'option enabled is "perhaps": expected one of on' in mount.text(), "what is said of it")
        assert json.loads(ask(mount, "state"))[3] == "three"
        reload(mount, layer("talks", "user/talks", greeting="three", enabled="off"))
        wait_until(lambda: ask(mount, "state") == "ENODATA", "Python to be out of the path")
        reload(mount, layer("talks", "user/talks", greeting="three"))
        wait_until(lambda: ask(mount, "state") != "ENODATA", "Python to be back")
        assert json.loads(ask(mount, "state"))[3] == "three"
        assert mount.text().count(" begins, ") == 1
