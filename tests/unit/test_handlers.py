"""What of any_fop, fops= and @offload is decided when a translator is loaded."""

from __future__ import annotations

import itertools
from typing import Any

import glupy
import pytest
from glupy import LoadError, Translator, offload
from glupy.api import fopsets
from glupy.loading import fopcheck

SETS = {name: getattr(glupy, name) for name in fopsets.__all__}


class Instance:
    """What the core gives for a volume."""

    name, type, children, itable = "sample", "user/sample", (), None
    interpreter, origin, space, version = 0, None, "sample", None
    options: dict[str, str] = {}


def loaded(cls: type[Translator]) -> dict[str, Any]:
    fopcheck.check_class(cls, glupy.FOPS)
    translator = cls(Instance())  # type: ignore[arg-type]
    return fopcheck.with_any_fop(translator, fopcheck.bound_fops(translator, glupy.FOPS), glupy.FOPS)


def refused(cls: type[Translator]) -> str:
    with pytest.raises(LoadError) as failed:
        loaded(cls)
    assert failed.value.file == __file__ and failed.value.line
    return failed.value.reason


def test_sets_cover_every_fop_once() -> None:
    assert frozenset().union(*SETS.values()) == set(glupy.FOPS)
    parts = {name: fops for name, fops in SETS.items() if name != "CHANGING"}
    pairs = itertools.combinations(parts, 2)
    twice = {(one, other, fop) for one, other in pairs for fop in parts[one] & parts[other]}
    assert twice == {("CHANGING_DATA", "CHANGING_NAMES", "put")}
    assert glupy.CHANGING == glupy.CHANGING_DATA | glupy.CHANGING_METADATA | glupy.CHANGING_NAMES


def test_what_changes_says_so_in_its_reply() -> None:
    """GlusterFS gives the attributes before and after, or the inode that was made, for what changes a file or directory."""
    def shows_change(fop: str) -> bool:
        reply = getattr(glupy, "".join(part.capitalize() for part in fop.split("_")) + "Reply")
        return any(name.startswith(("pre", "post")) and fop != "lookup" for name in reply.__match_args__)

    assert {fop for fop in glupy.FOPS if shows_change(fop)} - glupy.CHANGING == {"fsync"}


def test_child_is_no_argument() -> None:
    """call.wind(child=...) is free."""
    assert not any("child" in arguments for arguments in glupy.FOPS.values())


class Everything(Translator):
    async def any_fop(self, frame, call):
        return await call.wind()

    def stat(self, frame, loc, xdata):
        return None


class Some(Everything, fops=("stat", "unlink")):
    pass


class Inherits(Some):
    pass


class Other(Some, fops=glupy.LOCKING):
    pass


class Named(Everything):
    fops = ("rename",)


@pytest.mark.parametrize(("cls", "handled"), [
    (Everything, set(glupy.FOPS) - {"stat"}), (Some, {"unlink"}), (Inherits, {"unlink"}), (Other, glupy.LOCKING),
    (Named, {"rename"}),
])
def test_handled(cls: type[Translator], handled: Any) -> None:
    methods = loaded(cls)
    assert {fop for fop, method in methods.items() if method is methods["any_fop"]} - {"any_fop"} == handled
    assert methods["stat"].__name__ == "stat"


def test_without() -> None:
    class Plain(Translator):
        def stat(self, frame, loc, xdata):
            return None

    assert set(loaded(Plain)) == {"stat"}


def test_unknown_name() -> None:
    class Wrong(Everything, fops=("create", "unlik")):
        pass

    assert refused(Wrong) == ("fops= of Wrong names 'unlik', which is no file operation of GlusterFS; did you mean "
                              "unlink?")


@pytest.mark.parametrize(("names", "text"), [
    ("unlink", """fops='unlink': expected a tuple or set of names, such as ("unlink",) or glupy.CHANGING"""),
    (7, """fops=7: expected a tuple or set of names, such as ("unlink",) or glupy.CHANGING"""),
    ((7,), "fops= of Wrong names 7, which is no file operation of GlusterFS; docs/fops.md lists them"),
])
def test_no_names(names: Any, text: str) -> None:
    class Wrong(Everything, fops=names):
        pass

    assert refused(Wrong) == text


def test_fops_without_any_fop() -> None:
    class Wrong(Translator, fops=("unlink",)):
        def stat(self, frame, loc, xdata):
            return None

    assert "Wrong has fops=, which says what any_fop handles, but no any_fop" in refused(Wrong)


def test_misspelt() -> None:
    class Wrong(Translator):
        def any_fops(self, frame, call):
            return None

    assert "did you mean any_fop?" in refused(Wrong)


def test_wrong_arguments() -> None:
    class Wrong(Translator):
        async def any_fop(self, frame, name, args, more):
            return None

    assert "expected `async def any_fop(self, frame, call)`" in refused(Wrong)


def test_generator() -> None:
    class Wrong(Translator):
        def any_fop(self, frame, call):
            yield

    assert "contains yield" in refused(Wrong) and "any_fop(self, frame, call)" in refused(Wrong)


def test_offload() -> None:
    class Good(Translator):
        @offload
        def stat(self, frame, loc, xdata):
            return None

        def lookup(self, frame, loc, xdata):
            return None

        @offload
        def any_fop(self, frame, call):
            return None

    assert {fop for fop, method in loaded(Good).items() if hasattr(method, "__glupy_offload__")} == (
        {"any_fop", *glupy.FOPS} - {"lookup"})


def test_offload_of_a_coroutine() -> None:
    class Wrong(Translator):
        @offload
        async def stat(self, frame, loc, xdata):
            return None

    assert "@offload on Wrong.stat, which is an `async def`" in refused(Wrong)


@pytest.mark.parametrize("name", ["init", "helper", "_helper"])
def test_offload_of_no_fop(name: str) -> None:
    @offload
    def method(self):
        return None

    wrong = type("Wrong", (Everything,), {name: method})
    assert f"@offload on Wrong.{name}, which is no file operation" in refused(wrong)


def test_wait_outside_of_a_fop() -> None:
    with pytest.raises(RuntimeError, match="is for methods with @glupy.offload"):
        glupy.wait(glupy.sleep(0))
