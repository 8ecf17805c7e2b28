"""Whatever stands in glupy.conf, pyvenv.cfg or a volfile's values: it loads, or is refused by a LoadError that says where."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_loading import Instance

from glupy import LoadError, _runtime
from glupy.loading import finding, making, venv
from glupy.options import common

#: As a C program hands text on: no NUL, and what is not UTF-8 as lone surrogates.
TEXTS = st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))

EVERY_TYPE = """
from pathlib import Path

from glupy import Option, Translator


class Every(Translator):
    whole = Option(int, default=0)
    number = Option(float, default=0.0)
    switch = Option(bool, default=False)
    text = Option(str, default="")
    place = Option(Path, default=Path("/"))
    amount = Option("size", default=0)
    lasts = Option("time", default=0)
    share = Option("percent", default=0.0)
    one = Option(str, default="a", choices=("a", "b"))
    bounded = Option(int, default=1, min=1, max=9)
"""
OWN = ("whole", "number", "switch", "text", "place", "amount", "lasts", "share", "one", "bounded")
#: Those that say what is loaded are another test's.
NAMES = (*OWN, *(name for name in common.OPTIONS if not name.startswith("module")))

#: Digits without end, whole and as the parts of numbers with units.
NUMBERS = st.from_regex(r"\A[+-]?(0x)?[0-9]{1,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,4})?[a-zA-Z%]{0,4}\Z").flatmap(
    lambda text: st.integers(0, 6000).map(lambda count: text[:1] + "9" * count + text[1:]))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(prefix="glupy-fuzz.", dir="/var/lib") as name:
        path = Path(name)
        patch.setattr(finding, "ADMINISTRATOR", path)
        patch.setattr(finding, "CONFIGURATION", path / "glupy.conf")
        patch.delenv("GLUPY_CONF", raising=False)
        (path / "every.py").write_text(EVERY_TYPE)
        yield path


def refused(error: LoadError, file: Path | str, lines: int) -> None:
    """It names the file and a line that the file has, in one readable sentence."""
    assert error.file == str(file)
    assert error.line is not None and 1 <= error.line <= lines, str(error)
    assert re.fullmatch(r"[\x20-\x7e\n\x80-\U0010ffff]+", str(error)), ascii(str(error))
    assert "glupy itself failed" not in str(error)


LINES = st.one_of(
    TEXTS,
    st.sampled_from(["[glupy]", "[GLUPY]", "[DEFAULT]", "translators", "venv", "venv = /a:/b", "translators = a", "#", " x"]),
    st.builds("{} = {}".format, st.sampled_from(["translators", "venv", "other"]), TEXTS),
    st.builds("{} = /{}".format, st.sampled_from(["translators", "venv"]), st.text(max_size=10)),
    st.builds("  {}".format, st.text(max_size=10)),
)


@given(st.one_of(st.binary(max_size=200), st.lists(LINES).map(
    lambda lines: "\n".join(["[glupy]", *lines]).encode("utf-8", "surrogateescape"))))
@example(b"[glupy]\ntranslators = /a\0b\n")
@example(b"[glupy]\nvenv = /a\0b\n")
@example(b"[glupy]\n\nvenv = /a\n /b\n")
@example(b"[glupy]\nvenv = " + b"/a" * 3000)
@example(b"[glupy]\ntranslators = " + b"a" * 300)
@example(b"[glupy]\ntranslators = /" + b"a" * 300)
@example(b"[glupy]\ntranslators = /\xff\n")
@example(b"[glupy]\ntranslators = /a\n[glupy]\n")
@example(b"translators = /a\n")
@example(b"[glupy]\nvenv\n")
@example(b"[glupy]\nvenv = /a\nvenv = /b\n")
@example(b"[glupy\nvenv = /a\n")
def test_item_14_any_configuration(folder: Path, content: bytes) -> None:
    """Read, and what it names is looked into."""
    file = folder / "glupy.conf"
    file.write_bytes(content)
    try:
        settings = finding.configuration()
        finding.find("every", settings.folders)
        if settings.venv:
            with pytest.raises(LoadError) as missing:
                venv.site_packages(settings.venv)
            assert str(missing.value.file).startswith(str(settings.venv)) or settings.venv == Path("/")
    except LoadError as error:
        if error.file == str(file):
            refused(error, file, content.count(b"\n") + 1)
        else:  # a folder that it names
            assert error.file in map(str, settings.folders)
    finally:
        file.unlink()


@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(TEXTS, NUMBERS), min_size=1))
@example({"amount": "9" * 400 + ".5"})
@example({"amount": "9" * 5000})
@example({"whole": "9" * 5000})
@example({"lasts": "0x" + "f" * 9000})
@example({"interpreters": "9" * 5000})
def test_item_14_any_option(folder: Path, options: dict[str, str]) -> None:
    instance = Instance("features/glupy", module="every", **options)
    instance.replicate = lambda count, origin: None  # type: ignore[attr-defined]
    try:
        translator, _ = _runtime.load(instance)
        making.importing.forget(making.module_of(translator))
    except LoadError as error:
        refused(error, folder / "every.py", len(EVERY_TYPE.splitlines()))
        assert any(f"option {name} is " in str(error) for name in options)
        assert len(str(error)) < 1000
    assert not [name for name in sys.modules if name.startswith("glupy.user.every")]


@given(st.dictionaries(st.one_of(st.sampled_from((*NAMES, "module", "module_name")), TEXTS), st.one_of(TEXTS, NUMBERS)))
@example({"module": "every/../every", "limit": "5"})
@example({"module": "non_such", "interpreters": "many"})
def test_item_18_any_option_of_a_brick(folder: Path, options: dict[str, str]) -> None:
    """Whatever glusterd has been told: it loads, and says in so many words what it does not obey."""
    instance = Instance("user/every")
    instance.options = options
    instance.replicate = lambda count, origin: None  # type: ignore[attr-defined]
    translator, _ = _runtime.load(instance)
    making.importing.forget(making.module_of(translator))
    ignored = {**translator._glupy_lasting, **translator._glupy_ignored}
    assert [(4, f"layer: {sentence}") for sentence in ignored.values()] == instance.logged
    text = instance.configured["text"]
    assert text.count("\nignored.") == len(ignored) and all("=" in line for line in text.split("\n")[:-1])


@given(st.dictionaries(TEXTS, TEXTS), TEXTS)
def test_item_14_any_name(folder: Path, options: dict[str, str], type: str) -> None:
    """Names of options and translators as a volfile may have them."""
    instance = Instance(f"user/{type}")
    instance.options = options
    with pytest.raises(LoadError) as caught:
        _runtime.load(instance)
    assert "glupy itself failed" not in str(caught.value)


@given(st.one_of(st.binary(max_size=60), TEXTS.map(lambda text: f"version = {text}".encode("utf-8", "surrogateescape")),
                 st.from_regex(r"\Aversion = [0-9\u0660-\u0669]{1,3}\.[0-9]{1,3}\Z").map(str.encode)))
@example(b"version = " + b"9" * 5000 + b".1")
@example("version = \u0663.\u0661\u0661".encode())
def test_item_14_any_virtual_environment(folder: Path, content: bytes) -> None:
    (folder / "pyvenv.cfg").write_bytes(content)
    with pytest.raises(LoadError) as caught:
        venv.site_packages(folder)
    assert str(caught.value.file).startswith(str(folder))
    assert len(str(caught.value)) < 1000
