"""What loading a translator does, and every sentence with which it refuses."""

from __future__ import annotations

import asyncio
import dis
import os
import pickle
import shutil
import sys
import sysconfig
import tempfile
import textwrap
from pathlib import Path

import pytest

import glupy
from glupy import LoadError, OptionError, TrustError, _core, _runtime
from glupy.loading import finding, venv
from glupy.logs import loggers, owners, streams

HEAD = "from glupy import Option, Translator\n"
GOOD = HEAD + """
class Good(Translator):
    async def lookup(self, frame, loc, xdata):
        pass
"""


class Child:
    name, type = "brick", "storage/posix"


class Instance:
    """What the core gives for a volume."""

    itable = None
    interpreter, origin, space, version = 0, None, "layer", None

    def __init__(self, type="features/glupy", name="layer", children=(Child(),), **options):
        self.type, self.name, self.children = type, name, children
        self.logged = []
        self.options = {key.replace("_", "-"): value for key, value in options.items()}

    def run(self, coro):
        return asyncio.run(coro)

    def spawn(self, coro):
        return coro

    def log(self, level, name, file, line, function, message):
        self.logged.append((level, message))

    def configure(self, **values):
        self.configured = values


def forget_translators():
    for name in [name for name in sys.modules if name.startswith(owners.PREFIX)]:
        del sys.modules[name]


@pytest.fixture
def folder(monkeypatch):
    """The only folder with translators: one that is trusted, if whoever runs the tests has such a place."""
    home = Path("/root" if os.geteuid() == 0 else Path.home())
    path = Path(tempfile.mkdtemp(prefix="glupy-loading-", dir=home))
    monkeypatch.setattr(finding, "ADMINISTRATOR", path)
    monkeypatch.setattr(finding, "CONFIGURATION", path / "glupy.conf")
    monkeypatch.delenv("GLUPY_CONF", raising=False)
    forget_translators()  # what graphs have loaded that other tests brought up in this process
    yield path
    forget_translators()
    shutil.rmtree(path)


@pytest.fixture
def write(folder):
    def write(text, name="mod.py"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path
    return write


@pytest.fixture
def refusal(write):
    """Load a module of this text and give the sentence it is refused with."""
    def refusal(text, **options):
        write(text)
        with pytest.raises(LoadError) as caught:
            _runtime.load(Instance(module="mod", **options))
        assert not [name for name in sys.modules if name.startswith(owners.PREFIX)]
        return str(caught.value)
    return refusal


# What is there when it works


def test_loads(write):
    write(HEAD + """
class Good(Translator):
    limit = Option(int, default=5)

    def init(self):
        self.seen = (self.name, self.child.name, self.children[0].name, self.limit, self.options["limit"],
                     self.log.name)

    async def lookup(self, frame, loc, xdata):
        return self.limit

    def stat(self, *args):
        return None

    @staticmethod
    def open(frame, loc, flags, fd, xdata):
        pass

    @classmethod
    def flush(cls, frame, fd, xdata):
        pass
""")
    translator, methods = _runtime.load(Instance(module="mod", limit="7"))
    assert translator.seen == ("layer", "brick", "brick", 7, "7", "layer")
    assert sorted(methods) == ["flush", "lookup", "open", "stat"]
    assert asyncio.run(methods["lookup"](None, None, None)) == 7
    assert methods["stat"](1, 2, 3) is None


def test_by_type_by_old_option_and_with_hyphens(write):
    write(GOOD, "my_layer.py")
    for instance in (Instance("user/my_layer"), Instance("user/my-layer"), Instance(module="my_layer"),
                     Instance("features/glupy", module_name="my_layer")):
        assert type(_runtime.load(instance)[0]).__name__ == "Good"


def test_coroutine_init(write):
    write(GOOD + """
    async def init(self):
        self.started = True

    def fini(self):
        self.ended = True
""")
    translator, _ = _runtime.load(Instance(module="mod"))
    private = type(translator).__module__
    assert translator.started and private in sys.modules
    _runtime.fini(translator)
    assert translator.ended and private not in sys.modules


def test_fini_that_raises_still_drops_the_module(write):
    write(GOOD + "    def fini(self): raise RuntimeError\n")
    translator, _ = _runtime.load(Instance(module="mod"))
    with pytest.raises(RuntimeError):
        _runtime.fini(translator)
    assert type(translator).__module__ not in sys.modules


def test_instances_share_no_module_state(write):
    write(GOOD + "seen = []\n\nclass Value:\n    pass\n")
    first, second = (_runtime.load(Instance(module="mod"))[0] for _ in range(2))
    modules = [sys.modules[type(translator).__module__] for translator in (first, second)]
    assert modules[0] is not modules[1] and modules[0].seen is not modules[1].seen
    assert modules[0].__name__.startswith("glupy.user.mod#")
    assert type(pickle.loads(pickle.dumps(modules[0].Value()))) is modules[0].Value


def test_package_with_relative_imports(write):
    write("from .layer import Layer\nfrom . import data\n", "pack/__init__.py")
    write(GOOD.replace("Good", "Layer") + "    from .data import value\n", "pack/layer.py")
    write("value = 42\n", "pack/data.py")
    first, second = (_runtime.load(Instance(module="pack"))[0] for _ in range(2))
    assert first.value == 42 and type(first) is not type(second)
    assert not list(finding.ADMINISTRATOR.rglob("__pycache__"))


def test_helper_bases_and_choice(write):
    write(HEAD + "class Base(Translator): pass\nclass Leaf(Base): pass\n")
    assert type(_runtime.load(Instance(module="mod"))[0]).__name__ == "Leaf"
    write(HEAD + "class A(Translator): pass\nclass B(Translator): pass\n__glupy__ = A\n")
    assert type(_runtime.load(Instance(module="mod"))[0]).__name__ == "A"


def test_dataclass_annotations_and_typing_work(write):
    write("""
        from __future__ import annotations
        import dataclasses, typing
        from glupy import Translator

        @dataclasses.dataclass
        class Value:
            x: typing.ClassVar[int] = 1
            y: int = 2

        class Layer(Translator):
            hints = typing.get_type_hints(Value)
    """)
    assert _runtime.load(Instance(module="mod"))[0].hints["y"] is int


def test_local_configuration(folder, write, monkeypatch):
    (folder / "site").mkdir()
    write(GOOD, "site/other.py")
    write(f"[glupy]\ntranslators = {folder}/none:{folder}/site\n", "glupy.conf")
    assert finding.find("other", finding.configuration().folders) == folder / "site" / "other.py"
    write("[glupy]\ntranslators = site\n", "relative.conf")
    monkeypatch.setenv("GLUPY_CONF", str(folder / "relative.conf"))
    with pytest.raises(LoadError, match=r"relative.conf:2: translators names \"site\": expected an absolute path"):
        finding.configuration()
    monkeypatch.setenv("GLUPY_CONF", str(folder / "missing.conf"))
    with pytest.raises(LoadError, match="no such file, though the environment variable GLUPY_CONF names it"):
        finding.configuration()
    (folder / "glupy.conf").chmod(0o666)
    monkeypatch.delenv("GLUPY_CONF")
    with pytest.raises(TrustError, match="writable by others"):
        finding.configuration()
    write("translators = /srv\n", "glupy.conf").chmod(0o600)
    with pytest.raises(LoadError, match=r"glupy.conf:1: \"translators = /srv\": not understood; expected \[glupy\]"):
        finding.configuration()


def test_neither_current_directory_nor_path(folder, write, monkeypatch):
    write(GOOD, "elsewhere/stray.py")
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.syspath_prepend(str(folder / "elsewhere"))
    with pytest.raises(LoadError, match="no module stray"):
        _runtime.load(Instance(module="stray"))


def virtual_environment(folder):
    """A folder laid out as python3 -m venv does."""
    version = "{}.{}".format(*sys.version_info)
    paths = {"base": folder / "venv", "platbase": folder / "venv"}
    packages = Path(sysconfig.get_path("purelib", "posix_venv", paths))
    packages.mkdir(parents=True)
    (folder / "venv" / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}.1\n")
    return packages


def test_virtual_environment(folder, write, monkeypatch):
    packages = virtual_environment(folder)
    write(f"[glupy]\nvenv = {folder}/venv\n", "glupy.conf")
    assert finding.configuration().venv == folder / "venv"
    monkeypatch.setattr(sys, "path", list(sys.path))
    venv.use(folder / "venv")
    venv.use(folder / "venv")
    assert sys.path[-1] == str(packages) and sys.path.count(str(packages)) == 1


def test_path_of_a_program_that_runs_python_is_its_own(folder, write):
    packages = virtual_environment(folder)
    write(f"[glupy]\nvenv = {folder}/venv\n", "glupy.conf")
    write(GOOD)
    _runtime.load(Instance(module="mod"))
    assert str(packages) not in sys.path


@pytest.mark.parametrize("spoil, says", [
    (lambda venv, packages: packages.chmod(0o775), "site-packages: folder is writable by its group"),
    (lambda venv, packages: packages.parent.chmod(0o777), "folder is writable by others"),
    (lambda venv, packages: os.chown(venv, 1234, 0), "venv: owned by uid 1234"),
    (lambda venv, packages: (venv / "pyvenv.cfg").chmod(0o666), "pyvenv.cfg: file is writable by others"),
    (lambda venv, packages: (venv / "pyvenv.cfg").unlink(), "venv in the local configuration has to name a folder"),
    (lambda venv, packages: (venv / "pyvenv.cfg").write_text("home = /usr/bin\n"), "pyvenv.cfg: names no version"),
    (lambda venv, packages: (venv / "pyvenv.cfg").write_text("version_info = 3.4.0.final.0\n"),
     "virtual environment for Python 3.4, but this process runs Python {}.{}: make it anew with {}/bin/python"
     .format(*sys.version_info[:2], sys.base_prefix)),
    (lambda venv, packages: packages.rmdir(), "site-packages: cannot be used as the virtual environment's packages: No"),
    (lambda venv, packages: (packages.rmdir(), packages.write_text("")), "a file; expected a folder"),
    (lambda venv, packages: (packages.rmdir(), packages.symlink_to("/tmp")), "/tmp: folder is writable by others"),
])
def test_virtual_environments_that_are_refused(folder, spoil, says):
    packages = virtual_environment(folder)
    spoil(folder / "venv", packages)
    with pytest.raises(LoadError) as caught:
        venv.site_packages(folder / "venv")
    assert says in str(caught.value)


@pytest.mark.parametrize("entry, says", [("venv = there", "venv names \"there\": expected an absolute path"),
                                         ("venv = /a:/b", "more than one virtual environment")])
def test_wrong_configuration_of_a_virtual_environment(folder, write, entry, says):
    write(f"[glupy]\n{entry}\n", "glupy.conf")
    with pytest.raises(LoadError, match=says):
        finding.configuration()


# How it refuses: the module


def test_no_option_module(folder):
    with pytest.raises(LoadError, match="no option module: add `option module NAME` to the volume in the volfile"):
        _runtime.load(Instance("features/glupy"))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a.b", "a/b", "..", "x y", "class", "", "evil.py",
                                  "n\u00e4me"])
def test_names_that_are_no_identifiers(folder, name):
    with pytest.raises(LoadError, match="is no module name" if name else "no option module"):
        _runtime.load(Instance(module=name))


@pytest.mark.parametrize("name, shown", [
    ("mod\n[2026-01-01 00:00:00] E forged", r'"mod\n[2026-01-01 00:00:00] E forged"'),
    ("\u043eod", r'"\u043eod"'),  # a Cyrillic o
    ("\uff4dod", r'"\uff4dod"'),  # fullwidth: Python itself would read it as mod
    ("mod\0", r'"mod\x00"'), ("\x1b[2J", r'"\x1b[2J"'), ("\udcff", r'"\udcff"'), ('"', r'"\""'), ("$(id)", '"$(id)"'),
    ("mod;id", '"mod;id"'), ("a" * 201, f'"{"a" * 100}..." (201 characters)'),
])
def test_odd_names(write, name, shown):
    write(GOOD)
    with pytest.raises(LoadError) as caught:
        _runtime.load(Instance(module=name))
    text = str(caught.value)
    assert text.startswith(f"{shown} is no module name: ") and "\n" not in text and text.isascii()


def test_longest_name(write):
    write(GOOD, "a" * 200 + ".py")
    assert _runtime.load(Instance(module="a" * 200))


def test_odd_files_are_not_suggested(folder, write):
    write(GOOD, "neer.py")
    write(GOOD, "nee\nr.py")
    with pytest.raises(LoadError) as caught:
        _runtime.load(Instance(module="near"))
    assert "Did you mean neer? Put" in str(caught.value)


@pytest.mark.parametrize("name", ["os", "json", "builtins", "sys", "glupy", "__init__"])
def test_names_of_pythons_own(folder, write, name):
    """They are looked for like any other; one that is there takes no other module's place."""
    with pytest.raises(LoadError, match=f"no (module {name}: looked for|option module)"):
        _runtime.load(Instance(module=name))
    write(GOOD + "import json, os, sys\nassert json.dumps and os.path and sys.path\n", f"{name}.py")
    before = sys.modules.get(name)
    translator, _ = _runtime.load(Instance(module=name))
    assert type(translator).__module__.startswith(f"glupy.user.{name}#") and sys.modules.get(name) is before


def test_no_such_module(write, folder):
    write(GOOD, "negative_cache.py")
    with pytest.raises(LoadError) as caught:
        _runtime.load(Instance(module="negativ_cache"))
    assert str(caught.value).startswith(
        f"no module negativ_cache: looked for negativ_cache.py and negativ_cache/__init__.py in {folder}, ")
    assert "Did you mean negative_cache?" in str(caught.value)


def test_untrusted_file(write):
    path = write(GOOD)
    path.chmod(0o666)
    with pytest.raises(TrustError, match=f"^{path}: file is writable by others, mode 0666"):
        _runtime.load(Instance(module="mod"))


def test_untrusted_submodule(write):
    write("from . import part\n", "pack/__init__.py")
    path = write("", "pack/part.py")
    path.chmod(0o666)
    with pytest.raises(TrustError, match=f"^{path}: file is writable"):
        _runtime.load(Instance(module="pack"))


def test_syntax_error(refusal, folder):
    text = refusal("x = 1\nclass A(:\n    pass\n")
    assert text.startswith(f"{folder}/mod.py:2: SyntaxError: invalid syntax\n")
    assert "    class A(:\n            ^" in text


def test_null_bytes_and_bad_encoding(refusal):
    assert "null bytes" in refusal("x = 1\0\n")
    assert "SyntaxError: " in refusal("# coding: nonsense\n")


def test_exception_while_importing(refusal, folder):
    text = refusal("def f():\n    return 1 / 0\n\nf()\n")
    assert text.startswith(f"{folder}/mod.py:2: importing it failed: ZeroDivisionError: division by zero\nTraceback")
    assert 'mod.py", line 4, in <module>\n    f()\n' in text and "importlib" not in text and "glupy/loading" not in text


@pytest.mark.parametrize("statement", ["raise SystemExit(3)", "raise KeyboardInterrupt", "import no_such_library",
                                       "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})"])
def test_any_exception_while_importing(refusal, statement):
    assert "importing it failed: " in refusal(statement)


# How it refuses: the class


def test_no_class(refusal):
    assert "no Translator class: define `class Name(Translator)`" in refusal("x = 1\n")


def test_an_imported_class_does_not_count(write, refusal):
    assert "no Translator class" in refusal(HEAD)


def test_two_classes(refusal):
    text = refusal(HEAD + "class A(Translator): pass\n\nclass B(Translator): pass\n")
    assert "more than one Translator class: A (line 2) and B (line 4); keep one, or choose with `__glupy__ = B`" in text


def test_bad_choice(refusal):
    assert "__glupy__ is 3; expected a class" in refusal(GOOD + "__glupy__ = 3\n")


@pytest.mark.parametrize("method, near", [("lokup", "lookup"), ("look_up", "lookup"), ("lookups", "lookup")])
def test_misspelt_fop(refusal, folder, method, near):
    text = refusal(HEAD + f"class A(Translator):\n    async def {method}(self, frame, loc, xdata): pass\n")
    assert text.startswith(
        f"{folder}/mod.py:3: A.{method} is no file operation of GlusterFS; did you mean {near}? Rename it")


@pytest.mark.parametrize("method, near", [("write", "writev"), ("read", "readv"), ("unlnk", "unlink")])
def test_misspelt_fop_that_takes_a_frame(refusal, method, near):
    text = HEAD + f"class A(Translator):\n    def {method}(self, frame, *args): pass\n"
    assert f"did you mean {near}?" in refusal(text)


def test_misspelt_hook(refusal):
    assert "did you mean notify?" in refusal(HEAD + "class A(Translator):\n    def notfy(self, event, data): pass\n")


def test_helpers_are_not_taken_for_fops(write):
    write(GOOD + """
    def stats(self): pass
    def remember(self, key): pass
    def made(self, loc, wind): pass
    def _lokup(self, frame, loc, xdata): pass
    class Entry: pass
    limits = staticmethod(print)
""")
    _runtime.load(Instance(module="mod"))


@pytest.mark.parametrize("name", ["lookup_fop", "lookup_cbk"])
def test_classic_names(refusal, name):
    text = refusal(HEAD + f"class A(Translator):\n    def {name}(self, frame, this, loc, xdata): pass\n")
    assert f"A.{name} is named as in the classic API" in text and "`async def lookup(self, frame, loc, xdata)`" in text
    text = refusal(f"class xlator:\n    def {name}(self, frame, this, loc, xdata): pass\n")
    assert f"no Translator class: xlator.{name} is named as in the classic API" in text


@pytest.mark.parametrize("definition", [
    "async def lookup(self, frame, loc): pass",
    "async def lookup(self, loc): pass",
    "def lookup(self, frame, loc, xdata, more): pass",
    "def lookup(frame, loc, xdata): pass",
    "def lookup(self, frame, loc, xdata, *, must): pass",
    "lookup = staticmethod(lambda frame: None)",
])
def test_signature(refusal, folder, definition):
    text = refusal(HEAD + f"class A(Translator):\n    {definition}\n")
    assert text.startswith(
        f"{folder}/mod.py:3: A.lookup does not take the arguments it is called with: expected "
        "`async def lookup(self, frame, loc, xdata)` (the names are yours to choose), found `lookup(")


def test_signatures_that_fit(write):
    for definition in ("def lookup(self, *args): pass", "def lookup(self, a, b, c=3, d=4): pass",
                       "lookup = staticmethod(lambda frame, loc, xdata: None)", "lookup = dict.get"):
        write(HEAD + f"class A(Translator):\n    {definition}\n")
        if definition != "lookup = dict.get":
            assert list(_runtime.load(Instance(module="mod"))[1]) == ["lookup"]


@pytest.mark.parametrize("value", ["None", "3", "Option(int, default=1)"])
def test_fop_that_is_not_callable(refusal, value):
    assert "A.lookup is not callable" in refusal(HEAD + f"class A(Translator):\n    lookup = {value}\n")


@pytest.mark.parametrize("prefix", ["def", "async def"])
def test_generators(refusal, folder, prefix):
    text = refusal(HEAD + f"class A(Translator):\n    {prefix} lookup(self, frame, loc, xdata):\n        yield\n")
    assert text.startswith(f"{folder}/mod.py:3: A.lookup contains yield")


def test_hook_signature(refusal):
    start = HEAD + "class A(Translator):\n"
    assert "expected `def notify(self, event, data)`" in refusal(start + "    def notify(self): pass\n")
    assert "is a coroutine, and nobody would wait for it: write `def notify(self, event, data)`; it may self.spawn()" in (
        refusal(start + "    async def notify(self, event, data): pass\n"))
    assert "expected `def init(self)`" in refusal(start + "    def init(self, x): pass\n")
    assert "expected `def forget(self, inode)`" in refusal(start + "    async def forget(self, inode, gfid): pass\n")
    assert "expected `def release(self, fd)`" in refusal(start + "    def release(self): pass\n")


@pytest.mark.parametrize("value", ["5", "{}", "lambda one: one", "'dict'"])
@pytest.mark.parametrize("name", ["inode_ctx", "fd_ctx"])
def test_factory_that_cannot_be_called(refusal, folder, name, value):
    text = refusal(HEAD + f"class A(Translator):\n    {name} = {value}\n")
    assert text.startswith(f"{folder}/mod.py:") and f"A.{name} is" in text
    assert "expected what can be called without arguments to make a context" in text


@pytest.mark.parametrize("value", ["dict", "lambda: 1", "list", "functools.partial(dict, a=1)", "None"])
def test_what_makes_a_context(write, value):
    write(f"import functools\n{GOOD}    inode_ctx = {value}\n    def forget(self, inode): pass\n")
    translator, _ = _runtime.load(Instance(module="mod"))
    found = _runtime.contexts(translator)
    assert sorted(found) == ["forget"] + ["inode_ctx"] * (value != "None")
    assert value == "None" or found["inode_ctx"]() in ({}, 1, [], {"a": 1})


def test_own_constructor(refusal):
    assert "do in `def init(self)`" in refusal(HEAD + "class A(Translator):\n    def __init__(self): pass\n")


# How it refuses: options and init


def test_options(refusal, folder):
    text = HEAD + "\nclass A(Translator):\n    limit = Option(int, default=1, min=1)\n"
    assert refusal(text, limit="0") == f'{folder}/mod.py:3: option limit is "0": must be at least 1'
    assert "option limmit is not declared by A; did you mean limit?" in refusal(text, limmit="1")
    assert "option on-error is" in refusal(text, on_error="EPERM")


@pytest.mark.parametrize("name", ["name", "child", "log", "options", "init", "spawn", "module", "log_level"])
def test_option_names_that_are_taken(refusal, name):
    assert f"option {name}: " in refusal(HEAD + f"class A(Translator):\n    {name} = Option(str, default='')\n")


def test_exception_in_init(refusal, folder):
    text = refusal(HEAD + "class A(Translator):\n    def init(self):\n        self.nothing.more()\n")
    assert text.startswith(
        f"{folder}/mod.py:4: A.init failed: AttributeError: 'A' object has no attribute 'nothing'\nTraceback")
    assert "self.nothing.more()" in text and "glupy/loading" not in text


def test_exit_in_init(refusal):
    text = refusal(HEAD + "class A(Translator):\n    def init(self): raise SystemExit(3)\n")
    assert "A.init failed: SystemExit: 3" in text


def test_no_child(write):
    write(GOOD)
    translator, _ = _runtime.load(Instance(module="mod", children=()))
    assert not translator.child
    with pytest.raises(AttributeError, match="layer has no child: its volume in the volfile has no subvolumes"):
        translator.child.stat


def test_only_load_errors_leave(folder, monkeypatch):
    monkeypatch.setattr(finding, "configuration", lambda: 1 / 0)
    with pytest.raises(LoadError, match="glupy itself failed: ZeroDivisionError"):
        _runtime.load(Instance(module="mod"))


def test_translator_has_no_fop_by_itself():
    assert not [name for name in _core.FOPS if hasattr(glupy.Translator, name)]


# Tracebacks


def test_describe(write):
    write(GOOD.replace("pass", "raise ValueError('no')"))
    _, methods = _runtime.load(Instance(module="mod"))
    with pytest.raises(ValueError) as caught:
        asyncio.run(methods["lookup"](1, 2, 3))
    text = _runtime.describe(caught.value, "layer", "lookup", "/a")
    assert text.startswith("layer: lookup of '/a' failed\nTraceback") and text.endswith("\nValueError: no")
    assert "raise ValueError('no')" in text


def test_source_lines_are_those_that_were_compiled(write):
    path = write(GOOD.replace("pass", "raise ValueError('no')"))
    _, methods = _runtime.load(Instance(module="mod"))
    path.write_text("\n" * 10 + "something else\n" * 10)
    with pytest.raises(ValueError) as caught:
        asyncio.run(methods["lookup"](1, 2, 3))
    assert "raise ValueError('no')" in _runtime.describe(caught.value, "layer", "lookup", None)


class Hostile(Exception):
    def __str__(self):
        raise SystemExit


def recursion():
    try:
        recursion()
    except RecursionError as error:
        return error


@pytest.mark.parametrize("error", [Hostile(), KeyboardInterrupt(), recursion(), MemoryError(), OSError(),
                                   ExceptionGroup("x", [OSError()]),
                                   type("E", (Exception,), {"__module__": 3})(), ValueError("x" * 100000)])
def test_describe_survives_anything(error):
    text = _runtime.describe(error, "layer", None, None)
    assert text.startswith("layer: background task failed\n") and len(text) < 40000


# Logs


@pytest.fixture
def logged(monkeypatch):
    lines = []
    for voice in (_core, Instance):
        log = lambda *line: lines.append(line[-6:])  # without self
        monkeypatch.setattr(voice, "log", log, raising=False)
        monkeypatch.setattr(voice, "log_level", lambda *self: 9, raising=False)
    return lines


def test_handler(logged):
    import logging
    log = logging.Logger("layer")
    log.addHandler(loggers.GlusterHandler())
    log.warning("a %s", 1)
    level, name, file, line, function, text = logged[0]
    assert (level, name, file, function, text) == (5, "layer", __file__, "test_handler", "a 1") and line > 0
    log.critical("b"), log.error("b"), log.info("b"), log.debug("b"), log.log(1, "b")
    assert [line[0] for line in logged[1:]] == [3, 4, 7, 8, 9]


def test_print_is_logged_under_the_translators_name(write, logged, monkeypatch):
    monkeypatch.setattr(sys, "stdout", streams.LogWriter(7))
    write(GOOD + """
    def stat(self, frame, loc, xdata):
        print("half", end=" ")
        print("line\\nnext", 3)

print("at import")
""")
    _, methods = _runtime.load(Instance(module="mod"))
    methods["stat"](1, 2, 3)
    print("from outside")
    print("zero \0 and \udcff")
    monkeypatch.undo()
    assert [(line[0], line[1], line[5]) for line in logged] == [
        (7, "layer", "at import"), (7, "layer", "half line"), (7, "layer", "next 3"), (7, "glupy", "from outside"),
        (7, "glupy", "zero \\0 and \\udcff")]
    assert logged[1][4] == "stat" and logged[1][2].endswith("mod.py")


def test_attributes_are_remembered(write):
    """The interpreter finds them where they were before, without looking them up: what each fop does again and again."""
    write(GOOD)
    translator, _ = _runtime.load(Instance(module="mod"))

    def read(self):
        return self.child, self.name

    for _ in range(100):
        read(translator)
    found = [step.opname for step in dis.get_instructions(read, adaptive=True) if step.argval in ("child", "name")]
    assert len(found) == 2 and all(name in ("LOAD_ATTR_INSTANCE_VALUE", "LOAD_ATTR_WITH_HINT") for name in found)
