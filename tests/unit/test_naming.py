"""glupy.fops_named(), errno_named(), terms_named(): what rules name, and what is said of what they misspell."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glupy
from glupy import _core

pytestmark = pytest.mark.once


@pytest.mark.parametrize(("text", "fops"), [
    ("writev", {"writev"}), ("writev|readv", {"writev", "readv"}), ("reading", glupy.READING), ("all", set(_core.FOPS)),
    ("changing-names|stat", glupy.CHANGING_NAMES | {"stat"}), ("removing", {"unlink", "rmdir", "rename"}),
    ("read*", {"readv", "readdir", "readdirp", "readlink"}), ("f*xattr", {"fsetxattr", "fgetxattr", "fremovexattr"}),
    ("?pen", {"open"}), ("*", set(_core.FOPS)),
])
def test_fops(text: str, fops: set[str]) -> None:
    assert glupy.fops_named(text) == fops


def test_fops_among() -> None:
    assert glupy.fops_named("all", ("stat", "open")) == {"stat", "open"}
    assert glupy.fops_named("changing|stat", ("stat", "writev", "open")) == {"stat", "writev"}
    for word in ("writev", "locking", "w*"):
        with pytest.raises(ValueError, match=r"is no fop and no set of them"):
            glupy.fops_named(word, ("stat", "open"))


@pytest.mark.parametrize(("text", "said"), [
    ("stat|wirtev", "wirtev is no fop and no set of them; did you mean writev?"),
    ("changng", "changng is no fop and no set of them; did you mean changing?"),
    ("", "nothing is no fop and no set of them"), ("stat|", "nothing is no fop"),
    ("q*", "q* is no fop and no set of them: one of"),
    ("READV", "READV is no fop"),
])
def test_fops_that_there_are_not(text: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        glupy.fops_named(text)
    assert said in str(refused.value)


@given(st.text(st.sampled_from("abdefrstv*?[]|-"), max_size=12))
def test_fops_are_fops_or_refused(text: str) -> None:
    try:
        fops = glupy.fops_named(text)
    except ValueError:
        return
    assert fops and fops <= set(_core.FOPS)


def test_errors() -> None:
    assert glupy.errno_named("EROFS") == errno.EROFS
    for text, said in (("EROFSS", "EROFSS is no error; did you mean EROFS?"), ("", "nothing is no error"),
                       ("5", "5 is no error"), ("errorcode", "errorcode is no error")):
        with pytest.raises(ValueError, match=said):
            glupy.errno_named(text)


READERS: dict[str, Any] = {"count": int, "path": str, "internal": None}


def test_terms() -> None:
    assert glupy.terms_named(["count=3", " path=/a=b ", "internal"], READERS) == {"count": 3, "path": "/a=b", "internal": True}
    assert glupy.terms_named([], READERS) == {}


@pytest.mark.parametrize(("term", "said"), [
    ("cuont=3", "there is no term cuont; did you mean count?"), ("x=3", "there is no term x: one of count, internal, path"),
    ("count=x", "count: invalid literal"), ("count", "count needs a value: count=..."), ("count=", "count needs a value"),
    ("internal=1", "internal takes no value"), ("internal=", "internal takes no value"), ("path=b", "path is there twice"),
])
def test_terms_that_are_wrong(term: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        glupy.terms_named(["path=a", term], READERS)
    assert said in str(refused.value)


def test_rules() -> None:
    assert glupy.rules_named(" 1; 22 ;;", int) == [1, 22]
    assert glupy.rules_named(" ; ", int) == []
    with pytest.raises(ValueError, match=r"^rule 3, x: invalid literal"):
        glupy.rules_named("1; ;x;y", int)
