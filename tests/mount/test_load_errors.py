"""A translator that cannot be loaded: glusterfs ends at once with a status, the reason in its log, nothing mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import glupy
import pytest
from support.mounts import Mount, MountFailed
from support.volfiles import Layer, layer
from support.waiting import PATIENCE, wait_until

HEAD = "from glupy import Option, Translator\n\n\n"
GOOD = HEAD + """\
class Good(Translator):
    size = Option(int, default=5, min=1, help="how many")

    async def lookup(self, frame, loc, xdata):
        return await self.child.lookup(loc, xdata)
"""


def write(folder: Path, text: str, name: str = "mod.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def processes_with(argument: str) -> list[int]:
    """The processes that were given this argument."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if argument.encode() in Path("/proc", entry, "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry))
            except OSError:
                pass
    return found


def foreground(mount: Mount) -> str:
    """Mount with -N; the log of the glusterfs that refused."""
    with pytest.raises(MountFailed) as caught, mount:
        pass
    assert caught.value.status not in (None, 0)
    assert not os.path.ismount(mount.path)
    return caught.value.log


def daemon(mount: Mount) -> str:
    """Mount as `mount -t glusterfs` does, by a process that goes to the background once it is mounted."""
    try:
        done = subprocess.run(
            ["glusterfs", "-f", mount.volfile, "-l", mount.log, mount.path],
            env=mount.environment, timeout=PATIENCE, capture_output=True, check=False,
        )
        assert done.returncode != 0
        wait_until(lambda: not processes_with(str(mount.volfile)), "the process in the background to end")
        assert not os.path.ismount(mount.path)
        return mount.text()
    finally:
        shutil.rmtree(mount.top)


@pytest.fixture(params=[foreground, daemon], ids=["foreground", "daemon"])
def refused(request: pytest.FixtureRequest, trusted: Path) -> Callable[..., str]:
    """Mount with these layers, by default one of module mod; the log's entry that says why not."""

    def refused(*layers: Layer, name: str = "python", **options: object) -> str:
        mount = Mount(layers or [layer("python", "features/glupy", module="mod", **options)], folder=trusted)
        log: str = request.param(mount)
        entries = [entry for entry in log.split("\n[20") if f" 0-{name}: " in entry]
        assert len([entry for entry in entries if f"{name} is not loaded: " in entry]) <= 1
        return entries[0]

    return refused


@dataclass(frozen=True)
class Broken:
    """A translator's text, with options, and what the log says: after FILE:LINE, if that is given, these fragments."""

    text: str
    says: tuple[str, ...]
    line: int | None = None
    options: tuple[tuple[str, str], ...] = ()


def method(text: str, *says: str, line: int | None = 5, **options: str) -> Broken:
    """A class with these lines in it, the first of which is line 5 of the file."""
    lines = "".join(f"    {part}\n" for part in text.split("\n"))
    return Broken(f"{HEAD}class Bad(Translator):\n{lines}", says, line, tuple(options.items()))


BROKEN = {
    "syntax": method("def lookup(self, frame, loc, xdata:\n    pass", "SyntaxError: '(' was never closed",
                     "    def lookup(self, frame, loc, xdata:\n              ^\nSyntaxError"),
    "indentation": method("def init(self):\npass", "IndentationError: expected an indented block", line=6),
    "encoding": Broken("# coding: none-such\n", ("SyntaxError: unknown encoding: none-such",)),
    "nul": Broken("a = 1\n\0\n", ("null bytes",)),
    "import": Broken(
        HEAD + "import no_such_thing\n", ("importing it failed: ModuleNotFoundError: No module named 'no_such_thing'",
                                          'mod.py", line 4, in <module>\n    import no_such_thing'), 4),
    "import-exit": Broken("import sys\nsys.exit(3)\n", ("importing it failed: SystemExit: 3",), 2),
    "import-recursion": Broken("def f():\n    f()\nf()\n", ("importing it failed: RecursionError: maximum",), 2),
    "import-of-neighbour": Broken("import witness\n", ("No module named 'witness'",), 1),
    "no-class": Broken("x = 1\n", ("no Translator class: define `class Name(Translator)`",)),
    "imported-class": Broken("from glupy import Translator\n", ("no Translator class: ",)),
    "two-classes": Broken(
        HEAD + "class A(Translator):\n    pass\n\n\nclass B(Translator):\n    pass\n",
        ("more than one Translator class: A (line 4) and B (line 8); keep one, or choose with `__glupy__ = B`",)),
    "chosen-wrongly": Broken(GOOD + "__glupy__ = 5\n", ("__glupy__ is 5; expected a class based on glupy.Translator",)),
    "misspelt": method("async def lokup(self, frame, loc, xdata):\n    pass",
                       "Bad.lokup is no file operation of GlusterFS; did you mean lookup? "),
    "misspelt-hook": method("def int(self):\n    pass", "did you mean init? "),
    "too-few-arguments": method(
        "async def lookup(self, frame, loc):\n    pass",
        "Bad.lookup does not take the arguments it is called with: expected "
        "`async def lookup(self, frame, loc, xdata)` (the names are yours to choose), found `lookup(frame, loc)`"),
    "too-many-arguments": method(
        "def readv(self, frame, fd, size, offset, flags, xdata, more):\n    pass",
        "expected `async def readv(self, frame, fd, size, offset, flags, xdata)`"),
    "keyword-only": method("def stat(self, frame, loc, *, xdata):\n    pass",
                           "expected `async def stat(self, frame, loc, xdata)`"),
    "generator": method("def stat(self, frame, loc, xdata):\n    yield", "Bad.stat contains yield"),
    "async-generator": method("async def stat(self, frame, loc, xdata):\n    yield", "Bad.stat contains yield"),
    "not-callable": method("stat = 5", "Bad.stat is not callable (int), but stat is the name of a file operation",
                           line=4),
    "init-signature": method("def init(self, options):\n    pass", "expected `def init(self)`"),
    "own-init": method("def __init__(self, instance):\n    pass", "__init__ is glupy's own; do in `def init(self)`"),
    "init-raises": method("def init(self):\n    self.x = {}['missing']", "Bad.init failed: KeyError: 'missing'",
                          "line 6, in init\n    self.x = {}['missing']", line=6),
    "init-exits": method("def init(self):\n    raise SystemExit(0)", "Bad.init failed: SystemExit: 0", line=6),
    "init-interrupts": method("def init(self):\n    raise KeyboardInterrupt", "init failed: KeyboardInterrupt", line=6),
    "init-recursion": method("def init(self):\n    self.init()", "Bad.init failed: RecursionError: ", line=6),
    "init-coroutine": method("async def init(self):\n    raise ValueError('later')",
                             "Bad.init failed: ValueError: later", line=6),
    "init-returns": method("def init(self):\n    return 5", "init failed: TypeError: expected a coroutine", line=None),
    "class-raises": Broken(HEAD + "class Bad(Translator):\n    x = 1 / 0\n", ("ZeroDivisionError: ",), 5),
    "unknown-option": Broken(
        GOOD, ("option siez is not declared by Good; did you mean size? It has size (int, default 5)",), 4,
        (("siez", "7"),)),
    "bad-number": Broken(GOOD, ('option size is "many": expected a whole number such as 42',), 4, (("size", "many"),)),
    "out-of-bounds": Broken(GOOD, ('option size is "0": must be at least 1',), 4, (("size", "0"),)),
    "common-option": Broken(GOOD, ('option on-error is "NO": must be one of EIO, pass',), 4, (("on-error", "NO"),)),
    "missing-option": Broken(
        HEAD + "class Bad(Translator):\n    size = Option(int, help='how many')\n",
        ("option size is missing: Bad needs it (how many)",), 4),
    "taken-option": method("child = Option(int, default=1)", "option child: it hides self.child, which is glupy's own", line=4),
    "classic": Broken(
        "class xlator:\n    def lookup_fop(self, frame, this, loc, xdata):\n        pass\n",
        ("no Translator class: xlator.lookup_fop is named as in the classic API",
         "`async def lookup(self, frame, loc, xdata)`")),
    "interim-base": Broken(
        "from glupy import *\n\nclass xlator(Translator):\n    def __init__(self, c_this):\n"
        "        Translator.__init__(self, c_this)\n\n    def lookup_fop(self, frame, this, loc, xdata):\n        return 0\n",
        ("xlator is based on this glupy's Translator: a script written for the first glupy starts with `from gluster.glupy "
         "import *`, not with glupy: docs/porting-classic.md",), 4),
    "interim-names": Broken(
        "from glupy import *\n\n@lookup_fop_t\ndef lookup_fop(frame, this, loc, xdata):\n    return 0\n\nclass xlator:\n"
        "    def __init__(self, xl):\n        dl.set_lookup_fop(xl, lookup_fop)\n",
        ("NameError: name 'lookup_fop_t' is not defined", "starts with `from gluster.glupy import *`"), 3),
    "interim-python-2": Broken(
        "from glupy import *\nprint 'starts'\n\nclass xlator (Translator):\n    pass\n",
        ("SyntaxError: Missing parentheses in call to 'print'", "starts with `from gluster.glupy import *`"), 2),
    "classic-method": method(
        "def lookup_cbk(self, frame, cookie, this, op_ret):\n    pass",
        "Bad.lookup_cbk is named as in the classic API (from gluster.glupy import *); here one method does both: "
        "`async def lookup(self, frame, loc, xdata)`, which awaits self.child.lookup(...)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(refused: Callable[..., str], trusted: Path, name: str) -> None:
    broken = BROKEN[name]
    path = write(trusted, broken.text)
    write(trusted, "", "witness.py")  # in the same folder, and no module for others
    entry = refused(**dict(broken.options))
    place = f"{path}:{broken.line}: " if broken.line else f"{path}: "
    assert " E [" in entry
    assert f"python is not loaded: {place}" in entry or broken.line is None and str(path) in entry, entry
    for sentence in broken.says:
        assert sentence in entry, entry


def test_no_such_module(refused: Callable[..., str], trusted: Path) -> None:
    write(trusted, GOOD, "near_lookup.py")
    entry = refused(layer("python", "features/glupy", module="neer_lookup"))
    assert (f"python is not loaded: no module neer_lookup: looked for neer_lookup.py and neer_lookup/__init__.py in "
            f"{trusted}, /etc/glupy/translators, ") in entry
    assert "Did you mean near_lookup" in entry and " Put the file in /etc/glupy/translators" in entry


def test_no_module_option(refused: Callable[..., str]) -> None:
    entry = refused(layer("python", "features/glupy"))
    assert "python is not loaded: no option module: add `option module NAME` to the volume in the volfile" in entry


@pytest.mark.parametrize("name", ["../mod", "/etc/mod", "a/b", "a.b", "mod.py", "import", "möd", "x-y"])
def test_module_name(refused: Callable[..., str], trusted: Path, name: str) -> None:
    write(trusted, GOOD)
    entry = refused(layer("python", "features/glupy", module=name))
    shown = name.replace("ö", "\\xf6")
    assert f'python is not loaded: "{shown}" is no module name: give the name of a Python file without folder' in entry


def test_no_subvolume(refused: Callable[..., str], trusted: Path) -> None:
    write(trusted, GOOD)
    mount = Mount([], bottom=[layer("python", "features/glupy", module="mod")], folder=trusted)
    assert "0-python: a Python translator needs at least one subvolume to wind to" in foreground(mount)


# Trust


def test_file_others_can_write(refused: Callable[..., str], trusted: Path) -> None:
    path = write(trusted, GOOD)
    path.chmod(0o646)
    assert (f"python is not loaded: {path}: file is writable by others, mode 0646, so glupy does not run what it "
            f"holds; chmod go-w {path}") in refused()


def test_file_of_another(refused: Callable[..., str], trusted: Path) -> None:
    path = write(trusted, GOOD)
    os.chown(path, 1234, 0)
    assert f"python is not loaded: {path}: owned by uid 1234, so glupy does not run it: only root" in refused()


def test_folder_others_can_write(refused: Callable[..., str], trusted: Path) -> None:
    write(trusted, GOOD)
    trusted.chmod(0o777)
    assert f"python is not loaded: {trusted}: folder is writable by others, mode 0777, so glupy" in refused()


def test_folder_of_another(refused: Callable[..., str], trusted: Path) -> None:
    write(trusted, GOOD)
    os.chown(trusted, 1234, 0)
    assert f"python is not loaded: {trusted}: owned by uid 1234, so glupy does not run it" in refused()


def test_link_into_a_folder_others_can_write(refused: Callable[..., str], trusted: Path, tmp_path: Path) -> None:
    (trusted / "mod.py").symlink_to(write(tmp_path, GOOD))
    assert "python is not loaded: /tmp: folder is writable by others (sticky or not), mode 1777" in refused()


def test_configuration_others_can_write(trusted: Path) -> None:
    write(trusted, GOOD)
    mount = Mount([layer("python", "features/glupy", module="mod")], folder=trusted)
    (mount.top / "glupy.conf").chmod(0o666)
    assert f"python is not loaded: {mount.top}/glupy.conf: file is writable by others, mode 0666" in foreground(mount)


def test_configuration_missing(trusted: Path) -> None:
    mount = Mount([layer("python", "features/glupy", module="mod")], environment={"GLUPY_CONF": "/none/such.conf"})
    mount.environment["GLUPY_CONF"] = "/none/such.conf"
    assert ("python is not loaded: /none/such.conf: no such file, though the environment variable GLUPY_CONF names it"
            in foreground(mount))


# The whole graph


def test_second_of_two(refused: Callable[..., str], trusted: Path) -> None:
    """One translator that does not load is enough, and the other one is told that it ends."""
    write(trusted, GOOD)
    text = HEAD + "class Second(Translator):\n    def init(self):\n        raise OSError('no disk')\n"
    write(trusted, text, "second.py")
    layers = [layer(name, "features/glupy", module=module) for name, module in (("first", "mod"), ("second", "second"))]
    entry = refused(*layers, name="second")
    assert f"second is not loaded: {trusted}/second.py:6: Second.init failed: OSError: no disk" in entry


# What is not the translator's fault

#: What Py_GetVersion() says, and what glupy finds in it.
OWN = ".".join(map(str, sys.version_info[:2]))
FREE_THREADED = ", free-threaded" if "free-threading" in sys.version else ""
OTHER_KIND = ((f"{OWN}.0 (from the tests)", OWN) if FREE_THREADED else
              (f"{OWN}.0 experimental free-threading build (from the tests)", f"{OWN}, free-threaded"))


@pytest.mark.parametrize(("version", "found"), [("3.99.0 (from the tests)", "3.99"), OTHER_KIND], ids=["minor", "kind"])
def test_wrong_python(trusted: Path, version: str, found: str) -> None:
    """Another Python than glupy was built for is in the process already."""
    write(trusted, GOOD)
    text = f'const char *Py_GetVersion(void) {{ return "{version}"; }}\n'
    source, shim = write(trusted, text, "version.c"), trusted / "version.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source], check=True)
    preloaded = f"{os.environ.get('LD_PRELOAD', '')} {shim}".strip()
    mount = Mount([layer("python", "features/glupy", module="mod")], folder=trusted,
                  environment={"LD_PRELOAD": preloaded})
    assert (f"0-python: this glupy was built for Python {OWN}{FREE_THREADED} and finds Python {found} in this process: "
            "install the glupy for it") in foreground(mount)


#: Loads glupy.so by a path as GlusterFS of another series has, and calls the init() that this one finds there.
WRONG_GLUSTER = HEAD + """\
import ctypes

class Foreign(Translator):
    path = Option(str)
    offset = Option(int, help="of init in that series' xlator_api_t")

    def init(self):
        api = (ctypes.c_char * 256).in_dll(ctypes.CDLL(self.path), "xlator_api")
        init, fops = (ctypes.c_void_p.from_buffer(api, at).value for at in (self.offset, self.offset + 48))
        assert not any(ctypes.string_at(fops, 8 * 70))  # for GlusterFS to fill
        name = ctypes.create_string_buffer(b"foreign")
        xlator = (ctypes.c_void_p * 1000)(ctypes.addressof(name))
        assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(init)(xlator) == -1
"""


#: Versions of GlusterFS, and where init is in their xlator_api_t.
OTHERS = [(version, offset) for version, offset in (("9.9", 48), ("10.3", 48), ("11.1", 40), ("12.0", 40))
          if int(version.partition(".")[0]) != glupy.GLUSTER_SERIES]


@pytest.mark.parametrize(("version", "offset"), OTHERS)
def test_wrong_gluster(trusted: Path, version: str, offset: int) -> None:
    """GlusterFS of another series takes what we offer for its own layout; what it finds there says why not."""
    folder = trusted / "glusterfs" / version / "xlator/features"
    folder.mkdir(parents=True)
    shutil.copy(Path(os.environ["GLUPY_STAGE"], "glupy.so"), folder)  # a link would lead to the one loaded already
    write(trusted, WRONG_GLUSTER)
    sentence = (f"0-foreign: this glupy was built for GlusterFS {glupy.GLUSTER_VERSION} and is loaded by GlusterFS "
                f"{version}: install the glupy for it")
    mod = layer("python", "features/glupy", module="mod", path=folder / "glupy.so", offset=offset)
    with Mount([mod], folder=trusted, expected=(sentence,)) as mount:
        assert sentence in mount.text()
