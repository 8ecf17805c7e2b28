"""`glupy install` and `glupy remove`."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from glupy.command import machine
from glupy.loading import finding
from support.command import glupy
from support.mounts import Mount
from support.volfiles import layer

pytestmark = pytest.mark.once

SOURCE = """
from glupy import Translator

class Sample(Translator):
    def init(self):
        self.log.info("this is %s", {word!r})

    def stat(self, frame, loc, xdata):
        pass
"""


@pytest.fixture
def etc(trusted):
    return trusted / "etc"


@pytest.fixture
def install(call, link, write):
    def install(word="one", name="sample.py", status=0, text=None):
        file = write(text or SOURCE.format(word=word), f"src/{name}" if "/" not in name else name)
        file.chmod(0o666)
        os.chown(file, 1234, 1234)
        return file, call("install", file.parent if file.name == "__init__.py" else file, status=status).output
    return install


def here(folder):
    return sorted(path.name for path in folder.iterdir())


def test_install(install, etc, link):
    _, said = install()
    target = etc / "sample.py"
    assert said == f"{target} is installed; a volume of type user/sample has it when its graph starts\n"
    status = target.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o644)
    assert target.read_text() == SOURCE.format(word="one")
    assert link.resolve() == (machine.home() / "glupy.so").resolve()
    assert here(etc) == ["sample.py"] and here(link.parent) == ["sample.so"]


def test_replace(install, etc):
    install("one")
    install("two")
    assert (etc / "sample.py").read_text() == SOURCE.format(word="two") and here(etc) == ["sample.py"]


def test_package(install, etc, write, call):
    write("WORD = 1\n", "sample/words.py")
    write("", "sample/__pycache__/words.pyc")
    for word in ("one", "two"):
        install(word, "sample/__init__.py")
        assert (etc / "sample/__init__.py").read_text() == SOURCE.format(word=word)
        assert here(etc) == ["sample"] and here(etc / "sample") == ["__init__.py", "words.py"]
    assert stat.S_IMODE((etc / "sample").stat().st_mode) == 0o755
    assert stat.S_IMODE((etc / "sample/words.py").stat().st_mode) == 0o644
    call("remove", "sample")
    assert here(etc) == []


def test_package_in_place_of_a_file_and_back(install, etc):
    install("one")
    install("two", "sample/__init__.py")
    assert here(etc) == ["sample"]
    install("three")
    assert here(etc) == ["sample.py"]


@pytest.mark.parametrize("package", [False, True])
def test_replaced_in_one_step(install, etc, package):
    """There is a translator at every moment, and it is whole."""
    name = "sample/__init__.py" if package else "sample.py"
    install("one", name)
    texts, missing, done = {SOURCE.format(word=word) for word in ("one", "two")}, [], threading.Event()

    def look():
        while not done.is_set():
            file = finding.in_folder("sample", etc)
            try:
                assert file and file.read_text() in texts
            except (OSError, AssertionError) as error:
                missing.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    for word in ("two", "one") * 5:
        install(word, name)
    done.set()
    thread.join()
    assert missing == []


def test_error_changes_nothing(install, etc, link):
    install("one")
    file, said = install(text="from glupy import Translator\nclass A(Translator):\n    def stat(self):\n        pass\n",
                         status=1)
    assert said.startswith(f"{file}:3: error: A.stat does not take the arguments")
    assert said.endswith(f"glupy install: {file} is not installed; mend what stands above first\n")
    assert (etc / "sample.py").read_text() == SOURCE.format(word="one") and here(etc) == ["sample.py"]


def test_warnings_are_said(install, etc):
    file, said = install(text="from glupy import Translator\nclass A(Translator):\n    def create(self, *args):\n"
                              "        pass\n")
    assert said.startswith(f"{file}:2: warning: A defines create") and "is installed" in said


def test_link_of_somebody_else(install, etc, link):
    link.parent.mkdir()
    link.write_text("")
    _, said = install(status=1)
    assert said == (f"glupy install: {link} is there already and is not glupy's; give the translator another name, or "
                    "remove that one\n")
    assert here(etc) == []


def test_link_of_an_older_glupy_is_renewed(install, link):
    link.parent.mkdir()
    link.symlink_to("/nowhere/9.9/glupy.so")
    install()
    assert link.resolve() == (machine.home() / "glupy.so").resolve()


def test_hidden_by_another_folder(install, write, trusted):
    other = write(SOURCE.format(word="other"), "other/sample.py")
    write(f"[glupy]\ntranslators = {other.parent}\n", "glupy.conf")
    _, said = install(status=1)
    assert f"it will not be found, since {other} goes first; remove that, or take its folder out of" in said


def test_folder_not_trusted(install, etc):
    etc.chmod(0o777)
    _, said = install(status=1)
    assert said.startswith(f"glupy install: nothing can be put into {etc}: {etc}: folder is writable by others, mode ")


def test_folder_is_made(install, etc):
    etc.rmdir()
    install()
    assert here(etc) == ["sample.py"] and stat.S_IMODE(etc.stat().st_mode) == 0o755


def test_remove(install, call, etc, link):
    install()
    assert call("remove", "sample").output == ""
    assert here(etc) == [] and not os.path.lexists(link)
    assert call("remove", "sample", status=1).output == (
        f"glupy remove: sample is not in {etc}; `glupy list` shows what there is\n")


def test_remove_what_hides_a_shipped_one(install, call, etc, link):
    """The link stays where the translator that comes with glupy needs it."""
    install(name="audit.py")
    call("remove", "audit")
    assert os.path.lexists(link.with_name("audit.so"))
    assert " but in /" in call("remove", "audit", status=1).output


def test_remove_a_link_alone(call, link):
    link.parent.mkdir()
    link.symlink_to(machine.home() / "glupy.so")
    call("remove", "sample")
    assert not os.path.lexists(link)


@pytest.mark.parametrize("name", ["install", "remove"])
def test_not_root(write, name):
    done = glupy(name, write(SOURCE), user=65534, group=65534, extra_groups=[])
    assert (done.returncode, done.stderr) == (1, f"glupy {name}: this takes root: sudo glupy {name} ...\n")


def test_completion(install, call):
    from glupy.command.remove import _complete
    install()
    assert _complete(None, None, "sa") == ["sample"] and _complete(None, None, "x") == []


def test_installed_for_real(write):
    """In this namespace's own directory of translators, and in /etc/glupy: a volume of type user/NAME has it."""
    name = f"glupy_test_{os.getpid()}"
    file = write(SOURCE.format(word="real"), f"{name}.py")
    folder = Path("/etc/glupy/translators")
    made = [path for path in (folder, folder.parent) if not path.exists()]
    done = glupy("install", file)
    assert done.returncode == 0, done.stderr
    try:
        with Mount([layer("top", f"user/{name}")]) as mount:
            os.stat(mount.path)
            assert "this is real" in mount.text()
    finally:
        done = glupy("remove", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (folder / f"{name}.py").exists()
    for path in made:
        path.rmdir()
