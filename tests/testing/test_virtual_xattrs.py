"""@xattr: names that a translator answers itself, beside every kind of method of its own, on a client and as on a brick."""

from __future__ import annotations

import errno
from functools import partial

import glupy
import pytest
from glupy import LoadError, Translator
from glupy.testing import translator
from translators.virtual import Virtual, WithAny, WithMethods, WithOffloadedAny

KINDS = [Virtual, WithMethods, WithAny, WithOffloadedAny]


@pytest.fixture(params=[False, True], ids=["client", "brick"])
def start(request):
    return partial(translator, brick=request.param)


@pytest.fixture(params=KINDS, ids=lambda cls: cls.__name__)
def t(request, start):
    with start(request.param) as t:
        t.write("/file", b"12345")
        yield t


def fails(number, function, *args):
    with pytest.raises(OSError) as failed:
        function(*args)
    assert failed.value.errno == number


def test_read(t):
    assert t.getxattr("/file", "user.v.text") == b"nothing"
    assert t.getxattr("/file", "user.v.size") == b"5"
    assert t.getxattr("/file", "trusted.v") == "ünï".encode()
    fails(errno.ENODATA, t.getxattr, "/file", "user.v.none")
    fails(errno.EDQUOT, t.getxattr, "/file", "user.v.fails")
    assert t.asked("getxattr") == 0


def test_who_may(t):
    other = t.user(1000)
    t.chmod("/file", 0o666)
    assert other.getxattr("/file", "user.v.text") == b"nothing"
    fails(errno.ENODATA, other.getxattr, "/file", "trusted.v")
    fails(errno.EPERM, other.setxattr, "/file", "user.v.text", b"x")
    fails(errno.EPERM, other.removexattr, "/file", "user.v.text")
    assert {*t.listxattr("/file")} == {"user.v.text", "trusted.v"}
    assert {*other.listxattr("/file")} == {"user.v.text"}


def test_write(t):
    t.setxattr("/file", "user.v.text", b"new\0bytes")
    assert t.getxattr("/file", "user.v.text") == b"new\0bytes"
    t.removexattr("/file", "user.v.text")
    assert t.getxattr("/file", "user.v.text") == b"nothing"
    fails(errno.EPERM, t.setxattr, "/file", "trusted.v", b"x")
    fails(errno.EPERM, t.removexattr, "/file", "trusted.v")
    assert t.asked("setxattr") == t.asked("removexattr") == 0


def test_others_go_on(t):
    t.setxattr("/file", "user.other", b"kept")
    assert t.getxattr("/file", "user.other") == b"kept"
    assert {*t.listxattr("/file")} == {"user.other", "user.v.text", "trusted.v"}
    t.removexattr("/file", "user.other")
    fails(errno.ENODATA, t.getxattr, "/file", "user.other")


def test_by_fd(t):
    fd, child = t.fd("/file"), t.child
    t.run(child.fsetxattr(fd, {"user.v.text": b"by fd", "user.other": b"real"}, 0))
    assert t.run(child.fgetxattr(fd, "user.v.text")).dict["user.v.text"] == b"by fd"
    assert t.run(child.fgetxattr(fd, "user.other")).dict["user.other"] == b"real"
    assert {*t.run(child.fgetxattr(fd, None)).dict} == {"user.v.text", "trusted.v", "user.other"}
    assert t.getxattr("/file", "user.v.text") == b"by fd"
    t.run(child.fremovexattr(fd, "user.v.text"))
    assert t.getxattr("/file", "user.v.text") == b"nothing"
    (seen,) = {seen[1] for seen in t.translator.asked if isinstance(seen, tuple)}
    assert seen == fd.inode.gfid


def test_several_at_once(t):
    """None is set where one of them may not be."""
    loc = t.loc("/file")
    fails(errno.EPERM, t.run, t.child.setxattr(loc, {"user.v.text": b"x", "trusted.v": b"y", "user.other": b"z"}, 0))
    assert t.getxattr("/file", "user.v.text") == b"nothing"
    t.run(t.child.setxattr(loc, {"user.v.text": b"x", "user.other": b"z"}, 0))
    assert t.getxattr("/file", "user.v.text") == b"x" and t.getxattr("/file", "user.other") == b"z"


def test_gluster_itself_sees_none_in_a_list(t):
    loc = t.loc("/file")
    t.setxattr("/file", "user.other", b"kept")
    assert {*t.run(t.child.getxattr(loc, None), pid=-6).dict} == {"user.other"}
    assert t.run(t.child.getxattr(loc, "user.v.text"), pid=-6).dict["user.v.text"] == b"nothing"


def test_a_list_that_fails(t):
    t.script(getxattr=OSError(errno.EOPNOTSUPP, ""))
    fails(errno.EOPNOTSUPP, t.listxattr, "/file")
    assert t.getxattr("/file", "user.v.text") == b"nothing"


def test_own_methods():
    with translator(WithMethods) as t:
        t.write("/file", b"")
        assert t.getxattr("/file", "user.own") == b"own"
        t.run(t.child.setxattr(t.loc("/file"), {"user.v.text": b"x", "user.b": b"z", "user.a": b"z"}, 0))
        assert ["user.a", "user.b"] in t.translator.asked


def test_other_values():
    class Odd(Translator):
        @glupy.xattr("user.odd")
        def odd(self, frame, loc, name):
            return 5

    with translator(Odd, expect=[r"the value of user.odd is 5: expected bytes, str or None"]) as t:
        t.write("/file", b"")
        fails(errno.EIO, t.getxattr, "/file", "user.odd")


def test_derived():
    class Derived(Virtual):
        @glupy.xattr("trusted.v", who="anyone")
        def for_root(self, frame, loc, name):
            return b"another"

    with translator(Derived) as t:
        t.write("/file", b"")
        assert t.getxattr("/file", "trusted.v") == b"another" and t.listxattr("/file") == ["user.v.text"]
        assert t.translator.for_root(None, None, "x") == b"another"


def test_arguments_that_do_not_fit():
    class Few(Translator):
        @glupy.xattr("user.few")
        def few(self, frame, name):
            return b""

    class Less(Translator):
        @glupy.xattr("user.few")
        def few(self, frame, loc, name):
            return b""

        @few.setter
        def change(self, frame, loc, name):
            pass

    with pytest.raises(LoadError, match=r"Few\.few, which is for @xattr, .* expected `def few\(self, frame, loc, name\)`"):
        translator(Few).__enter__()
    with pytest.raises(LoadError, match=r"Less\.change, .* expected `def change\(self, frame, loc, name, value\)`"):
        translator(Less).__enter__()


@pytest.mark.parametrize("arguments", [
    {"names": ()}, {"names": ("",)}, {"names": (5,)}, {"names": ("user.a",), "who": "all"}, {"names": ("user.*",), "listed": True},
    {"names": ("user.*",), "listed": ["trusted.x"]}])
def test_wrong_declarations(arguments):
    names = arguments.pop("names")
    with pytest.raises(ValueError):
        glupy.xattr(*names, **arguments)


def test_name_of_a_fop():
    with pytest.raises((TypeError, RuntimeError)) as failed:
        class Fop(Translator):
            @glupy.xattr("user.x")
            def lookup(self, frame, loc, name):
                return b""
    assert "lookup is the name of a file operation" in str(failed.value.__cause__ or failed.value)
