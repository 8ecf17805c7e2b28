"""`glupy run` on real mounts: that they work, that they end, and what is said where there can be none."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glupy.command import session
from support.command import GLUPY, PATIENCE, Running, glupy
from support.waiting import wait_until

LOUD = """
from glupy import Option, Translator

class Loud(Translator):
    word = Option(str, default="begins")

    def init(self):
        self.log.info("%s with %s", self.name, self.word)

    async def readv(self, frame, fd, size, offset, flags, xdata):
        reply = await self.child.readv(fd, size, offset, flags, xdata)
        return reply.replace(vector=bytes(reply.data).upper())

    async def unlink(self, frame, loc, xflags, xdata):
        self.log.info("client %r, path %r", frame.client, loc.path)
        raise PermissionError
"""


@pytest.fixture
def loud(write):
    return write(LOUD, "loud.py")


@pytest.fixture(autouse=True)
def runs(trusted, monkeypatch):
    """Where temporary folders are made. No mount and no folder stays."""
    folder = trusted / "runs"
    folder.mkdir()
    monkeypatch.setenv("GLUPY_TMPDIR", str(folder))
    yield folder
    assert session.mounts_below(trusted) == []
    assert not folder.exists() or os.listdir(folder) == []


def use(path):
    (path / "file").write_text("hello\n")
    assert (path / "file").read_text() == "HELLO\n"
    with pytest.raises(PermissionError):
        (path / "file").unlink()


@pytest.mark.parametrize("brick", [False, True])
def test_temporary_mount(loud, brick):
    with Running(loud, "-o", "word=a \\ \"b\" $c", *(["--brick"] if brick else [])) as run:
        assert run.announced["name"] == "loud" and len(run.announced["processes"]) == 1 + brick
        use(run.path)
        assert (run.directory / "file").read_text() == "hello\n"
    assert run.status == 0
    assert 'INFO loud: loud with a \\ "b" $c\n' in run.said
    assert ("client None" in run.said) != brick and ("client 'CTX_ID:" in run.said) == brick
    assert not run.path.exists() and not run.directory.exists()
    assert not Path(f"/proc/{run.announced['processes'][0]}").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ends_by_signal(loud, trusted, number):
    (trusted / "data").mkdir()
    (trusted / "mnt").mkdir()
    with Running(loud, trusted / "data", trusted / "mnt") as run:
        assert (run.path, run.directory) == (trusted / "mnt", trusted / "data")
        use(run.path)
        run.end(number)
    assert run.status == 0
    assert os.listdir(trusted / "mnt") == [] and (trusted / "data/file").read_text() == "hello\n"


def test_ends_with_a_busy_mount(loud):
    with Running(loud) as run:
        sleeping = subprocess.Popen(["sleep", "1000"], cwd=run.path)
        run.end()
    sleeping.kill()
    sleeping.wait()
    assert run.status == 0


def test_ends_when_somebody_unmounts(loud):
    with Running(loud) as run:
        subprocess.run(["umount", run.path], check=True)
        run.finish()
    assert run.status == 0


@pytest.mark.parametrize("brick", [False, True])
def test_ends_when_a_process_dies(loud, brick):
    with Running(loud, *(["--brick"] if brick else [])) as run:
        os.kill(run.announced["processes"][-1], signal.SIGKILL)
        run.finish()
    assert run.status == 1
    assert f"the process that {'is the brick' if brick else 'mounts'} died of SIGKILL" in run.said


@pytest.mark.parametrize("brick", [False, True])
def test_killed(loud, brick):
    """GlusterFS's processes end with a command that is killed; the next one clears away what is left."""
    with Running(loud, *(["--brick"] if brick else [])) as run:
        run.end(signal.SIGKILL)
        folders = [Path(f"/proc/{pid}") for pid in run.announced["processes"]]
        wait_until(lambda: not any(folder.exists() for folder in folders), "the processes to end")
    left = run.directory.parent
    assert left.exists() and session.left_behind() == [left]
    with Running(loud) as run:
        assert not left.exists() and session.left_behind() == []


def test_two_at_once(loud):
    with Running(loud) as one, Running(loud) as other:
        assert one.path != other.path
        use(other.path)
        other.end()
        use(one.path)


@pytest.mark.parametrize("brick", [False, True])
def test_trace(loud, brick):
    with Running(loud, "--trace", *(["--brick"] if brick else [])) as run:
        use(run.path)
    above = [line.partition(" above ")[2] for line in run.said.splitlines() if " above " in line]
    below = [line.partition(" below ")[2] for line in run.said.splitlines() if " below " in line]
    assert not [line for line in above + below if "Traceback" in line]
    readv = r"readv\(fd of /file, \d+, 0, O_RDONLY\) uid=0 \[\d+\] = 6 b'%s\\n' 6 bytes <\d\.\d{6}>"
    assert any(re.fullmatch(readv % "HELLO", line) for line in above)
    assert any(re.fullmatch(readv % "hello", line) for line in below)
    create = r"create\('/file', O_WRONLY\|O_CREAT[|\w]*, 0644, \d{4}, fd of what is made, "
    assert any(re.match(create, line) for line in below)
    assert any(re.match(r"unlink\('/file', 0\) uid=0 \[\d+\] = -1 E(PERM|ACCES) \(", line) for line in above)
    assert not any(line.startswith("unlink") for line in below)


def test_trace_of_what_waits(write):
    file = write("import glupy\nclass Slow(glupy.Translator):\n    async def open(self, frame, loc, flags, fd, "
                 "xdata):\n"
                 "        await glupy.sleep(3600)\n", "slow.py")
    with Running(file, "--trace") as run:
        (run.path / "file").touch()
        reader = subprocess.Popen(["cat", run.path / "file"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: "above open('/file', O_RDONLY, fd of /file) <no answer yet>" in run.said, "the trace")
        run.end()
    reader.kill()
    reader.wait(PATIENCE)
    assert run.status == 0


def test_package(write):
    package = write("from .words import LOUD\n" + LOUD.replace('"begins"', "LOUD"), "loud/__init__.py").parent
    write("LOUD = 'loudly'", "loud/words.py")
    with Running(package) as run:
        use(run.path)
    assert "loud with loudly" in run.said


def test_script(loud):
    loud.write_text("#!/usr/bin/env -S glupy run\n" + LOUD)
    loud.chmod(0o755)
    with Running("-o", "word=script", program=loud) as run:
        use(run.path)
    assert "loud with script" in run.said


def test_line_for_people(loud, runs):
    process = subprocess.Popen([GLUPY, "run", loud], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert re.fullmatch(rf"({runs}/glupy-run\.\w+)/mnt shows \1/directory through loud; Ctrl-C unmounts it\n",
                        process.stdout.readline())
    process.terminate()
    assert process.communicate(timeout=PATIENCE)[0] == "" and process.returncode == 0


def test_log_is_quiet_and_verbose(loud):
    with Running(loud) as run:
        pass
    assert re.fullmatch(r"[\d:.]{12} INFO loud: loud with begins\n", run.said)
    with Running(loud, "--verbose") as run:
        pass
    assert "glusterfs: Started running version" in run.said and "\x1b" not in run.said


def test_configuration_of_this_machine(loud, write, trusted, monkeypatch):
    """The folders and the virtual environment of the local configuration count here, too."""
    write("[glupy]\ntranslators = /nowhere\nvenv = /nowhere/venv\n", "glupy.conf")
    monkeypatch.setenv("GLUPY_CONF", str(trusted / "glupy.conf"))
    done = glupy("run", loud)
    assert done.returncode == 1 and "/nowhere/venv/pyvenv.cfg: cannot be read" in done.stderr


# What does not go: one sentence that says what to do, and 1


def refused(*arguments, **settings):
    done = glupy("run", *arguments, **settings)
    assert done.returncode == 1 and done.stdout == "", done
    return done.stderr


def sentence(*arguments, **settings):
    said = refused(*arguments, **settings)
    assert said.count("\n") == 1 and said.startswith("glupy run: "), said
    return said[len("glupy run: "):-1]


def test_no_file(trusted):
    assert sentence(trusted / "none.py") == f"{trusted}/none.py: no such file; `glupy new NAME` begins one"


def test_not_root(loud):
    assert sentence(loud, user=65534, group=65534, extra_groups=[]) == "this takes root: sudo glupy run ..."


def test_not_trusted(loud):
    loud.parent.chmod(0o777)
    assert sentence(loud) == (
        f"{loud.parent}: folder is writable by others, mode 0777, so glupy does not run what it holds; chmod go-w "
        f"{loud.parent}, or move your code to a folder that only its owner can write")


def test_below_tmp(tmp_path):
    file = tmp_path / "loud.py"
    file.write_text(LOUD)
    said = sentence(file)
    assert said == ("/tmp: folder is writable by others (sticky or not), mode 1777, so glupy does not run what it "
                    "holds; move your code to a folder that only its owner can write")


@pytest.mark.parametrize("brick", [False, True])
def test_syntax_error(write, brick):
    file = write("def x(:\n", "bad.py")
    said = refused(file, *(["--brick"] if brick else []))
    assert said.startswith(f"glupy run: {file}:1: SyntaxError: ") and "Traceback" not in said


@pytest.mark.parametrize("option,said", [
    ("wrd=3", "option wrd is not declared by Loud; did you mean word?"),
    ("word=`id`", 'word is "`id`": a volfile can hold no empty value, and none with a backquote or a line break'),
    ("word=", 'word is "": a volfile can hold no empty value'),
    ("enabled=perhaps", 'option enabled is "perhaps": expected one of on, yes'),
])
def test_wrong_option(loud, option, said):
    assert said in sentence(loud, "-o", option)


@pytest.mark.parametrize("option", ["word", "=3", "wo rd=3", "word\n=3", "module=other"])
def test_no_option(loud, option):
    done = glupy("run", loud, "-o", option)
    assert done.returncode == 2 and done.stderr.startswith("glupy run: -o ")


def test_init_fails(write):
    file = write("from glupy import Translator\nclass A(Translator):\n    def init(self):\n        1 / 0\n", "bad.py")
    said = refused(file)
    assert said.startswith(f"glupy run: {file}:4: A.init failed: ZeroDivisionError: division by zero\nTraceback")


def test_mount_point_is_busy(loud, trusted):
    (trusted / "data").mkdir()
    with Running(loud) as run:
        assert sentence(loud, trusted / "data", run.path) == (
            f"{run.path} is a mount point already; umount {run.path}, or choose another")


def test_no_mount_point(loud, trusted):
    (trusted / "data").mkdir()
    assert sentence(loud, trusted / "data", trusted / "mnt") == (
        f"{trusted}/mnt is no directory to mount on; mkdir it, or leave it out for a temporary one")


@pytest.mark.parametrize("directory,mountpoint", [("data", "data"), ("data", "data/in"), ("data/in", "data")])
def test_mount_point_in_directory(loud, trusted, directory, mountpoint):
    (trusted / "data/in").mkdir(parents=True)
    assert "lie in each other" in sentence(loud, trusted / directory, trusted / mountpoint)


def test_no_directory(loud, trusted):
    assert sentence(loud, trusted / "data") == (
        f"{trusted}/data is no directory; mkdir it, or leave it out for a temporary one")


def test_directory_without_attributes(loud):
    said = sentence(loud, "/proc/self/fd")
    assert "cannot be a brick: its file system takes no extended attributes trusted.*" in said
    assert said.endswith("take a directory on ext4, xfs or btrfs")


def test_temporary_folder(loud, runs, monkeypatch):
    runs.chmod(0o777)
    assert sentence(loud) == (
        f"no temporary folder can be made in {runs}: {runs}: folder is writable by others, mode 0777, so glupy does "
        "not run "
        f"what it holds; chmod go-w {runs}, or move your code to a folder that only its owner can write; name another "
        "one in the environment variable GLUPY_TMPDIR")
    runs.chmod(0o755)
    long = runs / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("GLUPY_TMPDIR", str(long))
    assert "is too long a name for a socket" in sentence(loud, "--brick")
    long.rmdir()
    assert "No such file or directory" in sentence(loud)


def test_directory_of_a_volume(loud, trusted):
    (trusted / "data").mkdir()
    os.setxattr(trusted / "data", "trusted.glusterfs.volume-id", b"x" * 16)
    assert "is a brick of a volume" in sentence(loud, trusted / "data")


def test_no_gluster(call, loud, monkeypatch):
    from glupy.command import machine
    monkeypatch.setattr(machine, "PATH", "/nowhere")
    assert call("run", loud, status=1).output == (
        "glupy run: GlusterFS's program glusterfs is not installed; on Debian: apt install glusterfs-client\n")


def test_another_gluster(call, loud, monkeypatch):
    import glupy as package
    monkeypatch.setattr(package, "GLUSTER_VERSION", "9.9")
    assert re.fullmatch(r"glupy run: GlusterFS [\d.]+ is installed, and this glupy was built for 9\.9; install .*\n",
                        call("run", loud, status=1).output)


def test_no_link(call, loud, monkeypatch, trusted):
    from glupy.command import machine
    monkeypatch.setattr(machine.Gluster, "link", trusted / "features/glupy.so")
    said = f"glupy run: GlusterFS does not find glupy: {trusted}/features/glupy.so is missing; mkdir -p "
    assert call("run", loud, status=1).output.startswith(said)
    (trusted / "features").mkdir()
    (trusted / "features/glupy.so").symlink_to("/nowhere")
    assert "leads to /nowhere, not to this glupy" in call("run", loud, status=1).output


def test_no_fuse(call, loud, monkeypatch, trusted):
    from glupy.command import machine
    monkeypatch.setattr(machine, "FUSE", trusted / "fuse")
    assert call("run", loud, status=1).output.startswith(
        f"glupy run: {trusted}/fuse is missing, and without it nothing can be mounted; modprobe fuse, or, in a ")
    (trusted / "fuse").touch()
    assert "is no device; rm" in call("run", loud, status=1).output


NUMBERED = """
from glupy import GetxattrReply, Translator

class Numbered(Translator):
    async def getxattr(self, frame, loc, name, xdata):
        if name != "user.number":
            return await self.child.getxattr(loc, name, xdata)
        await self.child.stat(loc)
        return GetxattrReply({name: b"%d"})
"""


def number(run):
    return int(os.getxattr(run.path / "file", "user.number"))


@pytest.mark.parametrize("how", ["", "--brick", "--trace"])
def test_reload(write, how):
    with Running("--reload", write(NUMBERED % 1, "numbered.py"), *filter(None, [how])) as run:
        (run.path / "file").write_text("")
        assert number(run) == 1
        write(NUMBERED % 2, "numbered.py")
        wait_until(lambda: number(run) == 2, "the new code")
        write("class Numbered:\n", "numbered.py")
        wait_until(lambda: "numbered.py:1: IndentationError" in run.so_far(), "what is wrong")
        assert number(run) == 2
        write(NUMBERED % 3, "numbered.next").rename(write(NUMBERED % 2, "numbered.py"))
        wait_until(lambda: number(run) == 3, "the new code")
        os.setxattr(run.path / "file", "trusted.other", b"kept")
        assert os.getxattr(run.path / "file", "trusted.other") == b"kept"
    assert run.status == 0
    assert "INFO numbered: numbered runs its file as it is now: it was loaded anew\n" in run.said
    assert "ERROR numbered: numbered runs on as it is, since its file is not loaded anew: " in run.said


def test_reload_of_a_package(write):
    write("from .helper import NUMBER\n" + NUMBERED.replace('b"%d"', "NUMBER"), "numbered/__init__.py")
    package = write("NUMBER = b'1'\n", "numbered/helper.py").parent
    with Running("--reload", package) as run:
        (run.path / "file").write_text("")
        assert number(run) == 1
        write("NUMBER = b'2'\n", "numbered/helper.py")
        wait_until(lambda: number(run) == 2, "the new code")


@pytest.mark.parametrize("brick", [False, True])
def test_many_reloads_under_load(write, brick):
    """Each operation has one answer, by old code or new, and never by old code after new."""
    count, stop = int(os.environ.get("GLUPY_RELOADS", "100")), threading.Event()
    path = write(NUMBERED % 0, "numbered.py")
    with Running("--reload", path, *(["--brick"] if brick else [])) as run, ThreadPoolExecutor() as pool:
        (run.path / "file").write_text("")

        def load():
            seen = []
            while not stop.is_set():
                seen.append(number(run))
            return seen

        workers = [pool.submit(load) for _ in range(4)]
        try:
            for turn in range(1, count + 1):
                path.write_text(NUMBERED % turn)
                os.setxattr(run.path, "trusted.glupy.reload", b"test %d" % turn)
                assert number(run) == turn
        finally:
            stop.set()
        for worker in workers:
            seen = worker.result()
            assert seen == sorted(seen) and seen
    assert run.status == 0 and "Traceback" not in run.said
