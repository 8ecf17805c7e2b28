"""Volfiles and folders that try to have other code run than this machine's administrator put there: on real mounts."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.mounts import Mount, MountFailed
from support.volfiles import layer

GOOD = "from glupy import Translator\n\n\nclass Good(Translator):\n    pass\n"

#: Leaves a trace if it is ever run.
EVIL = "open({caught!r}, 'w').write('caught')\n" + GOOD


@pytest.fixture
def caught(tmp_path: Path) -> Path:
    """What exists once code has run that must not."""
    return tmp_path / "caught"


@pytest.fixture
def evil(tmp_path: Path, caught: Path) -> Path:
    """A translator in a place where anybody can write."""
    path = tmp_path / "evil.py"
    path.write_text(EVIL.format(caught=str(caught)))
    return path


def refusal(trusted: Path, **options: object) -> str:
    """Why a mount of this volume is refused."""
    with pytest.raises(MountFailed) as failed, Mount([layer("python", "features/glupy", **options)], folder=trusted):
        pass
    found = re.search(r" 0-python: python is not loaded: (.*)", failed.value.log)
    assert found, failed.value.log
    return found[1]


def quoted(text: str) -> str:
    """As a volfile has text with spaces and the like."""
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))


def test_names(trusted: Path, evil: Path, caught: Path) -> None:
    """The rest of what names can be is tried in tests/unit/test_loading.py."""
    (trusted / "evil.py").symlink_to(evil)
    names = [str(evil.with_suffix("")), f"../../../../{evil}", "ev\u0456l", "evil\u200b", "$(touch /tmp/x)", 'evil"',
             "a" * 5000]
    for name in names:
        text = refusal(trusted, module=quoted(name))
        assert "is no module name: give the name of a Python file without folder" in text and text.isascii(), text
        assert len(text) < 500
    assert not caught.exists()


def test_names_of_the_standard_library(trusted: Path) -> None:
    """No module of Python's is taken for a translator; a translator of such a name takes no module's place."""
    assert refusal(trusted, module="os").startswith("no module os: looked for os.py and os/__init__.py in ")
    (trusted / "json.py").write_text(GOOD + "import json, sys\nassert sys.modules['json'].dumps is json.dumps\n")
    with Mount([layer("python", "features/glupy", module="json")], folder=trusted) as mount:
        assert os.listdir(mount.path) == []


def test_search_path_is_no_option(trusted: Path, evil: Path, caught: Path) -> None:
    """A volfile has no say in where to look."""
    (trusted / "mod.py").write_text(GOOD)
    for key in ("translators", "venv", "path", "pythonpath"):
        assert f"option {key} is not declared by Good" in refusal(trusted, module="mod", **{key: evil.parent})
    assert refusal(trusted, module="evil").startswith("no module evil: looked for")
    assert not caught.exists()


def link_into(trusted: Path, evil: Path) -> None:
    (trusted / "mod.py").symlink_to(evil)


def link_to_a_folder(trusted: Path, evil: Path) -> None:
    evil.rename(evil.parent / "__init__.py")
    (trusted / "mod").symlink_to(evil.parent)


def foreign_link(trusted: Path, evil: Path) -> None:
    (trusted / "real.py").write_text(evil.read_text())
    (trusted / "mod.py").symlink_to("real.py")
    os.chown(trusted / "mod.py", 1234, 0, follow_symlinks=False)


def group_can_write(trusted: Path, evil: Path) -> None:
    (trusted / "mod.py").write_text(evil.read_text())
    (trusted / "mod.py").chmod(0o664)


def parent(trusted: Path, evil: Path, mode: int = 0o775, owner: int = 0) -> None:
    (trusted / "mod").mkdir()
    (trusted / "mod" / "__init__.py").write_text(evil.read_text())
    (trusted / "mod").chmod(mode)
    os.chown(trusted / "mod", owner, 0)


def sticky(trusted: Path, evil: Path) -> None:
    parent(trusted, evil, 0o1777)


def foreign_folder(trusted: Path, evil: Path) -> None:
    parent(trusted, evil, 0o755, 1234)


def submodule_link(trusted: Path, evil: Path) -> None:
    (trusted / "mod").mkdir()
    (trusted / "mod" / "__init__.py").write_text("from . import part\n" + GOOD)
    (trusted / "mod" / "part.py").symlink_to(evil)


def fifo(trusted: Path, evil: Path) -> None:
    os.mkfifo(trusted / "mod.py")


def device(trusted: Path, evil: Path) -> None:
    (trusted / "mod.py").symlink_to("/dev/zero")


def huge(trusted: Path, evil: Path) -> None:
    with open(trusted / "mod.py", "w") as file:
        file.truncate(1 << 40)


FOLDERS: dict[Callable[..., None], str] = {
    link_into: r"/tmp: folder is writable by others \(sticky or not\), mode 1777, so .*; move",
    link_to_a_folder: r"/tmp: folder is writable by others",
    foreign_link: r"/mod.py: a link owned by uid 1234, so glupy does not run what it leads to: .*: chown -h root ",
    group_can_write: r"/mod.py: file is writable by its group, mode 0664, .*; chmod go-w ",
    parent: r"/mod: folder is writable by its group, mode 0775, .*; chmod go-w ",
    sticky: r"/mod: folder is writable by others \(sticky or not\), mode 1777",
    foreign_folder: r"/mod: owned by uid 1234, so glupy does not run it: .*: chown root ",
    submodule_link: r"/tmp: folder is writable by others",
    fifo: r"/mod.py: not a regular file: put the source itself here",
    device: r"/dev/zero: not a regular file",
    huge: r"/mod.py: more than 16 MiB, which no source file needs",
}


@pytest.mark.parametrize("arrange", FOLDERS, ids=lambda arrange: arrange.__name__)
def test_folders(trusted: Path, evil: Path, caught: Path, arrange: Callable[..., None]) -> None:
    arrange(trusted, evil)
    assert re.search(FOLDERS[arrange], refusal(trusted, module="mod"))
    assert not caught.exists()


#: Imports a module of its own over and over, while others exchange its file.
RACE = '''
import importlib
import json
import sys

from glupy import GetxattrReply, Translator


class Race(Translator):
    def getxattr(self, frame, loc, name, xdata):
        if name != "user.race":
            return None
        seen = {}
        for _ in range(500):
            sys.modules.pop(f"{__name__}.part", None)
            try:
                result = importlib.import_module(".part", __name__).value
            except Exception as error:
                result = type(error).__name__
            seen[result] = seen.get(result, 0) + 1
        return GetxattrReply({name: json.dumps(seen).encode()})
'''


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_race_between_check_and_load(trusted: Path, tmp_path: Path, link: bool) -> None:
    package = trusted / "race"
    package.mkdir()
    (package / "__init__.py").write_text(RACE)
    (package / "part.py").write_text("value = 'good'\n")
    (tmp_path / "part.py").write_text("value = 'evil'\n")
    if link:
        (package / "other.py").symlink_to(tmp_path / "part.py")
    else:
        (package / "other.py").write_text("value = 'evil'\n")
        (package / "other.py").chmod(0o666)
    libc, stop = ctypes.CDLL(None), threading.Event()
    pair = [os.fsencode(package / name) for name in ("part.py", "other.py")]

    def exchange() -> None:
        while not stop.is_set():
            assert libc.renameat2(-100, pair[0], -100, pair[1], 2) == 0

    with Mount([layer("python", "features/glupy", module="race")], folder=trusted) as mount:
        thread = threading.Thread(target=exchange)
        thread.start()
        try:
            seen = json.loads(os.getxattr(mount.path, "user.race"))
        finally:
            stop.set()
            thread.join()
    assert seen.keys() <= {"good", "TrustError", "OSError"}, seen  # OSError: a link where a file was
    assert {"good", "TrustError"} <= seen.keys(), seen


def test_what_gluster_itself_allows(tmp_path: Path) -> None:
    """As docs/security.md says: its parser runs commands, and a type may lead anywhere; with or without glupy."""
    proof = tmp_path / "proof"
    with Mount([layer("nothing", "debug/../debug/delay-gen", delay_percentage=f"`id -u > {proof}; echo 0`")]) as mount:
        assert "libpython" not in Path(f"/proc/{mount.pid}/maps").read_text()
    assert proof.read_text() == "0\n"


# The virtual environment, which the administrator's own configuration names

USES = """
import greeting
from glupy import GetxattrReply, Translator


class Uses(Translator):
    def getxattr(self, frame, loc, name, xdata):
        return GetxattrReply({name: greeting.text.encode()}) if name == "user.greeting" else None
"""


@pytest.fixture
def environment(trusted: Path) -> Path:
    """A virtual environment with a module in it."""
    path = trusted / "venv"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", path], check=True)
    (packages,) = path.glob("lib/python3*/site-packages")
    (packages / "greeting.py").write_text("text = 'from the environment'\n")
    (packages / "json.py").write_text("raise SystemExit('the system goes first')\n")
    (trusted / "uses.py").write_text(USES)
    return path


def mount_with(trusted: Path, configuration: str) -> Mount:
    mount = Mount([layer("python", "features/glupy", module="uses")], folder=trusted)
    with open(mount.top / "glupy.conf", "a") as file:
        file.write(configuration)
    return mount


def test_virtual_environment(trusted: Path, environment: Path) -> None:
    with mount_with(trusted, f"venv = {environment}\n") as mount:
        assert os.getxattr(mount.path, "user.greeting") == b"from the environment"
    with pytest.raises(MountFailed, match="No module named 'greeting'"), mount_with(trusted, ""):
        pass


def test_virtual_environment_that_others_can_write(trusted: Path, environment: Path) -> None:
    (environment / "lib").chmod(0o777)
    with pytest.raises(MountFailed, match=rf"0-python: python is not loaded: {environment}/lib: folder is writable by "
                       "others, mode 0777, so glupy does not run what it holds; chmod go-w"):
        with mount_with(trusted, f"venv = {environment}\n"):
            pass


def test_virtual_environment_of_another_python(trusted: Path, environment: Path) -> None:
    (environment / "pyvenv.cfg").write_text("version = 3.4.10\n")
    with pytest.raises(MountFailed, match=f"0-python: python is not loaded: {environment}: virtual environment for "
                       rf"Python 3\.4, but this process runs Python 3\.\d+: make it anew with {sys.base_prefix}/bin/python3"):
        with mount_with(trusted, f"venv = {environment}\n"):
            pass
