"""`glupy check`: errors as loading has them, and each warning where it belongs, and not elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from glupy.command import typing_check, warnings
from support.command import glupy

pytestmark = pytest.mark.once

HEAD = "import threading, time, os, glupy\nfrom glupy import Future, Gfid, Option, Translator\n"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def found(call, write):
    """What is found in a class with this body: (line in the body, name) and text of each."""
    def found(body, *arguments, name="sample.py", head=HEAD):
        text = f"{head}class Sample(Translator):\n" + "".join(f"    {line}\n" for line in body.splitlines())
        file = write(text, name)
        result = call("check", "--json", "--no-mypy", *arguments, file, status=None)
        shown = json.loads(result.output)
        assert all(each["file"] == str(file) for each in shown)
        return {(each["line"] - head.count("\n") - 1, each["name"]): each["text"] for each in shown}
    return found


def test_nothing_to_say(call, write):
    file = write(HEAD + "class Good(Translator):\n    def stat(self, frame, loc, xdata):\n        pass\n")
    assert call("check", "--no-mypy", file).output == ""
    assert call("check", "--no-mypy", "--json", file).output == "[]\n"


@pytest.mark.long
@pytest.mark.first_system
def test_shipped_translators_are_clean(call):
    ours = Path(os.environ["GLUPY_STAGE"]) / "translators"
    files = sorted([*ours.glob("*.py"), *(file.parent for file in ours.glob("*/__init__.py"))])
    assert len(files) > 1
    assert call("check", *files).output == ""


@pytest.mark.parametrize("text,line,said", [
    ("def x(", 1, "SyntaxError: '(' was never closed"),
    ("import nothing_such", 1, "importing it failed: ModuleNotFoundError: No module named 'nothing_such'"),
    ("x = 1", None, "no Translator class: define `class Name(Translator)`"),
    (HEAD + "class A(Translator):\n    def stat(self, frame):\n        pass", 4, "does not take the arguments"),
    (HEAD + "class A(Translator):\n    def loockup(self, frame, loc, xdata):\n        pass", 4, "did you mean lookup?"),
    (HEAD + "class A(Translator):\n    enabled = Option(int)", 3, "every translator has it already"),
    (HEAD + "class A(Translator):\n    limit = Option(int, default=5, max=3)", 4, "at most 3"),
    (HEAD + "class A(Translator, fops=('nothing',)):\n    def any_fop(self, frame, call):\n        pass", 3,
     "names 'nothing'"),
])
def test_errors_of_loading(call, write, text, line, said):
    file = write(text)
    result = call("check", "--no-mypy", file, status=1)
    place = f"{file}:{line}" if line else str(file)
    assert result.output.startswith(f"{place}: error: ") and said in result.output
    shown, = json.loads(call("check", "--no-mypy", "--json", file, status=1).output)
    assert (shown["file"], shown["line"], shown["level"], shown["name"]) == (str(file), line, "error", "load")


def test_untrusted_file(call, write):
    file = write("raise SystemExit('this has run')")
    file.chmod(0o666)
    result = call("check", "--no-mypy", file, status=1)
    assert f"{file}: error: file is writable by others, mode 0666" in result.output and "has run" not in result.output


def test_not_root(write):
    """A user may check what is his own."""
    file = write(HEAD + "class Good(Translator):\n    def stat(self, frame, loc, xdata):\n        pass\n")
    os.chown(file, 65534, 65534)
    os.chown(file.parent, 65534, 65534)
    done = glupy("check", "--no-mypy", file, user=65534, group=65534, extra_groups=[])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_classic_translator(call):
    file = ROOT / "tests/translators/classic_trace.py"
    assert call("check", "--no-mypy", file).output == ""


def test_package(call, write):
    write("from .words import LOUD\nfrom glupy import Translator\nclass A(Translator):\n    def stat(self, frame, loc, "
          "xdata):\n"
          "        return LOUD\n", "sample/__init__.py")
    words = write("import asyncio\nLOUD = 1\n", "sample/words.py")
    result = call("check", "--no-mypy", words.parent, status=1)
    assert result.output.startswith(f"{words}:1: warning: asyncio's functions do not work in a fop")


def test_output_is_kept_apart(write):
    """What the file prints is none of the findings."""
    file = write("print('printed')\n" + HEAD + "class Good(Translator):\n    def stat(self, *args):\n        pass\n")
    done = glupy("check", "--json", "--no-mypy", file)
    assert json.loads(done.stdout) == [] and done.stderr == "printed\n"


@pytest.mark.parametrize("path,said", [
    ("nothing.py", "no such file; `glupy new NAME` begins one"),
    (".", "is a folder without __init__.py; name the translator's file"),
    ("text.txt", "is not called NAME.py, as GlusterFS's process will look for it; rename it to text.py"),
    ("a-b.py", "a volfile cannot name a module 'a-b'; rename it, to letters, digits and underscores such as a_b.py"),
    ("dead.py", "is a link that leads to nothing; name the translator's file"),
])
def test_what_is_no_translators_file(call, trusted, path, said):
    (trusted / "text.txt").touch()
    (trusted / "a-b.py").touch()
    (trusted / "dead.py").symlink_to("nowhere")
    output = call("check", trusted / path, status=1).output
    assert output.startswith(f"glupy check: {trusted / path}") and said in output and output.count("\n") == 1


def test_hidden_by_package(call, write):
    file = write("")
    package = write("", "sample/__init__.py")
    assert call("check", file, status=1).output == (
        f"glupy check: {file} would not be found: {package} goes first, as in Python; move or rename one of them\n")


# Warnings


def test_data_paths(found):
    text = found("def readv(self, frame, fd, size, offset, flags, xdata):\n    pass")[0, "data-paths"]
    for fop in ("copy_file_range", "put", "rchecksum", "zerofill", "fallocate", "discard", "truncate", "seek"):
        assert fop in text
    assert found("def stat(self, frame, loc, xdata):\n    pass") == {}
    assert found("def readv(self, *args):\n    pass\ndef any_fop(self, frame, call):\n    pass") == {}


def test_data_paths_by_any_fop_for_some(found):
    text = found("fops = ('truncate', 'ftruncate', 'seek')\ndef writev(self, *args):\n    pass\n"
                 "def any_fop(self, frame, call):\n    pass")[0, "data-paths"]
    assert "copy_file_range" in text and "truncate" not in text and "seek" not in text


def test_names(found):
    text = found("def create(self, *args):\n    pass")[0, "names"]
    assert all(fop in text for fop in ("mkdir", "mknod", "link", "symlink", "rename"))
    assert found("\n".join(f"def {fop}(self, *args):\n    pass" for fop in (
        "mkdir", "mknod", "link", "symlink", "rename", "create"))) == {}


def test_defined_twice(found):
    assert found("def stat(self, *args):\n    pass\ndef stat(self, *args):\n    pass").keys() == {(3, "defined-twice")}


@pytest.mark.parametrize("arguments,warned", [
    ("loc, 0o755, 0", True), ("loc, 0o755, 0, None", True), ("loc, 0o755, 0, {}", True),
    ("loc, 0o755, 0, xdata={'other': 1}", True),
    ("loc, 0o755, 0, xdata", False), ("loc, 0o755, 0, {'gfid-req': Gfid.random()}", False), ("*all", False),
    ("loc, 0o755, 0, {**xdata, 'a': 1}", False), ("loc, 0o755, 0, {key: 1}", False),
])
@pytest.mark.parametrize("child", ["self.child", "self.children[0]", "child"])
def test_gfid_req(found, arguments, warned, child):
    keys = found(f"async def helper(self, child):\n    await {child}.mkdir({arguments})").keys()
    assert keys == ({(2, "gfid-req")} if warned else set())


def test_gfid_req_elsewhere(found):
    assert found("def helper(self):\n    os.mkdir('x')\n    self.other.mkdir(1)") == {}


def test_dropped(found):
    keys = found("async def helper(self):\n    self.child.stat(1)\n    self.helper()\n    await self.helper()\n"
                 "    return self.child.stat(1)").keys()
    assert keys == {(2, "dropped"), (3, "dropped")}


def test_future(found):
    body = "async def stat(self, frame, loc, xdata):\n    f = glupy.Future()\n    self.go(f.set_result)\n    await f"
    assert found(body).keys() == {(2, "future")}
    assert found(body + "\ndef fail(self, f):\n    f.set_exception(OSError())") == {}


def test_lock(found):
    body = "async def stat(self, frame, loc, xdata):\n    with self.lock:\n        {}\n    await self.child.stat(loc)"
    assert found(body.format("await glupy.sleep(1)")).keys() == {(3, "lock")}
    assert found(body.format("self.n = 1")) == {}
    assert found(body.format("async def later(): await self.x()")) == {}


def test_blocks(found):
    body = "{}def stat(self, frame, loc, xdata):\n    time.sleep(1)\n    open('x')"
    assert found(body.format("async ")).keys() == {(2, "blocks"), (3, "blocks")}
    assert found(body.format("")).keys() == {(2, "blocks"), (3, "blocks")}
    assert found(body.format("@glupy.offload\n")) == {}
    assert found("def helper(self):\n    time.sleep(1)") == {}


def test_asyncio(found):
    assert found("pass", head="import asyncio\n" + HEAD).keys() == {(-3, "asyncio")}
    assert found("pass", head="from asyncio import sleep\n" + HEAD).keys() == {(-3, "asyncio")}
    ask = "async def stat(self, frame, loc, xdata):\n    await glupy.asyncio(asyncio.sleep(1))\n    return self.child.stat(loc)"
    assert found(ask, head="import asyncio\n" + HEAD) == {}


# Silence


def test_ignored_by_option(found, call, write):
    body = "def create(self, *args):\n    pass"
    assert found(body, "--ignore", "names") == {}
    assert "--ignore nothing names no warning; there are data-paths, names" in call(
        "check", "--ignore", "nothing", write(""), status=2).output


def test_ignored_by_comment(found):
    body = "def create(self, *args):{}\n    time.sleep(1)\n    time.sleep(2){}\n{}"
    assert found(body.format("", "", "")).keys() == {(0, "names"), (2, "blocks"), (3, "blocks")}
    assert found(body.format("", "  # glupy: ignore blocks", "")).keys() == {(0, "names"), (2, "blocks")}
    assert found(body.format("", "", "# glupy: ignore blocks, names, we know")).keys() == {(3 + 1, "ignore")}
    assert found(body.format("", "", "# glupy: ignore blocks, names: we know")) == {}


def test_unknown_name_in_comment(found):
    text = found("pass  # glupy: ignore name")[1, "ignore"]
    assert text == "name is the name of no warning; did you mean names?"


def test_errors_cannot_be_silenced(call, write):
    call("check", "--no-mypy", write("# glupy: ignore load\nx = 1\n"), status=1)


# mypy and the documentation


def test_mypy(call, write):
    if not shutil.which("mypy"):
        pytest.fail("mypy is not installed: ./run need check")
    file = write(HEAD + "class Typed(Translator):\n    async def stat(self, frame, loc, xdata):\n"
                 "        self.seen = {}\n        return await self.child.statt(loc)\n")
    assert call("check", file, status=1).output.startswith(f'{file}:6: warning: "Child" has no attribute "statt"')
    assert call("check", "--no-mypy", file).output == ""
    assert call("check", "--ignore", "mypy", file).output == ""


def test_without_mypy(call, write, monkeypatch):
    monkeypatch.setattr(typing_check.machine, "program", lambda name: None)
    assert call("check", write(HEAD + "class A(Translator):\n    async def stat(self, frame, loc, xdata):\n"
                               "        return await self.child.statt(loc)\n")).output == ""


def test_every_warning_is_documented():
    text = " ".join((ROOT / "docs/command.md").read_text().split())
    for name, explanation in warnings.EXPLANATIONS.items():
        assert f"| `{name}` | {explanation} |" in text
    assert {*warnings.CHECKS, "mypy", "ignore"} == warnings.EXPLANATIONS.keys()
