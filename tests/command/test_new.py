"""`glupy new`: each skeleton is clean, and its tests pass; and they fail if it does nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from glupy.command import new
from glupy.command.new import LIKE
from support.command import GLUPY, glupy

pytestmark = pytest.mark.once

#: Behind a translator's class: takes all fops from it again.
WITHOUT = """
from glupy._core import FOPS as _ALL
for _name in (*_ALL, "any_fop"):
    if _name in vars({0}):
        delattr({0}, _name)
{0}.fops = None
if "encode" in vars({0}):
    {0}.encode = {0}.decode = lambda self, file, offset, data: data
{0}.init = lambda self: None
"""


@pytest.fixture
def begin(trusted):
    def begin(name, *arguments, status=0):
        done = glupy("new", name, *arguments, cwd=trusted)
        assert done.returncode == status, done
        return done
    return begin


def pytest_in(folder, *arguments):
    """pytest on a generated file, as its author runs it."""
    path = f"{GLUPY.parent}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    environment |= {"PATH": path, "GLUPY_TMPDIR": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)


@pytest.mark.long
@pytest.mark.first_system
@pytest.mark.parametrize("like", LIKE)
def test_skeleton(begin, trusted, like):
    done = begin("my_own", "--like", like)
    assert (done.stdout, done.stderr) == ("glupy run my_own.py\npytest test_my_own.py\n", "")
    for name in ("my_own.py", "test_my_own.py"):
        assert "keleton" not in (trusted / name).read_text()
    # With a sanitizer's library in it, mypy takes minutes.
    slow = ["--no-mypy"] if "GLUPY_SANITIZE" in os.environ else []
    checked = glupy("check", *slow, trusted / "my_own.py")
    assert (checked.returncode, checked.stdout) == (0, "")
    tested = pytest_in(trusted, "test_my_own.py")
    assert tested.returncode == 0, tested.stdout

    with open(trusted / "my_own.py", "a") as file:
        file.write(WITHOUT.format("MyOwn"))
    tested = pytest_in(trusted, "test_my_own.py")
    assert tested.returncode == 1 and " failed" in tested.stdout, tested.stdout


def test_skeletons_are_all_there_is():
    assert {file.stem for file in new.SKELETONS.glob("*.py")} == set(LIKE)


def test_record_is_the_first_choice(begin, trusted):
    begin("one")
    assert "who changed what" in (trusted / "one.py").read_text()


@pytest.mark.parametrize("name,instead", [
    ("a-b", "a_b"), ("class", "my_class"), ("9", "example"), ("../x", "x"), ("ä", "example")])
def test_names_that_cannot_be(begin, trusted, name, instead):
    said = begin(name, status=2).stderr
    assert said.startswith(f"glupy new: {name} cannot be the name of a translator: ") and f"such as {instead}; " in said
    assert os.listdir(trusted) == []


@pytest.mark.parametrize("existing", ["one.py", "test_one.py"])
def test_nothing_is_overwritten(begin, trusted, existing):
    (trusted / existing).write_text("mine")
    said = begin("one", status=1).stderr
    assert said == f"glupy new: {existing} is there already; choose another name, or remove it\n"
    assert os.listdir(trusted) == [existing] and (trusted / existing).read_text() == "mine"


def test_where_it_will_not_run(tmp_path):
    done = glupy("new", "one", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "one.py").exists()
    assert done.stderr.startswith("glupy new: it will not run here: /tmp: folder is writable by others")


def test_where_nothing_can_be_written(begin):
    done = glupy("new", "one", cwd="/proc")
    assert done.returncode == 1 and done.stderr.startswith("glupy new: one.py cannot be written here: ")
